"""tests/config/test_guide.py -- what the performance guide says of batch strategies, row by row: its
tables are what `explain` shows, its examples plan and run.

    python3 tests/config/test_guide.py [NAME...]

FERRIS_SQL is the program, by default that of build/release.  No broker is needed."""
import json
import re

import guide
from guide import ALL_ROWS, EXAMPLES, STRATEGIES, Explained, names_itself, rows_of, statement

GUARANTEED = ("acks", "retries")  # what a guarantee may withhold


def chosen(strategy, connector="kafka", **more):
    return Explained(statement(connector, connector, {"batch.strategy": strategy, **more}))


# ---------------------------------------------------------------------------------- tables

def test_no_row_is_skipped(_place):
    begun = [line for line in guide.TEXT.splitlines() if line.startswith("|")]
    heads = [line for line in begun if line.startswith(("| Parameter |", "|---"))]
    assert len(heads) == 2 * 5 * 5
    assert len(ALL_ROWS) == len(begun) - len(heads) == guide.ROWS, len(ALL_ROWS)
    assert len({row.key() for row in ALL_ROWS}) == guide.ROWS
    for strategy in STRATEGIES:
        for scope, connector in guide.TABLES.values():
            assert len(rows_of(strategy, scope, connector)) >= 3
    print(f"# {len(ALL_ROWS)} rows")


def test_every_row(_place):
    """At-most-once: the tables to the letter, acks and retries too."""
    checked = set()
    for strategy in STRATEGIES:
        for connector in ("kafka", "file"):
            more = {"delivery.guarantee": "at-most-once"} if connector == "kafka" else {}
            explained = chosen(strategy, connector, **more)
            for row in rows_of(strategy, "batch"):
                for scope in ("source", "sink"):
                    explained.expect_row(row, scope,
                                         origin="user" if names_itself(row) else "default")
                checked.add(row.key())
            for scope in ("source", "sink"):
                rows = rows_of(strategy, scope, connector)
                for row in rows:
                    option = explained.expect_row(row)
                    assert strategy in option["reason"], option
                    checked.add(row.key())
                suggested = {option["name"] for option in explained.options
                             if option["scope"] == scope and option["origin"] == "strategy"}
                assert suggested == {row.name for row in rows}, "more than the table has"
    assert checked == {row.key() for row in ALL_ROWS} and len(checked) == guide.ROWS
    print(f"# {len(checked)} rows checked")


def test_parameters_are_no_others(_place):
    for strategy in STRATEGIES:
        explained = chosen(strategy)
        for scope in ("source", "sink"):
            shown = {option["name"] for option in explained.options
                     if option["scope"] == scope and option["name"].startswith("batch.")
                     and option["name"] != "batch.size" and not guide.is_library(option)}
            assert shown == {row.name for row in rows_of(strategy, "batch")}


def test_one_side_only(_place):
    for strategy in STRATEGIES:
        for connector in ("kafka", "file"):
            for scope, other in (("source", "sink"), ("sink", "source")):
                named = "orders" if scope == "source" else "result"
                for option in (f"{scope}.batch.strategy", f"{named}.batch.strategy"):
                    explained = Explained(statement(connector, connector, {
                        option: strategy, "delivery.guarantee": "at-least-once"}))
                    for row in rows_of(strategy, scope, connector):
                        if row.name not in GUARANTEED:
                            explained.expect_row(row)
                    assert [option for option in explained.options if option["scope"] == other
                            and not guide.is_library(option)
                            and (option["origin"] == "strategy"
                                 or option["name"].startswith("batch."))] == []


def test_in_a_declaration(_place):
    for strategy in STRATEGIES:
        for connector in ("kafka", "file"):
            batch = {"batch.strategy": strategy}
            explained = Explained(statement(connector, connector, of_source=batch))
            for row in rows_of(strategy, "source", connector):
                explained.expect_row(row)
            assert explained.all("sink", "batch.strategy") == []
            explained = Explained(statement(connector, connector, of_sink=batch))
            for row in rows_of(strategy, "sink", connector):
                if row.name not in GUARANTEED:
                    explained.expect_row(row)
            assert explained.all("source", "batch.strategy") == []


def test_two_strategies_in_one_statement(_place):
    for first in STRATEGIES:
        for second in STRATEGIES:
            explained = Explained(statement("kafka", "file", {
                "source.batch.strategy": first, "sink.batch.strategy": second}))
            for row in rows_of(first, "source", "kafka") + rows_of(second, "sink", "file"):
                explained.expect_row(row)


