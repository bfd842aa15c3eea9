#!/usr/bin/env python3
"""Write decimal_vectors.txt: what Python's integers, fractions and decimal module say.

One case a line, fields separated by tabs, the expected result last.  Run without arguments in
this folder; the seed is fixed, so the file is always the same."""
import decimal, math, random
from decimal import Decimal
from fractions import Fraction

random.seed(20240229)
decimal.getcontext().prec = 400
decimal.getcontext().Emax = 999999
decimal.getcontext().Emin = -999999
MODES = ["EXACT", "UP", "DOWN", "CEILING", "FLOOR", "HALF_UP", "HALF_DOWN", "HALF_EVEN"]
lines = []


def emit(*fields):
    lines.append("\t".join(str(f) if f != "" else "~" for f in fields))


def rounded(x, mode):
    """An integer, or None if that loses digits and mode is EXACT."""
    if x.denominator == 1:
        return x.numerator
    if mode == "EXACT":
        return None
    low = math.floor(x)
    rest = x - low
    negative = x < 0
    half = Fraction(1, 2)
    if mode == "FLOOR":
        return low
    if mode == "CEILING":
        return low + 1
    if mode == "DOWN":
        return low + 1 if negative else low
    if mode == "UP":
        return low if negative else low + 1
    if rest != half:
        return low + (rest > half)
    if mode == "HALF_UP":
        return low if negative else low + 1
    if mode == "HALF_DOWN":
        return low + 1 if negative else low
    return low + low % 2


def result(x, p, mode):
    """x is an exact Fraction at the result's scale."""
    if abs(x) >= 10 ** p:
        return "OVERFLOW"
    v = rounded(x, mode)
    if v is None:
        return "LOST_DIGITS"
    return "OVERFLOW" if abs(v) >= 10 ** p else v


def digits(n):
    return "".join(random.choice("0123456789") for _ in range(n))


def number(p):
    """A value of at most p digits, often short, often at an edge."""
    kind = random.randrange(10)
    if kind == 0:
        v = 10 ** random.randint(0, p) - 1
    elif kind == 1:
        v = 10 ** random.randint(0, p - 1)
    elif kind == 2:
        v = random.randint(0, 20)
    elif kind == 3:
        v = 5 * 10 ** random.randint(0, p - 1)
    else:
        v = random.randrange(10 ** random.randint(1, p))
    return -v if random.random() < 0.5 else v


def type_():
    p = random.choice([random.randint(1, 18), random.randint(19, 38), 18, 38])
    return p, random.randint(0, p)


def parse_cases():
    texts = ["", "-", "+", ".", "-.", "1.", ".5", "+.5", "1..2", "1.2.3", "1e", "1e+", "e5", "1e5", "1E5",
             "1e-5", "1 ", " 1", "0x10", "1_0", "١", "NaN", "inf", "--1", "+-1", "-0", "-0.000", "0e999999999",
             "1e999999999", "1e-999999999", "1e99999999999999999999", "1e-99999999999999999999",
             "00000000000000000000000000000000000000000000001.5", "0." + "0" * 50 + "1", "9" * 38, "9" * 39,
             "9" * 18, "1" + "0" * 18, "-" + "9" * 18 + ".4", "9" * 17 + ".95", "0.5", "1.5", "2.5", "-0.5", "-1.5",
             "0.49999999999999999999999999999999", "0.50000000000000000000000000000001", "0.05", "-12.5",
             "12345678.12345678", "123456789.1", "1.123456789", "12345678", "1234567", "1234567.", ".12345678",
             "/1", "1/", "1:", "1.:", "12:4567", "1234567/", "1e5e5", "1.5e3", "150000e-5", "-99.995", "99.995"]
    for text in texts:
        for p, s in [(18, 0), (18, 4), (18, 18), (4, 2), (38, 10)]:
            for mode in MODES:
                yield text, p, s, mode
    for _ in range(1500):
        p, s = type_()
        text = random.choice(["", "", "-", "+"]) + digits(random.randint(0, max(p - s + 1, 1)))
        if random.random() < 0.8:
            text += "." + digits(random.randint(0, s + 3))
            if random.random() < 0.2:
                text += "0" * random.randint(0, 9)
            if random.random() < 0.2:
                text += "5"
        if random.random() < 0.15:
            text += random.choice("eE") + random.choice(["", "+", "-"]) + str(random.randint(0, 40))
        if random.random() < 0.05:
            at = random.randint(0, len(text))
            text = text[:at] + random.choice("/:.-+eEx ") + text[at:]
        yield text, p, s, random.choice(MODES)


def parse_text(text, p, s, mode):
    body = text.lstrip("+-") if text[:1] in "+-" and text[1:2] not in ("+", "-") else text
    ok = body != "" and all(c in "0123456789.eE+-" for c in body) and body[0] not in "+-"
    try:
        value = Decimal(text) if ok else None
    except decimal.InvalidOperation:
        # a valid text beyond the exponents of the decimal module
        mantissa, _, exponent = text.lower().partition("e")
        try:
            value = Decimal(mantissa)
            int(exponent)
        except (decimal.InvalidOperation, ValueError):
            return "SYNTAX"
        if value == 0:
            return 0
        if int(exponent) > 0:
            return "OVERFLOW"
        return result(Fraction(1, 10 ** 60) * (-1 if value < 0 else 1), p, mode)
    if value is None or not value.is_finite():
        return "SYNTAX"
    if value == 0:
        return 0
    if value.adjusted() > 1000:
        return "OVERFLOW"
    if value.adjusted() < -1000:
        return result(Fraction(1, 10 ** 60) * (-1 if value < 0 else 1), p, mode)
    x = Fraction(value) * 10 ** s
    expected = result(x, p, mode)
    if mode != "EXACT" and isinstance(expected, int):
        other = value.scaleb(s).to_integral_value(rounding="ROUND_" + mode)
        assert int(other) == expected, (text, s, mode, other, expected)
    return expected


