#!/usr/bin/env python3
"""The same expressions on SQLite, Python's decimal, csv and json, and on ferris-sql.

Random tables and random scalar expressions that both engines define alike.  Many expressions go
into one SELECT, and every value is compared.  The seed is printed; give it as SEED=n (or as the
first argument) to repeat a run.  FERRIS_SQL names the binary.

What the engines define differently is kept out: SQLite has no BOOLEAN (compared as 0 and 1), LIKE
there ignores case (PRAGMA case_sensitive_like), overflow gives a float (numbers stay small), and
division by zero gives NULL (divisors are never zero).
"""
import csv
import decimal
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("FERRIS_SQL", str(ROOT / "build/release/ferris-sql"))
ROWS = 40
ROUNDS = 60
EXPRESSIONS = 60
DEPTH = 4

INTEGERS = ["a", "b", "c"]
TEXTS = ["s", "t"]
WORDS = ["", "a", "b", "ab", "abc", "Abc", "xyz", "a%b", "a_b", "it's", "Zürich", "éa", "  a ",
         "10", "ABCDEF", "x,y", 'q"q', "a\\b"]

passed = 0
failed = 0


def check(same, what):
    global passed, failed
    if same:
        passed += 1
        return
    failed += 1
    if failed <= 20:
        print("not ok", what)


def ferris(sql):
    """The rows of a plain SELECT; a decimal keeps its digits."""
    run = subprocess.run([BINARY, "execute", "--query", sql, "--output", "json"],
                         capture_output=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"exit {run.returncode}: {run.stderr.decode()}\n{sql[:2000]}")
    lines = run.stdout.decode().split("\n")
    return [json.loads(line, parse_float=decimal.Decimal) for line in lines if line]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


# ---- random expressions ----

