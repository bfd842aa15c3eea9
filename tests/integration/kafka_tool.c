/* tests/integration/kafka_tool.c -- what Kafka tests need and kcat cannot do.
 *
 *     kafka_tool BROKERS create TOPIC PARTITIONS [KEY=VALUE...]   make a topic, configured so, with
 * the brokers' number of replicas or with replicas=N
 *     kafka_tool BROKERS delete TOPIC...
 *     kafka_tool BROKERS watermark TOPIC        "partition low high", a line per partition
 *     kafka_tool BROKERS read TOPIC read_committed|read_uncommitted   the values, a line each, of
 * what is there now: it ends while others go on writing kafka_tool BROKERS committed GROUP TOPIC
 * "partition offset metadata", a line per partition kafka_tool BROKERS transact ID TOPIC
 * commit|abort|leave   lines of stdin in one transaction; leave ends without a word, as a crash
 * does
 *
 * Librdkafka alone, nothing of the engine: a test must not check the engine with itself. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS 30000

static char errstr[512];

__attribute__((noreturn, format(printf, 1, 2))) static void
fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("kafka_tool: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void
conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	if (rd_kafka_conf_set(conf, name, value, errstr, sizeof errstr) != RD_KAFKA_CONF_OK)
		fail("%s", errstr);
}

static rd_kafka_t *
handle_open(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *brokers)
{
	conf_set(conf, "bootstrap.servers", brokers);
	rd_kafka_t *rk = rd_kafka_new(type, conf, errstr, sizeof errstr);
	if (rk == NULL)
		fail("%s", errstr);
	return rk;
}

/* Waits for the one answer of an admin request. */
static rd_kafka_event_t *
admin_wait(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);

	if (event == NULL)
		fail("no answer within %d ms", TIMEOUT_MS);
	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
		fail("%s", rd_kafka_event_error_string(event));
	return event;
}

static void
topic_results_check(const rd_kafka_topic_result_t **results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
			fail("%s: %s", rd_kafka_topic_result_name(results[i]),
			     rd_kafka_topic_result_error_string(results[i]));
}

/* A topic just made may not have its leader yet: asked again for a while. */
static void
watermark_query(rd_kafka_t *rk, const char *topic, int partition, int64_t *low, int64_t *high)
{
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (int attempt = 0; attempt < 200; attempt++) {
		error = rd_kafka_query_watermark_offsets(rk, topic, partition, low, high,
							 TIMEOUT_MS);
		if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
			return;
		usleep(50000);
	}
	fail("topic '%s': %s", topic, rd_kafka_err2str(error));
}

static void
topic_create(const char *brokers, int argc, char **argv)
{
	if (argc < 2)
		fail("create needs TOPIC PARTITIONS");
	rd_kafka_t *rk = handle_open(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), brokers);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	int partitions = (int)strtol(argv[1], NULL, 10);
	int first = 2, replicas = -1;
	size_t count;

	if (argc > 2 && strncmp(argv[2], "replicas=", 9) == 0)
		replicas = (int)strtol(argv[first++] + 9, NULL, 10);
	rd_kafka_NewTopic_t *topic =
		rd_kafka_NewTopic_new(argv[0], partitions, replicas, errstr, sizeof errstr);
	if (topic == NULL)
		fail("%s", errstr);
	for (int i = first; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (value == NULL)
			fail("'%s' is not KEY=VALUE", argv[i]);
		*value = '\0';
		rd_kafka_NewTopic_set_config(topic, argv[i], value + 1);
	}
	rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
	rd_kafka_event_t *event = admin_wait(queue);
	const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
		rd_kafka_event_CreateTopics_result(event), &count);
	topic_results_check(results, count);
	rd_kafka_event_destroy(event);
	rd_kafka_NewTopic_destroy(topic);
	for (int i = 0; i < partitions; i++)
		watermark_query(rk, argv[0], i, &(int64_t){0}, &(int64_t){0});
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
}

static void
topics_delete(const char *brokers, int argc, char **argv)
{
	rd_kafka_t *rk = handle_open(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), brokers);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	size_t count;

	for (int i = 0; i < argc; i++) {
		rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(argv[i]);

		rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
		rd_kafka_event_t *event = admin_wait(queue);
		const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(
			rd_kafka_event_DeleteTopics_result(event), &count);
		topic_results_check(results, count);
		rd_kafka_event_destroy(event);
		rd_kafka_DeleteTopic_destroy(topic);
	}
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
}

static int
partition_count(rd_kafka_t *rk, const char *name)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 0, topic, &metadata, TIMEOUT_MS);

	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
		error = metadata->topics[0].err;
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		fail("topic '%s': %s", name, rd_kafka_err2str(error));
	int count = metadata->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(topic);
	return count;
}

static void
watermark_print(const char *brokers, int argc, char **argv)
{
	if (argc != 1)
		fail("watermark needs TOPIC");
	rd_kafka_t *rk = handle_open(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), brokers);
	int count = partition_count(rk, argv[0]);

	for (int i = 0; i < count; i++) {
		int64_t low, high;

		watermark_query(rk, argv[0], i, &low, &high);
		printf("%d %" PRId64 " %" PRId64 "\n", i, low, high);
	}
	rd_kafka_destroy(rk);
}

