#!/usr/bin/env python3
"""Write temporal_vectors.txt: what Python's datetime says.

One case a line, fields separated by tabs, the expected result last.  Run without arguments in
this folder; the seed is fixed, so the file is always the same."""
import calendar, random
from datetime import date, datetime, timedelta

random.seed(20240229)
EPOCH = datetime(1970, 1, 1)
MICRO = timedelta(microseconds=1)
lines = []


def emit(*fields):
    lines.append("\t".join(str(f) if f != "" else "~" for f in fields))


def micros(t):
    return (t - EPOCH) // MICRO


LOW, HIGH = micros(datetime.min), micros(datetime.max)


def instant():
    kind = random.randrange(12)
    if kind == 0:
        return random.choice([datetime.min, datetime.max, EPOCH, EPOCH - MICRO, datetime(1900, 2, 28), datetime(2000, 2, 29),
                              datetime(2024, 12, 30), datetime(2021, 1, 3, 23, 59, 59, 999999), datetime(9999, 12, 31)])
    if kind <= 3:  # around the ends of months and years
        year = random.randint(2, 9998)
        month = random.randint(1, 12)
        day = calendar.monthrange(year, month)[1]
        t = datetime(year, month, day) + timedelta(days=random.randint(-3, 3), seconds=random.choice([0, 0, 1, 86399]))
    elif kind <= 7:
        t = datetime(1970, 1, 1) + timedelta(seconds=random.randint(0, 2**31), microseconds=random.choice([0, 0, 49000, 999999, 1, random.randrange(10**6)]))
    else:
        t = EPOCH + timedelta(microseconds=random.randint(LOW, HIGH))
    return t


def iso(t):
    text = t.strftime("%m-%dT%H:%M:%S")
    text = f"{t.year:04d}-{text}."
    return text + (f"{t.microsecond // 1000:03d}Z" if t.microsecond % 1000 == 0 else f"{t.microsecond:06d}Z")


for _ in range(1200):
    t = instant()
    year, week, weekday = t.isocalendar()
    emit("print", micros(t), iso(t))
    fields = [t.year, t.month, t.day, t.hour, t.minute, t.second, t.microsecond, weekday, t.timetuple().tm_yday, week, year,
              (t.month + 2) // 3, -(-t.year // 100), t.year // 10, (t - EPOCH) // timedelta(seconds=1)]
    emit("extract", micros(t), ",".join(map(str, fields)))

UNITS = {"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": 10**6, "MINUTE": 60 * 10**6, "HOUR": 3600 * 10**6, "DAY": 86400 * 10**6, "WEEK": 7 * 86400 * 10**6}
MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12, "DECADE": 120, "CENTURY": 1200}


