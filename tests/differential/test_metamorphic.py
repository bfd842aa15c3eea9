#!/usr/bin/env python3
"""tests/differential/test_metamorphic.py -- what must not change the rows of a query.

    python3 tests/differential/test_metamorphic.py [--seed N] [--queries M]

Random queries, without another engine: their rows stay the same when the input comes in another
order (within the delay of a watermark), as CSV instead of JSON, on 2 or 4 tasks; when WHERE moves
into a subquery, out of one, into HAVING or ON; and when the three answers of a condition (true,
false, unknown) are put together.  Some batches become .test files, which `ferris-sql test` runs with
the input cut into other batches and checks the books of.
"""
import collections
import copy
import random
import subprocess
import sys
import tempfile

import engine
from generator import DUCKDB, FERRIS, Expr, draw_table
from queries import Join, QueryMaker, Source, Sub, Subquery

BATCH = 40


class Filtered:
    """A relation whose rows were filtered inside of it."""

    def __init__(self, relation, where):
        self.relation, self.where = relation, where

    def __getattr__(self, name):
        return getattr(self.__dict__["relation"], name)

    def sql(self, dialect):
        alias = self.relation.alias
        return f"(SELECT * FROM {self.relation.sql(dialect)} WHERE {self.where.sql(dialect)}) AS {alias}"


def with_where(query, *conditions):
    other = copy.copy(query)
    conditions = [c for c in conditions if c]
    other.where = None
    for condition in conditions:
        other.where = Expr("bool", "({0} AND {1})", [other.where, condition]) if other.where else condition
    return other


def moved(query):
    """(name, SQL) of the same query with its condition elsewhere."""
    plain = type(query.from_) in (Source, Sub) and not query.ctes
    if query.where and plain and not (query.window and query.window.spelling == 2):
        other = with_where(query)
        other.from_ = Filtered(query.from_, query.where)
        yield "WHERE inside of FROM", other.sql(FERRIS)
    simple = not (query.grouped or query.distinct or query.qualify or query.order or has_over(query))
    if query.where and simple and not query.ctes:
        other = with_where(query)
        other.items = query.items + [query.where]
        names = ", ".join(f"{query.prefix}{i}" for i in range(len(query.items)))
        yield "WHERE around it", (f"SELECT {names} FROM ({other.sql(FERRIS)}) AS w "
                                  f"WHERE w.{query.prefix}{len(query.items)}")
    join = query.from_
    if isinstance(join, Join) and join.kind == "INNER" and join.more:
        other = with_where(query, join.more, query.where)
        other.from_ = copy.copy(join)
        other.from_.more = None
        yield "ON in WHERE", other.sql(FERRIS)
    subquery = query.where and any(isinstance(e, Subquery) for e in query.where.walk())
    if isinstance(join, Join) and join.kind == "INNER" and query.where and not subquery:
        other = with_where(query)
        other.from_ = copy.copy(join)
        other.from_.more = with_where(query, join.more, query.where).where
        yield "WHERE in ON", other.sql(FERRIS)
    if (query.grouped and query.where and query.keys and not query.sets and not subquery
            and over_keys(query)):
        other = with_where(query)
        other.having = with_where(query, query.where, query.having).where
        yield "WHERE in HAVING", other.sql(FERRIS)
    if not query.ctes and not query.order:
        yield "as it is, in FROM", f"SELECT * FROM ({query.sql(FERRIS)}) AS w WHERE 1 + 1 = 2"


def has_over(query):
    return any(" OVER " in e.text[0] for item in query.items for e in item.walk())


def over_keys(query):
    """Whether WHERE needs nothing but the keys."""
    keys = {id(key) for key in query.keys}

    def fits(expr):
        return id(expr) in keys or all(fits(p) for p in expr.parts) and (
            bool(expr.parts) or "." not in expr.text[0] or expr.text[0][0] in "'(0123456789D T")
    return fits(query.where)


def permuted(rng, table):
    """Its rows in another order that the watermark allows, in another format, maybe cut elsewhere."""
    other = copy.copy(table)
    if table.delay is None:
        other.rows = rng.sample(table.rows, len(table.rows))
    else:
        other.rows = sorted(table.rows, key=lambda row: (
            row["ts"] + rng.randint(0, table.delay * 1_000_000), rng.random()))
    other.form = "csv" if table.form == "json" else "json"
    return other


def counted(rows):
    return collections.Counter(map(repr, rows))