class Maker:
    def __init__(self, rng):
        self.rng = rng

    def integer(self, depth):
        r = self.rng
        if depth == 0 or r.random() < 0.15:
            return r.choice(INTEGERS) if r.random() < 0.7 else f"({r.randint(-9, 9)})"
        kind = r.randrange(12)
        sub = depth - 1
        if kind < 3:
            # Products of small numbers only: no overflow in either engine.
            return f"({self.integer(sub)} {r.choice('+-')} {self.integer(sub)})"
        if kind == 3:
            return f"({r.choice(INTEGERS)} * {r.randint(-9, 9)})"
        if kind == 4:
            return f"({self.integer(sub)} / {r.choice([-7, -3, -2, 2, 3, 5, 10])})"
        if kind == 5:
            return f"({self.integer(sub)} % {r.choice([-7, -3, 2, 3, 5, 10])})"
        if kind == 6:
            return (f"CASE WHEN {self.boolean(sub)} THEN {self.integer(sub)} "
                    f"ELSE {self.integer(sub)} END")
        if kind == 7:
            return f"COALESCE({self.integer(sub)}, {self.integer(sub)})"
        if kind == 8:
            return f"NULLIF({self.integer(sub)}, {self.integer(sub)})"
        if kind == 9:
            return f"ABS({self.integer(sub)})"
        if kind == 10:
            return f"LENGTH({self.text(sub)})"
        return f"(-{self.integer(sub)})"

    def text(self, depth):
        r = self.rng
        if depth == 0 or r.random() < 0.2:
            return r.choice(TEXTS) if r.random() < 0.7 else quoted(r.choice(WORDS))
        kind = r.randrange(9)
        sub = depth - 1
        if kind == 0:
            return f"({self.text(sub)} || {self.text(sub)})"
        if kind == 1:
            old, new = quoted(r.choice(WORDS)), quoted(r.choice(WORDS))
            return f"REPLACE({self.text(sub)}, {old}, {new})"
        if kind == 2:
            return f"SUBSTR({self.text(sub)}, {r.randint(1, 5)}, {r.randint(0, 4)})"
        if kind == 3:
            return f"SUBSTR({self.text(sub)}, {r.randint(1, 5)})"
        if kind == 4:
            return f"{r.choice(['TRIM', 'LTRIM', 'RTRIM'])}({self.text(sub)})"
        if kind == 5:
            return f"COALESCE({self.text(sub)}, {self.text(sub)})"
        if kind == 6:
            return (f"CASE WHEN {self.boolean(sub)} THEN {self.text(sub)} "
                    f"WHEN {self.boolean(sub)} THEN {self.text(sub)} END")
        if kind == 7:
            return f"CAST({self.integer(sub)} AS {r.choice(['VARCHAR', 'TEXT'])})"
        return f"NULLIF({self.text(sub)}, {self.text(sub)})"

    def boolean(self, depth):
        r = self.rng
        compare = r.choice(["=", "<>", "<", "<=", ">", ">="])
        sub = max(depth - 1, 0)
        if depth == 0:
            return f"({self.integer(0)} {compare} {self.integer(0)})"
        kind = r.randrange(14)
        if kind < 2:
            return f"({self.integer(sub)} {compare} {self.integer(sub)})"
        if kind == 2:
            return f"({self.text(sub)} {compare} {self.text(sub)})"
        if kind == 3:
            return f"({self.boolean(sub)} AND {self.boolean(sub)})"
        if kind == 4:
            return f"({self.boolean(sub)} OR {self.boolean(sub)})"
        if kind == 5:
            return f"(NOT {self.boolean(sub)})"
        negated = r.choice(["", "NOT "])
        if kind == 6:
            return f"({self.integer(sub)} IS {negated}NULL)"
        if kind == 7:
            return f"({self.text(sub)} IS {negated}NULL)"
        if kind == 8:
            return (f"({self.integer(sub)} {negated}BETWEEN {self.integer(sub)} "
                    f"AND {self.integer(sub)})")
        if kind == 9:
            items = [r.choice([str(r.randint(-9, 9)), self.integer(0), "NULL"])
                     for _ in range(r.randint(1, 4))]
            return f"({self.integer(sub)} {negated}IN ({', '.join(items)}))"
        if kind == 10:
            items = [quoted(r.choice(WORDS)) for _ in range(r.randint(1, 4))]
            return f"({self.text(sub)} {negated}IN ({', '.join(items)}))"
        if kind == 11:
            pattern = r.choice(["a%", "%b", "%b%", "_", "a_", "%", "", "a%c", "_b%", "%_%", "%é%"])
            return f"({self.text(sub)} {negated}LIKE {quoted(pattern)})"
        if kind == 12:
            pattern = r.choice(["a!%%", "%!_b", "a!!%", "!%"])
            return f"({self.text(sub)} {negated}LIKE {quoted(pattern)} ESCAPE '!')"
        return f"({self.boolean(sub)} IS {negated}{r.choice(['TRUE', 'FALSE'])})"


def make_rows(rng):
    def integer():
        return None if rng.random() < 0.15 else rng.choice([0, 1, -1, rng.randint(-9, 9),
                                                           rng.randint(-10**6, 10**6)])

    def text():
        return None if rng.random() < 0.15 else rng.choice(WORDS)

    return [(i, integer(), integer(), integer(), text(), text()) for i in range(ROWS)]


COLUMNS = ["id"] + INTEGERS + TEXTS


def write_json(path, rows, rng):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            members = [(n, v) for n, v in zip(COLUMNS, row) if v is not None or rng.random() < 0.5]
            if rng.random() < 0.3:
                rng.shuffle(members)
            file.write(json.dumps(dict(members), ensure_ascii=rng.random() < 0.5) + "\n")


