/* connector/memory.c -- the broker, and the connector that reads and writes its topics. */
#include "connector/memory.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "connector/connector.h"

extern const ConnectorClass memory_connector;

struct MemoryLock {
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a record came, or a topic was closed */
};

typedef struct MemoryPartition {
	uint32_t *records; /* indexes in the topic's records */
	uint32_t count, capacity;
} MemoryPartition;

typedef struct MemoryCommit MemoryCommit;
struct MemoryCommit {
	MemoryCommit *next;
	Str group;
	uint32_t partition;
	int64_t position;
};

struct MemoryTopic {
	MemoryTopic *next;
	Str name;
	MemoryRecord *records; /* in order of appending */
	uint32_t count, capacity;
	MemoryPartition partitions[MEMORY_PARTITIONS];
	uint32_t partition_count;
	uint32_t writers; /* statements that write to it now */
	bool closed;
	MemoryCommit *commits;
};

MemoryBroker *
memory_broker_new(void)
{
	MemoryBroker *broker = memory_zero(sizeof *broker);
	pthread_condattr_t attributes;

	broker->clock_ms = MEMORY_NO_TIMESTAMP;
	broker->lock = memory_zero(sizeof *broker->lock);
	pthread_mutex_init(&broker->lock->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&broker->lock->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	arena_init(&broker->arena, 0);
	return broker;
}

void
memory_broker_destroy(MemoryBroker *broker)
{
	if (broker == NULL)
		return;
	for (MemoryTopic *topic = broker->topics; topic != NULL; topic = topic->next) {
		memory_free(topic->records);
		for (uint32_t i = 0; i < MEMORY_PARTITIONS; i++)
			memory_free(topic->partitions[i].records);
	}
	pthread_cond_destroy(&broker->lock->changed);
	pthread_mutex_destroy(&broker->lock->mutex);
	memory_free(broker->lock);
	arena_free(&broker->arena);
	memory_free(broker);
}

static void
lock(MemoryBroker *broker)
{
	pthread_mutex_lock(&broker->lock->mutex);
}

static void
unlock(MemoryBroker *broker)
{
	pthread_mutex_unlock(&broker->lock->mutex);
}

/* With the lock held: the topic of that name, made if there is none. */
static MemoryTopic *
topic_get(MemoryBroker *broker, Str name)
{
	for (MemoryTopic *topic = broker->topics; topic != NULL; topic = topic->next)
		if (str_eq(topic->name, name))
			return topic;
	MemoryTopic *topic = ARENA_NEW(&broker->arena, MemoryTopic);
	topic->name = str_copy(&broker->arena, name);
	topic->partition_count = 1;
	topic->next = broker->topics;
	broker->topics = topic;
	return topic;
}

static Str
copy_or_null(Arena *arena, Str bytes)
{
	return bytes.data != NULL ? str_copy(arena, bytes) : bytes;
}

/* With the lock held. */
static void
topic_append(MemoryBroker *broker, MemoryTopic *topic, const MemoryRecord *record)
{
	MemoryPartition *partition = &topic->partitions[record->partition];

	if (record->partition >= topic->partition_count)
		topic->partition_count = record->partition + 1;
	if (topic->count == topic->capacity) {
		topic->capacity = topic->capacity > 0 ? topic->capacity * 2 : 64;
		topic->records =
			memory_resize(topic->records, sizeof *topic->records * topic->capacity);
	}
	if (partition->count == partition->capacity) {
		partition->capacity = partition->capacity > 0 ? partition->capacity * 2 : 64;
		partition->records = memory_resize(partition->records, sizeof *partition->records *
									       partition->capacity);
	}
	MemoryRecord *kept = &topic->records[topic->count];
	*kept = *record;
	kept->key = copy_or_null(&broker->arena, record->key);
	kept->value = copy_or_null(&broker->arena, record->value);
	kept->headers = copy_or_null(&broker->arena, record->headers);
	kept->offset = partition->count;
	partition->records[partition->count++] = topic->count++;
	pthread_cond_broadcast(&broker->lock->changed);
}

void
memory_topic_create(MemoryBroker *broker, Str name, uint32_t partitions)
{
	lock(broker);
	MemoryTopic *topic = topic_get(broker, name);
	if (partitions > topic->partition_count && partitions <= MEMORY_PARTITIONS)
		topic->partition_count = partitions;
	unlock(broker);
}

void
memory_topic_append(MemoryBroker *broker, Str name, uint32_t partition, Str key, Str value,
		    int64_t timestamp_ms)
{
	MemoryRecord record = {
		.key = key,
		.value = value,
		.timestamp_ms = timestamp_ms,
		.partition = partition % MEMORY_PARTITIONS,
	};

	lock(broker);
	topic_append(broker, topic_get(broker, name), &record);
	unlock(broker);
}

void
memory_topic_close(MemoryBroker *broker, Str name)
{
	lock(broker);
	topic_get(broker, name)->closed = true;
	pthread_cond_broadcast(&broker->lock->changed);
	unlock(broker);
}

size_t
memory_topic_count(MemoryBroker *broker, Str name)
{
	lock(broker);
	size_t count = topic_get(broker, name)->count;
	unlock(broker);
	return count;
}

bool
memory_topic_read(MemoryBroker *broker, Str name, size_t index, MemoryRecord *record)
{
	lock(broker);
	const MemoryTopic *topic = topic_get(broker, name);
	bool found = index < topic->count;
	if (found)
		*record = topic->records[index];
	unlock(broker);
	return found;
}

/* With the lock held. */
static MemoryCommit *
find_commit(MemoryTopic *topic, Str group, uint32_t partition)
{
	for (MemoryCommit *commit = topic->commits; commit != NULL; commit = commit->next)
		if (commit->partition == partition && str_eq(commit->group, group))
			return commit;
	return NULL;
}

int64_t
memory_topic_committed(MemoryBroker *broker, Str name, Str group, uint32_t partition)
{
	lock(broker);
	const MemoryCommit *commit = find_commit(topic_get(broker, name), group, partition);
	int64_t position = commit != NULL ? commit->position : -1;
	unlock(broker);
	return position;
}

/* ---- the connector ---- */

enum { SOURCE_TOPIC, SOURCE_BATCH, SOURCE_RESUME, SOURCE_ENDLESS, SOURCE_OPTION_COUNT };
enum { SINK_TOPIC, SINK_OPTION_COUNT };

/* clang-format off */
static const OptionRow source_rows[SOURCE_OPTION_COUNT] = {
	[SOURCE_TOPIC] = {.name = "topic", .type = OPTION_STRING,
		.doc = "The topic; the stream's name if not given."},
	[SOURCE_BATCH] = {.name = "memory.batch", .type = OPTION_INTEGER, .initial = "0",
		.min = 0, .max = 1e9,
		.doc = "Records read at once at most; 0 sets no limit."},
	[SOURCE_RESUME] = {.name = "memory.resume", .type = OPTION_BOOLEAN, .initial = "false",
		.doc = "Begin where the group has committed rather than at the first record."},
	[SOURCE_ENDLESS] = {.name = "memory.endless", .type = OPTION_BOOLEAN, .initial = "false",
		.doc = "Plan as for a topic that goes on for ever."},
};

static const OptionRow sink_rows[SINK_OPTION_COUNT] = {
	[SINK_TOPIC] = {.name = "topic", .type = OPTION_STRING,
		.doc = "The topic; the stream's name if not given."},
};
/* clang-format on */

void
memory_topic_pause(MemoryBroker *broker, Str name, uint32_t partition, int64_t pause_ms)
{
	MemoryRecord record = {.pause_ms = pause_ms, .partition = partition % MEMORY_PARTITIONS};

	lock(broker);
	topic_append(broker, topic_get(broker, name), &record);
	unlock(broker);
}

typedef struct MemoryReader {
	Reader base;
	MemoryBroker *broker;
	MemoryTopic *topic;
	Str group;
	uint32_t batch; /* records at once; 0: no limit */
	uint32_t turn;  /* the partition to look at first */
	uint64_t sequence;
	uint32_t next[MEMORY_PARTITIONS];
	bool pauses[MEMORY_PARTITIONS]; /* the last thing met was a pause */
	const char *names[MEMORY_PARTITIONS];
} MemoryReader;

typedef struct MemoryWriter {
	Writer base;
	MemoryBroker *broker;
	MemoryTopic *topic;
	uint32_t turn; /* the partition for the next record without a key */
} MemoryWriter;

static Status
no_broker(const char *object, Error *err)
{
	error_set(err, FERRIS_ERR_OPTION_VALUE,
		  "'%s' uses the connector 'memory', which exists only in tests", object);
	return error_hint(err, "use 'kafka' or 'file'; SQL tests run with 'ferris-sql test'");
}

static Str
topic_name(const Setting *setting, const char *object)
{
	return setting->present ? setting->text : str_from(object);
}

/* With the lock held: does this call fail? */
static bool
fault_hits(MemoryFault *fault)
{
	return ++fault->calls == fault->at;
}

static Status
fault_error(Status status, const char *what, const MemoryTopic *topic, Error *err)
{
	return error_set(err, status, "cannot %s topic '%.*s': a fault was asked for", what,
			 STR_ARG(topic->name));
}

static Status
memory_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err)
{
	MemoryReader *reader = ARENA_NEW(arena, MemoryReader);
	Str name = topic_name(&spec->settings[SOURCE_TOPIC], spec->object);

	if (spec->environment == NULL)
		return no_broker(spec->object, err);
	reader->base.class = &memory_connector;
	reader->broker = spec->environment;
	reader->group = str_copy(arena, str_from(spec->group != NULL ? spec->group : ""));
	reader->batch = (uint32_t)spec->settings[SOURCE_BATCH].integer;
	lock(reader->broker);
	reader->topic = topic_get(reader->broker, name);
	for (uint32_t i = 0; i < MEMORY_PARTITIONS; i++) {
		const MemoryCommit *commit = find_commit(reader->topic, reader->group, i);

		reader->names[i] = str_format(arena, "%.*s[%u]", STR_ARG(name), i).data;
		if (commit != NULL && spec->settings[SOURCE_RESUME].flag)
			reader->next[i] = (uint32_t)commit->position;
	}
	unlock(reader->broker);
	*out = &reader->base;
	return FERRIS_OK;
}

