#!/usr/bin/env python3
"""bench/kafka.py -- Kafka to Kafka: ferris-sql beside a bare librdkafka loop, in turns.

    ./dev bench kafka [--records N] [--runs N] [--partitions N] [--guarantees exactly-once,at-least-once]
                      [--sql FILE] [--ferris PROGRAM]

    ./dev bench kafka --latency [--rate N] [--seconds N] ...    how long a record is on its way

The broker is the one of ./dev kafka; it is started when it does not run, and then stopped again.
The output topics carry the broker's own append times, so a rate is the number of records divided by
the time between the first and the last one written: starting up and waiting are not in it.
CPU is that of the client process alone, start-up included.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(ROOT, "bench")
KAFKA = os.path.join(ROOT, "tools", "kafka", "kafka")
GOAL = 0.80
QUIET_SECONDS = 1.0
DEADLINE_SECONDS = 300


class Failed(Exception):
    """A contender that did not do what it should."""


def tool(args, *arguments, **options):
    run = subprocess.run([args.kafka_tool, args.brokers, *map(str, arguments)], text=True,
                         capture_output=True, **options)
    if run.returncode != 0:
        raise Failed(run.stderr.strip())
    return run.stdout


def high_watermark(args, topic):
    return sum(int(line.split()[2]) for line in tool(args, "watermark", topic).splitlines())


def fill(args, topic):
    """N trades in the input topic; returns their bytes."""
    tool(args, "create", topic, args.partitions)
    generator = subprocess.Popen([f"{args.tools}/gen_trades", str(args.records)],
                                 stdout=subprocess.PIPE)
    subprocess.run(["kcat", "-P", "-b", args.brokers, "-t", topic, "-X", "linger.ms=20",
                    "-X", "queue.buffering.max.messages=1000000"], stdin=generator.stdout, check=True)
    if generator.wait() != 0 or high_watermark(args, topic) != args.records:
        raise Failed("the input topic could not be filled")


def loop_command(args, source, target, group, guarantee):
    return [f"{args.tools}/kafka_loop", args.brokers, source, target, group, guarantee], {}


def ferris_command(args, source, target, group, guarantee):
    return [args.ferris, "execute", "--file", args.sql], {
        "BROKERS": args.brokers, "IN": source, "OUT": target, "GROUP": group,
        "GUARANTEE": guarantee}


def wait_until_written(args, topic, process, expected):
    """Until the topic holds as many records as expected and grows no more."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    last, since = -1, time.monotonic()
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failed(f"ended by itself with status {process.returncode}")
        high = high_watermark(args, topic)
        if high != last:
            last, since = high, time.monotonic()
        elif high >= expected and time.monotonic() - since > QUIET_SECONDS:
            return
        time.sleep(0.1)
    raise Failed(f"{last} of {expected} records after {DEADLINE_SECONDS} s")


def read_times(args, topic):
    """The append times of all committed records, in milliseconds."""
    text = subprocess.run(["kcat", "-C", "-b", args.brokers, "-t", topic, "-o", "beginning", "-e", "-q",
                           "-X", "isolation.level=read_committed", "-f", "%T\\n"],
                          capture_output=True, check=True, text=True).stdout
    return [int(line) for line in text.split()]


def run_once(args, command, source, guarantee, expected):
    name = uuid.uuid4().hex[:8]
    target = f"bench-out-{name}"
    tool(args, "create", target, args.partitions, "message.timestamp.type=LogAppendTime")
    arguments, environment = command(args, source, target, f"bench-{name}", guarantee)
    result = os.path.join(ROOT, "build", f"kafka-{name}.json")
    log = os.path.join(ROOT, "build", f"kafka-{name}.log")
    with open(log, "w+", encoding="utf-8") as errors:
        process = subprocess.Popen([f"{args.tools}/measure", result, *arguments], stderr=errors,
                                   stdout=errors, env=dict(os.environ, **environment), cwd=ROOT)
        try:
            wait_until_written(args, target, process, expected)
        except Failed as failure:
            errors.seek(0)
            raise Failed(f"{failure}: {errors.read().strip()[-300:]}") from failure
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
    times = read_times(args, target)
    tool(args, "delete", target)
    os.unlink(log)
    if len(times) != expected:
        raise Failed(f"{len(times)} records in the output instead of {expected}")
    with open(result, encoding="utf-8") as file:
        usage = json.load(file)
    os.unlink(result)
    seconds = max((max(times) - min(times)) / 1000, 0.001)
    return {"rate": args.records / seconds, "rss_mb": usage["rss_kb"] / 1024,
            "cpu_us": (usage["user"] + usage["system"]) / args.records * 1e6}


