#!/usr/bin/env python3
"""The same window functions on SQLite and on ferris-sql, over generated rows.

Random calls with random PARTITION BY, ORDER BY and frames; every value of every row is compared.
Functions that depend on the order of peers (ROW_NUMBER, LAG, ROWS frames, ...) are given an order
without ties, or event time, whose ties keep their order of arrival here and are broken by the row's
number there.  The seed is printed; give it as SEED=n (or as the first argument) to repeat a run.
FERRIS_SQL names the binary.
"""
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("FERRIS_SQL", str(ROOT / "build/release/ferris-sql"))
ROUNDS = 40
CALLS = 12
START = 1_700_000_000_000

passed = 0
failed = 0


def check(same, what):
    global passed, failed
    if same:
        passed += 1
        return
    failed += 1
    if failed <= 10:
        print("not ok", what)


def make_rows(rng, count):
    keys = [None] + [f"key {i} which is long" if i % 2 else f"k{i}" for i in range(rng.randint(1, 8))]
    rows = []
    time = START
    for number in range(count):
        time += rng.choice([0, 0, 1, 5, 300])
        rows.append({
            "id": number,
            "k": rng.choice(keys),
            "g": rng.randint(0, 2),
            "v": rng.choice([None] + list(range(-20, 60))),
            "w": rng.randint(0, 6) if rng.random() < 0.9 else None,
            "s": rng.choice([None, "", "a", "b", "a longer text than that", "c"]),
            "ts": time + rng.randint(-400, 400),
        })
    return rows


