-- q6
SELECT seller,
	mean(SUM(price) OVER w, COUNT(*) OVER w) AS average
FROM (
	SELECT a.id, a.seller, b.price, b.date_time,
		ROW_NUMBER() OVER (PARTITION BY a.id, a.seller ORDER BY b.price DESC, b.date_time, b.n) AS rownum
	FROM auction AS a INNER JOIN numbered_bid AS b ON a.id = b.auction
	WHERE b.date_time BETWEEN a.date_time AND a.expires
) AS q
WHERE rownum <= 1
WINDOW w AS (PARTITION BY seller ORDER BY date_time, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW)
