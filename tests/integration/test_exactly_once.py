"""Exactly-once: processes are killed, frozen, join and leave, the broker's group deals anew; each
record comes out once, and in the order of its partition."""
import json
import random
import signal
import time

import harness
from test_kafka_to_kafka import SQL, Flow, expected, names, trade


TOTALS = {"kills": 0, "records": 0}  # for soak.py


def drained(kafka, place, flow, job, whole=True):
    """Waits until all that was sent is committed, and can be read: what a killed process left open
    hides what comes behind it until its timeout.  Returns the values of the output."""
    def done():
        return sum(at or 0 for at in kafka.committed(place["group"], place["source"]).values()) \
            >= flow.sent
    kafka.wait_for("the end of the input", done, job=job)
    if whole:
        kafka.wait_for_records(place["target"], flow.sent, job)
    return kafka.read(place["target"])


def check_once(lines, sent):
    found = sorted(json.loads(line)["trade_id"] for line in lines)
    assert found == list(range(sent)), \
        f"{len(found)} records, {len(set(found))} different, {sent} sent"
    assert sorted(lines) == sorted(map(expected, range(sent)))


def test_processes_come_and_go(kafka):
    """Up to three processes share four partitions; each lives a second or two, one is killed now
    and then."""
    place = names(kafka, 4)
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    moments = random.Random(seed)
    flow = Flow(kafka, place["source"])
    flow.start()
    jobs, kills, leaves = [], 0, 0
    try:
        for _ in range(10):
            jobs.append(kafka.execute(SQL % place))
            time.sleep(moments.uniform(0.5, 2.5))
            assert all(job.alive() for job in jobs), "\n".join(job.text() for job in jobs)
            while len(jobs) > 2 or (jobs and moments.random() < 0.3):
                job = jobs.pop(moments.randrange(len(jobs)))
                if moments.random() < 0.5:
                    job.kill()
                    kills += 1
                else:
                    assert job.stop() == 0, job.text()
                    leaves += 1
    finally:
        flow.stop()
    if not jobs:
        jobs.append(kafka.execute(SQL % place))
    lines = drained(kafka, place, flow, jobs[0])
    for job in jobs:
        assert job.stop() == 0, job.text()
    check_once(lines, flow.sent)
    print(f"# {flow.sent} records once, {kills} kills, {leaves} leaves")
    TOTALS["kills"] += kills
    TOTALS["records"] += flow.sent


def test_a_frozen_process_is_kept_out(kafka):
    """A process that was frozen for longer than its session wakes when another has its partitions:
    what it had open is not committed."""
    place = names(kafka, 2)
    flow = Flow(kafka, place["source"])
    flow.start()
    try:
        first = kafka.execute(SQL % place)
        kafka.wait_for_records(place["target"], 1, first)
        for _ in range(2):
            first.process.send_signal(signal.SIGSTOP)
            second = kafka.execute(SQL % place)
            before = len(kafka.read(place["target"]))
            kafka.wait_for_records(place["target"], before + 400, second)
            first.process.send_signal(signal.SIGCONT)
            time.sleep(1.5)
            assert second.stop() == 0, second.text()
    finally:
        flow.stop()
    lines = drained(kafka, place, flow, first)
    assert first.stop() == 0, first.text()
    check_once(lines, flow.sent)


def test_another_topic_in_the_same_group_at_once(kafka):
    """The group knows the member by its name, and deals it what it had: that is said, and not read."""
    place = names(kafka, 2)
    kafka.produce(place["source"], map(trade, range(100)))
    job = kafka.execute(SQL % place)
    kafka.wait_for_records(place["target"], 100, job)
    job.kill()
    other = {**place, "source": kafka.topic("other", 2), "target": kafka.topic("rows")}
    kafka.produce(other["source"], map(trade, range(50)))
    for _ in range(2):
        job = kafka.execute(SQL % other)
        end = time.monotonic() + 20
        while job.alive() and time.monotonic() < end and len(kafka.read(other["target"])) < 50:
            time.sleep(0.1)
        if job.alive():
            break
        assert "which it read before" in job.text(), job.text()
        time.sleep(8)
    assert len(kafka.read(other["target"])) == 50, job.text()
    assert job.stop() == 0, job.text()


def test_dead_letters_are_in_the_transaction(kafka):
    """Killed again and again, every second record bad: each dead letter comes once too."""
    place = names(kafka)
    letters = kafka.topic("dead")
    sql = (SQL % place).replace(
        "'format' = 'json');\n\nCREATE STREAM out",
        "'format' = 'json');\n\nCREATE STREAM out").rstrip().rstrip(";")
    sql = sql[:-1] + f", 'failure_strategy' = 'SendToDLQ', 'dlq.topic' = '{letters}');"
    count = 20000
    bad = [f'{{"trade_id":"x{i}"}}' for i in range(count)]
    good = [trade(i) for i in range(count)]
    kafka.produce(place["source"], [line for pair in zip(good, bad) for line in pair])
    for _ in range(5):
        job = kafka.execute(sql)
        time.sleep(random.uniform(0.1, 0.6))
        job.kill()
    job = kafka.execute(sql)
    kafka.wait_for_records(letters, count, job)
    assert job.stop() == 0, job.text()
    assert kafka.read(place["target"]) == [expected(i) for i in range(count)]
    assert kafka.read(letters) == bad


