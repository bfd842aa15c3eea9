-- q2: the bids for some auctions.
CREATE STREAM result AS
SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
