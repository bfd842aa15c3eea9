"""Three brokers, of which some are lost: what was sent comes out once, whatever leads or coordinates.

    ./dev test brokers

By hand, with FERRIS_KAFKA_PORT as for ./dev kafka:

    ./dev kafka start --brokers 3 && python3 tests/integration/brokers.py [NAME...]

A filter and a count run side by side, exactly-once, while records flow in.  Producers may send a
record again whose acknowledgement was lost, so the output is compared with what is in the source.
These tests kill brokers: nothing else may use them meanwhile.
"""
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict

import harness
from test_broker_lost import patient
from test_kafka_to_kafka import SQL, Flow, expected, names, trade
from test_state import COUNTS, SINK, SOURCE, Records, line

KAFKA = f"{harness.ROOT}/tools/kafka/kafka"
NUMBERS = (1, 2, 3)
COORDINATOR_PARTITIONS = 4  # of each internal topic: tools/kafka/kafka
TRANSACTION_SECONDS = 10  # transaction.timeout.ms of the engine
TOTALS = {"kills": 0, "records": 0}  # for soak.py


# --------------------------------------------------------------------------------- brokers

def broker(*command):
    run = subprocess.run([KAFKA, *map(str, command)], capture_output=True, text=True)
    assert run.returncode == 0, f"kafka {command}: {run.stderr}"
    print(f"# {time.strftime('%H:%M:%S')} {' '.join(map(str, command))}", flush=True)
    return run.stdout


def kill(*numbers):
    for number in numbers:
        broker("kill", number)
    TOTALS["kills"] += len(numbers)


def topics(kafka):
    """Topic -> its partitions, as a broker that can be reached knows them; None without one."""
    run = subprocess.run(["kcat", "-L", "-J", "-m", "5", "-b", kafka.broker], capture_output=True,
                         text=True)
    if run.returncode != 0:
        return None
    return {topic["topic"]: topic["partitions"] for topic in json.loads(run.stdout)["topics"]}


def leader(kafka, topic, partition=0):
    def known():
        for one in (topics(kafka) or {}).get(topic, []):
            if one["partition"] == partition and one["leader"] in NUMBERS:
                return one["leader"]
        return None
    return kafka.wait_for(f"a leader of {topic}[{partition}]", known)


def coordinator(kafka, topic, name):
    """The broker that coordinates the group or the transactions of that name."""
    value = 0
    for character in name:
        value = (31 * value + ord(character)) & 0xFFFFFFFF
    value = value - (1 << 32) if value >= 1 << 31 else value
    return leader(kafka, topic, abs(value) % COORDINATOR_PARTITIONS)


def all_in_sync(kafka):
    """Waits until every replica of every partition is in sync again."""
    def in_sync():
        found = topics(kafka)
        return found is not None and all(len(one["isrs"]) == len(one["replicas"])
                             for partitions in found.values() for one in partitions)
    kafka.wait_for("replicas in sync", in_sync)


TOOL_SECONDS = 8


def patiently(function, seconds=harness.DEADLINE_SECONDS):
    """What the tools cannot do while brokers are away is tried again, by a new process: one that
    has seen its broker go may wait for it."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return function()
        except (AssertionError, subprocess.CalledProcessError, subprocess.TimeoutExpired):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


# --------------------------------------------------------------------------------- queries

class Query:
    """A running query, the records that flow into it, and what its output must be."""

    def __init__(self, kafka, kind, sql, place, transaction):
        self.kafka, self.place, self.transaction = kafka, place, transaction
        self.group, self.sql, self.job = place["group"], sql % place, None
        self.flow = patient(kind)(kafka, place["source"])

    def start(self):
        self.job = self.kafka.execute(self.sql)

    def committed(self):
        """How many records of the source have become final."""
        return patiently(lambda: sum(at or 0 for at in self.kafka.committed(
            self.group, self.place["source"]).values()))

    def goes_on(self):
        """Waits until records are final that are read from now on."""
        before = patiently(lambda: len(self.kafka.read(self.place["source"])))
        self.kafka.wait_for("progress", lambda: self.committed() > before, 90, self.job)

    def source_and_output(self):
        """Both as they are when all that was sent is final and the job has ended."""
        source = patiently(lambda: self.kafka.read(self.place["source"]))
        self.kafka.wait_for("the end of the input", lambda: self.committed() >= len(source), 90,
                            self.job)
        assert self.job.stop() == 0, self.job.text()
        TOTALS["records"] += len(source)
        return source, patiently(lambda: self.kafka.read(self.place["target"]))


class Filter(Query):
    def __init__(self, kafka):
        place = names(kafka, 2)
        host = re.sub("[^A-Za-z0-9._-]", "_", socket.gethostname())
        super().__init__(kafka, Flow, SQL, place, f"{place['group']}-{host}-0")
        self.flow.make_line = trade

    def check(self):
        source, lines = self.source_and_output()
        wanted = Counter(expected(json.loads(one)["trade_id"]) for one in source)
        found = Counter(lines)
        assert found == wanted, (f"{len(source)} records, {(wanted - found).total()} lost, "
                                 f"{(found - wanted).total()} doubled")
        return len(source)


class Count(Query):
    def __init__(self, kafka):
        place = {"source": kafka.topic("counted", 2), "target": kafka.topic("counts"),
                 "group": kafka.name("counting")}
        super().__init__(kafka, Records, SOURCE + COUNTS + SINK, place,
                         f"{place['group']}-counts")
        self.flow.make_line = line

    def check(self):
        """Each record gives its key's next count: 1, 2, 3 ... in the order of the output."""
        source, lines = self.source_and_output()
        sums, counts, last = defaultdict(int), defaultdict(int), {}
        for one in map(json.loads, source):
            sums[one["symbol"]] += one["quantity"]
        for row in map(json.loads, lines):
            counts[row["symbol"]] += 1
            assert row["n"] == counts[row["symbol"]], (row, counts[row["symbol"]])
            last[row["symbol"]] = row["q"]
        assert len(lines) == len(source), f"{len(lines)} rows of {len(source)} records"
        assert last == dict(sums)
        return len(source)


