-- q18: the last bid of each bidder in each auction.
CREATE STREAM result AS
SELECT auction, bidder, price, channel, url, date_time, extra
FROM (
	SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY date_time DESC) AS rank_number FROM bid
) AS q
WHERE rank_number <= 1
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
