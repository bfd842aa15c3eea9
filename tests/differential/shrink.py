"""tests/differential/shrink.py -- smaller queries and tables than those that fail."""
import copy

from generator import Expr
from queries import Join, Sub, Union


def smaller_queries(query):
    """Copies of the query with one part less, the largest parts first."""
    for change in changes(query):
        candidate = copy.deepcopy(query)
        try:
            for found in changes(candidate):
                if found[0] == change[0]:
                    found[1]()
                    break
        except (IndexError, AttributeError):
            continue
        yield candidate


def changes(query, path="q"):
    """(name, what to do) for every part that could go."""
    found = []

    def put(name, action):
        found.append((f"{path}.{name}", action))

    def setter(owner, name, value):
        return lambda: setattr(owner, name, value)

    for name in ("limit", "qualify", "having", "where", "distinct", "sets", "offset", "window"):
        if getattr(query, name):
            put(name, setter(query, name, None))
    if query.order:
        put("order", lambda: (setattr(query, "order", []), setattr(query, "limit", None)))
    if len(query.items) > 1 and not query.order:
        for i in range(len(query.items)):
            put(f"item{i}", lambda i=i: query.items.pop(i))
    if query.keys and not isinstance(query.sets, list):
        for i in range(len(query.keys)):
            put(f"key{i}", lambda i=i: query.keys.pop(i))
    node, owner, name = query.from_, query, "from_"
    walk_from(node, owner, name, put, path, found)
    for label in ("where", "having", "qualify"):
        if getattr(query, label):
            expressions(getattr(query, label), setter_of(query, label), put, label)
    for i, item in enumerate(query.items):
        expressions(item, setter_at(query.items, i), put, f"i{i}")
    for i, item in enumerate(query.keys):
        expressions(item, setter_at(query.keys, i), put, f"k{i}")
    return found


def setter_of(owner, name):
    return lambda value: setattr(owner, name, value)


def setter_at(owner, index):
    return lambda value: owner.__setitem__(index, value)


def walk_from(node, owner, name, put, path, found):
    if isinstance(node, Join):
        put(f"{name}.left", lambda: setattr(owner, name, node.left))
        put(f"{name}.right", lambda: setattr(owner, name, node.right))
        if node.more:
            put(f"{name}.more", lambda: setattr(node, "more", None))
        if len(node.pairs) > 1:
            put(f"{name}.pair", lambda: node.pairs.pop())
        walk_from(node.left, node, "left", put, path, found)
        walk_from(node.right, node, "right", put, path, found)
    elif isinstance(node, Sub) and isinstance(node.query, Union):
        for side in ("left", "right"):
            found += changes(getattr(node.query, side), f"{path}.{name}.{node.alias}.{side}")
    elif isinstance(node, Sub):
        found += changes(node.query, f"{path}.{name}.{node.alias}")


def expressions(expr, replace, put, label):
    """A part instead of the whole, or NULL-free nothing smaller than a leaf."""
    for i, part in enumerate(expr.parts):
        if part.kind == expr.kind:
            put(f"{label}.{i}up", lambda part=part: replace(part))
    for i, part in enumerate(expr.parts):
        expressions(part, setter_at(expr.parts, i), put, f"{label}.{i}")
    if expr.parts and expr.kind in SIMPLE:
        put(f"{label}.leaf", lambda: replace(Expr(expr.kind, SIMPLE[expr.kind], (), expr.info)))


SIMPLE = {"bool": "TRUE", "int": "1", "text": "'a'"}


def smaller_tables(tables):
    for number, table in enumerate(tables):
        size = len(table.rows)
        step = max(1, size // 2)
        while step:
            for start in range(0, size, step):
                rows = table.rows[:start] + table.rows[start + step:]
                yield changed(tables, number, rows=rows)
            step //= 2
        for column in table.columns[2:]:
            yield changed(tables, number, columns=[c for c in table.columns if c is not column])
        if table.form == "csv":
            yield changed(tables, number, form="json")
        if table.delay is not None:
            yield changed(tables, number, delay=None)
    return


def changed(tables, number, **values):
    tables = list(tables)
    tables[number] = copy.copy(tables[number])
    for name, value in values.items():
        setattr(tables[number], name, value)
    return tables
