"""tests/recovery/test_savepoints.py -- statements start from savepoints, with the same SQL or with
other SQL, while processes are killed; state goes to the operators that it is of, or is refused.

    python3 tests/recovery/test_savepoints.py [NAME...]"""
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import time

from test_files import (DEADLINE, FILTER, PROGRAM, SEED, SOURCE, WATCHED, WINDOWS, Place, assert_same,
                        harness, lines, moments, record, sql_of, wait_for)

COUNTS = """CREATE STREAM o AS SELECT symbol, COUNT(*) AS n, SUM(price) AS p FROM trades%(where)s GROUP BY symbol
EMIT CHANGES WITH ('connector' = 'file', 'path' = '%(output)s', 'format' = 'json', 'commit.interval' = '1ms');
"""
# The same group behind a DISTINCT: it has another number in the pipeline.
DISTINCT = COUNTS.replace("FROM trades%(where)s", "FROM (SELECT DISTINCT id, symbol, price, ts FROM trades)")


def counts(where="", output="out.jsonl", query=COUNTS):
    return SOURCE % {"input": "in.jsonl", "more": WATCHED} + query % {"where": where, "output": output}


def last_counts(content):
    """symbol -> (n, p) of the last change; no change may come twice."""
    last = {}
    for line in content.splitlines():
        row = json.loads(line)
        assert row["n"] == last.get(row["symbol"], (0, 0))[0] + 1, row
        last[row["symbol"]] = (row["n"], row["p"])
    return last


def expected_counts(ids):
    found = collections.defaultdict(lambda: (0, 0))
    for i in ids:
        one = record(i)
        n, p = found[one["symbol"]]
        found[one["symbol"]] = (n + 1, p + one["price"])
    return dict(found)


