#!/usr/bin/env python3
"""bench/bench.py -- how fast ferris-sql is, beside hand-written C and the installed peers.

    ./dev bench [--records N] [--runs N] [--queries S1,S2 | all] [--formats json,csv]
                [--peers [duckdb,polars,chdb]] [--save-baseline NAME] [--baseline NAME]
                [--no-extras] [--ferris PROGRAM] [--data FOLDER]

Every contender reads the same file and writes one, in turns.  Speed is records divided by the CPU
seconds of the whole process, start-up included; of several runs the best counts.  Whoever gives
other rows than the first contender has no speed, and the program ends with 1.
"""
import argparse
import datetime
import decimal
import json
import os
import platform
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(ROOT, "bench")
PEERS_VENV = os.path.join(ROOT, "build", "peers")
PEERS = ["duckdb", "polars", "chdb"]
EXTENSION = {"json": "jsonl", "csv": "csv"}
QUERIES = ["S1", "S2", "S3", "S4", "S5", "S6", "S7"]
# S4 with a million groups: by name only, without a goal, without C or peers.
OURS_ALONE = ["S4m"]
DEFAULT_QUERIES = ["S1", "S2", "S3"]
# Whose output is compared row by row, and whose number by number with a tolerance for doubles.
BY_HASH = ["S1", "S2", "S3", "S6"]
# Million records per CPU second.
GOALS = {("S1", "json"): 10, ("S2", "json"): 12, ("S3", "json"): 12, ("S4", "json"): 13,
         ("S5", "json"): 11, ("S6", "json"): 5, ("S7", "json"): 12,
         ("S1", "csv"): 14, ("S2", "csv"): 16, ("S3", "csv"): 16, ("S4", "csv"): 16,
         ("S5", "csv"): 14, ("S6", "csv"): 6, ("S7", "csv"): 16}
GOAL_RSS_MB = 64
GOAL_FIRST_ROW_MS = 50
GOAL_SCALING = 1.8
# Peers compute averages in doubles: half a unit of our sixth decimal, and what a double loses.
ABSOLUTE, RELATIVE = decimal.Decimal("0.00000051"), decimal.Decimal("1e-9")


class Failed(Exception):
    """A contender ended with an error; the text says which."""


class Contender:
    """name, and command(query, form, data, out) -> (arguments, file for stdin, file for stdout)."""

    def __init__(self, name, command):
        self.name = name
        self.command = command


def ferris(program, settings=(), prefix=()):
    def command(query, form, data, out):
        arguments = [*prefix, program, "execute", "--file", f"{BENCH}/sql/{query}_{form}.sql"]
        for setting in settings:
            arguments += ["--set", setting]
        return arguments, None, None
    return command


def by_hand(folder):
    def command(query, form, data, out):
        if query in OURS_ALONE:
            return None
        return [f"{folder}/hand_{form}", query], f"{data}/trades.{EXTENSION[form]}", out
    return command


def peer(name):
    def command(query, form, data, out):
        if query in OURS_ALONE:
            return None
        return [f"{PEERS_VENV}/bin/python", f"{BENCH}/peers/{name}_peer.py", query, form], None, None
    return command


def measure(tools, contender, query, form, data, out, sink=None):
    """Runs it once; the dictionary that tools/measure writes, with cpu added.

    The output goes to the file `out`, or to `sink` if that is given.
    """
    command = contender.command(query, form, data, out)
    arguments, stdin, stdout = command
    if os.path.exists(out):
        os.unlink(out)
    result = out + ".result"
    environment = dict(os.environ, DATA=data, OUT=sink or out, THREADS="1")
    with open(stdin or os.devnull, "rb") as source, open(stdout or os.devnull, "wb") as target, \
            open(out + ".err", "w+b") as errors:
        run = subprocess.run([f"{tools}/measure", result] + arguments, stdin=source, stdout=target,
                             stderr=errors, env=environment, cwd=ROOT)
        if run.returncode != 0:
            errors.seek(0)
            text = errors.read().decode("utf-8", "replace").strip().split("\n")
            raise Failed(f"exit {run.returncode}: " + " | ".join(text[-3:])[:300])
    if sink is None and not os.path.exists(out):
        raise Failed("wrote no file")
    with open(result, encoding="utf-8") as file:
        usage = json.load(file)
    usage["cpu"] = usage["user"] + usage["system"]
    return usage


# ---------------------------------------------------------------------------------- answers

