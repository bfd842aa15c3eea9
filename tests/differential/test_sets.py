#!/usr/bin/env python3
"""tests/differential/test_sets.py -- random INTERSECT, EXCEPT and UNION against SQLite and a model.

    python3 tests/differential/test_sets.py [SEED [CASES]]

FERRIS_SQL is the program; by default that of build/release.  No network.  Each case draws three
small tables with many equal rows and NULLs, and a dozen trees of set operations over filtered
selects, as statements of one application.  Where a tree has no ALL but UNION ALL, SQLite computes
it too; the model computes all of them, with a Counter for a table.
"""
import collections
import json
import os
import random
import sqlite3
import subprocess
import sys

import cases

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))
TABLES = {"t": ("INTEGER", "STRING"), "u": ("BIGINT", "STRING"), "w": ("INTEGER", "STRING")}
FILTERS = {"": lambda v, s: True, "v > 0": lambda v, s: v is not None and v > 0,
           "s IS NOT NULL": lambda v, s: s is not None, "s = 'x'": lambda v, s: s == "x",
           "v IS NULL": lambda v, s: v is None, "v < -9": lambda v, s: v is not None and v < -9}
OPS = {"UNION": lambda a, b: once(a + b), "UNION ALL": lambda a, b: a + b,
       "INTERSECT": lambda a, b: once(a & b), "INTERSECT ALL": lambda a, b: a & b,
       "EXCEPT": lambda a, b: once(a) - once(b), "EXCEPT ALL": lambda a, b: a - b}


def once(rows):
    return collections.Counter(set(rows))


def draw_tables(rng):
    null = rng.choice([0, 0.1, 0.4])
    texts = ["x", "y", "a longer text than twelve"]
    return {name: [(None if rng.random() < null else rng.randint(-2, 2),
                    None if rng.random() < null else rng.choice(texts))
                   for _ in range(rng.choice([0, 1, 4, 20, 60]))] for name in TABLES}


def tree_of(rng, tables, depth):
    """A select as text, and its rows."""
    if depth == 0 or rng.random() < 0.15:
        name, condition = rng.choice(sorted(TABLES)), rng.choice(sorted(FILTERS))
        items, take = rng.choice([("v, s", lambda v, s: (v, s)),
                                  ("v, 'x' AS s", lambda v, s: (v, "x")),
                                  ("1 AS v, s", lambda v, s: (1, s))])
        rows = collections.Counter(take(*row) for row in tables[name] if FILTERS[condition](*row))
        return f"SELECT {items} FROM {name}" + (f" WHERE {condition}" if condition else ""), rows
    left, a = tree_of(rng, tables, depth - 1)
    right, b = tree_of(rng, tables, depth - 1)
    op = rng.choice(sorted(OPS))
    rows = OPS[op](a, b)
    condition = rng.choice(sorted(FILTERS)) if rng.random() < 0.3 else ""
    text = f"SELECT * FROM ({left}) AS l {op} SELECT * FROM ({right}) AS r"
    if condition:
        kept = collections.Counter({row: n for row, n in rows.items() if FILTERS[condition](*row)})
        return f"SELECT * FROM ({text}) AS f WHERE {condition}", kept
    return text, rows


def ferris(folder, tables, queries):
    sql = ""
    for name, (v, s) in TABLES.items():
        with open(f"{folder}/{name}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(dict(zip("vs", row))) + "\n" for row in tables[name])
        sql += (f"CREATE STREAM {name} (v {v}, s {s}) WITH ('connector' = 'file', "
                f"'path' = '{folder}/{name}.jsonl');\n")
    for i, query in enumerate(queries):
        sql += (f"CREATE STREAM o{i} AS {query} WITH ('connector' = 'file', "
                f"'path' = '{folder}/o{i}', 'format' = 'json');\n")
    done = subprocess.run([PROGRAM, "execute", "--query", sql], capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{sql}\nended with {done.returncode}: {done.stderr}")
    results = []
    for i in range(len(queries)):
        with open(f"{folder}/o{i}", encoding="utf-8") as file:
            results.append(collections.Counter(tuple(json.loads(line).values()) for line in file))
    return results


def sqlite_rows(base, query):
    return collections.Counter(base.execute(query).fetchall())


def run_case(rng, folder, _):
    tables = draw_tables(rng)
    drawn = [tree_of(rng, tables, rng.choice([1, 1, 2, 3])) for _ in range(12)]
    base = sqlite3.connect(":memory:")
    for name in TABLES:
        base.execute(f"CREATE TABLE {name} (v, s)")
        base.executemany(f"INSERT INTO {name} VALUES (?, ?)", tables[name])
    got = ferris(folder, tables, [query for query, _ in drawn])
    for (query, wanted), rows in zip(drawn, got):
        for who, others in (("the model", wanted), *(
                [("SQLite", sqlite_rows(base, query))]
                if "INTERSECT ALL" not in query and "EXCEPT ALL" not in query else [])):
            if rows != others:
                raise AssertionError(f"{query}\n{tables}\n{who} has besides "
                                     f"{dict(others - rows)}, we {dict(rows - others)}")


if __name__ == "__main__":
    sys.exit(cases.count(run_case, 40))
