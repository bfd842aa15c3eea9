#!/usr/bin/env python3
"""tests/differential/test_changelog.py -- random queries whose results change, and their changelogs.

    python3 tests/differential/test_changelog.py [--seed SEED] [--cases CASES]

Each case draws two keyed tables that are updated and deleted from, a stream and a list of names,
and a query of groups, groups over groups, HAVING, filters, unions and joins of all kinds.  It is
written as a changelog, by 'changelog.mode' retract or debezium, in every way of the runner, and
each changelog is replayed: what it takes back must be there, and what is left at the end is what
SQLite answers over the tables at their end.  Where the input has one order, all changelogs are the
same, and 'upsert' must write the same without what is replaced.  In some cases the texts are long and
'state.memory.limit' is small, so that states go to disk by themselves.
"""
import collections
import glob
import json
import random
import sqlite3
import sys
import tempfile

from cases import block, failures, fewer, options

TEXTS = ["x", "y", "z", "a longer text than twelve"]
COLUMNS = ("k", "a", "b")
SCHEMA = """
CREATE TABLE p (id INTEGER PRIMARY KEY, k STRING, a INTEGER, b INTEGER);
CREATE TABLE q (id INTEGER PRIMARY KEY, k STRING, a INTEGER, b INTEGER);
CREATE STREAM s (k STRING, a INTEGER, b INTEGER);
CREATE STREAM names (k STRING, c INTEGER);
"""


class Relation:
    """Rows k, a, b: as a query of ours and one of SQLite; `reads`: the inputs; `key`: k is unique;
    `live`: a table's changes come through, so that it is joined with others like it as they change."""

    def __init__(self, ours, lite, reads, key=False, live=False):
        self.ours, self.lite, self.reads, self.key, self.live = ours, lite, reads, key, live

    def wrap(self, text, key=False, lite=None):
        return Relation(text.replace("$", f"({self.ours}) x"), (lite or text).replace("$", f"({self.lite}) x"),
                        self.reads, key, self.live)


def draw_aggregate(rng):
    return rng.choice(["SUM(a)", "COUNT(*)", "COUNT(b)", "MIN(a)", "MAX(a)", "MAX(b)", "COUNT(DISTINCT a)",
                       "SUM(b)", "SUM(DISTINCT b)", "MIN(b)", "COUNT(*) FILTER (WHERE a > 0)",
                       "SUM(a) FILTER (WHERE b IS NOT NULL)"])


def group(rng, inner):
    having = rng.choice(["", "", "", " HAVING COUNT(*) > 1", " HAVING SUM(a) > 0", " HAVING MAX(a) < 3"])
    first, second = draw_aggregate(rng), draw_aggregate(rng)
    how = rng.choice(["k", "k", "k", "a", "all"])
    if how == "k":
        return inner.wrap(f"SELECT k, {first} AS a, {second} AS b FROM $ GROUP BY k{having}", key=True)
    if how == "a":
        return inner.wrap(f"SELECT CASE WHEN a > 0 THEN 'x' ELSE 'y' END AS k, a, b FROM (SELECT a, "
                          f"{draw_aggregate(rng).replace('(a)', '(b)')} AS b FROM $ GROUP BY a) g")
    # A group of no keys has no result before its first row, which SQLite does not know.
    inner = draw_relation(rng, 0)
    return inner.wrap(f"SELECT 'all' AS k, a, b FROM (SELECT {first} AS a, {second} AS b FROM $) g")


def narrow(rng, inner):
    condition = rng.choice(["a > 0", "b IS NOT NULL", "k <> 'x'", "a < b", "a + b > 1", "k = 'y' OR a = 1"])
    items = rng.choice(["k, a, b", "k, a, b", "k, a + 1 AS a, b", "COALESCE(k, 'none') AS k, b AS a, a AS b"])
    return inner.wrap(f"SELECT {items} FROM $ WHERE {condition}", key=inner.key and "COALESCE" not in items)


def join(rng, left, right):
    kind = rng.choice(["INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI"])
    on = rng.choice(["l.k = r.k", "l.k = r.k", "l.k = r.k AND l.a = r.a", "l.a = r.b"])
    live = left.live and right.live
    if live and rng.random() < 0.4:
        on += rng.choice([" AND l.a < r.a", " AND l.b <> r.b", " AND r.a > 0", " AND l.a > 0"])
    reads = left.reads + right.reads
    tops = [f"({left.ours}) l", f"({right.ours}) r", f"({left.lite}) l", f"({right.lite}) r"]
    if kind in ("SEMI", "ANTI"):
        return Relation(f"SELECT l.k, l.a, l.b FROM {tops[0]} {kind} JOIN {tops[1]} ON {on}",
                        f"SELECT l.k, l.a, l.b FROM {tops[2]} WHERE {'NOT ' * (kind == 'ANTI')}EXISTS "
                        f"(SELECT 1 FROM {tops[3]} WHERE {on})", reads, left.key, live)
    items = rng.choice(["COALESCE(l.k, r.k) AS k, l.a AS a, r.b AS b", "l.k AS k, r.a AS a, l.b AS b"])
    return Relation(f"SELECT {items} FROM {tops[0]} {kind} JOIN {tops[1]} ON {on}",
                    f"SELECT {items} FROM {tops[2]} {kind} JOIN {tops[3]} ON {on}", reads, live=live)


