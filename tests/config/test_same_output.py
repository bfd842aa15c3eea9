"""tests/config/test_same_output.py -- what comes out does not depend on where batches end: each strategy,
and none, writes the same bytes.

    python3 tests/config/test_same_output.py [NAME...]

From file to file, files that are whole and files that grow while they are watched."""
import json
import os
import random
import time

import guide
from guide import STRATEGIES

SEED = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
ROWS = 6000
STEP_MS = 20
FORMATS = ["json", "csv"]
# Parameters that make batches small, and waiting short.
SMALL = {
    None: {},
    "FixedSize": {"batch.batch_size": "70", "batch.timeout_ms": "300"},
    "TimeWindow": {"batch.window_duration_ms": "200", "batch.max_batch_size": "90"},
    "AdaptiveSize": {"batch.initial_batch_size": "50", "batch.min_batch_size": "3",
                     "batch.max_batch_size": "400", "batch.performance_window_ms": "20"},
    "MemoryBased": {"batch.min_batch_size": "5", "batch.max_batch_size": "60",
                    "batch.memory_check_frequency_ms": "10"},
    "LowLatency": {"batch.max_latency_ms": "20"},
}
VARIANTS = [("none", {}), ("disabled", {"batch.enable_batching": "false"})]
for _strategy in STRATEGIES:
    VARIANTS.append((_strategy, {"batch.strategy": _strategy}))
    VARIANTS.append((f"{_strategy}, small", {"batch.strategy": _strategy, **SMALL[_strategy]}))
    VARIANTS.append((f"{_strategy}, off", {"batch.strategy": _strategy, "batch.enable_batching": "false"}))
VARIANTS += [
    ("TimeWindow by event time", {"batch.strategy": "TimeWindow", "batch.window_alignment": "event_time",
                                  "batch.window_duration_ms": "700", "batch.max_batch_size": "41"}),
    ("LowLatency, waiting", {"batch.strategy": "LowLatency", "batch.immediate_processing": "false",
                             "batch.latency_monitoring": "false", "batch.max_latency_ms": "20"}),
    ("FixedSize of 1", {"batch.strategy": "FixedSize", "batch.batch_size": "1"}),
    ("FixedSize by bytes", {"batch.strategy": "FixedSize", "batch.max_memory_per_batch": "1024"}),
]

COLUMNS = "id BIGINT, symbol STRING, price DECIMAL(12,2), ts TIMESTAMP"
QUERIES = {
    "filter": "SELECT id, symbol, price * 2 AS double, ts FROM trades WHERE price > 100",
    "windows": "SELECT symbol, TUMBLE_START(ts, INTERVAL '1' SECOND) AS s, COUNT(*) AS n, SUM(price) AS p, "
               "MIN(id) AS first, MAX(id) AS last FROM trades "
               "GROUP BY symbol, TUMBLE(ts, INTERVAL '1' SECOND)%s",
}


def row(i):
    return {"id": i, "symbol": f"S{i * i % 11}", "price": i * 37 % 1000 / 4,
            "ts": STEP_MS * i + (i * 7919 % 13) * 10}  # not quite in order


def line(i, form):
    values = row(i)
    if form == "json":
        return json.dumps(values) + "\n"
    return ",".join(str(value) for value in values.values()) + "\n"


HEADS = {"json": "", "csv": "id,symbol,price,ts\n"}


def lines(first, end, form):
    return "".join(line(i, form) for i in range(first, end))


def sql_of(query, form, output, source="in", watch=False, emit=" EMIT FINAL"):
    where = {"connector": "file", "path": f"{source}.{form}", "format": form}
    if watch:
        where["watch"] = "true"
    text = QUERIES[query]
    return (f"CREATE STREAM trades ({COLUMNS}, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)"
            f"{guide.with_list(where)};\n"
            f"CREATE STREAM o AS {text % emit if '%s' in text else text}"
            + guide.with_list({"connector": "file", "path": output, "format": form}) + ";\n")


def expected_filter():
    return [row(i) for i in range(ROWS) if row(i)["price"] > 100]


def expected_windows():
    """Windows of a second that a row is in, none of which is late."""
    found = {}
    for i in range(ROWS):
        values = row(i)
        key = values["symbol"], values["ts"] // 1000
        found[key] = found.get(key, 0) + 1
    return found


def check_baseline(query, form, text):
    """The bytes that all are compared with are right themselves."""
    body = text.splitlines()
    if form == "csv":
        assert body.pop(0).split(",")[0] in ("id", "symbol")
    if query == "filter":
        ids = [int(json.loads(one)["id"]) if form == "json" else int(one.split(",")[0]) for one in body]
        assert ids == [one["id"] for one in expected_filter()]
    else:
        assert len(body) == len(expected_windows())
        counts = [json.loads(one)["n"] if form == "json" else int(one.split(",")[2]) for one in body]
        assert sum(counts) == ROWS


def assert_same(name, got, expected):
    if got == expected:
        return
    a, b = got.splitlines(), expected.splitlines()
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    raise AssertionError(f"{name}: {len(a)} lines, not {len(b)}; line {at + 1}: {a[at:at + 1]}, not {b[at:at + 1]}")