def write_csv(path, rows):
    """NULL is an empty field without quotes, so texts are always in quotes."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for row in rows:
            fields = ["" if v is None else '"' + v.replace('"', '""') + '"' if isinstance(v, str)
                      else str(v) for v in row]
            file.write(",".join(fields) + "\n")


def compare_value(ours, theirs):
    if isinstance(ours, bool):
        ours = int(ours)
    return ours == theirs and (ours is None) == (theirs is None)


def expressions_against_sqlite(rng, folder):
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA case_sensitive_like = ON")
    rows = make_rows(rng)
    database.execute("CREATE TABLE t (id INTEGER, a INTEGER, b INTEGER, c INTEGER, s TEXT, t TEXT)")
    database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
    write_json(folder / "t.jsonl", rows, rng)
    write_csv(folder / "t.csv", rows)
    maker = Maker(rng)
    makers = [maker.integer, maker.text, maker.boolean]
    expressions = [rng.choice(makers)(rng.randint(1, DEPTH)) for _ in range(EXPRESSIONS)]
    items = ", ".join(f"{e} AS e{i}" for i, e in enumerate(expressions))
    where = maker.boolean(rng.randint(1, DEPTH))
    for condition in ("", f" WHERE {where}"):
        query = f"SELECT id, {items} FROM t{condition}"
        wanted = database.execute(query + " ORDER BY id").fetchall()
        for name in ("t.jsonl", "t.csv"):
            declared = ("CREATE STREAM t (id BIGINT, a BIGINT, b BIGINT, c BIGINT, s STRING, "
                        f"t STRING) WITH ('path' = '{folder / name}'); ")
            got = ferris(declared + query)
            check([row["id"] for row in got] == [row[0] for row in wanted],
                  f"{name}: other rows{condition}")
            for mine, theirs in zip(got, wanted):
                for i, expression in enumerate(expressions):
                    check(compare_value(mine[f"e{i}"], theirs[i + 1]),
                          f"{name}: {expression} for {rows[theirs[0]]}: {mine[f'e{i}']!r}, "
                          f"SQLite has {theirs[i + 1]!r}")


# ---- decimals ----

def random_decimal(rng, precision, scale):
    digits = rng.randint(1, precision)
    number = rng.randint(0, 10**digits - 1) * rng.choice([1, -1])
    return decimal.Decimal(number).scaleb(-scale)


def divided(x, y, scale):
    """Rounded half up, from the exact quotient."""
    number = abs(x) / abs(y)
    quotient = number.quantize(decimal.Decimal(1).scaleb(-scale), decimal.ROUND_HALF_UP)
    return quotient if (x < 0) == (y < 0) or quotient == 0 else -quotient


def decimals_against_python(rng, folder):
    """+ - * / %, comparison, ROUND and CAST, with the digits of the result's scale."""
    decimal.getcontext().prec = 200
    for p1, s1, p2, s2 in ((18, 4, 18, 2), (10, 2, 9, 6), (18, 0, 18, 18), (30, 10, 7, 3),
                           (38, 10, 5, 0), (19, 19, 12, 4)):
        pairs = []
        for _ in range(200):
            x, y = random_decimal(rng, p1, s1), random_decimal(rng, p2, s2)
            pairs.append((x, y if y else decimal.Decimal(1).scaleb(-s2)))
        with open(folder / "d.jsonl", "w", encoding="utf-8") as file:
            for x, y in pairs:
                file.write(f'{{"x":{x:f},"y":{y:f}}}\n')
        rows = ferris(
            f"CREATE STREAM d (x DECIMAL({p1},{s1}), y DECIMAL({p2},{s2})) "
            f"WITH ('path' = '{folder / 'd.jsonl'}'); "
            "SELECT x, y, TRY(x + y) AS a, TRY(x - y) AS s, TRY(x * y) AS m, TRY(x / y) AS d, "
            "TRY(x % y) AS r, x < y AS lt, x = y AS eq, ROUND(x, 1) AS r1, "
            "ROUND(x, 1, 'HALF_EVEN') AS e1, TRY_CAST(x AS BIGINT) AS i, -x AS n FROM d")
        scale = max(s1, s2)
        quotient_scale = max(6, scale)
        for (x, y), row in zip(pairs, rows):
            # Precisions as docs/sql.md has them; what does not fit is an error, here NULL.
            whole = max(p1 - s1, p2 - s2)
            wanted = {
                "x": (x, p1), "y": (y, p2),
                "a": (x + y, min(38, whole + scale + 1)),
                "s": (x - y, min(38, whole + scale + 1)),
                "m": (x * y, min(38, p1 + p2)),
                "d": (divided(x, y, quotient_scale), min(38, p1 - s1 + s2 + quotient_scale)),
                "r": (x % y, 38),
                "r1": (x.quantize(decimal.Decimal("0.1"), decimal.ROUND_HALF_UP), 38),
                "e1": (x.quantize(decimal.Decimal("0.1"), decimal.ROUND_HALF_EVEN), 38),
                "n": (-x, p1),
            }
            scales = {"x": s1, "y": s2, "a": scale, "s": scale, "m": s1 + s2, "d": quotient_scale,
                      "r": scale, "r1": 1, "e1": 1, "n": s1}
            for name, (value, precision) in wanted.items():
                ours = row[name]
                place = f"DECIMAL({p1},{s1}) {x} , DECIMAL({p2},{s2}) {y}: {name} is {ours}"
                if abs(value) >= decimal.Decimal(10) ** (precision - scales[name]):
                    check(ours is None, f"{place}, which cannot hold {value}")
                    continue
                check(ours is not None and decimal.Decimal(ours) == value, f"{place}, not {value}")
                if ours is not None:
                    digits = -decimal.Decimal(ours).as_tuple().exponent
                    check(digits == scales[name], f"{place}: {digits} digits, not {scales[name]}")
            check(row["lt"] == (x < y) and row["eq"] == (x == y), f"{x} compared with {y}")
            rounded = int(x.quantize(decimal.Decimal(1), decimal.ROUND_HALF_UP))
            fits = -2**63 <= rounded < 2**63
            check(row["i"] == (rounded if fits else None), f"CAST({x} AS BIGINT) is {row['i']}")
        check(len(rows) == len(pairs), "rows of decimals are missing")