def read_rows(form, path):
    """Rows as lists of texts, sorted."""
    rows = []
    with open(path, encoding="utf-8") as file:
        if form == "csv":
            next(file, None)
            rows = [[field.strip('"') for field in line.rstrip("\r\n").split(",")] for line in file]
        else:
            rows = [[str(value) for value in json.loads(line, parse_float=str).values()]
                    for line in file]
    return sorted(rows)


def same_field(one, other, exact):
    if one == other:
        return True
    try:
        a, b = decimal.Decimal(one), decimal.Decimal(other)
    except decimal.InvalidOperation:
        return False
    return a == b if exact else abs(a - b) <= max(ABSOLUTE, RELATIVE * max(abs(a), abs(b)))


def answer(tools, query, form, path):
    """What an output says: (rows, hash), or the rows themselves."""
    if query in BY_HASH:
        with open(path, "rb") as file:
            text = subprocess.run([f"{tools}/row_hash", form], stdin=file, capture_output=True,
                                  check=True, text=True).stdout
        return tuple(text.split())
    return read_rows(form, path)


def difference(one, other, exact):
    """Why two answers differ, or None.  Without exact, sums and averages may be those of doubles."""
    if isinstance(one, tuple):
        if one[0] != other[0]:
            return f"{other[0]} rows instead of {one[0]}"
        return None if one == other else "the rows differ"
    if len(one) != len(other):
        return f"{len(other)} rows instead of {len(one)}"
    for a, b in zip(one, other):
        if len(a) != len(b) or not all(same_field(x, y, exact) for x, y in zip(a, b)):
            return f"{','.join(b)} instead of {','.join(a)}"
    return None


# ------------------------------------------------------------------------------------- data

def make_data(tools, folder, records):
    os.makedirs(folder, exist_ok=True)
    for form, extension in EXTENSION.items():
        path = f"{folder}/trades.{extension}"
        note = path + ".records"
        if os.path.exists(note) and open(note, encoding="utf-8").read() == str(records):
            continue
        with open(path, "wb") as file:
            arguments = [f"{tools}/gen_trades", str(records)] + (["csv"] if form == "csv" else [])
            subprocess.run(arguments, stdout=file, check=True)
        with open(note, "w", encoding="utf-8") as file:
            file.write(str(records))
    with open(f"{folder}/symbols.csv", "w", encoding="utf-8") as file:
        file.write("symbol,name,sector,lot_size\n")
        for i in range(1000):
            file.write(f"SYM{i:03d},Company {i},Sector {i % 11},{100 * (1 + i % 3)}\n")


def data_folder(wanted, records):
    """In memory when there is room: the disk is not what is measured."""
    if wanted:
        return wanted
    needed = records * 600  # input and output, both formats
    memory = "/dev/shm"
    if os.path.isdir(memory) and shutil.disk_usage(memory).free > needed + (1 << 30):
        return f"{memory}/ferris-bench-{os.getuid()}"
    return os.path.join(ROOT, "build", "bench-data")


def install_peers(names):
    """A venv under build/; a peer that cannot be installed is left out, with a word about it."""
    python = f"{PEERS_VENV}/bin/python"
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", PEERS_VENV], check=True)
    found = {}
    for name in names:
        code = f"import {name}; print({name}.__version__)"
        version = subprocess.run([python, "-c", code], capture_output=True, text=True)
        if version.returncode != 0:
            print(f"installing {name} from PyPI")
            subprocess.run([python, "-m", "pip", "-q", "install", name], check=False)
            version = subprocess.run([python, "-c", code], capture_output=True, text=True)
        if version.returncode == 0:
            found[name] = version.stdout.strip().split("\n")[-1]
        else:
            print(f"{name} is left out: it cannot be installed or imported")
    return found


# ------------------------------------------------------------------------------------- runs

def run_query(args, contenders, query, form):
    """name -> {"speed", "rss_mb", "spread", "runs"} or {"error"}."""
    results, reference = {}, None
    runs = {c.name: [] for c in contenders}
    taking_part = list(contenders)
    for turn in range(args.runs):
        for contender in list(taking_part):
            out = f"{args.data}/out.{contender.name}.{EXTENSION[form]}"
            try:
                usage = measure(args.tools, contender, query, form, args.data, out)
                if turn == 0:
                    found = answer(args.tools, query, form, out)
                    if reference is None:
                        reference = (contender.name, found)
                    why = difference(reference[1], found, contender.name not in PEERS)
                    if why:
                        raise Failed(f"wrong answer, compared with {reference[0]}: {why}")
                runs[contender.name].append(usage)
            except Failed as failure:
                results[contender.name] = {"error": str(failure)}
                taking_part.remove(contender)
            finally:
                for path in (out, out + ".err", out + ".result"):
                    if os.path.exists(path):
                        os.unlink(path)
    for contender in taking_part:
        cpu = sorted(usage["cpu"] for usage in runs[contender.name])
        results[contender.name] = {
            "speed": args.records / 1e6 / cpu[0], "spread": cpu[-1] / cpu[0],
            "rss_mb": max(usage["rss_kb"] for usage in runs[contender.name]) / 1024,
            "wall": min(usage["wall"] for usage in runs[contender.name]),
            "answer": reference[1][0] if isinstance(reference[1], tuple) else len(reference[1])}
    return results


