"""tests/recovery/test_files.py -- exactly-once from file to file: processes are killed, interrupted
and let down by the disk again and again; the output is that of a process that never was.

    python3 tests/recovery/test_files.py [NAME...]

FERRIS_SQL is the program, FERRIS_FAULT_LIB the library of fault.c; by default those of build/release.
Every run prints its seed; TEST_SEED repeats it."""
import glob
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness  # noqa: E402 -- of tests/integration
from harness import PROGRAM, ROOT  # noqa: E402

FAULT = os.environ.get("FERRIS_FAULT_LIB", f"{ROOT}/build/release/tests/libfault.so")
SEED = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
DEADLINE = 60
moments = random.Random(SEED)

# Small pieces and short epochs: many of both in a short run.
SOURCE = """CREATE STREAM trades (id BIGINT, symbol STRING, price DECIMAL(12,2), ts TIMESTAMP,
    WATERMARK FOR ts AS ts)
WITH ('connector' = 'file', 'path' = '%(input)s', 'format' = 'json', 'read.buffer.size' = '2KB'%(more)s);
"""
FILTER = """CREATE STREAM o AS SELECT id, symbol, price * 2 AS double FROM trades WHERE price > 200
WITH ('connector' = 'file', 'path' = '%(output)s', 'format' = '%(format)s', 'commit.interval' = '1ms'%(sink)s);
"""
WINDOWS = """CREATE STREAM o AS SELECT symbol, TUMBLE_START(ts, INTERVAL '1' SECOND) AS s, COUNT(*) AS n,
SUM(price) AS p FROM trades GROUP BY symbol, TUMBLE(ts, INTERVAL '1' SECOND) EMIT FINAL
WITH ('connector' = 'file', 'path' = '%(output)s', 'format' = '%(format)s', 'commit.interval' = '1ms'%(sink)s);
"""

COUNTS = """CREATE STREAM o AS SELECT id %% 4001 AS key, COUNT(*) AS n, SUM(price) AS p FROM trades GROUP BY id %% 4001
EMIT CHANGES WITH ('connector' = 'file', 'path' = '%(output)s', 'format' = '%(format)s', 'commit.interval' = '1ms'%(sink)s);
"""


def record(i):
    return {"id": i, "symbol": f"S{i * i % 11}", "price": i * 37 % 1000 / 4, "ts": i * 25}


def lines(first, end, bad=0):
    return "".join("{broken\n" if bad and i % bad == 0 else json.dumps(record(i)) + "\n"
                   for i in range(first, end))


