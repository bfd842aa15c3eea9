"""State survives: processes that count, close windows and keep what is distinct are killed again and
again; the results are those of a process that never was."""
import json
import random
import signal
import time
from collections import defaultdict

import harness
from test_kafka_to_kafka import Flow

MORE_KILLS = 1  # soak.py: so many times as many
TOTALS = {"kills": 0, "records": 0}
KEYS = 11
STEP_MS = 250  # of event time, from record to record
WINDOW_MS = 10_000

SOURCE = """
CREATE STREAM trades (id BIGINT, symbol STRING, quantity INTEGER, ts TIMESTAMP,
                      WATERMARK FOR ts AS ts)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(source)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'kafka.group.id' = '%(group)s', 'watermark.idle.timeout' = '0');
"""
SINK = """
WITH ('connector' = 'kafka', 'kafka.topic' = '%(target)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'delivery.guarantee' = 'exactly-once');
"""
COUNTS = """CREATE STREAM counts AS SELECT symbol, COUNT(*) AS n, SUM(quantity) AS q, MAX(id) AS last
FROM trades GROUP BY symbol EMIT CHANGES"""
WINDOWS = """CREATE STREAM windows AS SELECT symbol, TUMBLE_START(ts, INTERVAL '10' SECOND) AS s,
COUNT(*) AS n, SUM(quantity) AS q FROM trades GROUP BY symbol, TUMBLE(ts, INTERVAL '10' SECOND)
EMIT FINAL"""
DISTINCT = """CREATE STREAM kinds AS SELECT DISTINCT symbol, quantity FROM trades"""


LAGS = """CREATE STREAM lags AS SELECT id, symbol, LAG(id) OVER (PARTITION BY symbol ORDER BY ts) AS before,
COUNT(*) OVER (PARTITION BY symbol ORDER BY ts) AS n FROM trades"""
SESSIONS = """CREATE STREAM sessions AS SELECT symbol, COUNT(*) AS n, MIN(id) AS first, MAX(id) AS last
FROM trades GROUP BY symbol, SESSION(ts, INTERVAL '1' SECOND) EMIT FINAL"""
PAIRS = """CREATE STREAM pairs AS SELECT a.id AS a, b.id AS b, a.symbol FROM trades a
JOIN trades b WITHIN INTERVAL '2' SECONDS ON a.symbol = b.symbol AND a.quantity = b.quantity"""
BEFORE = """CREATE STREAM before AS SELECT a.id AS a, b.id AS b, a.symbol FROM trades a
ASOF LEFT JOIN (SELECT id, symbol, ts FROM trades WHERE quantity = 0) b
ON a.symbol = b.symbol AND a.ts > b.ts"""
AFTER = """CREATE STREAM after AS SELECT a.id AS a, b.id AS b, a.symbol FROM trades a
ASOF JOIN trades b ON a.symbol = b.symbol AND a.ts < b.ts"""
CITIES = """CREATE TABLE cities (symbol STRING PRIMARY KEY, city STRING)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(cities)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'kafka.group.id' = '%(group)s-cities');
CREATE STREAM placed AS SELECT t.id, t.symbol, c.city FROM trades t
JOIN cities c ON t.symbol = c.symbol"""
AS_OF = """CREATE STREAM present AS SELECT a.id AS a, b.id AS b, a.symbol FROM trades a
JOIN trades FOR SYSTEM_TIME AS OF a.ts b ON a.symbol = b.symbol"""


def record(i):
    return {"id": i, "symbol": f"S{i * i % KEYS}", "quantity": i % 10, "ts": i * STEP_MS}


def line(i):
    return json.dumps(record(i), separators=(",", ":"))


class Records(Flow):
    make = staticmethod(line)

    def run(self):
        while not self.stopping.is_set():
            self.kafka.produce(self.topic, map(line, range(self.sent, self.sent + 200)))
            self.sent += 200
            time.sleep(0.02)


