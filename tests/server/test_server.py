"""tests/server/test_server.py -- ferris-sql server: what its port tells, against what really happened.

    python3 tests/server/test_server.py [NAME...]"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../integration"))
import harness  # noqa: E402
from harness import PROGRAM  # noqa: E402

SOURCE = os.path.join(os.path.dirname(__file__), "../../src")
DEADLINE = 60
SAMPLE = re.compile(r'^(ferrisstreams_[a-z0-9_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parse_labels(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"labels: {text}"
        assert match[1] not in labels, f"a label twice: {text}"
        labels[match[1]] = match[2].replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
        at = match.end()
    return labels


def parse_metrics(text):
    """name -> kind, and (name, labels as a sorted tuple) -> value; strict about the format."""
    kinds, helped, values, families = {}, set(), {}, []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped, f"HELP twice: {line}"
            helped.add(name)
        elif line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:]
            assert name in helped and name not in kinds, line
            kinds[name] = kind
            families.append(name)
        else:
            match = SAMPLE.match(line)
            assert match, f"not a sample: {line!r}"
            family = next((name for name in (match[1], re.sub("_(bucket|sum|count)$", "", match[1]))
                           if name in kinds), None)
            assert family == families[-1], f"not among its own: {line}"
            key = match[1], tuple(sorted(parse_labels(match[2] or "").items()))
            assert key not in values, f"twice: {line}"
            values[key] = float(match[3])
    return kinds, values


class Place(harness.Folder):
    def __init__(self):
        super().__init__()
        self.servers = []

    def append(self, name, lines):
        with open(self.path(name), "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def lines(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def serve(self, sql, *options, preexec_fn=None):
        server = Server(self, sql, options, preexec_fn)
        self.servers.append(server)
        return server

    def close(self, failed):
        for server in self.servers:
            server.process.kill()
            out, err = server.process.communicate()
            if failed:
                print(f"# {out}{err[-3000:]}")
        super().close(failed)


class Server:
    def __init__(self, place, sql, options=(), preexec_fn=None):
        self.place = place
        self.port = free_port()
        with open(place.path("app.sql"), "w", encoding="utf-8") as file:
            file.write(sql)
        environment = dict(os.environ, XDG_STATE_HOME=place.path("state"))
        self.process = subprocess.Popen(
            [PROGRAM, "server", "--file", "app.sql", "--enable-metrics", "--metrics-port",
             str(self.port), *options],
            cwd=place.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=preexec_fn)
        self.wait_for("an answer", self.answers)

    def answers(self):
        try:
            return self.ask("/jobs")[0] == 200
        except OSError:
            return False

    def ask(self, path, method="GET", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, dict(answer.getheaders())

    def text(self, path):
        status, text, _ = self.ask(path)
        assert status == 200, f"{path}: {status} {text}"
        return text

    def json(self, path):
        return json.loads(self.text(path))

    def metric(self, name, **labels):
        _, values = parse_metrics(self.text("/metrics"))
        return values[f"ferrisstreams_{name}", tuple(sorted(labels.items()))]

    def job(self, name):
        return next(job for job in self.json("/report.json")["jobs"] if job["name"] == name)

    def wait_for(self, what, condition):
        deadline = time.monotonic() + DEADLINE
        while not (value := condition()):
            assert self.process.poll() is None, f"it ended: {self.process.communicate()}"
            assert time.monotonic() < deadline, f"no {what}"
            time.sleep(0.02)
        return value

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, err


def watched(batch=""):
    return f"""-- SQL Application: shop
