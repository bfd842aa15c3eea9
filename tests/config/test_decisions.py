"""tests/config/test_decisions.py -- what is decided about options is said, counted and shown: of a job
too, of options that every source or sink has, and of parameters that do nothing where they are.

    python3 tests/config/test_decisions.py [NAME...]"""
import re

import guide
from guide import Explained, rows_of, statement

IDLE = "no effect on a sink: there the strategy acts by what it suggests"


def said(place, sql, settings=()):
    """The config: lines of a run, and SHOW METRICS of its counters."""
    place.write("orders.jsonl", '{"id":1,"price":2.50}\n')
    process = place.start(sql + "SHOW METRICS LIKE 'config%';\n", settings)
    out, err = process.communicate(timeout=guide.DEADLINE)
    assert process.returncode == 0, err
    counts = {name: int(value) for name, value in re.findall(r"(config_\w+) *\| *(\d+)", out)}
    return [line for line in err.splitlines() if line.startswith("config: ")], counts


def test_words_about_a_job(place):
    sql = ("SET 'parallelism' = '2';\n"
           + statement("file", "file", {"parallelism": "3", "commit.interval": "3s"}))
    lines, counts = said(place, sql, {"parallelism": "4"})
    job = "config: insert_into_result_1, job: parallelism = '4' (--set): stands above '3' of line 4"
    assert lines[0] == job and len(lines) == 2, lines  # the other is of SHOW METRICS itself
    assert counts["config_precedence"] == 1, counts
    explained = Explained(sql, {"parallelism": "4"})
    option = explained.expect("job", "parallelism", "4", "--set")
    assert option["reason"] == "stands above '3' of line 4", option
    assert "reason" not in explained.expect("job", "commit.interval", "3s", "user")


def test_what_the_guarantee_settles(_place):
    explained = Explained(statement("file", "file"))
    option = explained.expect("job", "commit.interval", "1s", "guarantee")
    assert option["reason"] == "an epoch of a file waits for the disk"
    explained = Explained(statement("file", "kafka", {"kafka.acks": "1"}))
    option = explained.one("job", "delivery.guarantee")
    assert option["value"] == "at-least-once" and "acknowledgement of all" in option["reason"], option


def test_a_reason_is_of_one_option_alone(_place):
    """Each reason names a value or a strategy that its own option has to do with."""
    for connector in ("kafka", "file"):
        explained = Explained(statement(connector, connector, {"batch.strategy": "LowLatency"}))
        for option in explained.options:
            if option["origin"] == "default":
                assert "LowLatency suggests" not in option.get("reason", ""), option
            if option["origin"] == "user":
                assert "reason" not in option, option
            if option["origin"] == "strategy":
                assert option["reason"] == "LowLatency suggests it", option


def test_options_that_every_side_has(_place):
    explained = Explained(statement("kafka", "kafka", {"watermark.delay": "9s"}), {"value.null": "skip"})
    explained.expect("source", "watermark.delay", "9s", "user")
    explained.expect("source", "watermark.idle.timeout", "30s", "default")
    explained.expect("source", "value.null", "skip", "--set")
    explained.expect("source", "schema.sample.bytes", "1MB", "default")
    explained.expect("sink", "changelog.mode", "append", "default")
    assert explained.all("source", "changelog.mode") == []


def test_parameters_without_effect_on_a_sink(place):
    """Those that its tables do not refer to, and memory is watched by no topic."""
    acting = {("file", "FixedSize"): {"batch.batch_size"},
              ("file", "AdaptiveSize"): {"batch.initial_batch_size"},
              ("file", "MemoryBased"): {"batch.target_memory_usage", "batch.gc_pressure_threshold",
                                        "batch.memory_check_frequency_ms"}}
    for connector in ("kafka", "file"):
        for strategy in guide.STRATEGIES:
            explained = Explained(statement(connector, connector, {"batch.strategy": strategy}))
            for row in rows_of(strategy, "batch"):
                if row.name == "batch.strategy":
                    continue
                at_source = explained.one("source", row.name)
                at_sink = explained.one("sink", row.name)
                idle = (row.name not in acting.get((connector, strategy), set())
                        and row.name != "batch.enable_batching")
                assert "reason" not in at_source, at_source
                assert at_sink.get("reason") == (IDLE if idle else None), at_sink
    lines, counts = said(place, statement("file", "file", {
        "sink.batch.strategy": "AdaptiveSize", "sink.batch.performance_window_ms": "1ms",
        "sink.batch.initial_batch_size": "200"}))
    assert f"config: insert_into_result_1, sink 'result': batch.performance_window_ms = '1ms' (user): {IDLE}" in lines
    assert not [line for line in lines if "initial_batch_size" in line], lines
    assert counts["config_idle"] == 1, counts


def test_a_suggestion_withheld_is_no_other_statements(place):
    """Two statements with one sink: what exactly-once withholds there holds for that one alone."""
    explained = [Explained("CREATE STREAM a (id BIGINT) WITH ('connector' = 'kafka', 'kafka.topic' = 'a');\n"
                           "CREATE STREAM o (id BIGINT) WITH ('connector' = 'kafka', 'kafka.topic' = 'o',\n"
                           "  'batch.strategy' = 'LowLatency');\n"
                           "INSERT INTO o SELECT id FROM a;\n"
                           + ("INSERT INTO o SELECT id + 1 AS id FROM a\n"
                              "WITH ('delivery.guarantee' = 'at-most-once');\n" if second else ""))
                 for second in (False, True)]
    explained[0].expect("sink", "acks", "all", "guarantee")
    option = explained[1].expect("sink", "acks", "0", "strategy")
    assert option["reason"] == "LowLatency suggests it", option


if __name__ == "__main__":
    guide.run(globals())
