/* connector/memory_writer.c -- records into topics in memory, and transactions.
 *
 * A writer with a transaction keeps what it is given, with what those within it and the log of
 * state are given; an epoch's end appends all of it and stores the positions of the input, under
 * the broker's mutex.  Who reads a topic therefore sees only what is final.
 *
 * A log of state is a topic of one partition, one for each share of the splits; all its records are
 * read, the last of a key counts.
 *
 * Threads: a writer, those within it and its logs belong to one thread. */
#include <time.h>

#include "base/memory.h"
#include "connector/memory_broker.h"
#include "connector/shuffle.h"

typedef struct PendingRecord {
	MemoryTopic *topic;
	MemoryRecord record;
} PendingRecord;

typedef struct MemoryWriter MemoryWriter;
struct MemoryWriter {
	Writer base;
	MemoryBroker *broker;
	MemoryTopic *topic;
	uint32_t turn; /* the partition for the next record without a key */
	SplitShare share;
	bool shuffles;
	MemoryWriter *within; /* whose epochs these are: its own with a transaction; NULL: none */
	/* with a transaction */
	MemoryProducer *producer;
	uint64_t generation;
	PendingRecord *pending; /* of the epoch that is open */
	uint32_t pending_count, pending_capacity;
	Arena pending_bytes;
};

typedef struct MemoryLog {
	StateLog base;
	MemoryWriter *writer;
	MemoryTopic *topic;
} MemoryLog;

Status
memory_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	MemoryWriter *writer = ARENA_NEW(arena, MemoryWriter);

	if (spec->environment == NULL)
		return memory_no_broker(spec->object, err);
	writer->base.class = &memory_connector;
	writer->broker = spec->environment;
	writer->within = (MemoryWriter *)spec->within;
	writer->share = spec->share;
	writer->shuffles = spec->shuffles;
	arena_init(&writer->pending_bytes, 0);
	memory_lock(writer->broker);
	writer->topic = memory_topic_get(
		writer->broker, memory_topic_name(&spec->settings[SINK_TOPIC], spec->object));
	writer->topic->writers++;
	writer->topic->closed = false;
	if (spec->transaction != NULL) {
		writer->within = writer;
		writer->producer = memory_producer_get(writer->broker, str_from(spec->transaction));
		writer->generation = ++writer->producer->generation;
	}
	memory_unlock(writer->broker);
	*out = &writer->base;
	return FERRIS_OK;
}

void
memory_weakness(const Setting *settings, const Options *given, Promise promise, Weakness *out)
{
	(void)given;
	*out = (Weakness){0};
	if (promise == PROMISE_EXACTLY_ONCE && !settings[SINK_TRANSACTIONS].flag)
		out->why = "topics in memory have transactions only with 'memory.transactions'";
}

/* ---------------------------------------------------------------- writing */

