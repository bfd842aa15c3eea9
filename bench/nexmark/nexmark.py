#!/usr/bin/env python3
"""bench/nexmark/nexmark.py -- the queries of Nexmark on ferris-sql, and on DuckDB.

    ./dev bench nexmark [--events N] [--runs N] [--queries q0,q5] [--no-peer] [--markdown]
                        [--ferris PROGRAM] [--data FOLDER]

The generator's events are written to JSON files once.  Every query reads them there, and once more
straight from the generator, which then is part of the time.  Speed is the records of the streams
that a query reads, each counted once, divided by the CPU seconds of the whole process; of several
runs the best counts.  DuckDB reads the same files.  What the engine refuses is printed with its
reason.  That both give the same rows is the business of tests/differential/test_nexmark.py; here
only their number is compared, and the program ends with 1 if it differs.
"""
import argparse
import os
import re
import subprocess
import sys

NEXMARK = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(NEXMARK))
sys.path.insert(0, os.path.dirname(NEXMARK))
import bench  # pylint: disable=wrong-import-position

QUERIES = [f"q{i}" for i in range(23)]
SIDE_INPUT_ROWS = 10000


def read(path):
    with open(f"{NEXMARK}/{path}", encoding="utf-8") as file:
        return file.read()


def script(query, source):
    """The statements of a query over the files or over the generator."""
    return read(f"{source}.sql") + "\n" + read(f"sql/{query}.sql")


def make_data(program, folder, events):
    """Files of the three streams and the side input; those that are there already are kept."""
    os.makedirs(folder, exist_ok=True)
    note = f"{folder}/events"
    if os.path.exists(note) and open(note, encoding="utf-8").read() == str(events):
        return
    with open(f"{folder}/side_input.csv", "w", encoding="utf-8") as file:
        file.write("key,value\n")
        file.writelines(f"{i},{i}\n" for i in range(SIDE_INPUT_ROWS))
    subprocess.run([program, "execute", "--file", f"{NEXMARK}/data.sql"], check=True,
                   stderr=subprocess.DEVNULL,
                   env=dict(os.environ, DATA=folder, EVENTS=str(events)))
    with open(note, "w", encoding="utf-8") as file:
        file.write(str(events))


def records_read(query, events):
    """How many records there are in the streams that the query reads."""
    rounds, rest = divmod(events, 50)
    count = {"person": rounds + min(rest, 1), "auction": 3 * rounds + min(max(rest - 1, 0), 3),
             "bid": 46 * rounds + max(rest - 4, 0)}
    streams = set(re.findall(r"(?:FROM|JOIN|TABLE)\s+(person|auction|bid)\b", read(f"sql/{query}.sql")))
    return sum(count[stream] for stream in streams)


def count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def ferris(program, folder):
    def command(query, form, data, out):
        path = f"{folder}/{query}.{form}.sql"
        with open(path, "w", encoding="utf-8") as file:
            file.write(script(query, form))
        return [program, "execute", "--file", path, "--set", "parallelism=1"], None, None
    return command


def duckdb():
    def command(query, form, data, out):
        return [f"{bench.PEERS_VENV}/bin/python", f"{NEXMARK}/duckdb_peer.py", query], None, None
    return command


def refusal(program, query, folder):
    """What the engine says against a query, or None."""
    path = f"{folder}/{query}.file.sql"
    with open(path, "w", encoding="utf-8") as file:
        file.write(script(query, "file"))
    run = subprocess.run([program, "check", path], capture_output=True, text=True,
                         env=dict(os.environ, DATA=folder, OUT=os.devnull))
    if run.returncode == 0:
        return None
    text = (run.stdout + run.stderr).strip().split("\n")
    error = next((line for line in text if "error[" in line), text[0])
    if "FS1301" not in error:
        raise bench.Failed(f"{query}: {error}")
    return error


