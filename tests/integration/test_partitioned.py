"""State goes with its partitions from process to process: several share one statement and are killed,
stopped, frozen and joined by others; the results are those of one process that never was."""
import json
import random
import re
import signal
import time
from collections import defaultdict

import harness
from test_kafka_to_kafka import Flow
from test_state import COUNTS, STEP_MS, WINDOW_MS, WINDOWS, check_counts, check_windows

MORE_ROUNDS = 1  # soak.py: so many times as many
TOTALS = {"kills": 0, "records": 0}
KEYS = 23
PARTITIONS = 6

STREAM = """
CREATE STREAM %(name)s (id BIGINT, symbol STRING PRIMARY KEY, quantity INTEGER, ts TIMESTAMP,
                        WATERMARK FOR ts AS ts)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(topic)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'watermark.idle.timeout' = '0', 'kafka.group.id' = '%(group)s');
"""
SINK = """
WITH ('connector' = 'kafka', 'kafka.topic' = '%(target)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'state.partitioned' = 'true');
"""
PAIRS = """CREATE STREAM pairs AS SELECT a.id AS a, b.id AS b, a.symbol FROM trades a
JOIN others b WITHIN INTERVAL '2' SECONDS ON a.symbol = b.symbol"""
BY_QUANTITY = """CREATE STREAM tens AS SELECT quantity, COUNT(*) AS n, MAX(id) AS last
FROM trades GROUP BY quantity EMIT CHANGES"""
TWICE = """CREATE STREAM twice AS SELECT a.id AS a, b.id AS b, a.quantity FROM trades a
JOIN trades b WITHIN INTERVAL '1' SECONDS ON a.quantity %% 7 = b.quantity %% 7"""
TENS = """CREATE STREAM tens AS SELECT quantity, TUMBLE_START(ts, INTERVAL '10' SECOND) AS s, COUNT(*) AS n
FROM trades GROUP BY quantity, TUMBLE(ts, INTERVAL '10' SECOND) EMIT FINAL"""


def record(i):
    return {"id": i, "symbol": f"S{i * i % KEYS}", "quantity": i % 10, "ts": i * STEP_MS}


def line(i):
    one = record(i)
    return f"{one['symbol']}|{json.dumps(one, separators=(',', ':'))}"


class Records(Flow):
    """To each of the topics the same records."""

    def __init__(self, kafka, *topics):
        super().__init__(kafka, topics[0])
        self.topics = topics

    def run(self):
        while not self.stopping.is_set():
            lines = [line(i) for i in range(self.sent, self.sent + 200)]
            for topic in self.topics:
                self.kafka.produce(topic, lines, "-K", "|")
            self.sent += 200
            time.sleep(0.02)


def end_windows(kafka, topic):
    """One record a partition ends every window of those before it."""
    for partition in range(PARTITIONS):
        end = {"id": -1, "symbol": f"END{partition}", "quantity": -1, "ts": 10 ** 12}
        kafka.produce(topic, [f"{end['symbol']}|{json.dumps(end)}"], "-K", "|", "-p", str(partition))


class Processes:
    """Those that share the statement: each round something happens to one of them."""

    def __init__(self, kafka, sql, seed):
        self.kafka, self.sql = kafka, sql
        self.random = random.Random(seed)
        self.jobs = []
        self.kills = 0

    def begin(self):
        self.jobs.append(self.kafka.execute(self.sql))

    def any(self):
        return self.random.choice(self.jobs)

    def kill(self):
        """It is killed, and another one comes in its place."""
        job = self.any()
        self.jobs.remove(job)
        job.kill()
        self.kills += 1
        self.begin()

    def kill_all(self):
        count = len(self.jobs)
        for job in self.jobs:
            job.kill()
        self.kills += count
        self.jobs = []
        for _ in range(count):
            self.begin()

    def leave(self):
        if len(self.jobs) > 1:
            job = self.any()
            self.jobs.remove(job)
            assert job.stop() == 0, job.text()

    def freeze(self):
        """Longer than the group waits: others have its partitions when it wakes."""
        job = self.any()
        job.process.send_signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(7, 9))
        job.process.send_signal(signal.SIGCONT)

    def step(self):
        if len(self.jobs) < 2:
            self.begin()
        else:
            act = self.random.choice([self.begin if len(self.jobs) < 4 else self.leave,
                                      self.leave, self.kill, self.kill, self.kill_all, self.freeze])
            print(f"# {act.__name__} of {len(self.jobs)}", flush=True)
            act()
        time.sleep(self.random.uniform(0.5, 4))
        for job in self.jobs:
            assert job.alive(), job.text()[-3000:]

    def end(self):
        for job in self.jobs:
            assert job.stop() == 0, job.text()[-3000:]
        told = "".join(job.text() for job in self.jobs)
        assert re.search(rf"has [1-{PARTITIONS - 1}] of {PARTITIONS} partitions", told), told[-3000:]


