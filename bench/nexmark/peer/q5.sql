-- q5
WITH counted AS (
	SELECT auction, date_time - date_time % 2000 - back AS starttime, COUNT(*) AS num
	FROM bid CROSS JOIN (
		SELECT 0 AS back UNION ALL SELECT 2000 UNION ALL SELECT 4000 UNION ALL SELECT 6000 UNION ALL SELECT 8000
	) AS b
	GROUP BY auction, date_time - date_time % 2000 - back
)
SELECT auction, num FROM (
	SELECT auction, num, MAX(num) OVER (PARTITION BY starttime) AS maxn FROM counted
) AS q
WHERE num >= maxn
