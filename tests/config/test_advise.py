"""tests/config/test_advise.py -- the strategy that is advised follows what the sample shows."""
import json
import os
import subprocess
import sys
import threading

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness  # noqa: E402 -- of tests/integration
from harness import PROGRAM  # noqa: E402

GENERATOR = "CREATE STREAM g WITH ('connector' = 'generator', 'kind' = 'trades'%s); "


class Place(harness.Folder):
    def run(self, sql, *options):
        return subprocess.run([PROGRAM, "advise", "--query", sql, "--output", "json", *options],
                              capture_output=True, text=True, cwd=self.folder,
                              env=dict(os.environ, XDG_STATE_HOME=self.folder))

    def advise(self, sql, *options):
        run = self.run(sql, *options)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)


def test_few_records_at_an_even_rate(place):
    found = place.advise(GENERATOR % ", 'rate' = '2000'" + "SELECT symbol FROM g", "--seconds", "2")
    assert found["strategy"] == "none" and found["options"] == {}, found
    assert "nothing asks for a strategy" in found["why"], found
    assert found["records"] > 0 and found["bytes_per_record"] > 50 and not found["behind"], found
    assert 0 < found["latency_ms_p99"] < 100 and found["records_per_read"] >= 1, found


def test_a_source_that_always_has_more(place):
    for _ in range(2):  # it says the same each time
        found = place.advise(GENERATOR % "" + "SELECT symbol FROM g", "--seconds", "1")
        assert found["behind"] and found["strategy"] in ("none", "AdaptiveSize"), found
        assert ("the source has more" if found["options"] else "always has more") in found["why"], found


def test_a_file_that_ends_at_once_is_too_short(place):
    place.write("in.jsonl", "".join(f'{{"a":{i}}}\n' for i in range(20000)))
    sql = "CREATE STREAM t (a INTEGER) WITH ('path' = 'in.jsonl'); SELECT a FROM t"
    found = place.advise(sql)
    assert found["strategy"] is None and found["options"] == {} and found["records"] == 20000, found
    assert "too short a sample to judge: the source ended" in found["why"], found
    assert not {"records_per_second", "variation", "behind"} & set(found), found
    said = place.run(sql, "--output", "text").stdout
    assert "20000 records" in said and "none can be given" in said and "varies" not in said, said


def test_seconds_out_of_range(place):
    for seconds in ("0", "1001", "100000"):
        run = place.run(GENERATOR % "" + "SELECT symbol FROM g", "--seconds", seconds)
        assert run.returncode == 2 and f"--seconds is 1 to 1000, not {seconds}" in run.stderr, run


def test_windows(place):
    found = place.advise(GENERATOR % ", 'rate' = '2000'" + "SELECT symbol, COUNT(*) AS n FROM g "
                         "GROUP BY symbol, TUMBLE(event_time, INTERVAL '1' SECOND)", "--seconds", "2")
    assert found["options"]["batch.strategy"] == "TimeWindow", found


def test_bursts(place):
    place.write("in.jsonl", "")
    ended = threading.Event()

    def write():
        while not ended.wait(0.9):
            place.write("in.jsonl", "".join(f'{{"a":{i}}}\n' for i in range(3000)), "a")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = place.advise("CREATE STREAM t (a INTEGER) WITH ('path' = 'in.jsonl', 'watch' = 'true'); "
                             "SELECT a FROM t", "--seconds", "5")
    finally:
        ended.set()
        writer.join()
    assert found["options"] == {"batch.strategy": "AdaptiveSize"} and found["variation"] > 0.5, found


def test_nothing_is_written(place):
    place.write("in.jsonl", "".join(f'{{"a":{i}}}\n' for i in range(200000)) + "{broken\n")
    found = place.advise("CREATE STREAM t (a INTEGER) WITH ('path' = 'in.jsonl'); CREATE STREAM o AS SELECT a FROM t "
                         "WITH ('path' = 'out.jsonl', 'failure_strategy' = 'SendToDLQ', 'dlq.path' = 'dead.jsonl', "
                         "'delivery.guarantee' = 'exactly-once')")
    assert found["records"] > 200000 - 2, found
    assert sorted(os.listdir(place.folder)) == ["in.jsonl"], os.listdir(place.folder)


def test_no_record_is_no_advice(place):
    place.write("in.jsonl", "")
    run = place.run("CREATE STREAM t (a INTEGER) WITH ('path' = 'in.jsonl', 'watch' = 'true'); SELECT a FROM t",
                    "--seconds", "1")
    assert run.returncode == 3 and "no record came within 1 s" in run.stderr, run
    run = place.run("CREATE STREAM t (a INTEGER) WITH ('path' = 'in.jsonl'); SELECT a FROM t")
    assert run.returncode == 3 and "ended without a record" in run.stderr, run


if __name__ == "__main__":
    harness.run(globals(), Place)
