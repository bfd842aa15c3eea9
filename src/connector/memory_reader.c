/* connector/memory_reader.c -- the connector that reads and writes topics in memory; its reader. */
#include "base/clock.h"
#include "base/memory.h"
#include "connector/memory_broker.h"
#include "connector/shuffle.h"

#define BATCH_MAX 8 /* so many records before its position a fetch may begin */

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
	[SINK_TRANSACTIONS] = {.name = "memory.transactions", .type = OPTION_BOOLEAN,
		.initial = "false",
		.doc = "Exactly-once: records become visible with their epoch; the sources need "
		       "'memory.resume'."},
};
/* clang-format on */

/* With the lock held: a pause that is still to be read comes once more. */
static void
rearm_pauses(MemoryReader *reader, uint32_t index)
{
	const MemoryPartition *partition = &reader->topic->partitions[index];

	for (uint32_t i = reader->next[index]; i < partition->count; i++) {
		MemoryRecord *record = &reader->topic->records[partition->records[i]];

		if (record->pause_ms < 0)
			record->pause_ms = -record->pause_ms;
	}
}

/* With the lock held: partitions take turns as if there had been no break. */
static void
find_turn(MemoryReader *reader)
{
	reader->turn = 0;
	for (uint32_t i = 0; i < reader->topic->partition_count; i++)
		if (reader->next[i] < reader->next[reader->turn])
			reader->turn = i;
}

/* With the lock held: all partitions go on where the group stands, or behind what was read of them
 * and is kept. */
static void
resume(MemoryReader *reader)
{
	for (uint32_t i = 0; i < MEMORY_PARTITIONS; i++) {
		const MemoryCommit *commit = memory_find_commit(reader->topic, reader->group, i);

		if (commit != NULL && (!reader->keeps_place || commit->position > reader->next[i]))
			reader->next[i] = (uint32_t)commit->position;
	}
	find_turn(reader);
}

