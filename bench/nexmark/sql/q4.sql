-- q4: the average closing price of each category.
CREATE STREAM result AS
SELECT category, AVG(final) AS final FROM (
	SELECT MAX(b.price) AS final, a.category
	FROM auction AS a INNER JOIN bid AS b ON a.id = b.auction
	WHERE b.date_time BETWEEN a.date_time AND a.expires
	GROUP BY a.id, a.category EMIT FINAL
) AS q
GROUP BY category EMIT FINAL
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
