#!/usr/bin/env python3
"""tests/differential/test_subqueries.py -- subqueries in random expressions against SQLite.

    python3 tests/differential/test_subqueries.py [SEED [CASES]]

FERRIS_SQL is the program; by default that of build/release.  No network.  Each case draws two small
tables with many NULLs, one of them sometimes empty, and a query whose select list, WHERE, HAVING
and CASE hold IN, EXISTS and scalar subqueries, tied to the outer row or not, nested in AND, OR and
NOT.  ANY and ALL, which SQLite does not have, are computed here, by SQL's definition.
"""
import json
import os
import random
import sqlite3
import subprocess
import sys

from cases import same
import cases

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))
OUTER = ["id", "a", "b", "s"]
INNER = ["k", "v", "w", "n"]
ALIKE = {"a": ["v", "w", "k"], "b": ["v", "k", "w"], "s": ["n"]}  # columns of one type
OPS = {"=": lambda x, y: x == y, "<>": lambda x, y: x != y, "<": lambda x, y: x < y,
       "<=": lambda x, y: x <= y, ">": lambda x, y: x > y, ">=": lambda x, y: x >= y}


def draw(rng, kind, null):
    if rng.random() < null:
        return None
    return rng.choice(["x", "y", "z", "a longer text than twelve"]) if kind == "s" else \
        rng.randint(-2, 5)


def draw_tables(rng):
    null = rng.choice([0, 0.1, 0.4])
    o = [(i, draw(rng, "a", null), draw(rng, "b", null), draw(rng, "s", null))
         for i in range(rng.choice([1, 6, 30]))]
    t = [tuple(draw(rng, "s" if c == "n" else "v", null) for c in INNER)
         for _ in range(rng.choice([0, 1, 3, 12, 40]))]
    return o, t


def inner_condition(rng, depth):
    simple = ["v > 0", "w IS NOT NULL", "n = 'x'", "v < w", "k IN (1, 2, 3)", "(n <> 'y' OR v = 2)"]
    if depth > 0 and rng.random() < 0.25:
        return rng.choice(["v IN (SELECT w FROM t AS u WHERE u.k = t.k)",
                           "EXISTS (SELECT 1 FROM t AS u WHERE u.k = t.v AND u.n = 'x')",
                           "v = (SELECT MAX(u.v) FROM t AS u WHERE u.n = t.n)",
                           "k NOT IN (SELECT v FROM t AS u WHERE v IS NOT NULL)"])
    return rng.choice(simple)


def where(rng, tied, depth=1):
    parts = []
    if tied:
        parts.append(rng.choice(["t.k = o.a", "o.b = t.v", "t.n = o.s", "t.k + 1 = o.a - 1",
                                 "t.k = o.a AND o.s = t.n", "t.k = o.a AND o.b > 0",
                                 "o.s = 'x'"]))
    if rng.random() < 0.6:
        parts.append(inner_condition(rng, depth))
    rng.shuffle(parts)
    return " WHERE " + " AND ".join(parts) if parts else ""


def scalar(rng):
    tied = rng.random() < 0.7
    call = rng.choice(["MAX(v)", "MIN(w)", "COUNT(*)", "COUNT(v)", "SUM(v)", "COUNT(*) + 1",
                       "COALESCE(SUM(w), -7)", "MAX(v) - MIN(v)", "COUNT(DISTINCT w)"])
    having = rng.choice(["", "", "", " HAVING COUNT(*) > 2", " HAVING COUNT(*) < 1"])
    if rng.random() < 0.15:
        order = "v NULLS LAST, w NULLS LAST, k NULLS LAST"
        return f"(SELECT v FROM t{where(rng, tied)} ORDER BY {order} LIMIT 1)"
    return f"(SELECT {call} FROM t{where(rng, tied)}{having})"


def predicate(rng, depth=2):
    kind = rng.random()
    if depth > 0 and kind < 0.3:
        joint = rng.choice([" AND ", " OR "])
        return "(" + joint.join(predicate(rng, depth - 1) for _ in range(2)) + ")"
    if depth > 0 and kind < 0.38:
        return f"NOT ({predicate(rng, depth - 1)})"
    if kind < 0.5:
        return rng.choice(["o.a > 1", "o.b IS NULL", "o.s = 'x'", "o.id % 2 = 0"])
    tied = rng.random() < 0.5
    no = rng.choice(["", "NOT "])
    if kind < 0.6:
        return f"{no}EXISTS (SELECT {rng.choice(['*', '1', 'v'])} FROM t{where(rng, tied)})"
    if kind < 0.7:
        return f"{scalar(rng)} {rng.choice(sorted(OPS))} o.{rng.choice('ab')}"
    if kind < 0.8:
        pair, inner = rng.choice([("o.a, o.b", "v, w"), ("o.b, o.s", "k, n"),
                                  ("o.a, o.b, o.s", "k, v, n")])
        return f"({pair}) {no}IN (SELECT {inner} FROM t{where(rng, tied)})"
    left = rng.choice(sorted(ALIKE))
    item = rng.choice(ALIKE[left])
    group = ""
    if rng.random() < 0.2 and left != "s":
        item, group = f"MAX({item})", rng.choice([" GROUP BY n", "", " GROUP BY w"])
    return f"o.{left} {no}IN (SELECT {item} FROM t{where(rng, tied)}{group})"


