"""tests/config/test_errors.py -- what is refused of batches, and what a user's word does to the guarantee.

    python3 tests/config/test_errors.py [NAME...]
"""
import os
import re
import subprocess

import guide
from guide import ALL_ROWS, STRATEGIES, Explained, names_itself, refusal, rows_of, statement

def expect_all(text, *words):
    for word in words:
        assert word in text, f"no {word!r} in:\n{text}"


def line_of(sql, what):
    return sql[:sql.index(what)].count("\n") + 1


def test_unknown_strategy(_place):
    for option in ("batch.strategy", "source.batch.strategy", "sink.batch.strategy"):
        sql = statement(trailing={option: "FixedSise"})
        said = refusal(sql)
        expect_all(said, "FixedSise", "batch.strategy", "FixedSize", f"query:{line_of(sql, option)}:")
    expect_all(refusal(statement(trailing={"batch.strategy": "RoundRobin"})), "RoundRobin", *STRATEGIES)
    expect_all(refusal(statement(), {"batch.strategy": "RoundRobin"}, code=2), "RoundRobin", *STRATEGIES)
    # names are written in any case
    Explained(statement(trailing={"batch.strategy": "lowlatency"})).expect_row(
        rows_of("LowLatency", "source", "kafka")[0])


def test_limits_in_the_wrong_order(_place):
    cases = [
        ("AdaptiveSize", {"batch.min_batch_size": "500", "batch.max_batch_size": "400"}),
        ("AdaptiveSize", {"batch.min_batch_size": "500", "batch.initial_batch_size": "400"}),
        ("AdaptiveSize", {"batch.initial_batch_size": "500", "batch.max_batch_size": "400"}),
        ("AdaptiveSize", {"batch.min_batch_size": "20000", "batch.max_batch_size": "10000"}),
        ("MemoryBased", {"batch.min_batch_size": "500", "batch.max_batch_size": "400"}),
        ("MemoryBased", {"batch.target_memory_usage": "0.95", "batch.gc_pressure_threshold": "0.9"}),
    ]
    for strategy, more in cases:
        sql = statement(trailing={"batch.strategy": strategy, **more})
        expect_all(refusal(sql), *more, *more.values(), f"query:{line_of(sql, list(more)[0])}:", "more than")
        expect_all(refusal(statement(trailing={"batch.strategy": strategy}), more, code=2), *more, *more.values())
    for strategy, more in (("AdaptiveSize", {"batch.min_batch_size": "1000", "batch.initial_batch_size": "1000"}),
                           ("MemoryBased", {"batch.min_batch_size": "70", "batch.max_batch_size": "70"})):
        Explained(statement(trailing={"batch.strategy": strategy, **more}))  # equal is in order


def test_defaults_give_way(_place):
    """Strategy, what the user says, and what the other parameters then are: value and whose word."""
    least, first, most = "batch.min_batch_size", "batch.initial_batch_size", "batch.max_batch_size"
    target, pressure = "batch.target_memory_usage", "batch.gc_pressure_threshold"
    cases = [
        ("AdaptiveSize", {most: "400"}, {least: ("100", None), first: ("400", most)}),
        ("AdaptiveSize", {most: "50"}, {least: ("50", most), first: ("50", most)}),
        ("AdaptiveSize", {least: "2000"}, {first: ("2000", least), most: ("10000", None)}),
        ("AdaptiveSize", {least: "20000"}, {first: ("20000", least), most: ("20000", least)}),
        ("AdaptiveSize", {first: "20000"}, {least: ("100", None), most: ("20000", first)}),
        ("AdaptiveSize", {first: "20"}, {least: ("20", first), most: ("10000", None)}),
        ("AdaptiveSize", {first: "20", most: "50"}, {least: ("20", first)}),
        ("AdaptiveSize", {least: "2000", most: "3000"}, {first: ("2000", least)}),
        ("AdaptiveSize", {least: "5", most: "7"}, {first: ("7", most)}),
        ("AdaptiveSize", {least: "1000"}, {first: ("1000", None)}),
        ("MemoryBased", {least: "6000"}, {most: ("6000", least)}),
        ("MemoryBased", {most: "60"}, {least: ("60", most)}),
        ("MemoryBased", {target: "0.95"}, {pressure: ("0.95", target)}),
        ("MemoryBased", {pressure: "0.5"}, {target: ("0.5", pressure)}),
    ]
    for strategy, words, others in cases:
        for explained in (Explained(statement(trailing={"batch.strategy": strategy, **words})),
                          Explained(statement(trailing={"batch.strategy": strategy}), words)):
            for scope in ("source", "sink"):
                for name, (value, word) in others.items():
                    reason = explained.expect(scope, name, value, "default").get("reason")
                    idle = scope == "sink" and not word  # most do nothing there, and that is told
                    assert idle or reason == (word and f"as {word} says"), (words, name, reason)
    # what a strategy suggests follows
    Explained(statement(trailing={"batch.strategy": "AdaptiveSize", least: "20000"})).expect(
        "source", "max.poll.records", "20000", "strategy")


