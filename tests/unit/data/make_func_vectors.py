#!/usr/bin/env python3
"""Expected values for tests/unit/test_program.c, from Python's decimal and from SQLite.

    make_func_vectors.py decimal > func_decimal.txt
    make_func_vectors.py sqlite > func_sqlite.txt

Expressions are in the postfix notation of tests/unit/func_helper.h."""
import decimal
import random
import sqlite3
import sys

random.seed(20240229)
decimal.getcontext().prec = 120


def random_decimal(precision, scale):
    digits = random.randint(1, precision)
    v = random.randint(0, 10**digits - 1)
    if random.random() < 0.15:
        v = random.choice([0, 1, 10**precision - 1, 10**(precision - 1)])
    return (-v if random.random() < 0.5 else v), scale


def text(v, scale):
    sign = "-" if v < 0 else ""
    digits = str(abs(v)).rjust(scale + 1, "0")
    return sign + (digits[:-scale] + "." + digits[-scale:] if scale else digits)


def decimal_lines():
    shapes = [(5, 2), (9, 0), (18, 4), (18, 18), (10, 6), (19, 4), (25, 10), (38, 0), (38, 10), (38, 37)]
    for _ in range(1500):
        p1, s1 = random.choice(shapes)
        p2, s2 = random.choice(shapes)
        op = random.choice("+-*/%")
        (a, _), (b, _) = random_decimal(p1, s1), random_decimal(p2, s2)
        x, y = decimal.Decimal(a).scaleb(-s1), decimal.Decimal(b).scaleb(-s2)
        if op in "+-":
            s = max(s1, s2)
            p = min(38, max(p1 - s1, p2 - s2) + 1 + s)
            r = x + y if op == "+" else x - y
        elif op == "*":
            s, p = s1 + s2, min(38, p1 + p2)
            if s > 38:
                continue
            r = x * y
        elif op == "/":
            s = max(6, s1, s2)
            p = min(38, p1 - s1 + s2 + s)
            r = None if y == 0 else (x / y)
        else:
            s = max(s1, s2)
            p = min(p1 - s1, p2 - s2) + s
            r = None if y == 0 else x % y
        if r is None:
            out = "DIVISION_BY_ZERO"
        else:
            r = r.quantize(decimal.Decimal(1).scaleb(-s), rounding=decimal.ROUND_HALF_UP)
            n = int(r.scaleb(s))
            out = text(n, s) if abs(n) < 10**p else "OUT_OF_RANGE"
        print(f"{p1} {s1} {text(a, s1)} {op} {p2} {s2} {text(b, s2)} {p} {s} {out}")


INTS = ["c0", "c1", "c2", "0", "1", "-3", "7"]  # c0..c2 are BIGINT
TEXTS = ["c3", "c4", "'ab'", "''", "'b'"]
PATTERNS = ["'a%'", "'%b'", "'%a%'", "'_b%'", "'a_'", "'%'", "''", "'a%b_%'", "'%\u00e9_'", "'a!%b'"]
NAMES = {"c0": "c0", "c1": "c1", "c2": "c2", "c3": "c3", "c4": "c4", "null": "NULL"}


def leaf(word):
    return (NAMES.get(word, word), word)


def integer(depth):
    if depth == 0 or random.random() < 0.25:
        return leaf(random.choice(INTS))
    kind = random.randint(0, 6)
    if kind <= 2:
        op = "+-*"[kind]
        a, b = integer(depth - 1), integer(depth - 1)
        return (f"({a[0]} {op} {b[0]})", f"{a[1]} {b[1]} {op}")
    if kind == 3:
        a, b = integer(depth - 1), integer(depth - 1)
        op = random.choice("/%")
        # guarded, so that no row fails: SQLite says NULL where we say error
        return (f"(CASE WHEN {b[0]} <> 0 THEN {a[0]} {op} {b[0]} ELSE {a[0]} END)",
                f"{b[1]} 0 <> {a[1]} {b[1]} {op} {a[1]} case/3")
    if kind == 4:
        c, a, b = boolean(depth - 1), integer(depth - 1), integer(depth - 1)
        return (f"(CASE WHEN {c[0]} THEN {a[0]} ELSE {b[0]} END)", f"{c[1]} {a[1]} {b[1]} case/3")
    if kind == 5:
        a, b = integer(depth - 1), integer(depth - 1)
        return (f"COALESCE({a[0]}, {b[0]})", f"{a[1]} {b[1]} coalesce/2")
    a = integer(depth - 1)
    return (f"(-{a[0]})" if not a[0].startswith("-") else f"(-({a[0]}))", f"{a[1]} NEG/1")


