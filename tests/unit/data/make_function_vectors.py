#!/usr/bin/env python3
"""Writes string_vectors.txt, math_vectors.txt and time_vectors.txt: calls of SQL functions with the
results that Python gives (str, re, decimal, math, datetime).  Run it in this folder; the output does
not change from run to run.  The format is that of tests/unit/function_test.h."""
import base64
import datetime
import decimal
import math
import random
import re

random.seed(20240917)
D = decimal.Decimal
decimal.getcontext().prec = 120
HEADER = "# Made by make_function_vectors.py: name, arguments, result, type; separated by tabs.\n"


def text(s):
    return "s:" + (s.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
                   .replace(" | ", " \\| "))


def write(name, rows):
    with open(name, "w", encoding="utf-8") as out:
        out.write(HEADER)
        for row in rows:
            row = [*row]
            row[1] = " | ".join(row[1])
            line = "\t".join(row)
            assert "\n" not in line
            out.write(line + "\n")


ALPHABET = "abcxyz  ,;-_09éÜßñ→∀😀𝄞"


def random_text(low=0, high=14):
    return "".join(random.choice(ALPHABET) for _ in range(random.randint(low, high)))


def substring(s, start, count=None):
    end = len(s) + 1 if count is None else start + count
    return s[max(start - 1, 0):max(end - 1, 0)]


def split_part(s, d, n):
    parts = s.split(d)
    i = n - 1 if n > 0 else len(parts) + n
    return parts[i] if 0 <= i < len(parts) else ""


def strings():
    for _ in range(60):
        s, n, m = random_text(), random.randint(-4, 16), random.randint(0, 8)
        yield "SUBSTRING", [text(s), f"i:{n}", f"i:{m}"], substring(s, n, m)
        yield "SUBSTRING", [text(s), f"i:{n}"], substring(s, n)
        k = random.randint(-8, 16)
        yield "LEFT", [text(s), f"i:{k}"], s[:k]
        yield "RIGHT", [text(s), f"i:{k}"], (s[-k:] if k > 0 else "") if k >= 0 else s[-k:]
        yield "LENGTH", [text(s)], str(len(s))
        yield "OCTET_LENGTH", [text(s)], str(len(s.encode()))
        yield "REVERSE", [text(s)], s[::-1]
        chars = random_text(0, 4)
        if chars:
            yield "TRIM", [text(s), text(chars)], s.strip(chars)
            yield "LTRIM", [text(s), text(chars)], s.lstrip(chars)
            yield "RTRIM", [text(s), text(chars)], s.rstrip(chars)
        part, new = random_text(1, 2), random_text(0, 3)
        yield "REPLACE", [text(s), text(part), text(new)], s.replace(part, new)
        yield "POSITION", [text(part), text(s)], str(s.find(part) + 1)
        i = random.choice([-3, -2, -1, 1, 2, 3, 4])
        yield "SPLIT_PART", [text(s), text(part), f"i:{i}"], split_part(s, part, i)
        yield "SPLIT", [text(s), text(part)], "[" + ",".join(s.split(part)) + "]"
        yield "LOWER", [text(s)], s.lower()
        yield "UPPER", [text(s.replace("ß", "s"))], s.replace("ß", "s").upper()
        yield "HEX", [text(s)], s.encode().hex().upper()
        yield "TO_BASE64", [text(s)], base64.b64encode(s.encode()).decode()
        yield "FROM_BASE64", [text(base64.b64encode(s.encode()).decode())], s.encode().hex().upper()
    patterns = ["a+", "[xyz]", "é|ß", r"\d+", r"(a|b)(c)?", "^a", r"\w", r"\s+", ".", "x*", "a*?b",
                "(?:ab)+", "[^a]", "$", "|a", r"\b"]
    for _ in range(120):
        s, p = random_text(0, 16), random.choice(patterns)
        found = re.search(p, s)
        yield "REGEXP_LIKE", [text(s), text(p)], "true" if found else "false"
        yield "REGEXP_COUNT", [text(s), text(p)], str(len(re.findall(p, s)))
        yield "REGEXP_EXTRACT", [text(s), text(p)], found.group() if found else "NULL"
        yield ("REGEXP_REPLACE", [text(s), text(p), text(r"<\0>"), "s:g"],
               re.sub(p, lambda m: f"<{m.group()}>", s))
        yield ("REGEXP_REPLACE", [text(s), text(p), text("#")], re.sub(p, "#", s, count=1))