def query_of(rng):
    if rng.random() < 0.2:
        having = rng.choice([f"COUNT(*) > {scalar_free(rng)}", f"MAX(o.b) {in_free(rng)}",
                             f"o.s {rng.choice(['', 'NOT '])}IN (SELECT n FROM t"
                             f"{where(rng, False)})",
                             "COUNT(*) >= (SELECT COUNT(*) FROM t WHERE t.n = o.s)"])
        return (f"SELECT o.s, COUNT(*) AS c, SUM(CASE WHEN o.a {in_free(rng)} THEN 1 ELSE 0 END) "
                f"AS d, {rng.choice(['MAX(o.a) ' + in_free(rng), scalar_free(rng)])} AS e FROM o "
                f"WHERE {predicate(rng)} GROUP BY o.s HAVING {having}")
    items = [f"{rng.choice([scalar, predicate])(rng)} AS x{i}" for i in range(rng.randint(0, 2))]
    if rng.random() < 0.3:
        items.append(f"CASE WHEN {predicate(rng)} THEN {scalar(rng)} ELSE o.a END AS y")
    clause = f" WHERE {predicate(rng)}" if rng.random() < 0.7 else ""
    return f"SELECT {', '.join(['o.id', *items])} FROM o{clause}"


def scalar_free(rng):
    return f"(SELECT {rng.choice(['MAX(v)', 'COUNT(*)', 'MIN(w)'])} FROM t{where(rng, False)})"


def in_free(rng):
    return f"{rng.choice(['', 'NOT '])}IN (SELECT {rng.choice('vwk')} FROM t{where(rng, False)})"


def run(folder, o, t, query):
    for name, columns, rows in (("o", OUTER, o), ("t", INNER, t)):
        with open(f"{folder}/{name}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(dict(zip(columns, row))) + "\n" for row in rows)
    sql = (f"CREATE STREAM o (id BIGINT, a INTEGER, b BIGINT, s STRING) WITH ('connector' = 'file',"
           f" 'path' = '{folder}/o.jsonl');\n"
           f"CREATE TABLE t (k INTEGER, v INTEGER, w BIGINT, n STRING) WITH ('connector' = 'file',"
           f" 'path' = '{folder}/t.jsonl');\n{query} EMIT FINAL;\n")
    done = subprocess.run([PROGRAM, "execute", "--query", sql, "--output", "json"],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{sql}\nended with {done.returncode}: {done.stderr}")
    return [tuple(int(x) if isinstance(x, bool) else x for x in json.loads(line).values())
            for line in done.stdout.split("\n") if line]


def sqlite_rows(o, t, query):
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE o (id, a, b, s)")
    base.execute("CREATE TABLE t (k, v, w, n)")
    base.executemany("INSERT INTO o VALUES (?, ?, ?, ?)", o)
    base.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", t)
    return base.execute(query).fetchall()


def three_valued(op, x, values, every):
    """x op ANY or ALL (values): OR or AND over the comparisons."""
    answers = [None if x is None or y is None else OPS[op](x, y) for y in values]
    if (not every) in answers:
        return int(not every)
    return None if None in answers else int(every)


def quantified_case(rng, folder):
    o, t = draw_tables(rng)
    left = rng.choice(sorted(ALIKE))
    item = rng.choice(ALIKE[left])
    tied = rng.random() < 0.5
    words, wanted = [], [[row[0]] for row in o]
    for op in OPS:
        for word in ("ANY", rng.choice(["ALL", "SOME"])):
            inner = f"SELECT {item} FROM t" + (" WHERE t.k = o.b" if tied else "")
            words.append(f"o.{left} {op} {word} ({inner}) AS q{len(words)}")
            for row, line in zip(o, wanted):
                values = [u[INNER.index(item)] for u in t
                          if not tied or (row[2] is not None and u[0] == row[2])]
                line.append(three_valued(op, row[OUTER.index(left)], values, word == "ALL"))
    query = f"SELECT o.id, {', '.join(words)} FROM o"
    same(run(folder, o, t, query), [tuple(line) for line in wanted], f"{query}\n{o}\n{t}")


def sqlite_case(rng, folder):
    o, t = draw_tables(rng)
    query = query_of(rng)
    same(run(folder, o, t, query), sqlite_rows(o, t, query), f"{query}\n{o}\n{t}")


def case(rng, folder, number):
    (sqlite_case if number % 6 else quantified_case)(rng, folder)


if __name__ == "__main__":
    sys.exit(cases.count(case, 300))