static uint32_t
copy_bytes(Chunk *chunk, Str bytes)
{
	uint32_t at = (uint32_t)chunk->len;

	memcpy(chunk_reserve(chunk, bytes.len), bytes.data != NULL ? bytes.data : "", bytes.len);
	chunk->len += bytes.len;
	return at;
}

static void
copy_record(Chunk *chunk, const MemoryRecord *from)
{
	ChunkRecord *to = chunk_add_record(chunk);

	to->offset = copy_bytes(chunk, from->value);
	to->len = from->value.data != NULL ? from->value.len : RECORD_NULL;
	to->key_offset = copy_bytes(chunk, from->key);
	to->key_len = from->key.data != NULL ? from->key.len : RECORD_NULL;
	to->header_offset = copy_bytes(chunk, from->headers);
	to->header_len = from->headers.len;
	to->position = from->offset;
	to->timestamp_ms = from->timestamp_ms;
}

/* With the lock held: a partition with records that were not read yet, or -1. */
static int
ready_partition(const MemoryReader *reader)
{
	const MemoryTopic *topic = reader->topic;

	for (uint32_t i = 0; i < topic->partition_count; i++) {
		uint32_t index = (reader->turn + i) % topic->partition_count;
		if (reader->next[index] < topic->partitions[index].count)
			return (int)index;
	}
	return -1;
}

