"""Statements of several topics, windows and tables, on a real Kafka."""
import json

import harness

SOURCE = """
CREATE %(object)s %(name)s (%(columns)s)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(topic)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'watermark.idle.timeout' = '1s');
"""

SINK = """
WITH ('sink.connector' = 'kafka', 'sink.kafka.topic' = '%(topic)s',
      'sink.kafka.bootstrap.servers' = '${BROKER}', 'sink.format' = 'json',
      'sink.changelog.mode' = '%(mode)s');
"""


def source(name, topic, columns, what="STREAM"):
    return SOURCE % {"object": what, "name": name, "topic": topic, "columns": columns}


def sink(topic, mode="append"):
    return SINK % {"topic": topic, "mode": mode}


def at(seconds):
    return f"2024-01-01T00:{seconds // 60:02d}:{seconds % 60:02d}Z"


def rows(*pairs):
    return [json.dumps(pair) for pair in pairs]


def test_a_window_closes_without_a_next_record(kafka):
    source_topic, target = kafka.topic("in", 2), kafka.topic("out")
    kafka.produce(source_topic, rows({"v": 1, "t": at(1)}, {"v": 2, "t": at(5)}))
    job = kafka.execute(
        source("t", source_topic, "v INTEGER, t TIMESTAMP, WATERMARK FOR t AS t") +
        "CREATE STREAM out AS SELECT SUM(v) AS s FROM t GROUP BY TUMBLE(t, INTERVAL '6' SECOND)" +
        sink(target))
    assert kafka.wait_for_records(target, 1, job) == ['{"s":3}']
    assert job.stop() == 0, job.text()


def test_two_topics_meet_within_a_time(kafka):
    meet(kafka, lambda text: text)


def test_two_members_of_one_group_do_not_read_twice(kafka):
    """The second member takes the first one's partitions away for a moment; nothing is committed yet."""
    group = kafka.name("group")
    meet(kafka, lambda text: text.replace("'format' = 'json', 'watermark",
                                          f"'kafka.group.id' = '{group}', 'format' = 'json', 'watermark"))


def meet(kafka, change):
    left, right, target = kafka.topic("left", 2), kafka.topic("right", 3), kafka.topic("out")
    kafka.produce(left, rows(*({"id": i, "t": at(i)} for i in range(100))))
    kafka.produce(right, rows(*({"id": i, "w": i * 10, "t": at(i + 2)} for i in range(0, 100, 2))))
    columns = "id INTEGER, t TIMESTAMP, WATERMARK FOR t AS t - INTERVAL '2' MINUTE"
    job = kafka.execute(
        change(source("l", left, columns) + source("r", right, "w INTEGER, " + columns)) +
        "CREATE STREAM out AS SELECT l.id, w FROM l JOIN r WITHIN 5 SECONDS ON l.id = r.id" +
        sink(target))
    lines = kafka.wait_for_records(target, 50, job)
    assert sorted(lines) == sorted(f'{{"id":{i},"w":{i * 10}}}' for i in range(0, 100, 2)), lines
    # More of both while it runs.
    kafka.produce(left, rows({"id": 200, "t": at(150)}))
    kafka.produce(right, rows({"id": 200, "w": 7, "t": at(151)}))
    assert '{"id":200,"w":7}' in kafka.wait_for_records(target, 51, job)
    assert job.stop() == 0, job.text()


def test_a_topic_with_itself(kafka):
    topic, target = kafka.topic("in", 2), kafka.topic("out")
    kafka.produce(topic, rows(*({"k": "x", "v": i, "t": at(10 * i)} for i in range(10))))
    job = kafka.execute(
        source("t", topic, "k STRING, v INTEGER, t TIMESTAMP, "
               "WATERMARK FOR t AS t - INTERVAL '5' MINUTE") +
        "CREATE STREAM out AS SELECT a.v, b.v AS next FROM t a JOIN t b ON a.k = b.k "
        "AND b.t > a.t AND b.t <= a.t + INTERVAL '10' SECOND" + sink(target))
    lines = kafka.wait_for_records(target, 9, job)
    assert sorted(lines) == [f'{{"v":{i},"next":{i + 1}}}' for i in range(9)], lines
    assert job.stop() == 0, job.text()


def test_tables_follow_updates_and_null_values(kafka):
    accounts, target = kafka.topic("accounts"), kafka.topic("branches", cleanup_policy="compact")

    def put(*records):
        kafka.produce(accounts, [f"{key}|{value}" for key, value in records], "-K", "|", "-Z")

    def account(key, branch, balance):
        return key, json.dumps({"id": key, "branch": branch, "balance": balance})

    put(account(1, "north", 10), account(2, "north", 20), account(1, "south", 10))
    job = kafka.execute(
        source("accounts", accounts, "id INTEGER PRIMARY KEY, branch STRING, balance INTEGER",
               "TABLE") +
        "CREATE STREAM out AS SELECT branch, SUM(balance) AS total FROM accounts GROUP BY branch" +
        sink(target, "upsert"))
    kafka.wait_for_records(target, 4, job)
    put((2, ""))
    kafka.wait_for("the null value", lambda: len(kafka.read_as(target, "%k\\n")) == 5, job=job)
    assert kafka.read_as(target, "%k %S %s\\n") == [
        'north 29 {"branch":"north","total":10}', 'north 29 {"branch":"north","total":30}',
        'north 29 {"branch":"north","total":20}', 'south 29 {"branch":"south","total":10}',
        "north -1 "], kafka.read_as(target, "%k %S %s\\n")
    assert job.stop() == 0, job.text()


harness.run(globals())
