"""The broker is killed and comes back: what was sent comes out once, and in order.

These tests have a broker of their own, beside the one of the other tests."""
import json
import os
import random
import subprocess
import time
from collections import defaultdict

import harness
from test_kafka_to_kafka import SQL, Flow, names, trade
from test_state import COUNTS, SINK, SOURCE, Records, line

PORT = int(harness.BROKER.rsplit(":", 1)[1]) + 100
BROKER = f"{harness.ROOT}/tools/kafka/kafka"


def broker(command):
    subprocess.run([BROKER, command], env=dict(os.environ, FERRIS_KAFKA_PORT=str(PORT)), check=True,
                   stdout=subprocess.DEVNULL)


def patient(kind):
    """A flow that goes on when the broker is back.  What it was about to send it sends again, so
    that a record may be in the source twice: the source is what the output is compared with."""
    class Patient(kind):
        def run(self):
            while not self.stopping.is_set():
                try:
                    self.kafka.produce(self.topic, map(self.make_line, range(self.sent,
                                                                             self.sent + 100)),
                                       "-X", "message.timeout.ms=2000")
                    self.sent += 100
                    time.sleep(0.02)
                except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                    time.sleep(0.2)
    return Patient


def outages(kafka, count):
    for _ in range(count):
        time.sleep(random.uniform(0.5, 1.5))
        broker("kill")
        time.sleep(random.uniform(0.2, 3))
        broker("start")


def test_the_broker_is_killed(kafka):
    place = names(kafka, 2)
    flow = patient(Flow)(kafka, place["source"])
    flow.make_line = trade
    job = kafka.execute(SQL % place)
    flow.start()
    try:
        kafka.wait_for_records(place["target"], 1, job)  # without a broker it would not start
        outages(kafka, 1)
    finally:
        flow.stop()
    source = kafka.read(place["source"])
    kafka.wait_for("the end of the input", lambda: sum(
        at or 0 for at in kafka.committed(place["group"], place["source"]).values())
        >= len(source), job=job)
    assert job.stop() == 0, job.text()
    ids = sorted(json.loads(line)["trade_id"] for line in source)
    found = sorted(json.loads(line)["trade_id"] for line in kafka.read(place["target"]))
    assert found == ids, f"{len(found)} records of {len(ids)}"
    print(f"# {len(ids)} records once, the broker killed once")


def test_the_broker_is_killed_under_state(kafka):
    place = {"source": kafka.topic("in", 2), "target": kafka.topic("out"),
             "group": kafka.name("group")}
    flow = patient(Records)(kafka, place["source"])
    flow.make_line = line
    job = kafka.execute((SOURCE + COUNTS + SINK) % place)
    flow.start()
    try:
        kafka.wait_for_records(place["target"], 1, job)
        outages(kafka, 1)
    finally:
        flow.stop()
    source = kafka.read(place["source"])
    kafka.wait_for("the end of the input", lambda: sum(
        at or 0 for at in kafka.committed(place["group"], place["source"]).values())
        >= len(source), job=job)
    rows = kafka.read(place["target"])
    assert job.stop() == 0, job.text()
    counts = defaultdict(int)
    for row in map(json.loads, rows):
        counts[row["symbol"]] += 1
        assert row["n"] == counts[row["symbol"]], row
    assert len(rows) == len(source), f"{len(rows)} rows of {len(source)} records"
    print(f"# {len(rows)} records once, the broker killed once")


if __name__ == "__main__":
    broker("start")
    harness.BROKER = f"127.0.0.1:{PORT}"
    try:
        harness.run(globals())
    finally:
        broker("stop")