def test_nothing_without_a_strategy(_place):
    for connector in ("kafka", "file"):
        for more in ({}, {"batch.strategy": "LowLatency", "batch.enable_batching": "false"}):
            explained = Explained(statement(connector, connector, more))
            assert [option for option in explained.options if option["origin"] == "strategy"] == []
    # a parameter of FixedSize alone means FixedSize
    explained = Explained(statement(trailing={"batch.batch_size": "500"}))
    explained.expect("source", "batch.strategy", "FixedSize", "default")
    explained.expect("source", "max.poll.records", "500", "strategy")


# ---------------------------------------------------------------------------------- guarantee

def expect_withheld(explained, row, value):
    option = explained.expect_row(row, value=value, origin="guarantee")
    assert f"{row.strategy} suggests '{row.value}'" in option["reason"], option


def guaranteed_rows(strategy):
    rows = [row for row in rows_of(strategy, "sink", "kafka") if row.name in GUARANTEED]
    assert len(rows) == (2 if strategy == "LowLatency" else 1)
    return rows


def test_exactly_once_withholds(_place):
    for strategy in STRATEGIES:
        for more in ({}, {"delivery.guarantee": "exactly-once"}):
            explained = chosen(strategy, **more)
            assert explained.one("job", "delivery.guarantee")["value"] == "exactly-once"
            assert "warning" not in explained.stderr, explained.stderr
            for row in guaranteed_rows(strategy):
                expect_withheld(explained, row, "all" if row.name == "acks" else "2147483647")
            for row in rows_of(strategy, "sink", "kafka"):
                if row.name not in GUARANTEED:
                    explained.expect_row(row)


def test_at_least_once(_place):
    for strategy in STRATEGIES:
        explained = chosen(strategy, **{"delivery.guarantee": "at-least-once"})
        for row in guaranteed_rows(strategy):
            if row.name == "retries":  # a record that is not sent again is read again
                explained.expect_row(row, value="0")
            elif strategy == "LowLatency":
                expect_withheld(explained, row, "all")
            else:
                explained.expect_row(row, value="1")


def test_at_most_once(_place):
    for strategy in STRATEGIES:
        explained = chosen(strategy, **{"delivery.guarantee": "at-most-once"})
        for row in guaranteed_rows(strategy):
            explained.expect_row(row, value="0" if strategy == "LowLatency" else "1")


# ---------------------------------------------------------------------------------- what follows

def followed(row):
    """The parameter that the row's value follows, or None."""
    found = re.fullmatch(r"Matches (\w+)", row.doc)
    if found:
        return f"batch.{found[1]}"
    return "batch.initial_batch_size" if row.doc == "Initial batch size" else None


def test_what_matches_a_parameter_follows_it(_place):
    rows = [row for row in ALL_ROWS if followed(row)]
    matches = [row for row in rows if row.doc.startswith("Matches")]
    assert len(matches) == guide.TEXT.count("Matches ") == 7, len(matches)
    assert len(rows) == 9
    for row in rows:
        parameter = followed(row)
        size = "2345"
        for where in ({"trailing": {parameter: size}},
                      {"trailing": {f"{row.scope}.{parameter}": size}},
                      {f"of_{row.scope}": {"batch.strategy": row.strategy, parameter: size}}):
            lists = {"trailing": {}, **where}
            lists["trailing"] = {"batch.strategy": row.strategy, **lists["trailing"]}
            explained = Explained(statement(row.connector, row.connector, **lists))
            explained.expect(row.scope, parameter, size, "user")
            explained.expect_row(row, value=size)
        explained = Explained(statement(row.connector, row.connector, {"batch.strategy": row.strategy}),
                              {parameter: size})
        explained.expect(row.scope, parameter, size, "--set")
        explained.expect_row(row, value=size)
        # the other side's parameter is another one
        other = "sink" if row.scope == "source" else "source"
        explained = Explained(statement(row.connector, row.connector, {
            "batch.strategy": row.strategy, f"{other}.{parameter}": size}))
        explained.expect_row(row)
        # the user's word about the option itself stands
        explained = Explained(statement(row.connector, row.connector, {
            "batch.strategy": row.strategy, parameter: size, row.option: "77"}))
        explained.expect_row(row, value="77", origin="user")


# ---------------------------------------------------------------------------------- examples

