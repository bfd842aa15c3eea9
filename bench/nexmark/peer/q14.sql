-- q14
SELECT auction, bidder, euros(price) AS price,
	CASE
		WHEN hour_of(date_time) >= 8 AND hour_of(date_time) <= 18 THEN 'dayTime'
		WHEN hour_of(date_time) <= 6 OR hour_of(date_time) >= 20 THEN 'nightTime'
		ELSE 'otherTime'
	END AS bid_time_type,
	date_time, extra, LENGTH(extra) - LENGTH(REPLACE(extra, 'c', '')) AS c_counts
FROM bid WHERE 908 * price > 1000000000 AND 908 * price < 50000000000
