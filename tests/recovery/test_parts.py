"""tests/recovery/test_parts.py -- exactly-once from file to the parts of a rotated output: processes
are killed, interrupted and let down by the disk; the parts are those of a process that never was.

    python3 tests/recovery/test_parts.py [NAME...]

As test_files.py, of which it has its tools."""
import glob
import os
import re
import shutil
import signal
import time

import test_files as files
from test_files import (DEADLINE, FILTER, WATCHED, WINDOWS, assert_same, disturbed, harness, interrupt,
                        kill_until_done, killed_and_compared, lines, moments, sql_of, undisturbed,
                        wait_for)

PARTS = "out-part-*.jsonl"
BY_ROWS = ", 'rotate.rows' = '700'"
BY_SIZE = ", 'rotate.size' = '30KB'"


def whole(place, pattern):
    """The rows of all parts, in order; also of those in work."""
    numbers = {int(re.search(r"-part-([0-9]+)", name).group(1)): name
               for name in place.parts(pattern)}
    return b"".join(place.read(numbers[number]) for number in sorted(numbers))


def all_shown(place, rows):
    return whole(place, PARTS) == rows and not glob.glob(f".{PARTS}.*", root_dir=place.folder)


class Shown:
    """Parts under their final names: once there, they never change."""

    def __init__(self, place, pattern):
        self.place, self.pattern, self.parts = place, pattern, {}

    def look(self):
        names = glob.glob(self.pattern, root_dir=self.place.folder)
        for name, content in self.parts.items():
            assert name in names, f"{name} is gone"
        for name in names:
            with open(self.place.path(name), "rb") as file:
                content = file.read()
            assert self.parts.setdefault(name, content) == content, f"{name} has changed"


def killed_in_parts(place, sql, pattern):
    """As killed_and_compared, and parts that were shown once stay as they are."""
    expected, seconds = undisturbed(place, sql, pattern)
    assert expected.count(b"== out-part") > 5 and b".inprogress" not in expected, expected[:300]
    stopped = 0
    while stopped < 8:
        shown = Shown(place, pattern)

        def is_done():
            shown.look()
            return place.holds(pattern, expected)
        stopped += kill_until_done(place, sql, seconds, is_done, look=shown.look)
        shown.look()
        assert_same(place.read(pattern), expected)
        place.remove(pattern)
    print(f"# {stopped} processes were stopped")


def test_parts_by_rows(place):
    place.write("in.jsonl", lines(0, 60000))
    killed_in_parts(place, sql_of(FILTER, sink=BY_ROWS), PARTS)


def test_parts_by_size(place):
    place.write("in.jsonl", lines(0, 60000))
    killed_in_parts(place, sql_of(FILTER, sink=BY_SIZE), PARTS)


def test_parts_of_compressed_csv(place):
    """Each is complete by itself and has its header; where frames end is chance."""
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(FILTER, "out.csv.gz", sink=BY_SIZE, form="csv")
    killed_in_parts(place, sql, "out-part-*.csv.gz")
    place.run_well(sql)
    for name in place.parts("out-part-*.csv.gz"):
        assert place.read(name).startswith(b"id,symbol,double\n")


def test_parts_of_several_tasks(place):
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(FILTER, sink=", 'parallelism' = '3'" + BY_ROWS + BY_SIZE)
    killed_and_compared(place, sql, PARTS)


def test_parts_by_time(place):
    """Their rows together are those of one file.  Many are full before their epoch is final."""
    place.write("in.jsonl", lines(0, 60000))
    expected, seconds = undisturbed(place, sql_of(FILTER), "out.jsonl")
    sql = sql_of(FILTER, sink=", 'rotate.interval' = '3ms', 'commit.interval' = '20ms'")
    stopped = parts = 0
    while stopped < 8:
        shown = Shown(place, PARTS)
        stopped += kill_until_done(place, sql, seconds, lambda: all_shown(place, expected),
                                   look=shown.look)
        shown.look()
        assert all_shown(place, expected), place.parts(PARTS)
        parts += len(place.parts(PARTS))
        place.remove(PARTS)
    print(f"# {stopped} processes were stopped, {parts} parts")
    assert parts > 8


