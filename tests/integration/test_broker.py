"""The ground that the other tests stand on: the broker and the tools do what tests assume."""
import harness


def test_topic_has_its_partitions(kafka):
    topic = kafka.topic("partitions", 3)
    lines = kafka.tool("watermark", topic).splitlines()
    assert lines == ["0 0 0", "1 0 0", "2 0 0"], lines


def test_records_come_back_in_order(kafka):
    topic = kafka.topic("order")
    kafka.produce(topic, [f"k{i}|v{i}" for i in range(1000)], "-K", "|")
    assert kafka.read_as(topic, "%k=%s\\n") == [f"k{i}=v{i}" for i in range(1000)]


def test_aborted_records_are_hidden(kafka):
    topic = kafka.topic("aborted")
    kafka.tool("transact", kafka.name("a"), topic, "commit", lines=["one", "two"])
    kafka.tool("transact", kafka.name("a"), topic, "abort", lines=["never"])
    kafka.tool("transact", kafka.name("a"), topic, "commit", lines=["three"])
    assert kafka.read(topic) == ["one", "two", "three"]
    seen = kafka.read(topic, isolation="read_uncommitted")
    assert seen == ["one", "two", "never", "three"], seen


def test_dangling_transaction_holds_readers_until_its_id_returns(kafka):
    topic = kafka.topic("dangling")
    kafka.tool("transact", kafka.name("d"), topic, "leave", lines=["lost"])
    kafka.produce(topic, ["after"])
    assert kafka.read(topic) == []
    kafka.tool("transact", kafka.name("d"), topic, "commit", lines=["again"])
    assert kafka.read(topic) == ["after", "again"]


def test_unknown_group_has_no_offsets(kafka):
    topic = kafka.topic("offsets", 2)
    assert kafka.committed(kafka.name("nobody"), topic) == {0: None, 1: None}


harness.run(globals())