class Place(harness.Folder):
    """A folder with input, output and state."""

    def __init__(self):
        super().__init__()
        self.processes = []

    def parts(self, pattern):
        """The names that the pattern of a rotated output fits, in order; those of parts in work too."""
        names = glob.glob(pattern, root_dir=self.folder) + \
            glob.glob(f".{pattern}.inprogress", root_dir=self.folder)
        return sorted(names)

    def read(self, name):
        """What a file holds; of a rotated output: each part behind its name."""
        if "*" in name:
            return b"".join(b"== %s\n%s" % (part.encode(), self.read(part))
                            for part in self.parts(name))
        opener = gzip.open if name.endswith(".gz") else open
        with opener(self.path(name), "rb") as file:
            return file.read()

    def remove(self, name):
        for part in self.parts(name):
            os.unlink(self.path(part))

    def size(self, name):
        return sum(os.path.getsize(self.path(part)) for part in self.parts(name))

    def holds(self, name, content):
        try:
            return self.read(name) == content
        except (OSError, EOFError):
            return False

    def start(self, sql, options=(), fault=None):
        environment = dict(os.environ, XDG_STATE_HOME=self.path("state"))
        if fault is not None:
            environment.update(LD_PRELOAD=FAULT, FERRIS_FAULT=f"{fault[0]}:{fault[1]}:{self.folder}")
        process = subprocess.Popen([PROGRAM, "execute", "--query", sql, *options], cwd=self.folder,
                                   env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        self.processes.append(process)
        return process

    def run(self, sql, options=(), fault=None):
        """Exit code and what it said."""
        process = self.start(sql, options, fault)
        out, err = process.communicate(timeout=DEADLINE)
        return process.returncode, out + err

    def run_well(self, sql, *options):
        code, said = self.run(sql, options)
        assert code == 0, said
        return said

    def journals(self):
        """Those that a run would go on from."""
        folder = self.path("state/ferris/jobs")
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return [name for name in names
                if any(os.path.exists(f"{folder}/{name}/{file}")
                       for file in ("journal", "journal.old"))]

    def close(self, _failed):
        for process in self.processes:
            process.kill()
            process.communicate()
        super().close(_failed)


def sql_of(query, output="out.jsonl", source="in.jsonl", more="", sink="", form="json"):
    return SOURCE % {"input": source, "more": more} + \
        query % {"output": output, "sink": sink, "format": form}


def undisturbed(place, sql, output):
    """What a run gives that nothing happens to; and how long it takes."""
    began = time.monotonic()
    place.run_well(sql)
    seconds = time.monotonic() - began
    expected = place.read(output)
    place.remove(output)
    assert place.journals() == [], "a run that is done leaves no journal"
    return expected, seconds


def assert_same(found, expected):
    assert found == expected, (f"{len(found)} bytes {hashlib.md5(found).hexdigest()}, expected "
                               f"{len(expected)} {hashlib.md5(expected).hexdigest()}")


def kill_until_done(place, sql, seconds, is_done, signals=(signal.SIGKILL,), look=None):
    """Stops runs at random moments until one has come to its end; returns how many were stopped."""
    for stopped in range(2000):
        process = place.start(sql)
        try:
            # Longer from try to try: a run that begins anew must come to its end on a slower day.
            process.communicate(timeout=moments.uniform(0.2, 1.0) * seconds * (1 + stopped / 20))
            # An interrupted run of bounded input also ends with 0 or 130.
            assert process.returncode == 0, process.returncode
            return stopped
        except subprocess.TimeoutExpired:
            process.send_signal(moments.choice(signals))
            process.communicate(timeout=DEADLINE)
            if look is not None:
                look()
            if not place.journals() and is_done():
                return stopped  # it had said so before the signal came
    raise AssertionError("no run came to its end")


def killed_and_compared(place, sql, output, **how):
    expected, seconds = undisturbed(place, sql, output)
    stopped = 0
    while stopped < 8:
        stopped += kill_until_done(place, sql, seconds,
                                   lambda: place.holds(output, expected), **how)
        assert_same(place.read(output), expected)
        assert place.journals() == []
        place.remove(output)
    print(f"# {stopped} processes were stopped")


def test_filter_is_killed(place):
    place.write("in.jsonl", lines(0, 60000))
    killed_and_compared(place, sql_of(FILTER), "out.jsonl")


def test_filter_is_interrupted(place):
    place.write("in.jsonl", lines(0, 60000))
    killed_and_compared(place, sql_of(FILTER), "out.jsonl",
                        signals=(signal.SIGKILL, signal.SIGTERM, signal.SIGINT))


def test_csv_with_header_in_and_out(place):
    place.write("in.csv", "symbol,id,price,ts\n" + "".join(
        f"S{i % 7},{i},{i % 1000}.25,{i}\n" for i in range(80000)))
    sql = sql_of(FILTER, "out.csv", "in.csv", form="csv").replace("'format' = 'json'",
                                                                  "'format' = 'csv'")
    killed_and_compared(place, sql, "out.csv")


def test_several_files(place):
    for part in range(5):
        place.write(f"part{part}.jsonl", lines(part * 12000, (part + 1) * 12000))
    killed_and_compared(place, sql_of(FILTER, source="part*.jsonl"), "out.jsonl")


def test_compressed_in_and_out(place):
    with gzip.open(place.path("in.jsonl.gz"), "wt") as file:
        file.write(lines(0, 60000))
    killed_and_compared(place, sql_of(FILTER, "out.jsonl.gz", "in.jsonl.gz"), "out.jsonl.gz")


def test_several_tasks(place):
    place.write("in.jsonl", lines(0, 60000))
    killed_and_compared(place, sql_of(FILTER, sink=", 'parallelism' = '3'"), "out.jsonl")


def test_appended_output(place):
    """What the file held stays, and each run that comes to its end adds its rows once."""
    place.write("in.jsonl", lines(0, 30000))
    sql = sql_of(FILTER, sink=", 'append' = 'true'")
    rows, seconds = undisturbed(place, sql, "out.jsonl")
    place.write("out.jsonl", "before\n")
    for run in range(1, 4):
        whole = b"before\n" + run * rows
        kill_until_done(place, sql, seconds, lambda: place.holds("out.jsonl", whole))
        assert_same(place.read("out.jsonl"), whole)


def test_dead_letters(place):
    place.write("in.jsonl", lines(0, 30000, bad=50))
    sql = sql_of(FILTER, sink=", 'failure_strategy' = 'SendToDLQ', 'dlq.path' = 'dead.jsonl'")
    expected, seconds = undisturbed(place, sql, "out.jsonl")
    dead = place.read("dead.jsonl")
    assert dead.count(b"\n") == 600
    os.unlink(place.path("dead.jsonl"))
    for run in range(1, 4):
        kill_until_done(place, sql, seconds, lambda: place.holds("dead.jsonl", run * dead))
        assert_same(place.read("out.jsonl"), expected)
        assert_same(place.read("dead.jsonl"), run * dead)


def test_groups_of_the_whole_input_begin_anew(place):
    place.write("in.jsonl", lines(0, 60000))
    killed_and_compared(place, sql_of(WINDOWS), "out.jsonl")


# ---------------------------------------------------------------- files that are followed

WATCHED = ", 'watch' = 'true', 'watermark.idle.timeout' = '0', 'poll.interval' = '5ms'"


def wait_for(what, condition, process):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.01)


