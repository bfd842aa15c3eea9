"""tests/differential/queries.py -- random queries over the tables and expressions of generator.py."""
import dataclasses

from generator import ANY, DUCKDB, FERRIS, SQLITE, Column, Expr, Maker, literal

SORTABLE = ["int", "dec", "text", "date", "ts", "real"]
SET_OPERATORS = []  # INTERSECT and EXCEPT, once they are there
LAST_NULL = " NULLS LAST"


# ---- FROM ----

class Source:
    """A table by its name."""

    def __init__(self, table, alias):
        self.table, self.alias = table, alias
        self.columns, self.unique = table.columns, ["id"]

    def sql(self, _):
        return f"{self.table.name} AS {self.alias}"

    def aliases(self):
        return [(self.alias, self.columns)]


class Sub:
    """A query in FROM, in parentheses or by the name of a common table expression."""

    def __init__(self, query, alias, name=None):
        self.query, self.alias, self.name = query, alias, name
        self.columns, self.unique = query.columns(), query.unique()

    def sql(self, dialect):
        inner = self.name or f"({self.query.sql(dialect)})"
        return f"{inner} AS {self.alias}"

    def aliases(self):
        return [(self.alias, self.columns)]


class WindowSource(Source):
    """A table function of windows without a group: each row with every window it is in."""

    def __init__(self, table, alias, window):
        super().__init__(table, alias)
        self.window = window
        self.columns = table.columns + [Column("window_start", "ts"), Column("window_end", "ts")]
        self.unique = ["id", "window_start", "window_end"]

    def sql(self, dialect):
        if dialect == FERRIS:
            return f"TABLE({self.window.function(self.table.name)}) AS {self.alias}"
        inner = self.window.relation(super().sql(dialect), "", [], dialect)
        return (f"(SELECT *, w_start AS window_start, w_end AS window_end FROM ({inner})) "
                f"AS {self.alias}")


class Union:
    """Two queries with the same kinds of columns."""

    def __init__(self, left, operator, right):
        self.left, self.operator, self.right = left, operator, right

    def sql(self, dialect):
        return f"{self.left.sql(dialect)} {self.operator} {self.right.sql(dialect)}"

    def columns(self):
        return [Column(a.name, a.kind, wider(a.kind, a.info, b.info))
                for a, b in zip(self.left.columns(), self.right.columns())]

    def unique(self):
        return None if self.operator.endswith("ALL") else [c.name for c in self.columns()]

    def by_arrival(self):
        return self.left.by_arrival() or self.right.by_arrival()


def wider(kind, a, b):
    if kind == "int":
        return max(a[0], b[0]), max(a[1], b[1])
    if kind == "dec":
        scale = max(a[1], b[1])
        return max(a[0] - a[1], b[0] - b[1]) + scale, scale
    return None


class Join:
    """left KIND JOIN right; of SEMI and ANTI only the left side is seen."""

    def __init__(self, left, kind, right, pairs, more):
        self.left, self.kind, self.right, self.pairs, self.more = left, kind, right, pairs, more
        self.unique = None
        self.seconds, self.spelling = None, 0  # of two streams: how far apart in time

    def condition(self, dialect):
        parts = [f"{a.sql(dialect)} = {b.sql(dialect)}" for a, b in self.pairs]
        parts += [self.more.sql(dialect)] if self.more else []
        if self.seconds and not (dialect == FERRIS and self.spelling):
            step = f"INTERVAL '{self.seconds}' SECOND"
            a, b = self.left.alias, self.right.alias
            parts.append(f"{b}.ts BETWEEN {a}.ts - {step} AND {a}.ts + {step}")
        return " AND ".join(parts)

    def sql(self, dialect):
        left, right = self.left.sql(dialect), self.right.sql(dialect)
        if self.kind == "CROSS":
            return f"{left} CROSS JOIN {right}"
        if self.seconds and dialect == FERRIS and self.spelling:
            within = f"WITHIN {self.seconds} SECONDS"
            return f"{left} {self.kind} JOIN {right} {within} ON {self.condition(dialect)}"
        return f"{left} {self.kind} JOIN {right} ON {self.condition(dialect)}"

    def aliases(self):
        one_side = self.kind in ("SEMI", "ANTI")
        return self.left.aliases() + ([] if one_side else self.right.aliases())


