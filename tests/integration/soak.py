"""The kill tests, over and over, for so many minutes; figures of all rounds together.

    ./dev soak [MINUTES]        default 30; the broker of ./dev kafka is used

Each round takes a query at random, kills its process some dozen times while records flow in, and
compares the whole output with what it must be.  The first difference ends it; its seed is printed.
"""
import random
import sys
import time
import traceback

import harness
import test_exactly_once
import test_state

ROUNDS = [
    ("counts", test_state.test_counts_have_no_gap),
    ("windows", test_state.test_windows_close_once),
    ("distinct", test_state.test_what_is_distinct_comes_once),
    ("lags", test_state.test_rows_know_those_before_them),
    ("sessions", test_state.test_sessions_end_once),
    ("pairs", test_state.test_pairs_meet_once),
    ("filter, processes join and leave", test_exactly_once.test_processes_come_and_go),
]


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    until = time.monotonic() + 60 * minutes
    rounds = 0
    test_state.MORE_KILLS = 3
    while time.monotonic() < until:
        name, function = random.choice(ROUNDS)
        kafka = harness.Kafka()
        failed = True
        try:
            function(kafka)
            failed = False
        except Exception:
            traceback.print_exc()
        kafka.close(failed)
        rounds += 1
        print(f"round {rounds}: {name}: {'LOST OR DOUBLED' if failed else 'exact'}", flush=True)
        if failed:
            sys.exit(1)
    done = test_state.TOTALS
    print(f"{rounds} rounds, {done['kills'] + test_exactly_once.TOTALS['kills']} kills, "
          f"{done['records'] + test_exactly_once.TOTALS['records']} records, 0 lost, 0 doubled")


if __name__ == "__main__":
    main()