def test_defaults_that_give_way_are_told(place):
    with open(place.path("in.jsonl"), "w", encoding="utf-8") as file:
        file.write('{"id": 1}\n')
    sql = "CREATE STREAM o AS SELECT id FROM 'in.jsonl' WITH ('sink.path' = 'o.jsonl',\n" \
        "'batch.strategy' = 'AdaptiveSize', 'source.batch.max_batch_size' = '400');\n" \
        "SHOW METRICS o LIKE 'config_user';"
    run = subprocess.run([guide.PROGRAM, "execute", "--query", sql, "--output", "json"], cwd=place.folder,
                         capture_output=True, text=True, timeout=guide.DEADLINE)
    assert run.returncode == 0, run
    expect_all(run.stderr, "batch.initial_batch_size = '400' (default): as batch.max_batch_size says",
               "batch_read_lines = '400' (strategy)")
    expect_all(run.stdout, '"metric":"config_user","value":1')


def test_values_out_of_bounds(_place):
    cases = [("FixedSize", "batch.batch_size", ["0", "-1", "many", "1.5", "1000001"]),
             ("TimeWindow", "batch.window_duration_ms", ["0", "soon"]),
             ("TimeWindow", "batch.window_alignment", ["wall"]),
             ("AdaptiveSize", "batch.adaptation_factor", ["1", "0.5", "nan", "much"]),
             ("MemoryBased", "batch.target_memory_usage", ["0", "1.5", "80%"]),
             ("LowLatency", "batch.immediate_processing", ["maybe"]),
             ("FixedSize", "batch.enable_batching", ["2"])]
    for strategy, option, values in cases:
        for value in values:
            sql = statement(trailing={"batch.strategy": strategy, option: value})
            expect_all(refusal(sql), option, value, f"query:{line_of(sql, option)}:")


def test_a_range_has_the_units_of_the_reference(_place):
    for option, value, said in (("batch.timeout_ms", "3600001", "the range is 0 to 1h"),
                                ("batch.max_memory_per_batch", "1", "the range is 1KB to 1GB"),
                                ("batch.batch_size", "0", "the range is 1 to 1000000"),
                                ("commit.interval", "2h", "the range is 1ms to 1h"),
                                ("commit.rows", "-1", "the range is 0 to 1000000000000000\n"),
                                ("state.memory.limit", "5", "the range is 1MB to ")):
        expect_all(refusal(statement(trailing={"batch.strategy": "FixedSize", option: value})), said)


EVENT_TIME = {"batch.strategy": "TimeWindow", "batch.window_alignment": "event_time"}


def test_event_time_without_a_watermark(_place):
    for connector in ("kafka", "file"):
        sql = statement(connector, connector, EVENT_TIME)
        expect_all(refusal(sql), "'batch.window_alignment' = 'event_time'", "'orders'", "WATERMARK",
                   f"query:{line_of(sql, 'batch.window_alignment')}:")
        expect_all(refusal(statement(connector, connector, of_source=EVENT_TIME)), "WATERMARK")
        declared = sql.replace("price DECIMAL(12,2))",
                               "price DECIMAL(12,2), ts TIMESTAMP, WATERMARK FOR ts AS ts)", 1)
        assert declared != sql
        Explained(declared).expect("source", "batch.window_alignment", "event_time", "user")
    # batches are switched off
    Explained(statement(trailing={**EVENT_TIME, "batch.enable_batching": "false"}))


SWITCHES = [  # option, scope, strategy
    ("window_processing", "source", "TimeWindow"),
    ("adaptive_reading", "source", "AdaptiveSize"),
    ("memory_monitoring", "source", "MemoryBased"),
    ("gc_aware_reading", "source", "MemoryBased"),
    ("low_latency_mode", "source", "LowLatency"),
    ("memory_aware_flushing", "sink", "MemoryBased"),
    ("gc_aware_writing", "sink", "MemoryBased"),
]