def while_both_run(kafka, disturb):
    """disturb(filter, count) while records flow; then all there is must have come out once."""
    all_in_sync(kafka)
    queries = [Filter(kafka), Count(kafka)]
    kafka.tool_seconds = TOOL_SECONDS
    for query in queries:
        query.start()
        query.flow.start()
    try:
        for query in queries:
            query.goes_on()
        disturb(*queries)
        all_in_sync(kafka)
        for query in queries:
            query.goes_on()
    finally:
        for query in queries:
            query.flow.stop()
        kafka.tool_seconds = None
    records = [query.check() for query in queries]
    print(f"# {records[0]} and {records[1]} records once")


def lose(kafka, number, queries):
    """Kills the broker; the others take over before it comes back."""
    kill(number)
    for query in queries:
        query.goes_on()
    broker("start", number)
    all_in_sync(kafka)


# --------------------------------------------------------------------------------- tests

def test_the_leaders_are_killed(kafka):
    def disturb(*queries):
        lose(kafka, leader(kafka, queries[1].place["source"]), queries)
        lose(kafka, leader(kafka, queries[1].place["target"]), queries)
        lose(kafka, leader(kafka, queries[1].group + "-counts-changelog"), queries)
    while_both_run(kafka, disturb)


def test_the_coordinators_are_killed(kafka):
    def disturb(*queries):
        lose(kafka, coordinator(kafka, "__transaction_state", queries[1].transaction), queries)
        lose(kafka, coordinator(kafka, "__consumer_offsets", queries[1].group), queries)
        lose(kafka, coordinator(kafka, "__transaction_state", queries[0].transaction), queries)
    while_both_run(kafka, disturb)


def test_one_after_the_other_is_restarted(kafka):
    def disturb(*queries):
        for number in NUMBERS:
            broker("stop", number)
            for query in queries:
                query.goes_on()
            broker("start", number)
            all_in_sync(kafka)
    while_both_run(kafka, disturb)


def test_two_of_three_are_gone(kafka):
    """Too few replicas are in sync, for longer than a transaction may last."""
    def disturb(*queries):
        kill(1, 2)
        time.sleep(TRANSACTION_SECONDS + 5)
        assert all(query.job.alive() for query in queries), \
            "\n".join(query.job.text() for query in queries)
        broker("start")
    while_both_run(kafka, disturb)


def test_queries_start_while_one_is_gone(kafka):
    def disturb(*queries):
        for number in NUMBERS:
            for query in queries:
                assert query.job.stop() == 0, query.job.text()
            kill(number)
            for query in queries:
                query.start()
                query.goes_on()
            broker("start", number)
            all_in_sync(kafka)
    while_both_run(kafka, disturb)


def test_processes_are_killed_with_brokers(kafka):
    def disturb(*queries):
        for number in NUMBERS:
            kill(number)
            for query in queries:
                query.job.kill()
                TOTALS["kills"] += 1
            for query in queries:
                query.start()
                query.goes_on()
            broker("start", number)
            all_in_sync(kafka)
    while_both_run(kafka, disturb)


def test_a_process_that_was_frozen_goes_on(kafka):
    """For so long that the brokers have ended its transaction: nobody else has taken its place."""
    def disturb(*queries):
        for query in queries:
            query.job.process.send_signal(signal.SIGSTOP)
        # The brokers look for transactions that have lasted too long every ten seconds.
        time.sleep(TRANSACTION_SECONDS + 11)
        for query in queries:
            query.job.process.send_signal(signal.SIGCONT)
    while_both_run(kafka, disturb)


def test_preflight_knows_the_replicas(kafka):
    """Three replicas and two in sync will do; more in sync than there are replicas will not."""
    place = names(kafka)
    place["target"] = kafka.topic("two", replicas=2, min_insync_replicas=3)
    job = kafka.execute(SQL % place)
    kafka.wait_for("the refusal", lambda: not job.alive())
    assert job.process.returncode == 1 and "FS3109" in job.text(), job.text()
    assert "wants 3 replicas in sync and has 2" in job.text(), job.text()
    # What it makes itself has the brokers' replicas.
    place["target"] = kafka.name("made")
    kafka.topics.append(place["target"])
    kafka.produce(place["source"], [trade(1)])
    job = kafka.execute(SQL % place)
    kafka.wait_for("the row", lambda: place["target"] in (topics(kafka) or {}) and
                   kafka.read(place["target"]) == [expected(1)], job=job)
    assert [len(one["replicas"]) for one in topics(kafka)[place["target"]]] == [3]
    assert job.stop() == 0, job.text()


def main():
    harness.BROKER = broker("address").strip()
    if harness.BROKER.count(",") != len(NUMBERS) - 1:
        sys.exit("brokers.py: three brokers are needed: ./dev kafka start --brokers 3")
    harness.run(globals())


if __name__ == "__main__":
    main()
