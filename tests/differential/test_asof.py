#!/usr/bin/env python3
"""ASOF joins of random rows against a model, and the model against DuckDB where that is installed.

Each round makes two streams whose rows arrive out of order, some of them late, and a join with one
of the four comparisons, INNER or LEFT.  The rounds become tests of one file for `ferris-sql test`,
which cuts the input in several ways; what must come out is the model's answer: the late rows are
left out, and each row of the left gets the nearest row of its key, of one time the one that arrived
last.  Where the last row before is wanted, the order must be right too.  The seed is printed; give
it as SEED=n (or as the first argument) to repeat a run.  FERRIS_SQL names the binary.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone

try:
    import duckdb
except ImportError:
    duckdb = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("FERRIS_SQL", str(ROOT / "build/release/ferris-sql"))
ROUNDS = 80
START = datetime(2024, 1, 1, tzinfo=timezone.utc)
OPERATORS = [">=", ">", "<=", "<"]


def as_time(seconds):
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_side(rng, count, keys, span, lateness):
    """Rows (key, time, value) in order of arrival; a few come too late."""
    rows = []
    for number in range(count):
        time = rng.randint(0, span)
        delay = rng.randint(0, lateness) if rng.random() < 0.95 else rng.randint(0, 4 * lateness + 4)
        rows.append((time + delay, rng.choice(keys), time, number))
    rows.sort(key=lambda row: row[0])
    return [(key, time, value) for _, key, time, value in rows]


def in_time(rows, lateness):
    """Those that are not late: not older than the greatest time before them less the lateness."""
    kept = []
    greatest = None
    for row in rows:
        if greatest is None or row[1] >= greatest - lateness:
            kept.append(row)
        greatest = row[1] if greatest is None else max(greatest, row[1])
    return kept


def holds(operator, left, right):
    return {">=": left >= right, ">": left > right, "<=": left <= right, "<": left < right}[operator]


def model(left, right, operator, outer):
    """(left value, right value or None), in order of the left's time and arrival."""
    out = []
    for key, time, value in sorted(left, key=lambda row: row[1]):
        found = None
        for candidate in right:
            if key is None or candidate[0] != key or not holds(operator, time, candidate[1]):
                continue
            if found is None or abs(time - candidate[1]) <= abs(time - found[1]):
                found = candidate
        if found is not None or outer:
            out.append((value, None if found is None else found[2]))
    return out


def by_duckdb(connection, left, right, operator, outer):
    """DuckDB chooses any row of equal ones: it is given the last."""
    last = {(key, time): (key, time, value) for key, time, value in right}
    connection.execute("CREATE OR REPLACE TABLE l (k TEXT, t BIGINT, v INTEGER)")
    connection.execute("CREATE OR REPLACE TABLE r (k TEXT, t BIGINT, v INTEGER)")
    for name, rows in (("l", left), ("r", list(last.values()))):
        if rows:
            connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
    query = (f"SELECT l.v, r.v FROM l ASOF {'LEFT ' if outer else ''}JOIN r "
             f"ON l.k = r.k AND l.t {operator} r.t")
    return sorted(connection.execute(query).fetchall(), key=str)


def write_side(out, name, rows, bigint):
    out.append(f"input {name}")
    for key, time, value in rows:
        out.append(json.dumps({"k": key, "t": time if bigint else as_time(time), "v": value}))
    out.append("")


def make_round(rng, number, connection):
    keys = [None] + [f"key {i} which is long" if i % 2 else f"k{i}" for i in range(rng.randint(1, 6))]
    span = rng.choice([5, 50, 500])
    lateness = rng.choice([0, 1, 5, 40])
    operator = rng.choice(OPERATORS)
    outer = rng.random() < 0.5
    bigint = rng.random() < 0.5
    left = make_side(rng, rng.choice([0, 3, 40, 90]), keys, span, lateness)
    right = make_side(rng, rng.choice([0, 3, 40, 90]), keys, span, lateness)
    left_kept, right_kept = in_time(left, lateness), in_time(right, lateness)
    expected = model(left_kept, right_kept, operator, outer)
    if connection is not None:
        theirs = by_duckdb(connection, left_kept, right_kept, operator, outer)
        if sorted(expected, key=str) != theirs:
            print(f"not ok round {number}: the model and DuckDB differ: {operator}")
            return None
    kind = "BIGINT" if bigint else "TIMESTAMP"
    delay = f"t - {lateness}" if bigint else f"t - INTERVAL '{lateness}' SECOND"
    columns = f"(k STRING, t {kind}, v INTEGER, WATERMARK FOR t AS {delay})"
    out = [f"test round {number}", "sql", f"CREATE STREAM l {columns};", f"CREATE STREAM r {columns};",
           f"SELECT l.v AS a, r.v AS b FROM l ASOF {'LEFT ' if outer else ''}JOIN r "
           f"ON l.k = r.k AND l.t {operator} r.t;", ""]
    write_side(out, "l", left, bigint)
    write_side(out, "r", right, bigint)
    out.append("rows" if operator in (">=", ">") else "rows unordered")
    for a, b in expected:
        out.append(json.dumps({"a": a, "b": b}, separators=(",", ":")))
    late = len(left) - len(left_kept) + len(right) - len(right_kept)
    out += ["", f"counters in={len(left) + len(right)} out={len(expected)} late={late}", ""]
    return "\n".join(out)


def main():
    seed = os.environ.get("SEED") or (sys.argv[1] if len(sys.argv) > 1 else random.randrange(1 << 32))
    rng = random.Random(int(seed))
    connection = duckdb.connect() if duckdb is not None else None
    print(f"seed {seed}{'' if connection is None else ', with DuckDB'}")
    rounds = [make_round(rng, number, connection) for number in range(ROUNDS)]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "asof.test")
        path.write_text("\n".join(text for text in rounds if text is not None))
        run = subprocess.run([BINARY, "test", str(path)], capture_output=True, text=True, timeout=120)
    passed = sum(line.startswith("ok ") for line in run.stdout.splitlines())
    failed = ROUNDS - passed
    if failed > 0 or run.returncode != 0:
        print(run.stdout[-4000:], run.stderr[-2000:])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed > 0 else 0


sys.exit(main())