CREATE STREAM orders (id BIGINT, price DECIMAL(12,2))
WITH ('connector' = 'file', 'path' = 'in.jsonl', 'format' = 'json', 'watch' = 'true');
CREATE STREAM big AS SELECT id, price FROM orders WHERE price > 10
WITH ('connector' = 'file', 'path' = 'out.jsonl', 'format' = 'json'{batch});
"""


def rows(first, count):
    """Every second one is below 10."""
    return [f'{{"id":{i},"price":{20 if i % 2 else 5}.50}}' for i in range(first, first + count)]


def test_metrics_move_with_what_is_read(place):
    place.append("in.jsonl", rows(0, 10))
    server = place.serve(watched(", 'batch.strategy' = 'FixedSize', 'batch.batch_size' = '4', "
                                 "'batch.timeout_ms' = '200'"))
    server.wait_for("ten records", lambda: server.metric("job_records_processed_total", job="big") == 10)
    place.append("in.jsonl", rows(10, 7))
    server.wait_for("the others", lambda: server.metric("job_records_processed_total", job="big") == 17)
    server.wait_for("their rows", lambda: len(place.lines("out.jsonl")) == 8)
    server.wait_for("the last batch", lambda: server.metric("job_batch_records_total", job="big") == 17)
    kinds, values = parse_metrics(server.text("/metrics"))
    value = {(name, dict(labels).get("origin", "")): value for (name, labels), value in values.items()
             if not name.endswith("_bucket")}
    assert kinds["ferrisstreams_latency_seconds"] == "histogram"
    assert kinds["ferrisstreams_job_records_processed_total"] == "counter"
    in_bytes = os.path.getsize(place.path("in.jsonl"))
    out_bytes = os.path.getsize(place.path("out.jsonl"))
    for name, expected in (("queries_total", 1), ("jobs_active", 1), ("records_processed_total", 17),
                           ("bytes_processed_total", in_bytes), ("job_bytes_processed_total", in_bytes),
                           ("job_rows_written_total", 8), ("job_bytes_written_total", out_bytes),
                           ("job_rows_filtered_total", 9), ("job_records_failed_total", 0),
                           ("job_batch_records_total", 17), ("batch_size_records_sum", 17),
                           ("job_up", 1), ("job_failed", 0), ("health_status", 0), ("job_lag", 0)):
        assert value[f"ferrisstreams_{name}", ""] == expected, (name, value[f"ferrisstreams_{name}", ""])
    batches = value["ferrisstreams_job_batches_total", ""]
    assert value["ferrisstreams_batch_size_records_count", ""] == batches and 5 <= batches <= 17
    assert value["ferrisstreams_config_decisions_total", "strategy"] > 0
    for name in ("throughput_records_per_second", "throughput_bytes_per_second", "uptime_seconds",
                 "memory_allocated_bytes", "memory_peak_bytes", "query_duration_seconds",
                 "job_throughput_records_per_second", "pool_hits_total"):
        assert value[f"ferrisstreams_{name}", ""] > 0, name
    assert server.stop()[0] == 0


def test_every_row_of_the_lists_is_a_metric(place):
    place.append("in.jsonl", rows(0, 1))
    server = place.serve(watched())
    kinds, _ = parse_metrics(server.text("/metrics"))
    names = set()
    for path, pattern in (("job/counter_list.h", r'^COUNTER\(\w+, "(\w+)"'),
                          ("job/histogram_list.h", r'^HISTOGRAM\(\w+, "(\w+)"'),
                          ("server/metric_list.h", r'^(?:PROCESS|JOB)\("(\w+)"')):
        with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
            found = re.findall(pattern, file.read(), re.M)
        assert found, path
        names |= {f"ferrisstreams_{name}" for name in found}
    assert set(kinds) == names, set(kinds) ^ names


def test_histograms_are_consistent(place):
    place.append("in.jsonl", rows(0, 5000))
    server = place.serve(watched(", 'batch.strategy' = 'AdaptiveSize'"))
    server.wait_for("all", lambda: server.metric("job_records_processed_total", job="big") == 5000)
    kinds, values = parse_metrics(server.text("/metrics"))
    series = {}
    for (name, labels), value in values.items():
        if not name.endswith("_bucket"):
            continue
        labels = dict(labels)
        bound = float(labels.pop("le"))
        assert labels["strategy"] == "AdaptiveSize", labels
        series.setdefault((name[:-7], tuple(sorted(labels.items()))), []).append((bound, value))
    assert len(series) == 5
    for (name, labels), buckets in series.items():
        bounds, counts = zip(*buckets)
        assert list(bounds) == sorted(bounds) and bounds[-1] == float("inf")
        assert list(counts) == sorted(counts) and counts[-1] == values[f"{name}_count", labels]
        if name == "ferrisstreams_latency_seconds":
            assert counts[-1] == 5000 and values[f"{name}_count", labels] == 5000
            assert dict(labels)["component"] == "wait" or values[f"{name}_sum", labels] > 0


def test_report_lists_every_option(place):
    place.append("in.jsonl", rows(0, 3))
    sql = watched(", 'batch.strategy' = 'LowLatency', 'source.read_buffer_size' = '8192'")
    server = place.serve(sql, "--set", "sink.write_buffer_size=4096")
    options = server.job("big")["options"]
    explained = subprocess.run(
        [PROGRAM, "explain", "--file", "app.sql", "--output", "json", "--set",
         "sink.write_buffer_size=4096"], cwd=place.folder, capture_output=True, text=True, check=True)
    assert options == json.loads(explained.stdout)["statements"][-1]["options"]
    text = server.text("/report")
    for option in options:
        line = (f"    {option['scope']} '{option['object']}': {option['name']} = "
                f"'{option['value']}' ({option.get('place', option['origin'])})")
        assert line in text, line
        assert option.get("reason", "") in text, option
    assert "read_buffer_size = '8192' (user): stands above '4096', which LowLatency suggests" in text
    assert "write_buffer_size = '4096' (--set)" in text


def test_report_tells_the_effect_of_a_strategy(place):
    place.append("in.jsonl", rows(0, 12))
    server = place.serve(watched(", 'source.batch.strategy' = 'FixedSize', "
                                 "'source.batch.batch_size' = '5', 'source.batch.timeout_ms' = '200'"))
    server.wait_for("the last batch", lambda: server.job("big")["counters"]["batch_rows"] == 12)
    server.wait_for("all", lambda: server.job("big")["counters"]["rows_out"] == 6)
    job = server.job("big")
    assert job["counters"]["records_in"] == 12
    size = job["distributions"]["batch_size"]
    assert size["max"] <= 5 and size["count"] == job["counters"]["batches"]
    assert job["distributions"]["latency_us"]["count"] == 12
    assert job["distributions"]["latency_us"]["p99"] > 0
    text = server.text("/report")
    assert f"source 'orders', strategy FixedSize: {size['count']} batches of p50 {size['p50']}" in text
    assert "books: in 12 + results 0 = out 6 + filtered 6 + aggregated 0" in text
    assert re.search(r"latency: p50 [0-9.]+ ms, p95 ", text)


TWO = """
CREATE STREAM good (id BIGINT) WITH ('connector' = 'file', 'path' = 'good.jsonl', 'format' = 'json',
                                     'watch' = 'true');