def draw_relation(rng, depth):
    if depth == 0:
        name = rng.choice("ppqqs")
        return Relation(f"SELECT k, a, b FROM {name}", f"SELECT k, a, b FROM {name}", [name], live=name != "s")
    how = rng.choice(["group", "group", "group", "narrow", "join", "join", "union", "names"])
    inner = draw_relation(rng, depth - 1)
    if how == "group":
        return group(rng, inner)
    if how == "narrow":
        return narrow(rng, inner)
    if how == "names":
        kind = rng.choice(["INNER", "LEFT"])
        on = rng.choice(["x.k = names.k", "x.a = names.c"])
        return inner.wrap(f"SELECT x.k, a, c AS b FROM $ {kind} JOIN names ON {on}")
    other = draw_relation(rng, rng.randint(0, depth - 1))
    if how == "union":
        # SQLite 3.39 and 3.40 cannot draw a union above a RIGHT JOIN into an outer join; LIMIT stops that.
        return Relation(f"SELECT k, a, b FROM ({inner.ours}) x UNION ALL SELECT k, a, b FROM ({other.ours}) y",
                        f"SELECT k, a, b FROM ({inner.lite}) x UNION ALL SELECT k, a, b FROM ({other.lite}) y "
                        "LIMIT -1", inner.reads + other.reads, live=inner.live or other.live)
    return join(rng, inner, other)


LONG = {text: text + "." * 12000 for text in TEXTS[2:]}


def lengthened(rows):
    """The same rows, of tables (key, row or None) or as they are, with some texts much longer."""
    if isinstance(rows, (tuple, list)):
        return type(rows)(lengthened(part) for part in rows)
    return LONG.get(rows, rows)


class Case:
    def __init__(self, rng):
        self.relation = draw_relation(rng, rng.choice([1, 2, 2, 3, 3]))
        while not {"p", "q", "s"} & set(self.relation.reads):
            self.relation = draw_relation(rng, 2)
        self.mode = rng.choice(["retract", "retract", "debezium"])
        self.long = rng.random() < 0.1
        size = 60 if self.long else rng.choice([1, 3, 10, 30, 60])
        self.inputs = {"p": self.draw_changes(rng, size), "q": self.draw_changes(rng, rng.choice([1, 3, 20, 40])),
                       "s": [self.draw_row(rng) for _ in range(size)],
                       "names": [(text, rng.randint(-1, 2)) for text in TEXTS[:3]] + [("x", 7), (None, 0)]}
        if self.long:
            self.inputs = {name: lengthened(rows) for name, rows in self.inputs.items()}

    @staticmethod
    def draw_row(rng):
        return (rng.choice(TEXTS + [None]), rng.randint(-2, 3), rng.choice([None, 0, 1, 2]))

    def draw_changes(self, rng, size):
        ids = rng.choice([2, 6, 20])
        return [(rng.randint(1, ids), None if n > 0 and rng.random() < 0.2 else self.draw_row(rng))
                for n in range(size)]

    # ---- what SQLite answers ----

    def answer(self, inputs):
        base = sqlite3.connect(":memory:")
        for name in "pqs":
            base.execute(f"CREATE TABLE {name} (k TEXT, a INTEGER, b INTEGER)")
            rows = inputs[name]
            if name != "s":
                rows = [row for row in dict(rows).values() if row is not None]
            base.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
        base.execute("CREATE TABLE names (k TEXT, c INTEGER)")
        base.executemany("INSERT INTO names VALUES (?, ?)", inputs["names"])
        return collections.Counter(base.execute(self.relation.lite).fetchall())

    # ---- a test that leaves its changelogs in files ----

    def input_blocks(self, inputs):
        text = ""
        for name in sorted(set(self.relation.reads) | {"names"}):
            if name in "pq":
                lines = [f"{key}|" + (json.dumps({"id": key, **dict(zip(COLUMNS, row))}) if row else r"\N")
                         for key, row in inputs[name]]
                text += block(f"input {name} keyed", lines)
            else:
                fields = COLUMNS if name == "s" else ("k", "c")
                text += block(f"input {name}", [json.dumps(dict(zip(fields, row))) for row in inputs[name]])
        return text

    def test(self, inputs, name):
        return (f"sql{SCHEMA}CREATE STREAM o AS {self.relation.ours} WITH ('connector' = 'file', 'path' = "
                f"'${{DIR}}/{name}', 'format' = 'json', 'sink.changelog.mode' = '{self.mode}');\n\n"
                f"{self.settings()}{self.input_blocks(inputs)}counters failed=0\n\n")

    def settings(self):
        return "set state.memory.limit=1048576\n" if self.long else ""

    def is_ordered(self):
        return len(set(self.relation.reads)) == 1 and len(self.relation.reads) == 1

    def upsert_test(self, inputs, changes):
        lines = []
        for op, row in changes:
            key = r"\N" if row[0] is None else row[0]
            value = json.dumps(dict(zip(COLUMNS, row)), separators=(",", ":")) if op[0] == "+" else r"\N"
            if op != "-U":
                lines.append(f"{key}|{value}")
        text = self.relation.ours
        return (f"sql{SCHEMA}CREATE STREAM o AS SELECT k PRIMARY KEY, a, b FROM ({text}) u WITH "
                f"('sink.changelog.mode' = 'upsert');\n\n{self.settings()}{self.input_blocks(inputs)}"
                + block("output o keyed", lines))


