/* job/job_internal.h -- what the stages of a statement share, and which thread owns what.
 *
 *     reader (job/reading.c) -> tasks (job/job.c) -> writer (job/writing.c) -> reader
 *            ring `filled`            ring `done`            ring `free` (`parts`)
 *
 * A slot belongs to the thread that took it from a ring until it pushes it on.  All else has its
 * owner beside it; what two threads write is atomic or under the mutex that it names.  The main
 * thread opens everything before the others start and closes it after they were joined. */
#pragma once

#include <pthread.h>

#include "base/ring.h"
#include "job/batching.h"
#include "job/failure.h"
#include "job/job.h"
#include "job/reading_order.h"
#include "state/journal.h"
#include "state/backend.h"
#include "state/instance.h"

typedef enum SlotKind {
	SLOT_CHUNK, /* records */
	SLOT_TICK,  /* the source has been silent */
	SLOT_END,   /* the source has ended */
	SLOT_PART,  /* what came out of state before a tick or an end was done */
	SLOT_EPOCH, /* all before it becomes final */
} SlotKind;

/* The records that are kept; job/recovery.c. */
#define MARK_KEY  '\xFD'
#define PLACE_KEY '\xFE'
#define IDENTITY_KEY                                                                               \
	STR("\xFF"                                                                                 \
	    "plan")
#define LOG_ID_KEY                                                                                 \
	STR("\xFF"                                                                                 \
	    "log")
#define RESTORED_KEY                                                                               \
	STR("\xFF"                                                                                 \
	    "savepoint")

/* Those of a savepoint besides: each with a number behind it; job/savepoint.h. */
#define SAVEPOINT_FACT     "\xFF"
#define SAVEPOINT_OPERATOR "op"
#define SAVEPOINT_SOURCE   "source"
#define SAVEPOINT_SINK     "sink"
#define SAVEPOINT_ENDED    "ended"

/* What a journal has marks of. */
typedef enum MarkOwner { MARK_OUTPUT, MARK_DEAD_LETTERS, MARK_COUNT } MarkOwner;

#define PART_SLOTS 2

/* Where a trial may kill a statement. */
typedef enum CrashStep {
	CRASH_OPEN,      /* again: before and after state is read */
	CRASH_READ,      /* before and after a read */
	CRASH_TASK,      /* before and after what the task does with a slot */
	CRASH_WRITE,     /* before and after a write */
	CRASH_PUT,       /* before and after a record of state is put */
	CRASH_COMMIT,    /* before an epoch becomes final */
	CRASH_COMMITTED, /* and after that, before anybody hears of it */
	CRASH_STEPS,
} CrashStep;

/* A chunk on its way, or word of a source, and what became of it. */
typedef struct Slot {
	SlotKind kind;
	uint32_t source; /* of job->inputs */
	Chunk *chunk;
	Tick tick;
	int64_t *idle_since; /* what tick points to */
	uint32_t idle_capacity;
	bool releases;  /* an epoch: the source's splits go to another reader then */
	Buffer changes; /* of an epoch: what has changed in state; job/recovery.c */
	int64_t waited_us;  /* a chunk: how long its batch had waited, */
	int64_t read_us;    /* when it was read, by clock_us, */
	int64_t process_us; /* how long a task had it */
	SplitMark mark; /* of an epoch of a statement that shuffles: how far its split has come */
	uint64_t sequence;
	ChunkResult result;
	Status status;
	Error error; /* if status is not FERRIS_OK */
} Slot;

/* Where a split stands, as far as the writer has come. */
typedef struct SplitState {
	int64_t next;
	uint64_t lines;
	Str origin; /* of the last chunk, in the reader's memory */
	bool seen;
	bool moved; /* its place is not in an epoch yet */
} SplitState;

typedef struct LogCopy LogCopy;
typedef struct LargeRecord LargeRecord;

/* Those in the log that are in parts; few. */
typedef struct LargeRecords {
	LargeRecord *items;
	uint32_t count;
	Buffer key, value;
} LargeRecords;

/* Each is written by one thread and read by all. */
typedef struct Counters {
#define COUNTER(name, metric, label, doc) _Atomic uint64_t name;
#include "job/counter_list.h"
#define HISTOGRAM(name, metric, label, per_second, doc) Histogram name;
#include "job/histogram_list.h"
	_Atomic int64_t lag;
	_Atomic int64_t begun_us; /* 0: not yet */
	_Atomic int64_t ended_us; /* 0: not yet */
} Counters;

/* Positions that the writer has made safe, for the reader's thread to commit. */
typedef struct CommitBox {
	SplitPosition *positions;
	uint32_t count;
	bool wanted;
} CommitBox;