class Maker:
    """A call for both engines: (ferris, sqlite)."""

    def __init__(self, rng, in_time):
        self.rng = rng
        self.in_time = in_time

    def partition(self):
        return self.rng.choice(["", "PARTITION BY k ", "PARTITION BY g ", "PARTITION BY k, g ",
                                "PARTITION BY g + 1 "])

    def order(self, total):
        """ORDER BY with ties or without."""
        r = self.rng
        if self.in_time:
            return "ORDER BY ts", "ORDER BY ts, id" if total else "ORDER BY ts"
        terms = []
        for column in r.sample(["v", "w", "s", "ts"], r.randint(1, 2)):
            terms.append(f"{column}{r.choice(['', ' DESC'])} NULLS {r.choice(['FIRST', 'LAST'])}")
        if total:
            terms.append("id" + r.choice(["", " DESC"]))
        text = "ORDER BY " + ", ".join(terms)
        return text, text

    def bounds(self, offset):
        """A frame that does not end before it starts."""
        r = self.rng
        places = [("UNBOUNDED PRECEDING", None), ("PRECEDING", -1), ("CURRENT ROW", 0),
                  ("FOLLOWING", 1), ("UNBOUNDED FOLLOWING", None)]
        a = r.randint(0, 3)
        b = r.randint(max(a, 1), 4)
        if a == b == 2 or (a, b) == (0, 4):
            a, b = 0, 2
        x, y = sorted([offset(), offset()])
        first = places[a][0] if places[a][1] in (None, 0) else f"{y if a == 1 else x} {places[a][0]}"
        last = places[b][0] if places[b][1] in (None, 0) else f"{x if b == 1 else y} {places[b][0]}"
        return f"BETWEEN {first} AND {last}"

    def function(self):
        r = self.rng
        column = r.choice(["v", "w", "id", "s"])
        number = r.choice(["v", "w", "id"])
        return r.choice([
            f"SUM({number})", f"COUNT({column})", "COUNT(*)", f"MIN({column})", f"MAX({column})",
            f"AVG({number})", f"FIRST_VALUE({column})", f"LAST_VALUE({column})",
            f"NTH_VALUE({column}, {r.randint(1, 4)})",
            f"SUM({number}) FILTER (WHERE g <> 1)", f"COUNT(*) FILTER (WHERE w > 2)",
        ])

    def call(self):
        r = self.rng
        partition = self.partition()
        kind = r.randrange(11)
        if kind == 10:
            return self.of_values(partition)
        if kind < 3:  # depends on the order of peers
            column = r.choice(["v", "s", "id"])
            name = r.choice([
                "ROW_NUMBER()", f"NTILE({r.randint(1, 9)})",
                f"LAG({column})", f"LAG({column}, {r.randint(0, 5)})", "LAG(v, 2, id)",
                f"LEAD({column})", f"LEAD({column}, {r.randint(0, 5)})", "LEAD(v, 3, -1)",
            ])
            ours, theirs = self.order(True)
            return f"{name} OVER ({partition}{ours})", f"{name} OVER ({partition}{theirs})"
        if kind < 5:  # peers have one result
            name = r.choice(["RANK()", "DENSE_RANK()", "PERCENT_RANK()", "CUME_DIST()",
                             f"SUM({r.choice('vw')})", "COUNT(*)", "MAX(s)"])
            ours, theirs = self.order(False)
            return f"{name} OVER ({partition}{ours})", f"{name} OVER ({partition}{theirs})"
        name = self.function()
        reach = r.choice([6, 6, 150])  # also beyond what is computed anew for each row
        if kind < 8:
            ours, theirs = self.order(True)
            frame = " ROWS " + self.bounds(lambda: r.randint(0, reach))
        elif kind == 8:
            name = self.no_order(name)
            ours, theirs = self.order(False)
            if self.in_time:
                theirs = ours
            frame = " GROUPS " + self.bounds(lambda: r.randint(0, reach // 2))
        else:
            name = self.no_order(name)
            if self.in_time:
                ours = theirs = "ORDER BY ts"
                frame = " RANGE " + self.bounds(lambda: r.randint(0, 80 * reach))
                return (f"{name} OVER ({partition}{ours}{in_millis(frame)})",
                        f"{name} OVER ({partition}{theirs}{frame})")
            column = r.choice(["v", "w"])
            ours = theirs = (f"ORDER BY {column}{r.choice(['', ' DESC'])} "
                             f"NULLS {r.choice(['FIRST', 'LAST'])}")
            frame = " RANGE " + self.bounds(lambda: r.randint(0, 10))
        return f"{name} OVER ({partition}{ours}{frame})", f"{name} OVER ({partition}{theirs}{frame})"

    def of_values(self, partition):
        """IGNORE NULLS; in SQLite the values of the frame as an array."""
        r = self.rng
        column = r.choice(["v", "w", "s"])
        n = r.randint(1, 3)
        ours, theirs = self.order(True)
        frame = " ROWS " + self.bounds(lambda: r.randint(0, 6))
        name, their_frame, place = r.choice([
            (f"LAG({column}, {n})", " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING", f"#-{n}"),
            (f"LEAD({column}, {n})", " ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING", n - 1),
            (f"FIRST_VALUE({column})", frame, 0),
            (f"LAST_VALUE({column})", frame, "#-1"),
            (f"NTH_VALUE({column}, {n})", frame, n - 1),
        ])
        our_frame = frame if their_frame == frame else ""
        array = (f"json_group_array({column}) FILTER (WHERE {column} IS NOT NULL) "
                 f"OVER ({partition}{theirs}{their_frame})")
        return (f"{name} IGNORE NULLS OVER ({partition}{ours}{our_frame})",
                f"json_extract({array}, '$[{place}]')")

    def no_order(self, name):
        """Among peers the first and last value is anyone's."""
        return "SUM(v)" if "_VALUE" in name else name


def in_millis(frame):
    words = frame.split(" ")
    return " ".join(f"INTERVAL '{word}' MILLISECOND" if word.isdigit() else word for word in words)


def same(a, b):
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-6 * max(1, abs(a), abs(b))
    return a == b


def sqlite_rows(rows, calls):
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (id INTEGER, k TEXT, g INTEGER, v INTEGER, w INTEGER, s TEXT, ts INTEGER)")
    db.executemany("INSERT INTO t VALUES (:id, :k, :g, :v, :w, :s, :ts)", rows)
    found = {}
    for row in db.execute("SELECT id, " + ", ".join(call[1] for call in calls) + " FROM t"):
        found[row[0]] = row[1:]
    return found


def ferris_rows(rows, calls, in_time, folder):
    data = folder / "t.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    watermark = ", WATERMARK FOR ts AS ts - INTERVAL '2' SECOND" if in_time else ""
    script = folder / "q.sql"
    script.write_text(
        "CREATE STREAM t (id INTEGER, k STRING, g INTEGER, v INTEGER, w INTEGER, s STRING, ts TIMESTAMP"
        + watermark + f") WITH ('connector' = 'file', 'path' = '{data}', 'format' = 'json');\n"
        + "SELECT id" + "".join(f",\n\t{call[0]} AS c{i}" for i, call in enumerate(calls)) + " FROM t;\n")
    run = subprocess.run([BINARY, "execute", "--file", str(script), "--output", "json"],
                         capture_output=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"exit {run.returncode}: {run.stderr.decode()}\n{script.read_text()}")
    found = {}
    for line in run.stdout.decode().splitlines():
        row = json.loads(line)
        found[row["id"]] = tuple(row[f"c{i}"] for i in range(len(calls)))
    return found


def compare_quiet(rng, folder):
    """Many partitions that are quiet for long: what they keep is moved together."""
    rows = []
    for number in range(150_000):
        rare = rng.random() < 0.01
        rows.append({"id": number, "k": f"rare key {rng.randrange(900)}" if rare else "busy",
                     "g": 0, "v": rng.randint(-9, 9), "w": 0, "s": f"text {number} of some length",
                     "ts": START + number})
    calls = [(f"{name} OVER (PARTITION BY k ORDER BY ts{frame})",) * 2 for name, frame in [
        ("LAG(s, 2)", ""), ("SUM(v)", " ROWS 3 PRECEDING"), ("FIRST_VALUE(s)", "")]]
    theirs = sqlite_rows(rows, calls)
    ours = ferris_rows(rows, calls, True, folder)
    for i, call in enumerate(calls):
        check(all(ours.get(n, [None] * 9)[i] == theirs[n][i] for n in theirs), f"quiet partitions: {call[0]}")


def compare_expired(rng, folder):
    """EXPIRE AFTER, against a few lines of Python."""
    rows = []
    expected = {}
    last = {}
    for number in range(30_000):
        key = f"key {number // 3}" if rng.random() < 0.9 else f"again {rng.randrange(40)}"
        time = START + number * 10
        count, seen = last.get(key, (0, time))
        count = 1 if time - seen > 1000 else count + 1
        last[key] = (count, time)
        expected[number] = (count,)
        rows.append({"id": number, "k": key, "g": 0, "v": 0, "w": 0, "s": "", "ts": time})
    call = "ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts EXPIRE AFTER INTERVAL '1' SECOND INACTIVITY)"
    check(ferris_rows(rows, [(call,)], True, folder) == expected, "EXPIRE AFTER")


def main():
    seed = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SEED", random.randrange(10**9)))
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as temp:
        for round_number in range(ROUNDS):
            in_time = round_number % 2 == 1
            rows = make_rows(rng, rng.choice([0, 1, 7, 60, 400, 5000 if round_number < 4 else 200]))
            maker = Maker(rng, in_time)
            calls = [maker.call() for _ in range(CALLS if len(rows) < 1000 else 4)]
            theirs = sqlite_rows(rows, calls)
            ours = ferris_rows(rows, calls, in_time, pathlib.Path(temp))
            check(len(ours) == len(rows), f"{len(ours)} rows of {len(rows)}")
            for i, call in enumerate(calls):
                for number in theirs:
                    if number not in ours or not same(ours[number][i], theirs[number][i]):
                        check(False, f"{call[0]}\n  row {number}: {ours.get(number, ['none'] * 99)[i]!r}, "
                                     f"SQLite {theirs[number][i]!r} (round {round_number}, time {in_time}, "
                                     f"{len(rows)} rows)")
                        break
                else:
                    check(True, "")
        compare_quiet(rng, pathlib.Path(temp))
        compare_expired(rng, pathlib.Path(temp))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
