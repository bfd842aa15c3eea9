#!/usr/bin/env python3
"""tests/differential/test_windows.py -- windows of random rows against a model, row by row.

    python3 tests/differential/test_windows.py [SEED [CASES]]

FERRIS_SQL is the program; by default that of build/release.  No network.  Each case draws rows out
of order, a window (tumbling, sliding, cumulating; with an offset, a grace, a delay), groups and
grouping sets; writes them as JSON or CSV, with filler of random length so that the input is cut
elsewhere; and compares the rows that come out with those of the model below, which takes one row
after the other.  A second run takes the rows in another order that keeps within the delay: the
results must be the same.
"""
import collections
import csv
import datetime
import decimal
import fractions
import json
import os
import random
import subprocess
import sys

import cases

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))
SECOND = 1000000
EPOCH = datetime.datetime(1970, 1, 1)
NEVER = -(1 << 70)
COLUMNS = ["k", "g", "v", "d", "ts", "at", "filler"]


class Window:
    def __init__(self, rng):
        unit = rng.choice([1, 10, 60]) * SECOND
        self.shape = rng.choice(["tumble", "hop", "hop", "cumulate"])
        steps = rng.randint(1, 6)
        self.advance = unit * rng.randint(1, 3)
        if self.shape == "tumble":
            self.size = self.advance
        elif self.shape == "cumulate":
            self.size = self.advance * steps
        else:
            self.size = self.advance + rng.choice([0, self.advance, unit, 3 * unit,
                                                   9 * self.advance])
        self.offset = rng.choice([0, 0, 0, SECOND, 7 * SECOND, 100 * SECOND])
        self.grace = rng.choice([0, 0, unit, 4 * unit])
        self.delay = rng.choice([0, 5 * SECOND, 60 * SECOND])
        self.number = rng.random() < 0.3  # the time is a BIGINT of milliseconds

    def of(self, time):
        """The windows of a row as (end, start), the earliest end first."""
        if self.shape == "cumulate":
            start = (time - self.offset) // self.size * self.size + self.offset
            ends = range(start + self.advance, start + self.size + 1, self.advance)
            return [(end, start) for end in ends if time < end]
        first = (time - self.offset) // self.advance * self.advance + self.offset
        count = -(-self.size // self.advance)
        starts = [first - i * self.advance for i in range(count, -1, -1)]
        return [(s + self.size, s) for s in starts if s <= time < s + self.size]

    def call(self):
        column = "at" if self.number else "ts"
        name = {"tumble": "TUMBLE", "hop": "HOP", "cumulate": "CUMULATE"}[self.shape]
        parts = [seconds(self.advance)] if self.shape != "tumble" else []
        parts.append(seconds(self.size))
        if self.offset:
            parts.append(seconds(self.offset))
        return name, column, parts

    def text(self, rng, keys):
        """FROM and GROUP BY, in one of the spellings."""
        name, column, parts = self.call()
        grace = f" GRACE PERIOD {seconds(self.grace)}" if self.grace else ""
        if rng.random() < 0.3:
            bounds = ", ".join(filter(None, [keys, "window_start", "window_end"]))
            source = f"TABLE({name}(TABLE t, DESCRIPTOR({column}), {', '.join(parts)}))"
            return f"FROM {source} GROUP BY {bounds}", grace
        if self.offset == 0 and rng.random() < 0.5:
            words = {"tumble": "TUMBLING", "hop": "SLIDING", "cumulate": "CUMULATE"}[self.shape]
            if self.shape == "hop":
                parts = parts[::-1]
            group = f" GROUP BY {keys}" if keys else ""
            return f"FROM t{group} WINDOW {words}({column}, {', '.join(parts)})", grace
        groups = ", ".join(filter(None, [keys, f"{name}({column}, {', '.join(parts)})"]))
        return f"FROM t GROUP BY {groups}", grace


def seconds(micros):
    return f"INTERVAL '{micros // SECOND}' SECOND"


def half_up(value, places):
    scaled = abs(value) * 10 ** places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return decimal.Decimal(-whole if value < 0 else whole).scaleb(-places)


def results(rows, names):
    """The aggregates of SELECT, in its order."""
    values = [r["v"] for r in rows if r["v"] is not None]
    amounts = [r["d"] for r in rows if r["d"] is not None]
    fields = {"n": len(rows), "c": len(values), "s": sum(values) if values else None,
              "a": half_up(fractions.Fraction(sum(values), len(values)), 6) if values else None,
              "lo": min(values, default=None), "hi": max(amounts, default=None),
              "sd": sum(amounts) if amounts else None, "dv": len(set(values)),
              "p": sum(1 for v in values if v > 0)}
    return tuple(fields[name] for name in names)


AGGREGATES = {"n": "COUNT(*)", "c": "COUNT(v)", "s": "SUM(v)", "a": "AVG(v)", "lo": "MIN(v)",
              "hi": "MAX(d)", "sd": "SUM(d)", "dv": "COUNT(DISTINCT v)",
              "p": "COUNT(*) FILTER (WHERE v > 0)"}
# Of these, panes can be taken out of a window again.
SUMS = ["n", "c", "s", "a", "sd", "p"]


class Model:
    """Takes rows one by one, as the documentation says; `out` holds (end, start, set, key, results)."""

    def __init__(self, window, sets, names):
        self.window, self.sets, self.names, self.delay = window, sets, names, window.delay
        self.watermark = NEVER
        self.rows = collections.defaultdict(lambda: collections.defaultdict(list))
        self.ended = NEVER
        self.out, self.late = [], 0

    def key(self, row, columns):
        return tuple(row[c] if c in columns else None for c in ("k", "g"))

    def show(self, bounds, group):
        self.out.append((*bounds, *group, results(self.rows[bounds][group], self.names)))

    def advance(self, watermark):
        for bounds in sorted(b for b in self.rows if self.ended < b[0] <= watermark):
            for group in list(self.rows[bounds]):
                self.show(bounds, group)
        self.ended = max(self.ended, watermark)

    def take(self, row):
        windows = self.window.of(row["ts"])
        if windows[-1][0] <= self.watermark - self.window.grace:
            self.late += 1
            return
        for bounds in windows:
            if bounds[0] <= self.watermark - self.window.grace:
                continue
            for number, columns in enumerate(self.sets):
                group = (number, self.key(row, columns))
                self.rows[bounds][group].append(row)
                if bounds[0] <= self.watermark:
                    self.show(bounds, group)
        self.watermark = max(self.watermark, row["ts"] - self.delay)
        self.advance(self.watermark)


def draw_rows(rng, window):
    grain = rng.choice([SECOND // 1000, SECOND, 5 * SECOND])  # coarse times fall on bounds
    rows, now = [], rng.choice([0, -3600 * SECOND, 1700000000 * SECOND])
    for _ in range(rng.choice([0, 1, 30, 400, 2500])):
        now += rng.choice([0, 0, 1, SECOND // 1000, SECOND // 3, SECOND, 2 * SECOND])
        if rng.random() < 0.005:
            now += rng.randint(0, 500) * SECOND
        time = now - rng.choice([0, 0, 0, rng.randint(0, window.delay),
                                 rng.randint(0, 2 * window.delay + 30 * SECOND)])
        time = time // grain * grain
        rows.append({
            "k": rng.choice(["a", "b", "c", None, "a key of more than twelve bytes",
                             f"until {now // (10 * SECOND)} and no longer", f"{now // SECOND}"]),
            "g": rng.choice([1, 2, None]),
            "v": rng.choice([None, *range(-5, 6), 2147483647]),
            "d": rng.choice([None, decimal.Decimal(rng.randint(-99999, 99999)).scaleb(-2)]),
            "ts": time, "at": time // 1000, "filler": "x" * rng.choice([0, 1, 10, 500])})
    return rows


def permute(rng, rows, delay):
    """Another order in which no row comes more than the delay behind a later one."""
    return sorted(rows, key=lambda r: r["ts"] + rng.randint(0, delay))


def time_text(micros):
    return (EPOCH + datetime.timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def write(rows, path, form):
    with open(path, "w", encoding="utf-8", newline="") as file:
        if form == "csv":
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for row in rows:
                table.writerow(["" if row[c] is None else time_text(row[c]) if c == "ts" else row[c]
                                for c in COLUMNS])
            return
        for row in rows:
            parts = [json.dumps(c) + ":" + ("null" if row[c] is None else
                                            json.dumps(time_text(row[c])) if c == "ts" else
                                            str(row[c]) if c == "d" else json.dumps(row[c]))
                     for c in COLUMNS]
            file.write("{" + ",".join(parts) + "}\n")


def run(folder, rows, form, window, query, names):
    write(rows, f"{folder}/in", form)
    column, delay = ("at", window.delay // 1000) if window.number else ("ts", seconds(window.delay))
    sql = (f"CREATE STREAM t (k STRING, g INTEGER, v INTEGER, d DECIMAL(10, 2), ts TIMESTAMP, "
           f"at BIGINT, filler STRING, WATERMARK FOR {column} AS {column} - {delay}) "
           f"WITH ('connector' = 'file', 'path' = '{folder}/in', 'format' = '{form}');\n"
           f"CREATE STREAM o AS {query} WITH ('connector' = 'file', 'path' = '{folder}/out', "
           f"'format' = 'json', 'timestamp.format' = 'epoch_millis');\n")
    with open(f"{folder}/q.sql", "w", encoding="utf-8") as file:
        file.write(sql)
    done = subprocess.run([PROGRAM, "execute", "--file", f"{folder}/q.sql"], capture_output=True,
                          text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{sql}\nended with {done.returncode}: {done.stderr}")
    got = []
    with open(f"{folder}/out", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line, parse_float=decimal.Decimal)
            got.append((row["e"] * 1000, row["b"] * 1000, (row.get("k"), row.get("g")),
                        tuple(row[name] for name in names)))
    return got, sql


def expected(rows, window, sets, names):
    model = Model(window, sets, names)
    for row in rows:
        model.take(row)
    model.advance(1 << 70)
    return [(end, start, key, values) for end, start, _, key, values in model.out], model.late


def by_group(out):
    """The results of each window's group, in the order in which they came."""
    groups = collections.defaultdict(list)
    for end, start, key, values in out:
        groups[end, start, key].append(values)
    return groups


def compare(got, wanted, many_sets, grace, what):
    a, b = by_group(got), by_group(wanted)
    if many_sets:  # a NULL of the data and one of a set look alike
        a, b = ({k: sorted(map(repr, v)) for k, v in x.items()} for x in (a, b))
    for group in set(a) | set(b):
        if a.get(group) != b.get(group):
            raise AssertionError(f"{what}\n{group}:\n  got      {a.get(group)}\n"
                                 f"  expected {b.get(group)}")
    ends = [row[0] for row in got]
    if not grace and ends != sorted(ends):
        raise AssertionError(f"{what}\nwindows are not in the order of their ends")


def case(rng, folder, _):
    window = Window(rng)
    keys, sets = rng.choice([("", [()]), ("k", [("k",)]), ("k, g", [("k", "g")]),
                             ("ROLLUP (k, g)", [("k", "g"), ("k",), ()]),
                             ("k, CUBE (g)", [("k",), ("k", "g")]),
                             ("GROUPING SETS ((k), (g))", [("k",), ("g",)])])
    source, grace = window.text(rng, keys)
    shown = "".join(f"{c}, " for c in ("k", "g") if c in keys)
    if "WINDOW " in source:
        source, grace = source + grace, ""
    names = rng.choice([list(AGGREGATES), SUMS, ["n"]])
    calls = ", ".join(f"{AGGREGATES[name]} AS {name}" for name in names)
    query = (f"SELECT {shown}_window_start AS b, _window_end AS e, {calls} {source} EMIT FINAL"
             f"{grace}")
    rows, form = draw_rows(rng, window), rng.choice(["json", "csv"])
    got, sql = run(folder, rows, form, window, query, names)
    wanted, _ = expected(rows, window, sets, names)
    compare(got, wanted, len(sets) > 1, window.grace, sql)
    rows = permute(rng, sorted(rows, key=lambda r: r["ts"]), window.delay)
    wanted, late = expected(rows, window, sets, names)
    again, _ = run(folder, rows, form, window, query, names)
    compare(again, wanted, len(sets) > 1, window.grace, "in another order: " + sql)
    in_order, _ = expected(sorted(rows, key=lambda r: r["ts"]), window, sets, names)
    if late == 0 and not window.grace and sorted(map(repr, again)) != sorted(map(repr, in_order)):
        raise AssertionError(f"the order within the delay changed the results: {sql}")


if __name__ == "__main__":
    sys.exit(cases.count(case, 120))