/* One of the statement's sources. */
typedef struct Input {
	/* the reader's thread */
	bool ended;
	int64_t idle_timeout;
	int64_t *last_data; /* of each split: when its last record came */
	uint32_t last_count;
	int64_t started;
	int64_t next_tick;
	Batcher batcher;
	/* the writer's */
	bool end_is_out; /* all that came out at its end */
	bool end_is_put; /* and the log of state says so */
	SplitState *splits;
	uint32_t split_count;
	SplitPosition *final; /* of the epoch that is being committed */
	/* set when it is opened: where it goes on, with the lines before */
	bool in_transaction; /* the sink's epochs hold its positions too */
	SplitPlace *places;
	uint64_t *place_lines;
	uint32_t place_count;
	/* both */
	CommitBox commits; /* under job->commit_mutex */
} Input;

struct Job {
	/* set when it is opened, and only read from then on */
	JobSpec spec;
	Arena arena;
	const char *group; /* of consumers */
	Guarantee guarantee;
	Instance instance;       /* exactly-once: of the processes with the same first group */
	const char *name;        /* then: by which brokers know this process */
	const char *first_group; /* then: of the first source; NULL: no broker knows it */
	Recovery recovery;
	Disk *disk;             /* of a trial; NULL: the real one */
	bool keeps_records;     /* beside the output, in a log or journal of that name: where inputs
				 * stand, and more; no other process has part of the input then */
	bool has_foreign_input; /* whose positions the sink's transactions cannot hold */
	bool keeps_state;       /* among them what has changed in operators */
	const char *log_name;   /* of the topic or folder */
	const char *log_part;   /* of what is this job's alone there */
	uint64_t identity;      /* of the plan */
	Str restored;           /* the savepoint that the records came from at first */
	uint64_t log_id;        /* of the log, by which its copy knows it; 0: it has none */
	WriterMark marks[MARK_COUNT]; /* journal: as they were in the last epoch, */
	bool has_marks;               /* if there was one */
	const char *state_dir;        /* NULL: the default */
	Gathering gathering;          /* of the last epoch's records, until they are loaded */
	Source *sources;
	Input *inputs; /* of each source */
	uint32_t source_count;
	const ConnectorClass *sink;
	Slot *slots;
	uint32_t slot_count; /* PART_SLOTS of them, the last, are for parts */
	uint32_t task_count;
	bool counts_results; /* rows come out of state */
	bool stateful;       /* one task sees all chunks, in order */
	bool shuffles;       /* it writes for another statement, and tells of its split's time */
	bool opened;         /* all of it */
	bool all_ended;      /* the reader's until it has closed `filled`: no input is left */
	bool wants_ticks;

	/* between the threads */
	Ring free, filled, done;
	Ring parts; /* free slots for parts of a large output: the task must not wait for others */
	_Atomic bool stop;
	_Atomic bool satisfied; /* a LIMIT inside the query needs no more input */
	_Atomic bool finished;
	_Atomic bool killed; /* by a trial: nobody does anything more */
	_Atomic uint32_t tasks_left;
	_Atomic uint64_t epochs;     /* that have become final */
	_Atomic int64_t sink_due_ms; /* when the sink wants an epoch though nothing comes, by
				      * clock_wall_ms; INT64_MAX: not */
	Counters counters;
	pthread_mutex_t commit_mutex;
	pthread_mutex_t error_mutex; /* of the first failure: */
	Status status;
	Error error;

	/* the reader's, with the sources' readers (any thread may ask for a split's name) */
	ReadingOrder order;
	Slot *at_hand;         /* free; NULL: one must be waited for */
	uint64_t read_count;   /* slots handed to the tasks */
	uint64_t epoch_count;  /* epochs among them */
	uint64_t epoch_slots;  /* slots since the last one */
	int64_t next_epoch_ms; /* when the next one is due */
	int64_t epoch_bytes;   /* read since the last one */
	uint64_t epoch_begin;  /* records that the writer had seen then */

	/* one for each task */
	Pipeline **pipelines;
	uint64_t done_count;         /* stateful: slots that the one task has done, parts too */
	StateBackend *trial_records; /* of pipeline_reload */

	/* the writer's */
	Writer *writer;
	FailureHandler *failures;
	Slot **pending; /* by sequence modulo slot_count */
	uint64_t next_sequence;
	int64_t skip_rows;        /* OFFSET */
	int64_t rows_left;        /* LIMIT */
	EpochInput *epoch_inputs; /* of each source */
	StateLog *log;            /* keeps_records: one of the two */
	LargeRecords large;       /* in the log */
	LogCopy *copy;            /* of the log; NULL: there is none */
	Journal *journal;
	bool identified; /* it names the plan */
	bool foreign;    /* it names another one */
	Buffer record_key, record_value;
	JobCounters final; /* as they were at the last epoch; read when the writer has ended */
	SplitMark mark;    /* that was put last */
	bool dirty;        /* written since the last commit */
	bool discard;      /* failed or LIMIT reached: let the rest pass unread */

	uint64_t crash_calls[CRASH_STEPS]; /* of each step, by the thread whose step it is */

	/* the main thread's: what is to be joined */
	pthread_t reader_thread, writer_thread;
	pthread_t *task_threads;
	uint32_t tasks_started;
	bool writer_started, reader_started;
};

/* ---- job/job.c */