CREATE STREAM bad (id BIGINT) WITH ('connector' = 'file', 'path' = 'bad.jsonl', 'format' = 'json',
                                    'watch' = 'true');
CREATE STREAM from_good AS SELECT id FROM good
WITH ('connector' = 'file', 'path' = 'out_good.jsonl', 'format' = 'json');
CREATE STREAM from_bad AS SELECT id FROM bad
WITH ('connector' = 'file', 'path' = 'out_bad.jsonl', 'format' = 'json');
"""


def test_one_failure_stops_no_other(place):
    place.append("good.jsonl", ['{"id":1}'])
    place.append("bad.jsonl", ['{"id":1}'])
    server = place.serve(TWO)
    server.wait_for("both", lambda: server.metric("jobs_active") == 2)
    assert server.json("/health")["status"] == "Healthy"
    place.append("bad.jsonl", ['{"id":"x"}'])
    server.wait_for("the failure", lambda: server.metric("job_failed", job="from_bad") == 1)
    health = server.json("/health")
    assert health["status"] == "Warning" and health["issues"] == [] and health["job_count"] == 1
    assert "from_bad" in health["warnings"][0] and "bad.jsonl:2" in health["warnings"][0]
    jobs = {job["name"]: job for job in server.json("/jobs")}
    assert "column 'id'" in jobs["from_bad"]["status"]["Failed"]
    assert jobs["from_good"]["status"] == "Running"
    place.append("good.jsonl", ['{"id":2}'])
    server.wait_for("what goes on", lambda: len(place.lines("out_good.jsonl")) == 2)
    place.append("good.jsonl", ['{"id":"y"}'])
    server.wait_for("the other", lambda: server.metric("job_failed", job="from_good") == 1)
    status, text, _ = server.ask("/health")
    assert status == 503 and json.loads(text)["status"] == "Critical", text
    assert len(json.loads(text)["issues"]) == 2
    assert "Failed" in server.text("/report")
    code, err = server.stop()
    assert code == 0 and err.count("error[FS2002]") == 2, err


def test_one_that_cannot_begin_stops_no_other(place):
    place.append("good.jsonl", ['{"id":1}'])
    place.append("bad.jsonl", ['{"id":1}'])
    os.mkdir(place.path("out_bad.jsonl"))
    server = place.serve(TWO)
    server.wait_for("the good one", lambda: place.lines("out_good.jsonl") == ['{"id":1}'])
    server.wait_for("the bad one", lambda: server.metric("job_failed", job="from_bad") == 1)
    assert server.json("/health")["status"] == "Warning"


def test_a_bounded_job_stays_listed(place):
    place.append("in.jsonl", rows(0, 4))
    server = place.serve(watched().replace(", 'watch' = 'true'", ""))
    server.wait_for("its end", lambda: server.json("/jobs")[0]["status"] == "Stopped")
    assert server.metric("jobs_active") == 0
    assert server.json("/health")["status"] == "Healthy"
    assert server.json("/jobs")[0]["metrics"]["records_processed"] == 4
    assert server.stop(signal.SIGINT)[0] == 0


def test_names_that_want_escaping(place):
    place.append("in.jsonl", rows(0, 1))
    name = 'a "b" \\c\nd'
    quoted = '"' + name.replace('"', '""') + '"'
    server = place.serve(watched(", 'batch.strategy' = 'LowLatency'").replace("STREAM big", f"STREAM {quoted}"))
    assert server.metric("job_up", job=name) in (0, 1)
    assert server.json("/jobs")[0]["name"] == name
    assert server.json("/report.json")["jobs"][0]["name"] == name
    assert "  - a \"b\" \\c?d: " in server.text("/report")
    _, err = server.stop()
    assert all(line.startswith(("config: a \"b\" \\c?d, ", "metrics: ")) for line in err.splitlines()), err


def test_latency_counts_the_wait_for_a_batch(place):
    place.append("in.jsonl", rows(0, 3))
    server = place.serve(watched(", 'source.batch.strategy' = 'FixedSize', "
                                 "'source.batch.batch_size' = '5', 'source.batch.timeout_ms' = '300'"))
    server.wait_for("what was there", lambda: server.job("big")["counters"]["batch_rows"] == 3)
    place.append("in.jsonl", rows(3, 2))
    server.wait_for("the batch", lambda: server.job("big")["counters"]["batch_rows"] == 5)
    server.wait_for("its rows", lambda: server.job("big")["distributions"]["latency_us"]["count"] == 5)
    found = server.job("big")["distributions"]
    assert found["wait_us"]["max"] >= 200000, found  # polls of the file are some milliseconds apart
    assert found["latency_us"]["max"] > found["wait_us"]["max"], found


def test_secrets_are_not_told(place):
    if "/tsan/" in PROGRAM:
        print("# not with ThreadSanitizer, which does not know of threads that librdkafka starts")
        return
    sql = watched().replace("'connector' = 'file', 'path' = 'out.jsonl'", """
        'connector' = 'kafka', 'kafka.topic' = 't', 'kafka.bootstrap.servers' = 'embedded',
        'kafka.sasl.password' = 'hush-1', 'kafka.ssl.key.password' = 'hush-2'""")
    place.append("in.jsonl", rows(0, 1))
    server = place.serve(sql, "--set", "kafka.sasl.password=hush-3")
    for path in ("/report", "/report.json", "/metrics", "/jobs", "/health"):
        assert "hush" not in server.text(path), path
    shown = {option["name"]: option for option in server.job("big")["options"]}
    assert shown["sasl.password"]["value"] == "****" and shown["sasl.password"]["place"] == "--set"
    _, err = server.stop()
    assert "sasl.password = '****'" in err and "hush" not in err, err


def test_what_is_not_there(place):
    place.append("in.jsonl", rows(0, 1))
    server = place.serve(watched())
    assert server.ask("/nix")[0] == 404
    assert server.ask("/metrics/")[0] == 404
    status, _, headers = server.ask("/jobs", "POST", "x" * 100000)
    assert status == 405 and headers["Allow"] == "GET, HEAD"
    status, text, headers = server.ask("/metrics", "HEAD")
    assert status == 200 and text == "" and int(headers["Content-Length"]) > 1000
    endpoints = server.json("/")["endpoints"]
    assert set(endpoints) == {"/metrics", "/health", "/report", "/report.json", "/jobs"}
    for path in endpoints:
        assert server.ask(path)[0] == 200


def test_a_port_that_is_taken(place):
    place.append("in.jsonl", rows(0, 1))
    server = place.serve(watched())
    run = subprocess.run([PROGRAM, "server", "--file", "app.sql", "--metrics-port", str(server.port)],
                         cwd=place.folder, capture_output=True, text=True, timeout=DEADLINE)
    assert run.returncode == 3 and f"cannot listen on 127.0.0.1:{server.port}" in run.stderr, run
    assert "Address already in use" in run.stderr and "--metrics-port" in run.stderr, run.stderr
    for wrong in ("70000", "0", "x", "-1"):
        run = subprocess.run([PROGRAM, "server", "--file", "app.sql", "--metrics-port", wrong],
                             cwd=place.folder, capture_output=True, text=True, timeout=DEADLINE)
        assert run.returncode == 2 and "--metrics-port" in run.stderr, run


def test_nothing_listens_unasked(place):
    place.append("in.jsonl", rows(0, 1))
    with open(place.path("app.sql"), "w", encoding="utf-8") as file:
        file.write(watched())
    process = subprocess.Popen([PROGRAM, "server", "--file", "app.sql"], cwd=place.folder,
                               env=dict(os.environ, XDG_STATE_HOME=place.path("state")),
                               stderr=subprocess.PIPE, text=True)
    try:
        while not place.lines("out.jsonl") and process.poll() is None and not os.path.exists(
                place.path("out.jsonl")):
            time.sleep(0.02)
        sockets = [os.readlink(f"/proc/{process.pid}/fd/{fd}")
                   for fd in os.listdir(f"/proc/{process.pid}/fd")]
        assert not [name for name in sockets if name.startswith("socket:")], sockets
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
            assert "microhttpd" not in maps.read()
    finally:
        process.terminate()
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0 and "metrics:" not in err, err


def test_many_ask_while_it_works(place):
    place.append("in.jsonl", rows(0, 60000))
    server = place.serve(watched(", 'batch.strategy' = 'LowLatency'"))
    problems, seen = [], []

    def ask():
        try:
            last = 0
            for path in ["/metrics", "/report", "/report.json", "/health", "/jobs"] * 12:
                text = server.text(path)
                if path == "/metrics":
                    _, values = parse_metrics(text)
                    now = values["ferrisstreams_records_processed_total", ()]
                    assert now >= last, f"{now} after {last}"
                    last = now
                    seen.append(now)
                elif path != "/report":
                    json.loads(text)
        except Exception as problem:  # told by the test's thread
            problems.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems
    server.wait_for("all", lambda: server.metric("job_records_processed_total", job="big") == 60000)
    assert server.stop()[0] == 0
    assert len(place.lines("out.jsonl")) == 30000
    print(f"# {len(seen)} looks, {len(set(seen))} different")


if __name__ == "__main__":
    harness.run(globals(), Place)
