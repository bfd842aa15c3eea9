-- q0: the bids as they are.
CREATE STREAM result AS
SELECT auction, bidder, price, date_time, extra FROM bid
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