COLUMNS = {
    "source_stream": "id BIGINT, name STRING",
    "kafka_source": "id BIGINT, name STRING",
    "processed_orders": "id BIGINT, name STRING",
    "orders": "customer_id BIGINT, amount DECIMAL(12,2), timestamp TIMESTAMP, "
              "WATERMARK FOR timestamp AS timestamp",
    "high_volume_orders": "id BIGINT, name STRING",
    "large_records_stream": "id BIGINT, name STRING",
    "critical_alerts": "alert_id BIGINT, severity STRING, timestamp TIMESTAMP",
}
MANY = 3000


class Example:
    """A block ```sql of the guide."""

    def __init__(self, sql):
        self.sql = sql
        self.source = re.search(r"^FROM (\w+)|FROM (\w+)\s*$", sql, re.M)
        self.source = self.source[1] or self.source[2]
        self.inserts = sql.lstrip().split("\n")[1 if sql.startswith("--") else 0].startswith("INSERT")
        self.sink = re.search(r"(?:CREATE STREAM|INSERT INTO) (\w+)", sql)[1]
        self.columns = COLUMNS[self.source]
        self.given = re.findall(r"'([^']+)' = '([^']*)'", sql)

    def declared(self, source, sink):
        """With the streams that it reads in front, and the target of an INSERT."""
        sql = f"CREATE STREAM {self.source} ({self.columns}){guide.with_list(source)};\n"
        if self.inserts:
            sql += f"CREATE STREAM {self.sink} ({self.columns}){guide.with_list(sink)};\n"
        return sql + self.sql

    def strategy(self):
        return next(value for name, value in self.given if name.endswith("batch.strategy"))

    def of_kafka(self):
        """The names that only Kafka has."""
        return [name for name, _ in self.given if name.startswith("kafka.")]

    def without_kafka(self):
        """The example without those lines."""
        lines = [line for line in self.sql.split("\n") if not line.startswith("    'kafka.")]
        sql = re.sub(r",(\s*\);)", r"\1", "\n".join(lines))
        assert sql.count("'kafka.") == 0 and sql.rstrip().endswith(");"), sql
        return sql


def examples():
    assert len(EXAMPLES) == guide.TEXT.count("```sql") == 8
    return [Example(sql) for sql in EXAMPLES]


def on_kafka(name):
    return {"connector": "kafka", "kafka.topic": f"{name}_topic",
            "kafka.bootstrap.servers": "localhost:9092"}


def on_file(name):
    return {"connector": "file", "path": f"{name}.jsonl"}


def test_examples_plan(_place):
    """Every option of the example is in effect where it belongs, with the user as its origin."""
    shown = 0
    for example in examples():
        explained = Explained(example.declared(on_kafka("in"), on_kafka("out")))
        for name, value in example.given:
            scope = re.match(r"(source|sink)\.", name)
            bare = name.removeprefix("source.").removeprefix("sink.").removeprefix("kafka.")
            scopes = [scope[1]] if scope else ["source", "sink"]
            found = [option for side in scopes for option in explained.all(side, bare)]
            found = [option for option in found if option["origin"] == "user"
                     and guide.same_value(option["value"], value)]
            assert found, f"{name} of {example.sql}"
            if name.startswith("batch.") and name != "batch.size":
                assert len(found) == 2, found
            shown += 1
        sides = {option["scope"] for option in explained.options
                 if option["name"] == "batch.strategy" and option["value"] == example.strategy()}
        only = {"source.batch.strategy": {"source"}, "sink.batch.strategy": {"sink"}}
        assert sides == only.get(next(n for n, _ in example.given if n.endswith("batch.strategy")),
                                 {"source", "sink"})
        acks = dict(example.given).get("kafka.acks")
        assert ("at-most-once" in explained.stderr) == (acks == "0"), explained.stderr
    assert shown == sum(example.sql.count("' = '") for example in examples()), shown


def records_of(example):
    """Input, and what the example makes of it: lists of objects."""
    if example.source == "critical_alerts":
        rows = [{"alert_id": i, "severity": ["CRITICAL", "LOW", "HIGH"][i % 3], "timestamp": 1000 * i}
                for i in range(MANY)]
        return rows, [{"alert_id": row["alert_id"], "severity": "CRITICAL", "timestamp": iso(row)}
                      for row in rows if row["severity"] == "CRITICAL"]
    if example.source == "orders":
        rows = [{"customer_id": i % 7, "amount": i / 4, "timestamp": 100 * i} for i in range(MANY)]
        if "TUMBLE" in example.sql:
            counts = {}
            for row in rows:
                key = row["customer_id"], row["timestamp"] // 5000 * 5000
                counts[key] = counts.get(key, 0) + 1
            return rows, [{"customer_id": customer, "order_count": count,
                           "window_start": iso({"timestamp": start})}
                          for (customer, start), count in counts.items()]
        return rows, [dict(row, timestamp=iso(row)) for row in rows]
    rows = [{"id": i, "name": f"name {i % 13}"} for i in range(MANY)]
    return rows, rows