def kill_again_and_again(kafka, query, partitions=2, kills=7, twice=False, **topics):
    """Returns the committed output and how many records were sent, when all are in it.  `twice`:
    the query reads the source twice, in groups of their own.  `topics`: others, by their names in
    the query."""
    place = {**topics, "source": kafka.topic("in", partitions), "target": kafka.topic("out"),
             "group": kafka.name("group")}
    groups = [place["group"]]
    sql = (SOURCE + query + SINK) % place
    if twice:
        name = query.split()[2]
        groups = [f"{place['group']}-{name}", f"{place['group']}-{name}-trades-2"]
        sql = f"-- SQL Application: {place['group']}\n" + sql.replace(
            f", 'kafka.group.id' = '{place['group']}'", "")

    def progress():
        return min(sum(at or 0 for at in kafka.committed(group, place["source"]).values())
                   for group in groups)

    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    moments = random.Random(seed)
    flow = Records(kafka, place["source"])
    flow.start()
    try:
        for _ in range(kills * MORE_KILLS):
            job = kafka.execute(sql)
            start = progress()
            kafka.wait_for("progress", lambda: progress() > start, job=job)
            time.sleep(moments.uniform(0, 0.8))
            assert job.alive(), job.text()
            job.kill()
    finally:
        flow.stop()
    # One record a partition ends every window of those before it.
    for partition in range(partitions):
        kafka.produce(place["source"], [json.dumps(
            {"id": -1, "symbol": "END", "quantity": 0, "ts": 10 ** 12})], "-p", str(partition))
    job = kafka.execute(sql)
    kafka.wait_for("the end", lambda: progress() >= flow.sent + partitions, job=job)
    assert job.stop() == 0, job.text()
    print(f"# {flow.sent} records, {kills * MORE_KILLS} kills")
    TOTALS["kills"] += kills * MORE_KILLS
    TOTALS["records"] += flow.sent
    rows = [row for row in kafka.read_json(place["target"]) if row.get("symbol") != "END"]
    return rows, flow.sent


def check_counts(rows, sent, make=record):
    """Each record gives its key's next count: 1, 2, 3 ... in the order of the output."""
    assert len(rows) == sent, f"{len(rows)} rows of {sent} records"
    sums, counts = defaultdict(int), defaultdict(int)
    for row in rows:
        counts[row["symbol"]] += 1
        assert row["n"] == counts[row["symbol"]], (row, counts[row["symbol"]])
    for one in map(make, range(sent)):
        sums[one["symbol"]] += one["quantity"]
    last = {row["symbol"]: row["q"] for row in rows}
    assert last == dict(sums)