def read_changes(path, mode):
    """Pairs of what happens and the row; of debezium also both halves of an update."""
    changes = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            if mode == "retract":
                changes.append((record.pop("_op"), tuple(record.values())))
                continue
            before, after = (tuple(record[side].values()) if record[side] is not None else None
                             for side in ("before", "after"))
            wanted = {"c": (False, True), "u": (True, True), "d": (True, False)}[record["op"]]
            if wanted != (before is not None, after is not None):
                raise AssertionError(f"{line.strip()} is not what its op says")
            update = record["op"] == "u"
            changes += [("-U" if update else "-D", before)] * (before is not None)
            changes += [("+U" if update else "+I", after)] * (after is not None)
    return changes


def replay(changes):
    rows = collections.Counter()
    for number, (op, row) in enumerate(changes):
        if op[0] == "+":
            rows[row] += 1
        elif rows[row] == 0:
            raise AssertionError(f"change {number}: {op} {row}, which is not there")
        else:
            rows[row] -= 1
        halves = changes[number - 1][0] if number > 0 else "", op
        if (halves[1] == "+U") != (halves[0] == "-U"):
            raise AssertionError(f"change {number}: {op} behind {halves[0]}")
    return +rows


def check(case, inputs, paths):
    """The changelogs of one test; the first of them."""
    wanted = case.answer(inputs)
    logs = [read_changes(path, case.mode) for path in paths]
    for log in logs:
        rows = replay(log)
        if rows != wanted:
            raise AssertionError(f"SQLite has besides {dict(wanted - rows)}, we {dict(rows - wanted)}")
    if case.is_ordered() and any(log != logs[0] for log in logs):
        raise AssertionError("the changelogs of one order of the input are not the same")
    return logs[0]


def run(folder, cases):
    """What is wrong, by the cases' numbers; `cases`: pairs of a case and its inputs by number."""
    tests = {str(number): case.test(inputs, f"changes-{number}") for number, (case, inputs) in cases.items()}
    wrong, upserts = {}, {}
    with tempfile.TemporaryDirectory() as kept:
        wrong = {int(name): why for name, why in failures(folder, tests, kept).items()}
        for number, (case, inputs) in cases.items():
            if number in wrong:
                continue
            try:
                paths = glob.glob(f"{kept}/*/changes-{number}")
                if not paths:
                    raise AssertionError("there are no changelogs")
                log = check(case, inputs, paths)
                if case.relation.key and case.is_ordered():
                    upserts[str(number)] = case.upsert_test(inputs, log)
            except AssertionError as why:
                wrong[number] = str(why)
    if upserts:
        wrong.update({int(name): f"upsert:\n{why}" for name, why in failures(folder, upserts).items()})
    return wrong, len(upserts)


def smaller(folder, case):
    inputs = dict(case.inputs)
    for name in ("p", "q", "s", "names"):
        def fails(part):
            return bool(run(folder, {0: (case, {**inputs, name: case.inputs[name][:1] + part})})[0])
        inputs[name] = case.inputs[name][:1] + fewer(inputs[name][1:], fails, 60)
    return inputs


def main():
    args = options(__doc__, 200)
    print(f"seed {args.seed}")
    cases = {}
    for number in [args.only] if args.only is not None else range(args.cases):
        case = Case(random.Random(args.seed * 1000003 + number))
        cases[number] = (case, case.inputs)
    with tempfile.TemporaryDirectory(prefix="changelog-") as folder:
        wrong, upserts = run(folder, cases)
        for number, why in list(wrong.items())[:5]:
            case = cases[number][0]
            inputs = smaller(folder, case)
            print(f"not ok - case {number} of seed {args.seed}\n{why}\nmade smaller:\n{case.test(inputs, 'out')}"
                  f"{run(folder, {0: (case, inputs)})[0].get(0, '')}\n{case.relation.lite}\n")
        for number, why in list(wrong.items())[5:]:
            print(f"not ok - case {number} of seed {args.seed}\n{why}")
    print(f"{upserts} of them by upsert too")
    print(f"{len(cases) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