def play(kafka, query, names=("trades",), rounds=2, complete=None, fronts=()):
    """`fronts`: no group is named, and these statements read the source, each in a group of its own.
    Returns the committed output and how many records were sent to each source, when all are in it:
    all were read, or `complete` says so of the output and the number."""
    place = {"target": kafka.topic("out"), "group": kafka.name("group")}
    topics = {name: kafka.topic(name, PARTITIONS) for name in names}
    groups = [place["group"] if i == 0 else f"{place['group']}-{i}" for i in range(len(names))]
    sql = "".join(STREAM % {"name": name, "topic": topics[name], "group": group}
                  for name, group in zip(names, groups)) + (query + SINK) % place
    if fronts:
        sql = f"-- SQL Application: {place['group']}\n" + sql.replace(
            f", 'kafka.group.id' = '{place['group']}'", "")
        groups = [f"{place['group']}-{front}" for front in fronts]
        topics = dict.fromkeys(fronts, topics[names[0]])
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    processes = Processes(kafka, sql, seed)
    flow = Records(kafka, *set(topics.values()))
    flow.start()
    try:
        for _ in range(2 + rounds * MORE_ROUNDS):
            processes.step()
    finally:
        flow.stop()
    for topic in set(topics.values()):
        end_windows(kafka, topic)
    wanted = flow.sent + PARTITIONS

    def read():
        return [sum(at or 0 for at in kafka.committed(group, topic).values())
                for group, topic in zip(groups, topics.values())]

    def all_is_out():
        return min(read()) >= wanted and (
            complete is None or complete(kafka.read_json(place["target"]), flow.sent))

    try:
        kafka.wait_for("the end", all_is_out, job=processes.jobs[0], seconds=90)
    except AssertionError:
        print(f"# {wanted} wanted; committed: "
              f"{[kafka.committed(group, topic) for group, topic in zip(groups, topics.values())]}")
        raise
    processes.end()
    print(f"# {flow.sent} records, {processes.kills} kills")
    TOTALS["kills"] += processes.kills
    TOTALS["records"] += flow.sent
    rows = [row for row in kafka.read_json(place["target"])
            if not row.get("symbol", "").startswith("END") and row.get("quantity") != -1]
    return rows, flow.sent


def test_counts_go_with_their_partition(kafka):
    check_counts(*play(kafka, COUNTS), record)


def test_windows_close_once(kafka):
    check_windows(*play(kafka, WINDOWS), record)


def test_streams_meet(kafka):
    """Two topics, whose partitions of one number are always in one process."""
    rows, sent = play(kafka, PAIRS, names=("trades", "others"), rounds=1)
    by_key = defaultdict(list)
    for i in range(sent):
        by_key[record(i)["symbol"]].append(i)
    expected = sorted((a, b) for ids in by_key.values() for a in ids for b in ids
                      if abs(a - b) * STEP_MS <= 2000)
    found = sorted((row["a"], row["b"]) for row in rows)
    assert found == expected, f"{len(found)} pairs, {len(expected)} expected"


def test_groups_by_another_column(kafka):
    """By a topic of their own: each record gives its group's next count."""
    rows, sent = play(kafka, BY_QUANTITY, complete=lambda rows, sent: len(rows) >= sent + PARTITIONS)
    counts = defaultdict(int)
    for row in rows:
        counts[row["quantity"]] += 1
        assert row["n"] == counts[row["quantity"]], (row, counts[row["quantity"]])
    assert len(rows) == sent, f"{len(rows)} rows of {sent} records"


def test_a_stream_meets_itself(kafka):
    """Read twice, in groups of its own, and brought together by something else than its key."""
    def pairs(sent):
        return sorted((a, b) for a in range(sent) for b in range(max(0, a - 4), min(sent, a + 5))
                      if record(a)["quantity"] % 7 == record(b)["quantity"] % 7)

    rows, sent = play(kafka, TWICE, rounds=1, fronts=("twice_repartition", "twice_repartition_2"),
                      complete=lambda rows, sent: len([row for row in rows if min(row["a"], row["b"]) >= 0])
                      >= len(pairs(sent)))
    found = sorted((row["a"], row["b"]) for row in rows if row["a"] >= 0 and row["b"] >= 0)
    assert found == pairs(sent), f"{len(found)} pairs, {len(pairs(sent))} expected"


def test_windows_by_another_column(kafka):
    """The time of each partition of the source goes through the topic between: no row is late."""
    def complete(rows, sent):
        return sum(row["n"] for row in rows if row["quantity"] >= 0) >= sent

    rows, sent = play(kafka, TENS, complete=complete)
    expected = defaultdict(int)
    for i in range(sent):
        expected[(record(i)["quantity"], record(i)["ts"] // WINDOW_MS)] += 1
    found = harness.windows_of(rows, lambda row: row["n"], "quantity")
    assert found == dict(expected), f"{len(found)} windows, {len(expected)} expected"


if __name__ == "__main__":
    harness.run(globals())