/* With the lock held. */
static MemoryRecord *
next_record(const MemoryReader *reader, uint32_t index)
{
	const MemoryPartition *partition = &reader->topic->partitions[index];

	return &reader->topic->records[partition->records[reader->next[index]]];
}

/* With the lock held: a pause puts the clock forward once, whoever meets it first. */
static void
take_pause(MemoryReader *reader, uint32_t index)
{
	MemoryRecord *pause = next_record(reader, index);

	if (pause->pause_ms > 0)
		reader->broker->clock_offset_ms += pause->pause_ms;
	pause->pause_ms = -1;
	reader->next[index]++;
	reader->pauses[index] = true;
	reader->turn = index + 1;
}

/* With the lock held: fill the chunk with records of the partition. */
static void
take_records(MemoryReader *reader, uint32_t index, Chunk *chunk)
{
	const MemoryPartition *partition = &reader->topic->partitions[index];
	uint32_t *next = &reader->next[index];

	chunk->split = index;
	chunk->position = *next;
	reader->pauses[index] = false;
	while (*next < partition->count && next_record(reader, index)->pause_ms == 0 &&
	       chunk->len < CHUNK_CAPACITY &&
	       (reader->batch == 0 || chunk->record_count < reader->batch))
		copy_record(chunk, &reader->topic->records[partition->records[(*next)++]]);
	chunk->next_position = *next;
	chunk->sequence = reader->sequence++;
	chunk_seal(chunk);
	reader->turn = index + 1;
}

