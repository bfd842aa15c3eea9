-- q12: without the windows, which no other program can have in common
SELECT bidder, COUNT(*) AS bid_count FROM bid GROUP BY bidder
