"""Every Kafka property that a batch strategy sets, or that the Java client names otherwise, has an effect.

ferris-sql runs with wire.c loaded before librdkafka, once for each of two values or more, and what
leaves the process must differ as the property says: the fields of requests, the sockets' buffers,
the records of a batch.  ROWS has a row for each property; test_every_property_has_a_row fails when
one is listed in src/ or in the guide's tables and has none, and test_strategies looks for the value of
every suggestion.  Where something must take longer or come more often, the two processes run side
by side and are compared with each other, never with the clock.
"""
import json
import os
import re

import harness

WIRE = os.path.dirname(harness.TOOL) + "/libwire.so"
RECORDS = 400
SOURCE, SINK = "source", "sink"
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
API_PRODUCE, API_FETCH = 0, 1  # for FERRIS_WIRE_BREAK and _DROP
LATE = ", 'commit.interval' = '1h'"  # the first records are committed, and what comes behind them at the end
ENVIRONMENT = 3  # exit code: the environment failed

READS = """
CREATE STREAM t (id BIGINT, text STRING)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(topic)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'kafka.group.id' = '%(group)s', 'kafka.bounded' = '%(bounded)s'%(options)s);
CREATE STREAM out AS SELECT id, text FROM t
WITH ('connector' = 'file', 'sink.path' = '%(path)s', 'format' = 'json', 'delivery.guarantee' = 'at-least-once');
"""
WRITES = """
CREATE STREAM t (id BIGINT, text STRING) WITH ('connector' = 'file', 'path' = '%(path)s', 'format' = 'json');
CREATE STREAM out AS SELECT id, text FROM t
WITH ('connector' = 'kafka', 'kafka.topic' = '%(topic)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'delivery.guarantee' = '%(guarantee)s', 'commit.interval' = '1h'%(options)s);
"""
BOTH = """
CREATE STREAM t (id BIGINT, text STRING)
WITH ('connector' = 'kafka', 'kafka.topic' = '%(source)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'kafka.group.id' = '%(group)s');
CREATE STREAM out AS SELECT id, text FROM t
WITH ('connector' = 'kafka', 'kafka.topic' = '%(target)s', 'kafka.bootstrap.servers' = '${BROKER}',
      'format' = 'json', 'delivery.guarantee' = '%(guarantee)s'%(options)s);
"""


def record(i):
    return json.dumps({"id": i, "text": "x" * 90}, separators=(",", ":"))


# ---------------------------------------------------------------- a run, and what it did


class Run:
    """A ferris-sql under the eyes of wire.c."""

    def __init__(self, kafka, sql, environment=None):
        self.kafka = kafka
        self.log = kafka.folder + "/" + kafka.name(f"wire-{len(kafka.jobs)}")
        self.job = kafka.execute(sql, environment={"LD_PRELOAD": WIRE, "FERRIS_WIRE_LOG": self.log,
                                                   **(environment or {})})

    def events(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="ascii") as file:
            text = file.read()
        events = [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]
        strange = [event for event in events if "odd" in event]
        assert not strange, strange
        return events

    def requests(self, api):
        return [event for event in self.events() if event.get("api") == api]

    def batches(self):
        return [batch for request in self.requests("Produce") for batch in request["batches"]]

    def properties(self, side):
        """name -> value of the clients of that kind; they must not differ."""
        kind = {SOURCE: "consumer", SINK: "producer"}[side]
        found = [event["properties"] for event in self.events() if event.get("conf") == kind]
        assert found and all(properties == found[0] for properties in found), (kind, found)
        return found[0]

    def wait(self, what, condition):
        return self.kafka.wait_for(what, condition, job=self.job)

    def end(self, code=0):
        """Of a bounded run."""
        assert self.job.process.wait(harness.DEADLINE_SECONDS) == code, self.job.text()
        return self

    def stop(self):
        assert self.job.stop() == 0, self.job.text()
        return self


def options_text(options):
    return "".join(f",\n      'kafka.{name}' = '{value}'" for name, value in options.items())


def reads(kafka, options, bounded=True, environment=None):
    """From a topic of RECORDS to a file."""
    if not kafka.topics:
        kafka.produce(kafka.topic("in"), map(record, range(RECORDS)))
    place = {"topic": kafka.topics[0], "group": kafka.name(f"group-{len(kafka.jobs)}"),
             "bounded": str(bounded).lower(), "path": kafka.folder + f"/out-{len(kafka.jobs)}.jsonl",
             "options": options_text(options)}
    run = Run(kafka, READS % place, environment)
    run.path = place["path"]
    return run


