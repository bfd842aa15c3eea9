"""tests/recovery/test_epochs.py -- epochs end by rows and by bytes, long before the interval is over.

    python3 tests/recovery/test_epochs.py [NAME...]"""
import signal
import time

from test_files import (DEADLINE, FILTER, SEED, WATCHED, Place, assert_same, harness, lines, record, sql_of,
                        wait_for)


def epochs(place, limit, few, enough):
    """The first `few` lines end no epoch, so many as `enough` do."""
    place.write("in.jsonl", lines(0, few))
    sql = sql_of(FILTER, more=WATCHED).replace(
        "'commit.interval' = '1ms'", f"'commit.interval' = '1h', 'append' = 'true', {limit}")
    process = place.start(sql)
    wait_for("the journal", place.journals, process)  # of what was there before
    before = len(journal(place))
    last = max(i for i in range(few) if record(i)["price"] > 200)
    wait_for("rows", lambda: b'"id":%d,' % last in place.read("out.jsonl"), process)
    time.sleep(0.1)
    assert len(journal(place)) == before
    place.write("in.jsonl", lines(few, enough), "a")
    wait_for("an epoch", lambda: len(journal(place)) > before, process)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=DEADLINE)
    again = place.start(sql)
    time.sleep(0.2)
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=DEADLINE)
    assert again.returncode == 0
    written = place.read("out.jsonl")
    place.run_well(sql_of(FILTER, "all.jsonl"))
    assert_same(written, place.read("all.jsonl"))


def journal(place):
    return place.read(f"state/ferris/jobs/{place.journals()[0]}/journal")


def test_rows(place):
    epochs(place, "'commit.rows' = '1000'", 600, 1500)


def test_bytes(place):
    epochs(place, "'commit.bytes' = '64KB'", 600, 2500)


if __name__ == "__main__":
    print(f"# seed {SEED}")
    harness.run(dict(globals()), Place)