def iso(row):
    ms = row["timestamp"]
    return "1970-01-01T%02d:%02d:%02d.%03dZ" % (ms // 3600000, ms // 60000 % 60, ms // 1000 % 60, ms % 1000)


def text_of(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_set(rows):
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def last_of_each(text, keys):
    """Results of windows may come more than once on the way: the last of each counts."""
    found = {}
    for line in text.splitlines():
        row = json.loads(line)
        found[tuple(row[key] for key in keys)] = row
    return list(found.values())


def test_examples_run_on_files(place):
    """Word for word only the first can: the others give options that only Kafka has ('kafka.topic',
    'kafka.linger.ms', ...), which a statement without Kafka refuses as it refuses every option that
    nobody takes.  So they run without these lines; test_examples_run_on_topics has all."""
    for number, example in enumerate(examples(), 1):
        rows, expected = records_of(example)
        place.write("in.jsonl", text_of(rows))
        settings = {"sink.connector": "file", "sink.path": f"out{number}.jsonl"}
        whole = example.declared(on_file("in"), on_file("other"))
        if example.of_kafka():
            said = guide.refusal(whole, settings)
            assert f"unknown option '{example.of_kafka()[0]}'" in said and "Kafka" in said, said
            example.sql = example.without_kafka()
            whole = example.declared(on_file("in"), on_file("other"))
        else:
            assert number == 1
        place.run(whole, settings)
        out = place.read(f"out{number}.jsonl")
        got = [json.loads(line) for line in out.splitlines()]
        if "TUMBLE" in example.sql:
            got = last_of_each(out, ["customer_id", "window_start"])
            assert as_set(got) == as_set(expected), number
        else:
            assert got == expected, number
        assert not place.read("other.jsonl")


def test_examples_run_on_topics(place):
    """Word for word, on librdkafka's cluster inside the process: a file goes into the topic that the
    example reads, and what it writes into a file.  The cluster has no transactions, so all is
    at-least-once (at-most-once with acks=0)."""
    running = []
    for number, example in enumerate(examples(), 1):
        rows, expected = records_of(example)
        place.write(f"in{number}.jsonl", text_of(rows))
        kafka = dict(on_kafka(f"source{number}"))
        topic = dict(example.given).get("kafka.topic", "out_topic" if example.inserts else example.sink)
        windows = "TUMBLE" in example.sql
        outputs = {"orders": "customer_id BIGINT, amount DOUBLE, timestamp STRING",
                   "critical_alerts": "alert_id BIGINT, severity STRING, timestamp STRING"}
        columns = "customer_id BIGINT, order_count BIGINT, window_start STRING" if windows else \
            outputs.get(example.source, "id BIGINT, name STRING")
        if windows:  # closes the last window, and is in one that stays open
            rows = rows + [{"customer_id": 99, "amount": 0, "timestamp": 10 ** 9}]
            place.write(f"in{number}.jsonl", text_of(rows))
        sql = (f"CREATE STREAM raw ({example.columns}){guide.with_list(on_file(f'in{number}'))};\n"
               + example.declared(kafka, on_kafka("out"))
               + f"INSERT INTO {example.source} SELECT * FROM raw;\n"
               + f"CREATE STREAM written ({columns})"
               + guide.with_list({"connector": "kafka", "kafka.topic": topic}) + ";\n"
               + f"INSERT INTO 'got{number}.jsonl' SELECT * FROM written;\n")
        # the topic has more partitions than the row that closes the windows
        settings = {"kafka.bootstrap.servers": "embedded", "source.watermark.idle.timeout": "2s"}
        process = place.start(sql, settings, state=f"state{number}")
        running.append((number, process, expected, windows))
    for number, process, expected, windows in running:
        def complete():
            text = place.read(f"got{number}.jsonl")
            text = text[:text.rfind("\n") + 1]
            if windows:
                got = [row for row in last_of_each(text, ["customer_id", "window_start"])
                       if row["customer_id"] != 99]
            else:
                got = [json.loads(line) for line in text.splitlines()]
            return as_set(got) == as_set(expected)
        place.wait_for(f"right output of example {number}", complete, [process])
        place.stop(process)


if __name__ == "__main__":
    guide.run(globals())