def run_guarantee(args, source, guarantee):
    """Best rate of each contender; True when all went well."""
    contenders = {"loop": loop_command, "ferris": ferris_command}
    expected = {"loop": args.records, "ferris": args.expected}
    runs = {name: [] for name in contenders}
    fine = True
    for _ in range(args.runs):
        for name, command in list(contenders.items()):
            try:
                runs[name].append(run_once(args, command, source, guarantee, expected[name]))
            except Failed as failure:
                print(f"{guarantee} {name}: {failure}")
                del contenders[name]
                runs[name] = []
                fine = False
    best = {name: max(r["rate"] for r in found) for name, found in runs.items() if found}
    for name, found in runs.items():
        if not found:
            continue
        share = f"{best[name] / best['loop']:.2f}" if "loop" in best else "-"
        print(f"{guarantee:14}{name:8}{best[name] / 1000:10.0f}{share:>8}"
              f"{min(r['cpu_us'] for r in found):10.2f}{max(r['rss_mb'] for r in found):8.0f}")
    return fine


LATENCY_SQL = """
CREATE STREAM ticks (t BIGINT, n BIGINT, price DECIMAL(18,4), quantity INTEGER, symbol STRING)
WITH ('connector' = 'kafka', 'kafka.topic' = '${IN}', 'kafka.bootstrap.servers' = '${BROKERS}',
      'kafka.group.id' = '${GROUP}', 'format' = 'json');
CREATE STREAM out AS SELECT t, symbol, price * quantity AS notional FROM ticks
WITH ('connector' = 'kafka', 'kafka.topic' = '${OUT}', 'kafka.bootstrap.servers' = '${BROKERS}',
      'format' = 'json', 'delivery.guarantee' = '${GUARANTEE}'%s);
"""


def measure_latency(args, guarantee):
    """What kafka_latency says: percentiles of the time from producer to a consumer that reads
    committed records."""
    name = uuid.uuid4().hex[:8]
    source, target = f"latency-in-{name}", f"latency-out-{name}"
    tool(args, "create", source, 1)
    tool(args, "create", target, 1)
    path = os.path.join(ROOT, "build", f"latency-{name}.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write(LATENCY_SQL % (f", {args.options}" if args.options else ""))
    args.sql = path
    arguments, environment = ferris_command(args, source, target, f"latency-{name}", guarantee)
    process = subprocess.Popen(arguments, env=dict(os.environ, **environment), cwd=ROOT,
                               stderr=subprocess.DEVNULL)
    try:
        run = subprocess.run([f"{args.tools}/kafka_latency", args.brokers, source, target,
                              str(args.rate), str(args.seconds)], capture_output=True, text=True)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        os.unlink(path)
    if run.returncode != 0:
        raise Failed(run.stderr.strip())
    return run.stdout.strip()


def run_latency(args, guarantee):
    try:
        print(f"{guarantee:14} {args.rate} records/s, {measure_latency(args, guarantee)}")
        return True
    except Failed as failure:
        print(f"{guarantee:14} {failure}")
        return False


def main(arguments):
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--expected", type=int, help="records in the output, when the SQL filters")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--guarantees", default="at-least-once")
    parser.add_argument("--sql", default=f"{BENCH}/sql/kafka.sql")
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--options", default="", help="further options of the latency query")
    parser.add_argument("--ferris", default=f"{ROOT}/build/release/ferris-sql")
    parser.add_argument("--tools", default=f"{ROOT}/build/release/bench")
    parser.add_argument("--kafka-tool", default=f"{ROOT}/build/release/tests/kafka_tool")
    args = parser.parse_args(arguments)
    args.expected = args.expected or args.records
    running = subprocess.run([KAFKA, "status"], capture_output=True).returncode == 0
    subprocess.run([KAFKA, "start"], check=True)
    source = f"bench-in-{uuid.uuid4().hex[:8]}"
    fine = True
    try:
        args.brokers = subprocess.run([KAFKA, "address"], capture_output=True, text=True,
                                      check=True).stdout.strip()
        if args.latency:
            return 0 if all([run_latency(args, one) for one in args.guarantees.split(",")]) else 1
        fill(args, source)
        print(f"{args.records} records, {args.partitions} partitions, best of {args.runs} runs;"
              f" goal {GOAL:.2f} of the loop")
        print(f"{'':14}{'':8}{'k rec/s':>10}{'of loop':>8}{'CPU us':>10}{'RSS MB':>8}")
        for guarantee in args.guarantees.split(","):
            fine = run_guarantee(args, source, guarantee) and fine
        tool(args, "delete", source)
    except Failed as failure:
        print(f"bench kafka: {failure}")
        fine = False
    finally:
        if not running:
            subprocess.run([KAFKA, "stop"], check=False)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