/* Equal keys go to one partition; records without a key take turns. */
static uint32_t
choose_partition(MemoryWriter *writer, Str key)
{
	uint32_t count = writer->topic->partition_count;
	uint32_t hash = 2166136261u; /* FNV-1a */

	if (key.data == NULL)
		return writer->turn++ % count;
	for (uint32_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * 16777619u;
	return hash % count;
}

static MemoryRecord
output_record(const Output *output, uint32_t i, int64_t now_ms)
{
	uint32_t start = i > 0 ? output->ends[i - 1] : 0;
	MemoryRecord record = {
		.value = {output->bytes.data + start, output->ends[i] - start},
		.timestamp_ms = now_ms,
	};

	if (record.value.len > 0 && record.value.data[record.value.len - 1] == '\n')
		record.value.len--;
	if (!output->keyed)
		return record;
	if (output_is_null(output, i))
		record.value = (Str){NULL, 0};
	record.key = output_key(output, i);
	record.headers = output_headers(output, i);
	if (output->timestamps[i] != INT64_MIN)
		record.timestamp_ms = output->timestamps[i];
	return record;
}

/* Into the epoch that is open; the bytes are copied. */
static void
add_pending(MemoryWriter *writer, MemoryTopic *topic, const MemoryRecord *record)
{
	Arena *arena = &writer->pending_bytes;

	if (writer->pending_count == writer->pending_capacity) {
		writer->pending_capacity = writer->pending_capacity * 2 + 64;
		writer->pending = memory_resize(writer->pending,
						sizeof *writer->pending * writer->pending_capacity);
	}
	PendingRecord *pending = &writer->pending[writer->pending_count++];
	*pending = (PendingRecord){topic, *record};
	pending->record.key = memory_copy_or_null(arena, record->key);
	pending->record.value = memory_copy_or_null(arena, record->value);
	pending->record.headers = memory_copy_or_null(arena, record->headers);
}

static void
drop_pending(MemoryWriter *writer)
{
	writer->pending_count = 0;
	arena_reset(&writer->pending_bytes);
}

/* With the lock held. */
static Status
check_put(MemoryWriter *writer, const MemoryTopic *topic, Error *err)
{
	return memory_fault_hits(&writer->broker->fail_put)
		       ? memory_fault_error(FERRIS_ERR_KAFKA_EPOCH, "write to", topic, err)
		       : FERRIS_OK;
}

static void
shuffle_record(const MemoryWriter *writer, MemoryRecord *record, char own_key[SHUFFLE_ROW_KEY])
{
	record->partition = shuffle_partition(record->key, writer->topic->partition_count);
	record->key = shuffle_row_key(writer->share, own_key);
	record->headers = (Str){NULL, 0};
}

Status
memory_write(Writer *base, const Output *output, Error *err)
{
	MemoryWriter *writer = (MemoryWriter *)base;
	MemoryBroker *broker = writer->broker;
	Status status = FERRIS_OK;
	char own_key[SHUFFLE_ROW_KEY];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	memory_lock(broker);
	if (broker->clock_ms != MEMORY_NO_TIMESTAMP)
		now_ms = broker->clock_ms;
	if (memory_fault_hits(&broker->fail_write))
		status = memory_fault_error(FERRIS_ERR_KAFKA_WRITE, "write to", writer->topic, err);
	else if (writer->within != NULL)
		status = check_put(writer, writer->topic, err);
	for (uint32_t i = 0; i < output->count && status == FERRIS_OK; i++) {
		MemoryRecord record = output_record(output, i, now_ms);

		if (writer->shuffles)
			shuffle_record(writer, &record, own_key);
		else
			record.partition = choose_partition(writer, record.key);
		if (writer->within != NULL)
			add_pending(writer->within, writer->topic, &record);
		else
			memory_append(broker, writer->topic, &record);
	}
	memory_unlock(broker);
	return status;
}

Status
memory_flush(Writer *base, Error *err)
{
	MemoryWriter *writer = (MemoryWriter *)base;
	Status status = FERRIS_OK;

	memory_lock(writer->broker);
	if (memory_fault_hits(&writer->broker->fail_flush))
		status = memory_fault_error(FERRIS_ERR_KAFKA_WRITE, "flush", writer->topic, err);
	memory_unlock(writer->broker);
	return status;
}

Status
memory_writer_close(Writer *base, bool failed, Error *err)
{
	MemoryWriter *writer = (MemoryWriter *)base;
	MemoryTopic *topic = writer->topic;

	(void)err;
	memory_lock(writer->broker);
	topic->writers--;
	if (writer->share.count > 0 && writer->within == writer && !failed)
		topic->written++;
	if (topic->writers == 0 && !failed && topic->written >= writer->share.count)
		topic->closed = true;
	pthread_cond_broadcast(&writer->broker->lock->changed);
	memory_unlock(writer->broker);
	memory_free(writer->pending);
	arena_free(&writer->pending_bytes);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- topics between statements */

Status
memory_put_mark(Writer *base, SplitMark mark, Error *err)
{
	MemoryWriter *writer = (MemoryWriter *)base;
	char bytes[SHUFFLE_MARK_KEY];
	MemoryRecord record = {.key = shuffle_mark_key(writer->share, mark, bytes)};

	memory_lock(writer->broker);
	Status status = check_put(writer, writer->topic, err);
	uint32_t count = writer->topic->partition_count;
	memory_unlock(writer->broker);
	for (; record.partition < count && status == FERRIS_OK; record.partition++)
		add_pending(writer, writer->topic, &record);
	return status;
}

Status
memory_shuffle_open(const WriterSpec *spec, uint32_t partitions, Arena *arena, Error *err)
{
	MemoryBroker *broker = spec->environment;

	(void)arena;
	if (broker == NULL)
		return memory_no_broker(spec->object, err);
	memory_lock(broker);
	memory_topic_get(broker, memory_topic_name(&spec->settings[SINK_TOPIC], spec->object))
		->partition_count = partitions;
	memory_unlock(broker);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- transactions */

Status
memory_takes_positions(Writer *base, Reader *reader, Error *err)
{
	const MemoryReader *source = (const MemoryReader *)reader;

	if (reader->class == base->class && source->resumes &&
	    source->broker == ((const MemoryWriter *)base)->broker)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_PREFLIGHT, "a source does not begin at its group's positions");
	return error_hint(err, "set 'memory.resume' = 'true'");
}

/* With the lock held: positions of a reader whose partitions others have are refused. */
static Status
check_member(const MemoryReader *reader, Error *err)
{
	return !reader->expelled
		       ? FERRIS_OK
		       : error_set(err, FERRIS_ERR_KAFKA_EPOCH,
				   "the group '%.*s' has given the partitions to another member",
				   STR_ARG(reader->group));
}

/* With the lock held. */
static Status
check_commit(MemoryWriter *writer, Error *err)
{
	if (writer->generation != writer->producer->generation)
		return error_set(err, FERRIS_ERR_KAFKA_FENCED,
				 "another writer writes as '%.*s' and has taken over",
				 STR_ARG(writer->producer->name));
	if (memory_fault_hits(&writer->broker->fail_commit))
		return memory_fault_error(FERRIS_ERR_KAFKA_EPOCH, "commit to", writer->topic, err);
	return FERRIS_OK;
}

Status
memory_commit_epoch(Writer *base, const EpochInput *inputs, uint32_t count, Error *err)
{
	MemoryWriter *writer = (MemoryWriter *)base;
	MemoryBroker *broker = writer->broker;

	memory_lock(broker);
	Status status = check_commit(writer, err);
	for (uint32_t i = 0; i < count && status == FERRIS_OK; i++)
		status = check_member((const MemoryReader *)inputs[i].reader, err);
	for (uint32_t i = 0; i < writer->pending_count && status == FERRIS_OK; i++)
		memory_append(broker, writer->pending[i].topic, &writer->pending[i].record);
	for (uint32_t i = 0; i < count && status == FERRIS_OK; i++)
		memory_store_positions((const MemoryReader *)inputs[i].reader, inputs[i].positions,
				       inputs[i].count);
	if (status == FERRIS_OK && memory_fault_hits(&broker->lose_answer))
		status = memory_fault_error(FERRIS_ERR_KAFKA_EPOCH, "hear of the commit to",
					    writer->topic, err);
	memory_unlock(broker);
	drop_pending(writer);
	return status;
}

/* ---------------------------------------------------------------- state */

Status
memory_log_open(Writer *base, const char *name, Arena *arena, StateLog **out, Error *err)
{
	MemoryLog *log = ARENA_NEW(arena, MemoryLog);

	(void)err;
	log->base.class = &memory_connector;
	log->base.keeps_ms = INT64_MAX;
	log->writer = (MemoryWriter *)base;
	log->base.output = log->writer->topic->name;
	memory_lock(log->writer->broker);
	if (log->writer->share.count > 0)
		name = str_format(arena, "%s[%u]", name, log->writer->share.split).data;
	log->topic = memory_topic_get(log->writer->broker, str_from(name));
	memory_unlock(log->writer->broker);
	*out = &log->base;
	return FERRIS_OK;
}

Status
memory_log_read(StateLog *base, int64_t from, StateLogVisit visit, void *context, Error *err)
{
	const MemoryLog *log = (const MemoryLog *)base;
	Status status = FERRIS_OK;

	memory_lock(log->writer->broker);
	for (uint32_t i = from != LOG_BEGIN ? (uint32_t)from : 0;
	     i < log->topic->count && status == FERRIS_OK; i++)
		status = visit(context, log->topic->records[i].key, log->topic->records[i].value,
			       err);
	memory_unlock(log->writer->broker);
	return status;
}

Status
memory_log_end(StateLog *base, int64_t *position, Error *err)
{
	const MemoryLog *log = (const MemoryLog *)base;

	(void)err;
	memory_lock(log->writer->broker);
	*position = log->topic->count;
	memory_unlock(log->writer->broker);
	return FERRIS_OK;
}

Status
memory_log_put(StateLog *base, Str key, Str value, Error *err)
{
	MemoryLog *log = (MemoryLog *)base;
	MemoryRecord record = {.key = key, .value = value};

	memory_lock(log->writer->broker);
	Status status = check_put(log->writer, log->topic, err);
	memory_unlock(log->writer->broker);
	if (status == FERRIS_OK)
		add_pending(log->writer, log->topic, &record);
	return status;
}

void
memory_log_close(StateLog *base)
{
	(void)base; /* it owns nothing */
}