def writes(kafka, options, guarantee="at-least-once", lines=None, environment=None):
    """From a file to a topic."""
    if not kafka.topics:
        kafka.topic("out")
    path = kafka.folder + f"/in-{len(kafka.jobs)}.jsonl"
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines or map(record, range(RECORDS)))
    return Run(kafka, WRITES % {"topic": kafka.topics[0], "path": path, "guarantee": guarantee,
                                "options": options_text(options)}, environment)


def copies(kafka, options, guarantee="at-least-once"):
    """From a topic to a topic of its own; it does not end."""
    place = {"source": kafka.topics[0], "target": kafka.topic(f"copy-{len(kafka.jobs)}"),
             "group": kafka.name(f"group-{len(kafka.jobs)}"), "guarantee": guarantee, "options": options}
    run = Run(kafka, BOTH % place)
    run.target = place["target"]
    return run


# ---------------------------------------------------------------- properties whose value itself is seen


def field(api, name):
    """Of all such requests."""
    return lambda run: {request[name] for request in run.requests(api)}


def of_partitions(name):
    return lambda run: {partition[name] for request in run.requests("Fetch")
                        for partition in request["partitions"]}


def socket(name):
    return lambda run: {event["value"] for event in run.events() if event.get("socket") == name}


def codec(run):
    return {batch["codec"] for batch in run.batches()}


def polled(run):
    """The most that a poll asked for; none may have got more."""
    polls = [event for event in run.events() if "poll" in event]
    assert all(event["got"] <= event["poll"] for event in polls)
    return {max(event["poll"] for event in polls)} if polls else set()


def number_of_acks(value):
    return -1 if value == "all" else int(value)


class Seen:
    """One run for each value: exactly what `expect` makes of it is seen, by all requests alike."""

    def __init__(self, side, name, values, see, expect=int, group=False):
        self.side, self.name, self.values = side, name, values
        self.see, self.expect, self.group = see, expect, group
        assert len({expect(value) for value in values}) > 1, "both would look alike"

    def start(self, kafka, value):
        if self.side == SOURCE:
            return reads(kafka, {self.name: value}, bounded=not self.group)
        return writes(kafka, {self.name: value}, "at-most-once" if value == "0" else "at-least-once")

    def check(self, run, value):
        found = self.see(run)
        assert found == {self.expect(value)}, f"{self.name} = {value}: {found}"

    def test(self, kafka):
        runs = [(value, self.start(kafka, value)) for value in self.values]
        for value, run in runs:
            if self.group:
                run.wait(self.name, lambda: self.see(run))
                run.stop()
            else:
                run.end()
            self.check(run, value)


# ---------------------------------------------------------------- properties whose effect is seen


