#!/usr/bin/env python3
"""Writes postgres_vectors.txt: calls of SQL functions with the results that PostgreSQL gives, for the
functions that mean the same here.  The arguments of this script are those of psql, as in

    make_postgres_vectors.py -h localhost -U postgres

The database's encoding must be UTF8.  The output does not change from run to run.  The format is
that of tests/unit/function_test.h."""
import random
import subprocess
import sys

random.seed(15)
ALPHABET = "abXY  ,-_09é→😀"


def text(low=0, high=10):
    return "".join(random.choice(ALPHABET) for _ in range(random.randint(low, high)))


def sql(arg):
    kind, value = arg.split(":", 1)
    quoted = "'" + value.replace("'", "''") + "'"
    if arg == "ns:":
        return "NULL::text"
    return {"s": quoted + "::text", "i": f"({value})", "d": f"({value})::numeric",
            "f": f"({value})::float8", "t": quoted + "::timestamptz", "D": quoted + "::date",
            "v": quoted + "::interval", "b": value}[kind]


def calls():
    """Our name, PostgreSQL's expression with {0} ..., arguments."""
    for _ in range(40):
        s, part, n = "s:" + text(), "s:" + text(1, 2), f"i:{random.randint(-4, 12)}"
        yield "SUBSTRING", "substring({0} from {1} for {2})", [s, n, f"i:{random.randint(0, 8)}"]
        yield "LEFT", "left({0}, {1})", [s, n]
        yield "RIGHT", "right({0}, {1})", [s, n]
        yield "LPAD", "lpad({0}, {1}, {2})", [s, n, "s:" + text(0, 3)]
        yield "RPAD", "rpad({0}, {1}, {2})", [s, n, "s:" + text(0, 3)]
        yield "LPAD", "lpad({0}, {1})", [s, n]
        yield "TRIM", "btrim({0}, {1})", [s, "s:" + text(0, 3)]
        yield "LTRIM", "ltrim({0}, {1})", [s, "s:" + text(0, 3)]
        yield "RTRIM", "rtrim({0})", [s]
        yield "REPLACE", "replace({0}, {1}, {2})", [s, part, "s:" + text(0, 3)]
        yield "TRANSLATE", "translate({0}, {1}, {2})", [s, "s:" + text(0, 5), "s:" + text(0, 5)]
        yield "REPEAT", "repeat({0}, {1})", [s, f"i:{random.randint(-1, 4)}"]
        yield "REVERSE", "reverse({0})", [s]
        yield "INITCAP", "initcap({0})", [s]
        yield "UPPER", "upper({0})", [s]
        yield "POSITION", "position({0} in {1})", [part, s]
        yield "STRPOS", "strpos({0}, {1})", [s, part]
        yield "SPLIT_PART", "split_part({0}, {1}, {2})", [s, part, f"i:{random.choice([-3, -2, -1, 1, 2, 3])}"]
        yield "CONCAT", "concat({0}, {1}, {2})", [s, random.choice(["ns:", part]), n]
        yield "CONCAT_WS", "concat_ws({0}, {1}, {2}, {3})", [part, s, random.choice(["ns:", s]), n]
        yield "ASCII", "ascii({0})", [s]
        yield "STARTS_WITH", "starts_with({0}, {1})", [s, "s:" + text(0, 1)]
        yield "REGEXP_REPLACE", "regexp_replace({0}, {1}, {2})", [s, "s:[a-c0-9]+", "s:<\\1\\&>"]
        yield "REGEXP_REPLACE", "regexp_replace({0}, {1}, {2}, {3})", [s, "s:([ab])|(é)", "s:[\\1]", "s:g"]
        yield "REGEXP_COUNT", "regexp_count({0}, {1})", [s, "s:[^ ]+"]
        yield "REGEXP_LIKE", "regexp_like({0}, {1}, {2})", [s, "s:^[a-y→ ]*$", "s:i"]
        d = f"d:{random.choice(['', '-'])}{random.randint(0, 999)}.{random.choice(['5', '25', '49', '50', '995', '0001'])}"
        digits = f"=i:{random.randint(-2, 4)}"
        yield "TRUNC", "trunc({0}, {1})", [d, digits]
        yield "ROUND", "round({0}, {1})", [d, digits]
        yield "CEIL", "ceil({0})", [d]
        yield "FLOOR", "floor({0})", [d]
        yield "SIGN", "sign({0})", [d]
        yield "MOD", "mod({0}, {1})", [f"i:{random.randint(-50, 50)}", f"i:{random.choice([-7, 3, 5])}"]
        yield "WIDTH_BUCKET", "width_bucket({0}, {1}, {2}, {3})", [f"f:{random.randint(-5, 15)}", "f:0", "f:10", f"i:{random.randint(1, 6)}"]
        yield "GREATEST", "greatest({0}, {1})", [f"i:{random.randint(-5, 5)}", f"i:{random.randint(-5, 5)}"]
        t = f"t:{random.randint(1900, 2100)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}T{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}Z"
        unit = random.choice(["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "DECADE", "CENTURY"])
        stamp = "to_char({} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
        yield "DATE_TRUNC", stamp.format("date_trunc({0}, {1}, 'UTC')"), ["s:" + unit, t]
        yield "EXTRACT", "date_part({0}, {1} at time zone 'UTC')", ["s:" + random.choice([unit, "DOY", "DOW", "ISODOW", "ISOYEAR", "EPOCH"]), t]
        interval = random.choice(["P1M", "P1Y2M3D", "PT36H", "P13M", "P1W", "-P1M"])
        yield "DATE_ADD", stamp.format("({0} + {1})"), [t, "v:" + interval.replace("P1W", "P7D").replace("-P1M", "P-1M")]
        yield "DATE_SUB", stamp.format("({0} - {1})"), [t, "v:" + interval.replace("P1W", "P7D").replace("-P1M", "P-1M")]


cases = list(calls())
query = "SET TIME ZONE 'UTC'; SET extra_float_digits = 3;\n" + ";\n".join(
    "SELECT '<' || coalesce((" + expression.format(*(sql(a.lstrip("=")) for a in args)) + ")::text, 'NULL') || '>'"
    for _, expression, args in cases) + ";\n"
run = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *sys.argv[1:]], input=query, text=True,
                     stdout=subprocess.PIPE, check=True)
results = run.stdout.rstrip("\n").split("\n")
assert len(results) == len(cases), (len(results), len(cases))
with open("postgres_vectors.txt", "w", encoding="utf-8") as out:
    out.write("# Made by make_postgres_vectors.py: name, arguments, result; separated by tabs.\n")
    for (name, _, args), result in zip(cases, results):
        shown = [("ns" if a == "ns:" else a.replace("\\", "\\\\")) for a in args]
        out.write(f"{name}\t{' | '.join(shown)}\t{result[1:-1]}\n")