def truncate(t, unit):
    if unit == "WEEK":
        return datetime(t.year, t.month, t.day) - timedelta(days=t.weekday())
    if unit in UNITS:
        m = micros(t)
        return EPOCH + timedelta(microseconds=m - m % UNITS[unit])
    if unit == "MONTH":
        return datetime(t.year, t.month, 1)
    if unit == "QUARTER":
        return datetime(t.year, (t.month - 1) // 3 * 3 + 1, 1)
    if unit == "YEAR":
        return datetime(t.year, 1, 1)
    if unit == "DECADE":
        return datetime(t.year // 10 * 10, 1, 1)
    return datetime((t.year - 1) // 100 * 100 + 1, 1, 1)


def index(t, unit):
    if unit == "WEEK":
        return (t.toordinal() - 1) // 7
    if unit in UNITS:
        return micros(t) // UNITS[unit]
    if unit == "CENTURY":
        return (t.year - 1) // 100
    return (t.year * 12 + t.month - 1) // MONTHS[unit]


def add_months(t, n):
    i = t.year * 12 + t.month - 1 + n
    year, month = divmod(i, 12)
    return t.replace(year=year, month=month + 1, day=min(t.day, calendar.monthrange(year, month + 1)[1]))


def whole(a, b, unit):
    if unit in UNITS:
        d = micros(b) - micros(a)
        return abs(d) // UNITS[unit] * (1 if d >= 0 else -1)
    if a > b:
        return -whole(b, a, unit)
    months = 0
    full = (b.year - a.year) * 12 + b.month - a.month
    if (b.day, b.time()) < (a.day, a.time()):
        full -= 1
    return max(full, months) // MONTHS[unit]


for _ in range(1200):
    t, unit = instant(), random.choice(list(UNITS) + list(MONTHS))
    try:
        emit("truncate", micros(t), unit, micros(truncate(t, unit)))
    except ValueError:
        emit("truncate", micros(t), unit, "RANGE")
    a, b = instant(), instant()
    if random.random() < 0.5:
        b = max(datetime.min, min(datetime.max, a)) if a.year in (1, 9999) else a + timedelta(seconds=random.randint(-10**7, 10**7))
    # Back from a later day of the month the sign of the difference matters, so both are asked.
    emit("diff", micros(a), micros(b), unit, whole(a, b, unit))
    emit("boundaries", micros(a), micros(b), unit, index(b, unit) - index(a, unit))
    months, days, us = random.choice([0, random.randint(-30, 30), random.randint(-200000, 200000)]), random.choice([0, random.randint(-400, 400)]), random.choice([0, random.randint(-10**13, 10**13)])
    try:
        emit("add", micros(t), months, days, us, micros(add_months(t, months) + timedelta(days=days, microseconds=us)))
    except (ValueError, OverflowError, calendar.IllegalMonthError):
        emit("add", micros(t), months, days, us, "RANGE")

PATTERNS = ["%Y-%m-%d %H:%M:%S", "%d.%m.%y %I:%M:%S %p", "%j", "%a %b %d %H:%M:%S %Y", "%A, %d. %B %Y", "%Y%m%dT%H%M%S.%f",
            "%G-W%V-%u", "%w", "100%%", "%H:%M", "%h"]
for _ in range(500):
    t, pattern = instant(), random.choice(PATTERNS)
    python = pattern.replace("%Y", f"{t.year:04d}").replace("%G", f"{t.isocalendar()[0]:04d}").replace("%h", "%b")
    emit("format", micros(t), pattern, t.strftime(python))
SCANNED = ["%Y-%m-%d %H:%M:%S", "%d.%m.%y %I:%M:%S %p", "%Y-%j", "%a %b %d %H:%M:%S %Y", "%d %B %Y", "%Y%m%dT%H%M%S.%f", "%G-W%V-%u", "%H:%M %m/%d/%Y"]
for _ in range(500):
    t, pattern = instant(), random.choice(SCANNED)
    if t.year < 1000 or "%y" in pattern:
        t = t.replace(year=random.randint(1970, 2067), day=min(t.day, 28))
    text = t.strftime(pattern)
    if random.random() < 0.2:
        at = random.randrange(len(text))
        text = text[:at] + random.choice("09:x- ") + text[at + 1:]
    if any(c in text for c in "x") or "  " in text or text != text.strip():
        continue
    try:
        value = datetime.strptime(text, pattern)
    except ValueError:
        emit("scan", text, pattern, "FAIL")
        continue
    if "%G" in pattern and value.isocalendar()[:2] != (int(text[:4]), int(text[6:8])):
        emit("scan", text, pattern, "FAIL")
        continue
    if "%H" not in pattern and "%Y" not in pattern and "%G" not in pattern and "%y" not in pattern:
        continue
    emit("scan", text, pattern, micros(value))

for _ in range(800):
    t = instant()
    text = f"{t.year:04d}-" + t.strftime("%m-%d") + random.choice("T t".replace(" ", "") + " ") + t.strftime("%H:%M:%S")
    lost = False
    us = 0
    if random.random() < 0.7:
        n = random.randint(1, 9)
        fraction = "".join(random.choice("0123456789") for _ in range(n))
        if random.random() < 0.6:
            fraction = fraction[:6]
        text += "." + fraction
        us = int(fraction[:6].ljust(6, "0"))
        lost = fraction[6:].strip("0") != ""
    value = micros(t.replace(microsecond=0)) + us
    zone = random.choice(["", "Z", "z", "+00:00", "-00:00", "+0530", "-08:00", "+14", "-12:45", "+23:59"])
    text += zone
    if zone[:1] in ("+", "-") and zone:
        hours, minutes = int(zone[1:3]), int(zone[3:].replace(":", "") or 0)
        value -= (hours * 60 + minutes) * 60 * 10**6 * (1 if zone[0] == "+" else -1)
    expected = "RANGE" if not LOW <= value <= HIGH else "LOST_DIGITS" if lost else value
    emit("timestamp", text, expected)
for text, expected in [
        ("2023-11-14", micros(datetime(2023, 11, 14))), ("2023-11-14T22:13", micros(datetime(2023, 11, 14, 22, 13))),
        ("", "SYNTAX"), ("2023", "SYNTAX"), ("2023-11", "SYNTAX"), ("2023-11-1", "SYNTAX"), ("2023-1-14", "SYNTAX"),
        ("2023-13-01", "RANGE"), ("2023-00-01", "RANGE"), ("2023-02-29", "RANGE"), ("2024-02-30", "RANGE"), ("0000-01-01", "RANGE"),
        ("1900-02-29", "RANGE"), ("2023-04-31", "RANGE"), ("2023-11-14T24:00:00Z", "RANGE"), ("2023-11-14T22:60:00Z", "RANGE"),
        ("2023-11-14T22:13:60Z", "RANGE"), ("2023-11-14T22:13:20.Z", "SYNTAX"), ("2023-11-14T22:13:20.1234567890Z", "SYNTAX"),
        ("2023-11-14T22:13:20.000000000Z", micros(datetime(2023, 11, 14, 22, 13, 20))), ("2023-11-14T22:13:20.000000001Z", "LOST_DIGITS"),
        ("2023-11-14T22:13:20ZZ", "SYNTAX"), ("2023-11-14T22:13:20 Z", "SYNTAX"), ("2023-11-14T", "SYNTAX"), ("2023-11-14T22", "SYNTAX"),
        ("2023-11-14X22:13:20", "SYNTAX"), ("2023/11/14", "SYNTAX"), (" 2023-11-14", "SYNTAX"), ("2023-11-14 ", "SYNTAX"),
        ("2023-11-14T22:13:20+24:00", "RANGE"), ("2023-11-14T22:13:20+01:60", "RANGE"), ("2023-11-14T22:13:20+1", "SYNTAX"),
        ("2023-11-14T22:13:20+01:", "SYNTAX"), ("2023-11-14T22:13:20+01:000", "SYNTAX"), ("0001-01-01T00:00:00+00:01", "RANGE"),
        ("9999-12-31T23:59:59.999999-00:01", "RANGE"), ("9999-12-31T23:59:59.999999Z", HIGH), ("0001-01-01T00:00:00Z", LOW),
        ("2023-11-14T22:13:20.1234567X", "SYNTAX"), ("+023-11-14", "SYNTAX"), ("2023-+1-14", "SYNTAX")]:
    emit("timestamp", text, expected)

with open("temporal_vectors.txt", "w", encoding="utf-8") as out:
    out.write("# written by make_temporal_vectors.py\n")
    out.write("\n".join(lines) + "\n")