class Effect:
    """What `function` asserts; `conf` says what librdkafka calls the property and its value."""

    def __init__(self, side, name, function, conf=None, divisor=1):
        self.side, self.name, self.test = side, name, function
        self.conf, self.divisor = conf or name, divisor

    def check(self, run, value):
        """That the client has the value; what follows from it test() shows."""
        found = run.properties(self.side)[self.conf]
        wanted = str(int(value) // self.divisor) if self.divisor > 1 else value
        assert found == wanted or float(found) == float(wanted), f"{self.name} = {value}: {found}"


def more_often(name, api, often, seldom, count):
    """Of two that run side by side one soon has sent many more of them than the other."""
    def test(kafka):
        first, second = (reads(kafka, {name: value}, bounded=False) for value in (often, seldom))
        for run in (first, second):
            run.wait("a fetch", lambda: run.requests("Fetch"))
        before = [len(run.requests(api)) for run in (first, second)]
        first.wait(f"many {api}", lambda: len(first.requests(api)) - before[0] >=
                   count + 2 * (len(second.requests(api)) - before[1]))
        first.stop()
        second.stop()
    return test


def offset_reset(kafka):
    """The first fetch is of the first record, or of the one behind the last; so is the output."""
    first = reads(kafka, {"auto.offset.reset": "earliest"}, bounded=False)
    last = reads(kafka, {"auto.offset.reset": "latest"}, bounded=False)
    for run in (first, last):
        run.wait("a fetch", lambda: run.requests("Fetch"))
    kafka.produce(kafka.topics[0], map(record, range(RECORDS, RECORDS + 5)))
    for run, begin in ((first, 0), (last, RECORDS)):
        run.wait("records", lambda: of_partitions("offset")(run) >= {RECORDS + 5})
        run.stop()
        assert run.requests("Fetch")[0]["partitions"][0]["offset"] == begin, run.requests("Fetch")[0]
        with open(run.path, encoding="ascii") as file:
            assert file.read().split() == [record(i) for i in range(begin, RECORDS + 5)]


def refused(name, value, reason):
    def test(kafka):
        run = reads(kafka, {name: value}).end(code=1)
        assert f"'kafka.{name}' cannot be set: {reason}" in run.job.text(), run.job.text()
        assert not run.requests("Fetch")
        plain = reads(kafka, {}).end()
        assert plain.properties(SOURCE)[name] == ("false" if value == "true" else "true")
    return test


def commits_by_the_engine(kafka):
    """Each record is written, acknowledged, and then its position committed; librdkafka adds no commit."""
    kafka.topic("in")
    run = copies(kafka, ", 'commit.interval' = '50ms'")
    for i in range(3):
        kafka.produce(kafka.topics[0], [record(i)])
        run.wait("a commit", lambda: len(run.requests("OffsetCommit")) > i)
    run.stop()
    written = [(request["connection"], request["id"]) for request in run.requests("Produce")]
    steps = [event.get("api", "answer") for event in run.events()
             if event.get("api") in ("Produce", "OffsetCommit") or
             ("answer" in event and (event["connection"], event["answer"]) in written)]
    assert steps == ["Produce", "answer", "OffsetCommit"] * 3, steps
    refused("enable.auto.commit", "true", "positions are committed when the output is safe")(kafka)


def lingers(kafka):
    """Behind the first record, which is committed at once, each leaves alone, or waits for the end."""
    kafka.topic("in")
    soon = copies(kafka, LATE + ", 'kafka.linger.ms' = '0'")
    late = copies(kafka, LATE + ", 'kafka.linger.ms' = '250000'")
    for i in range(4):
        kafka.produce(kafka.topics[0], [record(i)])
        soon.wait("a record", lambda: len(soon.batches()) > i)
        late.wait("the record's being read", lambda: of_partitions("offset")(late) >= {i + 1})
        late.wait("the first record", late.batches)
    fetches = len(late.requests("Fetch"))
    late.wait("another fetch", lambda: len(late.requests("Fetch")) > fetches + 3)
    assert len(late.batches()) == 1
    soon.stop()
    late.stop()
    assert [batch["records"] for batch in soon.batches()] == [1, 1, 1, 1]
    assert [batch["records"] for batch in late.batches()] == [1, 3]


def sizes_of_batches(kafka):
    sizes = (2000, 16384)
    runs = [writes(kafka, {"batch.size": size, "linger.ms": "1000"}) for size in sizes]
    small, large = ([batch["bytes"] for batch in run.end().batches()] for run in runs)
    assert max(small) <= sizes[0] < max(large) <= sizes[1], (small, large)
    assert len(small) > 2 * len(large) > 2


def memory_of_the_buffer(kafka):
    """A full buffer holds the writer back until what is in it has been sent."""
    lines = list(map(record, range(3000)))
    runs = [writes(kafka, {"buffer.memory": size, "linger.ms": "500"}, lines=lines)
            for size in ("65536", "33554432")]
    small, large = ([batch["records"] * len(lines[-1]) for batch in run.end().batches()] for run in runs)
    assert 0.8 * 65536 < max(small) < 1.05 * 65536, small
    assert large == [3000 * len(lines[-1])], large


def retried(kafka):
    """The connection breaks behind the first request."""
    broken = {"FERRIS_WIRE_BREAK": f"{API_PRODUCE}:1"}
    never, again = (writes(kafka, {"retries": n}, environment=broken) for n in ("0", "3"))
    never.end(ENVIRONMENT)
    again.end()
    assert "records were not delivered" in never.job.text(), never.job.text()
    assert len(never.requests("Produce")) == 1
    assert [request.get("broken", False) for request in again.requests("Produce")][:2] == [True, False]


def given_up(kafka):
    """Fifteen connections break: at least three seconds of waiting for the next try."""
    broken = {"FERRIS_WIRE_BREAK": f"{API_PRODUCE}:15"}
    soon, late = (writes(kafka, {"delivery.timeout.ms": n, "retry.backoff.ms": "200",
                                 "reconnect.backoff.max.ms": "100"}, environment=broken)
                  for n in ("1000", "300000"))
    soon.end(ENVIRONMENT)
    late.end()
    assert "Message timed out" in soon.job.text(), soon.job.text()
    assert len(soon.requests("Produce")) < 15 < len(late.requests("Produce"))


def unanswered(kafka):
    """A fetch that the broker never got: one client has asked again and read all, while the other one
    still waits."""
    lost = {"FERRIS_WIRE_DROP": f"{API_FETCH}:1"}
    soon, late = (reads(kafka, {"request.timeout.ms": n}, environment=lost) for n in ("1500", "60000"))
    late.wait("a fetch", lambda: late.requests("Fetch"))
    soon.end()
    assert [request.get("dropped", False) for request in soon.requests("Fetch")][:2] == [True, False]
    assert len(late.requests("Fetch")) == 1
    late.job.kill()


def in_flight(kafka):
    """Of some fifty requests that the broker never gets so many are sent, and no further one."""
    lost = {"FERRIS_WIRE_DROP": f"{API_PRODUCE}:1000"}
    runs = [(n, writes(kafka, {"max.in.flight.requests.per.connection": n, "batch.size": "1000"},
                       environment=lost)) for n in (1, 3, 8)]
    for n, run in runs:
        run.wait(f"{n} requests", lambda: len(run.requests("Produce")) >= n)
    assert [len(run.requests("Produce")) for _, run in runs] == [n for n, _ in runs]
    for _, run in runs:
        run.job.kill()


def sizes_of_requests(kafka):
    lines = [json.dumps({"id": 1, "text": "x" * 5000})]
    small, large = (writes(kafka, {"max.request.size": n}, lines=lines) for n in ("4000", "10000"))
    small.end(ENVIRONMENT)
    assert "Message size too large" in small.job.text(), small.job.text()
    assert [batch["records"] for batch in large.end().batches()] == [1] and not small.batches()


def waits_to_reconnect(kafka):
    """No more than that the client has it: how long it waits is up to chance."""
    for side, start in ((SOURCE, reads), (SINK, writes)):
        del kafka.topics[1:]
        for value in ("300", "700"):
            run = start(kafka, {"reconnect.backoff.max.ms": value}).end()
            assert run.properties(side)["reconnect.backoff.max.ms"] == value


ROWS = [
    Seen(SOURCE, "fetch.min.bytes", ["17", "1024"], field("Fetch", "min_bytes")),
    Seen(SOURCE, "fetch.max.wait.ms", ["1", "100"], field("Fetch", "max_wait")),
    Seen(SOURCE, "fetch.max.bytes", ["2000000", "10485760"], field("Fetch", "max_bytes")),
    Seen(SOURCE, "max.partition.fetch.bytes", ["65536", "70000"], of_partitions("max_bytes")),
    Seen(SOURCE, "isolation.level", ["read_committed", "read_uncommitted"], field("Fetch", "isolation"),
         ["read_uncommitted", "read_committed"].index),
    Seen(SOURCE, "max.poll.records", ["7", "50"], polled),
    Seen(SOURCE, "receive.buffer.bytes", ["32768", "65536"], socket("SO_RCVBUF")),
    Seen(SOURCE, "session.timeout.ms", ["10000", "30000"], field("JoinGroup", "session_timeout"), group=True),
    Seen(SOURCE, "max.poll.interval.ms", ["60000", "90000"], field("JoinGroup", "rebalance_timeout"),
         group=True),
    Effect(SOURCE, "heartbeat.interval.ms",
           more_often("heartbeat.interval.ms", "Heartbeat", "100", "5500", 3)),
    Effect(SOURCE, "metadata.max.age.ms",
           more_often("metadata.max.age.ms", "Metadata", "100", "100000", 10)),
    Effect(SOURCE, "auto.offset.reset", offset_reset),
    Effect(SOURCE, "enable.auto.commit", commits_by_the_engine),
    Effect(SOURCE, "enable.auto.offset.store",
           refused("enable.auto.offset.store", "true", "positions are committed when the output is safe")),
    Effect(SOURCE, "enable.partition.eof",
           refused("enable.partition.eof", "false", "the reader needs it as it is")),
    Effect(SOURCE, "request.timeout.ms", unanswered),
    Effect(SOURCE, "reconnect.backoff.max.ms", waits_to_reconnect),
    Seen(SINK, "acks", ["0", "1", "all"], field("Produce", "acks"), number_of_acks),
    Seen(SINK, "compression.type", list(CODECS), codec, CODECS.get),
    Seen(SINK, "send.buffer.bytes", ["32768", "65536"], socket("SO_SNDBUF")),
    Effect(SINK, "batch.size", sizes_of_batches),
    Effect(SINK, "linger.ms", lingers, "queue.buffering.max.ms"),
    Effect(SINK, "buffer.memory", memory_of_the_buffer, "queue.buffering.max.kbytes", 1024),
    Effect(SINK, "retries", retried, "message.send.max.retries"),
    Effect(SINK, "delivery.timeout.ms", given_up),
    Effect(SINK, "max.in.flight.requests.per.connection", in_flight),
    Effect(SINK, "max.request.size", sizes_of_requests),
]
BY_NAME = {(row.side, row.name): row for row in ROWS}
assert len(BY_NAME) == len(ROWS)
for each in ROWS:
    globals()["test_" + each.name.replace(".", "_")] = each.test


# ---------------------------------------------------------------- none is forgotten


def source_text(path):
    with open(f"{harness.ROOT}/{path}", encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


def suggestions():
    """strategy -> (side, property, value) of Kafka, a parameter's name replaced by its default."""
    text = source_text("src/plan/batch_strategy_list.h")
    names = dict(re.findall(r'^STRATEGY\((\w+), "(\w+)"', text, re.M))
    initial = {(strategy, option): value for strategy, option, value in
               re.findall(r'^PARAMETER\((\w+), "([\w.]+)", \w+, "([^"]*)"', text, re.M)}
    found = {name: [] for name in names.values()}
    for strategy, side, name, value in re.findall(
            r'^SUGGEST\((\w+), "kafka", ROLE_(\w+), "kafka\.([\w.]+)", "([^"]*)"\)$', text, re.M):
        value = initial[strategy, value[1:]] if value.startswith("=") else value
        found[names[strategy]].append((side.lower(), name, value))
    assert sum(map(len, found.values())) == text.count('"kafka.') == 47, "a line is not understood"
    return found


def test_every_property_has_a_row(_kafka):
    wanted = {(side, name) for listed in suggestions().values() for side, name, _ in listed}
    properties = source_text("src/connector/kafka_property_list.h")
    named = re.findall(r'^(?:PROPERTY|OWNED)\("([\w.]+)"', properties, re.M)
    assert len(named) == len(re.findall(r"^(?:PROPERTY|OWNED)\(", properties, re.M)) > 10
    with open(f"{harness.ROOT}/tests/config/performance_guide.md", encoding="utf-8") as file:
        tables = re.findall(r"^#### (Source|Sink) Settings \(Kafka\)\n(.*?)(?=^#|\Z)", file.read(), re.M | re.S)
    guide = {(side.lower(), name) for side, table in tables
             for name in re.findall(r"^\| `([\w.]+)`", table, re.M)}
    assert len(tables) == 10 and len(guide) > 10
    missing = (wanted | guide) - set(BY_NAME)
    missing |= set(named) - {name for _, name in BY_NAME}
    assert not missing, f"no row for {missing}"


def test_other_names(kafka):
    """What a name means does not depend on how it is written: idempotence ends, as with the Java names."""
    for name, value, shown in (("message.send.max.retries", "0", "message.send.max.retries"),
                               ("max.in.flight", "7", "max.in.flight.requests.per.connection"),
                               ("Request.Required.ACKS", "1", "request.required.acks")):
        properties = writes(kafka, {name: value}).end().properties(SINK)
        assert (properties[shown], properties["enable.idempotence"]) == (value, "false"), properties


def test_strategies(kafka):
    """What a strategy suggests is what the brokers see, or what the client has where a row says so."""
    kafka.produce(kafka.topic("in"), map(record, range(RECORDS)))
    quick = {"FixedSize": ", 'batch.timeout_ms' = '200'", "TimeWindow": ", 'batch.window_duration_ms' = '200'"}
    runs = []
    for strategy, suggested in suggestions().items():
        guarantee = "at-most-once" if (SINK, "acks", "0") in suggested else "at-least-once"
        runs.append((suggested, copies(kafka, f", 'batch.strategy' = '{strategy}'" + quick.get(strategy, ""),
                                       guarantee)))
    for suggested, run in runs:
        run.wait("the output", lambda: sum(batch["records"] for batch in run.batches()) == RECORDS)
        run.stop()
        for side, name, value in suggested:
            BY_NAME[side, name].check(run, value)


if __name__ == "__main__":
    harness.run(globals())