static Status
memory_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err)
{
	MemoryReader *reader = ARENA_NEW(arena, MemoryReader);
	Str name = memory_topic_name(&spec->settings[SOURCE_TOPIC], spec->object);

	if (spec->environment == NULL)
		return memory_no_broker(spec->object, err);
	reader->base.class = &memory_connector;
	reader->broker = spec->environment;
	reader->group = str_copy(arena, str_from(spec->group != NULL ? spec->group : ""));
	reader->keeps_place = spec->keeps_place;
	reader->resumes = spec->settings[SOURCE_RESUME].flag;
	reader->batch = (uint32_t)spec->settings[SOURCE_BATCH].integer;
	reader->share = spec->share;
	reader->shuffled = spec->shuffled;
	memory_lock(reader->broker);
	reader->topic = memory_topic_get(reader->broker, name);
	if (reader->resumes)
		resume(reader);
	reader->life = (uint64_t)++reader->topic->lives << 20;
	if (reader->resumes && reader->broker->shares && spec->instance != NULL && !spec->whole)
		memory_group_open(reader);
	for (uint32_t i = 0; i < MEMORY_PARTITIONS; i++) {
		Str split = str_format(arena, "%.*s[%u]", STR_ARG(name), i);
		const SplitPlace *place = split_place_find(spec->places, spec->place_count, split);

		reader->names[i] = split.data;
		if (place != NULL)
			reader->next[i] = (uint32_t)place->next;
		if (reader->resumes)
			rearm_pauses(reader, i);
	}
	find_turn(reader);
	memory_unlock(reader->broker);
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

static bool
is_read(const MemoryReader *reader, uint32_t index)
{
	if (reader->share.count > 0)
		return index == reader->share.split;
	return !memory_group_shares(reader) || reader->held[index];
}

/* With the lock held: a partition with records that were not read yet, or -1. */
static int
ready_partition(MemoryReader *reader)
{
	const MemoryTopic *topic = reader->topic;
	uint32_t first = reader->broker->shuffles ? memory_draw(reader, topic->partition_count)
						  : reader->turn;

	for (uint32_t i = 0; i < topic->partition_count; i++) {
		uint32_t index = (first + i) % topic->partition_count;
		if (is_read(reader, index) && reader->next[index] < topic->partitions[index].count)
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
	pause->pause_ms = pause->pause_ms > 0 ? -pause->pause_ms : pause->pause_ms;
	reader->next[index]++;
	reader->pauses[index] = true;
	reader->turn = index + 1;
}

/* With the lock held: where a fetch begins.  It brings whole batches of what was written together,
 * so its first records may have been read before. */
static uint32_t
fetch_start(MemoryReader *reader, uint32_t index)
{
	uint32_t next = reader->next[index];

	if (reader->broker->seed == 0 || memory_draw(reader, 2) == 0)
		return next;
	return next - memory_draw(reader, next < BATCH_MAX ? next + 1 : BATCH_MAX);
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
	for (uint32_t at = fetch_start(reader, index);
	     at < partition->count && chunk->len < CHUNK_CAPACITY &&
	     (reader->batch == 0 || chunk->record_count < reader->batch) &&
	     (reader->base.limit_rows == 0 || chunk->record_count < reader->base.limit_rows);
	     at++) {
		const MemoryRecord *record = &reader->topic->records[partition->records[at]];

		if (record->offset < *next) { /* it was read */
			reader->broker->repeated++;
			continue;
		}
		if (record->pause_ms != 0)
			break;
		ShuffleTaken taken =
			reader->shuffled ? shuffle_take(chunk, record->key) : SHUFFLE_ROW;
		if (taken == SHUFFLE_OTHER)
			break;
		if (taken != SHUFFLE_MARK)
			copy_record(chunk, record);
		*next = at + 1;
		if (chunk->marked)
			break;
	}
	chunk->next_position = *next;
	chunk->sequence = reader->sequence++;
	chunk_seal(chunk);
	reader->turn = index + 1;
}

/* With the lock held.  A pause cannot be committed: it would come again each time. */
static bool
is_revoked(MemoryReader *reader, uint32_t index)
{
	uint32_t every = reader->broker->revoke_every;

	return every > 0 && reader->resumes && !memory_group_shares(reader) &&
	       next_record(reader, index)->pause_ms == 0 && ++reader->reads % every == 0;
}

/* With the lock held: a reader that shares its group waits for its turn, and hears of the group. */
static bool
may_read(MemoryReader *reader, ReadResult *result)
{
	if (!memory_group_shares(reader))
		return true;
	*result = memory_group_wait(reader) ? memory_group_poll(reader) : READ_IDLE;
	return *result == READ_DATA;
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

	memory_lock(broker);
	if (!may_read(reader, result)) {
		memory_unlock(broker);
		return FERRIS_OK;
	}
	while ((index = ready_partition(reader)) < 0 && !reader->topic->closed && waited == 0)
		waited = pthread_cond_timedwait(&broker->lock->changed, &broker->lock->mutex,
						&deadline);
	*result = index >= 0 ? READ_DATA : reader->topic->closed ? READ_END : READ_IDLE;
	broker->clock_offset_ms += broker->read_ms;
	if (index >= 0 && is_revoked(reader, (uint32_t)index))
		*result = READ_REVOKED;
	else if (index >= 0 && memory_fault_hits(&broker->fail_read))
		status = memory_fault_error(FERRIS_ERR_KAFKA_READ, "read", reader->topic, err);
	else if (index >= 0 && next_record(reader, (uint32_t)index)->pause_ms != 0)
		take_pause(reader, (uint32_t)index);
	else if (index >= 0)
		take_records(reader, (uint32_t)index, chunk);
	if (*result == READ_DATA && chunk->record_count == 0 && !chunk->marked &&
	    status == FERRIS_OK)
		*result = READ_IDLE;
	memory_unlock(broker);
	return status;
}

static Status
memory_commit(Reader *base, const SplitPosition *positions, uint32_t count, Error *err)
{
	MemoryReader *reader = (MemoryReader *)base;
	Status status = FERRIS_OK;

	memory_lock(reader->broker);
	if (memory_fault_hits(&reader->broker->fail_commit))
		status = memory_fault_error(FERRIS_ERR_KAFKA_COMMIT, "commit to", reader->topic,
					    err);
	else
		memory_store_positions(reader, positions, count);
	memory_unlock(reader->broker);
	return status;
}

/* What was read and not committed comes again, unless it is kept in state. */
static Status
memory_release(Reader *base, Error *err)
{
	MemoryReader *reader = (MemoryReader *)base;

	(void)err;
	memory_lock(reader->broker);
	memory_group_release(reader);
	if (!reader->keeps_place)
		memset(reader->next, 0, sizeof reader->next);
	resume(reader);
	memory_unlock(reader->broker);
	return FERRIS_OK;
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

	memory_lock(reader->broker);
	bool drained = reader->pauses[split] ||
		       reader->next[split] >= reader->topic->partitions[split].count;
	memory_unlock(reader->broker);
	return drained;
}

static int64_t
memory_lag(Reader *base)
{
	MemoryReader *reader = (MemoryReader *)base;
	int64_t lag = 0;

	memory_lock(reader->broker);
	for (uint32_t i = 0; i < reader->topic->partition_count; i++)
		if (reader->share.count == 0 || i == reader->share.split)
			lag += reader->topic->partitions[i].count - reader->next[i];
	memory_unlock(reader->broker);
	return lag;
}

static void
memory_reader_close(Reader *base)
{
	MemoryReader *reader = (MemoryReader *)base;

	memory_lock(reader->broker);
	memory_group_leave(reader);
	memory_unlock(reader->broker);
}

static Status
memory_sample(const ReaderSpec *spec, Arena *arena, Chunk *chunk, size_t bytes, Error *err)
{
	Str name = memory_topic_name(&spec->settings[SOURCE_TOPIC], spec->object);
	MemoryBroker *broker = spec->environment;

	(void)arena;
	if (broker == NULL)
		return memory_no_broker(spec->object, err);
	chunk_reset(chunk);
	memory_lock(broker);
	const MemoryTopic *topic = memory_topic_get(broker, name);
	for (uint32_t i = 0; i < topic->count && (chunk->len < bytes || i == 0); i++)
		if (topic->records[i].pause_ms == 0)
			copy_record(chunk, &topic->records[i]);
	memory_unlock(broker);
	chunk_seal(chunk);
	if (chunk->record_count > 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_NO_SCHEMA,
		  "the columns of '%s' cannot be found out: topic '%.*s' is empty", spec->object,
		  STR_ARG(name));
	return error_hint(err, "declare the columns in CREATE STREAM");
}

static bool
is_bounded(const Setting *settings)
{
	/* A topic that is written is closed at the end. */
	return !settings[SOURCE_ENDLESS].flag;
}

static bool
resumes(const Setting *settings)
{
	return settings[SOURCE_RESUME].flag;
}

static const char *
no_place(const Setting *settings)
{
	return settings[SOURCE_RESUME].flag
		       ? NULL
		       : "a source cannot be read again from where it was left";
}

static uint32_t
memory_split_count(const Reader *base)
{
	const MemoryReader *reader = (const MemoryReader *)base;

	memory_lock(reader->broker);
	uint32_t count = reader->share.count > 0 ? 1 : reader->topic->partition_count;
	memory_unlock(reader->broker);
	return count;
}

const ConnectorClass memory_connector = {
	.name = "memory",
	.doc = "Topics inside the process, for tests.",
	.default_format = "json",
	.keyed_output = true,
	.topic_option = "topic",
	.source_options = {"memory source", source_rows, SOURCE_OPTION_COUNT},
	.sink_options = {"memory sink", sink_rows, SINK_OPTION_COUNT},
	.bounded = is_bounded,
	.resumes = resumes,
	.no_place = no_place,
	.split_count = memory_split_count,
	.join = memory_join,
	.member_poll = memory_member_poll,
	.member_leave = memory_member_leave,
	.reader_open = memory_reader_open,
	.read = memory_read,
	.commit = memory_commit,
	.release = memory_release,
	.split_name = memory_split_name,
	.split_drained = memory_split_drained,
	.lag = memory_lag,
	.reader_close = memory_reader_close,
	.sample = memory_sample,
	.writer_open = memory_writer_open,
	.write = memory_write,
	.flush = memory_flush,
	.put_mark = memory_put_mark,
	.shuffle_open = memory_shuffle_open,
	.commit_epoch = memory_commit_epoch,
	.weakness = memory_weakness,
	.takes_positions = memory_takes_positions,
	.log_open = memory_log_open,
	.log_read = memory_log_read,
	.log_end = memory_log_end,
	.log_put = memory_log_put,
	.log_close = memory_log_close,
	.writer_close = memory_writer_close,
};
