/* connector/kafka_reader.c -- a topic to chunks, in a consumer group.
 *
 * librdkafka fetches in its own threads; kafka_read takes what has come, a run of records of one
 * partition for each chunk, and copies the bytes (about 5 ns a record) so that no message is
 * pinned.  Positions are committed by kafka_commit, or with a transaction of the writer, when their
 * output is safe: a crash repeats what was not committed, and loses nothing.
 *
 * A reader of one partition alone is in no group; kafka_member.c says who has it.  Else, when the
 * group deals its partitions anew, librdkafka's callback only notes it: kafka_read then
 * says READ_REVOKED, the job makes final what was read, and kafka_release gives them up. Partitions
 * that come begin where the group's committed positions are, which are asked for until there is an
 * answer: while a transaction of their last owner is open there is none.
 *
 * Owns:    the consumer, its queue, and the messages of one poll.
 * Threads: one; kafka_split_name may be called by others. */
#include "base/clock.h"
#include "base/memory.h"
#include "connector/kafka_client.h"
#include "connector/shuffle.h"

#define CHUNK_RECORDS     4096
#define COMMIT_TIMEOUT_MS 10000
#define QUERY_TIMEOUT_MS  10000
#define LAG_INTERVAL_MS   250
#define ASK_TIMEOUT_MS    1000
#define ASK_DEADLINE_MS   120000
#define PARTIAL_MAX_MS    30000

/* Of the queue of a reader of one partition of many. */
#define QUEUE_MESSAGES_MIN 2000
#define QUEUE_KB_MIN       2048

typedef struct KafkaPartition {
	const char *name; /* "trades[3]" */
	int64_t next;     /* offset of the next record to read; -1: none read yet */
	int64_t end;      /* bounded: where reading ends */
	bool done;
	bool drained; /* it was read to its end */
} KafkaPartition;

typedef struct KafkaReader {
	Reader base;
	KafkaClient client;
	rd_kafka_queue_t *queue;
	rd_kafka_message_t **messages; /* of one poll */
	size_t message_count;
	size_t message_next;
	size_t poll_records;
	KafkaPartition *partitions;
	uint32_t partition_count;
	bool bounded;
	bool keeps_place;
	bool placed;           /* the places of the spec count, not the group's positions */
	bool only_places;      /* as in ReaderSpec */
	bool shuffled;         /* as in ReaderSpec */
	SplitShare share;      /* it reads one partition, which no group deals */
	bool whole;            /* it must have all partitions */
	int64_t partial_since; /* then: when it was given some only; 0: it was not */
	int partial_count;
	bool from_end; /* where a group without a position begins */
	bool closing;
	bool revoked; /* the group takes the partitions back, when they have been released */
	rd_kafka_topic_partition_list_t *assigned; /* they come when their positions are known */
	int64_t assign_deadline;
	uint64_t sequence;
	int64_t lag;
	int64_t next_lag_ms;
} KafkaReader;

/* ---------------------------------------------------------------- opening */

static Status
open_client(KafkaReader *reader, const ReaderSpec *spec, Arena *arena, Error *err)
{
	const Setting *settings = spec->settings;
	bool backoff = kafka_has_property("fetch.queue.backoff.ms");
	uint32_t readers = spec->share.count > 0 ? spec->share.count : 1;
	/* A full queue stops fetching: for 5 ms where that can be said, for a second in librdkafka
	 * before 2.2, where the queue must therefore hold more than a second of input. */
	uint32_t messages = (backoff ? 20000 : 1000000) / readers;
	uint32_t kilobytes = (backoff ? 16384 : 262144) / readers;
	const KafkaDefault own[] = {
		{"group.id", kafka_group_name(spec, arena), false},
		{"group.instance.id", spec->instance, false},
		{"auto.offset.reset", str_copy(arena, settings[KAFKA_OFFSET_RESET].text).data,
		 false},
		{"queued.min.messages",
		 str_format(arena, "%u",
			    messages > QUEUE_MESSAGES_MIN ? messages : QUEUE_MESSAGES_MIN)
			 .data,
		 false},
		{"queued.max.messages.kbytes",
		 str_format(arena, "%u", kilobytes > QUEUE_KB_MIN ? kilobytes : QUEUE_KB_MIN).data,
		 false},
		{NULL, NULL, false},
	};

	return kafka_client_open(&reader->client, RD_KAFKA_CONSUMER, spec->object, settings,
				 spec->given,
				 kafka_defaults(RD_KAFKA_CONSUMER, spec->instance != NULL, own,
						arena),
				 arena, err);
}

