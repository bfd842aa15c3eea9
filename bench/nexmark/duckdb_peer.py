"""duckdb_peer.py QUERY -- one query of Nexmark on DuckDB; folder DATA, file OUT, THREADS from the environment."""
import os
import sys

import duckdb

BENCH = os.path.dirname(os.path.abspath(__file__))


def read(path):
    with open(f"{BENCH}/{path}", encoding="utf-8") as file:
        return file.read()


connection = duckdb.connect(config={"threads": int(os.environ.get("THREADS", "1"))})
connection.execute(read("duckdb.sql").replace("{data}", os.environ["DATA"]))
connection.execute(f"COPY ({read(f'peer/{sys.argv[1]}.sql')}) TO '{os.environ['OUT']}' (FORMAT JSON)")
