"""One query from topic to topic: nothing lost, whatever happens to the process."""
import json
import random
import signal
import threading
import time

import harness

SQL = """
CREATE STREAM trades (trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(source)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'kafka.group.id' = '%(group)s', 'format' = 'json');

CREATE STREAM out AS SELECT trade_id, symbol, price * quantity AS notional FROM trades
WITH ('connector' = 'kafka', 'kafka.topic' = '%(target)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json');
"""


def trade(i):
    return json.dumps({"trade_id": i, "symbol": f"S{i % 7}", "price": "X", "quantity": i % 10},
                      separators=(",", ":")).replace('"X"', f"{i % 1000}.{i % 10000:04d}")


def expected(i):
    scaled = (i % 1000) * 10000 + i % 10000
    notional = scaled * (i % 10)
    return (f'{{"trade_id":{i},"symbol":"S{i % 7}","notional":'
            f'{notional // 10000}.{notional % 10000:04d}}}')


def names(kafka, partitions=1):
    return {"source": kafka.topic("in", partitions), "target": kafka.topic("out", partitions),
            "group": kafka.name("group")}


def test_every_record_once_and_in_order(kafka):
    place = names(kafka)
    kafka.produce(place["source"], map(trade, range(5000)))
    job = kafka.execute(SQL % place)
    lines = kafka.wait_for_records(place["target"], 5000, job)
    assert lines == [expected(i) for i in range(5000)]


def test_key_goes_through(kafka):
    place = names(kafka)
    kafka.produce(place["source"], [f"key{i}|{trade(i)}" for i in range(100)], "-K", "|")
    job = kafka.execute(SQL % place)
    kafka.wait_for_records(place["target"], 100, job)
    assert kafka.read_as(place["target"], "%k\\n") == [f"key{i}" for i in range(100)]


def test_headers_are_columns_and_go_through(kafka):
    place = names(kafka)
    kafka.produce(place["source"], [trade(1)], "-H", "trace=abc", "-H", "n=1")
    job = kafka.execute((SQL % place).replace(
        "price * quantity AS notional",
        "HEADER('trace') AS trace, HEADER('none') AS none, _headers AS h, _offset AS o"))
    lines = kafka.wait_for_records(place["target"], 1, job)
    assert lines == ['{"trade_id":1,"symbol":"S1","trace":"abc","none":null,'
                     '"h":{"trace":"abc","n":"1"},"o":0}'], lines
    assert kafka.read_as(place["target"], "%h\\n") == ["trace=abc,n=1"]


def test_headers_are_set_and_removed(kafka):
    place = names(kafka)
    kafka.produce(place["source"], [trade(1)], "-H", "trace=abc", "-H", "n=1", "-H", "n=2", "-H", "x=y")
    job = kafka.execute((SQL % place).replace(
        "price * quantity AS notional",
        "SET_HEADER('n', HEADER('n') || '!'), SET_HEADER('new', quantity), SET_HEADER('none', NULL), "
        "REMOVE_HEADER('trace')"))
    lines = kafka.wait_for_records(place["target"], 1, job)
    assert lines == ['{"trade_id":1,"symbol":"S1"}'], lines
    assert kafka.read_as(place["target"], "%h\\n") == ["x=y,n=2!,new=1"]


def test_aborted_input_is_not_read(kafka):
    place = names(kafka)
    kafka.tool("transact", kafka.name("p"), place["source"], "commit", lines=[trade(1)])
    kafka.tool("transact", kafka.name("p"), place["source"], "abort", lines=[trade(2)])
    kafka.tool("transact", kafka.name("p"), place["source"], "commit", lines=[trade(3)])
    job = kafka.execute(SQL % place)
    lines = kafka.wait_for_records(place["target"], 2, job)
    assert lines == [expected(1), expected(3)]


def test_sigterm_drains_and_commits(kafka):
    place = names(kafka)
    kafka.produce(place["source"], map(trade, range(2000)))
    job = kafka.execute(SQL % place)
    kafka.wait_for_records(place["target"], 2000, job)
    assert job.stop() == 0, job.text()
    assert kafka.committed(place["group"], place["source"]) == {0: 2000}
    # A second run goes on where the first one ended.
    kafka.produce(place["source"], map(trade, range(2000, 2500)))
    job = kafka.execute(SQL % place)
    lines = kafka.wait_for_records(place["target"], 2500, job)
    assert lines == [expected(i) for i in range(2500)]


def test_sigint_ends_with_130(kafka):
    place = names(kafka)
    kafka.produce(place["source"], [trade(1)])
    job = kafka.execute(SQL % place)
    kafka.wait_for_records(place["target"], 1, job)
    assert job.stop(signal.SIGINT) == 130


class Flow(threading.Thread):
    """Produces trades in small portions until stopped; sent counts them."""

    def __init__(self, kafka, topic):
        super().__init__()
        self.kafka, self.topic = kafka, topic
        self.sent = 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            self.kafka.produce(self.topic, map(trade, range(self.sent, self.sent + 200)))
            self.sent += 200

    def stop(self):
        self.stopping.set()
        self.join()


def test_killed_again_and_again(kafka):
    """SIGKILL while records flow in: every record comes out once, and in order."""
    place = names(kafka, 2)
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    moments = random.Random(seed)
    flow = Flow(kafka, place["source"])
    flow.start()
    try:
        for _ in range(8):
            before = len(kafka.read(place["target"]))
            job = kafka.execute(SQL % place)
            kafka.wait_for_records(place["target"], before + 1, job)
            time.sleep(moments.uniform(0, 0.5))
            assert job.alive(), job.text()
            job.kill()
    finally:
        flow.stop()
    job = kafka.execute(SQL % place)
    deadline = time.monotonic() + harness.DEADLINE_SECONDS
    while sum(kafka.committed(place["group"], place["source"]).values()) < flow.sent:
        assert job.alive() and time.monotonic() < deadline, job.text()
        time.sleep(0.2)
    assert job.stop() == 0, job.text()
    lines = kafka.read(place["target"])
    assert sorted(lines) == sorted(map(expected, range(flow.sent))), \
        f"{len(lines)} lines, {flow.sent} sent, {len(set(lines))} different"
    print(f"# {flow.sent} sent, each came out once after 8 kills")


if __name__ == "__main__":
    harness.run(globals())
