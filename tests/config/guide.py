"""tests/config/guide.py -- the guide's tables and examples as data, and what a statement is explained
to have of options.

performance_guide.md is the section "Batch Processing Configuration Reference" of the performance
guide, word for word.  Nothing here needs a broker."""
import json
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal, InvalidOperation

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(FOLDER, "..", "integration"))
import harness  # noqa: E402 -- of tests/integration
from harness import PROGRAM  # noqa: E402

DEADLINE = 60
TEXT = open(os.path.join(FOLDER, "performance_guide.md"), encoding="utf-8").read()
STRATEGIES = ["FixedSize", "TimeWindow", "AdaptiveSize", "MemoryBased", "LowLatency"]
# Heading of a table -> (scope, connector); of the parameters both.
TABLES = {
    "Configuration Parameters": ("batch", None),
    "Source Settings (Kafka)": ("source", "kafka"),
    "Source Settings (File)": ("source", "file"),
    "Sink Settings (Kafka)": ("sink", "kafka"),
    "Sink Settings (File)": ("sink", "file"),
}
ROWS = 107  # of all tables; 30 parameters, 21 and 26 of Kafka, 15 and 15 of files


class Row:
    """A row of a table."""

    def __init__(self, strategy, table, name, value, doc):
        self.strategy = strategy
        self.scope, self.connector = TABLES[table]
        self.option = name  # as it is given
        self.name = name.removeprefix("file.")  # as it is shown
        if self.connector == "kafka":
            self.option = "kafka." + name
        self.value = value
        self.doc = doc

    def key(self):
        return self.strategy, self.scope, self.connector, self.name

    def __repr__(self):
        return f"{self.strategy} {self.scope} {self.connector} {self.name} = {self.value}"


def parse_rows():
    """A line that begins like a row but cannot be understood is a failure."""
    rows = []
    strategy = table = None
    for line in TEXT.splitlines():
        heading = re.fullmatch(r"### \d\. (\w+) Strategy", line)
        if heading:
            strategy, table = heading[1], None
        elif line.startswith("#"):
            table = line.lstrip("# ").rstrip()
        elif line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) == 4:
                del cells[1]  # the type of a parameter
            assert len(cells) == 3 and table in TABLES and strategy in STRATEGIES, line
            name, value = (re.fullmatch(r"`\"?([^`\"]*)\"?`", cell)[1] for cell in cells[:2])
            rows.append(Row(strategy, table, name, value, cells[2]))
    return rows


ALL_ROWS = parse_rows()
EXAMPLES = re.findall(r"^```sql\n(.*?)^```$", TEXT, re.S | re.M)


def rows_of(strategy, scope, connector=None):
    return [row for row in ALL_ROWS
            if (row.strategy, row.scope, row.connector) == (strategy, scope, connector)]


def same_value(a, b):
    """Numbers as numbers."""
    try:
        return Decimal(a) == Decimal(b)
    except InvalidOperation:
        return a == b


def names_itself(row):
    """The row that says what the strategy is called."""
    return row.name == "batch.strategy"


# ---------------------------------------------------------------------------------- statements

def with_list(options):
    text = ", ".join("'%s' = '%s'" % pair for pair in pairs_of(options))
    return f" WITH ({text})" if text else ""


def pairs_of(options):
    return list(options.items()) if isinstance(options, dict) else list(options)


PLACES = {
    "kafka": lambda name: {"connector": "kafka", "kafka.topic": f"{name}_topic"},
    "file": lambda name: {"connector": "file", "path": f"{name}.jsonl", "format": "json"},
}


def statement(source="kafka", sink="kafka", trailing=(), of_source=(), of_sink=()):
    """orders is read, result written; the lists are pairs of name and value."""
    columns = "(id BIGINT, price DECIMAL(12,2))"
    return (f"CREATE STREAM orders {columns}"
            f"{with_list(pairs_of(PLACES[source]('orders')) + pairs_of(of_source))};\n"
            f"CREATE STREAM result {columns}"
            f"{with_list(pairs_of(PLACES[sink]('result')) + pairs_of(of_sink))};\n"
            f"INSERT INTO result SELECT id, price FROM orders{with_list(trailing)};\n")


def set_arguments(options):
    return [word for pair in pairs_of(options) for word in ("--set", "%s=%s" % pair)]


def run_explain(sql, settings=()):
    return subprocess.run([PROGRAM, "explain", "--output", "json", "--query", sql,
                           *set_arguments(settings)], capture_output=True, text=True, timeout=DEADLINE)


class Explained:
    """The options of a script's last statement."""

    def __init__(self, sql, settings=()):
        run = run_explain(sql, settings)
        assert run.returncode == 0, f"{sql}\n{settings}\n{run.stderr}"
        self.stderr = run.stderr
        self.sql = sql
        self.options = json.loads(run.stdout)["statements"][-1]["options"]
        for option in self.options:
            assert option["origin"] in ("user", "strategy", "guarantee", "default"), option
            if "place" in option:  # of the user's words: not a WITH
                assert option["origin"] == "user" and option["place"] in ("--set", "SET"), option
                option["origin"] = option["place"]

    def all(self, scope, name):
        return [option for option in self.options
                if option["scope"] == scope and option["name"].lower() == name.lower()]

    def one(self, scope, name):
        found = self.all(scope, name)
        assert len(found) == 1, f"{scope} {name}: {found}\n{self.sql}"
        return found[0]

    def expect(self, scope, name, value, origin):
        option = self.one(scope, name)
        assert same_value(option["value"], value) and option["origin"] == origin, \
            f"{option}, not {value} of {origin}\n{self.sql}"
        return option

    def expect_row(self, row, scope=None, value=None, origin="strategy"):
        return self.expect(scope or row.scope, row.name, row.value if value is None else value, origin)


def is_library(option):
    """librdkafka's own, which nobody has set."""
    return option.get("reason") == "librdkafka's own"


def refusal(sql, settings=(), code=1):
    """What a statement that cannot be planned is told; 2: because of the command line."""
    run = run_explain(sql, settings)
    assert run.returncode != 0, f"this should be refused:\n{sql}\n{settings}"
    assert run.returncode == code and run.stderr.startswith("error"), run
    return run.stderr


class Place(harness.Folder):
    """A folder with input, output and state, and the processes there."""

    def __init__(self):
        super().__init__()
        self.processes = []

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def start(self, sql, settings=(), state="state"):
        environment = dict(os.environ, XDG_STATE_HOME=self.path(state))
        process = subprocess.Popen([PROGRAM, "execute", "--query", sql, *set_arguments(settings)],
                                   cwd=self.folder, env=environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def run(self, sql, settings=()):
        process = self.start(sql, settings)
        out, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, f"{sql}\n{settings}\n{out}{err[-3000:]}"
        return out

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, f"{process.returncode}: {out}{err[-3000:]}"

    def wait_for(self, what, condition, processes=(), seconds=DEADLINE):
        deadline = time.monotonic() + seconds
        while not condition():
            for process in processes:
                assert process.poll() is None, \
                    f"the job ended while waiting for {what}: {process.communicate()}"
            assert time.monotonic() < deadline, f"no {what} within {seconds} s"
            time.sleep(0.05)

    def close(self, _failed):
        for process in self.processes:
            process.kill()
            process.communicate()
        super().close(_failed)


def run(names):
    harness.run(names, Place)
