#!/usr/bin/env python3
"""tests/differential/test_aggregates.py -- groups of random rows against SQLite and Python.

    python3 tests/differential/test_aggregates.py [SEED [CASES]]

FERRIS_SQL is the program; by default that of build/release.  No network.  Each case draws rows,
keys and aggregates with DISTINCT and FILTER, runs them once over the rows and once over the rows in
another order, from JSON and from CSV, and compares with SQLite (counts, sums of whole numbers,
extremes) and with fractions (decimals, means, variances, medians).  The orders must agree in every
digit.  EMIT CHANGES must end each group with what EMIT FINAL gives.
"""
import decimal
import fractions
import json
import math
import os
import random
import sqlite3
import subprocess
import sys

from cases import same
import cases

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))
COLUMNS = ["id", "k", "g", "v", "d", "s"]
DECLARED = "id BIGINT, k STRING, g INTEGER, v BIGINT, d DECIMAL(18, 4), s STRING"
KEYS = [("k", "k"), ("g", "g"), ("k || '!'", "k || '!'"), ("g % 2", "g % 2"),
        ("CASE WHEN v > 0 THEN 'up' ELSE 'down' END", "CASE WHEN v > 0 THEN 'up' ELSE 'down' END"),
        ("COALESCE(k, '')", "COALESCE(k, '')")]
FILTERS = ["v > 0", "k = 'a'", "d IS NOT NULL", "g IN (1, 2) OR v < -3", "s > 'm'"]
# Of these SQLite says the same: whole numbers and texts.
EXACT = ["COUNT(*)", "COUNT(v)", "COUNT(k)", "SUM(v)", "MIN(v)", "MAX(v)", "MIN(s)", "MAX(s)",
         "COUNT(DISTINCT v)", "COUNT(DISTINCT s)", "SUM(DISTINCT v)", "MIN(g)", "MAX(id)",
         "SUM(v * 2 + g)", "COUNT(DISTINCT g)"]
EXPECTED = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_UP)


def half_up(value, places):
    scaled = abs(value) * 10 ** places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return decimal.Decimal(-whole if value < 0 else whole).scaleb(-places, EXPECTED)


def mean(values):
    return half_up(fractions.Fraction(sum(map(fractions.Fraction, values))) / len(values), 6)


def variance(values, less):
    if len(values) <= less:
        return None
    exact = [fractions.Fraction(v) for v in values]
    middle = sum(exact) / len(exact)
    return sum((v - middle) ** 2 for v in exact) / (len(exact) - less)


