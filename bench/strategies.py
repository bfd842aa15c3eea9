#!/usr/bin/env python3
"""bench/strategies.py -- the batch strategies on one workload, Kafka to Kafka.

    ./dev bench strategies [--records N] [--runs N] [--rate N] [--seconds N] [--ferris PROGRAM]

Throughput, CPU and memory: a topic that is full before the process starts.  Latency: records that come
at an even rate, from the producer to a consumer of the output.  Every strategy has its own defaults, and
the guarantee is at-least-once: with exactly-once the epochs' length hides the difference, and acks is
that of all replicas for all of them.
"""
import argparse
import os
import re
import subprocess
import sys
import uuid

import kafka

ROOT = kafka.ROOT
STRATEGIES = [None, "FixedSize", "TimeWindow", "AdaptiveSize", "MemoryBased", "LowLatency"]
BATCH = 10_000  # the largest that any of them waits for: the input is whole batches


def write_sql(strategy):
    options = f", 'batch.strategy' = '{strategy}'" if strategy else ""
    path = os.path.join(ROOT, "build", f"strategy-{uuid.uuid4().hex[:8]}.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""
CREATE STREAM trades (trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER)
WITH ('connector' = 'kafka', 'kafka.topic' = '${{IN}}', 'kafka.bootstrap.servers' = '${{BROKERS}}',
      'kafka.group.id' = '${{GROUP}}', 'format' = 'json');
CREATE STREAM out AS SELECT trade_id, symbol, price * quantity AS notional FROM trades
WITH ('connector' = 'kafka', 'kafka.topic' = '${{OUT}}', 'kafka.bootstrap.servers' = '${{BROKERS}}',
      'format' = 'json', 'delivery.guarantee' = '${{GUARANTEE}}'{options});
""")
    return path


def throughput(args, source, strategy):
    """The best of several runs."""
    args.sql = write_sql(strategy)
    try:
        runs = [kafka.run_once(args, kafka.ferris_command, source, "at-least-once", args.records)
                for _ in range(args.runs)]
    finally:
        os.unlink(args.sql)
    return max(runs, key=lambda run: run["rate"])


def latency(args, strategy):
    """p50 and p99 in milliseconds."""
    args.options = f"'batch.strategy' = '{strategy}'" if strategy else ""
    text = kafka.measure_latency(args, "at-least-once")
    found = re.search(r"p50 ([\d.]+).*?p99 ([\d.]+)", text)
    if found is None:
        raise kafka.Failed(f"no latency: {text}")
    return found.group(1), found.group(2)


def main(arguments):
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--records", type=int, default=600_000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--ferris", default=f"{ROOT}/build/release/ferris-sql")
    parser.add_argument("--tools", default=f"{ROOT}/build/release/bench")
    parser.add_argument("--kafka-tool", default=f"{ROOT}/build/release/tests/kafka_tool")
    args = parser.parse_args(arguments)
    args.records -= args.records % BATCH
    args.partitions = 1
    running = subprocess.run([kafka.KAFKA, "status"], capture_output=True).returncode == 0
    subprocess.run([kafka.KAFKA, "start"], check=True)
    source = f"bench-in-{uuid.uuid4().hex[:8]}"
    fine = True
    try:
        args.brokers = subprocess.run([kafka.KAFKA, "address"], capture_output=True, text=True,
                                      check=True).stdout.strip()
        kafka.fill(args, source)
        print(f"{args.records} records, best of {args.runs} runs; latency at {args.rate} records/s")
        print(f"{'':14}{'k rec/s':>10}{'CPU us':>10}{'RSS MB':>10}{'p50 ms':>10}{'p99 ms':>10}")
        for strategy in STRATEGIES:
            best = throughput(args, source, strategy)
            p50, p99 = latency(args, strategy)
            print(f"{strategy or 'none':14}{best['rate'] / 1000:10.0f}{best['cpu_us']:10.2f}"
                  f"{best['rss_mb']:10.0f}{p50:>10}{p99:>10}", flush=True)
        kafka.tool(args, "delete", source)
    except kafka.Failed as failure:
        print(f"bench strategies: {failure}")
        fine = False
    finally:
        if not running:
            subprocess.run([kafka.KAFKA, "stop"], check=False)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