def follow(place, query, expected, grow):
    """Kills processes that follow in.jsonl while `grow` makes it longer, step by step."""
    sql = sql_of(query, more=WATCHED)
    kills = 0
    for step in grow:
        process = place.start(sql)
        time.sleep(moments.uniform(0, 0.03))
        step()
        time.sleep(moments.uniform(0, 0.08))
        process.send_signal(moments.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        process.communicate(timeout=DEADLINE)
        kills += 1
    process = place.start(sql)
    wait_for("whole output", lambda: len(place.read("out.jsonl")) >= len(expected), process)
    time.sleep(0.1)
    assert_same(place.read("out.jsonl"), expected)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert_same(place.read("out.jsonl"), expected)
    print(f"# {kills} processes were stopped")


def windows_but_the_last(place, end):
    """The output for records 0..end-1 as far as windows are closed by a record behind them."""
    place.write("in.jsonl", lines(0, end))
    place.run_well(sql_of(WINDOWS))
    rows = place.read("out.jsonl").splitlines(keepends=True)
    last = max(json.loads(row)["s"] for row in rows)
    os.unlink(place.path("out.jsonl"))
    os.unlink(place.path("in.jsonl"))
    return b"".join(row for row in rows if json.loads(row)["s"] != last)


def test_followed_file(place):
    place.write("in.jsonl", lines(0, 40000))
    expected, _ = undisturbed(place, sql_of(FILTER), "out.jsonl")
    place.write("in.jsonl", "")
    follow(place, FILTER, expected,
           [lambda i=i: place.write("in.jsonl", lines(i, i + 1000), "a")
            for i in range(0, 40000, 1000)])


def test_windows_over_a_followed_file(place):
    expected = windows_but_the_last(place, 40000)
    place.write("in.jsonl", "")
    follow(place, WINDOWS, expected,
           [lambda i=i: place.write("in.jsonl", lines(i, i + 1000), "a")
            for i in range(0, 40000, 1000)])


def test_counts_over_a_followed_file(place):
    """So much state that the journal is written anew now and then."""
    place.write("in.jsonl", lines(0, 60000))
    expected, _ = undisturbed(place, sql_of(COUNTS), "out.jsonl")
    place.write("in.jsonl", "")
    follow(place, COUNTS, expected,
           [lambda i=i: place.write("in.jsonl", lines(i, i + 1500), "a")
            for i in range(0, 60000, 1500)])
    folder = os.path.join(place.path("state/ferris/jobs"), place.journals()[0])
    assert "journal.old" in os.listdir(folder)


def test_followed_file_is_rotated(place):
    """Also while no process runs: the rest of the old file comes first."""
    place.write("in.jsonl", lines(0, 20000))
    expected, _ = undisturbed(place, sql_of(FILTER), "out.jsonl")
    place.write("in.jsonl", "")

    def grow(first):
        place.write("in.jsonl", lines(first, first + 500), "a")
        if first % 2000 == 1500:
            os.rename(place.path("in.jsonl"), place.path(f"in.jsonl.{first}"))
            place.write("in.jsonl", "")

    follow(place, FILTER, expected, [lambda i=i: grow(i) for i in range(0, 20000, 500)])


# ---------------------------------------------------------------- what does not fit together

def interrupt(place, sql, seconds, output="out.jsonl"):
    """Stops a run so that it leaves a journal, with epochs that have rows."""
    for _ in range(200):
        process = place.start(sql)
        time.sleep(moments.uniform(0.2, 0.9) * seconds)
        process.kill()
        process.communicate()
        if place.journals() and place.size(output) > 8192:
            return
    raise AssertionError("no run left a journal")


def prepared(place, **how):
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(FILTER, **how)
    expected, seconds = undisturbed(place, sql, "out.jsonl")
    interrupt(place, sql, seconds)
    return sql, expected


def test_changed_input_begins_anew(place):
    sql, _ = prepared(place)
    place.write("in.jsonl", lines(5, 60000))
    said = place.run_well(sql)
    assert "its input has changed" in said, said
    found = place.read("out.jsonl")
    place.run_well(sql)
    assert_same(found, place.read("out.jsonl"))


def test_changed_query_begins_anew(place):
    sql, _ = prepared(place)
    said = place.run_well(sql.replace("price * 2", "price * 3"))
    assert "the query has changed" in said, said
    assert place.journals() == []


def test_changed_query_does_not_take_over_appended_output(place):
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(FILTER, sink=", 'append' = 'true'")
    _, seconds = undisturbed(place, sql, "out.jsonl")
    interrupt(place, sql, seconds)
    code, said = place.run(sql.replace("price * 2", "price * 3"))
    assert code == 3 and "FS3202" in said and "remove that folder" in said, said


def test_output_that_is_gone_or_shorter_is_an_error(place):
    sql, expected = prepared(place)
    kept = place.read("out.jsonl")
    os.unlink(place.path("out.jsonl"))
    for content, how in ((None, "it is gone"), (kept[:100], "it is shorter"),
                         (b"x" * len(kept), "it holds something else")):
        if content is not None:
            with open(place.path("out.jsonl"), "wb") as file:
                file.write(content)
        code, said = place.run(sql)
        assert code == 3 and "FS3006" in said and how in said, said
        assert "to begin anew" in said, said
    with open(place.path("out.jsonl"), "wb") as file:
        file.write(kept)
    place.run_well(sql)
    assert_same(place.read("out.jsonl"), expected)


def test_changed_input_of_appended_output_is_an_error(place):
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(FILTER, sink=", 'append' = 'true'")
    _, seconds = undisturbed(place, sql, "out.jsonl")
    interrupt(place, sql, seconds)
    place.write("in.jsonl", lines(5, 60000))
    code, said = place.run(sql)
    assert code == 3 and "FS3006" in said and "to begin anew" in said, said


def test_state_folder_that_cannot_be_made_is_said_at_once(place):
    place.write("in.jsonl", lines(0, 10))
    place.write("state", "a file\n")
    code, said = place.run(sql_of(FILTER))
    assert code == 3 and "FS3201" in said and "state.dir" in said, said
    assert not os.path.exists(place.path("out.jsonl"))


def test_two_processes_do_not_write_one_file(place):
    place.write("in.jsonl", lines(0, 1000))
    sql = sql_of(FILTER, more=WATCHED)
    first = place.start(sql)
    wait_for("a journal", place.journals, first)
    code, said = place.run(sql)
    assert code == 3 and "another process has the journal" in said, said
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=DEADLINE)


