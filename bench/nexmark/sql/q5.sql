-- q5: the auctions with the most bids in the last ten seconds, every two seconds.
CREATE STREAM result AS
SELECT auction_bids.auction, auction_bids.num FROM (
	SELECT auction, COUNT(*) AS num, window_start AS starttime, window_end AS endtime
	FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
	GROUP BY auction, window_start, window_end
) AS auction_bids
JOIN (
	SELECT MAX(num) AS maxn, starttime, endtime FROM (
		SELECT COUNT(*) AS num, window_start AS starttime, window_end AS endtime
		FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
		GROUP BY auction, window_start, window_end
	) AS count_bids
	GROUP BY starttime, endtime EMIT FINAL
) AS max_bids
ON auction_bids.starttime = max_bids.starttime AND auction_bids.endtime = max_bids.endtime
	AND auction_bids.num >= max_bids.maxn
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
