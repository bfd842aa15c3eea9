#!/usr/bin/env python3
"""Writes csv_vectors.txt: CSV files and what Python's csv module reads from them.

    python3 make_csv_vectors.py > csv_vectors.txt

A line is: the file in hex; the number of columns; the rows, ';' between rows, ',' between fields,
each field in hex.  All files are well-formed by RFC 4180, in every mixture of quoting and line ends.
"""
import csv
import io
import random

random.seed(20240607)
PIECES = ["a", "Z", "7", " ", "-", ",", '"', '""', "\n", "\r\n", "\r", "\t", "é", "€", "😀", ";", "'",
          "text", "0123456789", "x" * 30]


def field():
    return "".join(random.choice(PIECES) for _ in range(random.choice([0, 1, 1, 2, 3, 5, 9, 20])))


def written(text, always):
    if always or any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def one_file():
    columns = random.choice([1, 2, 3, 3, 7, 20])
    quoting = random.choice([0.0, 0.1, 1.0])
    plain = random.random() < 0.3
    out = []
    for _ in range(random.choice([1, 2, 3, 10])):
        fields = [random.choice("abcXYZ") * random.randrange(12) if plain else field()
                  for _ in range(columns)]
        if columns == 1 and fields[0] == "":
            fields[0] = "x"  # an empty line is no record to Python
        out.append(",".join(written(f, random.random() < quoting) for f in fields))
        out.append(random.choice(["\n", "\r\n"]))
    if random.random() < 0.5:
        out.pop()
    return "".join(out), columns


for _ in range(400):
    text, columns = one_file()
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert all(len(row) == columns for row in rows), (text, rows)
    print(text.encode().hex(), columns,
          ";".join(",".join(f.encode().hex() for f in row) for row in rows))
