"""tests/differential/cases.py -- generated cases for `ferris-sql test`, which runs each in many ways:
the input cut into other batches, on several tasks, with state spilled, with the pipeline reloaded.

FERRIS_SQL is the program; by default that of build/release.
"""
import argparse
import os
import random
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))


def options(doc, cases):
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--cases", type=int, default=cases)
    parser.add_argument("--only", type=int, help="the number of one case")
    return parser.parse_args()


def block(title, lines):
    return f"{title}\n" + "".join(f"{line}\n" for line in lines) + "\n"


def failures(folder, tests, keep=None):
    """What the runner says of those that fail, by their names; `tests`: texts by name.  What they
    wrote is left in the folder `keep`."""
    path = f"{folder}/generated.test"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(f"test {name}\n{text}" for name, text in tests.items()))
    kept = ["--keep", keep] if keep else []
    done = subprocess.run([PROGRAM, "test", path, *kept], capture_output=True, text=True, timeout=280,
                          check=False)
    failed, seen, why = {}, set(), None
    for line in done.stdout.split("\n"):
        result = re.match(r"(not )?ok \d+ - \S+ (.*)", line)
        if result:
            why = [] if result[1] else None
            seen.add(result[2])
            if result[1]:
                failed[result[2]] = why
        elif why is not None and line.startswith("  "):
            why.append(line)
    if seen != set(tests) or done.returncode not in (0, 1):
        raise SystemExit(f"{PROGRAM} ended with {done.returncode}: {done.stderr[-3000:]}"
                         f"{sorted(set(tests) - seen)[:3]}")
    return {name: "\n".join(lines) for name, lines in failed.items()}


def fewer(items, fails, budget=150):
    """A smaller part of the list for which `fails` still is true."""
    size = max(1, len(items) // 2)
    while size >= 1 and budget > 0:
        at = 0
        while at < len(items) and budget > 0:
            part = items[:at] + items[at + size:]
            budget -= 1
            if fails(part):
                items = part
            else:
                at += size
        size //= 2
    return items


def count(case, cases):
    """Runs case(rng, folder, number) so often, or as [SEED [CASES]] of the command line says."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else cases
    passed = failed = 0
    print(f"seed {seed}")
    for number in range(cases):
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(random.Random(seed * 1000003 + number), folder, number)
                passed += 1
            except AssertionError as why:
                failed += 1
                print(f"not ok - case {number} of seed {seed}: {why}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def ordered(rows):
    return sorted(rows, key=lambda row: [(x is None, str(x)) for x in row])


def same(got, wanted, what):
    if ordered(got) != ordered(wanted):
        a, b = ordered(got), ordered(wanted)
        pairs = [(x, y) for x, y in zip(a, b) if x != y][:3]
        raise AssertionError(f"{what}\n{len(a)} and {len(b)} rows; different: {pairs}")
