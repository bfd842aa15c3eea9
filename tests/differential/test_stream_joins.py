#!/usr/bin/env python3
"""tests/differential/test_stream_joins.py -- random joins of two streams against SQLite.

    python3 tests/differential/test_stream_joins.py [--seed SEED] [--cases CASES]

Each case draws two streams with event times, NULL keys and equal rows, and a join of them: of any
kind, bounded by WITHIN, by conditions on the times or by windows, with further keys and conditions,
with a windowed group above or not.  SQLite answers over the finished data.  The rows arrive several
times, each time in another order within the watermark's delay, on one or two partitions or from
files: the rows that come out must be the same, and none is late.  In some cases rows come later than
that: those are left out of what SQLite sees, one by one as the watermark and GRACE PERIOD say.
"""
import datetime
import json
import random
import sqlite3
import sys
import tempfile

from cases import block, failures, fewer, options

EPOCH = datetime.datetime(2024, 1, 1)
KEYS = [None, "x", "y", "z", "a longer key than twelve"]
SPAN = 20000  # milliseconds that the rows cover
ARRIVALS = 2


def time_text(ms):
    return f"{EPOCH + datetime.timedelta(milliseconds=ms):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def seconds(ms):
    return f"INTERVAL '{ms / 1000:g}' SECOND"