def test_parts_of_groups_begin_anew(place):
    """They are shown when all of them are complete."""
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(WINDOWS, sink=BY_ROWS)
    expected, seconds = undisturbed(place, sql, PARTS)
    interrupted = 0
    while interrupted < 8:
        process = place.start(sql)
        time.sleep(moments.uniform(0.1, 0.8) * seconds)
        process.kill()
        process.communicate()
        interrupted += 1
        if place.holds(PARTS, expected):
            break
        assert glob.glob(PARTS, root_dir=place.folder) == []
    place.run_well(sql)
    assert_same(place.read(PARTS), expected)


def test_parts_are_added_behind_others(place):
    place.write("in.jsonl", lines(0, 30000))
    sql = sql_of(FILTER, sink=", 'append' = 'true'" + BY_ROWS)
    undisturbed(place, sql, PARTS)
    place.run_well(sql)
    rows, count = whole(place, PARTS), len(place.parts(PARTS))
    for run in range(2, 4):
        shown = Shown(place, PARTS)
        kill_until_done(place, sql, 0.5, lambda: all_shown(place, run * rows), look=shown.look)
        shown.look()
        assert all_shown(place, run * rows), place.parts(PARTS)
        assert len(place.parts(PARTS)) == run * count


def test_parts_that_are_taken_away(place):
    """Whoever reads the parts may remove them as soon as they are shown."""
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(FILTER, sink=BY_ROWS)
    expected, seconds = undisturbed(place, sql, PARTS)
    taken = {}

    def take():
        for name in glob.glob(PARTS, root_dir=place.folder):
            assert name not in taken, f"{name} came twice"
            taken[name] = place.read(name)
            os.unlink(place.path(name))
    for _ in range(2000):
        process = place.start(sql)
        until = time.monotonic() + moments.uniform(0.3, 1.0) * seconds
        while time.monotonic() < until and process.poll() is None:
            if place.journals():
                take()
            time.sleep(0.002)
        done = process.poll() == 0
        process.kill()
        process.communicate()
        if done or place.journals():
            take()
        if done:
            break
    assert b"".join(b"== %s\n%s" % (name.encode(), taken[name]) for name in sorted(taken)) == expected


def test_journal_that_has_lost_epochs(place):
    """Parts that were shown after the epoch that is left are made again."""
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(FILTER, sink=BY_ROWS)
    expected, seconds = undisturbed(place, sql, PARTS)
    interrupt(place, sql, seconds, PARTS)
    shutil.copytree(place.path("state"), place.path("older"))
    before = len(place.parts(PARTS))
    for _ in range(200):
        process = place.start(sql)
        time.sleep(moments.uniform(0.2, 0.6) * seconds)
        process.kill()
        process.communicate()
        if len(place.parts(PARTS)) > before + 2 or not place.journals():
            break
    shutil.rmtree(place.path("state"))
    os.rename(place.path("older"), place.path("state"))
    place.run_well(sql)
    assert_same(place.read(PARTS), expected)


def test_followed_file_in_parts(place):
    """A part that a run leaves in work is filled by the next one."""
    place.write("in.jsonl", lines(0, 40000))
    expected, _ = undisturbed(place, sql_of(FILTER, sink=BY_ROWS), PARTS)
    place.write("in.jsonl", "")
    sql = sql_of(FILTER, more=WATCHED, sink=BY_ROWS)
    shown = Shown(place, PARTS)
    for i in range(0, 40000, 1000):
        process = place.start(sql)
        time.sleep(moments.uniform(0, 0.03))
        place.write("in.jsonl", lines(i, i + 1000), "a")
        time.sleep(moments.uniform(0, 0.08))
        process.send_signal(moments.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        process.communicate(timeout=DEADLINE)
        shown.look()
    process = place.start(sql)
    # The followed file does not end: the last part stays in work.
    *_, last = re.findall(rb"== (\S+)\n", expected)
    wait_for("whole output", lambda: place.parts(PARTS)[0] == f".{last.decode()}.inprogress" and
             whole(place, PARTS) == re.sub(rb"== \S+\n", b"", expected), process)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE)
    shown.look()
    os.rename(place.path(f".{last.decode()}.inprogress"), place.path(last.decode()))
    assert_same(place.read(PARTS), expected)


