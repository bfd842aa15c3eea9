#!/usr/bin/env python3
"""tests/differential/test_queries.py -- random queries on ferris-sql and on DuckDB, else SQLite.

    python3 tests/differential/test_queries.py [--seed N] [--queries M] [--engine duckdb|sqlite]

Each batch draws tables and some dozens of queries (generator.py, queries.py), runs them as one
application and compares every row with the other engine's.  A second run of the application, with
another number of tasks and the rows in another order, must give the same.  A query that fails is
made smaller before it is printed, and so are its tables.
"""
import copy
import random
import sys
import tempfile

import engine
from generator import DUCKDB, FERRIS, SQLITE, draw_table
from queries import QueryMaker
from shrink import smaller_queries, smaller_tables

BATCH = 50


class Batch:
    def __init__(self, module, tables, folder):
        self.module, self.tables, self.folder = module, tables, folder
        for table in tables:
            engine.write_table(table, f"{folder}/{table.name}.{table.form}", table.form)
        self.peer = engine.Duck(module, folder, tables) if module else engine.Lite(tables)

    def wrong(self, query, settings=()):
        """What is wrong with one query, or None; what the other engine refuses is not wrong."""
        try:
            theirs = self.peer.rows(query.sql(self.peer.dialect))
        except engine.Refused:
            return None
        try:
            ours = engine.ferris(self.folder, self.tables, [query.sql(FERRIS)], settings)[0]
        except engine.Refused as error:  # what is not there yet is not wrong
            return None if "[FS1301]" in str(error) else str(error)
        return compare(query, ours, theirs)


def compare(query, ours, theirs):
    kinds = [item.kind for item in query.items]
    return engine.difference(ours, theirs, kinds, [i for i, _, _ in query.order])


def report(module, batch, query, why, settings):
    """Shrinks and prints."""
    tables = [copy.copy(t) for t in batch.tables]
    tried = 0

    def fails(tables, query):
        nonlocal tried
        tried += 1
        with tempfile.TemporaryDirectory() as folder:
            found = Batch(module, tables, folder).wrong(query, settings)
        return found if found and same_sort(found, why) else None

    smaller = True
    while smaller and tried < 600:
        smaller = False
        for candidate in smaller_queries(query):
            found = fails(tables, candidate)
            if found:
                query, why, smaller = candidate, found, True
                break
        if not smaller:
            for candidate in smaller_tables(tables):
                found = fails(candidate, query)
                if found:
                    tables, why, smaller = candidate, found, True
                    break
    print(f"not ok - {why}")
    for table in tables:
        if table.name + " " not in query.sql(FERRIS) + " ":
            continue
        print("  " + engine.declaration(table, "").strip())
        kinds = [(c.name, c.kind) for c in table.columns]
        for row in table.rows[:30]:
            print("  {" + ",".join(f'"{n}":{engine.json_value(row[n], k)}' for n, k in kinds) + "}")
    print(f"  ferris: {query.sql(FERRIS)}\n  other:  {query.sql(batch.peer.dialect)}")
    if settings:
        print(f"  with {' '.join(settings)}")
    sys.stdout.flush()


def same_sort(found, why):
    """While it shrinks, a wrong answer must not become a refusal, nor one refusal another."""
    code = lambda text: text[text.find("[FS"):][:8] if "[FS" in text else "ended" in text
    return code(found) == code(why)


def run_batch(rng, module, count, verbose):
    passed = failed = refused = 0
    target = DUCKDB if module else SQLITE
    tables = [draw_table(rng, f"r{i}", target) for i in range(rng.randint(1, 3))]
    settings = (f"parallelism={rng.choice([1, 1, 2, 4])}",)
    with tempfile.TemporaryDirectory(prefix="ferris-differential-") as folder:
        batch = Batch(module, tables, folder)
        maker = QueryMaker(rng, tables, target)
        queries, answers = [], []
        for _ in range(count):
            query = maker.query(rng.choice([0, 1, 1, 2]))
            try:
                answers.append(batch.peer.rows(query.sql(target)))
                queries.append(query)
            except engine.Refused as error:
                refused += 1
                if verbose:
                    print("refused:", error, query.sql(target))
        try:
            results = engine.ferris(folder, tables, [q.sql(FERRIS) for q in queries], settings)
            wrong = [(q, compare(q, a, b)) for q, a, b in zip(queries, results, answers)]
        except engine.Refused:
            wrong = [(q, batch.wrong(q, settings)) for q in queries]
        for query, why in wrong:
            if not why:
                passed += 1
                continue
            failed += 1
            if failed <= 3:
                report(module, batch, query, why, settings)
    return passed, failed, refused


def main():
    options = engine.options(__doc__, 2000)
    module = None if options.engine == "sqlite" else engine.find_duckdb()
    print(f"seed {options.seed}, against {'DuckDB ' + module.__version__ if module else 'SQLite'}")
    passed = failed = refused = 0
    for number in range(-(-options.queries // BATCH)):
        rng = random.Random(options.seed * 1000003 + number)
        found = run_batch(rng, module, BATCH, options.verbose)
        passed, failed, refused = passed + found[0], failed + found[1], refused + found[2]
        if found[1]:
            print(f"  in batch {number} of seed {options.seed}")
        if failed > 20:
            break
    print(f"{refused} queries the other engine did not take")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
