"""chdb_peer.py QUERY json|csv -- one query on chDB (ClickHouse); DATA, OUT, THREADS from the environment."""
import os
import sys

import chdb

query, form = sys.argv[1], sys.argv[2]
data, out, threads = os.environ["DATA"], os.environ["OUT"], os.environ.get("THREADS", "1")
columns = ("trade_id Int64, symbol String, price Decimal(18,4), quantity Int64, side String,"
           " account String, event_time Int64")
if form == "json":
    trades = f"file('{data}/trades.jsonl', 'JSONEachRow', '{columns}')"
else:
    trades = f"file('{data}/trades.csv', 'CSVWithNames', '{columns}')"
symbols = (f"file('{data}/symbols.csv', 'CSVWithNames',"
           " 'symbol String, name String, sector String, lot_size Int64')")
text = {
    "S1": f"SELECT trade_id, symbol, price FROM {trades}",
    "S2": f"SELECT trade_id, symbol, price FROM {trades} WHERE price > 500",
    "S3": f"SELECT trade_id, symbol, price FROM {trades}"
          " WHERE price > 100 AND quantity < 500 AND side = 'BUY'",
    "S4": "SELECT symbol, COUNT(*) AS n, SUM(price * quantity) AS notional, AVG(price) AS average"
          f" FROM {trades} GROUP BY symbol",
    "S5": "SELECT symbol, intDiv(event_time, 60000) * 60000 AS started, COUNT(*) AS n,"
          f" SUM(quantity) AS quantity, AVG(price) AS average FROM {trades} GROUP BY 1, 2",
    "S6": "SELECT trade_id, symbol, price, lagInFrame(toNullable(price)) OVER p AS previous,"
          f" ROW_NUMBER() OVER p AS number FROM {trades} WINDOW p AS (PARTITION BY symbol"
          " ORDER BY event_time, trade_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
    "S7": f"SELECT sector, SUM(quantity) AS quantity FROM {trades} t JOIN {symbols} s"
          " ON t.symbol = s.symbol GROUP BY sector",
}[query]
parallel = 0 if threads == "1" else 1
chdb.query(f"{text} INTO OUTFILE '{out}' TRUNCATE"
           f" FORMAT {'JSONEachRow' if form == 'json' else 'CSVWithNames'}"
           f" SETTINGS max_threads={threads}, output_format_parallel_formatting={parallel},"
           f" input_format_parallel_parsing={parallel}, format_csv_null_representation='',"
           " output_format_json_quote_64bit_integers=0")
