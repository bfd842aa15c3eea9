-- q1: dollars to euros.
CREATE STREAM result AS
SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