def ratio(one, other):
    return f"{one / other:.2f}" if one and other else "-"


def print_header():
    print(f"{'':9}{'ferris':>8}{'goal':>6}{'C':>8}{'of C':>7}{'best peer':>17}{'times':>7}"
          f"{'RSS MB':>8}{'rows':>10}{'spread':>8}")


def print_query(query, form, results):
    speed = {name: result.get("speed") for name, result in results.items()}
    ours, hand = speed.get("ferris"), speed.get("hand")
    peers = sorted((s, name) for name, s in speed.items() if name in PEERS and s)
    best = peers[-1] if peers else (None, "-")
    rss = results.get("ferris", {}).get("rss_mb")
    any_result = next((r for r in results.values() if "answer" in r), {})

    def number(value):
        return f"{value:.2f}" if value else "-"

    print(f"{query} {form:6}{number(ours):>8}{GOALS.get((query, form), '-'):>6}{number(hand):>8}"
          f"{ratio(ours, hand):>7}{number(best[0]) + ' ' + best[1]:>17}{ratio(ours, best[0]):>7}"
          f"{(f'{rss:.0f}' if rss else '-'):>8}{any_result.get('answer', '-'):>10}"
          f"{number(results.get('ferris', {}).get('spread')):>8}")
    for name, result in results.items():
        if "error" in result:
            print(f"   {name}: {result['error']}")


def best_of(args, contender, query, form, data, runs, key, sink=None):
    out = f"{args.data}/extra.{EXTENSION[form]}"
    values = [measure(args.tools, contender, query, form, data, out, sink)[key]
              for _ in range(runs)]
    if sink is None:
        os.unlink(out)
    return min(values)


def run_extras(args):
    """Two cores against one, memory against the length of the input, start to first row."""
    extras = {}
    program = Contender("ferris", ferris(args.ferris, ["parallelism=1"]))
    one = Contender("ferris", ferris(args.ferris, ["parallelism=2"], ["taskset", "-c", "0"]))
    two = Contender("ferris", ferris(args.ferris, ["parallelism=2"], ["taskset", "-c", "0,1"]))
    print()
    # One file has one writer: where the kernel's work for it is most of the run, as in a virtual
    # machine whose fresh pages are dear, a second core cannot help.  So both are shown.
    for query in args.queries:
        for form in args.formats:
            ratios = []
            for sink in ("/dev/null", None):
                walls = [best_of(args, contender, query, form, args.data, args.runs, "wall", sink)
                         for contender in (one, two)]
                ratios.append(walls[0] / walls[1])
            extras[f"scaling {query} {form}"] = ratios
            print(f"two cores give {ratios[0]:.2f} times one to /dev/null, {ratios[1]:.2f} to a file"
                  f" (goal {GOAL_SCALING}): {query} {form}")
    fewer = max(args.records // 5, 1)
    small = f"{args.data}/fifth"
    make_data(args.tools, small, fewer)
    for query in args.queries:
        rss = [best_of(args, program, query, "json", folder, 1, "rss_kb") / 1024
               for folder in (small, args.data)]
        extras[f"memory {query}"] = rss
        print(f"memory of {fewer} and {args.records} records: {rss[0]:.0f} and {rss[1]:.0f} MB"
              f" (goal: flat, below {GOAL_RSS_MB}): {query} json")
    shutil.rmtree(small)
    first = first_row(args)
    extras["first row ms"] = first
    print(f"start to first row: {first:.1f} ms (goal {GOAL_FIRST_ROW_MS})")
    return extras


def first_row(args):
    result = f"{args.data}/first.result"
    best = None
    for _ in range(10):
        run = subprocess.run(
            [f"{args.tools}/measure", "-1", result, args.ferris, "execute", "--file",
             f"{BENCH}/sql/first_row.sql", "--output", "json"], capture_output=True, text=True,
            env=dict(os.environ, DATA=args.data), cwd=ROOT)
        if run.returncode != 0 or not run.stdout.startswith("{"):
            raise Failed(f"first_row.sql: exit {run.returncode}: {run.stderr.strip()[-300:]}")
        with open(result, encoding="utf-8") as file:
            value = json.load(file)["first"] * 1000
        best = value if best is None else min(best, value)
    os.unlink(result)
    return best


# -------------------------------------------------------------------------------- baselines

def baseline_path(name):
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        sys.exit(f"bench: a baseline's name has letters, digits, '-', '_' and '.', not '{name}'")
    return os.path.join(BENCH, "baselines", name + ".json")


def compare(name, results):
    """Speed now against then; beside it the same relative to C, which takes the machine out."""
    try:
        with open(baseline_path(name), encoding="utf-8") as file:
            old = json.load(file)
    except OSError as error:
        sys.exit(f"bench: no baseline '{name}': {error.strerror}; --save-baseline {name} makes it")
    print(f"\nagainst baseline '{name}' of {old['date']} ({old['records']} records)")
    print(f"{'':9}{'then':>8}{'now':>8}{'ratio':>8}{'relative to C':>15}")
    for key, now in results.items():
        then = old["results"].get(key, {})
        speeds = [side.get("ferris", {}).get("speed") for side in (then, now)]
        hands = [side.get("hand", {}).get("speed") for side in (then, now)]
        if None in speeds:
            print(f"{key:9} no figure on both sides")
            continue
        relative = "-"
        if None not in hands:
            relative = f"{speeds[1] / hands[1] / (speeds[0] / hands[0]):.2f}"
        print(f"{key:9}{speeds[0]:8.2f}{speeds[1]:8.2f}{speeds[1] / speeds[0]:8.2f}{relative:>15}")


def save(path, args, versions, results, extras):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"date": datetime.date.today().isoformat(), "records": args.records,
                   "machine": f"{platform.machine()}, {os.cpu_count()} cores", "peers": versions,
                   "results": results, "extras": extras}, file, indent=1, sort_keys=True)
        file.write("\n")


