/* bench/native/kafka_latency.c -- how long a record is on its way from topic to topic.
 *
 *     kafka_latency BROKERS IN OUT RATE SECONDS
 *
 * Sends RATE records a second to IN, each with the time at which it was handed to librdkafka, and
 * reads what some program makes of them in OUT, committed records only.  The records are
 * {"t":<microseconds>,...}, and the program must write the same first field.  Those of the first
 * two seconds are left out: groups form and handles connect.  Prints the percentiles in
 * milliseconds. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WARM_SECONDS 2
#define WAIT_SECONDS 20
#define STEP_US      1000

static char errstr[512];

typedef struct Run {
	const char *brokers;
	const char *in;
	const char *out;
	int64_t rate;
	int64_t seconds;
} Run;

__attribute__((noreturn)) static void
fail(const char *what)
{
	fprintf(stderr, "kafka_latency: %s\n", what);
	exit(1);
}

static int64_t
now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

static void
conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	if (rd_kafka_conf_set(conf, name, value, errstr, sizeof errstr) != RD_KAFKA_CONF_OK)
		fail(errstr);
}

/* Every millisecond the records that are due. */
static void *
produce(void *argument)
{
	const Run *run = argument;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	conf_set(conf, "bootstrap.servers", run->brokers);
	conf_set(conf, "linger.ms", "0");
	rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof errstr);
	if (producer == NULL)
		fail(errstr);
	rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, run->in, NULL);
	int64_t start = now_us();
	for (int64_t sent = 0; sent < run->rate * run->seconds;) {
		int64_t due = (now_us() - start) * run->rate / 1000000;

		for (; sent < due && sent < run->rate * run->seconds; sent++) {
			char value[128];
			int len =
				snprintf(value, sizeof value,
					 "{\"t\":%" PRId64 ",\"n\":%" PRId64
					 ",\"price\":512.25,\"quantity\":100,\"symbol\":\"ACME\"}",
					 now_us(), sent);

			while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
						value, (size_t)len, NULL, 0, NULL) != 0)
				rd_kafka_poll(producer, 1);
		}
		rd_kafka_poll(producer, 0);
		nanosleep(&(struct timespec){.tv_nsec = STEP_US * 1000}, NULL);
	}
	rd_kafka_flush(producer, 10000);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(producer);
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static rd_kafka_t *
consumer_open(const Run *run)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	conf_set(conf, "bootstrap.servers", run->brokers);
	conf_set(conf, "group.id", "kafka_latency");
	conf_set(conf, "enable.auto.commit", "false");
	conf_set(conf, "isolation.level", "read_committed");
	conf_set(conf, "fetch.wait.max.ms", "5");
	rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, errstr, sizeof errstr);
	if (consumer == NULL)
		fail(errstr);
	rd_kafka_poll_set_consumer(consumer);
	rd_kafka_topic_partition_list_add(list, run->out, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	return consumer;
}

int
main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 6) {
		fprintf(stderr, "usage: kafka_latency BROKERS IN OUT RATE SECONDS\n");
		return 2;
	}
	Run run = {argv[1], argv[2], argv[3], strtoll(argv[4], NULL, 10),
		   strtoll(argv[5], NULL, 10) + WARM_SECONDS};
	int64_t expected = run.rate * run.seconds;
	int64_t *waits = malloc(sizeof *waits * (size_t)expected);
	rd_kafka_t *consumer = consumer_open(&run);
	int64_t start = now_us();
	int64_t read = 0;
	size_t count = 0;

	pthread_create(&thread, NULL, produce, &run);
	while (read < expected) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
		int64_t now = now_us();

		if (now - start > (run.seconds + WAIT_SECONDS) * 1000000)
			fail("not all records came");
		if (message == NULL)
			continue;
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->len > 5) {
			int64_t sent = strtoll((const char *)message->payload + 5, NULL, 10);

			read++;
			if (sent - start > WARM_SECONDS * INT64_C(1000000))
				waits[count++] = now - sent;
		}
		rd_kafka_message_destroy(message);
	}
	pthread_join(thread, NULL);
	qsort(waits, count, sizeof *waits, compare);
	printf("%zu records: p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, most %.1f ms\n", count,
	       (double)waits[count / 2] / 1000, (double)waits[count * 99 / 100] / 1000,
	       (double)waits[count * 999 / 1000] / 1000, (double)waits[count - 1] / 1000);
	rd_kafka_destroy(consumer);
	free(waits);
	return 0;
}