def test_statements_that_share_a_file(place):
    """They cannot be told apart in it: at-least-once, or an error if more was asked for."""
    place.write("in.jsonl", lines(0, 100))
    one = "INSERT INTO 'out.jsonl' SELECT id FROM trades WITH ('append' = 'true');\n"
    both = SOURCE % {"input": "in.jsonl", "more": ""} + one + one
    place.run_well(both)
    assert place.read("out.jsonl").count(b"\n") == 200
    code, said = place.run(both, ["--set", "delivery.guarantee=exactly-once"])
    assert code == 2 and "another statement writes to the same file" in said, said


# ---------------------------------------------------------------- disks that fail

def disturbed(place, kind, sql, expected, names):
    """Lets the n-th call that changes a file go wrong, for n = 1, 2, 3 ... until none does; each time
    the next run goes on rightly."""
    disturbed_runs = 0
    for n in range(1, 3000):
        for name in names:
            place.remove(name)
        shutil.rmtree(place.path("state"), ignore_errors=True)
        os.mkdir(place.path("state"))
        code, said = place.run(sql, fault=(kind, n))
        if code == 0:
            break
        disturbed_runs += 1
        if kind == "fail":
            assert code == 3 and said.count("error[") == 1, (n, code, said)
        else:
            assert code == -signal.SIGKILL, (n, code, said)
        if kind != "fail" and not place.journals() and \
                all(place.holds(name, content) for name, content in zip(names, expected)):
            continue  # it had come to its end
        place.run_well(sql)
        for name, content in zip(names, expected):
            assert_same(place.read(name), content)
        assert place.journals() == []
    print(f"# {disturbed_runs} runs went wrong")
    assert 5 < disturbed_runs < 2999