def test_switches_need_their_strategy(_place):
    for option, scope, own in SWITCHES:
        assert any(row.strategy == own and row.name == option for row in ALL_ROWS), option
        for strategy in [None, *STRATEGIES]:
            batch = {"batch.strategy": strategy} if strategy else {}
            for name in (option, f"file.{option}", f"{scope}.{option}"):
                sql = statement("file", "file", {**batch, name: "true"})
                if strategy == own:
                    Explained(sql).expect(scope, option, "true", "user")
                else:
                    expect_all(refusal(sql), f"'{option}' has no effect without {own}",
                               f"query:{line_of(sql, name)}:", "'batch.strategy'")
                Explained(statement("file", "file", {**batch, name: "false"})).expect(
                    scope, option, "false", "user")
    # as the strategy is off
    said = refusal(statement("file", "file", {"batch.strategy": "FixedSize", "batch.enable_batching": "false",
                                              "window_processing": "true"}))
    expect_all(said, "window_processing", "TimeWindow")
    for option, scope, own in SWITCHES:
        off = {"batch.strategy": own, "batch.enable_batching": "false"}
        sql = statement("file", "file", {**off, option: "true"})
        expect_all(refusal(sql), f"'{option}' has no effect with 'batch.enable_batching' = 'false'",
                   f"query:{line_of(sql, option)}:", "leave one of the two out")
        Explained(statement("file", "file", {**off, option: "false"}))
        Explained(statement("file", "file", off))


def test_parameters_of_another_strategy(_place):
    tried = 0
    for strategy in STRATEGIES:
        own = {row.name for row in rows_of(strategy, "batch")}
        for row in ALL_ROWS:
            if row.scope != "batch" or row.name in own or names_itself(row):
                continue
            owners = {r.strategy for r in ALL_ROWS if r.scope == "batch" and r.name == row.name}
            for connector in ("kafka", "file"):
                sql = statement(connector, connector, {"batch.strategy": strategy, row.name: row.value})
                said = refusal(sql)
                expect_all(said, row.name, f"query:{line_of(sql, row.name)}:")
                assert any(owner in said for owner in owners), f"{owners} not named:\n{said}"
                tried += 1
            expect_all(refusal(statement(of_source={"batch.strategy": strategy, row.name: row.value})), row.name)
    print(f"# {tried} refused")
    assert tried > 100


# ---------------------------------------------------------------------------------- guarantee

def acks(value, name="kafka.acks", **more):
    return statement(trailing={name: value, **more})


def test_acks_0_against_exactly_once(_place):
    for name in ("kafka.acks", "sink.kafka.acks", "kafka.request.required.acks"):
        for value in ("0", "1"):
            sql = "CREATE STREAM orders (id BIGINT) WITH ('connector'='kafka', 'kafka.topic'='orders');\n" \
                f"CREATE STREAM o AS SELECT id FROM orders\nWITH ('{name}' = '{value}',\n" \
                "'delivery.guarantee' = 'exactly-once');"
            said = refusal(sql)
            bare = name.removeprefix("sink.")
            expect_all(said, f"'{bare}' = '{value}'", "'delivery.guarantee' = 'exactly-once' (line 4)",
                       "query:3:", "contradicts")
    for strategy in STRATEGIES:
        expect_all(refusal(acks("0", **{"batch.strategy": strategy, "delivery.guarantee": "exactly-once"})),
                   "'kafka.acks' = '0'", "'delivery.guarantee' = 'exactly-once'")


def test_acks_0_and_exactly_once_in_two_places(_place):
    for in_sql, settings, code in (
            (acks("0"), {"delivery.guarantee": "exactly-once"}, 1),
            (statement(trailing={"delivery.guarantee": "exactly-once"}), {"kafka.acks": "0"}, 2),
            (statement(), {"delivery.guarantee": "exactly-once", "kafka.acks": "0"}, 2)):
        said = refusal(in_sql, settings, code)
        expect_all(said, "'kafka.acks' = '0'", "'delivery.guarantee' = 'exactly-once'")
        assert "line 0" not in said, said
        for name, value in (("kafka.acks", "0"), ("delivery.guarantee", "exactly-once")):
            place = "--set" if name in settings else "line 3"
            expect_all(said, f"'{name}' = '{value}' ({place})")
        assert ("query:" in said) == (code == 1), said


