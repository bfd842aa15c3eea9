"""tests/config/test_library.py -- what explain says of properties that no option gives: the engine's
own by the rows of its list, the others as librdkafka itself has them (kcat prints that).

    python3 tests/config/test_library.py [NAME...]"""
import os
import re
import subprocess

import guide
from guide import Explained, statement

LIST = os.path.join(os.path.dirname(__file__), "../..", "src/connector/kafka_default_list.h")
# What kcat sets of its own, or prints in other words.
OTHERS = {"client.id", "enable.auto.offset.store", "log.connection.close",
          "internal.termination.signal", "log_level"}


def rows():
    """(scope, when, name, value or None, reason) of the list."""
    text = open(LIST).read()
    found = re.findall(r'DEFAULT\((\w+), (\w+), "([^"]+)",\s*(NULL|"[^"]*"),\s*"([^"]*)"\)', text)
    assert len(found) == text.count("\nDEFAULT("), "a row that this cannot read"
    return [({"CONSUMER": "source", "PRODUCER": "sink"}[side], when, name,
             None if value == "NULL" else value.strip('"'), reason)
            for side, when, name, value, reason in found]


def dumped():
    run = subprocess.run(["kcat", "-X", "dump"], capture_output=True, text=True, timeout=20)
    pairs = [line.split(" = ", 1) for line in run.stdout.splitlines() if " = " in line]
    return dict(reversed(pairs))  # the first of a name: a topic has some of the same


def test_rows_of_the_list(_place):
    for guarantee in ("exactly-once", "at-least-once"):
        explained = Explained(statement(trailing={"delivery.guarantee": guarantee}))
        for scope, when, name, value, reason in rows():
            shown = [option for option in explained.all(scope, name) if option.get("reason") == reason]
            if when == ("PLAIN" if guarantee == "exactly-once" else "TRANSACTIONS"):
                assert shown == [], shown
            elif name == "auto.offset.reset":
                explained.expect(scope, name, "earliest", "default")
            elif when != "KNOWN" or shown:  # an old librdkafka does not have that
                explained.expect(scope, name, value or "(worked out)", "default")
                assert len(shown) == 1, (scope, name)


def test_the_library_has_what_is_told_of_it(_place):
    explained = Explained(statement())
    theirs = dumped()
    checked = 0
    for option in explained.options:
        if not guide.is_library(option) or option["name"] in OTHERS:
            continue
        if option["name"] in theirs:
            value = theirs[option["name"]]
            assert guide.same_value(option["value"], value), f"{option}, but it has {value}"
            checked += 1
    print(f"# {checked} values")
    assert checked > 80


def test_nothing_twice(_place):
    for trailing in ({}, {"kafka.queue.buffering.max.ms": "7", "source.kafka.fetch.wait.max.ms": "3"},
                     {"kafka.group.id": "g", "kafka.auto.offset.reset": "latest"},
                     {"batch.strategy": "LowLatency"}):
        explained = Explained(statement(trailing=trailing))
        names = [(option["scope"], option["name"].lower()) for option in explained.options]
        assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
        for name, value in trailing.items():
            bare = name.removeprefix("source.").removeprefix("kafka.")
            assert [option for option in explained.options
                    if option["name"] == bare and option["value"] == value
                    and option["origin"] == "user"], name
        linger = explained.all("sink", "linger.ms")
        assert len(linger) == (0 if "kafka.queue.buffering.max.ms" in trailing else 1), linger


def test_nothing_of_it_for_files(_place):
    explained = Explained(statement("file", "file"))
    assert not [option for option in explained.options if guide.is_library(option)]


if __name__ == "__main__":
    guide.run(globals())
