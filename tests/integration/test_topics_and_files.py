"""Exactly-once between topics and files: processes are killed again and again; the output is that of
a process that never was."""
import glob
import json
import os
import random
import signal
import time

import harness
from test_state import KEYS, STEP_MS, WINDOW_MS, Records, line, record

TOPIC = """
CREATE STREAM trades (id BIGINT, symbol STRING, quantity INTEGER, ts TIMESTAMP,
                      WATERMARK FOR ts AS ts)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(topic)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'kafka.group.id' = '%(group)s', 'watermark.idle.timeout' = '0');
"""
FILE = """-- SQL Application: %(application)s
CREATE STREAM trades (id BIGINT, symbol STRING, quantity INTEGER, ts TIMESTAMP,
                      WATERMARK FOR ts AS ts)
WITH ('connector' = 'file', 'path' = 'in.jsonl', 'format' = 'json', 'read.buffer.size' = '4KB',
      'watermark.idle.timeout' = '0', 'poll.interval' = '5ms'%(more)s);
"""
FILTER = "CREATE STREAM o AS SELECT id, quantity FROM trades WHERE quantity > 2"
WINDOWS = """CREATE STREAM o AS SELECT symbol, TUMBLE_START(ts, INTERVAL '10' SECOND) AS s,
COUNT(*) AS n, SUM(quantity) AS q FROM trades GROUP BY symbol, TUMBLE(ts, INTERVAL '10' SECOND)
EMIT FINAL"""
TO_FILE = """
WITH ('connector' = 'file', 'path' = 'out.jsonl', 'format' = 'json', 'commit.interval' = '20ms',
      'delivery.guarantee' = 'exactly-once');
"""
TO_TOPIC = """
WITH ('connector' = 'kafka', 'kafka.topic' = '%(topic)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'commit.interval' = '20ms', 'delivery.guarantee' = 'exactly-once');
"""


def seeded():
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    return random.Random(seed)


def parts(kafka):
    """The files of an output in parts, in order; one in work comes last."""
    return sorted(glob.glob(f"{kafka.folder}/out-part-*.jsonl")) + \
        sorted(glob.glob(f"{kafka.folder}/.out-part-*.jsonl.inprogress"))


def output(kafka):
    rows = []
    for path in glob.glob(f"{kafka.folder}/out.jsonl") + parts(kafka):
        try:
            with open(path, encoding="utf-8") as file:
                rows += file.read().splitlines()
        except FileNotFoundError:
            return output(kafka)  # a part got its final name
    return rows


def write_input(kafka, first, end):
    with open(os.path.join(kafka.folder, "in.jsonl"), "a", encoding="utf-8") as file:
        file.writelines(line(i) + "\n" for i in range(first, end))


def from_file(kafka, more="", application="app"):
    """The application's name is part of that of the topic where places and state are kept."""
    return FILE % {"application": kafka.name(application), "more": more}