/* A place of a topic that was read before, under the same name of a stream. */
static Status
check_places(const KafkaReader *reader, const ReaderSpec *spec, Error *err)
{
	for (uint32_t i = 0; i < spec->place_count; i++) {
		Str split = spec->places[i].split;
		bool found = false;

		for (uint32_t k = 0; k < reader->partition_count && !found; k++)
			found = str_eq(split, str_from(reader->partitions[k].name));
		if (found)
			continue;
		error_set(err, FERRIS_ERR_STATE_DAMAGED,
			  "'%s' goes on behind what was read of '%.*s', which topic '%s' does not "
			  "have",
			  spec->object, STR_ARG(split), reader->client.topic);
		return error_hint(err, "read the topic that was read before, or begin anew under "
				       "another 'kafka.group.id'");
	}
	return FERRIS_OK;
}

static Status
name_partitions(KafkaReader *reader, const ReaderSpec *spec, int count, Arena *arena, Error *err)
{
	reader->partition_count = (uint32_t)count;
	reader->partitions = ARENA_ARRAY(arena, KafkaPartition, count);
	for (int i = 0; i < count; i++) {
		Str name = str_format(arena, "%s[%d]", reader->client.topic, i);
		const SplitPlace *place = split_place_find(spec->places, spec->place_count, name);

		reader->partitions[i] = (KafkaPartition){.name = name.data,
							 .next = place != NULL ? place->next : -1};
	}
	return check_places(reader, spec, err);
}

/* Where reading begins; `committed` is the group's position, or negative.  What was read of a
 * partition may be in the statement's state, though it was not committed. */
static int64_t
first_offset(const KafkaReader *reader, const KafkaPartition *partition, int64_t committed)
{
	int64_t next = partition != NULL ? partition->next : -1;
	int64_t offset = committed;

	if (reader->only_places || (reader->placed && next >= 0) ||
	    (reader->keeps_place && next > committed))
		offset = next;
	if (offset < 0)
		offset = reader->from_end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
	return offset;
}

/* Whether the group said where each partition begins: a timeout comes as an offset without a value
 * and without an error, so nothing but success of the whole call is believed. */
static bool
ask_positions(KafkaReader *reader, rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t *code)
{
	*code = rd_kafka_committed(reader->client.handle, list, ASK_TIMEOUT_MS);
	for (int i = 0; i < list->cnt && *code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		*code = list->elems[i].err;
	return *code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Where the partition ends now. */
static rd_kafka_resp_err_t
ask_end(KafkaReader *reader, uint32_t partition, int64_t deadline)
{
	KafkaClient *client = &reader->client;
	rd_kafka_resp_err_t code;
	int64_t low, end = 0;

	while (kafka_passes(code = rd_kafka_query_watermark_offsets(client->handle, client->topic,
								    (int32_t)partition, &low, &end,
								    QUERY_TIMEOUT_MS)) &&
	       clock_ms() < deadline)
		clock_sleep_ms(50);
	reader->partitions[partition].end = end;
	reader->partitions[partition].done = code == RD_KAFKA_RESP_ERR_NO_ERROR && low >= end;
	return code;
}

/* Every partition from its committed position to its end of now. */
static Status
assign_bounded(KafkaReader *reader, Error *err)
{
	KafkaClient *client = &reader->client;
	int64_t deadline = clock_ms() + ASK_DEADLINE_MS;
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int)reader->partition_count);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (uint32_t i = 0; i < reader->partition_count && code == RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++) {
		rd_kafka_topic_partition_list_add(list, client->topic, (int32_t)i);
		code = ask_end(reader, i, deadline);
	}
	while (code == RD_KAFKA_RESP_ERR_NO_ERROR && !ask_positions(reader, list, &code) &&
	       kafka_passes(code) && clock_ms() < deadline)
		code = RD_KAFKA_RESP_ERR_NO_ERROR;
	for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
		rd_kafka_topic_partition_t *given = &list->elems[i];

		given->offset = first_offset(reader, &reader->partitions[i], given->offset);
		if (given->offset >= reader->partitions[i].end ||
		    given->offset == RD_KAFKA_OFFSET_END)
			reader->partitions[i].done = true;
	}
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		code = rd_kafka_assign(client->handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return kafka_error(client, err, FERRIS_ERR_KAFKA_READ, code, "cannot read topic");
	return FERRIS_OK;
}