static Status
memory_read(Reader *base, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	MemoryReader *reader = (MemoryReader *)base;
	MemoryBroker *broker = reader->broker;
	struct timespec deadline = clock_deadline(timeout_ms);
	Status status = FERRIS_OK;
	int waited = 0;
	int index;

	lock(broker);
	while ((index = ready_partition(reader)) < 0 && !reader->topic->closed && waited == 0)
		waited = pthread_cond_timedwait(&broker->lock->changed, &broker->lock->mutex,
						&deadline);
	*result = index >= 0 ? READ_DATA : reader->topic->closed ? READ_END : READ_IDLE;
	if (index >= 0 && fault_hits(&broker->fail_read))
		status = fault_error(FERRIS_ERR_KAFKA_READ, "read", reader->topic, err);
	else if (index >= 0 && next_record(reader, (uint32_t)index)->pause_ms != 0)
		take_pause(reader, (uint32_t)index);
	else if (index >= 0)
		take_records(reader, (uint32_t)index, chunk);
	if (index >= 0 && chunk->record_count == 0 && status == FERRIS_OK)
		*result = READ_IDLE;
	unlock(broker);
	return status;
}

static Status
memory_commit(Reader *base, const SplitPosition *positions, uint32_t count, Error *err)
{
	MemoryReader *reader = (MemoryReader *)base;
	MemoryTopic *topic = reader->topic;
	Arena *arena = &reader->broker->arena;
	Status status = FERRIS_OK;

	lock(reader->broker);
	if (fault_hits(&reader->broker->fail_commit))
		status = fault_error(FERRIS_ERR_KAFKA_COMMIT, "commit to", topic, err);
	for (uint32_t i = 0; i < count && status == FERRIS_OK; i++) {
		MemoryCommit *commit = find_commit(topic, reader->group, positions[i].split);

		if (commit == NULL) {
			commit = ARENA_NEW(arena, MemoryCommit);
			commit->group = str_copy(arena, reader->group);
			commit->partition = positions[i].split;
			commit->next = topic->commits;
			topic->commits = commit;
		}
		commit->position = positions[i].next;
	}
	unlock(reader->broker);
	return status;
}

static const char *
memory_split_name(const Reader *base, uint32_t split)
{
	return ((const MemoryReader *)base)->names[split];
}

static bool
memory_split_drained(Reader *base, uint32_t split)
{
	MemoryReader *reader = (MemoryReader *)base;

	lock(reader->broker);
	bool drained = reader->pauses[split] ||
		       reader->next[split] >= reader->topic->partitions[split].count;
	unlock(reader->broker);
	return drained;
}

static int64_t
memory_lag(Reader *base)
{
	MemoryReader *reader = (MemoryReader *)base;
	int64_t lag = 0;

	lock(reader->broker);
	for (uint32_t i = 0; i < reader->topic->partition_count; i++)
		lag += reader->topic->partitions[i].count - reader->next[i];
	unlock(reader->broker);
	return lag;
}

static void
memory_reader_close(Reader *base)
{
	(void)base; /* it owns nothing */
}

