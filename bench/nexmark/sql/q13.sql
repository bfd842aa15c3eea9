-- q13: the bids with a value from a bounded side input.
CREATE STREAM result AS
SELECT b.auction, b.bidder, b.price, b.date_time, s.value
FROM bid AS b JOIN side_input AS s ON MOD(b.auction, 10000) = s.key
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