static Status
subscribe(KafkaReader *reader, Error *err)
{
	KafkaClient *client = &reader->client;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(list, client->topic, RD_KAFKA_PARTITION_UA);
	rd_kafka_resp_err_t code = rd_kafka_subscribe(client->handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return kafka_error(client, err, FERRIS_ERR_KAFKA_READ, code,
				   "cannot subscribe to topic");
	return FERRIS_OK;
}

static KafkaPartition *
partition_of(KafkaReader *reader, int32_t partition)
{
	return partition >= 0 && (uint32_t)partition < reader->partition_count
		       ? &reader->partitions[partition]
		       : NULL;
}

/* In librdkafka's callback, while messages are asked for: the rest is done outside of it. */
static void
rebalance(void *owner, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list)
{
	KafkaReader *reader = owner;
	rd_kafka_t *handle = reader->client.handle;

	if (reader->closing) { /* nobody comes back to do it */
		rd_kafka_assign(handle, NULL);
		return;
	}
	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		if (reader->assigned != NULL)
			rd_kafka_topic_partition_list_destroy(reader->assigned);
		reader->assigned = rd_kafka_topic_partition_list_copy(list);
		reader->assign_deadline = clock_ms() + ASK_DEADLINE_MS;
	} else {
		reader->revoked = true;
	}
	rd_kafka_yield(handle);
}

/* It is read from the first call on. */
static Status
assign_share(KafkaReader *reader, Error *err)
{
	if (reader->share.split >= reader->partition_count) {
		error_set(err, FERRIS_ERR_KAFKA_TOPIC, "topic '%s' at %s has no partition %u",
			  reader->client.topic, reader->client.servers, reader->share.split);
		return error_hint(err, "all topics of the statement must have as many partitions");
	}
	reader->assigned = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(reader->assigned, reader->client.topic,
					  (int32_t)reader->share.split);
	reader->assign_deadline = clock_ms() + ASK_DEADLINE_MS;
	return FERRIS_OK;
}

static bool
begins_at_end(Str reset)
{
	return str_eq(reset, STR("latest")) || str_eq(reset, STR("largest")) ||
	       str_eq(reset, STR("end"));
}

Status
kafka_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err)
{
	KafkaReader *reader = ARENA_NEW(arena, KafkaReader);
	int partitions;

	reader->base.class = &kafka_connector;
	TRY(open_client(reader, spec, arena, err));
	reader->bounded = spec->settings[KAFKA_BOUNDED].flag;
	reader->keeps_place = spec->keeps_place;
	reader->placed = spec->place_count > 0;
	reader->only_places = spec->only_places;
	reader->whole = spec->whole && spec->instance != NULL;
	reader->share = spec->share;
	reader->shuffled = spec->shuffled;
	reader->from_end =
		!spec->shuffled && begins_at_end(spec->settings[KAFKA_OFFSET_RESET].text);
	reader->poll_records = (size_t)spec->settings[KAFKA_POLL_RECORDS].integer;
	reader->messages = ARENA_ARRAY(arena, rd_kafka_message_t *, reader->poll_records);
	*out = &reader->base; /* from here on the caller closes it */
	TRY(kafka_client_topic(&reader->client, &partitions, err));
	/* The embedded cluster makes topics when they are written. */
	if (partitions == 0 && !reader->client.embedded)
		return kafka_missing_topic(&reader->client, err);
	TRY(name_partitions(reader, spec, partitions, arena, err));
	reader->client.notes->owner = reader;
	reader->client.notes->rebalance = rebalance;
	rd_kafka_poll_set_consumer(reader->client.handle);
	reader->queue = rd_kafka_queue_get_consumer(reader->client.handle);
	if (reader->share.count > 0)
		return assign_share(reader, err);
	return reader->bounded ? assign_bounded(reader, err) : subscribe(reader, err);
}

