#!/usr/bin/env python3
"""Writes json_vectors.txt: records by Python's json, and the value as Python knows it.

Each line: kind S (string) or D (double), a tab, the record, a tab, the value's bytes in hex
(UTF-8, or the little-endian double).
"""
import json
import os
import random
import struct
import sys

ALPHABET = ["a", "Z", "0", " ", "\"", "\\", "/", "\b", "\f", "\n", "\r", "\t", "\0", "\x1f", "\x7f",
            "é", "ß", "€", "\uffff", "😀", "\U0010ffff", "{", "}", "[", "]", ":", ",", "null"]


def main():
    rng = random.Random(20231114)
    lines = ["# made by make_json_vectors.py"]
    for i in range(250):
        text = "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(0, 80)))
        record = json.dumps({"v": text}, ensure_ascii=bool(i % 2),
                            separators=(",", ":") if i % 3 else None)
        lines.append(f"S\t{record}\t{text.encode().hex()}")
    for i in range(250):
        value = struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]
        if i % 2:
            value = round(rng.uniform(-1e6, 1e6), rng.randrange(0, 8))
        if value != value or value in (float("inf"), float("-inf")):
            continue
        record = json.dumps({"u": None, "v": value})
        lines.append(f"D\t{record}\t{struct.pack('<d', value).hex()}")
    path = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "json_vectors.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


main()
