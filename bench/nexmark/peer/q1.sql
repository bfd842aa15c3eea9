-- q1
SELECT auction, bidder, euros(price) AS price, date_time, extra FROM bid
