-- q10
SELECT auction, bidder, price, date_time, extra, day_of(date_time) AS dt, minute_of(date_time) AS hm FROM bid
