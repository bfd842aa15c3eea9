-- q19: the ten highest bids of each auction.
CREATE STREAM result AS
SELECT * FROM (
	SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rank_number FROM bid
) AS q
WHERE rank_number <= 10
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