/* ---------------------------------------------------------------- reading */

static bool
all_done(const KafkaReader *reader)
{
	for (uint32_t i = 0; i < reader->partition_count; i++)
		if (!reader->partitions[i].done)
			return false;
	return true;
}

static void
append_u32(Chunk *chunk, uint32_t value)
{
	memcpy(chunk_reserve(chunk, sizeof value), &value, sizeof value);
	chunk->len += sizeof value;
}

static uint32_t
append_bytes(Chunk *chunk, const void *data, size_t len)
{
	uint32_t offset = (uint32_t)chunk->len;

	if (len > 0)
		memcpy(chunk_reserve(chunk, len), data, len);
	chunk->len += len;
	return offset;
}

static void
append_headers(Chunk *chunk, ChunkRecord *record, const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t size;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	record->header_offset = (uint32_t)chunk->len;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
			   RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++) {
		append_u32(chunk, (uint32_t)strlen(name));
		append_bytes(chunk, name, strlen(name));
		append_u32(chunk, value != NULL ? (uint32_t)size : RECORD_NULL);
		if (value != NULL)
			append_bytes(chunk, value, size);
	}
	record->header_len = (uint32_t)chunk->len - record->header_offset;
}

static void
append_message(Chunk *chunk, const rd_kafka_message_t *message)
{
	ChunkRecord *record = chunk_add_record(chunk);
	rd_kafka_timestamp_type_t type;
	int64_t timestamp = rd_kafka_message_timestamp(message, &type);

	record->offset = append_bytes(chunk, message->payload, message->len);
	record->len = message->payload != NULL ? (uint32_t)message->len : RECORD_NULL;
	record->key_offset = append_bytes(chunk, message->key, message->key_len);
	record->key_len = message->key != NULL ? (uint32_t)message->key_len : RECORD_NULL;
	record->position = message->offset;
	record->timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? INT64_MIN : timestamp;
	append_headers(chunk, record, message);
}

/* A broker that has just started, or a handle that has seen all of them go, may not know the topic
 * for a moment: another look tells. */
static Status
unknown_topic(KafkaReader *reader, Error *err)
{
	int partitions;

	if (reader->client.embedded ||
	    kafka_client_topic(&reader->client, &partitions, err) != FERRIS_OK || partitions > 0)
		return FERRIS_OK;
	return kafka_missing_topic(&reader->client, err);
}

/* An event that comes as a message: the end of a partition, or an error. */
static Status
handle_event(KafkaReader *reader, const rd_kafka_message_t *message, Error *err)
{
	KafkaPartition *partition = partition_of(reader, message->partition);
	char text[256];

	switch (message->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		if (partition != NULL)
			partition->drained = true;
		if (partition != NULL && reader->bounded && message->offset >= partition->end)
			partition->done = true;
		return FERRIS_OK;
	case RD_KAFKA_RESP_ERR__FATAL:
		rd_kafka_fatal_error(reader->client.handle, text, sizeof text);
		error_set(err, FERRIS_ERR_KAFKA_READ, "topic '%s' at %s: %s", reader->client.topic,
			  reader->client.servers, text);
		/* A new handle may do: a member of the same name may be this one, from before. */
		err->flags = ERROR_FATAL | ERROR_REQUIRES_ABORT;
		return err->status;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
		return unknown_topic(reader, err);
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
		return kafka_error(&reader->client, err, FERRIS_ERR_KAFKA_READ, message->err,
				   "cannot read topic");
	default:
		/* The connection comes and goes; librdkafka goes on trying. */
		return FERRIS_OK;
	}
}

