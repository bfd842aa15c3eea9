-- q4
SELECT category, mean(SUM(final), COUNT(*)) AS final FROM (
	SELECT MAX(b.price) AS final, a.category
	FROM auction AS a INNER JOIN bid AS b ON a.id = b.auction
	WHERE b.date_time BETWEEN a.date_time AND a.expires
	GROUP BY a.id, a.category
) AS q
GROUP BY category
