-- q8
SELECT p.id, p.name, p.starttime
FROM (
	SELECT id, name, date_time - date_time % 10000 AS starttime FROM person
	GROUP BY id, name, date_time - date_time % 10000
) AS p
JOIN (
	SELECT seller, date_time - date_time % 10000 AS starttime FROM auction
	GROUP BY seller, date_time - date_time % 10000
) AS a
ON p.id = a.seller AND p.starttime = a.starttime