@dataclasses.dataclass
class Window:
    """A window of time in GROUP BY; elsewhere the rows are multiplied by the windows they are in."""
    kind: str
    column: str  # with the alias of its relation
    size: int  # microseconds
    step: int
    spelling: int

    def call(self, outer):
        step, size = interval(self.step), interval(self.size)
        first = {"TUMBLE": "", "HOP": f"{step}, ", "CUMULATE": f"{step}, ", "SESSION": ""}[self.kind]
        if outer == "WINDOW":
            name = {"TUMBLE": "TUMBLING", "HOP": "SLIDING"}.get(self.kind, self.kind)
            if self.kind == "HOP":
                return f"{name}({self.column}, {size}, {step})"
            return f"{name}({self.column}, {first}{size})"
        return f"{self.kind}({self.column}, {first}{size})"

    def function(self, table):
        """The call as a table function."""
        alias_column = self.column
        return self.call("TABLE").replace(
            f"({alias_column}", f"(TABLE {table}, DESCRIPTOR({alias_column.split('.')[1]})")

    def relation(self, inner, where, keys, dialect):
        """FROM with window_start and window_end; where stands inside for the sake of sessions."""
        time = f"epoch_us({self.column})" if dialect == DUCKDB else self.column
        stamp = "make_timestamp({})" if dialect == DUCKDB else "{}"
        if self.kind == "SESSION":
            by = "PARTITION BY " + ", ".join(keys) + " " if keys else ""
            last = f"LAG({time}) OVER ({by}ORDER BY {time})"
            began = (f"SELECT *, {time} AS at_, CASE WHEN {time} - {last} < {self.size} THEN 0 ELSE 1 END"
                     f" AS new_{''.join(f', {k} AS key{i}_' for i, k in enumerate(keys))}"
                     f" FROM {inner}{where}")
            by = "PARTITION BY " + ", ".join(f"key{i}_" for i in range(len(keys))) if keys else ""
            number = (f"SELECT *, SUM(new_) OVER ({by} ORDER BY at_) AS n_"
                      f" FROM ({began})")
            by = (by + ", " if by else "PARTITION BY ") + "n_"
            start, end = f"MIN(at_) OVER ({by})", f"MAX(at_) OVER ({by}) + {self.size}"
            return (f"SELECT *, {stamp.format(start)} AS w_start, {stamp.format(end)} AS w_end"
                    f" FROM ({number})")
        if self.kind == "CUMULATE":
            start = f"{time} - {time} % {self.size}"
            end = f"{start} + (n_ + 1) * {self.step}"
            count = self.size // self.step
            inside = f"{time} < {end}"
        else:
            start = f"{time} - {time} % {self.step} - n_ * {self.step}"
            end = f"{start} + {self.size}"
            count = -(-self.size // self.step)
            inside = f"{time} < {end}"
        more = where + " AND " if where else " WHERE "
        return (f"SELECT *, {stamp.format(start)} AS w_start, {stamp.format(end)} AS w_end"
                f" FROM {inner}, numbers{more}n_ < {count} AND {inside}")


def interval(micros):
    if micros % 1_000_000 == 0:
        return f"INTERVAL '{micros // 1_000_000}' SECOND"
    return f"INTERVAL '{micros // 1000}' MILLISECOND"


class Subquery(Expr):
    """An expression with a query in it: {q} in its templates."""

    def __init__(self, kind, text, parts, query, info=None):
        super().__init__(kind, text, parts, info)
        self.query = query

    def sql(self, dialect):
        parts = [part.sql(dialect) for part in self.parts]
        return self.text[dialect].format(*parts, q=self.query.sql(dialect))


# ---- the query ----

class Query:
    def __init__(self, from_):
        self.ctes = []
        self.from_ = from_
        self.where = self.having = self.qualify = None
        self.grouped, self.keys, self.sets, self.window = False, [], None, None
        self.items, self.distinct = [], False
        self.order, self.limit, self.offset = [], None, None  # order: (item, desc, nulls)
        self.prefix = "x"

    def columns(self):
        return [Column(f"{self.prefix}{i}", item.kind, item.info)
                for i, item in enumerate(self.items)]

    def unique(self):
        """Columns that no two rows share, or None."""
        if self.distinct:
            return [c.name for c in self.columns()]
        if self.grouped and not self.sets and not self.window:
            found = [i for key in self.keys for i, item in enumerate(self.items) if item is key]
            return [f"{self.prefix}{i}" for i in found] if len(found) == len(self.keys) else None
        return None if self.grouped or not self.from_.unique else self.of_source()

    def of_source(self):
        names = []
        for (alias, _), unique in [(self.from_.aliases()[0], self.from_.unique)]:
            for name in unique:
                found = [i for i, item in enumerate(self.items) if item.text[0] == f"{alias}.{name}"]
                if not found:
                    return None
                names.append(f"{self.prefix}{found[0]}")
        return names

    def by_arrival(self):
        found = any(e.by_arrival for e in self.expressions() for e in e.walk())
        return found or any(q.by_arrival() for q in self.nested())

    def expressions(self):
        return [e for e in (*self.items, self.where, self.having, self.qualify, *self.keys) if e]

    def nested(self):
        todo, found = [self.from_], []
        while todo:
            node = todo.pop()
            if isinstance(node, Join):
                todo += [node.left, node.right]
            elif isinstance(node, Sub):
                found.append(node.query)
        return found + [e.query for top in self.expressions() for e in top.walk()
                        if isinstance(e, Subquery)]

    def group_by(self, dialect):
        keys = [key.sql(dialect) for key in self.keys]
        if self.sets in ("ROLLUP", "CUBE"):
            text = f"{self.sets} ({', '.join(keys)})"
        elif self.sets:
            sets = ["(" + ", ".join(keys[i] for i in chosen) + ")" for chosen in self.sets]
            text = f"GROUPING SETS ({', '.join(sets)})"
        else:
            text = ", ".join(keys)
        if not self.window:
            return f" GROUP BY {text}" if text else ""
        if dialect != FERRIS:
            return " GROUP BY " + (text + ", " if text else "") + "w_start, w_end"
        if self.window.spelling == 0:
            return (f" GROUP BY {text}" if text else "") + f" WINDOW {self.window.call('WINDOW')}"
        if self.window.spelling == 1:
            return " GROUP BY " + (text + ", " if text else "") + self.window.call("GROUP BY")
        return " GROUP BY " + (text + ", " if text else "") + "window_start, window_end"

    def body(self, dialect):
        where = f" WHERE {self.where.sql(dialect)}" if self.where else ""
        source = self.from_.sql(dialect)
        if self.window and dialect == FERRIS and self.window.spelling == 2:
            call = self.window.function(self.from_.table.name)
            source = f"TABLE({call}) AS {self.from_.alias}"
        elif self.window and dialect != FERRIS:
            alias = self.from_.aliases()[0][0]
            keys = [key.sql(dialect) for key in self.keys]
            source, where = f"({self.window.relation(source, where, keys, dialect)}) AS {alias}", ""
        return source, where

    def sql(self, dialect, top=False):
        source, where = self.body(dialect)
        items = ", ".join(f"{item.sql(dialect)} AS {self.prefix}{i}"
                          for i, item in enumerate(self.items))
        text = ""
        if self.ctes:
            text = "WITH " + ", ".join(f"{name} AS ({q.sql(dialect)})" for name, q in self.ctes) + " "
        text += f"SELECT {'DISTINCT ' if self.distinct else ''}{items} FROM {source}{where}"
        text += self.group_by(dialect) if self.grouped else ""
        if self.having:
            having = f" HAVING {self.having.sql(dialect)}"
            text += having
        if self.qualify:
            text += f" QUALIFY {self.qualify.sql(dialect)}"
        text += self.order_by(dialect)
        if self.limit is not None:
            text += f" LIMIT {self.limit}" + (f" OFFSET {self.offset}" if self.offset else "")
        return text + (" EMIT FINAL" if dialect == FERRIS and self.grouped else "")

    def order_by(self, dialect):
        if not self.order:
            return ""
        terms = []
        for item, desc, nulls in self.order:
            text = f"{self.prefix}{item}{' DESC' if desc else ''}"
            if nulls:
                text += f" NULLS {nulls}"
            elif dialect != FERRIS:
                text += " NULLS FIRST" if desc else LAST_NULL
            terms.append(text)
        return " ORDER BY " + ", ".join(terms)


# ---- making them ----

class QueryMaker:
    def __init__(self, rng, tables, target):
        self.rng, self.tables, self.target = rng, tables, target
        self.names = 0

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def leaves(self, from_):
        return [Expr(c.kind, f"{alias}.{c.name}", (), c.info)
                for alias, columns in from_.aliases() for c in columns if c.name != "filler"]

    def maker(self, leaves):
        return Maker(self.rng, self.target, leaves)

    def relation(self, depth):
        r = self.rng
        if depth > 0 and r.random() < 0.35:
            return Sub(self.query(depth - 1, False), self.name("q"))
        if depth > 0 and r.random() < 0.1:
            return Sub(self.union(), self.name("u"))
        if r.random() < 0.07:
            return self.windowed()
        return Source(r.choice(self.tables), self.name("t"))

    def windowed(self):
        source = Source(self.rng.choice(self.tables), self.name("t"))
        window = self.draw_window(source, ["TUMBLE", "HOP", "CUMULATE"])
        return WindowSource(source.table, source.alias, window)

    def union(self):
        """Of two queries without groups; the second has columns of the kinds of the first."""
        r = self.rng
        queries = []
        for number in range(2):
            query = Query(Source(r.choice(self.tables), self.name("t")))
            query.prefix = self.name("c") + "_"
            leaves = self.leaves(query.from_)
            maker = self.maker(leaves)
            if r.random() < 0.4:
                query.where = maker.make("bool", 2)
            kinds = [i.kind for i in queries[0].items] if number else [
                r.choice(maker.kinds()) for _ in range(r.randint(1, 4))]
            query.items = [maker.make(kind, r.choice([0, 0, 2])) for kind in kinds]
            queries.append(query)
        operators = ["UNION ALL", "UNION ALL", "UNION"] + SET_OPERATORS
        return Union(queries[0], r.choice(operators), queries[1])

    def subquery(self, leaves):
        """A condition or a value: IN, EXISTS, a comparison with the only row."""
        r = self.rng
        query = Query(Source(r.choice(self.tables), self.name("t")))
        query.prefix = self.name("c") + "_"
        inner = self.leaves(query.from_)
        maker = self.maker(inner)
        conditions = [maker.make("bool", 2)] if r.random() < 0.4 else []
        outer = [leaf for leaf in leaves if leaf.kind in ANY and "." in leaf.text[0] and not leaf.parts]
        if outer and r.random() < 0.5:  # tied to the row
            a = r.choice(outer)
            same = [b for b in inner if b.kind == a.kind]
            if same:
                conditions.append(Expr("bool", "({0} = {1})", [r.choice(same), a]))
        for condition in conditions:
            query.where = Expr("bool", "({0} AND {1})", [query.where, condition]) if query.where else (
                condition)
        no = r.choice(["", "NOT "])
        form = r.randrange(3)
        if form == 0:
            query.items = [r.choice(inner)]
            return Subquery("bool", f"({no}EXISTS ({{q}}))", [], query)
        kind = r.choice([k for k in maker.kinds() if k in SORTABLE])
        part = maker.make(kind, r.choice([0, 0, 1]))
        operand = self.maker(leaves).make(kind, 1)
        if form == 1:
            query.items = [part]
            return Subquery("bool", f"({{0}} {no}IN ({{q}}))", [operand], query)
        query.grouped = True
        query.items = [Expr(kind, f"{r.choice(['MIN', 'MAX'])}({{0}})", [part], part.info)]
        operator = r.choice(["=", "<>", "<", "<=", ">", ">="])
        return Subquery("bool", f"({{0}} {operator} ({{q}}))", [operand], query)

    def from_(self, depth):
        r = self.rng
        left = self.relation(depth)
        for _ in range(r.choice([0, 0, 0, 1, 1, 2]) if depth > 0 else 0):
            left = self.join(left, self.relation(depth - 1))
        return left

    def join(self, left, right):
        r = self.rng
        if self.size(left) * self.size(right) > 100_000:
            return left
        kinds = ["INNER", "INNER", "LEFT", "RIGHT"] + (["SEMI", "ANTI"] if self.target == DUCKDB else [])
        kind = r.choice(kinds)
        if kind == "RIGHT" and isinstance(left, Join):
            kind = "LEFT"
        if r.random() < 0.05 and self.size(left) * self.size(right) < 20000:
            return Join(left, "CROSS", right, [], None)
        mine = [leaf for leaf in self.leaves(left) if leaf.kind in ANY]
        other = [leaf for leaf in self.leaves(right) if leaf.kind in ANY]
        if not mine or not other:
            return left
        pairs = []
        for _ in range(r.choice([1, 1, 2])):
            keys = [leaf for leaf in mine if leaf.text[0].endswith((".k", ".s"))]
            a = r.choice(keys if keys and r.random() < 0.5 else mine)
            same = [b for b in other if b.kind == a.kind]
            keys = [b for b in same if b.text[0].endswith((".k", ".s"))]
            if same:
                pairs.append((a, r.choice(keys if keys and r.random() < 0.5 else same)))
        if not pairs:
            return left
        in_time = type(left) is Source and type(right) is Source and (
            left.table.delay is not None and right.table.delay is not None)
        if self.target == DUCKDB and in_time and r.random() < 0.5:
            kind = r.choice(kinds + ["FULL", "FULL"])
            found = Join(left, kind, right, pairs, None)
            found.seconds, found.spelling = r.choice([0, 1, 5, 60, 1000]), r.randrange(2)
            return found
        more = None
        if r.random() < 0.3:
            more = self.maker(mine + other).make("bool", 2)
        return Join(left, kind, right, pairs, more)

    def size(self, from_):
        if isinstance(from_, Source):
            return len(from_.table.rows)
        if isinstance(from_, Sub) and isinstance(from_.query, Union):
            return 400
        if isinstance(from_, Sub):
            return self.size(from_.query.from_)
        return self.size(from_.left) * self.size(from_.right)

    def query(self, depth, top=True):
        r = self.rng
        query = Query(self.from_(depth))
        query.prefix = "x" if top else self.name("c") + "_"
        leaves = self.leaves(query.from_)
        maker = self.maker(leaves)
        if r.random() < 0.35:
            query.where = maker.make("bool", r.randint(1, 3))
        if self.target == DUCKDB and r.random() < 0.12:
            found = self.subquery(leaves)
            if query.where:
                found = Expr("bool", r.choice(["({0} AND {1})", "({0} OR {1})"]), [found, query.where])
            query.where = found
        if r.random() < 0.45:
            leaves = self.group(query, leaves)
            maker = self.maker(leaves)
        self.select(query, maker, leaves)
        if query.grouped and r.random() < 0.3:
            query.having = maker.make("bool", 2)
        elif not query.grouped and r.random() < 0.15:
            query.distinct = True
        if not query.distinct and r.random() < 0.25:
            self.over(query, leaves)
        if top:
            self.order(query)
            if r.random() < 0.2 and isinstance(query.from_, Sub):
                query.from_.name = self.name("cte")
                query.ctes.append((query.from_.name, query.from_.query))
        return query

    def select(self, query, maker, leaves):
        r = self.rng
        query.items = [leaf for leaf in leaves if r.random() < 0.3][:6]
        for _ in range(r.randint(0 if query.items else 1, 4)):
            query.items.append(maker.make(r.choice(maker.kinds()), r.randint(1, 4)))

    # -- groups --

    def group(self, query, leaves):
        r = self.rng
        query.grouped = True
        maker = self.maker(leaves)
        usable = [leaf for leaf in leaves if leaf.kind in ANY]
        if isinstance(query.from_, WindowSource):  # a bound would make the windows the groups
            usable = [leaf for leaf in usable if ".window_" not in leaf.text[0]]
        if r.random() < 0.5:
            self.window(query)
        for _ in range(r.choice([0, 1, 1, 2, 2, 3])):
            key = r.choice(usable or [maker.make("int", 1)])
            plain = query.window and query.window.kind == "SESSION" or (
                isinstance(query.from_, WindowSource))
            if r.random() < 0.3 and not plain:
                made = maker.make(r.choice(maker.kinds()), 2)
                key = made if uses(made, leaves) else key
            if all(key.sql(0) != other.sql(0) for other in query.keys):
                query.keys.append(key)
        found = list(query.keys)
        if len(query.keys) > 1 and self.target == DUCKDB and r.random() < 0.3 and not (
                query.window and query.window.kind == "SESSION"):
            numbers = range(len(query.keys))
            query.sets = r.choice(["ROLLUP", "CUBE", [r.sample(numbers, r.randint(0, len(numbers)))
                                                      for _ in range(r.randint(1, 3))]])
            if isinstance(query.sets, list):
                used = {i for chosen in query.sets for i in chosen}
                if len(used) < len(query.keys):
                    query.sets.append(list(numbers))
        if query.window:
            start, end = ("window_start", "window_end") if query.window.spelling == 2 else (
                "_window_start", "_window_end")
            found += [Expr("ts", (start, "w_start", "w_start")), Expr("ts", (end, "w_end", "w_end"))]
        unique = [Expr("int", f"{alias}.{name}", (), (64, 1)) for alias, columns in
                  query.from_.aliases()[:1] for name in (query.from_.unique or [])]
        for _ in range(r.randint(1, 4)):
            found.append(self.aggregate(maker, unique, query))
        return found

    def window(self, query):
        r = self.rng
        if type(query.from_) is Source:
            query.window = self.draw_window(query.from_, ["TUMBLE", "TUMBLE", "HOP", "CUMULATE", "SESSION"])

    def draw_window(self, source, kinds):
        r = self.rng
        second = r.choice([1_000_000, 1_000_000, 250_000, 10_000_000])
        step = second * r.randint(1, 5)
        kind = r.choice(kinds)
        size = {"TUMBLE": step, "SESSION": step, "CUMULATE": step * r.randint(1, 5),
                "HOP": step + second * r.randint(0, 12)}[kind]
        spelling = r.randrange(3)
        if kind == "SESSION" and spelling == 2:
            spelling = 0
        return Window(kind, f"{source.alias}.ts", size, step, spelling)

    def aggregate(self, maker, unique, query):
        """An aggregate call; the types of its result are those of the columns above."""
        r = self.rng
        kind = r.choice([k for k in maker.kinds()])
        part = maker.make(kind, r.choice([0, 0, 1, 2]))
        filtered, parts = "", [part]
        if r.random() < 0.25:
            filtered = " FILTER (WHERE {1})"
            parts.append(maker.make("bool", 2))
        distinct = r.choice(["", "", "", "DISTINCT "])
        number = kind in ("int", "dec", "real")
        names = ["COUNT", "COUNT", "MIN", "MAX"] + (["SUM", "SUM", "AVG"] if number else [])
        if self.target == DUCKDB:
            names += ["STDDEV_POP", "VARIANCE", "MEDIAN", "STDDEV"] if number else []
            names += ["BOOL_AND", "BOOL_OR"] if kind == "bool" else []
            if len(unique) == 1 and not query.window:
                names += ["FIRST", "LAST"] + (["STRING_AGG"] if kind == "text" else [])
                names += ["ARRAY_AGG"] if kind in ("int", "text") else []
        name = r.choice(names)
        if name == "COUNT" and r.random() < 0.4:
            return Expr("int", ("COUNT(*)" + filtered.replace("{1}", "{0}"),) * 3, parts[1:], (64, 10**5))
        if kind == "bool" and name in ("MIN", "MAX"):
            name = "COUNT"
        if name in ("FIRST", "LAST", "STRING_AGG", "ARRAY_AGG"):
            return self.ordered(name, kind, part, parts, unique)
        if name in ("MIN", "MAX", "BOOL_AND", "BOOL_OR"):
            return Expr(kind, f"{name}({{0}}){filtered}", parts, part.info)
        if name in ("AVG", "STDDEV_POP", "VARIANCE", "STDDEV", "MEDIAN"):
            distinct = distinct if name == "AVG" else ""
            theirs = f"{name}({distinct}CAST({{0}} AS DOUBLE)){filtered}"
            return Expr("approx", (f"{name}({distinct}{{0}}){filtered}", theirs, theirs), parts)
        if name == "SUM" and not too_large(part):
            return self.sum(part, parts, f"({distinct}{{0}}){filtered}")
        return Expr("int", f"COUNT({distinct}{{0}}){filtered}", parts, (64, 10**5))

    def sum(self, part, parts, call):
        """A sum of integers is a DECIMAL here, a HUGEINT in DuckDB."""
        if part.kind == "real":
            return Expr("real", f"SUM{call}", parts)
        if self.target == SQLITE:
            return Expr("total", f"SUM{call}", parts)
        scale = part.info[1] if part.kind == "dec" else 0
        return Expr("dec", (f"SUM{call}", f"CAST(SUM{call} AS DECIMAL(30, {scale}))", None), parts,
                    (30, scale))

    def ordered(self, name, kind, part, parts, unique):
        """What depends on the order: by the unique column, or as the rows come."""
        r = self.rng
        key = unique[0]
        by_arrival = r.random() < 0.4 and key.text[0].endswith(".id") and key.text[0][0] == "t"
        ours = "" if by_arrival else " ORDER BY {1}"
        more, parts = "{0} IS NOT NULL", [part, key] + parts[1:]
        separator = ", '; '" if name == "STRING_AGG" else ""
        if len(parts) > 2:
            more += " AND {2}"
            filtered = " FILTER (WHERE {2})"
        else:
            filtered = ""
        other = {"FIRST": "FIRST", "LAST": "LAST", "STRING_AGG": "STRING_AGG", "ARRAY_AGG": "LIST"}[name]
        text = (f"{name}({{0}}{separator}{ours}){filtered}",
                f"{other}({{0}}{separator} ORDER BY {{1}}) FILTER (WHERE {more})", None)
        return Expr("array" if name == "ARRAY_AGG" else kind, text, parts, part.info, by_arrival)

    # -- OVER, QUALIFY --

    def over(self, query, leaves):
        r = self.rng
        usable = [leaf for leaf in leaves if leaf.kind in SORTABLE]
        unique = self.unique_leaves(query, leaves)
        for _ in range(r.randint(1, 2)):
            query.items.append(self.call(query, leaves, usable, unique))
        if self.target == DUCKDB and r.random() < 0.4 and usable:
            call = self.call(query, leaves, usable, unique, r.choice(["RANK()", "COUNT(*)"]))
            query.qualify = Expr("bool", f"({{0}} {r.choice(['<=', '=', '>'])} {r.randint(1, 4)})", [call])

    def unique_leaves(self, query, leaves):
        """Leaves without ties: of the source, or the keys of the group."""
        if query.grouped:
            return None if query.sets or query.window else list(query.keys)
        if isinstance(query.from_, Join) or not query.from_.unique:
            return None
        alias = query.from_.alias
        return [Expr("int", f"{alias}.{name}", (), (64, 1)) for name in query.from_.unique]

    def call(self, query, leaves, usable, unique, name=None):
        r = self.rng
        partition = r.sample(usable, min(len(usable), r.choice([0, 1, 1, 2])))
        order = r.sample(usable, min(len(usable), r.choice([0, 1, 1, 2])))
        total = bool(unique) and r.random() < 0.6
        terms, parts = [], list(partition)
        for leaf in order:
            parts.append(leaf)
            terms.append(f"{{{len(parts) - 1}}}{r.choice(['', ' DESC'])} "
                         f"NULLS {r.choice(['FIRST', 'LAST'])}")
        if total:
            for leaf in unique:
                parts.append(leaf)
                terms.append(f"{{{len(parts) - 1}}}{r.choice(['', ' DESC'])} NULLS LAST")
        by = "PARTITION BY " + ", ".join(f"{{{i}}}" for i in range(len(partition))) if partition else ""
        by += (" " if by else "") + "ORDER BY " + ", ".join(terms) if terms else ""
        kind, info, frame = "int", (64, 10**6), ""
        if name is None:
            name, kind, info = self.function(leaves, terms, total, parts)
            if name.startswith(("SUM", "COUNT", "MIN", "MAX", "FIRST", "LAST_")) and terms and r.random() < 0.5:
                unit = "ROWS" if total else r.choice(["GROUPS", "GROUPS", "RANGE"])
                frame = self.frame(unit)
        elif not terms and name != "COUNT(*)":
            name = "COUNT(*)"
        return Expr(kind, f"{name} OVER ({by}{frame})", parts, info)

    def function(self, leaves, terms, total, parts):
        r = self.rng
        leaf = r.choice([l for l in leaves if l.kind in SORTABLE] or [literal(r, "int", self.target)])
        if terms and total and r.random() < 0.6:
            parts.append(leaf)
            at = f"{{{len(parts) - 1}}}"
            name = r.choice(["ROW_NUMBER()", "NTILE(3)", f"LAG({at})", f"LEAD({at}, 2)",
                             f"FIRST_VALUE({at})", f"LAST_VALUE({at})"])
            if "{" not in name:
                return name, "int", (64, 10**4)
            return name, leaf.kind, leaf.info
        if terms and r.random() < 0.5:
            return r.choice(["RANK()", "DENSE_RANK()"]), "int", (64, 10**4)
        parts.append(leaf)
        at = f"{{{len(parts) - 1}}}"
        if leaf.kind in ("int", "dec", "real") and not too_large(leaf) and r.random() < 0.5:
            return f"SUM({at})", "real" if leaf.kind == "real" else "total", None
        name = r.choice(["COUNT", "MIN", "MAX"])
        if name == "COUNT":
            return f"COUNT({at})", "int", (64, 10**5)
        return f"{name}({at})", leaf.kind, leaf.info

    def frame(self, unit):
        r = self.rng
        start = r.choice(["UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW"])
        end = r.choice(["CURRENT ROW", "1 FOLLOWING", "3 FOLLOWING", "UNBOUNDED FOLLOWING"])
        if unit == "RANGE":
            start = r.choice(["UNBOUNDED PRECEDING", "CURRENT ROW"])
            end = r.choice(["CURRENT ROW", "UNBOUNDED FOLLOWING"])
        return f" {unit} BETWEEN {start} AND {end}"

    # -- ORDER BY, LIMIT --

    def order(self, query):
        """All columns, so that LIMIT means the same rows everywhere; or some without LIMIT."""
        r = self.rng
        if r.random() < 0.7:
            return
        if any(item.kind not in SORTABLE for item in query.items):
            return
        numbers = list(range(len(query.items)))
        r.shuffle(numbers)
        limited = r.random() < 0.6
        if not limited:
            numbers = numbers[:r.randint(1, len(numbers))]
        query.order = [(i, r.random() < 0.4, r.choice([None, None, "FIRST", "LAST"])) for i in numbers]
        if limited:
            query.limit = r.choice([0, 1, 3, 10, 1000])
            query.offset = r.choice([None, None, 1, 5])


def too_large(part):
    return part.kind == "int" and part.info[1] > 10**11 or part.kind == "dec" and part.info[0] > 24


def uses(expr, leaves):
    return any(part is leaf for part in expr.walk() for leaf in leaves)