MODES = {"UP": decimal.ROUND_UP, "DOWN": decimal.ROUND_DOWN, "CEILING": decimal.ROUND_CEILING,
         "FLOOR": decimal.ROUND_FLOOR, "HALF_UP": decimal.ROUND_HALF_UP,
         "HALF_DOWN": decimal.ROUND_HALF_DOWN, "HALF_EVEN": decimal.ROUND_HALF_EVEN}


def plain(d, scale):
    s = f"{abs(d):.{scale}f}"
    return ("-" if d < 0 and D(s) != 0 else "") + s


def rounded(d, n, mode):
    """Rounded at n digits; n may be negative."""
    return (d.scaleb(n).quantize(D(1), rounding=MODES[mode])).scaleb(-n)


def number(whole, scale, five):
    """A decimal that often is a tie or next to one."""
    digits = "".join(random.choice("0123456789") for _ in range(whole)) or "0"
    tail = "".join(random.choice("0123456789") for _ in range(scale))
    if five and scale > 0:
        at = random.randint(0, scale - 1)
        tail = tail[:at] + "5" + "0" * (scale - at - 1)
        if random.random() < 0.3:
            tail = tail[:-1] + random.choice("01")
    return D(random.choice(["", "-"]) + digits + ("." + tail if scale else ""))


def decimals():
    for _ in range(260):
        whole, scale = random.choice([(1, 1), (3, 2), (5, 4), (14, 4), (1, 6), (20, 10), (0, 5),
                                      (30, 8), (18, 0), (3, 0), (38, 0)])
        d, mode = number(whole, scale, True), random.choice(list(MODES))
        p = max(whole + scale, 1)
        n = random.randint(-3, scale + 1)
        held = min(max(n, 0), 38 - whole) if n >= scale else max(n, 0)
        precision = whole + held if n >= scale else min(38, whole + 1 + held)
        v = rounded(d, n, mode)
        fits = abs(v) < D(10) ** (precision - held)
        yield ("ROUND", [f"d({p},{scale}):{plain(d, scale)}", f"=i:{n}", "s:" + mode],
               plain(v, held) if fits else "row:OUT_OF_RANGE", f"DECIMAL({max(precision, 1)},{held})")
        t = rounded(d, n, "DOWN")
        yield ("TRUNC", [f"d({p},{scale}):{plain(d, scale)}", f"=i:{n}"], plain(t, held),
               f"DECIMAL({max(precision, 1)},{held})")
        wide = f"DECIMAL({min(38, whole + 1 if scale else p)},0)"
        yield ("CEIL", [f"d({p},{scale}):{plain(d, scale)}"], plain(rounded(d, 0, "CEILING"), 0), wide)
        yield ("FLOOR", [f"d({p},{scale}):{plain(d, scale)}"], plain(rounded(d, 0, "FLOOR"), 0), wide)
        yield "ABS", [f"d({p},{scale}):{plain(d, scale)}"], plain(abs(d), scale), f"DECIMAL({p},{scale})"
        yield "SIGN", [f"d({p},{scale}):{plain(d, scale)}"], str((d > 0) - (d < 0)), "INTEGER"


def shown(x):
    """As double_print: the shortest digits, plain from 0.0001 up to 1e16."""
    if x != x:
        return "NaN"
    s = repr(x)
    if "e" in s:
        mantissa, exponent = s.split("e")
        if 1e-4 <= abs(x) < 1e16:
            return f"{D(s):f}"
        return f"{mantissa}e{int(exponent)}"
    return s


def doubles():
    for _ in range(160):
        x = random.choice([1, -1]) * round(random.uniform(0, 10 ** random.randint(0, 6)),
                                           random.randint(0, 6))
        if random.random() < 0.3:
            x = random.choice([-1, 1]) * (random.randint(0, 2000) + 0.5) / 10 ** random.randint(0, 3)
        n, mode = random.randint(-3, 5), random.choice(list(MODES))
        v = float(rounded(D(repr(x)), n, mode))
        if v == 0:
            continue  # the sign of zero is another matter
        yield "ROUND", [f"f:{x!r}", f"i:{n}", "s:" + mode], shown(v), "DOUBLE"
        n = random.randint(-2, 0)
        big = random.randint(-10 ** 15, 10 ** 15)
        yield ("ROUND", [f"l:{big}", f"i:{n}", "s:" + mode],
               str(int(rounded(D(big), n, mode))), "BIGINT")


