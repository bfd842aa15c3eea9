/* connector/kafka_writer.c -- encoded records to a topic.
 *
 * Records are handed to librdkafka, which batches and sends them in its own threads; when its
 * queue is full the writer waits, and with it the pipeline.  kafka_flush returns when every record
 * has been acknowledged; one that was given up is an error of the flush, so that its position is
 * never committed.  A writer with transactions commits epochs instead
 * (connector/kafka_transaction.c).
 *
 * Owns:    the producer, unless it writes within another one's transactions.
 * Threads: one. */
#include "connector/kafka_writer.h"

#include "base/clock.h"
#include "codec/headers.h"
#include "connector/shuffle.h"

#define FLUSH_STEP_MS    100
#define QUEUE_KB         65536
#define QUEUE_KB_MIN     4096 /* of a writer beside many others */
#define INIT_DEADLINE_MS 60000
#define INIT_TIMEOUT_MS  10000
#define INIT_QUICK_MS    60 /* the first tries: see open_transactional */
#define INIT_QUICK_TRIES 3

static Status
open_client(KafkaWriter *writer, const WriterSpec *spec, Arena *arena, Error *err)
{
	/* Idempotence needs acks=all and retries; a user who weakens them goes without it. */
	bool weakened =
		kafka_given_as(spec->given, "request.required.acks") != NULL ||
		kafka_given_as(spec->given, "message.send.max.retries") != NULL ||
		kafka_given_as(spec->given, "max.in.flight.requests.per.connection") != NULL;
	uint32_t writers = spec->share.count > 0 ? spec->share.count : 1;
	uint32_t kilobytes = QUEUE_KB / writers;
	const char *idempotent = weakened ? "false" : "true";
	const KafkaDefault own[] = {
		{"enable.idempotence", spec->transaction != NULL ? NULL : idempotent, false},
		{"queue.buffering.max.kbytes",
		 str_format(arena, "%u", kilobytes > QUEUE_KB_MIN ? kilobytes : QUEUE_KB_MIN).data,
		 false},
		{"transactional.id", writer->transaction, false},
		{NULL, NULL, false},
	};

	return kafka_client_open(&writer->client, RD_KAFKA_PRODUCER, spec->object, spec->settings,
				 spec->given,
				 kafka_defaults(RD_KAFKA_PRODUCER, spec->transaction != NULL, own,
						arena),
				 arena, err);
}

/* When the process before this one was killed within a transaction, the brokers abort it now and
 * answer the first try with "concurrent transactions"; librdkafka would wait half a second before
 * the next.  A new handle asks at once: 70 ms instead of 500. */
static Status
open_transactional(KafkaWriter *writer, const WriterSpec *spec, Arena *arena, Error *err)
{
	int64_t deadline = clock_ms() + INIT_DEADLINE_MS;

	for (int attempt = 0;; attempt++) {
		int timeout = attempt < INIT_QUICK_TRIES ? INIT_QUICK_MS : INIT_TIMEOUT_MS;
		bool again = false;

		TRY(open_client(writer, spec, arena, err));
		Status status = kafka_transactions_init(writer, timeout, &again, err);
		if (status == FERRIS_OK)
			return status;
		kafka_client_close(&writer->client);
		if (!again || clock_ms() >= deadline)
			return status;
	}
}

/* Records of a further topic in the same transactions. */
static Status
open_within(KafkaWriter *writer, const WriterSpec *spec, Arena *arena, Error *err)
{
	const Setting *settings = spec->settings;
	const char *servers = str_copy(arena, settings[KAFKA_SERVERS].text).data;

	writer->within = (KafkaWriter *)spec->within;
	writer->client = writer->within->client;
	writer->client.topic = kafka_topic_name(settings, spec->object, arena);
	if (strcmp(servers, writer->client.servers) == 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_PREFLIGHT,
		  "exactly-once needs dead letters in the sink's cluster, and '%s' is at %s, not "
		  "at %s",
		  writer->client.topic, servers, writer->client.servers);
	return error_hint(err, "name the same brokers for both, or set 'delivery.guarantee' = "
			       "'at-least-once'");
}

/* The user's name; of several writers each has one of its own. */
static const char *
given_transaction(const WriterSpec *spec, Str name, Arena *arena)
{
	return spec->share.count == 0
		       ? str_copy(arena, name).data
		       : str_format(arena, "%.*s-%u", STR_ARG(name), spec->share.split).data;
}

static Status
open_handle(KafkaWriter *writer, const WriterSpec *spec, Arena *arena, Error *err)
{
	const Setting *id = &spec->settings[KAFKA_TRANSACTIONAL_ID];

	if (spec->within != NULL)
		return open_within(writer, spec, arena, err);
	writer->transactional = spec->transaction != NULL;
	writer->transaction = writer->transactional && id->present
				      ? given_transaction(spec, id->text, arena)
				      : spec->transaction;
	return writer->transactional ? open_transactional(writer, spec, arena, err)
				     : open_client(writer, spec, arena, err);
}

