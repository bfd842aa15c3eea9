#!/usr/bin/env python3
"""Writes aggregate_vectors.txt: what the aggregates must give, computed by Python's exact numbers.

    python3 tests/unit/data/make_aggregate_vectors.py > tests/unit/data/aggregate_vectors.txt

A line is: agg, name, modifiers (distinct, order, desc, or -), types of the arguments (and of the
ORDER BY expression) as in tests/unit/function_test.h, rows, result, result type.
"""
import math
import random
import re
import statistics
from decimal import Decimal, ROUND_HALF_UP, getcontext
from fractions import Fraction

getcontext().prec = 200
random.seed(20)
NULL = r"\N"


def text(v):
    if v is None:
        return NULL
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        if math.isnan(v):
            return "NaN"
        if math.isinf(v):
            return "Infinity" if v > 0 else "-Infinity"
        if v == 0:
            v = abs(v)
        r = repr(v)
        if "e" not in r and "." not in r:
            r += ".0"
        return re.sub(r"e\+?(-?)0*(\d)", r"e\1\2", r)
    if isinstance(v, Decimal):
        return format(v, "f")
    return str(v)


def emit(name, mods, types, rows, want, type_="~"):
    # What no type can hold is an error of the row.
    if isinstance(want, Decimal) and len(want.as_tuple().digits) > 38:
        want = "row:OUT_OF_RANGE"
    if isinstance(want, int) and want >= 2 ** 63:
        want = "row:OUT_OF_RANGE"
    body = ";".join("|".join(text(c) for c in (r if isinstance(r, tuple) else (r,))) for r in rows)
    want = "NULL" if want is None else text(want)
    print("\t".join(["agg", name, mods, types, body or "~", want or "~", type_]))


def rounded(frac, scale):
    """A Fraction to `scale` digits, half away from zero."""
    scaled = abs(frac) * 10 ** scale
    n = scaled.numerator * 2 // scaled.denominator
    n = (n + 1) // 2
    d = Decimal(n).scaleb(-scale)
    return (-d if frac < 0 else d).quantize(Decimal(1).scaleb(-scale))


