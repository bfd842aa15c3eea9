"""tests/differential/engine.py -- the same tables and queries on ferris-sql, DuckDB and SQLite.

FERRIS_SQL is the program; by default that of build/release.  DuckDB is found where `import duckdb`
works, else in build/peers, the venv of bench.py, where it is installed if it can be.
"""
import argparse
import datetime
import decimal
import importlib
import json
import os
import random
import sqlite3
import subprocess
import sys

from generator import DUCKDB, EPOCH, FERRIS, SQLITE, time_text

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))
VENV = f"{ROOT}/build/peers"


def options(doc, queries):
    """The command line that the tests with random queries share."""
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--queries", type=int, default=queries)
    parser.add_argument("--engine", choices=["duckdb", "sqlite"])
    parser.add_argument("--verbose", action="store_true", help="show what the other engine refuses")
    return parser.parse_args()


class Refused(Exception):
    """The engine does not take the query, or fails at it."""


# ---- ferris-sql ----

def json_value(value, kind):
    if value is None:
        return "null"
    if kind == "dec":
        return f"{value:f}"
    if kind == "ts":
        return json.dumps(time_text(value).replace(" ", "T") + "Z")
    if kind == "date":
        return json.dumps(day_text(value))
    return json.dumps(value)


def day_text(days):
    return f"{EPOCH + datetime.timedelta(days=days):%Y-%m-%d}"


def csv_value(value, kind):
    if value is None:
        return ""
    if kind == "text":
        return '"' + value.replace('"', '""') + '"'
    if kind == "ts":
        return time_text(value)
    if kind == "date":
        return day_text(value)
    if kind == "dec":
        return f"{value:f}"
    return str(value).lower() if kind == "bool" else str(value)


def write_table(table, path, form):
    kinds = [(c.name, c.kind) for c in table.columns]
    with open(path, "w", encoding="utf-8", newline="") as file:
        if form == "csv":
            file.write(",".join(name for name, _ in kinds) + "\n")
        for row in table.rows:
            if form == "csv":
                file.write(",".join(csv_value(row[n], k) for n, k in kinds) + "\n")
            else:  # a NULL at times is a field that is missing
                shown = [(n, k) for n, k in kinds if row[n] is not None or row["id"] % 2]
                file.write("{" + ",".join(f'"{n}":{json_value(row[n], k)}' for n, k in shown) + "}\n")


def declaration(table, folder, options=""):
    columns = ", ".join(f"{c.name} {table.type_of(c, FERRIS)}" for c in table.columns)
    if table.delay is not None:
        columns += f", WATERMARK FOR ts AS ts - INTERVAL '{table.delay}' SECOND"
    return (f"CREATE STREAM {table.name} ({columns}) WITH ('connector' = 'file', "
            f"'path' = '{folder}/{table.name}.{table.form}', 'format' = '{table.form}'{options});\n")


def ferris(folder, tables, queries, settings=()):
    """The rows of each query: all are statements of one application, with a file for each."""
    sql = "".join(declaration(t, folder) for t in tables)
    for i, query in enumerate(queries):
        if os.path.exists(f"{folder}/o{i}"):
            os.remove(f"{folder}/o{i}")
        sql += (f"CREATE STREAM o{i} AS {query} WITH ('connector' = 'file', 'path' = '{folder}/o{i}', "
                "'format' = 'json');\n")
    with open(f"{folder}/app.sql", "w", encoding="utf-8") as file:
        file.write(sql)
    command = [PROGRAM, "execute", "--file", f"{folder}/app.sql"]
    for setting in settings:
        command += ["--set", setting]
    try:
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired as error:
        raise Refused("no end after 120 s") from error
    if done.returncode != 0:
        raise Refused(f"ended with {done.returncode}: {done.stderr.decode()[-1500:]}")
    results = []
    for i in range(len(queries)):
        with open(f"{folder}/o{i}", encoding="utf-8") as file:
            results.append([tuple(json.loads(line, parse_float=decimal.Decimal).values())
                            for line in file.read().split("\n") if line])
    return results


# ---- the others ----

def find_duckdb():
    """The module, or None where it is neither here nor to be had: no test fails for that."""
    site = f"{VENV}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for install in (False, True):
        if install:
            try:
                subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True)
                subprocess.run([f"{VENV}/bin/pip", "install", "--quiet", "--retries", "1", "--timeout",
                                "10", "--only-binary", ":all:", "duckdb"], check=True,
                               capture_output=True, timeout=180)
            except (OSError, subprocess.SubprocessError) as error:
                print(f"DuckDB could not be installed ({error}); what SQLite knows is compared with it")
                return None
        sys.path += [] if site in sys.path else [site]
        importlib.invalidate_caches()
        try:
            return importlib.import_module("duckdb")
        except ImportError:
            pass
    return None