def parse(arguments):
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--records", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--queries", default=",".join(DEFAULT_QUERIES))
    parser.add_argument("--formats", default="json,csv")
    parser.add_argument("--peers", nargs="?", const=",".join(PEERS), default="")
    parser.add_argument("--save-baseline", metavar="NAME")
    parser.add_argument("--baseline", metavar="NAME")
    parser.add_argument("--no-extras", action="store_true")
    parser.add_argument("--ferris", default=f"{ROOT}/build/release/ferris-sql")
    parser.add_argument("--tools", default=f"{ROOT}/build/release/bench")
    parser.add_argument("--data", default="")
    args = parser.parse_args(arguments)
    args.queries = QUERIES if args.queries == "all" else args.queries.split(",")
    args.formats = args.formats.split(",")
    args.peers = args.peers.split(",") if args.peers else []
    for given, known in ((args.queries, QUERIES + OURS_ALONE), (args.formats, EXTENSION),
                         (args.peers, PEERS)):
        for name in given:
            if name not in known:
                parser.error(f"unknown '{name}', known: {', '.join(known)}")
    if args.records < 1 or args.runs < 1:
        parser.error("--records and --runs are at least 1")
    return args


def main(arguments):
    args = parse(arguments)
    args.data = data_folder(args.data, args.records)
    make_data(args.tools, args.data, args.records)
    versions = install_peers(args.peers) if args.peers else {}
    contenders = [Contender("ferris", ferris(args.ferris, ["parallelism=1"])),
                  Contender("hand", by_hand(args.tools))]
    contenders += [Contender(name, peer(name)) for name in versions]
    print(f"{args.records} records, best of {args.runs} runs, million records per CPU second"
          + "".join(f", {name} {version}" for name, version in versions.items()))
    print_header()
    results, extras, wrong = {}, {}, False
    for form in args.formats:
        for query in args.queries:
            able = [c for c in contenders if c.command(query, form, args.data, "") is not None]
            found = run_query(args, able, query, form)
            results[f"{query} {form}"] = found
            print_query(query, form, found)
            wrong = wrong or any("error" in result for result in found.values())
    if not args.no_extras:
        try:
            extras = run_extras(args)
        except Failed as failure:
            print(f"stopped: {failure}")
            wrong = True
    save(os.path.join(ROOT, "build", "bench-last.json"), args, versions, results, extras)
    if args.baseline:
        compare(args.baseline, results)
    if args.save_baseline:
        save(baseline_path(args.save_baseline), args, versions, results, extras)
        print(f"saved bench/baselines/{args.save_baseline}.json")
    return 1 if wrong else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))
