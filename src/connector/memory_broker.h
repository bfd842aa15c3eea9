/* connector/memory_broker.h -- the inside of a MemoryBroker, for the connector's own files.
 *
 *     memory_broker.c   topics, positions of groups, logs
 *     memory_reader.c   the reader and the connector's row
 *     memory_group.c    readers that share partitions, in simulations
 *     memory_writer.c   the writer and its transactions
 *
 * Threads: everything here is guarded by the broker's mutex. */
#pragma once

#include <pthread.h>

#include "connector/connector.h"
#include "connector/memory.h"

#define MEMORY_MEMBERS 2

extern const ConnectorClass memory_connector;

struct MemoryLock {
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a record came, or a topic was closed */
};

typedef struct MemoryPartition {
	uint32_t *records; /* indexes in the topic's records */
	uint32_t count, capacity;
} MemoryPartition;

typedef struct MemoryReader MemoryReader;
typedef struct MemoryCommit MemoryCommit;
struct MemoryCommit {
	MemoryCommit *next;
	Str group;
	uint32_t partition;
	int64_t position;
};

/* Two processes that share a topic; memory_group.c. */
typedef struct MemoryGroup MemoryGroup;
struct MemoryGroup {
	MemoryGroup *next;
	Str name;
	MemoryReader *members[MEMORY_MEMBERS]; /* NULL: it does not run */
	bool shared;                           /* there have been two */
	uint32_t running;                      /* the member whose turn it is */
	uint32_t expelled;                     /* so often */
	uint32_t lives[MEMORY_MEMBERS];        /* of each */
	uint8_t dealt[MEMORY_PARTITIONS];      /* to which member */
};

struct MemoryTopic {
	MemoryTopic *next;
	Str name;
	MemoryRecord *records; /* in order of appending */
	uint32_t count, capacity;
	MemoryPartition partitions[MEMORY_PARTITIONS];
	uint32_t partition_count;
	uint32_t lives;   /* of its readers */
	uint32_t writers; /* statements that write to it now */
	uint32_t written; /* shares of a statement that have written all there is */
	bool closed;
	MemoryCommit *commits;
	MemoryGroup *groups;
};

/* Who writes transactions of that name: the one who opened it last. */
struct MemoryProducer {
	MemoryProducer *next;
	Str name;
	uint64_t generation;
};

enum { SOURCE_TOPIC, SOURCE_BATCH, SOURCE_RESUME, SOURCE_ENDLESS, SOURCE_OPTION_COUNT };
enum { SINK_TOPIC, SINK_TRANSACTIONS, SINK_OPTION_COUNT };

struct MemoryReader {
	Reader base;
	MemoryBroker *broker;
	MemoryTopic *topic;
	Str group;
	bool resumes;
	bool keeps_place;
	uint64_t reads; /* that found records, for revoke_every */
	uint32_t batch; /* records at once; 0: no limit */
	uint32_t turn;  /* the partition to look at first */
	uint64_t sequence;
	uint32_t next[MEMORY_PARTITIONS];
	SplitShare share;
	bool shuffled;
	bool pauses[MEMORY_PARTITIONS]; /* the last thing met was a pause */
	const char *names[MEMORY_PARTITIONS];
	uint64_t life, draws; /* of numbers by the seed */
	/* of a group that is shared */
	MemoryGroup *shares;          /* NULL: none */
	uint32_t member;              /* its number */
	bool has_run;                 /* it has been read */
	bool joined;                  /* it is dealt partitions */
	bool expelled;                /* it was, and others have them */
	uint32_t fetched;             /* then: so often it reads on */
	bool held[MEMORY_PARTITIONS]; /* partitions that it reads */
};

void memory_lock(MemoryBroker *broker);
void memory_unlock(MemoryBroker *broker);

/* What follows wants the lock held. */

/* The topic of that name, made if there is none. */
MemoryTopic *memory_topic_get(MemoryBroker *broker, Str name);
/* The bytes are copied. */
void memory_append(MemoryBroker *broker, MemoryTopic *topic, const MemoryRecord *record);
/* NULL: the group has committed nothing there. */
MemoryCommit *memory_find_commit(MemoryTopic *topic, Str group, uint32_t partition);
void memory_store_positions(const MemoryReader *reader, const SplitPosition *positions,
			    uint32_t count);
/* data NULL stays so. */
Str memory_copy_or_null(Arena *arena, Str bytes);
MemoryProducer *memory_producer_get(MemoryBroker *broker, Str name);
/* 0..limit-1, by the broker's seed and the reader's life: another one each time. */
uint32_t memory_draw(MemoryReader *reader, uint32_t limit);
/* Does this call fail? */
bool memory_fault_hits(MemoryFault *fault);

/* For both ends. */
Status memory_no_broker(const char *object, Error *err);
Status memory_fault_error(Status status, const char *what, const MemoryTopic *topic, Error *err);
/* The name that the option gives, or the object's. */
Str memory_topic_name(const Setting *setting, const char *object);

/* ---- memory_group.c, with the lock held */

/* The reader is a process that may share the group's partitions. */
void memory_group_open(MemoryReader *reader);
void memory_group_leave(MemoryReader *reader);
/* Whether there are two of them. */
bool memory_group_shares(const MemoryReader *reader);
/* Until the reader's turn has come; false: it has not, for too long. */
bool memory_group_wait(MemoryReader *reader);
/* READ_DATA: it may read what it holds. */
ReadResult memory_group_poll(MemoryReader *reader);
void memory_group_release(MemoryReader *reader);
/* Processes that share partitions with their state: there is one, which has all. */
Status memory_join(const ReaderSpec *sources, uint32_t count, Arena *arena, Membership **out,
		   Error *err);
Status memory_member_poll(Membership *member, int timeout_ms, bool *held, Error *err);
void memory_member_leave(Membership *member);

/* ---- memory_writer.c */

Status memory_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err);
Status memory_write(Writer *writer, const Output *output, Error *err);
Status memory_flush(Writer *writer, Error *err);
Status memory_put_mark(Writer *writer, SplitMark mark, Error *err);
Status memory_shuffle_open(const WriterSpec *spec, uint32_t partitions, Arena *arena, Error *err);
Status memory_writer_close(Writer *writer, bool failed, Error *err);
void memory_weakness(const Setting *settings, const Options *given, Promise promise,
		     Weakness *out);
Status memory_takes_positions(Writer *writer, Reader *reader, Error *err);
Status memory_commit_epoch(Writer *writer, const EpochInput *inputs, uint32_t count, Error *err);
Status memory_log_open(Writer *writer, const char *name, Arena *arena, StateLog **out, Error *err);
Status memory_log_read(StateLog *log, int64_t from, StateLogVisit visit, void *context, Error *err);
Status memory_log_end(StateLog *log, int64_t *position, Error *err);
Status memory_log_put(StateLog *log, Str key, Str value, Error *err);
void memory_log_close(StateLog *log);