static Status
not_alone(KafkaReader *reader, Error *err)
{
	error_set(
		err, FERRIS_ERR_KAFKA_READ,
		"the consumer group gives this process %d of the %u partitions of topic '%s', and "
		"state needs all of them",
		reader->partial_count, reader->partition_count, reader->client.topic);
	error_hint(err, "stop the other members of the group, or choose another 'kafka.group.id'");
	err->flags = ERROR_FATAL;
	return err->status;
}

/* Another member may be one that has died: the group deals anew when it has noticed. */
static Status
wait_for_all(KafkaReader *reader, Error *err)
{
	reader->partial_count = reader->assigned->cnt;
	if (reader->partial_since == 0)
		reader->partial_since = clock_ms();
	rd_kafka_topic_partition_list_destroy(reader->assigned);
	reader->assigned = NULL;
	rd_kafka_assign(reader->client.handle, NULL);
	return clock_ms() - reader->partial_since < PARTIAL_MAX_MS ? FERRIS_OK
								   : not_alone(reader, err);
}

/* A member of that name read another topic a moment ago: the group has not forgotten it, and deals
 * as it did then. */
static Status
another_topic(const KafkaReader *reader, const char *given, Error *err)
{
	error_set(err, FERRIS_ERR_KAFKA_READ,
		  "the consumer group still gives this process topic '%s', which it read before, "
		  "instead of '%s'",
		  given, reader->client.topic);
	err->flags = 0;
	return error_hint(err, "start it again when the group has forgotten that, after "
			       "'kafka.session.timeout.ms' (6 s), or choose another "
			       "'kafka.group.id'");
}