Status
kafka_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	KafkaWriter *writer = ARENA_NEW(arena, KafkaWriter);
	int partitions;

	writer->base.class = &kafka_connector;
	writer->spec = *spec;
	TRY(open_handle(writer, spec, arena, err));
	*out = &writer->base; /* from here on the caller closes it */
	TRY(kafka_client_topic(&writer->client, &partitions, err));
	writer->partitions = partitions;
	if (partitions == 0 && !writer->client.embedded)
		TRY(kafka_create_topic(&writer->client, writer->client.topic, -1, NULL, err));
	if (kafka_transaction_owner(writer)->transactional)
		TRY(kafka_check_written(writer, writer->client.topic, err));
	writer->topic = rd_kafka_topic_new(writer->client.handle, writer->client.topic, NULL);
	if (writer->topic == NULL)
		return kafka_error(&writer->client, err, FERRIS_ERR_KAFKA_TOPIC,
				   rd_kafka_last_error(), "topic");
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- writing */

static rd_kafka_headers_t *
make_headers(Str bytes)
{
	rd_kafka_headers_t *headers;
	Header header;

	if (bytes.len == 0)
		return NULL;
	headers = rd_kafka_headers_new(8);
	while (header_next(&bytes, &header))
		rd_kafka_header_add(headers, header.name.data, (ssize_t)header.name.len,
				    header.value.data, (ssize_t)header.value.len);
	return headers;
}

