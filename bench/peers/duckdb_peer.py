"""duckdb_peer.py QUERY json|csv -- one query on DuckDB; folder DATA, file OUT, THREADS from the environment."""
import os
import sys

import duckdb

query, form = sys.argv[1], sys.argv[2]
data, out, threads = os.environ["DATA"], os.environ["OUT"], int(os.environ.get("THREADS", "1"))
columns = ("{'trade_id':'BIGINT','symbol':'VARCHAR','price':'DECIMAL(18,4)','quantity':'BIGINT',"
           "'side':'VARCHAR','account':'VARCHAR','event_time':'BIGINT'}")
if form == "json":
    trades = f"read_json('{data}/trades.jsonl', format='newline_delimited', columns={columns})"
else:
    trades = (f"read_csv('{data}/trades.csv', header=true, auto_detect=false, delim=',',"
              f" columns={columns})")
symbols = f"read_csv('{data}/symbols.csv', header=true)"
over = "OVER (PARTITION BY symbol ORDER BY event_time, trade_id)"
text = {
    "S1": f"SELECT trade_id, symbol, price FROM {trades}",
    "S2": f"SELECT trade_id, symbol, price FROM {trades} WHERE price > 500",
    "S3": f"SELECT trade_id, symbol, price FROM {trades}"
          " WHERE price > 100 AND quantity < 500 AND side = 'BUY'",
    "S4": "SELECT symbol, COUNT(*) AS n, SUM(price * quantity) AS notional, AVG(price) AS average"
          f" FROM {trades} GROUP BY symbol",
    "S5": "SELECT symbol, event_time // 60000 * 60000 AS started, COUNT(*) AS n,"
          f" SUM(quantity) AS quantity, AVG(price) AS average FROM {trades} GROUP BY ALL",
    "S6": f"SELECT trade_id, symbol, price, LAG(price) {over} AS previous,"
          f" ROW_NUMBER() {over} AS number FROM {trades}",
    "S7": f"SELECT sector, SUM(quantity) AS quantity FROM {trades} t JOIN {symbols} s"
          " ON t.symbol = s.symbol GROUP BY sector",
}[query]
connection = duckdb.connect(config={"threads": threads})
target = "JSON" if form == "json" else "CSV, HEADER"
connection.execute(f"COPY ({text}) TO '{out}' (FORMAT {target})")
