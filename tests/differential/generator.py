"""tests/differential/generator.py -- random tables, expressions and queries for several engines.

A query is a tree of Query, From and Expr.  sql(DIALECT) writes it for ferris-sql (0), DuckDB (1) or
SQLite (2); what an engine spells differently is a tuple of templates, and None where it cannot.
Kept out is what the engines define differently: numbers stay far from overflow, divisors are not
zero, doubles are quarters (so that every sum is exact), and an answer that a tie would decide is
ordered by a unique column.  Results of the type 'approx' are compared within a tolerance and are
not computed with.
"""
import dataclasses
import datetime
import decimal

FERRIS, DUCKDB, SQLITE = 0, 1, 2
EPOCH = datetime.datetime(1970, 1, 1)
START = 1_700_000_000_000_000  # the first time in generated tables, in microseconds
LIMITS = {8: 100, 16: 30_000, 32: 2_000_000_000, 64: 10**18}
WORDS = ["", "a", "b", "ab", "abc", "Abc", "a%b", "a_b", "it's", "Zürich", "éa", "  a ", "10", "-7",
         "1.5", "x,y", 'q"q', "a\\b", "日本語", "𝄞 clef", "a text of more than twelve bytes",
         "two\nlines", "tab\there", "null", "{}", "#"]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def time_text(micros):
    return (EPOCH + datetime.timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%S.%f")


class Expr:
    """An expression: templates with {0}, {1} for its parts; info says more about the type:
    int (bits, bound), dec (digits, scale)."""

    def __init__(self, kind, text, parts=(), info=None, by_arrival=False):
        self.kind = kind
        self.text = text if isinstance(text, tuple) else (text, text, text)
        self.parts = list(parts)
        self.info = info
        self.by_arrival = by_arrival

    def sql(self, dialect):
        parts = [part.sql(dialect) for part in self.parts]
        return self.text[dialect].format(*parts) if parts else self.text[dialect]

    def walk(self):
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclasses.dataclass
class Column:
    name: str
    kind: str
    info: object = None
    shown: tuple = None  # the name for each engine, where they differ


@dataclasses.dataclass
class Table:
    """A generated table; its rows are dicts of Python values, times in microseconds, dates in days."""
    name: str
    columns: list
    rows: list
    form: str
    delay: int = None  # of the watermark, in seconds; None: none is declared

    def __deepcopy__(self, _):
        return self

    def type_of(self, column, dialect):
        kind, info = column.kind, column.info
        if kind == "int":
            return {8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT"}[info[0]]
        if kind == "dec":
            return f"DECIMAL({info[0]},{info[1]})"
        if kind == "ts" and dialect == SQLITE:
            return "INTEGER"
        return {"real": "DOUBLE", "text": "STRING" if dialect == FERRIS else "TEXT",
                "bool": "BOOLEAN", "date": "DATE", "ts": "TIMESTAMP"}[kind]


# ---- tables ----

def draw_column(rng, number, target):
    kinds = ["int", "int", "text", "text", "bool", "real"]
    if target == DUCKDB:
        kinds += ["dec", "dec", "date", "ts"]
    kind = rng.choice(kinds)
    info = None
    if kind == "int":
        bits = rng.choice([8, 16, 32, 32, 64, 64])
        info = bits, rng.choice([3, 20, {8: 100, 16: 1000, 32: 10**6, 64: 10**12}[bits]])
    elif kind == "dec":
        info = rng.choice([(5, 2), (9, 4), (12, 0), (18, 4), (10, 10), (18, 2), (25, 8)])
    return Column(f"c{number}_{kind}", kind, info)


def draw_value(rng, column):
    kind, info = column.kind, column.info
    if kind == "int":
        return rng.choice([0, 1, -1, rng.randint(-3, 3), rng.randint(-info[1], info[1])])
    if kind == "dec":
        digits = rng.randint(1, min(info[0], 12))
        return decimal.Decimal(rng.randint(-10**digits, 10**digits) // 10 * rng.choice([1, 10])
                               ).scaleb(-info[1]) if rng.random() < 0.5 else (
                                   decimal.Decimal(rng.randint(-9, 9)).scaleb(-info[1]))
    if kind == "real":
        return rng.choice([0, 1, rng.randint(-8, 8), rng.randint(-10**6, 10**6)]) / 4
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "date":
        return rng.choice([0, 11016, 19675, 19782, 19783, rng.randint(-3000, 30000)])
    if kind == "ts":
        return START + rng.choice([0, 1, 86400, rng.randint(0, 10**7)]) * 1_000_000 + rng.choice(
            [0, 0, 49_000, rng.randint(0, 999_999)])
    return rng.choice(WORDS)


def draw_table(rng, name, target):
    columns = [Column("id", "int", (64, 10**4)), Column("ts", "ts"),
               Column("k", "int", (64, 6)), Column("s", "text")]
    columns += [draw_column(rng, i, target) for i in range(rng.randint(1, 6))]
    count = rng.choice([0, 1, 2, 7, 30, 30, 30, 40, 60, 80, 200, 200])
    big = rng.random() < 0.03
    if big:
        count = rng.choice([2049, 6000])
    table = Table(name, columns, [], rng.choice(["json", "json", "csv"]))
    table.delay = rng.choice([None, None, 0, 10, 60])
    times, now = [], START
    for _ in range(count):
        now += rng.choice([0, 1, 1000, 500_000, 1_000_000, 1_000_000, 20_000_000])
        times.append(now)
    if table.delay is None:
        rng.shuffle(times)
    else:
        times.sort(key=lambda time: time + rng.randint(0, table.delay * 1_000_000))
    nulls = rng.choice([0, 0.1, 0.1, 0.4])
    keys = rng.choice([[1], [1, 2, 3], [1, 1, 1, 1, 1, 2, 3, 4, 5, 6]])
    words = rng.sample(WORDS, rng.choice([2, 5, len(WORDS)]))
    for number in range(count):
        row = {"id": number, "ts": times[number]}
        for column in columns[2:]:
            value = (rng.choice(keys) if column.name == "k" else rng.choice(words)
                     if column.name == "s" else draw_value(rng, column))
            row[column.name] = None if rng.random() < nulls else value
        table.rows.append(row)
    if big:  # the input is cut into several chunks
        columns.append(Column("filler", "text"))
        for row in table.rows:
            row["filler"] = "x" * rng.choice([1, 300, 600])
    return table


# ---- expressions ----

def whole(rng, bits=32):
    value = rng.choice([0, 1, 2, -1, rng.randint(-9, 9), rng.randint(-1000, 1000)])
    return Expr("int", f"({value})" if value < 0 else str(value), (), (bits, abs(value)))


def literal(rng, kind, target):
    if kind == "int":
        return whole(rng)
    if kind == "dec":
        scale = rng.randint(1, 3)
        value = decimal.Decimal(rng.randint(-9999, 9999)).scaleb(-scale)
        digits = max(len(value.as_tuple().digits), scale)
        return Expr("dec", f"({value})", (), (digits, scale))
    if kind == "real":
        return Expr("real", f"({rng.randint(-40, 40) / 4}e0)")
    if kind == "bool":
        return Expr("bool", rng.choice(["TRUE", "FALSE"]))
    if kind == "date":
        day = EPOCH + datetime.timedelta(days=rng.randint(10900, 20000))
        return Expr("date", f"DATE '{day:%Y-%m-%d}'")
    if kind == "ts":
        micros = START + rng.randint(0, 600) * 500_000
        return Expr("ts", (f"TIMESTAMP '{time_text(micros)}'",) * 2 + (str(micros),))
    return Expr("text", quoted(rng.choice(WORDS)))


# (result, kinds of the parts, template or one for each engine)
FUNCTIONS = [
    ("bool", ["bool", "bool"], "({0} AND {1})"),
    ("bool", ["bool", "bool"], "({0} OR {1})"),
    ("bool", ["bool"], "(NOT {0})"),
    ("bool", ["bool"], ("({0} IS TRUE)", "({0} IS NOT DISTINCT FROM TRUE)", "({0} IS TRUE)")),
    ("bool", ["bool"], ("({0} IS NOT FALSE)", "({0} IS DISTINCT FROM FALSE)", "({0} IS NOT FALSE)")),
    ("bool", ["text", "text"], ("STARTS_WITH({0}, {1})", "STARTS_WITH({0}, {1})", None)),
    ("bool", ["text", "text"], ("ENDS_WITH({0}, {1})", "SUFFIX({0}, {1})", None)),
    ("bool", ["text", "text"], ("CONTAINS({0}, {1})", "CONTAINS({0}, {1})", None)),
    ("text", ["text", "text"], "({0} || {1})"),
    ("text", ["text", "text", "text"], ("CONCAT({0}, {1}, {2})", "CONCAT({0}, {1}, {2})", None)),
    ("text", ["text", "text"], ("CONCAT_WS('-', {0}, {1})", "CONCAT_WS('-', {0}, {1})", None)),
    ("text", ["text"], ("UPPER({0})", "UPPER({0})", None)),
    ("text", ["text"], ("LOWER({0})", "LOWER({0})", None)),
    ("text", ["text"], "TRIM({0})"),
    ("text", ["text"], "LTRIM({0})"),
    ("text", ["text"], "RTRIM({0}, 'b ')"),
    ("text", ["text"], "REPLACE({0}, 'a', 'xy')"),
    ("text", ["text"], "SUBSTR({0}, 2)"),
    ("text", ["text"], "SUBSTR({0}, 1, 3)"),
    ("text", ["text"], ("LEFT({0}, 2)", "LEFT({0}, 2)", "SUBSTR({0}, 1, 2)")),
    ("text", ["text"], ("RIGHT({0}, 2)", "RIGHT({0}, 2)", None)),
    ("text", ["text"], ("REVERSE({0})", "REVERSE({0})", None)),
    ("text", ["text"], ("LPAD({0}, 5, '*')", "LPAD({0}, 5, '*')", None)),
    ("text", ["text"], ("RPAD({0}, 4, '_')", "RPAD({0}, 4, '_')", None)),
    ("text", ["text"], ("SPLIT_PART({0}, ',', 1)", "SPLIT_PART({0}, ',', 1)", None)),
    ("text", ["text"], ("REGEXP_REPLACE({0}, '[a-b]+', 'Q')", "REGEXP_REPLACE({0}, '[a-b]+', 'Q')",
                        None)),
    ("text", ["int"], ("CAST({0} AS STRING)", "CAST({0} AS TEXT)", "CAST({0} AS TEXT)")),
    ("text", ["bool"], ("CAST({0} AS STRING)", "CAST({0} AS TEXT)", None)),
    ("text", ["date"], ("CAST({0} AS STRING)", "CAST({0} AS TEXT)", None)),
    ("text", ["real"], ("CAST({0} AS STRING)", "CAST({0} AS TEXT)", None)),
    ("text", ["ts"], ("DAYNAME({0})", "DAYNAME({0})", None)),
    ("text", ["date"], ("MONTHNAME({0})", "MONTHNAME({0})", None)),
    ("int", ["text"], "LENGTH({0})"),
    ("int", ["text"], ("STRPOS({0}, 'b')", "STRPOS({0}, 'b')", "INSTR({0}, 'b')")),
    ("int", ["text"], ("OCTET_LENGTH({0})", "STRLEN({0})", None)),
    ("int", ["ts"], ("EXTRACT(HOUR FROM {0})", "EXTRACT(HOUR FROM {0})", None)),
    ("int", ["ts"], ("EXTRACT(MINUTE FROM {0})", "EXTRACT(MINUTE FROM {0})", None)),
    ("int", ["ts"], ("EXTRACT(SECOND FROM {0})", "EXTRACT(SECOND FROM {0})", None)),
    ("int", ["date"], ("YEAR({0})", "YEAR({0})", None)),
    ("int", ["date"], ("MONTH({0})", "MONTH({0})", None)),
    ("int", ["date"], ("DAY({0})", "DAY({0})", None)),
    ("int", ["date"], ("DOW({0})", "EXTRACT(DOW FROM {0})", None)),
    ("int", ["date"], ("DOY({0})", "EXTRACT(DOY FROM {0})", None)),
    ("int", ["date"], ("WEEK({0})", "WEEK({0})", None)),
    ("int", ["date"], ("QUARTER({0})", "QUARTER({0})", None)),
    ("int", ["date", "date"], ("({0} - {1})", "({0} - {1})", None)),
    ("int", ["ts", "ts"], ("DATEDIFF('second', {0}, {1})", "DATE_SUB('second', {0}, {1})", None)),
    ("int", ["ts", "ts"], ("DATEDIFF('hour', {0}, {1})", "DATE_SUB('hour', {0}, {1})", None)),
    ("int", ["bool"], "CAST({0} AS INTEGER)"),
    ("date", ["ts"], ("CAST({0} AS DATE)", "CAST({0} AS DATE)", None)),
    ("date", ["date"], ("({0} + 31)", "({0} + 31)", None)),
    ("date", ["date"], ("({0} - 60)", "({0} - 60)", None)),
    ("date", ["date"], ("LAST_DAY({0})", "LAST_DAY({0})", None)),
    ("ts", ["ts"], ("DATE_TRUNC('{{unit}}', {0})",) * 2 + (None,)),
    ("ts", ["ts"], ("({0} + INTERVAL '90' MINUTE)",) * 2 + (None,)),
    ("ts", ["ts"], ("({0} - INTERVAL '1' MONTH)",) * 2 + (None,)),
    ("ts", ["ts"], ("({0} + INTERVAL '2' DAY)",) * 2 + (None,)),
    ("ts", ["date"], ("CAST({0} AS TIMESTAMP)",) * 2 + (None,)),
    ("real", ["real", "real"], "({0} + {1})"),
    ("real", ["real", "real"], "({0} - {1})"),
    ("real", ["real"], "({0} * 0.5e0)"),
    ("real", ["real", "int"], "({0} + {1})"),
    ("real", ["real"], "ABS({0})"),
    ("real", ["real"], ("FLOOR({0})", "FLOOR({0})", None)),
    ("real", ["real"], ("CEIL({0})", "CEIL({0})", None)),
    ("real", ["int"], "CAST({0} AS DOUBLE)"),
]
ANY = ["int", "dec", "real", "text", "bool", "date", "ts"]
UNITS = ["minute", "hour", "day", "month", "year", "week", "quarter"]
PATTERNS = ["a%", "%b", "%b%", "_", "a_", "%", "", "a%c", "_b%", "%_%", "%é%", "%語"]


class Maker:
    """Makes expressions of the leaves of a scope."""

    def __init__(self, rng, target, leaves):
        self.rng, self.target = rng, target
        self.leaves = {}
        for leaf in leaves:
            self.leaves.setdefault(leaf.kind, []).append(leaf)
        self.functions = {}
        for row in FUNCTIONS:
            if isinstance(row[2], str) or row[2][target]:
                self.functions.setdefault(row[0], []).append(row)

    def kinds(self):
        return [k for k in self.leaves if k in ANY] or ["int"]

    def leaf(self, kind):
        if kind in self.leaves and self.rng.random() < 0.85:
            return self.rng.choice(self.leaves[kind])
        return literal(self.rng, kind, self.target)

    def make(self, kind, depth):
        r = self.rng
        if depth <= 0 or r.random() < 0.2:
            return self.leaf(kind)
        if kind == "int" and r.random() < 0.5:
            return self.arithmetic(depth - 1)
        if kind == "dec":
            return self.decimal(depth - 1)
        if kind == "bool" and r.random() < 0.7:
            return self.condition(depth - 1)
        if r.random() < 0.25:
            return self.branch(kind, depth - 1)
        rows = self.functions.get(kind)
        if not rows:
            return self.leaf(kind)
        _, kinds, text = r.choice(rows)
        if not isinstance(text, tuple):
            text = (text,) * 3
        unit = r.choice(UNITS)
        text = tuple(t and t.replace("{{unit}}", unit) for t in text)
        return Expr(kind, text, [self.make(k, depth - 1) for k in kinds],
                    (32, 10**9 if "D" in text[0][:2] or " - " in text[0] else 10**4)
                    if kind == "int" else None)

    def arithmetic(self, depth):
        """An integer that stays within its type."""
        r = self.rng
        a = self.make("int", depth)
        b = self.make("int", depth)
        operator = r.choice("+-*/%n")
        bits = min(a.info[0], b.info[0])
        if operator == "n":
            return Expr("int", "(-{0})", [a], a.info)
        if operator == "/":
            return Expr("int", ("({0} / NULLIF({1}, 0))", "({0} // NULLIF({1}, 0))",
                                "({0} / NULLIF({1}, 0))"), [a, b], (bits, a.info[1]))
        if operator == "%":
            return Expr("int", "({0} % NULLIF({1}, 0))", [a, b], (bits, a.info[1]))
        bound = a.info[1] * b.info[1] if operator == "*" else a.info[1] + b.info[1]
        if bound >= LIMITS[bits]:
            return a
        return Expr("int", "({0} " + operator + " {1})", [a, b], (bits, bound))

    def decimal(self, depth):
        r = self.rng
        a = self.make("dec", depth)
        kind = r.randrange(8)
        digits, scale = a.info
        if kind == 7:
            return Expr("dec", "TRY_CAST({0} AS DECIMAL(9, 1))", [self.make("text", depth)], (9, 1))
        if kind == 0:
            return Expr("dec", "ROUND({0}, 1)" if scale > 1 else "ABS({0})", [a],
                        (digits, 1 if scale > 1 else scale))
        if kind == 1:
            return Expr("dec", "CAST({0} AS DECIMAL(30, 3))", [a], (30, 3))
        if kind == 2:
            return Expr("dec", "(-{0})", [a], a.info)
        if kind == 3:
            return self.branch("dec", depth)
        b = self.make(r.choice(["dec", "int"]), depth)
        other = b.info if b.kind == "dec" else (19 if b.info[0] == 64 else 10, 0)
        if r.random() < 0.3 and (digits + other[0] <= 18 or digits > 18 and digits + other[0] <= 30):
            return Expr("dec", "({0} * {1})", [a, b], (digits + other[0], scale + other[1]))
        top = max(scale, other[1])
        digits = max(digits - scale, other[0] - other[1]) + top + 1
        if digits > 34:
            return a
        return Expr("dec", f"({{0}} {r.choice('+-')} {{1}})", [a, b], (digits, top))

    def branch(self, kind, depth):
        """CASE, COALESCE, NULLIF, GREATEST: a value of the kind of its parts."""
        r = self.rng
        a, b = self.make(kind, depth), self.make(kind, depth)
        info = a.info
        if kind == "int":
            info = max(a.info[0], b.info[0]), max(a.info[1], b.info[1])
            if LIMITS[min(a.info[0], b.info[0])] < info[1]:
                info = (info[0], info[1])
        elif kind == "dec":
            top = max(a.info[1], b.info[1])
            info = max(a.info[0] - a.info[1], b.info[0] - b.info[1]) + top, top
            if info[0] > 36:
                return a
        form = r.randrange(6)
        if form == 0:
            return Expr(kind, "CASE WHEN {2} THEN {0} ELSE {1} END",
                        [a, b, self.make("bool", depth)], info)
        if form == 1:
            return Expr(kind, "CASE WHEN {2} THEN {0} WHEN {3} THEN {1} END",
                        [a, b, self.make("bool", depth), self.make("bool", depth)], info)
        if form == 2:
            return Expr(kind, "COALESCE({0}, {1})", [a, b], info)
        if form == 3:
            return Expr(kind, "NULLIF({0}, {1})", [a, b], a.info)
        if form == 4:
            other = r.choice(self.kinds())
            return Expr(kind, "CASE {2} WHEN {3} THEN {0} ELSE {1} END",
                        [a, b, self.make(other, depth), self.make(other, 0)], info)
        if self.target == SQLITE:
            return Expr(kind, "COALESCE({1}, {0})", [a, b], info)
        name = r.choice(["GREATEST", "LEAST"])
        return Expr(kind, name + "({0}, {1})", [a, b], info)

    def condition(self, depth):
        r = self.rng
        kind = r.choice(self.kinds())
        no = r.choice(["", "NOT "])
        form = r.randrange(9)
        a = self.make(kind, depth)
        if form < 3:
            other = r.choice(["int", "dec", "real"]) if kind in ("int", "dec", "real") and (
                self.target == DUCKDB) and r.random() < 0.3 else kind
            operator = r.choice(["=", "<>", "<", "<=", ">", ">="])
            return Expr("bool", f"({{0}} {operator} {{1}})", [a, self.make(other, depth)])
        if form == 3:
            return Expr("bool", f"({{0}} IS {no}NULL)", [a])
        if form == 4:
            return Expr("bool", f"({{0}} {no}BETWEEN {{1}} AND {{2}})",
                        [a, self.make(kind, depth), self.make(kind, depth)])
        if form == 5:
            items = [self.make(kind, 0) for _ in range(r.randint(1, 4))]
            null = r.choice(["", "", ", NULL"])
            places = ", ".join(f"{{{i + 1}}}" for i in range(len(items)))
            return Expr("bool", f"({{0}} {no}IN ({places}{null}))", [a] + items)
        if form == 6:
            return Expr("bool", f"({{0}} IS {no}DISTINCT FROM {{1}})", [a, self.make(kind, depth)])
        if form == 7:
            text = self.make("text", depth)
            return Expr("bool", f"({{0}} {no}LIKE {quoted(r.choice(PATTERNS))})", [text])
        return Expr("bool", f"({{0}} {r.choice(['AND', 'OR'])} {{1}})",
                    [self.condition(depth - 1), self.condition(depth - 1)]) if depth > 0 else Expr(
                        "bool", "({0} = {1})", [a, self.make(kind, 0)])
