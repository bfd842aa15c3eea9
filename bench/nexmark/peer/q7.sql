-- q7
SELECT b.auction, b.bidder, b.price, b.date_time, b.extra
FROM bid AS b
JOIN (
	SELECT MAX(price) AS maxprice, date_time - date_time % 10000 + 10000 AS endtime
	FROM bid GROUP BY date_time - date_time % 10000 + 10000
) AS b1
ON b.price = b1.maxprice
WHERE b.date_time BETWEEN b1.endtime - 10000 AND b1.endtime
