/* connector/kafka_default_list.h -- what the engine sets of librdkafka where the user does not.
 *
 * DEFAULT(side, when, name, value, reason)
 *   side   CONSUMER that reads a topic, PRODUCER that writes one
 *   when   ALWAYS; KNOWN: if the loaded librdkafka has it; TRANSACTIONS: with exactly-once;
 *          PLAIN: without
 *   value  NULL: worked out when it is opened (kafka_reader.c, kafka_writer.c), by the reason's rule
 */
#ifndef DEFAULT
#error "define DEFAULT(side, when, name, value, reason) before including it"
#endif

DEFAULT(CONSUMER, ALWAYS, "group.id", NULL, "of application and statement")
DEFAULT(CONSUMER, TRANSACTIONS, "group.instance.id", NULL, "this process among those of the group")
DEFAULT(CONSUMER, ALWAYS, "client.id", "ferris-sql", "the name in brokers' logs and quotas")
DEFAULT(CONSUMER, ALWAYS, "auto.offset.reset", NULL, "as kafka.auto.offset.reset")
DEFAULT(CONSUMER, ALWAYS, "enable.auto.commit", "false",
	"positions are committed when the output is safe")
DEFAULT(CONSUMER, ALWAYS, "enable.auto.offset.store", "false",
	"positions are committed when the output is safe")
DEFAULT(CONSUMER, ALWAYS, "enable.partition.eof", "true", "the reader must know where the end is")
DEFAULT(CONSUMER, ALWAYS, "isolation.level", "read_committed", "what was aborted is not read")
DEFAULT(CONSUMER, ALWAYS, "partition.assignment.strategy", "range",
	"the same partitions of all topics go to one member")
DEFAULT(CONSUMER, ALWAYS, "session.timeout.ms", "6000", "who was killed is missed soon")
DEFAULT(CONSUMER, ALWAYS, "heartbeat.interval.ms", "500", "who comes or goes is heard of soon")
DEFAULT(CONSUMER, ALWAYS, "fetch.wait.max.ms", "50", "few records do not wait for more")
DEFAULT(CONSUMER, ALWAYS, "reconnect.backoff.max.ms", "1000", "a broker that is back is found soon")
DEFAULT(CONSUMER, KNOWN, "fetch.queue.backoff.ms", "5", "a queue that was full fills again at once")
DEFAULT(CONSUMER, ALWAYS, "queued.min.messages", NULL,
	"20000, before librdkafka 2.2 a million; shared by the partitions' readers")
DEFAULT(CONSUMER, ALWAYS, "queued.max.messages.kbytes", NULL,
	"16384, before librdkafka 2.2 262144; shared by the partitions' readers")

DEFAULT(PRODUCER, ALWAYS, "client.id", "ferris-sql", "the name in brokers' logs and quotas")
DEFAULT(PRODUCER, ALWAYS, "partitioner", "murmur2_random", "a key goes where Java's clients put it")
DEFAULT(PRODUCER, ALWAYS, "linger.ms", "5", "records that come together go together")
DEFAULT(PRODUCER, ALWAYS, "reconnect.backoff.max.ms", "1000", "a broker that is back is found soon")
DEFAULT(PRODUCER, TRANSACTIONS, "enable.idempotence", "true", "transactions need it")
DEFAULT(PRODUCER, TRANSACTIONS, "max.in.flight.requests.per.connection", "5",
	"more would lose the order")
DEFAULT(PRODUCER, PLAIN, "enable.idempotence", NULL,
	"true, but where the user gives acks, retries or max.in.flight.requests.per.connection")
DEFAULT(PRODUCER, PLAIN, "max.in.flight.requests.per.connection", NULL,
	"5 where enable.idempotence is true, else 1000000")
DEFAULT(PRODUCER, ALWAYS, "queue.buffering.max.messages", "500000",
	"queue.buffering.max.kbytes is what bounds memory")
DEFAULT(PRODUCER, ALWAYS, "queue.buffering.max.kbytes", NULL,
	"65536, shared by the partitions' writers")
DEFAULT(PRODUCER, TRANSACTIONS, "transactional.id", NULL, "of the group and this process")
/* After a broker's restart librdkafka (2.0.2 to 2.16) may wait for its group coordinator for ever,
 * whatever its timeout, until a connection changes: an idle one that is closed ends the wait. */
DEFAULT(PRODUCER, TRANSACTIONS, "connections.max.idle.ms", "10000", "a lost coordinator is found")
DEFAULT(PRODUCER, TRANSACTIONS, "transaction.timeout.ms", "10000",
	"what a killed process left open ends soon")

#undef DEFAULT