/* Begins to read the partitions that the group has given. */
static Status
take_assigned(KafkaReader *reader, Error *err)
{
	rd_kafka_topic_partition_list_t *list = reader->assigned;
	rd_kafka_resp_err_t code;

	for (int i = 0; i < list->cnt; i++)
		if (strcmp(list->elems[i].topic, reader->client.topic) != 0)
			return another_topic(reader, list->elems[i].topic, err);
	if (reader->whole && (uint32_t)list->cnt < reader->partition_count)
		return wait_for_all(reader, err);
	reader->partial_since = 0;
	if (!ask_positions(reader, list, &code)) {
		if (clock_ms() < reader->assign_deadline)
			return FERRIS_OK;
		kafka_error(&reader->client, err, FERRIS_ERR_KAFKA_READ, code,
			    "the group does not say where to begin in topic");
		err->flags = ERROR_RETRIABLE | ERROR_REQUIRES_ABORT; /* a new handle may do */
		return err->status;
	}
	for (int i = 0; i < list->cnt; i++) {
		rd_kafka_topic_partition_t *given = &list->elems[i];
		KafkaPartition *partition = partition_of(reader, given->partition);

		given->offset = first_offset(reader, partition, given->offset);
		if (partition != NULL)
			partition->next = given->offset >= 0 ? given->offset : -1;
	}
	rd_kafka_assign(reader->client.handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	reader->assigned = NULL;
	return FERRIS_OK;
}

static void
drop_messages(KafkaReader *reader)
{
	while (reader->message_next < reader->message_count)
		rd_kafka_message_destroy(reader->messages[reader->message_next++]);
}

Status
kafka_release(Reader *base, Error *err)
{
	KafkaReader *reader = (KafkaReader *)base;

	(void)err;
	drop_messages(reader);
	for (uint32_t i = 0; i < reader->partition_count && !reader->keeps_place; i++)
		reader->partitions[i].next = -1;
	reader->revoked = false;
	rd_kafka_assign(reader->client.handle, NULL);
	return FERRIS_OK;
}

/* What has come, or else the first message that comes and those behind it: librdkafka waits itself
 * for a full batch, and would hold a few records back. */
static Status
poll_messages(KafkaReader *reader, int timeout_ms, Error *err)
{
	rd_kafka_message_t **messages = reader->messages;
	ssize_t got =
		rd_kafka_consume_batch_queue(reader->queue, 0, messages, reader->poll_records);

	reader->message_next = 0;
	reader->message_count = got > 0 ? (size_t)got : 0;
	if (got == 0 && !reader->revoked && reader->assigned == NULL) {
		messages[0] = rd_kafka_consume_queue(reader->queue, timeout_ms);
		reader->message_count = messages[0] != NULL;
		if (messages[0] != NULL && reader->poll_records > 1)
			got = rd_kafka_consume_batch_queue(reader->queue, 0, messages + 1,
							   reader->poll_records - 1);
		reader->message_count += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return kafka_error(&reader->client, err, FERRIS_ERR_KAFKA_READ,
				   rd_kafka_last_error(), "cannot read topic");
	return FERRIS_OK;
}

/* Behind those that wait already, as many as there is room for. */
static void
poll_more(KafkaReader *reader, int timeout_ms)
{
	rd_kafka_message_t **messages = reader->messages;
	size_t count = reader->message_count - reader->message_next;

	memmove(messages, messages + reader->message_next, sizeof(void *) * count);
	reader->message_next = 0;
	reader->message_count = count;
	if (count < reader->poll_records) {
		ssize_t got = rd_kafka_consume_batch_queue(reader->queue, 0, messages + count,
							   reader->poll_records - count);
		reader->message_count += got > 0 ? (size_t)got : 0;
	}
	if (reader->message_count == 0 && timeout_ms > 0) {
		messages[0] = rd_kafka_consume_queue(reader->queue, timeout_ms);
		reader->message_count = messages[0] != NULL;
	}
}

/* Events that come with the records do not end a batch; alone they are seen to at once. */
bool
kafka_backlog(Reader *base, int timeout_ms, Backlog *out, Error *err)
{
	KafkaReader *reader = (KafkaReader *)base;

	(void)err;
	*out = (Backlog){0};
	if (reader->bounded)
		return false;
	if (!reader->revoked && reader->assigned == NULL)
		poll_more(reader, timeout_ms);
	for (size_t i = 0; i < reader->message_count; i++) {
		const rd_kafka_message_t *message = reader->messages[i];

		if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			continue;
		out->rows++;
		out->bytes += message->len;
	}
	out->full = reader->revoked || reader->assigned != NULL || reader->partial_since != 0 ||
		    reader->message_count == reader->poll_records ||
		    (out->rows == 0 && reader->message_count > 0);
	return true;
}

/* Whether the record is beyond a bounded partition's end. */
static bool
is_beyond(KafkaReader *reader, const rd_kafka_message_t *message)
{
	KafkaPartition *partition = partition_of(reader, message->partition);

	if (!reader->bounded || partition == NULL || message->offset < partition->end)
		return false;
	partition->done = true;
	return true;
}

/* What was fetched before partitions were given anew may come once more. */
static bool
was_read(KafkaReader *reader, const rd_kafka_message_t *message)
{
	const KafkaPartition *partition = partition_of(reader, message->partition);

	return partition != NULL && message->offset < partition->next;
}

static Status
not_shuffled(const KafkaReader *reader, const rd_kafka_message_t *message, Error *err)
{
	error_set(err, FERRIS_ERR_KAFKA_READ,
		  "topic '%s', partition %d, offset %lld: the record is not of this statement",
		  reader->client.topic, (int)message->partition, (long long)message->offset);
	return error_hint(err, "nobody else may write to that topic; give the query another "
			       "'kafka.group.id', so that it begins anew");
}

static ShuffleTaken
take_key(const KafkaReader *reader, const rd_kafka_message_t *message, Chunk *chunk)
{
	return reader->shuffled
		       ? shuffle_take(chunk, (Str){message->key, (uint32_t)message->key_len})
		       : SHUFFLE_ROW;
}

static bool
is_full(const KafkaReader *reader, const Chunk *chunk, const rd_kafka_message_t *message)
{
	uint32_t rows = reader->base.limit_rows;
	size_t bytes = reader->base.limit_bytes;

	rows = rows > 0 && rows < CHUNK_RECORDS ? rows : CHUNK_RECORDS;
	bytes = bytes > 0 && bytes < CHUNK_CAPACITY ? bytes : CHUNK_CAPACITY;
	return chunk->record_count > 0 &&
	       (chunk->split != (uint32_t)message->partition || chunk->record_count >= rows ||
		chunk->len + message->len > bytes);
}

/* The message is in the chunk now. */
static void
note_taken(KafkaReader *reader, const rd_kafka_message_t *message, Chunk *chunk)
{
	KafkaPartition *partition = partition_of(reader, message->partition);

	chunk->next_position = message->offset + 1;
	if (partition == NULL)
		return;
	partition->next = message->offset + 1;
	partition->drained = false;
	partition->done = reader->bounded && partition->next >= partition->end;
}

/* Messages of the first one's partition go into the chunk, as many as fit. */
static Status
take_run(KafkaReader *reader, Chunk *chunk, Error *err)
{
	Status status = FERRIS_OK;

	while (status == FERRIS_OK && reader->message_next < reader->message_count &&
	       !chunk->marked) {
		rd_kafka_message_t *message = reader->messages[reader->message_next];

		if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
			status = handle_event(reader, message, err);
		} else if (!is_beyond(reader, message) && !was_read(reader, message)) {
			if (is_full(reader, chunk, message))
				return FERRIS_OK;
			ShuffleTaken taken = take_key(reader, message, chunk);
			if (taken == SHUFFLE_WRONG)
				return not_shuffled(reader, message, err);
			if (taken == SHUFFLE_OTHER)
				return FERRIS_OK;
			if (chunk->record_count == 0) {
				chunk->split = (uint32_t)message->partition;
				chunk->position = message->offset;
			}
			if (taken == SHUFFLE_ROW)
				append_message(chunk, message);
			note_taken(reader, message, chunk);
		}
		rd_kafka_message_destroy(message);
		reader->message_next++;
	}
	return status;
}

Status
kafka_read(Reader *base, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	KafkaReader *reader = (KafkaReader *)base;

	if (!reader->revoked && reader->message_next == reader->message_count &&
	    !(reader->bounded && all_done(reader)))
		TRY(poll_messages(reader, timeout_ms, err));
	if (reader->revoked) {
		*result = READ_REVOKED;
		return FERRIS_OK;
	}
	if (reader->assigned != NULL)
		TRY(take_assigned(reader, err));
	else if (reader->partial_since != 0 && clock_ms() - reader->partial_since >= PARTIAL_MAX_MS)
		return not_alone(reader, err);
	TRY(take_run(reader, chunk, err));
	if (chunk->record_count > 0 || chunk->marked) {
		chunk->sequence = reader->sequence++;
		chunk_seal(chunk);
		*result = READ_DATA;
	} else {
		*result = reader->bounded && all_done(reader) ? READ_END : READ_IDLE;
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the rest */

rd_kafka_t *
kafka_reader_handle(Reader *base)
{
	return ((KafkaReader *)base)->client.handle;
}

rd_kafka_topic_partition_list_t *
kafka_position_list(const Reader *base, const SplitPosition *positions, uint32_t count)
{
	const KafkaReader *reader = (const KafkaReader *)base;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

	for (uint32_t i = 0; i < count; i++)
		rd_kafka_topic_partition_list_add(list, reader->client.topic,
						  (int32_t)positions[i].split)
			->offset = positions[i].next;
	return list;
}

Status
kafka_commit(Reader *base, const SplitPosition *positions, uint32_t count, Error *err)
{
	KafkaReader *reader = (KafkaReader *)base;

	if (count == 0)
		return FERRIS_OK;
	rd_kafka_topic_partition_list_t *list = kafka_position_list(base, positions, count);
	rd_kafka_resp_err_t code = rd_kafka_commit(reader->client.handle, list, 0);
	rd_kafka_topic_partition_list_destroy(list);
	if (kafka_passes(code)) /* the next commit says the same and more */
		return FERRIS_OK;
	switch (code) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
	case RD_KAFKA_RESP_ERR__NO_OFFSET:
	/* A rebalance took a partition away: its next owner repeats what was not committed. */
	case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
	case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
		return FERRIS_OK;
	default:
		return kafka_error(&reader->client, err, FERRIS_ERR_KAFKA_COMMIT, code,
				   "cannot commit positions of topic");
	}
}

const char *
kafka_split_name(const Reader *base, uint32_t split)
{
	const KafkaReader *reader = (const KafkaReader *)base;

	return split < reader->partition_count ? reader->partitions[split].name
					       : reader->client.topic;
}

bool
kafka_split_drained(Reader *base, uint32_t split)
{
	const KafkaReader *reader = (const KafkaReader *)base;

	return split < reader->partition_count && reader->partitions[split].drained;
}

uint32_t
kafka_split_count(const Reader *base)
{
	const KafkaReader *reader = (const KafkaReader *)base;

	return reader->share.count > 0 ? 1 : reader->partition_count;
}

int64_t
kafka_lag(Reader *base)
{
	KafkaReader *reader = (KafkaReader *)base;
	int64_t now = clock_ms();

	if (now < reader->next_lag_ms)
		return reader->lag;
	reader->next_lag_ms = now + LAG_INTERVAL_MS;
	reader->lag = 0;
	for (uint32_t i = 0; i < reader->partition_count; i++) {
		int64_t low, high;

		if (reader->partitions[i].next >= 0 &&
		    rd_kafka_get_watermark_offsets(reader->client.handle, reader->client.topic,
						   (int32_t)i, &low,
						   &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
		    high > reader->partitions[i].next)
			reader->lag += high - reader->partitions[i].next;
	}
	return reader->lag;
}

void
kafka_reader_close(Reader *base)
{
	KafkaReader *reader = (KafkaReader *)base;

	reader->closing = true;
	drop_messages(reader);
	if (reader->assigned != NULL)
		rd_kafka_topic_partition_list_destroy(reader->assigned);
	if (reader->queue != NULL)
		rd_kafka_queue_destroy(reader->queue);
	if (reader->client.handle != NULL) {
		if (reader->revoked)
			rd_kafka_assign(reader->client.handle, NULL);
		rd_kafka_consumer_close(reader->client.handle);
	}
	kafka_client_close(&reader->client);
}

/* Records from the beginning, without a group's position. */
Status
kafka_sample(const ReaderSpec *spec, Arena *arena, Chunk *chunk, size_t bytes, Error *err)
{
	KafkaReader *reader = ARENA_NEW(arena, KafkaReader);
	rd_kafka_topic_partition_list_t *list;
	int64_t deadline = clock_ms() + QUERY_TIMEOUT_MS;
	Status status = open_client(reader, spec, arena, err);
	int partitions = 0;

	if (status != FERRIS_OK)
		return status;
	status = kafka_client_topic(&reader->client, &partitions, err);
	if (status == FERRIS_OK && partitions == 0)
		status = kafka_missing_topic(&reader->client, err);
	if (status != FERRIS_OK) {
		kafka_client_close(&reader->client);
		return status;
	}
	rd_kafka_poll_set_consumer(reader->client.handle);
	list = rd_kafka_topic_partition_list_new(partitions);
	for (int i = 0; i < partitions; i++)
		rd_kafka_topic_partition_list_add(list, reader->client.topic, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(reader->client.handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	for (int ends = 0; ends < partitions && chunk->len < bytes && clock_ms() < deadline;) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->client.handle, 100);

		if (message == NULL)
			continue;
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			append_message(chunk, message);
		else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			ends++;
		rd_kafka_message_destroy(message);
	}
	chunk_seal(chunk);
	rd_kafka_consumer_close(reader->client.handle);
	kafka_client_close(&reader->client);
	return FERRIS_OK;
}