def small(place, sink=""):
    place.write("in.jsonl", lines(0, 1500, bad=100 if "dlq" in sink else 0))
    return sql_of(FILTER, sink=sink)


def test_every_call_fails(place):
    sql = small(place)
    expected, _ = undisturbed(place, sql, "out.jsonl")
    disturbed(place, "fail", sql, [expected], ["out.jsonl"])


def test_killed_before_every_call(place):
    sql = small(place)
    expected, _ = undisturbed(place, sql, "out.jsonl")
    disturbed(place, "kill", sql, [expected], ["out.jsonl"])


def test_killed_in_the_middle_of_every_write(place):
    sql = small(place, ", 'failure_strategy' = 'SendToDLQ', 'dlq.path' = 'dead.jsonl'")
    expected, _ = undisturbed(place, sql, "out.jsonl")
    dead = place.read("dead.jsonl")
    disturbed(place, "half", sql, [expected, dead], ["out.jsonl", "dead.jsonl"])


def test_every_call_fails_in_appended_output(place):
    sql = small(place, ", 'append' = 'true', 'failure_strategy' = 'SendToDLQ', 'dlq.path' = 'dead.jsonl'")
    expected, _ = undisturbed(place, sql, "out.jsonl")
    dead = place.read("dead.jsonl")
    disturbed(place, "fail", sql, [expected, dead], ["out.jsonl", "dead.jsonl"])


if __name__ == "__main__":
    print(f"# TEST_SEED={SEED}")
    harness.run(globals(), Place)