def test_a_contradiction_names_both_places(place):
    """Of two words that contradict each other: each as it was said, and where."""
    pairs = [({"batch.strategy": "AdaptiveSize"}, ("batch.min_batch_size", "3000"), ("batch.max_batch_size", "2000")),
             ({}, ("use_transactions", "true"), ("delivery.guarantee", "at-least-once")),
             ({}, ("kafka.acks", "1"), ("use_transactions", "true")),
             ({}, ("kafka.acks", "0"), ("use_transactions", "false"))]
    file = place.path("words.yaml")
    for other, one, two in pairs:
        for first in ("SQL", "--set"):
            for second in ("SQL", "--set", "file", "SET"):
                in_sql, settings, more = dict(other), {}, ""
                (in_sql if first == "SQL" else settings)[one[0]] = one[1]
                if second == "file":
                    with open(file, "w", encoding="utf-8") as out:
                        out.write("# of all\n%s: %s\n" % two)
                    in_sql["sink_config" if one[0].startswith("batch") else "config_file"] = file
                elif second == "SET":
                    more = "SET '%s' = '%s';\n" % two
                else:
                    (in_sql if second == "SQL" else settings)[two[0]] = two[1]
                # "sink_config" reaches one side, the plain word both: the source has no second word
                if second == "file" and one[0].startswith("batch"):
                    in_sql.pop(one[0], None)
                    settings.pop(one[0], None)
                    (in_sql if first == "SQL" else settings)["sink." + one[0]] = one[1]
                sql = more + statement(trailing=in_sql)
                line = line_of(sql, "INSERT")
                places = {"SQL": f"line {line}", "--set": "--set", "file": f"line 2 of '{file}'", "SET": "line 1"}
                expect_all(refusal(sql, settings, code=1 if first == "SQL" else 2),
                           f"'{one[0]}' = '{one[1]}' ({places[first]})",
                           f"'{two[0]}' = '{two[1]}' ({places[second]})")


def test_a_wrong_setting_is_reported_once(_place):
    """However many streams and statements take it; each wrong one."""
    more = "".join(f"CREATE STREAM more{i} (id BIGINT) WITH ('path' = 'x.jsonl', 'format' = 'json');\n"
                   f"SELECT id FROM more{i};\n" for i in range(3))
    for settings, count in (({"batch.batch_size": "x"}, 1),
                            ({"source.batch.batch_size": "0"}, 1),
                            ({"read_buffer_size": "much"}, 1),
                            ({"more1.batch.batch_size": "x", "more2.batch.batch_size": "y"}, 2)):
        said = refusal(statement("file", "file") + more, settings, 2)
        assert said.count("error[") == count, said
        for value in settings.values():
            expect_all(said, f"'{value}'")
    sql = statement(of_source={"batch.batch_size": "x"}) + more.replace("'json'", "'json', 'batch.batch_size' = 'x'")
    assert refusal(sql).count("error[") == 4, refusal(sql)  # in the SQL each is a mistake of its own


def test_a_setting_that_nobody_takes(_place):
    for name in ("nonsense", "batch.nonsense", "kafka.linger.mss", "orders.nonsense"):
        expect_all(refusal(statement(), {name: "1"}, 2), name)
    cases = [({"batch.batchsize": "5"}, "did you mean 'batch.batch_size'?"),
             ({"source.batch.batchsize": "5"}, "did you mean 'source.batch.batch_size'?"),
             ({"orders.batch.batchsize": "5"}, "did you mean 'orders.batch.batch_size'?"),
             ({"paralelism": "2"}, "did you mean 'parallelism'?"),
             ({"batch.strategy": "FixedSize", "batch.adaptation_factor": "2"},
              "it is an option of: the batch strategy AdaptiveSize"),
             ({"source.batch.strategy": "FixedSize", "sink.batch.strategy": "AdaptiveSize",
               "orders.batch.adaptation_factor": "2"}, "it is an option of: the batch strategy AdaptiveSize"),
             ({"nosuch.batch.strategy": "FixedSize"}, "nothing is called 'nosuch'"),
             ({"order.batch.strategy": "FixedSize"},
              "nothing is called 'order'; did you mean 'orders.batch.strategy'?"),
             ({"sorce.kafka.acks": "1"}, "nothing is called 'sorce'; did you mean 'source.kafka.acks'?"),
             ({"read_buffer_size": "8192"}, "it is an option of: file source")]
    for settings, hint in cases:
        said = refusal(statement(), settings, 2)
        expect_all(said, f"error[FS1401]: --set {list(settings)[-1]}: no statement has that option", hint)
        if len(settings) == 1:  # the same words in the SQL
            expect_all(refusal(statement(trailing=settings)), hint)


def test_a_file_of_settings_that_nobody_takes(place):
    with open(place.path("more.yaml"), "w", encoding="utf-8") as file:
        file.write("batch:\n  strategy: FixedSize\n  batchsize: 5\n")
    said = refusal(statement(), {"source_config": place.path("more.yaml")}, 2)
    expect_all(said, "unknown option 'source.batch.batchsize' for any statement", "line 3 of",
               "did you mean 'source.batch.batch_size'?")