def string(depth):
    if depth == 0 or random.random() < 0.5:
        return leaf(random.choice(TEXTS))
    a, b = string(depth - 1), string(depth - 1)
    return (f"({a[0]} || {b[0]})", f"{a[1]} {b[1]} ||")


def boolean(depth):
    kind = random.randint(0, 9)
    if depth == 0:
        kind = random.choice([0, 1, 9])
    if kind <= 1:
        op = random.choice(["=", "<>", "<", "<=", ">", ">="])
        kindof = integer if random.random() < 0.6 else string
        a, b = kindof(max(0, depth - 1)), kindof(max(0, depth - 1))
        return (f"({a[0]} {op} {b[0]})", f"{a[1]} {b[1]} {op}")
    if kind <= 3:
        op = "and" if kind == 2 else "or"
        args = [boolean(depth - 1) for _ in range(random.randint(2, 3))]
        return ("(" + f" {op.upper()} ".join(a[0] for a in args) + ")",
                " ".join(a[1] for a in args) + f" {op}/{len(args)}")
    if kind == 4:
        a = boolean(depth - 1)
        return (f"(NOT {a[0]})", f"{a[1]} NOT/1")
    if kind == 5:
        a = random.choice([integer, string, boolean])(depth - 1)
        n = random.choice(["", "NOT "])
        return (f"({a[0]} IS {n}NULL)", f"{a[1]} IS~{n.replace(' ', '~')}NULL/1")
    if kind == 6:
        a, b = integer(depth - 1), integer(depth - 1)
        n = random.choice(["", "NOT "])
        return (f"({a[0]} IS {'' if n else 'NOT '}{b[0]})",
                f"{a[1]} {b[1]} IS~{n.replace(' ', '~')}DISTINCT~FROM/2")
    if kind == 7:
        a = integer(depth - 1)
        members = [random.choice(["1", "2", "-3", "7", "0", "null", "c1", "c2"])
                   for _ in range(random.randint(1, 12))]
        return (f"({a[0]} IN ({', '.join(NAMES.get(m, m) for m in members)}))",
                f"{a[1]} {' '.join(members)} IN/{1 + len(members)}")
    if kind == 8:
        a = string(depth - 1)
        members = [random.choice(["'ab'", "''", "'zz'", "'b'", "null", "'abc'"])
                   for _ in range(random.randint(1, 5))]
        return (f"({a[0]} IN ({', '.join(NAMES.get(m, m) for m in members)}))",
                f"{a[1]} {' '.join(members)} IN/{1 + len(members)}")
    a = string(max(0, depth - 1))
    p = random.choice(PATTERNS)
    if random.random() < 0.3:
        return (f"({a[0]} LIKE {p} ESCAPE '!')", f"{a[1]} {p} '!' LIKE/3")
    return (f"({a[0]} LIKE {p})", f"{a[1]} {p} LIKE/2")


def sqlite_lines():
    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA case_sensitive_like = ON")
    db.execute("CREATE TABLE t (c0 INTEGER, c1 INTEGER, c2 INTEGER, c3 TEXT, c4 TEXT)")
    words = ["ab", "a", "", "b", "abc", "B", "a%b", "xab", "ab\u00e9c", "\u00e9\u00e9", "azbyc"]
    rows = []
    for _ in range(40):
        ints = [random.choice([None, 0, 1, -1, 2, 7, -3, 5, 100]) for _ in range(3)]
        rows.append(tuple(ints + [random.choice(words + [None, None]) for _ in range(2)]))
    db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
    print(len(rows))
    for row in rows:
        print("|".join("\\N" if v is None else str(v) for v in row))
    seen = 0
    while seen < 1200:
        sql, postfix = random.choice([integer, boolean, boolean, string])(random.randint(1, 4))
        if len(postfix) > 1500:
            continue
        got = [r[0] for r in db.execute(f"SELECT {sql} FROM t ORDER BY rowid")]
        if any(isinstance(v, float) for v in got):
            continue
        print(postfix)
        print("|".join("\\N" if v is None else str(v) for v in got))
        seen += 1


if __name__ == "__main__":
    {"decimal": decimal_lines, "sqlite": sqlite_lines}[sys.argv[1]]()
