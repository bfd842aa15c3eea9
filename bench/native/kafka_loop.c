/* bench/native/kafka_loop.c -- Kafka to Kafka with librdkafka and nothing else: the speed to aim
 * at.
 *
 *     kafka_loop BROKERS IN OUT GROUP at-least-once|exactly-once     until SIGTERM or SIGINT
 *
 * Copies each record's key and value.  Every 100 ms the offsets are committed: after a flush, or in
 * the transaction that holds the output.  The settings are the best ones known for librdkafka
 * (large fetch queues where it would otherwise pause for a second). */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH      4096
#define EPOCH_MS   100
#define TIMEOUT_MS 30000

static volatile sig_atomic_t stopping;
static char errstr[512];

typedef struct Loop {
	rd_kafka_t *consumer;
	rd_kafka_t *producer;
	rd_kafka_queue_t *queue;
	rd_kafka_topic_t *out;
	bool exactly_once;
	bool dirty; /* something was produced since the last commit */
	int64_t records;
} Loop;

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

__attribute__((noreturn)) static void
fail(const char *what)
{
	fprintf(stderr, "kafka_loop: %s\n", what);
	exit(1);
}

static void
check(rd_kafka_error_t *error)
{
	if (error != NULL)
		fail(rd_kafka_error_string(error));
}

static int64_t
now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
}

/* An option that this librdkafka does not have is left out: false. */
static bool
conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, errstr, sizeof errstr);

	if (result == RD_KAFKA_CONF_INVALID)
		fail(errstr);
	return result == RD_KAFKA_CONF_OK;
}

/* With a callback, even an empty one, flush wakes at once instead of every 10 ms. */
static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void)rk;
	(void)opaque;
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !stopping)
		fail(rd_kafka_err2str(message->err));
}

static void
consumer_open(Loop *loop, const char *brokers, const char *in, const char *group)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	conf_set(conf, "bootstrap.servers", brokers);
	conf_set(conf, "group.id", group);
	conf_set(conf, "auto.offset.reset", "earliest");
	conf_set(conf, "enable.auto.commit", "false");
	conf_set(conf, "enable.auto.offset.store", "false");
	conf_set(conf, "isolation.level", "read_committed");
	if (conf_set(conf, "fetch.queue.backoff.ms", "5")) {
		conf_set(conf, "queued.min.messages", "20000");
	} else {
		conf_set(conf, "queued.min.messages", "1000000");
		conf_set(conf, "queued.max.messages.kbytes", "1000000");
	}
	loop->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, errstr, sizeof errstr);
	if (loop->consumer == NULL)
		fail(errstr);
	rd_kafka_poll_set_consumer(loop->consumer);
	loop->queue = rd_kafka_queue_get_consumer(loop->consumer);
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(topics, in, RD_KAFKA_PARTITION_UA);
	if (rd_kafka_subscribe(loop->consumer, topics) != RD_KAFKA_RESP_ERR_NO_ERROR)
		fail("cannot subscribe");
	rd_kafka_topic_partition_list_destroy(topics);
}

static void
producer_open(Loop *loop, const char *brokers, const char *out, const char *group)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	conf_set(conf, "bootstrap.servers", brokers);
	conf_set(conf, "linger.ms", "5");
	conf_set(conf, "queue.buffering.max.messages", "1000000");
	conf_set(conf, "enable.idempotence", "true");
	if (loop->exactly_once)
		conf_set(conf, "transactional.id", group);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	loop->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof errstr);
	if (loop->producer == NULL)
		fail(errstr);
	loop->out = rd_kafka_topic_new(loop->producer, out, NULL);
	if (loop->out == NULL)
		fail(rd_kafka_err2str(rd_kafka_last_error()));
	if (loop->exactly_once) {
		check(rd_kafka_init_transactions(loop->producer, TIMEOUT_MS));
		check(rd_kafka_begin_transaction(loop->producer));
	}
}

static void
produce(Loop *loop, const rd_kafka_message_t *message)
{
	while (rd_kafka_produce(loop->out, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
				message->payload, message->len, message->key, message->key_len,
				NULL) != 0) {
		if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			fail(rd_kafka_err2str(rd_kafka_last_error()));
		rd_kafka_poll(loop->producer, 10);
	}
	loop->records++;
	loop->dirty = true;
}

static void
commit(Loop *loop)
{
	rd_kafka_topic_partition_list_t *offsets = NULL;

	if (!loop->dirty)
		return;
	rd_kafka_assignment(loop->consumer, &offsets);
	rd_kafka_position(loop->consumer, offsets);
	if (loop->exactly_once) {
		rd_kafka_consumer_group_metadata_t *group =
			rd_kafka_consumer_group_metadata(loop->consumer);

		check(rd_kafka_send_offsets_to_transaction(loop->producer, offsets, group,
							   TIMEOUT_MS));
		check(rd_kafka_commit_transaction(loop->producer, TIMEOUT_MS));
		check(rd_kafka_begin_transaction(loop->producer));
		rd_kafka_consumer_group_metadata_destroy(group);
	} else {
		if (rd_kafka_flush(loop->producer, TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
			fail("flush took too long");
		rd_kafka_resp_err_t error = rd_kafka_commit(loop->consumer, offsets, 1);
		if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
			fail(rd_kafka_err2str(error));
	}
	rd_kafka_topic_partition_list_destroy(offsets);
	loop->dirty = false;
}

static void
run(Loop *loop)
{
	static rd_kafka_message_t *messages[BATCH];
	int64_t next = now_ms() + EPOCH_MS;

	while (!stopping) {
		ssize_t count = rd_kafka_consume_batch_queue(loop->queue, 10, messages, BATCH);

		for (ssize_t i = 0; i < count; i++) {
			if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR)
				produce(loop, messages[i]);
			else
				fprintf(stderr, "kafka_loop: %s\n",
					rd_kafka_message_errstr(messages[i]));
			rd_kafka_message_destroy(messages[i]);
		}
		rd_kafka_poll(loop->producer, 0);
		if (now_ms() >= next) {
			commit(loop);
			next = now_ms() + EPOCH_MS;
		}
	}
	commit(loop);
}

int
main(int argc, char **argv)
{
	Loop loop = {0};

	if (argc != 6 ||
	    (strcmp(argv[5], "at-least-once") != 0 && strcmp(argv[5], "exactly-once") != 0)) {
		fputs("usage: kafka_loop BROKERS IN OUT GROUP at-least-once|exactly-once\n",
		      stderr);
		return 2;
	}
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	loop.exactly_once = strcmp(argv[5], "exactly-once") == 0;
	producer_open(&loop, argv[1], argv[3], argv[4]);
	consumer_open(&loop, argv[1], argv[2], argv[4]);
	run(&loop);
	fprintf(stderr, "%" PRId64 " records\n", loop.records);
	if (loop.exactly_once)
		check(rd_kafka_abort_transaction(loop.producer, TIMEOUT_MS)); /* the empty one */
	rd_kafka_queue_destroy(loop.queue);
	rd_kafka_consumer_close(loop.consumer);
	rd_kafka_destroy(loop.consumer);
	rd_kafka_topic_destroy(loop.out);
	rd_kafka_destroy(loop.producer);
	return 0;
}
