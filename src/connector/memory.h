/* connector/memory.h -- topics inside the process, for tests and simulation.
 *
 * A MemoryBroker holds named topics; a topic holds records in partitions, as Kafka's do.  Tests
 * append the input and read the output; statements see the topics by 'connector' = 'memory' when
 * ReaderSpec.environment and WriterSpec.environment are the broker.
 *
 * With 'memory.transactions' what is written becomes visible with its epoch: records, the positions
 * of the input and the records of state, which are a topic too, at once.
 *
 * A topic is bounded once it is closed: readers then end after its last record.  It is closed by
 * memory_topic_close, or when the last statement that writes to it ends well, so that a statement
 * that reads another one's output ends too.
 *
 * Owns:    all topics and their bytes; a record's pointers stay valid until the broker goes.
 * Threads: any; one mutex. */
#pragma once

#include "base/arena.h"

#define MEMORY_PARTITIONS   64
#define MEMORY_NO_TIMESTAMP INT64_MIN

typedef struct MemoryRecord {
	Str key;     /* data NULL: no key */
	Str value;   /* data NULL: a null value (tombstone) */
	Str headers; /* in the form of ChunkRecord */
	int64_t timestamp_ms;
	int64_t pause_ms; /* > 0: no record, but a pause; see memory_topic_pause */
	uint32_t partition;
	int64_t offset; /* in its partition */
} MemoryRecord;

/* Makes the `at`-th call (from 1) fail, once; 0: never.  Of reads, only those count that find
 * records; what was to be read is still there for the next call.  A write that fails has written
 * nothing. */
typedef struct MemoryFault {
	uint64_t at;
	uint64_t calls;
} MemoryFault;

typedef struct MemoryTopic MemoryTopic;
typedef struct MemoryProducer MemoryProducer;
typedef struct MemoryLock MemoryLock;

/* The public fields are knobs; set them before statements run. */
typedef struct MemoryBroker {
	MemoryFault fail_read;
	MemoryFault fail_write;
	MemoryFault fail_flush;
	MemoryFault fail_commit; /* of positions, or of a transaction */
	MemoryFault fail_put;    /* of output or state, into a transaction */
	MemoryFault lose_answer; /* a transaction is committed, but its writer hears of an error */
	/* Instead of each so-many-th read that would find records, a reader of a group hears that
	 * its partitions go; once released they come back where the group stands.  0: never. */
	uint32_t revoke_every;
	/* Not 0: it decides what a fetch brings besides, and what the two fields below ask for. */
	uint64_t seed;
	bool shuffles;    /* partitions come in any order, not turn and turn about */
	bool shares;      /* two readers of a group are two processes; see memory_group.c */
	int64_t read_ms;  /* how far a read puts the clock of jobs forward, beside pauses */
	int64_t clock_ms; /* time of records written without one; MEMORY_NO_TIMESTAMP: now */
	_Atomic int64_t clock_offset_ms; /* how far pauses and reads have put the clock of jobs
					    forward */
	MemoryLock *lock;                /* guards what follows and the faults' counters */
	uint64_t repeated;               /* records that a fetch brought once more */
	uint64_t expelled;               /* members of groups that were taken for dead */
	MemoryTopic *topics;
	MemoryProducer *producers; /* of transactions */
	Arena arena;
} MemoryBroker;

MemoryBroker *memory_broker_new(void);
void memory_broker_destroy(MemoryBroker *broker);

/* With 1..MEMORY_PARTITIONS partitions; a topic that is only named has one. */
void memory_topic_create(MemoryBroker *broker, Str topic, uint32_t partitions);
/* The bytes are copied.  A partition that is new is created with those before it. */
void memory_topic_append(MemoryBroker *broker, Str topic, uint32_t partition, Str key, Str value,
			 int64_t timestamp_ms);
/* A reader that comes here finds the partition at its end once, and so much time gone by. */
void memory_topic_pause(MemoryBroker *broker, Str topic, uint32_t partition, int64_t pause_ms);
/* Nothing more will be appended. */
void memory_topic_close(MemoryBroker *broker, Str topic);
size_t memory_topic_count(MemoryBroker *broker, Str topic);
/* The index-th record of the topic in the order of appending, over all partitions. */
bool memory_topic_read(MemoryBroker *broker, Str topic, size_t index, MemoryRecord *record);
/* The position that the group has committed for the partition, or -1. */
int64_t memory_topic_committed(MemoryBroker *broker, Str topic, Str group, uint32_t partition);
