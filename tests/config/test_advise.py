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
    assert found["options"] == {"batch.strategy": "LowLatency"}, found
    assert found["records"] > 0 and found["bytes_per_record"] > 50 and not found["behind"], found


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
    assert found["options"]["batch.strategy"] in ("FixedSize", "AdaptiveSize"), found
    assert sorted(os.listdir(place.folder)) == ["in.jsonl"], os.listdir(place.folder)


def test_no_record_is_no_advice(place):
    place.write("in.jsonl", "")
    run = place.run("CREATE STREAM t (a INTEGER) WITH ('path' = 'in.jsonl', 'watch' = 'true'); SELECT a FROM t",
                    "--seconds", "1")
    assert run.returncode == 3 and "no record came" in run.stderr, run


if __name__ == "__main__":
    harness.run(globals(), Place)