/* Prints records below end[partition]; returns how many partitions this message completes. */
static int
message_print(const rd_kafka_message_t *message, int64_t *end)
{
	int64_t *until = &end[message->partition];
	bool eof = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;

	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !eof)
		fail("%s", rd_kafka_message_errstr(message));
	if (*until < 0)
		return 0;
	if (!eof && message->offset < *until) {
		fwrite(message->payload, 1, message->len, stdout);
		putchar('\n');
	}
	/* The last offsets may be markers of transactions, which are never seen. */
	if (!eof && message->offset + 1 < *until)
		return 0;
	*until = -1;
	return 1;
}

static void
topic_read(const char *brokers, int argc, char **argv)
{
	if (argc != 2)
		fail("read needs TOPIC read_committed|read_uncommitted");
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	conf_set(conf, "group.id", "kafka_tool");
	conf_set(conf, "enable.auto.commit", "false");
	conf_set(conf, "enable.partition.eof", "true");
	conf_set(conf, "isolation.level", argv[1]);
	rd_kafka_t *rk = handle_open(RD_KAFKA_CONSUMER, conf, brokers);
	int count = partition_count(rk, argv[0]), left = 0;
	int64_t *end = calloc((size_t)count, sizeof *end), low;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);

	for (int i = 0; i < count; i++) {
		watermark_query(rk, argv[0], i, &low, &end[i]);
		rd_kafka_topic_partition_list_add(list, argv[0], i)->offset = low;
		left += end[i] > low;
		end[i] = end[i] > low ? end[i] : -1;
	}
	rd_kafka_poll_set_consumer(rk);
	rd_kafka_assign(rk, list);
	while (left > 0) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, TIMEOUT_MS);

		if (message == NULL)
			fail("topic '%s' cannot be read to its end", argv[0]);
		left -= message_print(message, end);
		rd_kafka_message_destroy(message);
	}
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	free(end);
}

/* The coordinator of a group may be on its way to another broker: asked again for a while. */
static void
committed_query(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (int attempt = 0; attempt < 200; attempt++) {
		error = rd_kafka_committed(rk, list, TIMEOUT_MS);
		if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
			return;
		usleep(50000);
	}
	fail("%s", rd_kafka_err2str(error));
}

static void
committed_print(const char *brokers, int argc, char **argv)
{
	if (argc != 2)
		fail("committed needs GROUP TOPIC");
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	conf_set(conf, "group.id", argv[0]);
	rd_kafka_t *rk = handle_open(RD_KAFKA_CONSUMER, conf, brokers);
	int count = partition_count(rk, argv[1]);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);

	for (int i = 0; i < count; i++)
		rd_kafka_topic_partition_list_add(list, argv[1], i);
	committed_query(rk, list);
	for (int i = 0; i < count; i++)
		printf("%d %" PRId64 " %.*s\n", list->elems[i].partition, list->elems[i].offset,
		       (int)list->elems[i].metadata_size, (const char *)list->elems[i].metadata);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
}

static void
check(rd_kafka_error_t *error)
{
	if (error != NULL)
		fail("%s", rd_kafka_error_string(error));
}

static void
lines_produce(rd_kafka_t *rk, const char *name)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			len--;
		while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, line,
					(size_t)len, NULL, 0, NULL) != 0) {
			if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
				fail("%s", rd_kafka_err2str(rd_kafka_last_error()));
			rd_kafka_poll(rk, 100);
		}
	}
	rd_kafka_topic_destroy(topic);
	free(line);
	if (rd_kafka_flush(rk, TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		fail("not everything was delivered within %d ms", TIMEOUT_MS);
}

static void
transact(const char *brokers, int argc, char **argv)
{
	if (argc != 3)
		fail("transact needs ID TOPIC commit|abort|leave");
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	conf_set(conf, "transactional.id", argv[0]);
	rd_kafka_t *rk = handle_open(RD_KAFKA_PRODUCER, conf, brokers);

	check(rd_kafka_init_transactions(rk, TIMEOUT_MS));
	check(rd_kafka_begin_transaction(rk));
	lines_produce(rk, argv[1]);
	if (strcmp(argv[2], "commit") == 0)
		check(rd_kafka_commit_transaction(rk, TIMEOUT_MS));
	else if (strcmp(argv[2], "abort") == 0)
		check(rd_kafka_abort_transaction(rk, TIMEOUT_MS));
	else if (strcmp(argv[2], "leave") == 0)
		_Exit(0);
	else
		fail("transact ends with commit, abort or leave, not '%s'", argv[2]);
	rd_kafka_destroy(rk);
}

static const struct {
	const char *name;
	void (*run)(const char *brokers, int argc, char **argv);
} commands[] = {
	{"create", topic_create}, {"delete", topics_delete},      {"watermark", watermark_print},
	{"read", topic_read},     {"committed", committed_print}, {"transact", transact},
};

int
main(int argc, char **argv)
{
	if (argc < 4)
		fail("usage: kafka_tool BROKERS create|delete|watermark|read|committed|transact "
		     "...");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[2], commands[i].name) == 0) {
			commands[i].run(argv[1], argc - 3, argv + 3);
			return 0;
		}
	fail("no command '%s'", argv[2]);
}