for text, p, s, mode in parse_cases():
    emit("parse", text, p, s, mode, parse_text(text, p, s, mode))

for _ in range(600):
    v, s = number(random.choice([18, 38])), random.randint(0, 38)
    with decimal.localcontext() as c:
        sign = "-" if v < 0 else ""
        body = str(abs(v)).rjust(s + 1, "0")
        emit("print", v, s, sign + (body[:-s] + "." + body[-s:] if s else body))
for v, s in [(2 ** 127 - 1, 0), (-2 ** 127, 0), (-2 ** 127, 38), (2 ** 63 - 1, 18), (-2 ** 63, 0), (-2 ** 63, 18), (0, 38), (0, 0), (-5, 2)]:
    sign = "-" if v < 0 else ""
    body = str(abs(v)).rjust(s + 1, "0")
    emit("print", v, s, sign + (body[:-s] + "." + body[-s:] if s else body))

for _ in range(1000):
    (p1, s1), (p2, s2) = type_(), type_()
    if random.random() < 0.5:
        s = max(6, s1, s2)
        p = min(p1 - s1 + s2 + s, 38)
    else:
        p, s = type_()
    a, b, mode = number(p1), number(p2), random.choice(MODES)
    if random.random() < 0.2 and b:
        a = b * random.randint(-9, 9) // 2
    expected = "DIVISION_BY_ZERO" if b == 0 else result(Fraction(a * 10 ** (s + s2), b * 10 ** s1), p, mode)
    emit("div", a, s1, b, s2, p, s, mode, expected)

for _ in range(800):
    (p1, s1), (p2, s2) = type_(), type_()
    a, b = number(p1), number(p2)
    s = max(s1, s2)
    x, y = a * 10 ** (s - s1), b * 10 ** (s - s2)
    if b == 0:
        emit("mod", a, s1, b, s2, "DIVISION_BY_ZERO")
    else:
        r = abs(x) % abs(y)
        emit("mod", a, s1, b, s2, -r if x < 0 else r)

for _ in range(500):
    a, b = number(random.randint(1, 38)), number(random.randint(1, 38))
    emit("mul", a, b, result(Fraction(a * b), 38, "EXACT"))
    emit("add", a, b, result(Fraction(a + b), 38, "EXACT"))
    emit("sub", a, b, result(Fraction(a - b), 38, "EXACT"))

for _ in range(1000):
    (p1, s1), (p, s), mode = type_(), type_(), random.choice(MODES)
    v = number(p1)
    emit("rescale", v, s1, p, s, mode, result(Fraction(v * 10 ** s, 10 ** s1), p, mode))

for _ in range(600):
    (p1, s1), (p2, s2) = type_(), type_()
    a, b = number(p1), number(p2)
    if random.random() < 0.3:
        b = a * 10 ** (s2 - s1) if s2 >= s1 and abs(a) * 10 ** (s2 - s1) < 10 ** 38 else b
        b += random.choice([0, 0, 1, -1])
    x, y = a * 10 ** s2, b * 10 ** s1
    emit("compare", a, s1, b, s2, (x > y) - (x < y))

for _ in range(400):
    v, s = number(38), random.randint(0, 38)
    emit("to_double", v, s, (v / 10 ** s).hex())
for _ in range(400):
    p, s = type_()
    x = random.choice([random.uniform(-1e6, 1e6), round(random.uniform(-1e4, 1e4), 2), random.uniform(-1, 1) * 10.0 ** random.randint(-30, 40)])
    mode = random.choice(MODES)
    emit("from_double", x.hex(), p, s, mode, result(Fraction(Decimal(repr(x))) * 10 ** s, p, mode))

for _ in range(100):
    p1 = random.choice([5, 18, 38])
    s1, n = random.randint(0, p1), random.randint(1, 12)
    near = random.random() < 0.3
    base = number(p1)
    values = [max(min(base + random.randint(-9, 9), 10 ** p1 - 1), 1 - 10 ** p1) if near else number(p1) for _ in range(n)]
    (p, s), mode = type_(), random.choice(MODES)
    joined, total = ",".join(map(str, values)), sum(values)
    emit("sum", joined, p, result(Fraction(total), p, "EXACT"))
    emit("average", joined, s1, p, s, mode, result(Fraction(total * 10 ** s, n * 10 ** s1), p, mode))
    weights = [number(p1) for _ in range(n)]
    products, weight = sum(a * b for a, b in zip(values, weights)), sum(weights)
    if abs(products) < 2 ** 255:
        emit("ratio", joined, ",".join(map(str, weights)), s1, p, s, mode, "DIVISION_BY_ZERO" if weight == 0 else
             result(Fraction(products * 10 ** s, weight * 10 ** s1), p, mode))
    if sum(v * v for v in values) < 2 ** 255 and n > 1:
        for divisor in (n, n - 1):
            variance = Fraction(n * sum(v * v for v in values) - total ** 2, n * divisor * 10 ** (2 * s1))
            emit("variance", joined, s1, divisor, p, s, result(variance * 10 ** s, p, "HALF_UP"))
            scaled = 4 * variance * 10 ** (2 * s)
            root = (math.isqrt(math.floor(scaled)) + 1) // 2
            emit("deviation", joined, s1, divisor, p, s, "OVERFLOW" if root >= 10 ** p else root)

with open("decimal_vectors.txt", "w", encoding="utf-8") as out:
    out.write("# written by make_decimal_vectors.py\n")
    out.write("\n".join(lines) + "\n")
