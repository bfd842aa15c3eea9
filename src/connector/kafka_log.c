/* connector/kafka_log.c -- state in a compacted topic, within the writer's transactions: one
 * partition, or one for each of the source's, of which a log is one.
 *
 * Reading goes to the end that the topic had after the writer's name was taken: whatever a process
 * of that name had written is decided by then, and nobody else writes here.  That end is the high
 * watermark, not the last stable offset: the marker of a transaction that is decided may come to
 * this partition a little later.  Behind an aborted transaction stands no record: the end of the
 * partition, as an event, gives the position.
 *
 * A handle of librdkafka that was used while brokers went may get no answer for minutes: when it
 * gets none for a while, a new one goes on.
 *
 * Threads: the writer's, or before it starts. */
#include "base/clock.h"
#include "connector/kafka_writer.h"

#define READ_TIMEOUT_MS  200
#define QUERY_TIMEOUT_MS 2000
#define DEADLINE_MS      60000 /* without any progress */
#define HANDLE_MS        10000 /* after which another one is asked by */

typedef struct KafkaLog {
	StateLog base;
	KafkaWriter *writer;
	const char *name;
	int32_t partition;
	rd_kafka_topic_t *topic;
	KafkaClient reader; /* while it is read */
	Arena *arena;
} KafkaLog;

/* One that was made for another number of them holds keys in other partitions. */
static Status
check_partitions(KafkaWriter *writer, const char *name, uint32_t wanted, Error *err)
{
	KafkaClient client = writer->client;
	int partitions;

	client.topic = name;
	TRY(kafka_wait_for_topic(&client, &partitions, err));
	if ((uint32_t)partitions == wanted)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_PREFLIGHT,
		  "topic '%s' at %s keeps the state of %d partitions, and there are %u now", name,
		  client.servers, partitions, wanted);
	return error_hint(err, "give the query another 'kafka.group.id', so that it begins anew; "
			       "without 'state.partitioned' the state is in one partition");
}

Status
kafka_log_open(Writer *base, const char *name, Arena *arena, StateLog **out, Error *err)
{
	static const char *const configs[] = {"cleanup.policy", "compact", NULL};
	KafkaWriter *writer = (KafkaWriter *)base;
	KafkaLog *log = ARENA_NEW(arena, KafkaLog);

	log->base.class = &kafka_connector;
	log->base.output = str_from(writer->client.topic);
	log->writer = writer;
	log->name = name;
	log->arena = arena;
	uint32_t count = writer->spec.share.count;

	log->partition = count > 0 ? (int32_t)writer->spec.share.split : 0;
	TRY(kafka_create_topic(&writer->client, name, count > 0 ? (int)count : 1, configs, err));
	TRY(check_partitions(writer, name, count > 0 ? count : 1, err));
	TRY(kafka_check_log(writer, name, &log->base.keeps_ms, err));
	log->topic = rd_kafka_topic_new(writer->client.handle, name, NULL);
	if (log->topic == NULL)
		return kafka_error(&writer->client, err, FERRIS_ERR_KAFKA_TOPIC,
				   rd_kafka_last_error(), "the topic of state beside topic");
	*out = &log->base;
	return FERRIS_OK;
}

void
kafka_log_close(StateLog *base)
{
	KafkaLog *log = (KafkaLog *)base;

	if (log->topic != NULL)
		rd_kafka_topic_destroy(log->topic);
	log->topic = NULL;
}

/* ---------------------------------------------------------------- reading */

static Status
open_reader(KafkaLog *log, const char *isolation, KafkaClient *out, Error *err)
{
	const WriterSpec *spec = &log->writer->spec;
	const KafkaDefault defaults[] = {
		{"group.id", log->name, false}, /* librdkafka wants one; nothing is committed */
		{"client.id", "ferris-sql", false},
		{"enable.auto.commit", "false", false},
		{"enable.partition.eof", "true", false},
		/* Never the end, behind state that was not read. */
		{"auto.offset.reset", "earliest", false},
		{"fetch.wait.max.ms", "10", false},
		{"fetch.queue.backoff.ms", "5", true},
		{"isolation.level", isolation, false},
		{NULL, NULL, false},
	};

	return kafka_client_open(out, RD_KAFKA_CONSUMER, spec->object, spec->settings, spec->given,
				 defaults, log->arena, err);
}

static Status
no_answer(KafkaLog *log, rd_kafka_resp_err_t code, Error *err)
{
	error_set(err, FERRIS_ERR_KAFKA_READ, "the state in topic '%s' at %s cannot be read: %s",
		  log->name, log->writer->client.servers, rd_kafka_err2str(code));
	err->flags = ERROR_RETRIABLE | ERROR_REQUIRES_ABORT;
	return err->status;
}

