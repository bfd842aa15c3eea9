-- q11
SELECT bidder, COUNT(*) AS bid_count, MIN(date_time) AS starttime, MAX(date_time) + 10000 AS endtime
FROM (
	SELECT bidder, date_time, SUM(begins) OVER (PARTITION BY bidder ORDER BY date_time) AS session
	FROM (
		SELECT bidder, date_time,
			CASE WHEN date_time - LAG(date_time) OVER (PARTITION BY bidder ORDER BY date_time) < 10000
				THEN 0 ELSE 1 END AS begins
		FROM bid
	) AS b
) AS s
GROUP BY bidder, session