def whole_files(place, query, emit=" EMIT FINAL", rows=ROWS):
    for form in FORMATS:
        place.write(f"in.{form}", HEADS[form] + lines(0, rows, form))
        baseline = None
        for number, (name, settings) in enumerate(VARIANTS):
            output = f"out{number}.{form}"
            place.run(sql_of(query, form, output, emit=emit), settings)
            text = place.read(output)
            if baseline is None:
                baseline = text
                if "CHANGES" not in emit:
                    check_baseline(query, form, text)
            assert_same(f"{query}, {form}, {name}", text, baseline)
        print(f"# {query}, {form}: {len(VARIANTS)} ways, {len(baseline)} bytes each")


def test_filter(place):
    whole_files(place, "filter")


def test_windows(place):
    whole_files(place, "windows")


def test_windows_with_changes(place):
    """The results on the way are those after each row, so not even they depend on batches."""
    whole_files(place, "windows", emit=" EMIT CHANGES", rows=1500)  # LowLatency syncs each


def test_sides_apart(place):
    """A strategy of the source with another one of the sink."""
    form = "json"
    place.write(f"in.{form}", lines(0, ROWS, form))
    for query in QUERIES:
        place.run(sql_of(query, form, "none.json"))
        for first in STRATEGIES:
            second = STRATEGIES[(STRATEGIES.index(first) + 2) % len(STRATEGIES)]
            settings = {"source.batch.strategy": first, "sink.batch.strategy": second,
                        **{f"source.{key}": value for key, value in SMALL[first].items()},
                        **{f"sink.{key}": value for key, value in SMALL[second].items()}}
            place.run(sql_of(query, form, "out.json"), settings)
            assert_same(f"{query}, {first} to {second}", place.read("out.json"), place.read("none.json"))


WATCHED = [(strategy or "none", {"batch.strategy": strategy, **small} if strategy else {})
           for strategy, small in SMALL.items()]
WATCHED += [("TimeWindow by event time", dict(VARIANTS)["TimeWindow by event time"]),
            ("LowLatency, waiting", dict(VARIANTS)["LowLatency, waiting"]),
            ("disabled", {"batch.enable_batching": "false"})]


def watched_file(place, query, form):
    """All ways follow one file, which grows by pieces that end anywhere, within a record too.  The last
    row is so late that it closes every window of the others, and so all output can be waited for; it is
    a long one because of test_watched_short_line."""
    text = lines(0, ROWS, form)
    closing = {"id": ROWS, "symbol": "END" * 40, "price": 0, "ts": STEP_MS * ROWS + 3600000}
    text += json.dumps(closing) + "\n" if form == "json" else ",".join(map(str, closing.values())) + "\n"
    place.write(f"whole.{form}", HEADS[form] + lines(0, ROWS, form))
    place.run(sql_of(query, form, f"expected.{form}", source="whole"))
    expected = place.read(f"expected.{form}")
    check_baseline(query, form, expected)

    place.write(f"grows.{form}", HEADS[form])
    running = []
    for number, (name, settings) in enumerate(WATCHED):
        output = f"watched{number}.{form}"
        sql = sql_of(query, form, output, source="grows", watch=True)
        settings = {**settings, "commit.interval": "50ms", "watermark.idle.timeout": "0"}
        running.append((name, output, place.start(sql, settings, state=f"state-{query}-{form}-{number}")))
    chance = random.Random(SEED)
    at = 0
    while at < len(text):
        size = chance.choice([1, 100, 5000, 20000, 60000])
        place.write(f"grows.{form}", text[at:at + size], "a")
        at += size
        time.sleep(chance.choice([0, 0.01, 0.05]))
    for name, output, process in running:
        place.wait_for(f"all lines of {query}, {form}, {name}",
                       lambda: len(place.read(output)) >= len(expected), [process])
    for name, output, process in running:
        place.stop(process)
        assert_same(f"watched {query}, {form}, {name}", place.read(output), expected)


def test_watched_filter(place):
    for form in FORMATS:
        watched_file(place, "filter", form)


def test_watched_windows(place):
    for form in FORMATS:
        watched_file(place, "windows", form)


WAITING = {name: dict(WATCHED)[name] for name in ("FixedSize", "TimeWindow", "LowLatency, waiting")}


def test_watched_short_line(place):
    """A line shorter than those before it is read though nothing comes behind it."""
    long = "".join("%d,%s\n" % (i, "x" * 50) for i in range(100))
    for number, (name, settings) in enumerate(WAITING.items()):
        place.write("short.csv", "id,text\n" + long)
        sql = ("CREATE STREAM short (id BIGINT, text STRING) "
               "WITH ('connector' = 'file', 'path' = 'short.csv', 'watch' = 'true');\n"
               f"CREATE STREAM o AS SELECT id FROM short WITH ('connector' = 'file', 'path' = 's{number}.csv');")
        process = place.start(sql, {**settings, "commit.interval": "50ms"}, state=f"short-{number}")
        output = f"s{number}.csv"
        place.wait_for("the long lines", lambda: place.read(output).count("\n") == 101, [process])
        time.sleep(0.5)  # the batch before it has ended
        place.write("short.csv", "100,\n", "a")
        place.wait_for(f"short line of {name}", lambda: place.read(output).count("\n") == 102, [process])
        place.write("short.csv", "101,%s\n" % ("x" * 50), "a")
        place.wait_for("the line behind it", lambda: place.read(output).count("\n") == 103, [process])
        place.stop(process)


if __name__ == "__main__":
    print(f"# TEST_SEED={SEED}")
    guide.run(globals())
