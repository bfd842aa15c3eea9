-- q18
SELECT auction, bidder, price, channel, url, date_time, extra
FROM (
	SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY date_time DESC, n) AS rank_number
	FROM numbered_bid
) AS q
WHERE rank_number <= 1