def expected_windows(sent):
    """(symbol, window) -> [n, q]."""
    found = {}
    for one in map(record, range(sent)):
        window = found.setdefault((one["symbol"], one["ts"] // WINDOW_MS), [0, 0])
        window[0] += 1
        window[1] += one["quantity"]
    return found


def windows_of(rows):
    return harness.windows_of(rows, lambda row: [row["n"], row["q"]])


def from_topic(kafka, query, last, partitions=2, kills=8, sink=TO_FILE):
    """Kills processes that write a topic into a file; returns the rows when `last` of them says so."""
    place = {"topic": kafka.topic("in", partitions), "group": kafka.name("group")}
    sql = TOPIC % place + query + sink
    moments = seeded()
    flow = Records(kafka, place["topic"])
    flow.start()
    try:
        for _ in range(kills):
            before = len(output(kafka))
            job = kafka.execute(sql)
            kafka.wait_for("progress", lambda: len(output(kafka)) > before, job=job)
            time.sleep(moments.uniform(0, 0.6))
            assert job.alive(), job.text()
            job.kill() if moments.random() < 0.8 else job.stop()
    finally:
        flow.stop()
    for partition in range(partitions):
        kafka.produce(place["topic"], [json.dumps(
            {"id": -1, "symbol": "END", "quantity": 9, "ts": 10 ** 12})], "-p", str(partition))
    job = kafka.execute(sql)
    kafka.wait_for("the end", lambda: last([json.loads(row) for row in output(kafka)], flow.sent),
                   job=job)
    time.sleep(0.3)
    assert job.stop() == 0, job.text()
    print(f"# {flow.sent} records, {kills} kills")
    return [json.loads(row) for row in output(kafka)], flow.sent, place


def test_topic_to_parts(kafka):
    """Each part that is shown has its rows, and the one in work the rest."""
    rows, sent, _ = from_topic(
        kafka, FILTER, lambda rows, sent: sum(row["id"] == -1 for row in rows) == 2,
        sink=TO_FILE.replace("'format'", "'rotate.rows' = '100', 'format'"))
    ids = [row["id"] for row in rows if row["id"] >= 0]
    assert sorted(ids) == [i for i in range(sent) if i % 10 > 2], f"{len(ids)} rows of {sent}"
    names = parts(kafka)
    shown = [name for name in names if not name.endswith(".inprogress")]
    assert len(shown) == len(rows) // 100 and len(names) - len(shown) <= 1, names
    for name in shown:
        with open(name, encoding="utf-8") as file:
            assert len(file.readlines()) == 100, name


def test_topic_to_file(kafka):
    rows, sent, place = from_topic(
        kafka, FILTER, lambda rows, sent: sum(row["id"] == -1 for row in rows) == 2)
    ids = [row["id"] for row in rows if row["id"] >= 0]
    assert sorted(ids) == [i for i in range(sent) if i % 10 > 2], f"{len(ids)} rows of {sent}"
    # The group's positions follow.
    ends = kafka.committed(place["group"], place["topic"])
    assert sum(ends.values()) == sent + 2, ends


def test_windows_of_a_topic_into_a_file(kafka):
    rows, sent, _ = from_topic(
        kafka, WINDOWS, lambda rows, sent: len(rows) >= len(expected_windows(sent)))
    assert windows_of(rows) == expected_windows(sent)


def test_what_a_topic_holds_now_is_added_once_by_each_run(kafka):
    """'kafka.bounded': each run goes on where the last one stopped, killed or not."""
    place = {"topic": kafka.topic("in", 2), "group": kafka.name("group")}
    sql = TOPIC.replace("'format'", "'kafka.bounded' = 'true', 'format'") % place + FILTER + TO_FILE
    moments = seeded()
    for round in range(4):
        kafka.produce(place["topic"], map(line, range(round * 20000, (round + 1) * 20000)))
        job = kafka.execute(sql)
        time.sleep(moments.uniform(0.05, 0.5))
        job.kill()
        job = kafka.execute(sql)
        assert job.process.wait(harness.DEADLINE_SECONDS) == 0, job.text()
        ids = sorted(json.loads(row)["id"] for row in output(kafka))
        assert ids == [i for i in range((round + 1) * 20000) if i % 10 > 2], len(ids)


def test_two_processes_do_not_share_a_journal(kafka):
    place = {"topic": kafka.topic("in", 2), "group": kafka.name("group")}
    sql = TOPIC % place + FILTER + TO_FILE
    kafka.produce(place["topic"], map(line, range(100)))
    first = kafka.execute(sql)
    kafka.wait_for("rows", lambda: len(output(kafka)) == 70, job=first)
    second = kafka.execute(sql)
    kafka.wait_for("the refusal", lambda: not second.alive())
    assert second.process.returncode == 1 and "FS1301" in second.text(), second.text()
    assert first.stop() == 0, first.text()
    # A second time, with nothing new: nothing is written again.
    again = kafka.execute(sql)
    time.sleep(1)
    assert again.stop(signal.SIGINT) == 130, again.text()
    assert len(output(kafka)) == 70


def kill_until_done(kafka, sql, target, expected, moments):
    """Kills processes until one has come to its end; returns how many were killed within."""
    for kills in range(100):
        job = kafka.execute(sql)
        end = time.monotonic() + moments.uniform(0.1, 0.6)
        while job.alive() and time.monotonic() < end:
            time.sleep(0.01)
        if not job.alive():
            assert job.process.returncode == 0, job.text()
            return kills
        job.kill() if moments.random() < 0.8 else job.stop()
        if len(kafka.read(target)) >= len(expected):
            return kills
    raise AssertionError("no process comes to its end")


def test_file_to_topic(kafka):
    moments = seeded()
    sent = 300_000
    write_input(kafka, 0, sent)
    expected = [i for i in range(sent) if i % 10 > 2]
    kills = 0
    for round in range(40):
        target = kafka.topic(f"out{round}")
        sql = from_file(kafka, application=f"app{round}") + FILTER + TO_TOPIC % {"topic": target}
        kills += kill_until_done(kafka, sql, target, expected, moments)
        ids = [row["id"] for row in kafka.read_json(target)]
        assert ids == expected, f"{len(ids)} rows, {len(expected)} expected"
        if kills >= 3:
            break
    print(f"# {kills} kills")
    assert kills > 0


def test_file_to_topic_begins_anew_when_it_was_done(kafka):
    target = kafka.topic("out")
    sql = from_file(kafka) + FILTER + TO_TOPIC % {"topic": target}
    write_input(kafka, 0, 1000)
    for run in range(1, 3):
        job = kafka.execute(sql)
        assert job.process.wait(harness.DEADLINE_SECONDS) == 0, job.text()
        assert len(kafka.read(target)) == run * 700
    # Nor does the query that was done before stand in the way of another one.
    job = kafka.execute(sql.replace("quantity > 2", "quantity > 3"))
    assert job.process.wait(harness.DEADLINE_SECONDS) == 0, job.text()
    assert len(kafka.read(target)) == 1400 + 600


def test_what_was_interrupted_does_not_go_on_into_another_topic(kafka):
    """Which would miss the rows that the first one has."""
    first, second = kafka.topic("first"), kafka.topic("second")
    sql = from_file(kafka, ", 'watch' = 'true'") + FILTER + TO_TOPIC
    write_input(kafka, 0, 1000)
    job = kafka.execute(sql % {"topic": first})
    kafka.wait_for_records(first, 700, job)
    job.kill()
    other = kafka.execute(sql % {"topic": second})
    other.process.wait(harness.DEADLINE_SECONDS)
    assert other.process.returncode == 3 and "the topic that it wrote" in other.text(), other.text()
    assert kafka.read(second) == []
    job = kafka.execute(sql % {"topic": first})
    write_input(kafka, 1000, 2000)
    kafka.wait_for_records(first, 1400, job)
    assert job.stop() == 0, job.text()


def test_windows_of_a_followed_file_into_a_topic(kafka):
    target = kafka.topic("out")
    sql = from_file(kafka, ", 'watch' = 'true'") + WINDOWS + TO_TOPIC % {"topic": target}
    moments = seeded()
    write_input(kafka, 0, 1)
    for step in range(8):
        job = kafka.execute(sql)
        for part in range(10):
            first = 1 + (step * 10 + part) * 250
            write_input(kafka, first, first + 250)
            time.sleep(moments.uniform(0, 0.15))
        assert job.alive(), job.text()
        job.kill() if moments.random() < 0.8 else job.stop()
    # The last window stays open.
    closed = {key: window for key, window in expected_windows(20001).items()
              if key[1] < 20000 * STEP_MS // WINDOW_MS}
    job = kafka.execute(sql)
    rows = kafka.wait_for_records(target, len(closed), job)
    assert job.stop() == 0, job.text()
    assert windows_of(map(json.loads, rows)) == closed
    assert len({key[0] for key in closed}) <= KEYS


if __name__ == "__main__":
    harness.run(globals())