static Status
memory_sample(const ReaderSpec *spec, Arena *arena, Chunk *chunk, size_t bytes, Error *err)
{
	Str name = topic_name(&spec->settings[SOURCE_TOPIC], spec->object);
	MemoryBroker *broker = spec->environment;

	(void)arena;
	if (broker == NULL)
		return no_broker(spec->object, err);
	chunk_reset(chunk);
	lock(broker);
	const MemoryTopic *topic = topic_get(broker, name);
	for (uint32_t i = 0; i < topic->count && (chunk->len < bytes || i == 0); i++)
		if (topic->records[i].pause_ms == 0)
			copy_record(chunk, &topic->records[i]);
	unlock(broker);
	chunk_seal(chunk);
	if (chunk->record_count > 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_NO_SCHEMA,
		  "the columns of '%s' cannot be found out: topic '%.*s' is empty", spec->object,
		  STR_ARG(name));
	return error_hint(err, "declare the columns in CREATE STREAM");
}

static Status
memory_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	MemoryWriter *writer = ARENA_NEW(arena, MemoryWriter);

	if (spec->environment == NULL)
		return no_broker(spec->object, err);
	writer->base.class = &memory_connector;
	writer->broker = spec->environment;
	lock(writer->broker);
	writer->topic =
		topic_get(writer->broker, topic_name(&spec->settings[SINK_TOPIC], spec->object));
	writer->topic->writers++;
	writer->topic->closed = false;
	unlock(writer->broker);
	*out = &writer->base;
	return FERRIS_OK;
}

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

static Status
memory_write(Writer *base, const Output *output, Error *err)
{
	MemoryWriter *writer = (MemoryWriter *)base;
	MemoryBroker *broker = writer->broker;
	Status status = FERRIS_OK;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	lock(broker);
	if (broker->clock_ms != MEMORY_NO_TIMESTAMP)
		now_ms = broker->clock_ms;
	if (fault_hits(&broker->fail_write))
		status = fault_error(FERRIS_ERR_KAFKA_WRITE, "write to", writer->topic, err);
	for (uint32_t i = 0; i < output->count && status == FERRIS_OK; i++) {
		MemoryRecord record = output_record(output, i, now_ms);

		record.partition = choose_partition(writer, record.key);
		topic_append(broker, writer->topic, &record);
	}
	unlock(broker);
	return status;
}

static Status
memory_flush(Writer *base, Error *err)
{
	MemoryWriter *writer = (MemoryWriter *)base;
	Status status = FERRIS_OK;

	lock(writer->broker);
	if (fault_hits(&writer->broker->fail_flush))
		status = fault_error(FERRIS_ERR_KAFKA_WRITE, "flush", writer->topic, err);
	unlock(writer->broker);
	return status;
}

static Status
memory_writer_close(Writer *base, bool failed, Error *err)
{
	MemoryWriter *writer = (MemoryWriter *)base;
	MemoryTopic *topic = writer->topic;

	(void)err;
	lock(writer->broker);
	topic->writers--;
	if (topic->writers == 0 && !failed)
		topic->closed = true;
	pthread_cond_broadcast(&writer->broker->lock->changed);
	unlock(writer->broker);
	return FERRIS_OK;
}

static bool
is_bounded(const Setting *settings)
{
	/* A topic that is written is closed at the end. */
	return !settings[SOURCE_ENDLESS].flag;
}

static uint32_t
memory_split_count(const Reader *base)
{
	const MemoryReader *reader = (const MemoryReader *)base;

	pthread_mutex_lock(&reader->broker->lock->mutex);
	uint32_t count = reader->topic->partition_count;
	pthread_mutex_unlock(&reader->broker->lock->mutex);
	return count;
}

const ConnectorClass memory_connector = {
	.name = "memory",
	.doc = "Topics inside the process, for tests.",
	.default_format = "json",
	.keyed_output = true,
	.source_options = {"memory source", source_rows, SOURCE_OPTION_COUNT},
	.sink_options = {"memory sink", sink_rows, SINK_OPTION_COUNT},
	.bounded = is_bounded,
	.split_count = memory_split_count,
	.reader_open = memory_reader_open,
	.read = memory_read,
	.commit = memory_commit,
	.split_name = memory_split_name,
	.split_drained = memory_split_drained,
	.lag = memory_lag,
	.reader_close = memory_reader_close,
	.sample = memory_sample,
	.writer_open = memory_writer_open,
	.write = memory_write,
	.flush = memory_flush,
	.writer_close = memory_writer_close,
};
