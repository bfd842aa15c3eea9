"""The kill tests, over and over, for so many minutes; figures of all rounds together.

    ./dev soak [MINUTES]        default 30; the broker of ./dev kafka is used
    ./dev soak MINUTES brokers  three brokers, which are killed too

Each round takes a query at random, kills its process some dozen times while records flow in, and
compares the whole output with what it must be.  The first difference ends it; its seed is printed.
"""
import random
import sys
import time
import traceback

import brokers
import harness
import test_exactly_once
import test_partitioned
import test_state

ROUNDS = [
    ("counts", test_state.test_counts_have_no_gap),
    ("windows", test_state.test_windows_close_once),
    ("distinct", test_state.test_what_is_distinct_comes_once),
    ("lags", test_state.test_rows_know_those_before_them),
    ("sessions", test_state.test_sessions_end_once),
    ("pairs", test_state.test_pairs_meet_once),
    ("filter, processes join and leave", test_exactly_once.test_processes_come_and_go),
    ("counts by partition", test_partitioned.test_counts_go_with_their_partition),
    ("windows by partition", test_partitioned.test_windows_close_once),
    ("counts by another column", test_partitioned.test_groups_by_another_column),
    ("windows by another column", test_partitioned.test_windows_by_another_column),
    ("a join by another column", test_partitioned.test_a_stream_meets_itself),
]
OF_BROKERS = [
    ("leaders killed", brokers.test_the_leaders_are_killed),
    ("coordinators killed", brokers.test_the_coordinators_are_killed),
    ("queries start while one is gone", brokers.test_queries_start_while_one_is_gone),
    ("rolling restart", brokers.test_one_after_the_other_is_restarted),
    ("two of three gone", brokers.test_two_of_three_are_gone),
    ("processes and brokers killed", brokers.test_processes_are_killed_with_brokers),
    ("processes frozen", brokers.test_a_process_that_was_frozen_goes_on),
]


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    until = time.monotonic() + 60 * minutes
    several = sys.argv[2:] == ["brokers"]
    rounds = 0
    test_state.MORE_KILLS = 3
    test_partitioned.MORE_ROUNDS = 2
    while time.monotonic() < until:
        name, function = random.choice(OF_BROKERS if several else ROUNDS)
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
    done = [test_state.TOTALS, test_exactly_once.TOTALS, test_partitioned.TOTALS, brokers.TOTALS]
    print(f"{rounds} rounds, {sum(one['kills'] for one in done)} kills, "
          f"{sum(one['records'] for one in done)} records, 0 lost, 0 doubled")


if __name__ == "__main__":
    main()