/* The high watermark, which a handle that reads committed records is not told. */
static Status
find_end(KafkaLog *log, int64_t *low, int64_t *end, Error *err)
{
	int64_t deadline = clock_ms() + DEADLINE_MS;
	rd_kafka_resp_err_t code;

	do {
		int64_t enough = clock_ms() + HANDLE_MS;
		KafkaClient client;

		TRY(open_reader(log, "read_uncommitted", &client, err));
		while ((code = rd_kafka_query_watermark_offsets(
				client.handle, log->name, log->partition, low, end,
				QUERY_TIMEOUT_MS)) != RD_KAFKA_RESP_ERR_NO_ERROR &&
		       clock_ms() < enough)
			/* A topic that has just been made has no leader for a moment. */
			clock_sleep_ms(20);
		kafka_client_close(&client);
	} while (code != RD_KAFKA_RESP_ERR_NO_ERROR && clock_ms() < deadline);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR ? FERRIS_OK : no_answer(log, code, err);
}

static Status
take_message(const rd_kafka_message_t *message, StateLogVisit visit, void *context,
	     int64_t *position, Error *err)
{
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		*position = message->offset;
		return FERRIS_OK;
	}
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return FERRIS_OK; /* the connection comes and goes; the deadline ends it */
	*position = message->offset + 1;
	Str value = {message->payload, (uint32_t)message->len};
	return visit(context, (Str){message->key, (uint32_t)message->key_len}, value, err);
}

/* Until nothing has come for a while.  The clock is asked only then: a log may have millions of
 * records. */
static Status
read_on(KafkaLog *log, int64_t *position, int64_t end, StateLogVisit visit, void *context,
	Error *err)
{
	int64_t waits_since = 0;

	while (*position < end) {
		rd_kafka_message_t *message =
			rd_kafka_consumer_poll(log->reader.handle, READ_TIMEOUT_MS);
		int64_t before = *position;

		if (message != NULL) {
			Status status = take_message(message, visit, context, position, err);

			rd_kafka_message_destroy(message);
			TRY(status);
		}
		if (*position > before)
			waits_since = 0;
		else if (waits_since == 0)
			waits_since = clock_ms();
		else if (clock_ms() - waits_since >= HANDLE_MS)
			break;
	}
	return FERRIS_OK;
}

static Status
read_by_new_handle(KafkaLog *log, int64_t *position, int64_t end, StateLogVisit visit,
		   void *context, Error *err)
{
	TRY(open_reader(log, "read_committed", &log->reader, err));
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, log->name, log->partition)->offset = *position;
	rd_kafka_poll_set_consumer(log->reader.handle);
	rd_kafka_assign(log->reader.handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	Status status = read_on(log, position, end, visit, context, err);
	kafka_client_close(&log->reader);
	return status;
}

Status
kafka_log_read(StateLog *base, int64_t from, StateLogVisit visit, void *context, Error *err)
{
	KafkaLog *log = (KafkaLog *)base;
	int64_t position, end;

	TRY(find_end(log, &position, &end, err));
	if (from != LOG_BEGIN && (from < position || from > end))
		return FERRIS_OK;
	position = from != LOG_BEGIN ? from : position;
	for (int64_t deadline = clock_ms() + DEADLINE_MS; position < end;) {
		int64_t before = position;

		TRY(read_by_new_handle(log, &position, end, visit, context, err));
		if (position > before)
			deadline = clock_ms() + DEADLINE_MS;
		else if (clock_ms() >= deadline)
			return no_answer(log, RD_KAFKA_RESP_ERR__TIMED_OUT, err);
	}
	return FERRIS_OK;
}

/* The last stable offset: a producer is told that one. */
Status
kafka_log_end(StateLog *base, int64_t *position, Error *err)
{
	KafkaLog *log = (KafkaLog *)base;
	int64_t low;
	rd_kafka_resp_err_t code =
		rd_kafka_query_watermark_offsets(log->writer->client.handle, log->name,
						 log->partition, &low, position, QUERY_TIMEOUT_MS);

	return code == RD_KAFKA_RESP_ERR_NO_ERROR ? FERRIS_OK : no_answer(log, code, err);
}

/* ---------------------------------------------------------------- writing */

Status
kafka_log_put(StateLog *base, Str key, Str value, Error *err)
{
	KafkaLog *log = (KafkaLog *)base;

	return kafka_put(log->writer, log->topic, log->name, log->partition, key, value, err);
}
