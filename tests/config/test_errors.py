"""tests/config/test_errors.py -- what is refused of batches, and what a user's word does to the guarantee.

    python3 tests/config/test_errors.py [NAME...]
"""
import re

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
        ("AdaptiveSize", {"batch.min_batch_size": "20000"}, "batch.max_batch_size"),
        ("AdaptiveSize", {"batch.min_batch_size": "500", "batch.max_batch_size": "400"},
         "batch.max_batch_size"),
        ("AdaptiveSize", {"batch.min_batch_size": "2000"}, "batch.initial_batch_size"),
        ("AdaptiveSize", {"batch.max_batch_size": "999"}, "batch.initial_batch_size"),
        ("AdaptiveSize", {"batch.initial_batch_size": "10001"}, "batch.max_batch_size"),
        ("MemoryBased", {"batch.min_batch_size": "5001"}, "batch.max_batch_size"),
        ("MemoryBased", {"batch.max_batch_size": "99"}, "batch.min_batch_size"),
        ("MemoryBased", {"batch.target_memory_usage": "0.95"}, "batch.gc_pressure_threshold"),
    ]
    for strategy, more, other in cases:
        sql = statement(trailing={"batch.strategy": strategy, **more})
        expect_all(refusal(sql), other, *more, *more.values(),
                   f"query:{line_of(sql, list(more)[0])}:", "more than")
        expect_all(refusal(statement(trailing={"batch.strategy": strategy}), more, code=2), other, *more)
    for strategy, more in (("AdaptiveSize", {"batch.min_batch_size": "1000"}),
                           ("MemoryBased", {"batch.min_batch_size": "5000"})):
        Explained(statement(trailing={"batch.strategy": strategy, **more}))  # equal is in order


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
        assert ("(--set)" in said) == ("delivery.guarantee" in settings), said
        assert ("query:" in said) == (code == 1), said


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
        expect_all(what, "'batch.batch_size' is an option of: the batch strategy FixedSize")
        assert "did you mean" not in what, what
    expect_all(refusal(statement(trailing={"source.batch.stratgy": "x"})), "did you mean 'source.batch.strategy'?")


if __name__ == "__main__":
    guide.run(globals())