/* With a timestamp or headers; librdkafka takes the headers over if it takes the record. */
static rd_kafka_resp_err_t
produce_full(KafkaWriter *writer, const void *value, size_t len, Str key, Str header_bytes,
	     int64_t timestamp)
{
	rd_kafka_headers_t *headers = make_headers(header_bytes);
	rd_kafka_vu_t parts[] = {
		{.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = writer->topic},
		{.vtype = RD_KAFKA_VTYPE_VALUE,
		 .u.mem = {.ptr = (void *)(uintptr_t)value, .size = len}},
		{.vtype = RD_KAFKA_VTYPE_KEY,
		 .u.mem = {.ptr = (void *)(uintptr_t)key.data, .size = key.len}},
		{.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
		{.vtype = RD_KAFKA_VTYPE_TIMESTAMP,
		 .u.i64 = timestamp != INT64_MIN ? timestamp : 0},
		{.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
	};
	size_t count = sizeof parts / sizeof *parts - (headers == NULL);
	rd_kafka_error_t *error = rd_kafka_produceva(writer->client.handle, parts, count);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	if (error != NULL) {
		code = rd_kafka_error_code(error);
		rd_kafka_error_destroy(error);
		if (headers != NULL)
			rd_kafka_headers_destroy(headers);
	}
	return code;
}

static rd_kafka_resp_err_t
produce_shuffled(KafkaWriter *writer, Str route, const char *value, size_t len)
{
	char bytes[SHUFFLE_ROW_KEY];
	Str key = shuffle_row_key(writer->spec.share, bytes);
	int32_t partition = (int32_t)shuffle_partition(route, (uint32_t)writer->partitions);

	return rd_kafka_produce(writer->topic, partition, RD_KAFKA_MSG_F_COPY,
				(void *)(uintptr_t)value, len, key.data, key.len, NULL) == 0
		       ? RD_KAFKA_RESP_ERR_NO_ERROR
		       : rd_kafka_last_error();
}

static rd_kafka_resp_err_t
produce(KafkaWriter *writer, const Output *output, uint32_t i, const char *value, size_t len)
{
	Str key = output_key(output, i);
	Str headers = output_headers(output, i);

	if (writer->spec.shuffles)
		return produce_shuffled(writer, key, value, len);
	if (headers.len > 0 || output->timestamps[i] != INT64_MIN)
		return produce_full(writer, value, len, key, headers, output->timestamps[i]);
	if (rd_kafka_produce(writer->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
			     (void *)(uintptr_t)value, len, key.data, key.len, NULL) == 0)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	return rd_kafka_last_error();
}

static Status
check_deliveries(KafkaWriter *writer, Error *err)
{
	KafkaNotes *notes = writer->client.notes;
	char text[256];

	pthread_mutex_lock(&notes->mutex);
	uint64_t errors = notes->delivery_errors;
	snprintf(text, sizeof text, "%s", notes->delivery_error);
	pthread_mutex_unlock(&notes->mutex);
	if (errors == 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_KAFKA_WRITE,
		  "topic '%s' at %s: %llu records were not delivered: %s", writer->client.topic,
		  writer->client.servers, (unsigned long long)errors, text);
	error_hint(err, "their input is read again when the job starts again");
	err->flags = ERROR_REQUIRES_ABORT;
	KafkaWriter *owner = kafka_transaction_owner(writer);
	return owner->transactional ? kafka_transaction_give_up(owner, err) : err->status;
}

Status
kafka_refused(KafkaWriter *writer, const char *topic, rd_kafka_resp_err_t code, Error *err)
{
	KafkaClient named = writer->client;

	named.topic = topic;
	kafka_error(&named, err, FERRIS_ERR_KAFKA_WRITE, code, "cannot write to topic");
	if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		error_hint(err, "raise 'kafka.message.max.bytes' and the topic's "
				"max.message.bytes");
	KafkaWriter *owner = kafka_transaction_owner(writer);
	if (!owner->transactional || code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		return err->status;
	/* After an error of the transaction nothing is taken until it has been aborted. */
	err->flags = ERROR_REQUIRES_ABORT;
	return kafka_transaction_give_up(owner, err);
}

Status
kafka_write(Writer *base, const Output *output, Error *err)
{
	KafkaWriter *writer = (KafkaWriter *)base;
	KafkaWriter *owner = kafka_transaction_owner(writer);
	uint32_t start = 0;

	if (owner->transactional)
		TRY(kafka_transaction_begin(owner, err));
	for (uint32_t i = 0; i < output->count; i++) {
		const char *value = output->bytes.data + start;
		size_t len = output->ends[i] - start - 1; /* without the line end */

		if (output_is_null(output, i))
			value = NULL;
		rd_kafka_resp_err_t code = produce(writer, output, i, value, len);

		while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			rd_kafka_poll(writer->client.handle, 10);
			TRY(check_deliveries(writer, err));
			code = produce(writer, output, i, value, len);
		}
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			return kafka_refused(writer, writer->client.topic, code, err);
		start = output->ends[i];
	}
	rd_kafka_poll(writer->client.handle, 0);
	return check_deliveries(writer, err);
}

Status
kafka_put(KafkaWriter *writer, rd_kafka_topic_t *topic, const char *name, int32_t partition,
	  Str key, Str value, Error *err)
{
	TRY(kafka_transaction_begin(writer, err));
	while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY,
				(void *)(uintptr_t)value.data, value.len, key.data, key.len,
				NULL) != 0) {
		rd_kafka_resp_err_t code = rd_kafka_last_error();

		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return kafka_refused(writer, name, code, err);
		rd_kafka_poll(writer->client.handle, 10);
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- topics between statements */

Status
kafka_put_mark(Writer *base, SplitMark mark, Error *err)
{
	KafkaWriter *writer = (KafkaWriter *)base;
	char bytes[SHUFFLE_MARK_KEY];
	Str key = shuffle_mark_key(writer->spec.share, mark, bytes);

	for (int32_t i = 0; i < writer->partitions; i++)
		TRY(kafka_put(writer, writer->topic, writer->client.topic, i, key, (Str){NULL, 0},
			      err));
	return FERRIS_OK;
}

static Status
make_shuffle(KafkaWriter *writer, uint32_t wanted, Error *err)
{
	int partitions;

	TRY(kafka_create_topic(&writer->client, writer->client.topic, (int)wanted, NULL, err));
	return kafka_wait_for_topic(&writer->client, &partitions, err);
}

Status
kafka_shuffle_open(const WriterSpec *spec, uint32_t partitions, Arena *arena, Error *err)
{
	KafkaWriter writer = {.spec = *spec};

	TRY(open_client(&writer, spec, arena, err));
	Status status = make_shuffle(&writer, partitions, err);
	kafka_client_close(&writer.client);
	return status;
}

Status
kafka_flush(Writer *base, Error *err)
{
	KafkaWriter *writer = (KafkaWriter *)base;

	/* Ends at the latest when librdkafka gives the records up (message.timeout.ms). */
	while (rd_kafka_flush(writer->client.handle, FLUSH_STEP_MS) == RD_KAFKA_RESP_ERR__TIMED_OUT)
		;
	return check_deliveries(writer, err);
}

Status
kafka_writer_close(Writer *base, bool failed, Error *err)
{
	KafkaWriter *writer = (KafkaWriter *)base;
	Status status = FERRIS_OK;

	if (writer->topic != NULL)
		rd_kafka_topic_destroy(writer->topic);
	writer->topic = NULL;
	if (writer->within != NULL)
		return FERRIS_OK;
	if (writer->client.handle != NULL) {
		if (failed)
			rd_kafka_purge(writer->client.handle,
				       RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
		if (writer->transactional)
			kafka_transaction_abort(writer);
		else if (!failed)
			status = kafka_flush(base, err);
	}
	kafka_client_close(&writer->client);
	return status;
}
