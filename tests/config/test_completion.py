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


def test_options_behind_a_prefix(_):
    for prefix in ("source.", "sink.", "orders."):
        assert complete("ferris-sql", "execute", "--set", prefix + "batch.str") == [prefix + "batch.strategy="]
        assert len(complete("ferris-sql", "execute", "--set", prefix + "batch.")) > 10
        assert not any("parallelism" in word for word in complete("ferris-sql", "execute", "--set", prefix))
        assert complete("ferris-sql", "execute", "--set", prefix + "batch.strategy", "=", "Low") == ["LowLatency"]
    assert complete("ferris-sql", "execute", "--set", "sourc") == ["source."]
    assert "delivery.guarantee=" in complete("ferris-sql", "execute", "--set", "del")


def test_properties_of_the_library(_):
    offered = complete("ferris-sql", "execute", "--set", "kafka.")
    for name in ("linger.ms", "compression.type", "sasl.password", "ssl.ca.location", "buffer.memory", "topic"):
        assert f"kafka.{name}=" in offered, name
    for name in ("enable.auto.commit", "error_cb", "opaque"):
        assert f"kafka.{name}=" not in offered, name
    assert complete("ferris-sql", "execute", "--set", "sink.kafka.ling") == ["sink.kafka.linger.ms="]


def test_nothing_comes_twice(_):
    offered = complete("ferris-sql", "execute", "--set", "")
    assert len(offered) > 200 and len(offered) == len(set(offered)), sorted(offered)


def test_words_of_a_command(_):
    assert complete("ferris-sql", "completion", "") == ["bash"]
    assert complete("ferris-sql", "docs", "") == ["configuration", "functions", "errors", "metrics"]
    assert complete("ferris-sql", "docs", "e") == ["errors"]


def test_another_shell_is_refused(_):
    run = subprocess.run([PROGRAM, "completion", "fish"], capture_output=True, text=True)
    assert run.returncode == 2 and "completion bash" in run.stderr, run.stderr


if __name__ == "__main__":
    harness.run(globals(), harness.Folder)
