#!/usr/bin/env python3
"""tests/differential/test_nexmark.py -- the queries of Nexmark against SQLite and DuckDB, row by row.

    python3 tests/differential/test_nexmark.py [SEED [EVENTS]]

FERRIS_SQL is the program; by default that of build/release.  The generator's events are written to
files; bench/nexmark/sql holds the queries for ferris-sql, bench/nexmark/peer the same for the
others.  Each query runs on the files, straight from the generator, and on more tasks; each time
the rows must be, as a multiset, exactly those of SQLite.  DuckDB is asked too where it can be
imported or installed; where not, a line says so.  What the peers compute in doubles is spelled with
whole numbers, and of equal rows the first to come counts, as in ferris-sql.
"""
import collections
import datetime
import decimal
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [f"{ROOT}/bench/nexmark", f"{ROOT}/bench"]
import bench  # pylint: disable=wrong-import-position
import nexmark  # pylint: disable=wrong-import-position

PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))
EXACT = "\x01"  # before a number that SQLite holds as text
RUNS = [("file", 1), ("generator", 1), ("file", 4)]

passed = 0
failed = 0


def check(same, what):
    global passed, failed
    if same:
        passed += 1
        return
    failed += 1
    print("not ok -", what)


def plain(value):
    """Numbers as decimals, so that 1.50 is 1.5; a float would not be exact."""
    if isinstance(value, float):
        raise ValueError(f"a double among the results: {value}")
    if isinstance(value, (int, decimal.Decimal)):
        return decimal.Decimal(value)
    if isinstance(value, str) and value.startswith(EXACT):
        return decimal.Decimal(value[1:])
    return value


def multiset(query, rows):
    if query == "q12":  # windows of the clock: only their sum is the same in every run
        sums = collections.Counter()
        for row in rows:
            sums[row[0]] += row[1]
        rows = sums.items()
    return collections.Counter(tuple(plain(value) for value in row) for row in rows)


def ferris(query, source, tasks, folder):
    script, out = f"{folder}/query.sql", f"{folder}/out.jsonl"
    with open(script, "w", encoding="utf-8") as file:
        file.write(nexmark.script(query, source))
    run = subprocess.run([PROGRAM, "execute", "--file", script, "--set", f"parallelism={tasks}"],
                         capture_output=True, text=True, env=dict(os.environ, OUT=out))
    if run.returncode != 0:
        raise RuntimeError(f"exit {run.returncode}: {run.stderr.strip()[-500:]}")
    with open(out, encoding="utf-8") as file:
        rows = [json.loads(text, parse_float=decimal.Decimal).values() for text in file]
    return multiset(query, [list(row) for row in rows])


# ----------------------------------------------------------------------------------- SQLite

def at(millis):
    return datetime.datetime.fromtimestamp(millis / 1000, datetime.timezone.utc)


def mean(total, number):
    """Six digits, rounded half up; the values are positive."""
    return EXACT + str(decimal.Decimal((2000000 * total + number) // (2 * number)).scaleb(-6))


def channel_id_of(url):
    found = re.search("(&|^)channel_id=([^&]*)", url)
    return found.group(2) if found else None


def split_part(text, delimiter, number):
    parts = text.split(delimiter)
    return parts[number - 1] if number <= len(parts) else ""


FUNCTIONS = {
    "euros": lambda price: EXACT + str(decimal.Decimal(908 * price).scaleb(-3)),
    "mean": mean,
    "day_of": lambda millis: at(millis).strftime("%Y-%m-%d"),
    "minute_of": lambda millis: at(millis).strftime("%H:%M"),
    "hour_of": lambda millis: at(millis).hour,
    "channel_id_of": channel_id_of,
    "split_part": split_part,
}


def sqlite(folder):
    connection = sqlite3.connect(":memory:")
    for name, function in FUNCTIONS.items():
        connection.create_function(name, function.__code__.co_argcount, function, deterministic=True)
    for stream in ("person", "auction", "bid"):
        with open(f"{folder}/{stream}.jsonl", encoding="utf-8") as file:
            rows = [json.loads(text) for text in file]
        names = list(rows[0])
        connection.execute(f"CREATE TABLE {stream} ({', '.join(names)})")
        connection.executemany(f"INSERT INTO {stream} VALUES ({', '.join('?' * len(names))})",
                               [list(row.values()) for row in rows])
    connection.execute("CREATE VIEW numbered_bid AS SELECT *, rowid AS n FROM bid")
    connection.execute("CREATE TABLE side_input (key INTEGER PRIMARY KEY, value TEXT)")
    with open(f"{folder}/side_input.csv", encoding="utf-8") as file:
        connection.executemany("INSERT INTO side_input VALUES (?, ?)",
                               [text.strip().split(",") for text in list(file)[1:]])
    connection.execute("CREATE INDEX bids_of_auction ON bid (auction)")
    connection.execute("CREATE INDEX bids_by_price ON bid (price)")
    connection.execute("CREATE INDEX auctions ON auction (id)")
    return lambda query: connection.execute(nexmark.read(f"peer/{query}.sql")).fetchall()


# ----------------------------------------------------------------------------------- DuckDB

ASK_DUCKDB = """
import json, os, sys
import duckdb
connection = duckdb.connect()
connection.execute(sys.argv[1])
connection.execute(f"COPY ({sys.argv[2]}) TO '{os.environ['OUT']}' (FORMAT JSON)")
"""


def duckdb(folder):
    """A function from a query to its rows, or None where there is no DuckDB."""
    python = sys.executable
    if subprocess.run([python, "-c", "import duckdb"], capture_output=True).returncode != 0:
        os.environ.setdefault("PIP_RETRIES", "1")
        os.environ.setdefault("PIP_DEFAULT_TIMEOUT", "10")
        python = f"{bench.PEERS_VENV}/bin/python"
        try:
            if not bench.install_peers(["duckdb"]):
                return None
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"duckdb is left out: {error}")
            return None
    prelude = nexmark.read("duckdb.sql").replace("{data}", folder)

    def ask(query):
        out = f"{folder}/duckdb.jsonl"
        subprocess.run([python, "-c", ASK_DUCKDB, prelude, nexmark.read(f"peer/{query}.sql")],
                       check=True, env=dict(os.environ, OUT=out))
        with open(out, encoding="utf-8") as file:
            return [list(json.loads(text, parse_float=decimal.Decimal).values()) for text in file]
    return ask


def compare(query, found, expected, what):
    """Prints what only one of them has."""
    check(found == expected, f"{query}: {what}: {sum(found.values())} rows and not "
          f"{sum(expected.values())}; for instance only in ferris-sql "
          f"{list((found - expected).items())[:1]}, only in the other {list((expected - found).items())[:1]}")


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 32)
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    print(f"seed {seed}, {events} events")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(DATA=folder, EVENTS=str(events), SEED=str(seed))
        nexmark.make_data(PROGRAM, folder, events)
        peers = {"SQLite": sqlite(folder), "DuckDB": duckdb(folder)}
        if peers["DuckDB"] is None:
            print("no DuckDB here: SQLite alone is asked")
            del peers["DuckDB"]
        for query in nexmark.QUERIES:
            expected = {name: multiset(query, ask(query)) for name, ask in peers.items()}
            check(sum(expected["SQLite"].values()) > 0, f"{query} gives rows")
            for source, tasks in RUNS:
                try:
                    found = ferris(query, source, tasks, folder)
                except RuntimeError as error:
                    check(False, f"{query}: {error}")
                    continue
                for name, rows in expected.items():
                    compare(query, found, rows, f"{source} on {tasks} tasks, {name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