class Case:
    def __init__(self, rng):
        self.rng = rng
        self.bigint = rng.random() < 0.25
        self.kind = rng.choice(["INNER", "INNER", "LEFT", "LEFT", "RIGHT", "FULL", "FULL", "SEMI", "ANTI"])
        self.delays = [rng.choice([0, 1000, 3000, 10000]) for _ in "ab"]
        self.grace = 0
        sizes = rng.choice([(0, 9), (1, 40), (10, 10), (40, 40), (40, 60), (60, 60), (60, 20)])
        if rng.random() < 0.02:
            sizes = (4, 2500) if rng.random() < 0.5 else (2500, 4)  # more pairs than a batch has room for
        self.rows = [self.draw_rows(size) for size in sizes]
        self.twins = rng.random() < 0.1  # a stream with itself
        if self.twins:
            self.rows[1], self.delays[1] = self.rows[0], self.delays[0]
        self.draw_condition()
        self.draw_query()
        self.late = self.window is None and rng.random() < 0.3
        if self.within and rng.random() < 0.3:
            self.grace = rng.choice([500, 4000])
            self.query = self.query.replace(self.within, f"{self.within} GRACE PERIOD {self.grace} MILLISECONDS")

    def draw_rows(self, count):
        rng = self.rng
        keys = KEYS if rng.random() < 0.7 else KEYS[1:]
        span = SPAN if count < 1000 else 1000
        rows = [(n, rng.choice(keys), rng.choice([None, 1, 1, 2]), rng.randint(-3, 3),
                 rng.randrange(0, span, 500)) for n in range(count)]
        return rows + [row for row in rows if rng.random() < 0.1]

    # ---- conditions: a text for us, one for SQLite ----

    def shifted(self, name, ms):
        """A time and a constant added to it, for us and for SQLite."""
        if ms == 0:
            return f"{name}.t", f"{name}.t"
        sign = "-" if ms < 0 else "+"
        return (f"{name}.t {sign} {abs(ms) if self.bigint else seconds(abs(ms))}",
                f"{name}.t {sign} {abs(ms)}")

    def draw_time(self):
        """Text behind the right side's name, and conditions for ON."""
        rng = self.rng
        low, high = sorted(rng.choice([-3000, -1000, -500, 0, 500, 2000, 5000]) for _ in "lh")
        how = rng.choice(["within", "two", "between", "between", "strict", "equal", "both", "open"])
        if how == "within":
            return f"WITHIN {abs(low) or 1000} MILLISECONDS", [("", f"b.t - a.t BETWEEN -{abs(low) or 1000} AND {abs(low) or 1000}")]
        if how == "two":
            return (f"WITHIN ({abs(low)} MILLISECONDS, {abs(high)} MILLISECONDS)",
                    [("", f"b.t - a.t BETWEEN -{abs(low)} AND {abs(high)}")])
        if how == "between":
            one, two = ("a", "b") if rng.random() < 0.5 else ("b", "a")
            lows, highs = self.shifted(one, low), self.shifted(one, high)
            return "", [tuple(f"{two}.t BETWEEN {lows[i]} AND {highs[i]}" for i in (0, 1))]
        if how == "equal":
            left, right = self.shifted("a", rng.choice([0, 1000])), self.shifted("b", 0)
            return "", [tuple(f"{left[i]} = {right[i]}" for i in (0, 1))]
        if how == "both":
            return "WITHIN 2 SECONDS", [("", "b.t - a.t BETWEEN -2000 AND 2000"), ("b.t >= a.t",) * 2]
        if how == "open":
            left = self.shifted("a", low)
            return "", [tuple(f"{left[i]} {rng_op} b.t" for i in (0, 1))
                        for rng_op in [rng.choice(["<", "<=", ">", ">="])]]
        ops = rng.choice(["<", "<="]), rng.choice(["<", "<="])
        left, right = self.shifted("a", low), self.shifted("a", high)
        turned = {"<": ">", "<=": ">="}
        first = [f"{left[i]} {ops[0]} b.t" for i in (0, 1)]
        second = [f"b.t {ops[1]} {right[i]}" for i in (0, 1)]
        if rng.random() < 0.5:
            second = [f"{right[i]} {turned[ops[1]]} b.t" for i in (0, 1)]
        return "", [tuple(first), tuple(second)]

    def draw_condition(self):
        rng = self.rng
        self.window = None
        parts = []
        if rng.random() < 0.2 and not self.bigint:
            self.window = rng.choice([("TUMBLE", 5000, 5000), ("TUMBLE", 1000, 1000), ("HOP", 2000, 6000)])
            self.within = ""
            parts = [("a.window_start = b.window_start",) * 2, ("a.window_end = b.window_end",) * 2]
        else:
            self.within, parts = self.draw_time()
        keys = rng.choice([["k"], ["k"], ["k", "n"], ["n"], []])
        parts += [(f"a.{k} = b.{k}",) * 2 for k in keys]
        if rng.random() < 0.35:
            parts.append((rng.choice(["a.v < b.v", "a.v + b.v > 0", "a.k <> b.k", "b.v > 0", "a.v <= 0",
                                      "a.k IS NOT NULL", "(a.n = b.n OR a.v = b.v)"]),) * 2)
        rng.shuffle(parts)
        self.on, self.lite_on = (" AND ".join(p[i] for p in parts if p[i]) for i in (0, 1))
        self.on = self.on or "1 = 1"

    # ---- the query ----

    def side(self, name, lite):
        source = "a" if self.twins else name
        if self.window is None:
            return source if source == name else f"{source} {name}"
        shape, advance, size = self.window
        if lite:
            return (f"(SELECT {source}.*, s AS window_start, s + {size} AS window_end FROM {source} JOIN starts "
                    f"ON s % {advance} = 0 AND s <= t AND t < s + {size}) {name}")
        sizes = seconds(size) if shape == "TUMBLE" else f"{seconds(advance)}, {seconds(size)}"
        return f"(SELECT * FROM TABLE({shape}(TABLE {source}, DESCRIPTOR(t), {sizes}))) {name}"

    def draw_query(self):
        rng = self.rng
        a, b, on = self.side("a", True), self.side("b", True), self.lite_on
        alone = self.kind in ("SEMI", "ANTI")
        where = rng.choice(["", "", "", " WHERE a.v > 0", " WHERE a.k = 'x'"])
        shown = "a.id AS i, a.k AS k, a.v AS v"
        shown += "" if alone else ", b.id AS j, b.k AS bk, b.v AS w"
        if self.window is not None:
            shown += f", {'a' if alone else rng.choice('ab')}.window_start AS s"
        lite = f"FROM {a} {self.kind} JOIN {b} ON {on}{where}"
        if alone:
            negated = "NOT " if self.kind == "ANTI" else ""
            condition = where.replace("WHERE", "AND")
            lite = f"FROM {a} WHERE {negated}EXISTS (SELECT 1 FROM {b} WHERE {on}){condition}"
        ours = f"FROM {self.side('a', False)} {self.kind} JOIN {self.side('b', False)} {self.within} ON {self.on}{where}"
        self.timed = ["s"] if self.window is not None else []
        self.query, self.lite = f"SELECT {shown} {ours}", f"SELECT {shown} {lite}"
        if self.window is not None or self.bigint or rng.random() < 0.6 or " t" in self.on:
            return
        side = "b" if self.kind == "RIGHT" else "a"
        if self.kind == "FULL" or where:
            return
        values = "v" if alone else "w"
        self.timed = ["s"]
        self.query = (f"SELECT TUMBLE_START(t, {seconds(4000)}) AS s, k, COUNT(*) AS n, SUM({values}) AS v FROM (SELECT "
                      f"{side}.t AS t, {shown.replace('a.k AS k', side + '.k AS k')} {ours}) j GROUP BY k, TUMBLE(t, {seconds(4000)})")
        self.lite = (f"SELECT t / 4000 * 4000 AS s, k, COUNT(*) AS n, SUM({values}) AS v FROM (SELECT "
                     f"{side}.t AS t, {shown.replace('a.k AS k', side + '.k AS k')} {lite}) j GROUP BY k, t / 4000")

    # ---- the answer, and a test ----

    def answer(self, rows):
        base = sqlite3.connect(":memory:")
        base.execute("CREATE TABLE starts (s)")
        base.executemany("INSERT INTO starts VALUES (?)", [(s,) for s in range(-10000, SPAN + 1000, 1000)])
        for name, values in zip("ab", rows):
            base.execute(f"CREATE TABLE {name} (id INTEGER, k TEXT, n INTEGER, v INTEGER, t INTEGER)")
            base.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?)", values)
        cursor = base.execute(self.lite)
        names = [column[0] for column in cursor.description]
        lines = []
        for row in cursor:
            shown = {n: time_text(v) if n in self.timed and v is not None else v for n, v in zip(names, row)}
            lines.append(json.dumps(shown, separators=(",", ":")))
        return lines

    def arrival(self, rng, side, rows):
        """The rows as they come, and those of them that are not late."""
        delay = self.delays[side]
        rows = [row for *_, row in sorted((row[4] + (rng.uniform(0, delay) if delay else 0), rng.random(), row)
                                          for row in rows)]
        for row in rng.sample(rows, len(rows) // 6) if self.late else []:
            rows.remove(row)
            rows.insert(rng.randint(0, len(rows)), row)
        timely, newest = [], None
        for row in rows:
            if newest is None or row[4] >= newest - delay - self.grace:
                timely.append(row)
            newest = row[4] if newest is None else max(newest, row[4])
        return rows, timely

    def as_json(self, row):
        time = row[4] if self.bigint else time_text(row[4])
        return json.dumps(dict(zip("id k n v t".split(), (*row[:4], time))))

    def test(self, arrival, rows=None):
        rows = rows or self.rows
        rng = random.Random(arrival)
        from_file = rng.random() < 0.2
        text, inputs, seen = "sql\n", "", []
        for side, name in enumerate("a" if self.twins else "ab"):
            delay = self.delays[side]
            mark = f"t - {delay}" if self.bigint else f"t - {seconds(delay)}"
            source = f" WITH ('connector' = 'file', 'path' = '${{DIR}}/{name}.jsonl')" if from_file else ""
            text += (f"CREATE STREAM {name} (id INTEGER, k STRING, n INTEGER, v INTEGER, t "
                     f"{'BIGINT' if self.bigint else 'TIMESTAMP'}, WATERMARK FOR t AS {mark}){source};\n")
            order, timely = self.arrival(rng, side, rows[side])
            seen.append(timely)
            if from_file:
                inputs += block(f"file {name}.jsonl", map(self.as_json, order))
                continue
            split = not self.late and rng.random() < 0.3
            parts = [rng.random() < 0.5 if split else 0 for _ in order]
            for part in range(2 if any(parts) else 1):
                inputs += block(f"input {name} partition={part}",
                                [self.as_json(row) for row, p in zip(order, parts) if p == part])
        late = "" if self.late else "late=0 "
        return (f"{text}{self.query};\n\n{inputs}" + block("rows unordered", self.answer(seen * (1 + self.twins))) +
                f"counters {late}failed=0\n\n")


def smaller(folder, case, arrival):
    """The case with fewer rows."""
    fails = lambda rows: bool(failures(folder, {"shrunk": case.test(arrival, rows)}))
    rows = [list(side) for side in case.rows]
    if case.twins:
        both = fewer(rows[0], lambda part: fails([part, part]))
        return case.test(arrival, [both, both])
    rows[0] = fewer(rows[0], lambda part: fails([part, rows[1]]))
    rows[1] = fewer(rows[1], lambda part: fails([rows[0], part]))
    return case.test(arrival, rows)


def main():
    args = options(__doc__, 150)
    print(f"seed {args.seed}")
    drawn = {number: Case(random.Random(args.seed * 1000003 + number))
             for number in ([args.only] if args.only is not None else range(args.cases))}
    tests = {f"{number}.{arrival}": case.test(arrival) for number, case in drawn.items()
             for arrival in range(ARRIVALS)}
    with tempfile.TemporaryDirectory() as folder:
        failed = failures(folder, tests)
        for name, why in list(failed.items())[:5]:
            number, arrival = name.split(".")
            text = smaller(folder, drawn[int(number)], int(arrival))
            print(f"not ok - case {number} of seed {args.seed}, arrival {arrival}\n{why}\nmade smaller:\n{text}\n"
                  + failures(folder, {"shrunk": text}).get("shrunk", ""))
        for name, why in list(failed.items())[5:]:
            print(f"not ok - case {name} of seed {args.seed}\n{why}")
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