def command(place, *arguments):
    """Exit code and what it said."""
    done = subprocess.run([PROGRAM, *arguments], cwd=place.folder, capture_output=True, text=True,
                          env=dict(os.environ, XDG_STATE_HOME=place.path("state")), timeout=DEADLINE,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def stop(process):
    time.sleep(0.1)  # all rows may be there before it listens to signals
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, (process.returncode, said)


def follow(place, sql, rows, *options, output="out.jsonl"):
    """Runs it until the output has so many rows, be it cut back to them or not, and stops it."""
    process = place.start(sql, options)
    wait_for(f"{rows} rows", lambda: os.path.exists(place.path(output)) and
             place.read(output).count(b"\n") == rows, process)
    stop(process)
    assert place.read(output).count(b"\n") == rows


def test_the_same_statement_goes_on(place):
    """A savepoint that is made when the run is stopped, in another folder of state."""
    place.write("in.jsonl", lines(0, 3000))
    follow(place, counts(), 3000, "--savepoint", place.path("kept"))
    shutil.rmtree(place.path("state"))
    place.write("in.jsonl", lines(3000, 5000), "a")
    follow(place, counts(), 5000, "--from-savepoint", place.path("kept"))
    assert last_counts(place.read("out.jsonl")) == expected_counts(range(5000))
    # The same command once more begins where it was left.
    place.write("in.jsonl", lines(5000, 6000), "a")
    follow(place, counts(), 6000, "--from-savepoint", place.path("kept"))
    assert last_counts(place.read("out.jsonl")) == expected_counts(range(6000))


def changed(place, where="", query=COUNTS, kept=lambda i: True):
    """Stops, changes the SQL, and starts from the savepoint, killed before every call."""
    place.write("in.jsonl", lines(0, 3000))
    follow(place, counts(), 3000)
    code, said = command(place, "savepoint", "one", "--query", counts())
    assert code == 0, said
    place.write("in.jsonl", lines(3000, 5000), "a")
    ids = [*range(3000), *filter(kept, range(3000, 5000))]
    sql = counts(where, query=query)
    expected, kills = expected_counts(ids), 0
    for call in range(1, 400, 3):
        process = place.start(sql, ["--from-savepoint", "one"], fault=("kill", call))
        while process.poll() is None and place.read("out.jsonl").count(b"\n") < len(ids):
            pass
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
        if process.returncode == 0:
            break
        assert process.returncode in (-signal.SIGKILL, -signal.SIGTERM), process.returncode
        kills += 1
    follow(place, sql, len(ids), "--from-savepoint", "one")
    assert last_counts(place.read("out.jsonl")) == expected
    print(f"# {kills} processes were killed")
    assert kills > 3


def test_with_a_filter_below(place):
    changed(place, " WHERE id % 2 = 0", kept=lambda i: i % 2 == 0)


def test_operators_with_other_numbers(place):
    changed(place, query=DISTINCT)


def test_back_to_a_savepoint(place):
    """What came out behind it is cut off and comes again, by the new SQL."""
    place.write("in.jsonl", lines(0, 2000))
    follow(place, counts(), 2000, "--savepoint", "early")
    place.write("in.jsonl", lines(2000, 4000), "a")
    follow(place, counts(), 4000)
    ids = [*range(2000), *range(2000, 4000, 5)]
    follow(place, counts(" WHERE id % 5 = 0"), len(ids), "--from-savepoint", "early")
    assert last_counts(place.read("out.jsonl")) == expected_counts(ids)


def test_another_output(place):
    place.write("in.jsonl", lines(0, 2000))
    follow(place, counts(), 2000, "--savepoint", "early")
    before = place.read("out.jsonl")
    place.write("in.jsonl", lines(2000, 3000), "a")
    follow(place, counts(output="other.jsonl"), 1000, "--from-savepoint", "early", output="other.jsonl")
    assert_same(place.read("out.jsonl"), before)
    assert last_counts(before + place.read("other.jsonl")) == expected_counts(range(3000))


def test_windows_and_places(place):
    """Open windows, watermarks and several statements."""
    place.write("in.jsonl", lines(0, 4000))
    both = sql_of(WINDOWS, more=WATCHED) + (FILTER % {"output": "f.jsonl", "format": "json", "sink": ""}
                                           ).replace("STREAM o", "STREAM f")
    whole = sql_of(WINDOWS) + (FILTER % {"output": "f.jsonl", "format": "json", "sink": ""}
                               ).replace("STREAM o", "STREAM f")
    place.run_well(whole)
    windows, rows = place.read("out.jsonl"), place.read("f.jsonl")
    last = max(json.loads(row)["s"] for row in windows.splitlines())
    windows = b"".join(row for row in windows.splitlines(keepends=True) if json.loads(row)["s"] != last)
    os.unlink(place.path("out.jsonl"))
    os.unlink(place.path("f.jsonl"))
    for step in range(8):
        place.write("in.jsonl", lines(0, 500 * (step + 1)))
        options = ["--savepoint", f"s{step}"] + (["--from-savepoint", f"s{step - 1}"] if step > 0 else [])
        process = place.start(both, options)
        if step == 7:
            wait_for("all rows", lambda: place.holds("out.jsonl", windows) and
                     place.holds("f.jsonl", rows), process)
        else:
            wait_for("some rows", lambda: os.path.exists(place.path("f.jsonl")), process)
        stop(process)
        if moments.random() < 0.5:
            shutil.rmtree(place.path("state/ferris/jobs"))
    assert_same(place.read("out.jsonl"), windows)
    assert_same(place.read("f.jsonl"), rows)


def test_what_finds_no_place_is_refused(place):
    place.write("in.jsonl", lines(0, 1000))
    follow(place, counts(), 1000, "--savepoint", "one")
    maxima = counts().replace("SUM(price)", "MAX(price)")
    refused = [
        (maxima, "nothing in 'o' can take over the state of: Aggregate by symbol: COUNT(*), SUM(price)"),
        (counts().replace("symbol STRING", "symbol BYTES"), "nothing in 'o' can take over"),
        (counts().replace("STREAM o", "STREAM other"), "the state of 'o', which no statement here has"),
        (counts().replace("trades", "deals"), "how far 'trades' was read, which 'o' does not read"),
        (counts().replace("'commit.interval'", "'delivery.guarantee' = 'at-least-once', 'commit.interval'"),
         "keeps nothing from run to run now"),
    ]
    for sql, message in refused:
        code, said = place.run(sql, ["--from-savepoint", "one"])
        assert code == 1 and "FS3203" in said and message in said, (sql, said)
    assert last_counts(place.read("out.jsonl")) == expected_counts(range(1000))
    place.write("in.jsonl", lines(1000, 1500), "a")
    process = place.start(maxima, ["--from-savepoint", "one", "--drop-state"])
    wait_for("rows", lambda: place.read("out.jsonl").count(b"\n") >= 1500, process)
    stop(process)
    assert collections.Counter(json.loads(row)["symbol"] for row in place.read("out.jsonl").splitlines()) \
        == {symbol: n for symbol, (n, _) in expected_counts(range(1500)).items()}


def test_names(place):
    place.write("in.jsonl", lines(0, 100))
    follow(place, counts(), 100, "--savepoint", "one")
    for arguments in (["execute", "--query", counts(), "--savepoint", "one"],
                      ["savepoint", "one", "--query", counts()]):
        code, said = command(place, *arguments)
        assert code == 1 and "already" in said, said
    code, said = command(place, "execute", "--query", counts(), "--from-savepoint", "two")
    assert code == 1 and "there is no savepoint in" in said, said
    code, said = command(place, "savepoint", "--query", counts())
    assert code == 2, said
    # State of other SQL is not saved under this one's name.
    code, said = command(place, "savepoint", "two", "--query", counts(" WHERE id > 3"))
    assert code == 3 and "FS3202" in said, said


def test_state_by_partition_is_refused_beforehand(place):
    """Not when the savepoint would be made, after the run."""
    sql = """CREATE STREAM t (k STRING PRIMARY KEY) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE STREAM o AS SELECT k, COUNT(*) AS n FROM t GROUP BY k EMIT CHANGES
WITH ('connector' = 'kafka', 'state.partitioned' = 'true');"""
    for arguments in (["execute", "--query", sql, "--savepoint", "one"], ["savepoint", "one", "--query", sql],
                      ["execute", "--query", sql, "--from-savepoint", "one"]):
        code, said = command(place, *arguments)
        assert code == 1 and "FS1301" in said and "partition by partition" in said, said


def test_the_process_is_killed_while_a_savepoint_is_made(place):
    """Then there is none, and it can be made again."""
    place.write("in.jsonl", lines(0, 500))
    follow(place, counts(), 500)
    for call in range(1, 200):
        environment = dict(os.environ, XDG_STATE_HOME=place.path("state"),
                           LD_PRELOAD=os.environ.get("FERRIS_FAULT_LIB", f"{harness.ROOT}/build/release/tests/libfault.so"),
                           FERRIS_FAULT=f"{moments.choice(['kill', 'half'])}:{call}:{place.folder}")
        made = subprocess.run([PROGRAM, "savepoint", "one", "--query", counts()], cwd=place.folder,
                              env=environment, capture_output=True, check=False).returncode == 0
        if made:
            break
        # Killed behind the last call that matters, it may be there.
        code, said = command(place, "execute", "--query", counts(), "--from-savepoint", "one", "--limit", "1",
                             "--savepoint", "one")
        if "already" in said:
            break
        assert "there is no savepoint" in said, said
    else:
        raise AssertionError("no savepoint was made")
    assert call > 3
    shutil.rmtree(place.path("state/ferris/jobs"))
    place.write("in.jsonl", lines(500, 800), "a")
    follow(place, counts(), 800, "--from-savepoint", "one")
    assert last_counts(place.read("out.jsonl")) == expected_counts(range(800))
    print(f"# {call - 1} processes were killed")


def test_damage_is_found(place):
    place.write("in.jsonl", lines(0, 50))
    follow(place, counts(), 50, "--savepoint", "one")
    folder = place.path("state/ferris/savepoints/one/jobs")
    name = next(name for name in os.listdir(folder) if name != "contents")
    with open(f"{folder}/{name}/journal", "rb") as file:
        whole = file.read()
    rng = random.Random(SEED)
    for at in rng.sample(range(len(whole)), 40):
        with open(f"{folder}/{name}/journal", "wb") as file:
            file.write(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1:])
        code, said = place.run(counts(" WHERE id > 0"), ["--from-savepoint", "one"])
        assert code == 3 and "FS3202" in said, (at, code, said)


def test_explain_upgrade(place):
    place.write("old.sql", counts())
    place.write("new.sql", counts(" WHERE id > 3"))
    place.write("lost.sql", counts().replace("COUNT(*) AS n, ", ""))
    code, said = command(place, "explain", "upgrade", "old.sql", "new.sql")
    assert code == 0 and said == (
        "o\n  kept  place in trades\n  kept  Aggregate by symbol: COUNT(*), SUM(price) EMIT CHANGES; "
        "with what came of its input as it was before\n"), said
    code, said = command(place, "explain", "upgrade", "old.sql", "lost.sql", "--output", "json")
    assert code == 1 and json.loads(said) == {"statements": [{"name": "o", "statement": "same", "state": [
        {"of": "place in trades", "fate": "kept", "inputChanged": False},
        {"of": "Aggregate by symbol: SUM(price) EMIT CHANGES", "fate": "new", "inputChanged": False},
        {"of": "Aggregate by symbol: COUNT(*), SUM(price) EMIT CHANGES", "fate": "lost",
         "inputChanged": False}]}]}, said


if __name__ == "__main__":
    print(f"# seed {SEED}")
    harness.run(dict(globals()), Place)
