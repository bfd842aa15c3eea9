-- q9: the winning bid of each auction.
CREATE STREAM result AS
SELECT id, item_name, description, initial_bid, reserve, date_time, expires, seller, category, extra,
	auction, bidder, price, bid_date_time, bid_extra
FROM (
	SELECT a.*, b.auction, b.bidder, b.price, b.date_time AS bid_date_time, b.extra AS bid_extra,
		ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.date_time ASC) AS rownum
	FROM auction AS a INNER JOIN bid AS b ON a.id = b.auction
	WHERE b.date_time BETWEEN a.date_time AND a.expires
) AS q
WHERE rownum <= 1
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