def root(value, places):
    """The square root of a fraction, rounded half up: exact by whole numbers."""
    scaled = value * 4 * 100 ** places
    doubled = math.isqrt(scaled.numerator // scaled.denominator)  # floor of twice the root
    return decimal.Decimal((doubled + 1) // 2).scaleb(-places, EXPECTED)


def median(values):
    ordered = sorted(map(fractions.Fraction, values))
    half = len(ordered) // 2
    middle = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    return half_up(middle, 6)


# What Python computes of a group's values that are not NULL.
OF_VALUES = {
    "SUM": lambda values: sum(values) if values else None,
    "AVG": lambda values: mean(values) if values else None,
    "VAR_POP": lambda values: half_up(variance(values, 0), 6) if values else None,
    "VARIANCE": lambda values: half_up(variance(values, 1), 6) if len(values) > 1 else None,
    "STDDEV_POP": lambda values: root(variance(values, 0), 6) if values else None,
    "STDDEV": lambda values: root(variance(values, 1), 6) if len(values) > 1 else None,
    "MEDIAN": lambda values: median(values) if values else None,
    "DELTA": lambda values: max(values) - min(values) if values else None,
}


def draw_rows(rng):
    wide = rng.choice([5, 1000, 10 ** 12])
    texts = ["", "a", "b", "zz", "Zürich", "a text of more than twelve bytes", "b" * 40]
    rows = []
    for i in range(rng.choice([0, 1, 7, 200, 2500])):
        rows.append((i, rng.choice(["a", "b", "c", None, "a longer key than the others"]),
                     rng.choice([None, 1, 2, 3]), rng.choice([None, rng.randint(-wide, wide)]),
                     rng.choice([None, decimal.Decimal(rng.randint(-10 ** 9, 10 ** 9)).scaleb(-4)]),
                     rng.choice(texts + [None])))
    return rows


def write(rows, path, form):
    with open(path, "w", encoding="utf-8", newline="") as file:
        if form == "csv":
            file.write(",".join(COLUMNS) + "\n")
            for row in rows:  # an empty text is quoted; NULL is empty
                file.write(",".join("" if v is None else '"' + v + '"' if isinstance(v, str) else
                                    str(v) for v in row) + "\n")
            return
        for row in rows:
            file.write("{" + ",".join(f'"{c}":' + ("null" if v is None else str(v)
                                                   if isinstance(v, decimal.Decimal) else
                                                   json.dumps(v))
                                      for c, v in zip(COLUMNS, row)) + "}\n")


def run(folder, rows, form, query):
    write(rows, f"{folder}/in", form)
    sql = (f"CREATE STREAM t ({DECLARED}) WITH ('connector' = 'file', 'path' = '{folder}/in', "
           f"'format' = '{form}');\n{query};\n")
    done = subprocess.run([PROGRAM, "execute", "--query", sql, "--output", "json"],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{sql}\nended with {done.returncode}: {done.stderr}")
    return [tuple(json.loads(line, parse_float=decimal.Decimal).values())
            for line in done.stdout.split("\n") if line]


def sqlite_rows(rows, query):
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE t (id, k, g, v, d, s)")
    base.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)",
                     [tuple(str(x) if isinstance(x, decimal.Decimal) else x for x in row)
                      for row in rows])
    return base.execute(query).fetchall()


def filtered(rng, call):
    return f"{call} FILTER (WHERE {rng.choice(FILTERS)})" if rng.random() < 0.4 else call


def shuffled(rng, rows):
    rows = list(rows)
    rng.shuffle(rows)
    return rows


def sqlite_case(rng, folder):
    rows = draw_rows(rng)
    keys = rng.sample(KEYS, rng.randint(0, 2))
    calls = [filtered(rng, call) for call in rng.sample(EXACT, rng.randint(1, 6))]
    items = [f"{k} AS k{i}" for i, (k, _) in enumerate(keys)]
    items += [f"{call} AS a{i}" for i, call in enumerate(calls)]
    where = rng.choice(["", f" WHERE {rng.choice(FILTERS)}"])
    having = rng.choice(["", "", f" HAVING COUNT(*) > {rng.randint(0, 50)}"])
    forms = [[k for k, _ in keys], [str(i + 1) for i in range(len(keys))],
             [f"k{i}" for i in range(len(keys))]]
    group = " GROUP BY " + ", ".join(rng.choice(forms)) if keys else ""
    query = f"SELECT {', '.join(items)} FROM t{where}{group}{having}"
    wanted = sqlite_rows(rows, query)
    same(run(folder, rows, "json", query + " EMIT FINAL"), wanted, query)
    same(run(folder, shuffled(rng, rows), "csv", query + " EMIT FINAL"), wanted,
         "in another order, as CSV: " + query)
    if not having:  # the last result of each group
        last = {row[:len(keys)]: row for row in run(folder, rows, "json", query + " EMIT CHANGES")}
        final = wanted if keys or last else []
        same(list(last.values()), final, "EMIT CHANGES: " + query)


def python_case(rng, folder):
    rows = draw_rows(rng)
    calls = [(name, rng.choice(["v", "d"]), rng.random() < 0.2 and name in ("SUM", "AVG"))
             for name in rng.sample(sorted(OF_VALUES), rng.randint(2, 6))]
    sets = rng.choice([("k", [("k",)]), ("k, g", [("k", "g")]),
                       ("CUBE (k, g)", [("k", "g"), ("k",), ("g",), ()]),
                       ("ROLLUP (k, g)", [("k", "g"), ("k",), ()]),
                       ("GROUPING SETS ((g), (k), ())", [("g",), ("k",), ()])])
    shown = [c for c in ("k", "g") if c in sets[0]]
    items = shown + [f"{n}({'DISTINCT ' if d else ''}{c}) AS a{i}"
                     for i, (n, c, d) in enumerate(calls)]
    query = f"SELECT {', '.join(items)} FROM t GROUP BY {sets[0]} EMIT FINAL"
    wanted = []
    for columns in sets[1]:
        groups = {(): []} if not columns else {}
        for row in rows:
            named = dict(zip(COLUMNS, row))
            groups.setdefault(tuple(named[c] for c in columns), []).append(named)
        for key, group in groups.items():
            named = dict(zip(columns, key))
            results = []
            for name, column, distinct in calls:
                values = [r[column] for r in group if r[column] is not None]
                results.append(OF_VALUES[name](list(set(values)) if distinct else values))
            wanted.append((*[named.get(c) for c in shown], *results))
    same(run(folder, rows, "csv", query), wanted, query)
    same(run(folder, shuffled(rng, rows), "json", query), wanted, "in another order: " + query)


def case(rng, folder, number):
    with decimal.localcontext(EXPECTED):
        (sqlite_case if number % 2 else python_case)(rng, folder)


if __name__ == "__main__":
    sys.exit(cases.count(case, 100))