def test_options_of_the_job_beside_a_uri(_place):
    sql = "CREATE STREAM orders (id BIGINT) WITH ('connector'='kafka', 'kafka.topic'='orders');\n" \
        "INSERT INTO 'kafka://b:1/out' SELECT id FROM orders WITH ('delivery.guarantee' = 'exactly-once');"
    Explained(sql).expect("job", "delivery.guarantee", "exactly-once", "user")


def test_acks_0_against_at_least_once(_place):
    expect_all(refusal(acks("0", **{"delivery.guarantee": "at-least-once"})),
               "'kafka.acks' = '0'", "'delivery.guarantee' = 'at-least-once'")
    Explained(acks("1", **{"delivery.guarantee": "at-least-once"})).expect("sink", "acks", "1", "user")
    Explained(acks("0", **{"delivery.guarantee": "at-most-once"})).expect("sink", "acks", "0", "user")


def test_acks_lower_the_guarantee(_place):
    for strategy in [None, *STRATEGIES]:
        for value, lowered in (("0", "at-most-once"), ("1", "at-least-once")):
            for name in ("kafka.acks", "kafka.request.required.acks"):
                batch = {"batch.strategy": strategy} if strategy else {}
                explained = Explained(acks(value, name, **batch))
                explained.expect("job", "delivery.guarantee", lowered, "default")
                explained.expect("sink", name.removeprefix("kafka."), value, "user")
                warnings = re.findall("^warning: .*", explained.stderr, re.M)
                assert len(warnings) == 1, explained.stderr
                expect_all(warnings[0], lowered, f"'{name}' = '{value}'", "exactly-once")
    for value in ("all", "-1"):
        explained = Explained(acks(value, **{"batch.strategy": "LowLatency"}))
        explained.expect("job", "delivery.guarantee", "exactly-once", "default")
        explained.expect("sink", "acks", value, "user")
        explained.expect("sink", "retries", "2147483647", "guarantee")
        assert explained.stderr == "", explained.stderr


def test_acks_and_retries(_place):
    """What was sent once only and failed is read again: retries 0 loses nothing at-least-once."""
    for value in ("0", "1"):
        explained = Explained(acks(value, **{"batch.strategy": "LowLatency"}))
        explained.expect("sink", "retries", "0", "strategy")
        explained.expect("sink", "acks", value, "user")


def test_a_property_counts_under_each_of_its_names(place):
    """A sink that is not to wait for all, or to send again, is no idempotent one, however that is said."""
    with open(place.path("in.jsonl"), "w", encoding="utf-8") as file:
        file.write('{"id":1}\n')
    for names, value in ((["retries", "message.send.max.retries"], "0"),
                         (["max.in.flight.requests.per.connection", "max.in.flight"], "100"),
                         (["acks", "request.required.acks"], "1")):
        for name in names:
            place.run("CREATE STREAM orders (id BIGINT) WITH ('path' = 'in.jsonl');\n"
                      "INSERT INTO 'kafka://embedded/out' SELECT id FROM orders\n"
                      f"WITH ('kafka.{name}' = '{value}', 'delivery.guarantee' = 'at-least-once');\n")
    said = refusal("CREATE STREAM orders (id BIGINT) WITH ('path' = 'in.jsonl');\n"
                   "INSERT INTO 'kafka://b:1/out' SELECT id FROM orders\n"
                   "WITH ('kafka.message.send.max.retries' = '0', 'delivery.guarantee' = 'exactly-once');\n")
    expect_all(said, "'kafka.message.send.max.retries' = '0'")


# ---------------------------------------------------------------------------------- Kafka's values

BAD_VALUES = [  # option, value, what is said besides
    ("linger.ms", "abc", ["write a number", "the range is 0 to 900000"]),
    ("linger.ms", "9999999", ["out of range", "the range is 0 to 900000"]),
    ("linger.ms", "5s", ["write a number"]),
    ("queue.buffering.max.ms", "-1", ["the range is 0 to 900000"]),
    ("compression.type", "lz5", ["choose one of: none, gzip"]),
    ("batch.size", "0", ["the range is 1 to 2147483647"]),
    ("buffer.memory", "10", ["the range is 1024 to 2199023254528"]),
    ("acks", "7000", ["the range is -1 to 1000"]),
    ("acks", "some", ["write a number"]),
    ("fetch.min.bytes", "-5", ["the range is 1 to 100000000"]),
    ("fetch.min.bytes", "1KB", ["the range is 1 to 100000000"]),
    ("session.timeout.ms", "0", ["the range is 1 to 3600000"]),
    ("enable.ssl.certificate.verification", "maybe", ["choose one of: true, false"]),
    ("topic.blacklist", "([", ["librdkafka: Failed to parse pattern"]),
    ("enable.auto.commit", "true", ["cannot be set: positions are committed"]),
]