class Duck:
    dialect = DUCKDB

    def __init__(self, module, folder, tables):
        self.error = module.Error
        self.base = module.connect(config={"threads": 1})
        self.base.execute("CREATE TABLE numbers AS SELECT range AS n_ FROM range(64)")
        for table in tables:
            names = {c.name: table.type_of(c, DUCKDB) for c in table.columns}
            path = f"{folder}/{table.name}.peer"
            with open(path, "w", encoding="utf-8") as file:
                for row in table.rows:  # every value as text, so that none goes through a double
                    file.write(json.dumps({c.name: self.text(row[c.name], c.kind)
                                           for c in table.columns}) + "\n")
            columns = ", ".join(f"{n}: 'TEXT'" for n in names)
            casts = ", ".join(f"CAST({n} AS {t}) AS {n}" for n, t in names.items())
            self.base.execute(f"CREATE TABLE {table.name} AS SELECT {casts} FROM read_json('{path}', "
                              f"columns = {{{columns}}}, format = 'newline_delimited')")

    @staticmethod
    def text(value, kind):
        if value is None or kind == "text":
            return value
        return csv_value(value, kind)

    def rows(self, query):
        try:
            return self.base.execute(query).fetchall()
        except self.error as error:
            raise Refused(str(error)[:300]) from error


class Lite:
    dialect = SQLITE

    def __init__(self, tables):
        self.base = sqlite3.connect(":memory:")
        self.base.execute("PRAGMA case_sensitive_like = ON")
        self.base.execute("CREATE TABLE numbers (n_ INTEGER)")
        self.base.executemany("INSERT INTO numbers VALUES (?)", [(i,) for i in range(64)])
        for table in tables:
            columns = ", ".join(f"{c.name} {table.type_of(c, SQLITE)}" for c in table.columns)
            self.base.execute(f"CREATE TABLE {table.name} ({columns})")
            self.base.executemany(
                f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.columns))})",
                [[row[c.name] for c in table.columns] for row in table.rows])

    def rows(self, query):
        try:
            return self.base.execute(query).fetchall()
        except sqlite3.Error as error:
            raise Refused(str(error)) from error


# ---- values ----

def plain(value, kind):
    """A value of any engine, so that equal ones are equal."""
    if value is None:
        return None
    if kind == "ts":
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value.rstrip("Z"))
        if isinstance(value, datetime.datetime):
            return (value - EPOCH) // datetime.timedelta(microseconds=1)
        return value
    if kind == "date":
        return value if isinstance(value, str) else value.isoformat()
    if kind == "bool":
        return bool(value)
    if kind == "array":
        return tuple(value)
    if kind in ("int", "dec", "real", "approx", "total"):
        return decimal.Decimal(value) + 0  # no negative zero
    return value


def near(a, b):
    if a is None or b is None:
        return a is b
    return abs(a - b) <= decimal.Decimal("2e-6") + abs(b) * decimal.Decimal("1e-9")


def sort_key(row, kinds):
    """By the exact columns; approximate ones follow, as far as they can tell rows apart."""
    exact = [(v is None, str(v.normalize()) if isinstance(v, decimal.Decimal) else str(v))
             for v, k in zip(row, kinds) if k != "approx"]
    about = [(v is None, v or 0) for v, k in zip(row, kinds) if k == "approx"]
    return exact, about


def difference(ours, theirs, kinds, order):
    """None if the rows are the same, else a text; order: the columns by which they are sorted."""
    ours, theirs = ([tuple(plain(v, k) for v, k in zip(row, kinds)) for row in rows]
                    for rows in (ours, theirs))
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, not {len(theirs)}"
    for number, (a, b) in enumerate(zip(ours, theirs)):
        if any(a[i] != b[i] for i in order):
            return f"sorted otherwise from row {number} on: {a}, not {b}"
    key = lambda row: sort_key(row, kinds)
    for a, b in zip(sorted(ours, key=key), sorted(theirs, key=key)):
        for i, kind in enumerate(kinds):
            if a[i] != b[i] and not (kind == "approx" and near(a[i], b[i])):
                return f"column {i}: {a[i]!r}, not {b[i]!r}; the row is {a}, not {b}"
    return None