def test_dead_letters_are_replayed_once(kafka):
    """REPLAY DLQ puts the bytes, keys and headers back as they were, each once, in however many
    runs; letters of other topics stay."""
    place = names(kafka)
    letters = kafka.topic("dead")
    source = (SQL % place).split("CREATE STREAM out")[0]
    sql = (SQL % place).rstrip().rstrip(";")[:-1] + \
        f", 'failure_strategy' = 'SendToDLQ', 'dlq.topic' = '{letters}');"
    bad = [f'{{"trade_id":"x{i}"}}' for i in range(50)]
    kafka.produce(place["source"], [f"key{i}|{line}" for i, line in enumerate(bad)],
                  "-K", "|", "-H", "trace=abc")
    kafka.produce(letters, ["of another topic"], "-H", "ferris.dlq.source=other[0]")
    job = kafka.execute(sql)
    kafka.wait_for_records(letters, 51, job)
    assert job.stop() == 0, job.text()
    replay = f"-- SQL Application: {kafka.name('app')}\n" + source + f"REPLAY DLQ '{letters}' INTO trades;"
    for _ in range(2):
        job = kafka.execute(replay)
        kafka.wait_for("the end of the replay", lambda: not job.alive())
        assert job.process.returncode == 0, job.text()
    assert kafka.read(place["source"]) == bad + bad
    assert kafka.read_as(place["source"], "%k %h\\n") == \
        [f"key{i} trace=abc" for i in range(50)] * 2


def test_at_most_once_never_doubles(kafka):
    place = names(kafka)
    sql = (SQL % place).rstrip().rstrip(";")[:-1] + ", 'delivery.guarantee' = 'at-most-once');"
    flow = Flow(kafka, place["source"])
    flow.start()
    try:
        for _ in range(4):
            job = kafka.execute(sql)
            before = len(kafka.read(place["target"]))
            kafka.wait_for_records(place["target"], before + 1, job)
            time.sleep(random.uniform(0, 0.3))
            job.kill()
    finally:
        flow.stop()
    job = kafka.execute(sql)
    drained(kafka, place, flow, job, whole=False)
    assert job.stop() == 0, job.text()
    lines = kafka.read(place["target"])
    assert len(lines) == len(set(lines)), f"{len(lines) - len(set(lines))} came twice"
    assert set(lines) <= set(map(expected, range(flow.sent)))


def test_an_id_with_two_users_ends_in_one_clear_error(kafka):
    place = names(kafka)
    name = kafka.name("writer")
    sql = (SQL % place).rstrip().rstrip(";")[:-1] + f", 'sink.kafka.transactional.id' = '{name}');"
    kafka.produce(place["source"], map(trade, range(100)))
    first = kafka.execute(sql)
    kafka.wait_for_records(place["target"], 100, first)
    second = kafka.execute(sql)
    kafka.wait_for("the second one's start", lambda: second.alive() and time.sleep(2) is None)
    kafka.produce(place["source"], map(trade, range(100, 200)))
    kafka.wait_for("the end of the first", lambda: not first.alive())
    assert first.process.returncode == 3 and "FS3108" in first.text(), first.text()
    kafka.wait_for_records(place["target"], 200, second)
    assert second.stop() == 0, second.text()
    check_once(kafka.read(place["target"]), 200)


def test_an_id_with_two_users_under_load_ends_in_one_clear_error(kafka):
    """Whichever is kept out while it writes ends; the other one goes on."""
    place = names(kafka, 2)
    sql = (SQL % place).rstrip().rstrip(";")[:-1] + \
        f", 'sink.kafka.transactional.id' = '{kafka.name('writer')}');"
    flow = Flow(kafka, place["source"])
    flow.start()
    try:
        first = kafka.execute(sql)
        kafka.wait_for_records(place["target"], 1, first)
        second = kafka.execute(sql)
        kafka.wait_for("the end of one", lambda: first.alive() != second.alive())
        ended, goes_on = (second, first) if first.alive() else (first, second)
        time.sleep(2)
    finally:
        flow.stop()
    assert ended.process.returncode == 3 and "FS3108" in ended.text(), ended.text()
    lines = drained(kafka, place, flow, goes_on)
    assert goes_on.stop() == 0, goes_on.text()
    check_once(lines, flow.sent)


def refused(kafka, place, sql=SQL, code="FS3109"):
    job = kafka.execute(sql % place)
    kafka.wait_for("the refusal", lambda: not job.alive())
    assert job.process.returncode == 1 and code in job.text(), job.text()
    return job.text()


def test_settings_that_would_break_the_promise_are_refused(kafka):
    place = names(kafka)
    place["target"] = kafka.topic("lonely", min_insync_replicas=2)
    assert "min.insync.replicas" in refused(kafka, place)
    place["target"] = kafka.topic("further")
    place["source"] = kafka.topic("short", retention_ms=1000)
    assert "retention.ms" in refused(kafka, place)
    place["source"] = kafka.topic("long")
    sql = SQL.replace("SELECT trade_id, symbol, price * quantity AS notional FROM trades",
                      "SELECT symbol, COUNT(*) AS n FROM trades GROUP BY symbol EMIT CHANGES")
    kafka.tool("create", place["group"] + "-out-changelog", 1, "cleanup.policy=delete")
    assert "cleanup.policy" in refused(kafka, place, sql)
    # The user may ask for less.
    place["source"] = kafka.topic("brief", retention_ms=1000)
    job = kafka.execute((SQL % place).rstrip().rstrip(";")[:-1] +
                        ", 'delivery.guarantee' = 'at-least-once');")
    kafka.produce(place["source"], [trade(1)])
    kafka.wait_for_records(place["target"], 1, job)


def test_a_timeout_above_the_brokers_is_refused(kafka):
    place = names(kafka)
    sql = (SQL.rstrip().rstrip(";")[:-1] +
           ", 'sink.kafka.transaction.timeout.ms' = '3600001');")
    assert "transaction.max.timeout.ms" in refused(kafka, place, sql)


if __name__ == "__main__":
    harness.run(globals())