class Run:
    def __init__(self, seed):
        self.seed, self.passed, self.failed = seed, 0, 0

    def check(self, same, what):
        self.passed += same
        self.failed += not same
        if not same and self.failed <= 5:
            print(f"not ok - {what}\n  seed {self.seed}")

    def batch(self, number):
        rng = random.Random(self.seed * 1000003 + number)
        tables = [draw_table(rng, f"r{i}", DUCKDB) for i in range(rng.randint(1, 3))]
        maker = QueryMaker(rng, tables, DUCKDB)
        with tempfile.TemporaryDirectory(prefix="ferris-differential-") as folder:
            queries, answers = self.answers(folder, tables, maker, rng)
            self.in_another_order(rng, folder, tables, queries, answers)
            write(tables, folder)
            self.rewritten(folder, tables, queries, answers)
            self.partitioned(rng, folder, tables, maker, queries, answers)
            if number % 4 == 0 and all(len(t.rows) < 500 for t in tables):
                self.cut(folder, tables, queries)

    def answers(self, folder, tables, maker, rng):
        """Queries that run, and their rows; what is refused fails in test_queries.py."""
        write(tables, folder)
        queries = [maker.query(rng.choice([0, 1, 1, 2])) for _ in range(BATCH)]
        try:
            return queries, engine.ferris(folder, tables, [q.sql(FERRIS) for q in queries])
        except engine.Refused:
            good = []
            for query in queries:
                try:
                    good.append((query, engine.ferris(folder, tables, [query.sql(FERRIS)])[0]))
                except engine.Refused as error:
                    self.check(False, f"{error}\n  {query.sql(FERRIS)}")
            return [q for q, _ in good], [rows for _, rows in good]

    def compare(self, folder, tables, cases, settings=()):
        """cases: (name, SQL, rows wanted)"""
        try:
            results = engine.ferris(folder, tables, [c[1] for c in cases], settings)
        except engine.Refused:
            results = []
            for name, sql, _ in cases:
                try:
                    results += engine.ferris(folder, tables, [sql], settings)
                except engine.Refused as error:
                    self.check(False, f"{name}: {error}\n  {sql}")
                    results.append(None)
        for (name, sql, wanted), got in zip(cases, results):
            if got is None:
                continue
            a, b = counted(got), counted(wanted)
            self.check(a == b, f"{name}: {len(got)} rows, without it {len(wanted)}; more: "
                               f"{list((a - b))[:2]}, less: {list((b - a))[:2]}\n  {sql}")

    def in_another_order(self, rng, folder, tables, queries, answers):
        others = [permuted(rng, table) for table in tables]
        write(others, folder)
        cases = [("in another order", q.sql(FERRIS), rows) for q, rows in zip(queries, answers)
                 if not q.by_arrival()]
        self.compare(folder, others, cases, [f"parallelism={rng.choice([2, 4])}"])

    def rewritten(self, folder, tables, queries, answers):
        self.compare(folder, tables, [(name, sql, rows) for query, rows in zip(queries, answers)
                                      for name, sql in moved(query)])

    def partitioned(self, rng, folder, tables, maker, queries, answers):
        """The rows where a condition is true, where it is false and where it is neither are all rows."""
        parts, wanted = [], []
        for query, rows in zip(queries, answers):
            if query.grouped or query.distinct or query.qualify or query.order or has_over(query):
                continue
            condition = maker.maker(maker.leaves(query.from_)).make("bool", 3)
            parts += [with_where(query, query.where, Expr("bool", text, [condition])).sql(FERRIS)
                      for text in ("{0}", "(NOT {0})", "({0} IS NULL)")]
            wanted.append((rows, condition))
        try:
            results = engine.ferris(folder, tables, parts, [f"parallelism={rng.choice([1, 2])}"])
        except engine.Refused as error:
            self.check(False, f"{error}")
            return
        for i, (rows, condition) in enumerate(wanted):
            got = [row for part in results[3 * i:3 * i + 3] for row in part]
            self.check(counted(got) == counted(rows), f"true, false and unknown of "
                       f"{condition.sql(FERRIS)} are not all {len(rows)} rows\n  {parts[3 * i]}")

    def cut(self, folder, tables, queries):
        """A file for `ferris-sql test` with the rows of the run above as what must come out."""
        write(tables, folder)
        engine.ferris(folder, tables, [q.sql(FERRIS) for q in queries])
        with open(f"{folder}/cut.test", "w", encoding="utf-8") as file:
            for i, query in enumerate(queries):
                file.write(f"test {i}\nsql\n" + "".join(topic(t) for t in tables))
                file.write(query.sql(FERRIS).replace("\n", "'||CHR(10)||'") + ";\n\n")
                for table in tables:
                    kinds = [(c.name, c.kind) for c in table.columns]
                    file.write(f"input {table.name}\n")
                    for row in table.rows:
                        file.write("{" + ",".join(f'"{n}":{engine.json_value(row[n], k)}'
                                                  for n, k in kinds) + "}\n")
                    file.write("\n")
                file.write("rows unordered\n")
                with open(f"{folder}/o{i}", encoding="utf-8") as rows:
                    file.write(rows.read() + "\n")
        done = subprocess.run([engine.PROGRAM, "test", f"{folder}/cut.test"], capture_output=True,
                              timeout=200, check=False)
        lines = done.stdout.decode().split("\n")
        bad = [i for i, line in enumerate(lines) if line.startswith("not ok")]
        self.passed += sum(line.startswith("ok") for line in lines)
        for i in bad:
            query = queries[int(lines[i].split()[-1])]
            self.check(False, "cut elsewhere: " + "\n".join(lines[i:i + 12]) + "\n" + query.sql(FERRIS))


def topic(table):
    columns = engine.declaration(table, "").split(" WITH (")[0]
    return columns + ";\n"


def write(tables, folder):
    for table in tables:
        engine.write_table(table, f"{folder}/{table.name}.{table.form}", table.form)


def main():
    options = engine.options(__doc__, 400)
    run = Run(options.seed)
    print(f"seed {options.seed}")
    for number in range(-(-options.queries // BATCH)):
        run.batch(number)
        if run.failed > 20:
            break
    print(f"{run.passed} passed, {run.failed} failed")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
