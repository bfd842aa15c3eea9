"""tests/integration/harness.py -- what the tests on a real Kafka share.

A test file has functions named test_*, each taking a Kafka, and ends with `harness.run(globals())`.
./dev test starts the broker and sets FERRIS_BROKER, FERRIS_SQL and FERRIS_TOOLS; by hand:

    ./dev kafka start && python3 tests/integration/test_broker.py [NAME...]

Every test makes topics and groups of its own names, so tests do not disturb one another.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEADLINE_SECONDS = 60
BROKER = os.environ.get("FERRIS_BROKER", "127.0.0.1:19092")
PROGRAM = os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql")
TOOL = os.environ.get("FERRIS_TOOLS", f"{ROOT}/build/release/tests") + "/kafka_tool"


class Folder:
    """The place of a test that needs no broker: a folder, which goes with it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ferris-test-")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode="w"):
        with open(self.path(name), mode, encoding="utf-8") as file:
            file.write(text)

    def close(self, _failed):
        shutil.rmtree(self.folder)


class Job:
    """A ferris-sql process; its output goes to files that a failing test prints."""

    def __init__(self, folder, arguments, environment=None):
        self.log = os.path.join(folder, f"job-{uuid.uuid4().hex[:6]}.log")
        self.file = open(self.log, "w+b")
        self.process = subprocess.Popen([PROGRAM, *arguments], stdout=self.file, stderr=self.file,
                                        cwd=folder, env=dict(os.environ, XDG_STATE_HOME=folder,
                                                             **(environment or {})))

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        """As a crash does: nothing is flushed, nothing is said."""
        self.process.kill()
        self.process.wait()

    def stop(self, sig=signal.SIGTERM):
        """Drains; returns the exit code."""
        self.process.send_signal(sig)
        return self.process.wait(DEADLINE_SECONDS)


class Kafka:
    """The broker, and the topics and processes of one test."""

    def __init__(self):
        self.broker = BROKER
        self.folder = tempfile.mkdtemp(prefix="ferris-test-")
        self.mark = uuid.uuid4().hex[:8]
        self.topics = []
        self.jobs = []
        self.tool_seconds = None  # how long a tool may take; brokers.py: they wait for brokers

    def tool(self, *arguments, lines=None):
        text = None if lines is None else "".join(f"{line}\n" for line in lines)
        run = subprocess.run([TOOL, self.broker, *map(str, arguments)], input=text, text=True,
                             capture_output=True, timeout=self.tool_seconds)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def name(self, name):
        """A name that no other test has."""
        return f"{name}-{self.mark}"

    def topic(self, name, partitions=1, **config):
        name = self.name(name)
        self.tool("create", name, partitions,
                  *(f"{key.replace('_', '.')}={value}" for key, value in config.items()))
        self.topics.append(name)
        return name

    def produce(self, topic, lines, *options):
        """One record a line; options go to kcat: "-K", "|" for keys."""
        text = "".join(f"{line}\n" for line in lines)
        subprocess.run(["kcat", "-P", "-b", self.broker, "-t", topic, *options], input=text,
                       text=True, check=True, capture_output=True, timeout=self.tool_seconds)

    def read(self, topic, isolation="read_committed"):
        """The values of what is in a topic now, in order within each partition."""
        return self.tool("read", topic, isolation).splitlines()

    def read_as(self, topic, form):
        """Committed records in a kcat format ("%k %h\\n"); only when nobody writes any more."""
        return subprocess.run(
            ["kcat", "-C", "-b", self.broker, "-t", topic, "-o", "beginning", "-e", "-q",
             "-X", "isolation.level=read_committed", "-f", form],
            capture_output=True, check=True, text=True, timeout=DEADLINE_SECONDS).stdout.splitlines()

    def read_json(self, topic):
        return [json.loads(line) for line in self.read(topic)]

    def committed(self, group, topic):
        """partition -> committed offset, None where there is none."""
        found = {}
        for line in self.tool("committed", group, topic).splitlines():
            partition, offset = line.split()[:2]
            found[int(partition)] = int(offset) if int(offset) >= 0 else None
        return found

    def execute(self, sql, *options, environment=None):
        """Starts `ferris-sql execute` on the text; ${BROKER} in it is the broker's address."""
        return self.start("execute", sql, *options, environment=environment)

    def start(self, command, sql, *options, environment=None):
        path = os.path.join(self.folder, f"app-{uuid.uuid4().hex[:6]}.sql")
        with open(path, "w", encoding="utf-8") as file:
            file.write(sql.replace("${BROKER}", self.broker))
        job = Job(self.folder, [command, "--file", path, *options], environment)
        self.jobs.append(job)
        return job

    def wait_for(self, what, condition, seconds=DEADLINE_SECONDS, job=None):
        """The first true value of condition(); fails after the deadline or when the job ends."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            assert job is None or job.alive(), \
                f"the job ended with {job.process.returncode} while waiting for {what}"
            assert time.monotonic() < deadline, f"no {what} within {seconds} s"
            time.sleep(0.1)

    def wait_for_records(self, topic, count, job=None, seconds=DEADLINE_SECONDS):
        """Waits for so many committed records; returns all lines there are."""
        return self.wait_for(f"{count} records in {topic}", lambda: self._at_least(topic, count),
                             seconds, job)

    def _at_least(self, topic, count):
        lines = self.read(topic)
        return lines if len(lines) >= count else None

    def close(self, failed):
        for job in self.jobs:
            if job.alive():
                job.kill()
            if failed:
                print(f"# output of the job:\n{job.text()[-3000:]}")
            job.file.close()
        if self.topics:
            subprocess.run([TOOL, self.broker, "delete", *self.topics], capture_output=True)
        shutil.rmtree(self.folder)


def ten_seconds(text):
    """The number of the window of ten seconds that begins at that timestamp of 1970."""
    second = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return (second.tm_yday - 1) * 8640 + (second.tm_hour * 3600 + second.tm_min * 60 + second.tm_sec) // 10


def windows_of(rows, value, column="symbol"):
    """(the column's value, window) -> value(row); none may come twice."""
    found = {}
    for row in rows:
        key = (row[column], ten_seconds(row["s"]))
        assert key not in found, f"{key} came twice"
        found[key] = value(row)
    return found


def run(names, place=Kafka):
    """Runs the test_* functions, or those named on the command line; TAP, then the count.  Each gets
    a place of its own, whose close() is told whether it failed."""
    tests = [(name, function) for name, function in names.items() if name.startswith("test_")]
    if len(sys.argv) > 1:
        tests = [(name, function) for name, function in tests if name in sys.argv[1:]]
    passed = failed = 0
    for name, function in tests:
        began = time.monotonic()
        own = place()
        problem = None
        try:
            function(own)
        except Exception:
            problem = traceback.format_exc()
        own.close(problem is not None)
        passed, failed = passed + (problem is None), failed + (problem is not None)
        verdict = "ok" if problem is None else "not ok"
        print(f"{verdict} {passed + failed} - {name} ({time.monotonic() - began:.1f} s)", flush=True)
        if problem:
            print("".join(f"# {line}\n" for line in problem.splitlines()), end="", flush=True)
    print(f"1..{len(tests)}\n{passed} passed, {failed} failed", flush=True)
    sys.exit(0 if failed == 0 and passed > 0 else 1)