def check_windows(rows, sent, make=record):
    expected = defaultdict(lambda: [0, 0])
    for one in map(make, range(sent)):
        window = expected[(one["symbol"], one["ts"] // WINDOW_MS)]
        window[0] += 1
        window[1] += one["quantity"]
    found = harness.windows_of(rows, lambda row: [row["n"], row["q"]])
    assert found == dict(expected), f"{len(found)} windows, {len(expected)} expected"


def test_counts_have_no_gap(kafka):
    check_counts(*kill_again_and_again(kafka, COUNTS))


def test_windows_close_once(kafka):
    check_windows(*kill_again_and_again(kafka, WINDOWS))


def test_what_is_distinct_comes_once(kafka):
    rows, sent = kill_again_and_again(kafka, DISTINCT, kills=4)
    found = sorted((row["symbol"], row["quantity"]) for row in rows)
    assert found == sorted({(record(i)["symbol"], record(i)["quantity"]) for i in range(sent)})


def by_symbol(sent):
    found = defaultdict(list)
    for i in range(sent):
        found[record(i)["symbol"]].append(i)
    return found


def test_rows_know_those_before_them(kafka):
    """OVER in the order of event time, over two partitions that are not in step."""
    rows, sent = kill_again_and_again(kafka, LAGS, kills=5)
    expected = {}
    for ids in by_symbol(sent).values():
        for n, i in enumerate(ids):
            expected[i] = (ids[n - 1] if n > 0 else None, n + 1)
    assert len(rows) == sent, f"{len(rows)} rows of {sent} records"
    assert {row["id"]: (row["before"], row["n"]) for row in rows} == expected


def test_sessions_end_once(kafka):
    rows, sent = kill_again_and_again(kafka, SESSIONS, kills=5)
    expected = []
    for symbol, ids in by_symbol(sent).items():
        session = []
        for i in ids + [None]:
            if session and (i is None or (i - session[-1]) * STEP_MS >= 1000):
                expected.append((symbol, len(session), session[0], session[-1]))
                session = []
            session.append(i)
    found = sorted((row["symbol"], row["n"], row["first"], row["last"]) for row in rows)
    assert found == sorted(expected), f"{len(found)} sessions, {len(expected)} expected"


def test_pairs_meet_once(kafka):
    rows, sent = kill_again_and_again(kafka, PAIRS, kills=5, twice=True)
    span = 2000 // STEP_MS
    expected = sorted((a, b) for a in range(sent)
                      for b in range(max(0, a - span), min(sent, a + span + 1))
                      if record(a)["symbol"] == record(b)["symbol"] and
                      record(a)["quantity"] == record(b)["quantity"])
    found = sorted((row["a"], row["b"]) for row in rows)
    assert found == expected, f"{len(found)} pairs, {len(expected)} expected"


def check_versions(kafka, query, version):
    """ASOF: each row comes out once, with the one that `version` names among those of its key."""
    rows, sent = kill_again_and_again(kafka, query, kills=5, twice=True)
    expected = {}
    for ids in by_symbol(sent).values():
        for n, i in enumerate(ids):
            expected[i] = version(ids, n)
    expected = {i: other for i, other in expected.items() if other is not ...}
    assert len(rows) == len(expected), f"{len(rows)} rows, {len(expected)} expected"
    assert {row["a"]: row["b"] for row in rows} == expected


def test_versions_before(kafka):
    """A version stays for many rows."""
    check_versions(kafka, BEFORE, lambda ids, n: next(
        (i for i in reversed(ids[:n]) if record(i)["quantity"] == 0), None))


def test_versions_after(kafka):
    """The last row of each key waits on."""
    check_versions(kafka, AFTER, lambda ids, n: ids[n + 1] if n + 1 < len(ids) else ...)


def test_versions_of_the_present(kafka):
    check_versions(kafka, AS_OF, lambda ids, n: ids[n])


def test_the_table_is_there_again(kafka):
    """Its topic is read once, by the first process; the others know it from what was saved."""
    cities = kafka.topic("cities")
    symbols = sorted({record(i)["symbol"] for i in range(KEYS)})
    for city in ("old", "new"):
        kafka.produce(cities, [f'{s}|{{"symbol":"{s}","city":"{city} {s}"}}' for s in symbols],
                      "-K", "|")
    rows, sent = kill_again_and_again(kafka, CITIES, kills=5, cities=cities)
    assert len(rows) == sent, f"{len(rows)} rows of {sent} records"
    assert sorted(row["id"] for row in rows) == list(range(sent))
    assert all(row["city"] == f"new {row['symbol']}" for row in rows)


def test_a_group_larger_than_a_message(kafka):
    """Some 1.2 MB of state in one group: the brokers take 1 MB as one record."""
    place = {"source": kafka.topic("in", 2), "target": kafka.topic("out"), "group": kafka.name("group")}
    sql = (SOURCE + "CREATE STREAM seen AS SELECT COUNT(DISTINCT id) AS n FROM trades EMIT CHANGES" +
           SINK.replace("'delivery", "'commit.interval' = '500ms', 'delivery")) % place
    kafka.produce(place["source"], map(line, range(150_000)))
    job = kafka.execute(sql)
    kafka.wait_for_records(place["target"], 150_000, job)
    job.kill()
    for more in range(3):
        kafka.produce(place["source"], map(line, range(149_990 + more, 150_001 + more)))
        job = kafka.execute(sql)
        kafka.wait_for_records(place["target"], 150_000 + 11 * (more + 1), job)
        assert job.stop() == 0, job.text()
    counts = [row["n"] for row in kafka.read_json(place["target"])]
    assert len(counts) == 150_033 and sorted(set(counts)) == list(range(1, 150_004)), max(counts)


def test_state_of_another_query_is_refused(kafka):
    place = {"source": kafka.topic("in"), "target": kafka.topic("out"),
             "group": kafka.name("group")}
    sql = (SOURCE + COUNTS + SINK) % place
    kafka.produce(place["source"], map(line, range(100)))
    job = kafka.execute(sql)
    kafka.wait_for_records(place["target"], 100, job)
    assert job.stop() == 0, job.text()
    job = kafka.execute(sql.replace("SUM(quantity)", "SUM(quantity + 1)"))
    kafka.wait_for("the refusal", lambda: not job.alive())
    assert job.process.returncode == 3 and "FS3202" in job.text(), job.text()


def test_two_processes_do_not_share_one_state(kafka):
    place = {"source": kafka.topic("in", 2), "target": kafka.topic("out"),
             "group": kafka.name("group")}
    sql = (SOURCE + COUNTS + SINK) % place
    kafka.produce(place["source"], map(line, range(100)))
    first = kafka.execute(sql)
    kafka.wait_for_records(place["target"], 100, first)
    second = kafka.execute(sql)
    kafka.wait_for("the refusal", lambda: not second.alive())
    assert second.process.returncode == 1 and "FS1301" in second.text(), second.text()
    kafka.produce(place["source"], map(line, range(100, 200)))
    rows = kafka.wait_for_records(place["target"], 200, first)
    assert len(rows) == 200
    assert first.stop(signal.SIGTERM) == 0, first.text()


if __name__ == "__main__":
    harness.run(globals())
