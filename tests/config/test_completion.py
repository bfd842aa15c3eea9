"""tests/config/test_completion.py -- what bash completes, and what --help says, is what the lists say."""
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import harness  # noqa: E402 -- of tests/integration
from harness import PROGRAM  # noqa: E402


def complete(*words):
    """The proposals for the last of the words."""
    script = (f"source <({PROGRAM} completion bash); COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); "
              "_ferris_sql; printf '%s\\n' \"${COMPREPLY[@]}\"")
    run = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    return run.stdout.split()


def test_commands(_):
    assert complete("ferris-sql", "exp") == ["explain"]
    assert "execute" in complete("ferris-sql", "") and "completion" in complete("ferris-sql", "")


def test_flags_and_their_words(_):
    assert complete("ferris-sql", "explain", "--out") == ["--output"]
    assert complete("ferris-sql", "explain", "--output", "j") == ["json"]
    assert "--drop-state" in complete("ferris-sql", "execute", "--")


def test_options_and_their_values(_):
    assert complete("ferris-sql", "execute", "--set", "batch.str") == ["batch.strategy="]
    assert complete("ferris-sql", "execute", "--set", "batch.strategy", "=", "Low") == ["LowLatency"]
    assert len(complete("ferris-sql", "execute", "--set", "source.batch.strategy", "=")) == 5
    assert complete("ferris-sql", "execute", "--set", "watch", "=", "t") == ["true"]


def test_prefixes(_):
    assert complete("ferris-sql", "execute", "--set", "source.batch.str") == ["source.batch.strategy="]
    assert complete("ferris-sql", "execute", "--set", "orders.batch.str") == ["orders.batch.strategy="]
    assert complete("ferris-sql", "execute", "--set", "orders.batch.strategy", "=", "Low") == ["LowLatency"]
    assert "sink.write_buffer_size=" in complete("ferris-sql", "execute", "--set", "sink.")


def test_properties_of_kafka(_):
    found = complete("ferris-sql", "execute", "--set", "kafka.")
    for name in ("fetch.min.bytes", "linger.ms", "security.protocol", "topic", "transactional.id"):
        assert f"kafka.{name}=" in found, name
    assert complete("ferris-sql", "execute", "--set", "sink.kafka.queue.buffering.max.k") == [
        "sink.kafka.queue.buffering.max.kbytes="]


def test_nothing_comes_twice(_):
    found = complete("ferris-sql", "execute", "--set", "")
    assert len(found) > 150 and [name for name in found if found.count(name) > 1] == []


def test_words_of_commands(_):
    assert complete("ferris-sql", "completion", "") == ["bash"]
    assert complete("ferris-sql", "docs", "m") == ["metrics"]
    assert len(complete("ferris-sql", "docs", "")) == 4


def test_help_of_each_command(_):
    for command in complete("ferris-sql", ""):
        run = subprocess.run([PROGRAM, command, "--help"], capture_output=True, text=True)
        assert run.returncode == 0 and run.stdout.startswith(f"usage: ferris-sql {command} "), run.stdout


def test_another_shell_is_refused(_):
    run = subprocess.run([PROGRAM, "completion", "fish"], capture_output=True, text=True)
    assert run.returncode == 2 and "completion bash" in run.stderr, run.stderr


if __name__ == "__main__":
    harness.run(globals(), harness.Folder)