def test_quiet_part_is_completed(place):
    """A part is shown when its time is over, though no row comes."""
    place.write("in.jsonl", lines(0, 500))
    for more in (", 'rotate.interval' = '300ms'",
                 ", 'rotate.interval' = '300ms', 'delivery.guarantee' = 'at-least-once'"):
        process = place.start(sql_of(FILTER, more=WATCHED, sink=more))
        wait_for("part", lambda: place.parts(PARTS) == ["out-part-000001.jsonl"], process)
        place.write("in.jsonl", lines(500, 1000), "a")
        wait_for("part", lambda: place.parts(PARTS) == [
            "out-part-000001.jsonl", "out-part-000002.jsonl"], process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == 0
        place.remove(PARTS)
        shutil.rmtree(place.path("state"), ignore_errors=True)
        place.write("in.jsonl", lines(0, 500))


def test_interrupted_part_of_at_least_once_is_shown(place):
    place.write("in.jsonl", lines(0, 500))
    sql = sql_of(FILTER, more=WATCHED, sink=BY_ROWS + ", 'delivery.guarantee' = 'at-least-once'")
    process = place.start(sql)
    wait_for("rows", lambda: whole(place, PARTS).count(b"\n") > 90, process)
    assert place.parts(PARTS) == [".out-part-000001.jsonl.inprogress"]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE)
    assert place.parts(PARTS) == ["out-part-000001.jsonl"]


def test_rotation_that_comes_or_goes(place):
    """A file and its parts are two outputs: what an interrupted run has left of one stays."""
    place.write("in.jsonl", lines(0, 60000))
    one, parts = sql_of(FILTER), sql_of(FILTER, sink=BY_ROWS)
    for first, left, second, output in ((one, "out.jsonl", parts, PARTS),
                                        (parts, PARTS, one, "out.jsonl")):
        expected, _ = undisturbed(place, second, output)
        whole_run, seconds = undisturbed(place, first, left)
        interrupt(place, first, seconds, left)
        before = place.read(left)
        place.run_well(second)
        assert_same(place.read(output), expected)
        assert_same(place.read(left), before)
        place.remove(output)
        place.run_well(first)
        assert_same(place.read(left), whole_run)
        place.remove(left)


def test_back_to_a_savepoint_with_parts(place):
    """Parts that were shown behind it go, and come again by the new SQL."""
    place.write("in.jsonl", "")
    sql = sql_of(FILTER, more=WATCHED, sink=BY_ROWS)

    def follow(query, count, *options, of=b"\n"):
        process = place.start(query, options)
        wait_for("rows", lambda: whole(place, PARTS).count(of) >= count, process)
        time.sleep(0.1)  # all rows may be there before it listens to signals
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, said
        return whole(place, PARTS).splitlines(keepends=True)
    place.write("in.jsonl", lines(0, 10000))
    early = follow(sql, 1990, "--savepoint", "early")
    assert len(place.parts(PARTS)) == 3
    place.write("in.jsonl", lines(10000, 20000), "a")
    later = follow(sql, 3980)
    names = place.parts(PARTS)
    assert len(names) == 6 and later[:1990] == early
    other = follow(sql.replace("price * 2 AS double", "price * 2 AS twice"), 1990,
                   "--from-savepoint", "early", of=b"twice")
    assert other == early + [row.replace(b"double", b"twice") for row in later[1990:]]
    assert place.parts(PARTS) == names


