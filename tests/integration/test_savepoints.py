"""Savepoints of statements from topics to topics: a statement that is stopped goes on under another
name, with other SQL, or once more from where it had been, and counts every record once."""
import json
import time
from collections import Counter

import harness
from test_state import COUNTS, SINK, SOURCE, Records, line, record

STATELESS = "CREATE STREAM plain AS SELECT id, symbol FROM trades"


def sql_of(place, query=COUNTS, **other):
    return (SOURCE + query + SINK) % {**place, **other}


def savepoint(kafka, name, sql):
    job = kafka.start("savepoint", sql, f"{kafka.folder}/{name}")
    assert job.process.wait(harness.DEADLINE_SECONDS) == 0, job.text()


def totals(rows):
    """Each key's count, of which none may be missing or come twice."""
    counts = Counter()
    for row in rows:
        counts[row["symbol"]] += 1
        assert row["n"] == counts[row["symbol"]], row
    return counts


def expected(ids):
    return Counter(record(i)["symbol"] for i in ids)


def places(kafka):
    return {"source": kafka.topic("in", 2), "target": kafka.topic("out"), "group": kafka.name("group")}


def test_another_group_and_another_query(kafka):
    """The positions are the savepoint's, not those of the new group."""
    place = places(kafka)
    kafka.produce(place["source"], map(line, range(2000)))
    job = kafka.execute(sql_of(place))
    kafka.wait_for_records(place["target"], 2000, job)
    assert job.stop() == 0, job.text()
    savepoint(kafka, "one", sql_of(place))
    kafka.produce(place["source"], map(line, range(2000, 3000)))
    changed = sql_of(place, COUNTS.replace("GROUP BY", "WHERE id %% 2 = 0 GROUP BY"),
                     group=kafka.name("other"))
    kept = [i for i in range(3000) if i < 2000 or i % 2 == 0]
    for _ in range(4):  # killed while it starts
        job = kafka.execute(changed, "--from-savepoint", f"{kafka.folder}/one")
        time.sleep(0.15)
        job.kill()
    job = kafka.execute(changed, "--from-savepoint", f"{kafka.folder}/one")
    kafka.wait_for_records(place["target"], len(kept), job)
    assert job.stop() == 0, job.text()
    assert totals(kafka.read_json(place["target"])) == expected(kept)


def test_back_to_where_it_had_been(kafka):
    """Under the same name: what the log held since then is gone, what came out of it is not."""
    place = places(kafka)
    kafka.produce(place["source"], map(line, range(1000)))
    job = kafka.execute(sql_of(place), "--savepoint", f"{kafka.folder}/one")
    kafka.wait_for_records(place["target"], 1000, job)
    assert job.stop() == 0, job.text()
    kafka.produce(place["source"], [json.dumps({**record(i), "symbol": "late"}) for i in range(1000)])
    job = kafka.execute(sql_of(place))
    kafka.wait_for_records(place["target"], 2000, job)
    assert job.stop() == 0, job.text()
    again = kafka.topic("again")
    job = kafka.execute(sql_of(place, COUNTS.replace("GROUP BY", "WHERE id < 500 GROUP BY"), target=again),
                        "--from-savepoint", f"{kafka.folder}/one")
    kafka.wait_for_records(again, 500, job)
    kafka.produce(place["source"], map(line, range(500)))
    kafka.wait_for_records(again, 1000, job)
    assert job.stop() == 0, job.text()
    rows = kafka.read_json(again)
    assert [row["n"] for row in rows if row["symbol"] == "late"] == list(range(1, 501))
    assert totals(row for row in kafka.read_json(place["target"])[:1000] + rows
                  if row["symbol"] != "late") == expected(range(1000)) + expected(range(500))


def test_another_topic_is_refused(kafka):
    place = places(kafka)
    kafka.produce(place["source"], map(line, range(100)))
    job = kafka.execute(sql_of(place), "--savepoint", f"{kafka.folder}/one")
    kafka.wait_for_records(place["target"], 100, job)
    assert job.stop() == 0, job.text()
    job = kafka.execute(sql_of(place, source=kafka.topic("else", 2)), "--from-savepoint", f"{kafka.folder}/one")
    assert job.process.wait(harness.DEADLINE_SECONDS) == 3, job.text()
    assert "goes on behind what was read of 'in-" in job.text(), job.text()


def test_a_statement_without_state_follows_its_group(kafka):
    place = places(kafka)
    kafka.produce(place["source"], map(line, range(1000)))
    sql = sql_of(place, STATELESS)
    job = kafka.execute(sql, "--savepoint", f"{kafka.folder}/one")
    kafka.wait_for_records(place["target"], 1000, job)
    assert job.stop() == 0, job.text()
    kafka.produce(place["source"], map(line, range(1000, 1500)))
    job = kafka.execute(sql, "--from-savepoint", f"{kafka.folder}/one")
    kafka.wait_for_records(place["target"], 1500, job)
    assert job.stop() == 0, job.text()
    assert sorted(row["id"] for row in kafka.read_json(place["target"])) == list(range(1500))


def test_a_savepoint_is_of_statements_that_are_stopped(kafka):
    place = places(kafka)
    kafka.produce(place["source"], map(line, range(100)))
    job = kafka.execute(sql_of(place))
    kafka.wait_for_records(place["target"], 100, job)
    other = kafka.start("savepoint", sql_of(place), f"{kafka.folder}/one")
    assert other.process.wait(harness.DEADLINE_SECONDS) == 1, other.text()
    assert "another process on this machine" in other.text(), other.text()
    assert job.alive() and job.stop() == 0, job.text()


if __name__ == "__main__":
    harness.run(dict(globals()))
