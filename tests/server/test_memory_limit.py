"""tests/server/test_memory_limit.py -- MemoryBased under the limit of a real cgroup: another process in
it takes the memory and gives it back.

    python3 tests/server/test_memory_limit.py [NAME...]

Where no cgroup with a limit of memory can be made (no root, a container without the right), the test
says so and is not counted as passed."""
import os
import subprocess
import sys
import time

import test_server as serving
from test_server import Place

LIMIT = 128 << 20
BALLAST = "import sys, time\nx = bytearray(int(sys.argv[1]))\nprint('full', flush=True)\ntime.sleep(600)\n"


class MemoryGroup:
    """A child of this process's own group, with a limit."""

    def __init__(self):
        own = {}
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            for line in file:
                _, controllers, path = line.strip().split(":", 2)
                own[controllers] = path
        places = [("/sys/fs/cgroup" + own.get("", "/"), "memory.max", "memory.current")]
        if "memory" in own:
            places.insert(0, ("/sys/fs/cgroup/memory" + own["memory"], "memory.limit_in_bytes",
                              "memory.usage_in_bytes"))
        for folder, limit, used in places:
            self.folder, self.used_file = f"{folder}/ferris-{os.getpid()}", used
            try:
                os.mkdir(self.folder)
            except OSError:
                continue
            try:
                self.write(limit, LIMIT)
                return
            except OSError:
                os.rmdir(self.folder)
        raise OSError("no cgroup can be made")

    def write(self, name, value):
        # no O_CREAT: a file that is not there is a controller that is not
        with open(os.open(f"{self.folder}/{name}", os.O_WRONLY), "w", encoding="ascii") as file:
            file.write(str(value))

    def used(self):
        with open(f"{self.folder}/{self.used_file}", encoding="ascii") as file:
            return int(file.read())

    def enter(self):
        self.write("cgroup.procs", os.getpid())

    def close(self):
        for _ in range(100):
            try:
                return os.rmdir(self.folder)
            except OSError:  # what ended in it a moment ago
                time.sleep(0.05)


class LimitedPlace(Place):
    def close(self, failed):
        super().close(failed)
        GROUP.close()


def test_batches_follow_the_memory(place):
    place.append("in.jsonl", serving.rows(0, 1))
    server = place.serve(serving.watched(
        ", 'source.batch.strategy' = 'MemoryBased', 'source.batch.memory_check_frequency_ms' = '10'"),
        preexec_fn=GROUP.enter)
    lines = serving.rows(1, 6000)

    def sizes():
        job = server.job("big")
        return job["counters"]["batches_shrunk"], job["counters"]["batches_grown"]

    def feed(what, condition):
        def one():
            place.append("in.jsonl", lines)
            time.sleep(0.05)
            return condition()
        server.wait_for(what, one)

    feed("batches of 5000", lambda: server.job("big")["distributions"]["batch_size"]["max"] == 5000)
    assert sizes() == (0, 0), "there was memory enough"
    free = LIMIT - GROUP.used()
    ballast = subprocess.Popen([sys.executable, "-c", BALLAST, str(free - LIMIT * 6 // 100 - (8 << 20))],
                               preexec_fn=GROUP.enter, stdout=subprocess.PIPE)
    try:
        assert ballast.stdout.readline() == b"full\n"
        assert GROUP.used() > LIMIT * 0.85, GROUP.used()
        feed("smaller ones", lambda: sizes()[0] > 0)
        share = server.json("/health")["metrics"]["memory"]["used_ratio"]
        assert 0.85 < share < 1, share
    finally:
        ballast.kill()
        ballast.communicate()
    feed("larger ones again", lambda: sizes()[1] > 0)
    assert server.stop()[0] == 0


if __name__ == "__main__":
    try:
        GROUP = MemoryGroup()
    except OSError as problem:
        print(f"# no limit can be set: {problem}\n1..0\n0 passed, 0 failed")
        sys.exit(0)
    serving.harness.run(globals(), LimitedPlace)
