"""The copy of state on the local disk: a start reads it and what the topic has got since; it is not
believed when it is damaged, or is another topic's."""
import glob
import json
import os
import random
import re
import shutil
import time

import harness
from test_savepoints import expected, places, sql_of, totals
from test_state import line

EACH_TIME = "'state.copy.interval' = '1ms', 'delivery.guarantee'"


def copied_often(place, **other):
    return sql_of(place, **other).replace("'delivery.guarantee'", EACH_TIME)


def folder(kafka):
    found = glob.glob(f"{kafka.folder}/ferris/jobs/*-copy")
    assert len(found) == 1, found
    return found[0]


def count_on(kafka, place, sql, first, end, kill=True, rows=None):
    """Sends records and waits for their counts; returns records of state from the copy and the topic."""
    job = kafka.execute(sql)
    kafka.produce(place["source"], map(line, range(first, end)))
    kafka.wait_for_records(place["target"], rows or end, job)
    if kill:
        job.kill()
    else:
        assert job.stop() == 0, job.text()
    said = re.search(r"(\d+) records of state from the copy on this disk, (\d+) from topic", job.text())
    return ((int(said[1]), int(said[2])) if said else None), job.text()


def check(kafka, place, sent):
    assert totals(kafka.read_json(place["target"])) == expected(range(sent))


def test_a_start_reads_the_copy(kafka):
    place = places(kafka)
    sql = copied_often(place)
    assert count_on(kafka, place, sql, 0, 1000, kill=False)[0] is None
    for step in range(1, 6):
        (copied, read), _ = count_on(kafka, place, sql, step * 1000, (step + 1) * 1000, kill=step % 2 == 0)
        assert copied > 0 and read > 0, (copied, read)  # of the topic at least its number
        check(kafka, place, (step + 1) * 1000)


def test_without_it_the_topic_is_read(kafka):
    place = places(kafka)
    sql = copied_often(place)
    count_on(kafka, place, sql, 0, 1000)
    shutil.rmtree(folder(kafka))
    (copied, read), _ = count_on(kafka, place, sql, 1000, 2000)
    assert copied == 0 and read > 0
    none = sql.replace("'state.copy.interval' = '1ms'", "'state.copy.interval' = '0'")
    shutil.rmtree(folder(kafka))
    (copied, read), _ = count_on(kafka, place, none, 2000, 3000)
    assert copied == 0 and read > 0
    assert glob.glob(f"{kafka.folder}/ferris/jobs/*-copy") == []
    check(kafka, place, 3000)


def test_an_old_copy(kafka):
    """As of a machine that had the statement before: what came since then is in the topic."""
    place = places(kafka)
    sql = copied_often(place)
    count_on(kafka, place, sql, 0, 1000, kill=False)
    path = folder(kafka)
    shutil.copytree(path, f"{kafka.folder}/old")
    for step in range(1, 4):
        count_on(kafka, place, sql, step * 1000, (step + 1) * 1000)
    shutil.rmtree(path)
    shutil.copytree(f"{kafka.folder}/old", path)
    (copied, read), _ = count_on(kafka, place, sql, 4000, 5000)
    assert copied > 0 and read > 0
    check(kafka, place, 5000)


def test_a_damaged_copy(kafka):
    place = places(kafka)
    sql = copied_often(place)
    count_on(kafka, place, sql, 0, 1000, kill=False)
    rng, sent = random.Random(), 1000
    for _ in range(8):
        for name in os.listdir(folder(kafka)):
            path = f"{folder(kafka)}/{name}"
            with open(path, "rb") as file:
                content = bytearray(file.read())
            if not content:
                continue
            if rng.random() < 0.5:
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            else:
                del content[rng.randrange(len(content)):]
            with open(path, "wb") as file:
                file.write(content)
        count_on(kafka, place, sql, sent, sent + 300, kill=rng.random() < 0.5)
        sent += 300
        check(kafka, place, sent)
    count_on(kafka, place, sql, sent, sent + 300, kill=False)
    (copied, _), _ = count_on(kafka, place, sql, sent + 300, sent + 600)
    assert copied > 0, "it is made anew"


def test_another_topic_of_the_same_name(kafka):
    """The copy's positions would fit: its number does not."""
    place = places(kafka)
    sql = copied_often(place)
    count_on(kafka, place, sql, 0, 500, kill=False)
    path = folder(kafka)
    shutil.copytree(path, f"{kafka.folder}/old")
    log = os.path.basename(path)[:-len("-copy")]
    kafka.tool("delete", log)
    time.sleep(1)  # the broker says so before it has done it
    shutil.rmtree(path)
    again = {**place, "target": kafka.topic("seen")}
    sql = copied_often(again)
    # Without state, from where the group stands.
    count_on(kafka, again, sql, 500, 2500, kill=False, rows=2000)
    shutil.rmtree(path)
    shutil.copytree(f"{kafka.folder}/old", path)
    (copied, read), _ = count_on(kafka, again, sql, 2500, 3500, rows=3000)
    assert copied == 0 and read > 0
    rows = kafka.read_json(again["target"])
    assert totals(rows) == expected(range(500, 3500)), (len(rows), rows[:3], totals(rows))


if __name__ == "__main__":
    harness.run(dict(globals()))
