"""tests/config/test_precedence.py -- what the user says stands above every strategy, in whatever words
and wherever it is said; what the user does not say is the strategy's.

    python3 tests/config/test_precedence.py [NAME...]

The seed is printed; TEST_SEED repeats it, FERRIS_CASES says how many cases."""
import os
import random
import time

import guide
from guide import ALL_ROWS, STRATEGIES, Explained, rows_of, statement

SEED = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
CASES = int(os.environ.get("FERRIS_CASES", 300))

# The guide's name -> all that librdkafka or the engine calls it, without the prefix of Kafka's.
ALSO = {
    "fetch.max.wait.ms": ["fetch.wait.max.ms"],
    "receive.buffer.bytes": ["socket.receive.buffer.bytes"],
    "linger.ms": ["queue.buffering.max.ms"],
    "buffer.memory": ["queue.buffering.max.kbytes"],
    "compression.type": ["compression.codec"],
    "acks": ["request.required.acks"],
    "retries": ["message.send.max.retries"],
}
FILE_ALSO = {
    "read_buffer_size": ["read.buffer.size", "buffer_size"],
    "write_buffer_size": ["write.buffer.size", "buffer_size_bytes"],
    "poll_interval_ms": ["polling_interval", "poll_interval", "poll.interval", "polling_interval_ms"],
}
# Both sides have it: without a prefix, in the trailing WITH, it is the sink's.
BOTH_SIDES = ["receive.buffer.bytes"]
WORDS = {"compression.type": ["none", "gzip", "snappy", "lz4", "zstd"],
         "acks": ["all", "-1", "1", "0"],
         "retries": ["0", "7", "2147483647"],
         "buffer.memory": ["1024", "4097", "16777216"],
         "fetch.max.bytes": ["1000000", "52428800", "7654321"],  # not less than message.max.bytes
         "session.timeout.ms": ["10000", "6000", "44321"],
         "max.poll.records": ["1", "10", "4321"],
         "sync_frequency": ["0", "1", "777"],
         "concurrent_readers": ["1", "2", "5"]}
SWITCH = ["window_processing", "adaptive_reading", "memory_monitoring", "gc_aware_reading",
          "low_latency_mode", "memory_aware_flushing", "gc_aware_writing"]
# Places from the least to the most that counts; a prefix counts more than none, even than --set's.
PLACES = ["declaration", "trailing", "--set", "prefixed trailing", "prefixed --set"]


def canonical(connector, name):
    name = name.lower().removeprefix("file.")
    for first, others in (ALSO if connector == "kafka" else FILE_ALSO).items():
        if name in others:
            return first
    return name


def options_of_tables():
    """(scope, connector) -> the names of all strategies' tables."""
    found = {}
    for row in ALL_ROWS:
        if row.connector:
            names = found.setdefault((row.scope, row.connector), [])
            if row.name not in names:
                names.append(row.name)
    return found


OPTIONS = options_of_tables()


