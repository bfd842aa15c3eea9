-- q6: the average closing price of each seller's last ten auctions (Flink cannot run it).
CREATE STREAM result AS
SELECT seller,
	AVG(price) OVER (PARTITION BY seller ORDER BY date_time, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW)
		AS average
FROM (
	SELECT a.id, a.seller, b.price, b.date_time
	FROM auction AS a INNER JOIN bid AS b ON a.id = b.auction
	WHERE b.date_time BETWEEN a.date_time AND a.expires
	QUALIFY ROW_NUMBER() OVER (PARTITION BY a.id, a.seller ORDER BY b.price DESC, b.date_time) <= 1
) AS q
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