def best(args, contender, query, form):
    """The best of the runs, with its number of rows, or the failure's text."""
    out = f"{args.data}/out.{contender.name}.jsonl"
    found = None
    try:
        for turn in range(args.runs):
            usage = bench.measure(args.tools, contender, query, form, args.data, out)
            if turn == 0:
                rows = count_lines(out)
            usage["rows"] = rows
            if found is None or usage["cpu"] < found["cpu"]:
                found = usage
    except bench.Failed as failure:
        return str(failure)
    finally:
        for path in (out, out + ".err", out + ".result"):
            if os.path.exists(path):
                os.unlink(path)
    found["speed"] = records_read(query, args.events) / 1e6 / max(found["cpu"], 1e-6)
    return found


HEAD = ["", "file", "generator", "MB", "DuckDB", "MB", "times", "rows"]


def line(args, cells):
    if args.markdown:
        return "| " + " | ".join(cells) + " |"
    return f"{cells[0]:5}" + "".join(f"{cell:>11}" for cell in cells[1:])


def run_query(args, contenders, query):
    """Prints a query's line; whether all is well."""
    reason = refusal(args.ferris, query, args.data)
    if reason:
        print(f"{query:5} refused: {reason}")
        return True
    ours = best(args, contenders["ferris"], query, "file")
    made = best(args, contenders["ferris"], query, "generator")
    peer = best(args, contenders["duckdb"], query, "file") if "duckdb" in contenders else None
    failures = [f for f in (ours, made, peer) if isinstance(f, str)]
    # Windows of the clock are others in every run.
    counts = {f["rows"] for f in (ours, made, peer) if isinstance(f, dict)}
    if not failures and len(counts) > 1 and query != "q12":
        failures.append(f"the numbers of rows differ: {sorted(counts)}")
    cells = [query]
    for found in (ours, made):
        cells.append(f"{found['speed']:.2f}" if isinstance(found, dict) else "-")
    cells.append(f"{ours['rss_kb'] / 1024:.0f}" if isinstance(ours, dict) else "-")
    if isinstance(peer, dict):
        times = f"{ours['speed'] / peer['speed']:.1f}" if isinstance(ours, dict) else "-"
        cells += [f"{peer['speed']:.2f}", f"{peer['rss_kb'] / 1024:.0f}", times]
    else:
        cells += ["-", "-", "-"]
    cells.append(str(ours["rows"]) if isinstance(ours, dict) else "-")
    print(line(args, cells), flush=True)
    for failure in failures:
        print(f"   {failure}")
    return not failures


def parse(arguments):
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--queries", default=",".join(QUERIES))
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--ferris", default=f"{ROOT}/build/release/ferris-sql")
    parser.add_argument("--tools", default=f"{ROOT}/build/release/bench")
    parser.add_argument("--data", default="")
    args = parser.parse_args(arguments)
    args.queries = args.queries.split(",")
    for query in args.queries:
        if query not in QUERIES:
            parser.error(f"unknown '{query}', known: {', '.join(QUERIES)}")
    if args.events < 1 or args.runs < 1:
        parser.error("--events and --runs are at least 1")
    args.data = args.data or bench.data_folder("", args.events) + "-nexmark"
    return args


def main(arguments):
    args = parse(arguments)
    os.environ["EVENTS"] = str(args.events)
    make_data(args.ferris, args.data, args.events)
    contenders = {"ferris": bench.Contender("ferris", ferris(args.ferris, args.data))}
    versions = {} if args.no_peer else bench.install_peers(["duckdb"])
    if versions:
        contenders["duckdb"] = bench.Contender("duckdb", duckdb())
    print(f"{args.events} events, best of {args.runs} runs, million records per CPU second"
          + "".join(f", {name} {version}" for name, version in versions.items()))
    print(line(args, HEAD))
    if args.markdown:
        print("|---" * len(HEAD) + "|")
    well = [run_query(args, contenders, query) for query in args.queries]
    return 0 if all(well) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except bench.Failed as failed:
        sys.exit(f"nexmark: {failed}")
