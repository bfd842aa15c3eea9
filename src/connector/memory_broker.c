/* connector/memory_broker.c -- topics, positions of groups and who writes transactions. */
#include "connector/memory_broker.h"

#include "base/memory.h"

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

void
memory_lock(MemoryBroker *broker)
{
	pthread_mutex_lock(&broker->lock->mutex);
}

void
memory_unlock(MemoryBroker *broker)
{
	pthread_mutex_unlock(&broker->lock->mutex);
}

MemoryTopic *
memory_topic_get(MemoryBroker *broker, Str name)
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

Str
memory_copy_or_null(Arena *arena, Str bytes)
{
	return bytes.data != NULL ? str_copy(arena, bytes) : bytes;
}

void
memory_append(MemoryBroker *broker, MemoryTopic *topic, const MemoryRecord *record)
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
	kept->key = memory_copy_or_null(&broker->arena, record->key);
	kept->value = memory_copy_or_null(&broker->arena, record->value);
	kept->headers = memory_copy_or_null(&broker->arena, record->headers);
	kept->offset = partition->count;
	partition->records[partition->count++] = topic->count++;
	pthread_cond_broadcast(&broker->lock->changed);
}

void
memory_topic_create(MemoryBroker *broker, Str name, uint32_t partitions)
{
	memory_lock(broker);
	MemoryTopic *topic = memory_topic_get(broker, name);
	if (partitions > topic->partition_count && partitions <= MEMORY_PARTITIONS)
		topic->partition_count = partitions;
	memory_unlock(broker);
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

	memory_lock(broker);
	memory_append(broker, memory_topic_get(broker, name), &record);
	memory_unlock(broker);
}

void
memory_topic_close(MemoryBroker *broker, Str name)
{
	memory_lock(broker);
	memory_topic_get(broker, name)->closed = true;
	pthread_cond_broadcast(&broker->lock->changed);
	memory_unlock(broker);
}

size_t
memory_topic_count(MemoryBroker *broker, Str name)
{
	memory_lock(broker);
	size_t count = memory_topic_get(broker, name)->count;
	memory_unlock(broker);
	return count;
}

bool
memory_topic_read(MemoryBroker *broker, Str name, size_t index, MemoryRecord *record)
{
	memory_lock(broker);
	const MemoryTopic *topic = memory_topic_get(broker, name);
	bool found = index < topic->count;
	if (found)
		*record = topic->records[index];
	memory_unlock(broker);
	return found;
}

MemoryCommit *
memory_find_commit(MemoryTopic *topic, Str group, uint32_t partition)
{
	for (MemoryCommit *commit = topic->commits; commit != NULL; commit = commit->next)
		if (commit->partition == partition && str_eq(commit->group, group))
			return commit;
	return NULL;
}

void
memory_store_positions(const MemoryReader *reader, const SplitPosition *positions, uint32_t count)
{
	MemoryTopic *topic = reader->topic;
	Arena *arena = &reader->broker->arena;

	for (uint32_t i = 0; i < count; i++) {
		MemoryCommit *commit = memory_find_commit(topic, reader->group, positions[i].split);

		if (commit == NULL) {
			commit = ARENA_NEW(arena, MemoryCommit);
			commit->group = str_copy(arena, reader->group);
			commit->partition = positions[i].split;
			commit->next = topic->commits;
			topic->commits = commit;
		}
		commit->position = positions[i].next;
	}
}

MemoryProducer *
memory_producer_get(MemoryBroker *broker, Str name)
{
	for (MemoryProducer *producer = broker->producers; producer != NULL;
	     producer = producer->next)
		if (str_eq(producer->name, name))
			return producer;
	MemoryProducer *producer = ARENA_NEW(&broker->arena, MemoryProducer);
	producer->name = str_copy(&broker->arena, name);
	producer->next = broker->producers;
	broker->producers = producer;
	return producer;
}

int64_t
memory_topic_committed(MemoryBroker *broker, Str name, Str group, uint32_t partition)
{
	memory_lock(broker);
	const MemoryCommit *commit =
		memory_find_commit(memory_topic_get(broker, name), group, partition);
	int64_t position = commit != NULL ? commit->position : -1;
	memory_unlock(broker);
	return position;
}

void
memory_topic_pause(MemoryBroker *broker, Str name, uint32_t partition, int64_t pause_ms)
{
	MemoryRecord record = {.pause_ms = pause_ms, .partition = partition % MEMORY_PARTITIONS};

	memory_lock(broker);
	memory_append(broker, memory_topic_get(broker, name), &record);
	memory_unlock(broker);
}

/* ---------------------------------------------------------------- for the connector */

uint32_t
memory_draw(MemoryReader *reader, uint32_t limit)
{
	uint64_t hash = (reader->broker->seed ^ reader->life << 40 ^ reader->draws++) *
			UINT64_C(0x9E3779B97F4A7C15);

	hash = (hash ^ hash >> 31) * UINT64_C(0xBF58476D1CE4E5B9);
	return (uint32_t)(hash >> 32) % limit;
}

Status
memory_no_broker(const char *object, Error *err)
{
	error_set(err, FERRIS_ERR_OPTION_VALUE,
		  "'%s' uses the connector 'memory', which exists only in tests", object);
	return error_hint(err, "use 'kafka' or 'file'; SQL tests run with 'ferris-sql test'");
}

Str
memory_topic_name(const Setting *setting, const char *object)
{
	return setting->present ? setting->text : str_from(object);
}

bool
memory_fault_hits(MemoryFault *fault)
{
	return ++fault->calls == fault->at;
}

Status
memory_fault_error(Status status, const char *what, const MemoryTopic *topic, Error *err)
{
	return error_set(err, status, "cannot %s topic '%.*s': a fault was asked for", what,
			 STR_ARG(topic->name));
}
