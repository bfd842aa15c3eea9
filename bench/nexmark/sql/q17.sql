-- q17: the bids of each auction and day.
CREATE STREAM result AS
SELECT auction, DATE_FORMAT(date_time, '%Y-%m-%d') AS day, COUNT(*) AS total_bids,
	COUNT(*) FILTER (WHERE price < 10000) AS rank1_bids,
	COUNT(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
	COUNT(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
	MIN(price) AS min_price, MAX(price) AS max_price, AVG(price) AS avg_price, SUM(price) AS sum_price
FROM bid GROUP BY auction, DATE_FORMAT(date_time, '%Y-%m-%d') EMIT FINAL
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