def root(frac, scale):
    scaled = frac * 10 ** (2 * scale) * 4
    r = math.isqrt(scaled.numerator // scaled.denominator)
    return Decimal((r + 1) // 2).scaleb(-scale).quantize(Decimal(1).scaleb(-scale))


def decimals(count, digits, scale, nulls=0.1, lo=None):
    out = []
    for _ in range(count):
        if random.random() < nulls:
            out.append(None)
        else:
            limit = 10 ** random.randint(1, digits) - 1
            out.append(Decimal(random.randint(-limit if lo is None else lo, limit)).scaleb(-scale)
                       .quantize(Decimal(1).scaleb(-scale)))
    return out


def exact_case(tag, values, scale):
    live = [Fraction(v) for v in values if v is not None]
    n = len(live)
    out = max(scale, 6)
    emit("COUNT", "-", tag, values, n, "BIGINT")
    total = sum(live, Fraction(0))
    emit("SUM", "-", tag, values, rounded(total, scale) if n else None, f"DECIMAL(38,{scale})")
    emit("AVG", "-", tag, values, rounded(total / n, out) if n else None, f"DECIMAL(38,{out})")
    dec = [v for v in values if v is not None]
    emit("MIN", "-", tag, values, min(dec) if n else None)
    emit("MAX", "-", tag, values, max(dec) if n else None)
    emit("DELTA", "-", tag, values, max(dec) - min(dec) if n else None)
    for name, d in (("VAR_POP", 0), ("VARIANCE", 1), ("VAR_SAMP", 1), ("STDDEV_POP", 0),
                    ("STDDEV", 1), ("STDDEV_SAMP", 1)):
        if n <= d:
            emit(name, "-", tag, values, None)
            continue
        mean = total / n
        var = sum((x - mean) ** 2 for x in live) / (n - d)
        emit(name, "-", tag, values, rounded(var, out) if name.startswith("V") else root(var, out),
             f"DECIMAL(38,{out})")
    emit("COUNT", "distinct", tag, values, len(set(dec)), "BIGINT")
    emit("COUNT_DISTINCT", "-", tag, values, len(set(dec)), "BIGINT")
    emit("APPROX_COUNT_DISTINCT", "-", tag, values, len(set(dec)), "BIGINT")
    emit("SUM", "distinct", tag, values, rounded(sum(set(live)), scale) if n else None)
    emit("AVG", "distinct", tag, values, rounded(sum(set(live)) / len(set(live)), out) if n else None)
    emit("MAX", "distinct", tag, values, max(dec) if n else None)
    for f in ("0", "0.25", "0.5", "0.95", "0.999", "1"):
        ftag = f"={'d' if '.' in f else 'i'}:{f}"
        s = sorted(dec)
        if n:
            r = Fraction(f) * (n - 1)
            k = int(r)
            a, b = Fraction(s[k]), Fraction(s[min(k + 1, n - 1)])
            cont = rounded(a + (b - a) * (r - k), out)
            disc = s[max(math.ceil(Fraction(f) * n) - 1, 0)]
        else:
            cont = disc = None
        emit("PERCENTILE_CONT", "-", f"{tag}|{ftag}", values, cont, f"DECIMAL(38,{out})")
        emit("PERCENTILE_DISC", "-", f"{tag}|{ftag}", values, disc)
        if n:
            emit("PERCENTILE_DISC", "desc", f"{tag}|{ftag}", values,
                 sorted(s, reverse=True)[max(math.ceil(Fraction(f) * n) - 1, 0)])
    emit("MEDIAN", "-", tag, values, rounded(Fraction(statistics.median(live)), out) if n else None)
    emit("FIRST", "-", tag, values, dec[0] if n else None)
    emit("LAST", "-", tag, values, dec[-1] if n else None)
    emit("ARRAY_AGG", "-", tag, values, "[" + ",".join(map(text, dec)) + "]" if n else None)
    emit("STRING_AGG", "-", f"{tag}|=s:, ", values, ", ".join(map(text, dec)) if n else None,
         "STRING")


def vwap_case(ptag, qtag, ps, qs, scale):
    pairs = [(Fraction(p), Fraction(q)) for p, q in zip(ps, qs) if p is not None and q is not None]
    weight = sum(q for _, q in pairs)
    out = max(scale, 6)
    want = None if not pairs else "row:DIVISION_BY_ZERO" if weight == 0 else \
        rounded(sum(p * q for p, q in pairs) / weight, out)
    emit("VWAP", "-", f"{ptag}|{qtag}", list(zip(ps, qs)), want, f"DECIMAL(38,{out})")


def real_case(values):
    live = [v for v in values if v is not None]
    n = len(live)
    tag = "f"
    fr = [Fraction(v) for v in live]
    total = sum(fr, Fraction(0))
    emit("SUM", "-", tag, values, float(total) if n else None, "DOUBLE")
    emit("AVG", "-", tag, values, float(total) / n if n else None, "DOUBLE")
    emit("MIN", "-", tag, values, min(live) if n else None)
    emit("MAX", "-", tag, values, max(live) if n else None)
    emit("DELTA", "-", tag, values, max(live) - min(live) if n else None)
    emit("COUNT", "distinct", tag, values, len(set(live)))
    emit("SUM", "distinct", tag, values, float(sum(set(fr))) if n else None)
    for name, d in (("VAR_POP", 0), ("VARIANCE", 1), ("STDDEV_POP", 0), ("STDDEV", 1)):
        if n <= d:
            emit(name, "-", tag, values, None)
            continue
        numerator = n * sum(x * x for x in fr) - total * total
        var = float(numerator) / n / (n - d)
        exact = float(numerator / n / (n - d))
        assert math.isclose(var, exact, rel_tol=1e-15), (var, exact)
        emit(name, "-", tag, values, var if name.startswith("V") else math.sqrt(var), "DOUBLE")
    if n:
        s = sorted(live)
        emit("MEDIAN", "-", tag, values, s[n // 2] if n % 2 else
             (s[n // 2 - 1] + 0.0 if s[n // 2 - 1] == s[n // 2] else
              s[n // 2 - 1] * 0.5 + s[n // 2] * 0.5))


def pair_case(ys, xs):
    rows = list(zip(ys, xs))
    live = [(Fraction(y), Fraction(x)) for y, x in rows if y is not None and x is not None]
    n = len(live)
    tag = "f|f"
    emit("REGR_COUNT", "-", tag, rows, n)
    sy, sx = sum(y for y, _ in live), sum(x for _, x in live)
    dyy = n * sum(y * y for y, _ in live) - sy * sy
    dxx = n * sum(x * x for _, x in live) - sx * sx
    dxy = n * sum(x * y for y, x in live) - sx * sy
    c = float(dxy)
    emit("COVAR_POP", "-", tag, rows, c / n / n if n else None)
    emit("COVAR_SAMP", "-", tag, rows, c / n / (n - 1) if n > 1 else None)
    emit("REGR_SLOPE", "-", tag, rows, c / float(dxx) if dxx else None)
    top = sy * sum(x * x for _, x in live) - sx * sum(x * y for y, x in live)
    emit("REGR_INTERCEPT", "-", tag, rows, float(top) / float(dxx) if dxx else None)
    corr = c / math.sqrt(float(dxx) * float(dyy)) if dxx and dyy else None
    emit("CORR", "-", tag, rows, None if corr is None else max(-1.0, min(1.0, corr)))
    r2 = None if not dxx else 1.0 if not dyy else c * c / (float(dxx) * float(dyy))
    emit("REGR_R2", "-", tag, rows, r2 if r2 is None else min(1.0, r2))
    if corr is not None:
        fl = [(float(y), float(x)) for y, x in live]
        assert math.isclose(corr, statistics.correlation([y for y, _ in fl], [x for _, x in fl]),
                            rel_tol=1e-6, abs_tol=1e-9)
        line = statistics.linear_regression([x for _, x in fl], [y for y, _ in fl])
        assert math.isclose(line.slope, c / float(dxx), rel_tol=1e-6, abs_tol=1e-9)


def text_case(values, keys):
    live = [v for v in values if v is not None]
    n = len(live)
    emit("MIN", "-", "s", values, min(live) if n else None, "STRING")
    emit("MAX", "-", "s", values, max(live) if n else None, "STRING")
    emit("COUNT", "distinct", "s", values, len(set(live)))
    emit("APPROX_COUNT_DISTINCT", "-", "s", values, len(set(live)))
    emit("FIRST_VALUE", "-", "s", values, live[0] if n else None)
    emit("LAST_VALUE", "-", "s", values, live[-1] if n else None)
    emit("LISTAGG", "-", "s", values, ",".join(live) if n else None)
    emit("GROUP_CONCAT", "-", "s|=s:/", values, "/".join(live) if n else None)
    emit("STRING_AGG", "distinct", "s", values, ",".join(dict.fromkeys(live)) if n else None)
    emit("ARRAY_AGG", "-", "s", values, "[" + ",".join(live) + "]" if n else None)
    emit("PERCENTILE_DISC", "-", "s|=d:0.5", values,
         sorted(live)[max(math.ceil(n / 2) - 1, 0)] if n else None)
    rows = [r for r in zip(values, keys)]
    for mods, flip in (("order", 1), ("order,desc", -1)):
        # NULLs are the largest; equal keys stay in the order of the rows.
        key = [(flip * (k is None), flip * (k or 0)) for _, k in rows]
        by = [rows[i][0] for i in sorted(range(len(rows)), key=lambda i: key[i])
              if rows[i][0] is not None]
        emit("FIRST", mods, "s|i", rows, by[0] if n else None)
        emit("LAST", mods, "s|i", rows, by[-1] if n else None)
        emit("STRING_AGG", mods, "s|=s:-|i", rows, "-".join(by) if n else None)
        emit("COLLECT", mods, "s|i", rows, "[" + ",".join(by) + "]" if n else None,
             "ARRAY<STRING>")


print("# Made by make_aggregate_vectors.py.")
for size in (0, 1, 2, 3, 10, 41):
    exact_case("i", [None if random.random() < 0.1 else random.randint(-2**31, 2**31 - 1)
                     for _ in range(size)], 0)
    exact_case("l", [None if random.random() < 0.1 else random.choice(
        [2**63 - 1, -2**63, 0, random.randint(-2**63, 2**63 - 1)]) for _ in range(size)], 0)
    exact_case("d(18,4)", decimals(size, 18, 4), 4)
    exact_case("d(9,2)", decimals(size, 3, 2), 2)
    exact_case("d(12,8)", decimals(size, 12, 8), 8)
    exact_case("d(30,4)", decimals(size, 30, 4), 4)
    vwap_case("d(18,4)", "i", decimals(size, 9, 4), [random.randint(0, 1000) for _ in range(size)], 4)
    vwap_case("d(18,4)", "d(18,8)", decimals(size, 18, 4), decimals(size, 18, 8, lo=1), 4)
    vwap_case("d(28,9)", "l", decimals(size, 20, 9), [random.randint(0, 10**6) for _ in range(size)], 9)
    real_case([None if random.random() < 0.1 else random.uniform(-1000, 1000) for _ in range(size)])
    real_case([random.choice([1e16, 1.0, -1e16, 0.1, 1e-30, 3e22, -3e22]) for _ in range(size)])
    real_case([1e9 + random.uniform(0, 1e-3) for _ in range(size)])
    real_case([random.uniform(-1, 1) * 2.0 ** random.randint(-200, 200) for _ in range(size)])
    xs = [None if random.random() < 0.1 else random.uniform(0, 100) for _ in range(size)]
    pair_case([None if x is None else 3 * x + random.uniform(-5, 5) for x in xs], xs)
    pair_case([random.uniform(-1, 1) for _ in range(size)], xs)
    pair_case([7.25] * size, xs)
    pair_case(xs, [1e8 + random.uniform(0, 1) for _ in range(size)])
    words = ["ada", "bo", "c", "", "delta", "a longer text that needs room of its own", "zz", "ß"]
    text_case([None if random.random() < 0.1 else random.choice(words[:3] + words[4:])
               for _ in range(size)],
              [None if random.random() < 0.1 else random.randint(0, 5) for _ in range(size)])
    truths = [random.choice([True, False, None, True]) for _ in range(size)]
    live = [t for t in truths if t is not None]
    emit("BOOL_AND", "-", "b", truths, all(live) if live else None, "BOOLEAN")
    emit("EVERY", "-", "b", truths, all(live) if live else None)
    emit("BOOL_OR", "-", "b", truths, any(live) if live else None)
    emit("MAX", "-", "b", truths, max(live) if live else None)
    emit("COUNT", "distinct", "b", truths, len(set(live)))

# Money as it is: exact where doubles are not.
emit("SUM", "-", "d(18,4)", [Decimal("0.1000")] * 10, "1.0000")
emit("VWAP", "-", "f|f", [(10.0, 1.0), (20.0, 3.0)], 17.5, "DOUBLE")
emit("VWAP", "-", "f|f", [(10.0, 0.0)], "row:DIVISION_BY_ZERO")
emit("VWAP", "-", "d(18,4)|i", [(Decimal("1.0000"), 0)], "row:DIVISION_BY_ZERO")
# Special doubles.
nan, inf = float("nan"), float("inf")
emit("SUM", "-", "f", [1.0, inf], inf)
emit("SUM", "-", "f", [1.0, -inf], -inf)
emit("SUM", "-", "f", [inf, -inf], nan)
emit("SUM", "-", "f", [1.0, nan], nan)
emit("SUM", "-", "f", [1.7e308, 1.7e308], "row:OUT_OF_RANGE")
emit("SUM", "-", "f", [1.7e308, 1.7e308, -1.7e308], 1.7e308)
emit("SUM", "-", "f", [5e-324, 5e-324], 1e-323)
emit("AVG", "-", "f", [1.7e308, 1.7e308], 1.7e308)
emit("AVG", "-", "f", [inf], inf)
emit("MIN", "-", "f", [nan, 2.0, 1.0, -inf], -inf)
emit("MAX", "-", "f", [1.0, nan, inf], nan)
emit("MIN", "-", "f", [nan], nan)
emit("MIN", "-", "f", [0.0, -0.0], "0.0")
emit("COUNT", "distinct", "f", [0.0, -0.0, nan, nan], 2)
emit("APPROX_COUNT_DISTINCT", "-", "f", [0.0, -0.0, nan, nan], 2)
emit("STDDEV", "-", "f", [1.0, inf], nan)
emit("CORR", "-", "f|f", [(1.0, 2.0), (nan, 3.0)], nan)
emit("VAR_POP", "-", "f", [1e200, 1e200], 0.0)
emit("DELTA", "-", "f", [-1.7e308, 1.7e308], "row:OUT_OF_RANGE")
# What does not fit 38 digits.
top = Decimal(10 ** 38 - 1)
emit("SUM", "-", "d(38,0)", [top, Decimal(1)], "row:OUT_OF_RANGE")
emit("SUM", "-", "d(38,0)", [top, Decimal(1), Decimal(-1)], top)
emit("SUM", "-", "d(38,0)", [top] * 5 + [-top] * 5, "0")
emit("AVG", "-", "d(32,0)", [Decimal(10 ** 32 - 1)] * 5, Decimal(10 ** 32 - 1).quantize(Decimal("1.000000")))
emit("AVG", "-", "d(38,0)", [top], "row:OUT_OF_RANGE")
emit("VAR_POP", "-", "d(38,0)", [top] * 9, "row:OUT_OF_RANGE")
emit("STDDEV_POP", "-", "d(38,2)", [Decimal("1.00"), Decimal("3.00")], "1.000000")
emit("DELTA", "-", "d(38,0)", [top, -top], "row:OUT_OF_RANGE")
emit("DELTA", "-", "l", [2**63 - 1, -1], "row:OUT_OF_RANGE")
emit("MEDIAN", "-", "d(38,0)", [top, -top], "0.000000")
# Dates and times.
emit("MIN", "-", "D", ["2024-02-29", "2023-12-31"], "2023-12-31", "DATE")
emit("MAX", "-", "t", ["2024-02-29T00:00:00Z", "2023-12-31T00:00:00Z"], "2024-02-29T00:00:00.000Z", "TIMESTAMP")
emit("MAX", "-", "T", ["12:00:00", "13:30:00"], "13:30:00", "TIME")
emit("MAX", "-", "v", ["P1D", "PT25H", "PT1H"], "PT25H", "INTERVAL")
emit("MIN", "-", "v", ["P30D", "P1M"], "P30D")
emit("MIN", "-", "x", ["00FF", "0100", "00"], "00", "BYTES")
emit("ARRAY_AGG", "-", "D", ["2024-02-29", "2023-12-31"], "[2024-02-29,2023-12-31]", "ARRAY<DATE>")
emit("COUNT", "-", "i|i", [(1, 2), (None, 3), (4, None), (5, 6)], 2)