def dates():
    names = {"YEAR": lambda t: t.year, "MONTH": lambda t: t.month, "DAY": lambda t: t.day,
             "HOUR": lambda t: t.hour, "MINUTE": lambda t: t.minute, "SECOND": lambda t: t.second,
             "QUARTER": lambda t: (t.month + 2) // 3, "WEEK": lambda t: t.isocalendar()[1],
             "DOY": lambda t: t.timetuple().tm_yday, "DOW": lambda t: (t.weekday() + 1) % 7,
             "ISODOW": lambda t: t.isoweekday(), "ISOYEAR": lambda t: t.isocalendar()[0],
             "EPOCH": lambda t: math.floor(t.timestamp()), "MICROSECOND": lambda t: t.microsecond,
             "MILLISECOND": lambda t: t.microsecond // 1000}
    utc = datetime.timezone.utc
    patterns = ["%Y-%m-%d", "%H:%M:%S", "%d.%m.%y %I:%M %p", "%j %A %b", "%Y%m%dT%H%M%S.%f", "%%%G-W%V-%u"]

    def iso(t):
        s = t.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
        fraction = f"{t.microsecond:06d}"
        return s + "." + (fraction if fraction[3:] != "000" else fraction[:3]) + "Z"

    for _ in range(90):
        seconds = random.randint(-10 ** 9, 4 * 10 ** 9)
        t = datetime.datetime.fromtimestamp(0, utc) + datetime.timedelta(
            seconds=seconds, microseconds=random.choice([0, 1, 999999, 500000, 123000]))
        arg = "t:" + iso(t)
        unit = random.choice(list(names))
        yield "EXTRACT", ["s:" + unit, arg], str(names[unit](t)), "BIGINT"
        if unit in ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "QUARTER", "WEEK", "DOY", "DOW"):
            yield unit, [arg], str(names[unit](t)), "BIGINT"
        pattern = random.choice(patterns)
        yield "DATE_FORMAT", [arg, "s:" + pattern], t.strftime(pattern), "STRING"
        yield "EPOCH_MS", [arg], str((t - datetime.datetime.fromtimestamp(0, utc)) // datetime.timedelta(milliseconds=1)), "BIGINT"
        yield "UNIX_TIMESTAMP", [arg], str(math.floor((t - datetime.datetime.fromtimestamp(0, utc)) / datetime.timedelta(seconds=1))), "BIGINT"
        yield "FROM_UNIXTIME", [f"l:{seconds}"], iso(datetime.datetime.fromtimestamp(0, utc) + datetime.timedelta(seconds=seconds)), "TIMESTAMP"
        cut = {"DAY": t.replace(hour=0, minute=0, second=0, microsecond=0),
               "HOUR": t.replace(minute=0, second=0, microsecond=0),
               "MINUTE": t.replace(second=0, microsecond=0),
               "SECOND": t.replace(microsecond=0)}
        cut["WEEK"] = cut["DAY"] - datetime.timedelta(days=t.weekday())
        cut["MONTH"] = cut["DAY"].replace(day=1)
        cut["YEAR"] = cut["MONTH"].replace(month=1)
        unit = random.choice(list(cut))
        yield "DATE_TRUNC", ["s:" + unit, arg], iso(cut[unit]), "TIMESTAMP"
        other = t + datetime.timedelta(seconds=random.randint(-10 ** 7, 10 ** 7))
        unit, size = random.choice([("SECOND", 1), ("MINUTE", 60), ("HOUR", 3600), ("DAY", 86400)])
        micros = (other - t) // datetime.timedelta(microseconds=1)
        yield "DATEDIFF", ["s:" + unit, arg, "t:" + iso(other)], str(int(D(micros) / (size * 10 ** 6))), "BIGINT"
        last = (t.replace(day=28) + datetime.timedelta(days=4)).replace(day=1) - datetime.timedelta(days=1)
        yield "LAST_DAY", [f"D:{t:%Y-%m-%d}"], f"{last:%Y-%m-%d}", "DATE"


write("string_vectors.txt", strings())
write("math_vectors.txt", [*decimals(), *doubles()])
write("time_vectors.txt", dates())
