#!/usr/bin/env python3
"""tests/differential/test_late.py -- the rows of LATE(q) and those that went into q are all rows.

    python3 tests/differential/test_late.py [SEED [CASES]]

FERRIS_SQL is the program; by default that of build/release.  Each case draws rows out of order and a
query with windows of any shape, or OVER in order of time, and runs it beside LATE of it: no row may
be in both, none in neither, and the late ones must come in the order of the input.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))


def draw_query(rng):
    """A query whose rows hold the ids that went in, and its name."""
    size, step, grace = rng.randint(2, 60), rng.randint(1, 30), rng.choice([0, 0, 5, 40])
    shape = rng.choice(["tumbling", "sliding", "cumulate", "session", "over"])
    if shape == "over":
        partition = rng.choice(["", "PARTITION BY k "])
        return shape, f"SELECT id AS ids, COUNT(*) OVER ({partition}ORDER BY at) AS n FROM t"
    window = {
        "tumbling": f"TUMBLING({size}s)",
        "sliding": f"SLIDING({size + step}s, {step}s)",
        "cumulate": f"CUMULATE(at, {step}s, {step * rng.randint(1, 4)}s)",
        "session": f"SESSION({size}s)",
    }[shape]
    keys = rng.choice(["", " GROUP BY k", " GROUP BY k", " GROUP BY ROLLUP (k)"])
    emit = rng.choice(["", "", " EMIT CHANGES"]) if shape != "session" else ""
    late = f" GRACE PERIOD {grace}s" if grace else ""
    return shape, f"SELECT ARRAY_AGG(id) AS ids FROM t{keys} WINDOW {window}{emit}{late}"


def draw_rows(rng):
    now, rows = 1000, []
    for number in range(rng.choice([0, 1, 10, 200, 5000])):
        now += rng.choice([0, 0, 1, 3, 50])
        at = now - rng.choice([0, 0, 0, 2, 20, 200])
        filler = "x" * rng.choice([0, 5, 300])
        rows.append({"id": number, "k": rng.choice("abc"), "at": at * 1000, "filler": filler})
    return rows


def run_case(seed, folder):
    rng = random.Random(seed)
    rows, (shape, query) = draw_rows(rng), draw_query(rng)
    with open(f"{folder}/t.jsonl", "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    script = f"""
        CREATE STREAM t (id INTEGER, k STRING, at TIMESTAMP, filler STRING,
            WATERMARK FOR at AS at - INTERVAL '{rng.choice([0, 3, 30])}' SECOND)
        WITH ('connector' = 'file', 'path' = 't.jsonl', 'format' = 'json');
        CREATE STREAM taken AS {query} WITH ('connector' = 'file', 'path' = 'taken.jsonl');
        INSERT INTO 'late.jsonl' SELECT id FROM LATE({query});"""
    done = subprocess.run([PROGRAM, "execute", "--query", script], cwd=folder, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, f"{query}\n{done.stderr}"
    taken = set()
    for line in open(f"{folder}/taken.jsonl"):
        ids = json.loads(line)["ids"]
        taken.update(ids if isinstance(ids, list) else [ids])
    late = [json.loads(line)["id"] for line in open(f"{folder}/late.jsonl")]
    assert late == sorted(set(late)), f"{query}: not in the order of the input"
    assert not taken & set(late), f"{query}: {sorted(taken & set(late))[:5]} are in both"
    missing = set(range(len(rows))) - taken - set(late)
    assert not missing, f"{query}: {sorted(missing)[:5]} are in neither"
    return shape, len(late)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 120
    failed, late = 0, {}
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        for case in range(cases):
            try:
                shape, count = run_case(seed + case, folder)
                late[shape] = late.get(shape, 0) + count
            except AssertionError as error:
                failed += 1
                print(f"not ok - seed {seed + case}: {error}")
    print(", ".join(f"{shape}: {count} late" for shape, count in sorted(late.items())))
    print(f"{cases - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
