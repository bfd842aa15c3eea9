-- q19
SELECT auction, bidder, price, channel, url, date_time, extra, rank_number FROM (
	SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC, n) AS rank_number FROM numbered_bid
) AS q
WHERE rank_number <= 10