def test_part_in_work_that_is_gone_or_changed_is_an_error(place):
    place.write("in.jsonl", lines(0, 60000))
    sql = sql_of(FILTER, sink=BY_ROWS)
    expected, seconds = undisturbed(place, sql, PARTS)
    for how in ("it is gone", "it is shorter", "it holds something else"):
        while True:
            interrupt(place, sql, seconds, PARTS)
            name = place.parts(PARTS)[0]
            kept = place.read(name)
            if name.startswith(".") and len(kept) > 300 and len(place.parts(PARTS)) < 12:
                break
        before = place.read(PARTS)
        os.unlink(place.path(name))
        if how != "it is gone":
            with open(place.path(name), "wb") as file:
                file.write(b"x" * (len(kept) if "else" in how else 1))
        code, said = place.run(sql)
        if code == 0:
            continue  # nothing of it was final
        assert code == 3 and "FS3006" in said and how in said, said
        with open(place.path(name), "wb") as file:
            file.write(kept)
        assert_same(place.read(PARTS), before)
        place.run_well(sql)
        assert_same(place.read(PARTS), expected)
        place.remove(PARTS)


def test_two_processes_do_not_write_the_same_parts(place):
    place.write("in.jsonl", lines(0, 1000))
    place.run_well(sql_of(FILTER))
    rows = place.read("out.jsonl").count(b"\n")
    for guarantee in ("exactly-once", "at-least-once"):
        for append, limit in (("false", 700), ("true", 700), ("false", rows), ("true", rows)):
            sql = sql_of(FILTER, more=WATCHED, sink=f", 'rotate.rows' = '{limit}', "
                         f"'delivery.guarantee' = '{guarantee}', 'append' = '{append}'")
            first = place.start(sql)
            wait_for("rows", lambda: whole(place, PARTS).count(b"\n") == rows and
                     (limit > rows or place.parts(PARTS)[0][0] == "o"), first)
            before = place.read(PARTS)
            code, said = place.run(sql, ["--set", "state.dir=other"])  # as if on another machine
            assert code == 3 and "another statement does" in said, said
            assert_same(place.read(PARTS), before)
            first.send_signal(signal.SIGTERM)
            first.communicate(timeout=DEADLINE)
            for folder in ("state", "other"):
                shutil.rmtree(place.path(folder), ignore_errors=True)
            place.remove(PARTS)


# ---------------------------------------------------------------- disks that fail

def small_parts(place, sink="", output="out.jsonl", pattern=PARTS):
    place.write("in.jsonl", lines(0, 1500))
    sql = sql_of(FILTER, output, sink=", 'rotate.rows' = '70'" + sink)
    expected, _ = undisturbed(place, sql, pattern)
    assert expected.count(b"== ") == 5
    return sql, [expected], [pattern]


def test_every_call_fails_in_parts(place):
    sql, expected, names = small_parts(place)
    disturbed(place, "fail", sql, expected, names)


def test_killed_before_every_call_in_parts(place):
    sql, expected, names = small_parts(place)
    disturbed(place, "kill", sql, expected, names)


def test_killed_in_the_middle_of_every_write_of_parts(place):
    sql, expected, names = small_parts(place)
    disturbed(place, "half", sql, expected, names)


def test_every_call_fails_in_compressed_parts(place):
    sql, expected, names = small_parts(place, "", "out.jsonl.gz", "out-part-*.jsonl.gz")
    disturbed(place, "fail", sql, expected, names)


def test_killed_in_the_middle_of_every_write_of_compressed_parts(place):
    sql, expected, names = small_parts(place, "", "out.jsonl.gz", "out-part-*.jsonl.gz")
    disturbed(place, "half", sql, expected, names)


if __name__ == "__main__":
    print(f"# TEST_SEED={files.SEED}")
    harness.run(globals(), files.Place)