/* Nothing is opened yet. */
Job *job_new(const JobSpec *spec);
/* Takes the statement's name and reads what the last epoch has left. */
Status job_open_records(Job *job, Error *err);
/* The first failure is the job's; everything then comes to an end. */
void job_fail(Job *job, Status status, const Error *err);
/* RetryWithBackoff: waits before the next try, or says that there is none. */
bool job_retry(Job *job, const Error *err, uint32_t *attempt);
/* Milliseconds of the clock, which tests may put forward. */
int64_t job_clock(const Job *job);

/* ---- job/reading.c */

/* The reader's thread. */
void *reader_main(void *job);
/* Commits what the writer has made safe; after the reader's thread has ended the main thread does
 * it. */
Status job_commit_positions(Job *job, Error *err);

/* ---- job/writing.c */

/* The writer's thread. */
void *writer_main(void *job);
/* Lets the reader's thread know when the sink wants an epoch. */
void job_note_due(Job *job);

/* ---- job/recovery.c */

/* Before the sources are opened: reads what the last epoch has left, */
Status job_read_records(Job *job, Error *err);
/* refuses what is another query's, */
Status job_check_owner(Job *job, Error *err);
/* and takes from it, or from a savepoint, where the statement goes on. */
Status job_take_records(Job *job, Error *err);
/* How many bytes of state may be in memory at once while it is read. */
size_t job_reading_memory(const Job *job);
/* For all records that the statement keeps. */
Status job_open_gathering(const Job *job, Gathering *out, Error *err);
/* What the output is: of a log the topic, of a journal the file. */
Str job_output(Job *job);
/* One record into the epoch that is open; value.data NULL: it is gone. */
Status job_put_record(Job *job, Str key, Str value, Error *err);
/* Says to whom the records belong, if nothing has. */
Status job_identify(Job *job, Error *err);
#define ENDED_KEY_MAX 16
/* The key of the record that says so, in `out`. */
Str job_ended_key(uint32_t source, char *out);
/* The source has ended, or (value.data NULL) it has not. */
Status job_put_end(Job *job, uint32_t source, Str value, Error *err);
/* Forgets it, where the input may be read from its start again. */
Status job_begin_anew(Job *job, Error *err);
/* After the tasks have been opened: brings back the state of the last epoch. */
Status job_load_state(Job *job, Error *err);
/* After all has been opened: what the output holds before the first epoch stays. */
Status job_begin_epochs(Job *job, Error *err);
/* The mark that the sink or the dead letters go on from; NULL: they begin. */
const WriterMark *job_resume_mark(const Job *job, MarkOwner owner);
/* Before the writer is closed. */
void job_close_state(Job *job);
/* The task's: at the end of an epoch, what has changed goes into the slot. */
Status job_save_changes(const Job *job, Pipeline *pipeline, Slot *slot);
/* The writer's: puts it into the epoch. */
Status job_put_changes(Job *job, Slot *slot, Error *err);
/* The writer's: where the input stands.  `done`: nothing is left to go on from. */
Status job_put_places(Job *job, bool done, Error *err);
/* The writer's: the lines before the first chunk of a split that goes on where it was left. */
uint64_t job_resumed_lines(const Job *job, uint32_t source, const Chunk *chunk);
/* The writer's: the epoch of the journal is final when it returns. */
Status job_commit_journal(Job *job, Error *err);

/* One record of the log as it is there. */
Status job_put_into_log(Job *job, Str key, Str value, Error *err);

/* ---- job/large_record.c */

/* As job_put_record into the log; in parts if it is large. */
Status large_record_put(Job *job, Str key, Str value, Error *err);
/* What was gathered from a log: records in the place of their parts. */
Status large_records_join(Job *job, Error *err);
void large_records_free(LargeRecords *all);

/* ---- job/log_copy.c */

/* Reads the log: from its copy on the local disk and what has been added since then, or all of it.
 */
Status job_read_log(Job *job, JournalVisit visit, Error *err);
/* What was read does not count. */
void log_copy_discard(Job *job);
/* When what has been read stands: makes a copy if there is none. */
void log_copy_begin(Job *job);
/* What is put into the log. */
void log_copy_put(LogCopy *copy, Str key, Str value);
/* The writer's: before an epoch becomes final, */
Status log_copy_sign(Job *job, Error *err);
/* and when it is. */
void log_copy_committed(Job *job);
/* `whole`: all that was put is final.  copy may be NULL. */
void log_copy_close(Job *job, bool whole);

/* ---- job/savepoint.c */

/* The name of the statement's journal in a savepoint. */
const char *savepoint_name(Arena *arena, Str statement);
Status savepoint_journal(const char *folder, const char *name, Journal **out, Error *err);

/* ---- job/restore.c */

/* Puts what the savepoint holds in the place of what was read, unless it has done so before. */
Status job_restore(Job *job, Error *err);

/* ---- job/crash.c */

/* Kills the statement if the trial's seed says so at this step; true: the caller must return. */
bool job_crashes(Job *job, CrashStep step);
/* The same, as an error. */
Status job_survives(Job *job, CrashStep step, Error *err);
/* After so many slots the trial's next epoch ends. */
uint64_t job_trial_epoch(const Job *job);