def test_values_of_properties(_place):
    for name, value, said in BAD_VALUES:
        option = f"kafka.{name}"
        sql = statement(trailing={option: value})
        what = refusal(sql)
        own = [] if "cannot be set" in said[0] else [f"'{value}'"]
        expect_all(what, f"'{option}'", *own, *said, f"query:{line_of(sql, option)}:")
        assert "kbytes" not in what and "FS3101" not in what and "\n\n" not in what.strip(), what
        what = refusal(statement(), {option: value}, code=2)
        expect_all(what, f"'{option}'", *own, *said)
    for name, value in (("acks", "all"), ("linger.ms", "0"), ("compression.type", "zstd"), ("buffer.memory", "1024"),
                        ("linger.ms", "0.5"), ("debug", "broker,topic"), ("Linger.MS", "7")):
        Explained(statement(trailing={f"kafka.{name}": value}))


def test_a_secret_is_not_told(_place):
    assert "h4ck" not in refusal(statement(), {"kafka.sasl.password": "h4ck", "kafka.linger.ms": "x"}, 2)


def test_properties_that_contradict_each_other(_place):
    at_least_once = {"delivery.guarantee": "at-least-once"}
    for name, value in (("acks", "1"), ("request.required.acks", "1"), ("retries", "0"),
                        ("max.in.flight", "6"), ("queuing.strategy", "lifo")):
        sql = statement(trailing={"kafka.enable.idempotence": "true", f"kafka.{name}": value, **at_least_once})
        expect_all(refusal(sql), f"'kafka.{name}' = '{value}' contradicts 'kafka.enable.idempotence' = 'true'",
                   f"query:{line_of(sql, name)}:")
        expect_all(refusal(statement(trailing=at_least_once), {"kafka.enable.idempotence": "true", f"kafka.{name}": value}, 2),
                   "contradicts")
    Explained(statement(trailing={"kafka.enable.idempotence": "true", "kafka.acks": "all", "kafka.retries": "3",
                                  "kafka.max.in.flight": "5"}))
    for more in ({"kafka.fetch.max.bytes": "1000"},
                 {"source.kafka.receive.message.max.bytes": "1000000", "kafka.fetch.max.bytes": "1000000"},
                 {"kafka.session.timeout.ms": "400000"},
                 {"kafka.delivery.timeout.ms": "3"},
                 {"kafka.reconnect.backoff.ms": "5000"}):
        sql = statement(trailing=more)
        expect_all(refusal(sql), "is too little for", *[f"'{value}'" for value in more.values()],
                   f"query:{line_of(sql, list(more)[0])}:")
    Explained(statement(trailing={"kafka.reconnect.backoff.ms": "5000", "kafka.reconnect.backoff.max.ms": "5000"}))
    Explained(statement(trailing={"kafka.delivery.timeout.ms": "0"}))


def test_requests_in_flight_lower_the_guarantee(_place):
    explained = Explained(statement(trailing={"kafka.max.in.flight": "100"}))
    explained.expect("job", "delivery.guarantee", "at-least-once", "default")
    Explained(statement(trailing={"kafka.max.in.flight": "5"})).expect(
        "job", "delivery.guarantee", "exactly-once", "default")


# ---------------------------------------------------------------------------------- names