class Case:
    """A statement with a strategy, and the user's words about some options."""

    def __init__(self, chance):
        self.chance = chance
        self.strategy = chance.choice(STRATEGIES)
        self.connectors = {"source": chance.choice(["kafka", "file"]),
                           "sink": chance.choice(["kafka", "file"])}
        self.lists = {"source": [], "sink": [], "trailing": [], "--set": []}
        self.expected = {}  # (scope, name) -> (value, origin)
        self.choose_strategy()
        words = [word for scope in ("source", "sink")
                 for word in self.words_about(scope, self.connectors[scope])]
        chance.shuffle(words)
        for scope, name, place, value in words:
            self.say(scope, name, place, value)

    def choose_strategy(self):
        how = self.chance.choice(["trailing", "--set", "declarations", "prefixed"])
        option = ("batch.strategy", self.strategy)
        if how in ("trailing", "--set"):
            self.lists[how].append(option)
        elif how == "declarations":
            self.lists["source"].append(option)
            self.lists["sink"].append(option)
        else:
            for prefix in (self.chance.choice(["source", "orders"]), self.chance.choice(["sink", "result"])):
                self.lists[self.chance.choice(["trailing", "--set"])].append(
                    (f"{prefix}.batch.strategy", self.strategy))

    def words_about(self, scope, connector):
        names = OPTIONS[scope, connector]
        for name in self.chance.sample(names, self.chance.randrange(len(names) + 1)):
            places = self.chance.sample(PLACES, self.chance.choice([1, 1, 1, 2, 3]))
            if name in BOTH_SIDES and "trailing" in places:
                places[places.index("trailing")] = "prefixed trailing"
            places = sorted(set(places), key=PLACES.index)
            for place in places:
                yield scope, name, place, self.value_of(name)

    def value_of(self, name):
        if name in WORDS:
            return self.chance.choice(WORDS[name])
        suggested = next(row.value for row in ALL_ROWS if row.name == name)
        if name in SWITCH:
            own = [row.strategy for row in ALL_ROWS if row.name == name]
            return self.chance.choice(["true", "false"]) if self.strategy in own else "false"
        if suggested in ("true", "false"):
            return self.chance.choice(["true", "false"])
        return str(self.chance.randrange(1, 5000))

    def say(self, scope, name, place, value):
        connector = self.connectors[scope]
        prefix = self.chance.choice([scope, "orders" if scope == "source" else "result"]) + "." \
            if place.startswith("prefixed") else ""
        if connector == "kafka":
            spelled = "kafka." + self.chance.choice([name, *ALSO.get(name, [])])
            if name == "max.poll.records" and self.chance.random() < 0.3:
                spelled = name
        else:
            spelled = self.chance.choice([name, f"file.{name}", *FILE_ALSO.get(name, [])])
        if self.chance.random() < 0.1:
            spelled = spelled.upper()
        if spelled.lower().endswith("kbytes"):
            value = str(self.chance.randrange(1, 1000))
        where = scope if place == "declaration" else place.removeprefix("prefixed ")
        self.lists[where].append((prefix + spelled, value))
        self.note(scope, name, place, value)
        if place == "--set" and name in BOTH_SIDES and set(self.connectors.values()) == {"kafka"}:
            self.note("sink", name, place, value)

    def note(self, scope, name, place, value):
        origin = "--set" if "--set" in place else "user"
        rank = PLACES.index(place)
        before = self.expected.get((scope, name))
        if before is None or before[2] <= rank:
            self.expected[scope, name] = (value, origin, rank)

    def settle_guarantee(self):
        """What may be asked for beside what the user says of acks and retries; None: nothing is."""
        acks = self.expected.get(("sink", "acks"), ("all",))[0]
        retries = self.expected.get(("sink", "retries"), ("7",))[0]
        possible = [None, "at-most-once"]
        if acks != "0":
            possible.append("at-least-once")
        if acks in ("all", "-1") and retries != "0" and len(set(self.connectors.values())) == 1:
            possible.append("exactly-once")
        return self.chance.choice(possible)

    def check(self):
        guarantee = self.settle_guarantee()
        if guarantee:
            self.lists[self.chance.choice(["trailing", "--set"])].append(("delivery.guarantee", guarantee))
        sql = statement(self.connectors["source"], self.connectors["sink"], self.lists["trailing"],
                        self.lists["source"], self.lists["sink"])
        explained = Explained(sql, self.lists["--set"])
        try:
            self.compare(explained)
        except AssertionError as error:
            raise AssertionError(f"{error}\n--set {self.lists['--set']}\n{sql}") from None
        return len(self.expected)

    def compare(self, explained):
        found = {}
        for option in explained.options:
            key = option["scope"], canonical(option["connector"], option["name"])
            assert key not in found, f"listed twice: {found[key]} and {option}"
            found[key] = option
        for (scope, name), (value, origin, _) in self.expected.items():
            option = found.get((scope, name))
            assert option is not None, f"{scope} {name} is lost"
            assert (option["value"], option["origin"]) == (value, origin), \
                f"{option}, not {value} of {origin}"
        promised = found["job", "delivery.guarantee"]["value"]
        for scope, connector in self.connectors.items():
            for row in rows_of(self.strategy, scope, connector):
                if (scope, row.name) not in self.expected:
                    self.compare_suggested(row, found.get((scope, row.name)), promised)
        for option in explained.options:
            if option["origin"] == "strategy":
                assert any(row.name == option["name"] for row in
                           rows_of(self.strategy, option["scope"], option["connector"])), option

    def compare_suggested(self, row, option, promised):
        assert option is not None, f"{row} is missing"
        needs_all = row.name == "acks" and (promised == "exactly-once" or
                                            promised == "at-least-once" and row.value == "0")
        needs_retries = row.name == "retries" and promised == "exactly-once"
        value, origin = ("all", "guarantee") if needs_all else \
            ("2147483647", "guarantee") if needs_retries else (row.value, "strategy")
        assert guide.same_value(option["value"], value) and option["origin"] == origin, \
            f"{option}, not {value} of {origin}"


def test_random_words(_place):
    began = time.monotonic()
    chance = random.Random(SEED)
    said = 0
    for number in range(CASES):
        try:
            said += Case(chance).check()
        except AssertionError as error:
            raise AssertionError(f"case {number} of TEST_SEED={SEED}: {error}") from None
    seconds = time.monotonic() - began
    print(f"# {CASES} cases, {said} words of the user, {seconds:.1f} s")
    assert said > 2 * CASES


def test_every_spelling_of_every_row(_place):
    """One option at a time, in each place and each spelling: the others stay the strategy's."""
    tried = 0
    for row in ALL_ROWS:
        if row.connector is None:
            continue
        names = [row.name, *(f"kafka.{name}" for name in [row.name, *ALSO.get(row.name, [])])] \
            if row.connector == "kafka" else [row.name, row.option, *FILE_ALSO.get(row.name, [])]
        if row.connector == "kafka" and row.name != "max.poll.records":
            names = names[1:]
        value = {"true": "false", "none": "gzip", "lz4": "zstd", "snappy": "none", "gzip": "lz4"}.get(
            row.value, {"acks": "all", "fetch.max.bytes": "7654321", "buffer.memory": "4097"}.get(row.name, "7"))
        own = "orders" if row.scope == "source" else "result"
        for name in names:
            prefixed = [f"{row.scope}.{name}", f"{own}.{name}"]
            plain = [] if row.name in BOTH_SIDES else [name]
            for lists, settings, origin in (
                    *(({"trailing": {given: value}}, {}, "user") for given in plain + prefixed),
                    *(({}, {given: value}, "--set") for given in [name] + prefixed),
                    ({f"of_{row.scope}": {name: value}}, {}, "user")):
                trailing = {"batch.strategy": row.strategy, "delivery.guarantee": "at-most-once",
                            **lists.get("trailing", {})}
                sql = statement(row.connector, row.connector, **{**lists, "trailing": trailing})
                explained = Explained(sql, settings)
                found = [option for option in explained.options if option["scope"] == row.scope
                         and canonical(row.connector, option["name"]) == row.name]
                assert [(o["value"], o["origin"]) for o in found] == [(value, origin)], \
                    f"{row}: {found}\n{sql}{settings}"
                for other in rows_of(row.strategy, row.scope, row.connector):
                    if other.name != row.name:
                        explained.expect_row(other)
                tried += 1
    print(f"# {tried} spellings")
    assert tried > 800, tried


if __name__ == "__main__":
    print(f"# TEST_SEED={SEED}")
    guide.run(globals())