# ---- conversions ----

def random_text(rng):
    alphabet = 'ab ,;"\'\\/\t\r\n\u0001\u007fé€𝄞{}[]:0'
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 12)))


def conversions_against_python(rng, folder):
    rows = [(rng.randint(-2**63, 2**63 - 1), random_text(rng), random_text(rng),
             rng.choice([True, False])) for _ in range(400)]
    names = ["n", "s", "t", "f"]
    declared = "CREATE STREAM c (n BIGINT, s STRING, t STRING, f BOOLEAN) WITH ('path' = '{}'); "
    copied = declared + "CREATE STREAM o AS SELECT n, s, t, f FROM c WITH ('path' = '{}');"
    with open(folder / "c.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for n, s, t, f in rows:
            writer.writerow([n, s, t, str(f).lower()])
    with open(folder / "c.jsonl", "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(dict(zip(names, row)), ensure_ascii=rng.random() < 0.5) + "\n")
    for source in ("c.csv", "c.jsonl"):
        for sink in ("o.csv", "o.jsonl"):
            (folder / sink).unlink(missing_ok=True)
            ferris(copied.format(folder / source, folder / sink))
            if sink == "o.csv":
                with open(folder / sink, encoding="utf-8", newline="") as file:
                    got = list(csv.reader(file))
                check(got[0] == names, f"{source}: header {got[0]}")
                got = [(int(n), s, t, f == "true") for n, s, t, f in got[1:]]
            else:
                with open(folder / sink, encoding="utf-8", newline="\n") as file:
                    got = [tuple(json.loads(line)[n] for n in names)
                           for line in file.read().split("\n") if line]
            check(len(got) == len(rows), f"{source} to {sink}: {len(got)} rows, not {len(rows)}")
            for wanted, mine in zip(rows, got):
                check(wanted == mine, f"{source} to {sink}: {mine!r}, not {wanted!r}")


def main():
    argument = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SEED")
    seed = int(argument) if argument else random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="ferris-differential-") as name:
        folder = pathlib.Path(name)
        for _ in range(ROUNDS):
            expressions_against_sqlite(rng, folder)
        decimals_against_python(rng, folder)
        conversions_against_python(rng, folder)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