def variable_in(where, value, place):
    """A statement and its settings whose commit.rows is said there."""
    name = "commit.rows"
    if where == "WITH":
        return statement("file", "file", {name: value}), {}
    if where == "SET":
        return f"SET '{name}' = '{value}';\n" + statement("file", "file"), {}
    if where == "Property":
        return f"-- Property: {name}={value}\n\n" + statement("file", "file"), {}
    if where == "--set":
        return statement("file", "file"), {name: value}
    path = place.path("rows.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"commit:\n  rows: {value}\n")
    return statement("file", "file", {"config_file": path}), {}


def test_variables_in_every_place(place):
    os.environ["FERRIS_TEST_ROWS"] = "77"
    os.environ.pop("FERRIS_TEST_NONE", None)
    for where, origin in (("WITH", "user"), ("SET", "SET"), ("Property", "SET"), ("--set", "--set"), ("file", "user")):
        for value, meant in (("${FERRIS_TEST_ROWS}", "77"), ("${FERRIS_TEST_ROWS:5}", "77"),
                             ("${FERRIS_TEST_NONE:5}", "5"),
                             ("${FERRIS_TEST_NONE:-6}", "6"), ("1${FERRIS_TEST_NONE:}2", "12")):
            Explained(*variable_in(where, value, place)).expect("job", "commit.rows", meant, origin)
        for value, fault in (("${FERRIS_TEST_NONE}", "environment variable 'FERRIS_TEST_NONE' is not set"),
                             ("${FERRIS_TEST_ROWS", "'${' without '}'")):
            said = refusal(*variable_in(where, value, place), code=2 if where == "--set" else 1)
            expect_all(said, fault)
            assert "line 0" not in said and said.count("error[") == 1, said
    # a file that --set names, and a URI
    with open(place.path("n77.yaml"), "w", encoding="utf-8") as file:
        file.write("read_buffer_size: ${FERRIS_TEST_ROWS}00\n")
    Explained(statement("file", "file"), {"source_config": place.path("n${FERRIS_TEST_ROWS}.yaml")}).expect(
        "source", "read_buffer_size", "7700", "--set")
    with open(place.path("x.jsonl"), "w", encoding="utf-8") as file:
        file.write('{"id": 1}\n')
    explained = Explained(f"SELECT id FROM 'file://{place.folder}/${{FERRIS_TEST_NONE:x}}.jsonl"
                          "?read_buffer_size=${FERRIS_TEST_ROWS}00';")
    explained.expect("source", "path", place.path("x.jsonl"), "user")
    explained.expect("source", "read_buffer_size", "7700", "user")


def test_misspelled_properties(_place):
    cases = {"kafka.linger.mss": "linger.ms", "kafka.fetch.min.byte": "fetch.min.bytes",
             "kafka.compresion.type": "compression.type", "kafka.session.timeout": "session.timeout.ms",
             "kafka.ack": "acks"}
    for wrong, right in cases.items():
        for prefix in ("", "source.", "sink."):
            sql = statement(trailing={prefix + wrong: "5"})
            said = refusal(sql)
            expect_all(said, wrong, f"query:{line_of(sql, wrong)}:")
            if wrong != "kafka.session.timeout":
                expect_all(said, f"kafka.{right}")
        expect_all(refusal(statement(of_source={wrong: "5"})), wrong)
        expect_all(refusal(statement(), {wrong: "5"}, code=2), wrong)


def test_misspelled_options_of_batches(_place):
    cases = {"batch.batchsize": "batch.batch_size", "batch.stratgy": "batch.strategy",
             "source.batch.window_duration": None, "file.read_buffer_sise": "read_buffer_size",
             "batch_read_line": "batch_read_lines"}
    for wrong, right in cases.items():
        sql = statement("file", "file", {"batch.strategy": "TimeWindow", wrong: "5"})
        said = refusal(sql)
        expect_all(said, wrong, f"query:{line_of(sql, wrong)}:")
        if right:
            expect_all(said, right)


def test_a_prefix_of_the_wrong_side(_place):
    """An option that the side does not have is nobody's, whatever the other side has."""
    cases = [("file", "sink.read_buffer_size", "file source"),
             ("file", "result.read_buffer_size", "file source"),
             ("file", "source.write_buffer_size", "file sink"),
             ("file", "orders.write_buffer_size", "file sink"),
             ("file", "sink.json.validate", "json"),
             ("file", "sink.kafka.acks", "Kafka sink"),
             ("kafka", "sink.kafka.max.poll.records", "Kafka source"),
             ("kafka", "sink.kafka.fetch.min.bytes", "Kafka source"),
             ("kafka", "source.kafka.linger.ms", "Kafka sink"),
             ("kafka", "orders.kafka.acks", "Kafka sink")]
    for connector, name, owner in cases:
        sql = statement(connector, connector, {name: "8192"})
        expect_all(refusal(sql), f"error[FS1401]: unknown option '{name}'", f"query:{line_of(sql, name)}:",
                   f"it is an option of: {owner}")
        expect_all(refusal(statement(connector, connector), {name: "8192"}, code=2), name)
    expect_all(refusal(statement("file", "file", {"sink.parallelism": "2"})), "an option of the job", "'parallelism'")
    # of what is plain in --set some side must have it
    expect_all(refusal(statement("kafka", "file"), {"kafka.acks": "1"}, code=2), "kafka.acks")
    Explained(statement("file", "kafka"), {"kafka.acks": "1"}).expect("sink", "acks", "1", "--set")
    # a stream that is declared may be read here and written there
    for role in ("of_source", "of_sink"):
        Explained(statement("file", "file", **{role: {"read_buffer_size": "8192", "write_buffer_size": "8192"}}))
        Explained(statement(**{role: {"kafka.acks": "all", "kafka.fetch.min.bytes": "1"}}))


def test_streams_that_are_called_as_options_begin(_place):
    def with_stream(name, trailing=(), connector="file"):
        return statement(connector, connector, trailing).replace("STREAM orders", f"STREAM {name}") \
            .replace("FROM orders", f"FROM {name}")
    plain = {"batch.strategy": "FixedSize"}
    for explained in (Explained(with_stream("batch", plain)), Explained(with_stream("batch"), plain),
                      Explained("SET 'batch.strategy' = 'FixedSize';\n" + with_stream("batch"))):
        for scope in ("source", "sink"):
            assert explained.one(scope, "batch.strategy")["origin"] in ("user", "--set", "SET"), scope
    explained = Explained(with_stream("batch", {"batch.batch.strategy": "FixedSize"}))
    explained.expect("source", "batch.strategy", "FixedSize", "user")
    assert not explained.all("sink", "batch.strategy")
    for name in ("json.validate", "json.json.validate", "source.json.validate"):
        Explained(with_stream("json", {name: "full"})).expect("source", "json.validate", "full", "user")
    Explained(with_stream("file", {"file.read_buffer_size": "8192"})).expect(
        "source", "read_buffer_size", "8192", "user")
    Explained(with_stream("kafka", {"kafka.acks": "all"}, "kafka")).expect("sink", "acks", "all", "user")
    Explained(with_stream("state", {"state.memory.limit": "64MB"})).expect("job", "state.memory.limit", "64MB", "user")
    # what is no option as it stands is the stream's, and what nobody has is told so
    Explained(with_stream("json", {"json.path": "other.jsonl"})).expect("source", "path", "other.jsonl", "user")
    expect_all(refusal(with_stream("batch", {"batch.strategy": "FixedSize", "batch.adaptation_factor": "2"})),
               "unknown option 'batch.adaptation_factor'", "it is an option of: the batch strategy AdaptiveSize")
    expect_all(refusal(with_stream("batch", {"batch.batchsize": "5"})), "did you mean 'batch.batch_size'?")


def test_hints_are_of_the_side(_place):
    cases = [("sink.read_bufer_size", "'sink.write_buffer_size'"),
             ("source.read_bufer_size", "'source.read_buffer_size'"),
             ("sink.pth", "'sink.path'"), ("sink.batch_read_line", "'source.batch_read_lines'"),
             ("result.write_bufer_size", "'result.write_buffer_size'"), ("read_bufer_size", "'read_buffer_size'"),
             ("source.batch.stratgy", "'source.batch.strategy'"), ("sink.kafka.linger.mss", "'sink.kafka.linger.ms'")]
    for name, meant in cases:
        sql = statement("file", "file", {name: "5"})
        expect_all(refusal(sql), f"did you mean {meant}?")
    expect_all(refusal("SET 'sink.read_bufer_size' = '5';\n" + statement()), "'sink.write_buffer_size'")
    expect_all(refusal("-- Property: source.batch.stratgy=FixedSize\n\n" + statement()), "'source.batch.strategy'")


# ---------------------------------------------------------------------------------- files

def test_hints_about_files(place):
    cases = [(b"extends: y.yaml\n", "y.yaml', line 1: it extends itself", "take one 'extends' out"),
             (b"extends:\n", "names no file", "write 'extends: base.yaml'"),
             (b"a: 1\n" * 300000, "larger than 1 MB", "is it the right file?"),
             (b"kafka:\n  topic: \x01\n", "control characters are not allowed", "text in UTF-8"),
             (b"kafka: *x\n", "anchors and aliases", "write the value itself"),
             (b"- a\n", "no list of names and values", "write 'name: value'")]
    for text, said, hint in cases:
        with open(place.path("y.yaml"), "wb") as file:
            file.write(text)
        what = refusal(statement(of_source={"config_file": place.path("y.yaml")}))
        expect_all(what, said, hint)
        assert ("'name: value'" in what) == ("'name: value'" in hint), what


def test_options_of_another_strategy_in_a_file(place):
    with open(place.path("y.yaml"), "w", encoding="utf-8") as file:
        file.write("batch:\n  batch_size: 5\n")
    for given in ({"source_config": place.path("y.yaml")}, {"source.batch.batch_size": "5"},
                  {"orders.batch.batch_size": "5"}):
        what = refusal(statement(trailing={"batch.strategy": "AdaptiveSize", **given}))
        expect_all(what, "batch.batch_size'", "is an option of: the batch strategy FixedSize")
        assert "did you mean" not in what, what
    expect_all(refusal(statement(trailing={"source.batch.stratgy": "x"})), "did you mean 'source.batch.strategy'?")


if __name__ == "__main__":
    guide.run(globals())
