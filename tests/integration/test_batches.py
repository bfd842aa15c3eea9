"""Batch strategies on topics: when records are read, and that nothing but that depends on them."""
import json
import time

import harness

SQL = """
CREATE STREAM trades (id BIGINT, symbol STRING, quantity INTEGER)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(source)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'kafka.group.id' = '%(group)s', 'format' = 'json');
CREATE STREAM out AS SELECT id, symbol, quantity * 2 AS double FROM trades WHERE quantity <> 3
WITH ('connector' = 'kafka', 'kafka.topic' = '%(target)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', %(options)s);
"""
STRATEGIES = ["FixedSize", "TimeWindow", "AdaptiveSize", "MemoryBased", "LowLatency"]
LONG = 3600000  # milliseconds


def record(i):
    return json.dumps({"id": i, "symbol": f"S{i % 7}", "quantity": i % 10}, separators=(",", ":"))


def results(first, end):
    return [f'{{"id":{i},"symbol":"S{i % 7}","double":{i % 10 * 2}}}'
            for i in range(first, end) if i % 10 != 3]


def start(kafka, options, partitions=1):
    one = len(kafka.topics)
    place = {"source": kafka.topic(f"in-{one}", partitions), "target": kafka.topic(f"out-{one}"),
             "group": kafka.name(f"group-{one}"), "options": options}
    return place, kafka.execute(SQL % place)


def waits_for_full_batches(kafka, options):
    """Twenty at a time: of fifty records forty come out, and ten more bring the rest."""
    place, job = start(kafka, options)
    kafka.produce(place["source"], map(record, range(50)))
    kafka.wait_for_records(place["target"], len(results(0, 40)), job)
    time.sleep(1.5)
    assert kafka.read(place["target"]) == results(0, 40)
    kafka.produce(place["source"], map(record, range(50, 60)))
    kafka.wait_for_records(place["target"], len(results(0, 60)), job)
    assert kafka.read(place["target"]) == results(0, 60)
    assert job.stop() == 0, job.text()


def test_fixed_size_waits_for_records(kafka):
    waits_for_full_batches(kafka, f"'source.batch.strategy' = 'FixedSize', 'source.batch.batch_size' = '20', "
                                  f"'source.batch.timeout_ms' = '{LONG}'")


def test_time_window_waits_for_its_end(kafka):
    waits_for_full_batches(kafka, f"'source.batch.strategy' = 'TimeWindow', 'source.batch.max_batch_size' = '20', "
                                  f"'source.batch.window_duration_ms' = '{LONG}'")


def test_a_batch_is_full_by_bytes(kafka):
    """Records of some forty bytes: long before there are a thousand of them."""
    place, job = start(kafka, f"'source.batch.batch_size' = '1000', 'source.batch.max_memory_per_batch' = '1KB', "
                              f"'source.batch.timeout_ms' = '{LONG}'")
    kafka.produce(place["source"], map(record, range(20)))
    time.sleep(3)
    assert kafka.read(place["target"]) == []
    kafka.produce(place["source"], map(record, range(20, 40)))
    kafka.wait_for("a batch", lambda: kafka.read(place["target"]), job=job)
    assert job.stop() == 0, job.text()


def test_incomplete_batches_come_in_time(kafka):
    for options in ("'source.batch.batch_size' = '100000', 'source.batch.timeout_ms' = '300'",
                    "'source.batch.strategy' = 'TimeWindow', 'source.batch.window_duration_ms' = '300'"):
        place, job = start(kafka, options, partitions=3)
        for first in (0, 500):
            kafka.produce(place["source"], map(record, range(first, first + 500)))
            kafka.wait_for_records(place["target"], len(results(0, first + 500)), job)
        assert sorted(kafka.read(place["target"])) == sorted(results(0, 1000))
        assert job.stop() == 0, job.text()


def test_a_rebalance_does_not_wait_for_a_batch(kafka):
    """The second process gets its partitions while the first one waits for more records."""
    options = f"'source.batch.batch_size' = '100000', 'source.batch.timeout_ms' = '{LONG}'"
    place, first = start(kafka, options, partitions=4)
    kafka.produce(place["source"], map(record, range(100)))
    kafka.wait_for("the group", lambda: "partitions" in first.text() or first.alive(), job=first)
    time.sleep(2)
    second = kafka.execute((SQL % place).replace(f"'{LONG}'", "'200'"))
    kafka.wait_for("a share", lambda: kafka.read(place["target"]), job=second)
    assert first.stop() == 0, first.text()
    kafka.wait_for_records(place["target"], len(results(0, 100)), second)
    assert sorted(kafka.read(place["target"])) == sorted(results(0, 100))
    assert second.stop() == 0, second.text()


def test_the_answer_is_the_same(kafka):
    wanted = results(0, 3000)
    for strategy in STRATEGIES:
        for guarantee in ("exactly-once", "at-least-once", "at-most-once"):
            place, job = start(kafka, f"'batch.strategy' = '{strategy}', 'batch.enable_batching' = 'true', "
                                      f"'delivery.guarantee' = '{guarantee}'"
                               + (", 'batch.timeout_ms' = '200'" if strategy == "FixedSize" else "")
                               + (", 'batch.window_duration_ms' = '200'" if strategy == "TimeWindow" else ""))
            kafka.produce(place["source"], map(record, range(3000)))
            kafka.wait_for_records(place["target"], len(wanted), job)
            assert kafka.read(place["target"]) == wanted, (strategy, guarantee)
            assert job.stop() == 0, job.text()
            assert "config: out, sink 'out': kafka.acks = 'all' (guarantee)" in job.text() or \
                guarantee != "exactly-once", job.text()


def test_one_record_at_a_time(kafka):
    place, job = start(kafka, "'batch.enable_batching' = 'false'")
    kafka.produce(place["source"], map(record, range(300)))
    kafka.wait_for_records(place["target"], len(results(0, 300)), job)
    assert kafka.read(place["target"]) == results(0, 300)
    assert job.stop() == 0, job.text()


if __name__ == "__main__":
    harness.run(globals())
