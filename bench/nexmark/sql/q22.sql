-- q22: the folders of the address.
CREATE STREAM result AS
SELECT auction, bidder, price, channel, SPLIT_PART(url, '/', 4) AS dir1, SPLIT_PART(url, '/', 5) AS dir2,
	SPLIT_PART(url, '/', 6) AS dir3
FROM bid
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
