/* connector/connector.h -- where chunks come from and where encoded records go.
 *
 * A connector is one row in connector_list.h: a ConnectorClass with its options, a reader and a
 * writer.  It knows nothing of SQL, columns or expressions; a reader is told how to cut bytes at
 * record boundaries (Framing), and a writer gets records already encoded.
 *
 * Threads: one reader is used by one thread, one writer by one thread (not the same one). */
#pragma once

#include "base/disk.h"
#include "base/memory_use.h"
#include "codec/codec.h"

typedef struct ConnectorClass ConnectorClass;

typedef struct Reader {
	const ConnectorClass *class;
	/* A batch strategy's, set before a read; 0: none.  A chunk has no more than these, but for
	 * a record that is longer. */
	uint32_t limit_rows;
	size_t limit_bytes;
} Reader;

/* What could be read at once.  A source that could not be waited for has none. */
typedef struct Backlog {
	uint64_t rows; /* a file's: about so many */
	uint64_t bytes;
	bool full; /* the reader can hold no more, or there is something that must not wait */
} Backlog;

typedef struct Writer {
	const ConnectorClass *class;
} Writer;

typedef enum ReadResult {
	READ_DATA,    /* the chunk holds records */
	READ_IDLE,    /* nothing came within the timeout */
	READ_END,     /* a bounded source has delivered everything */
	READ_REVOKED, /* splits go to another reader: what was read of them must be made final, or
			 given up, and then released; no read until then */
} ReadResult;

/* How to find the ends of records; from the codec and its settings. */
typedef struct Framing {
	const CodecClass *codec;
	const Setting *settings;
	const DecodeSpec *spec; /* for CodecClass.header */
} Framing;

#define SPLITS_MAX 65536 /* of a topic; more of them are damage */

/* How far the event time of a split has come. */
typedef struct SplitMark {
	int64_t watermark; /* INT64_MIN: none yet */
	bool idle;
} SplitMark;

/* How far a split had been read when the statement ran before, by whoever keeps that: its records
 * up to `next` have had their effect. */
typedef struct SplitPlace {
	Str split; /* its name */
	int64_t next;
	Str origin; /* of the last chunk that was read of it */
} SplitPlace;

/* One of the splits of a source, for which alone something is opened. */
typedef struct SplitShare {
	uint32_t split;
	uint32_t count; /* of all splits; 0: it is for all of them */
} SplitShare;

typedef struct ReaderSpec {
	const char *object;      /* name of the stream, for messages */
	const Setting *settings; /* of the class's source options */
	const Options *given;    /* all options of the object: pass-through ones such as kafka.* */
	Framing framing;
	const char *group;    /* default consumer group: application and statement */
	void *environment;    /* what the process offers: MemoryBroker for tests, or NULL */
	const char *instance; /* this process among those of the group, the same when it starts
				 again; or NULL */
	bool keeps_place; /* a split that comes back goes on behind what was read of it, though that
			     was not committed: it is in the statement's state */
	bool whole;       /* with an instance: all splits or none */
	/* Where it goes on, whatever its own positions are; ordered by the names of the splits, and
	 * good as long as the reader is. */
	const SplitPlace *places;
	uint32_t place_count;
	bool only_places; /* a split without a place has not been read, whatever its own position */
	SplitShare share; /* it reads this one only, whatever a group deals */
	bool shuffled;    /* its records are those of connector/shuffle.h */
} ReaderSpec;

/* A process among those that share splits as a group; what is in work for a split goes with it. */
typedef struct Membership {
	const ConnectorClass *class;
	uint32_t splits; /* of each source */
} Membership;

/* What a sink holds that is final. */
typedef struct WriterMark {
	int64_t length;
	uint64_t tail; /* checksum of its last bytes */
	/* Of a sink that is written in parts the two are those of the part that is not full: */
	uint64_t part;    /* its number; what is before it is final.  0: there are no parts */
	uint64_t rows;    /* in it */
	uint64_t bytes;   /* in it, before they were compressed */
	int64_t begun_ms; /* when its first row came, by clock_wall_ms */
} WriterMark;

typedef struct WriterSpec {
	const char *object;
	const Setting *settings; /* of the class's sink options */
	const Options *given;
	const CodecClass *codec;
	const char *preamble; /* what a new file begins with (CSV header), or "" */
	size_t preamble_len;
	void *environment;
	/* Exactly-once: epochs become final by `commit_epoch`, under a name that stays the same
	 * when the process starts again; NULL: `flush` makes everything safe. */
	const char *transaction;
	Writer *within;           /* of the same class: epochs are those of this writer; or NULL */
	bool marked;              /* epochs become final by marks, which the caller keeps */
	Disk *disk;               /* for files; NULL: the real one */
	const WriterMark *resume; /* then: what is behind it goes; NULL: nothing is final yet */
	SplitShare share; /* it is one of so many of this statement in this process, and they share
			     its memory */
	bool shuffles;    /* then: it writes the records of connector/shuffle.h */
	const MemoryWatch *memory; /* of a strategy that goes by memory, to be copied; or NULL */
} WriterSpec;

/* Everything up to (not including) `next` has been processed. */
typedef struct SplitPosition {
	uint32_t split;
	int64_t next;
} SplitPosition;

/* How far a source's input is in an epoch's output and state. */
typedef struct EpochInput {
	Reader *reader;
	const SplitPosition *positions;
	uint32_t count;
} EpochInput;

typedef enum Promise {
	PROMISE_EXACTLY_ONCE,  /* that of `commit_epoch` or `mark` */
	PROMISE_AT_LEAST_ONCE, /* what is flushed is there */
} Promise;

typedef struct Weakness {
	const char *why;
	const OptionEntry *option; /* that is at fault; NULL: the kind of the sink is */
	const char *instead;       /* the value that the promise needs of it */
} Weakness;

/* An option that is passed on to a library; all texts are static. */
typedef struct PassedOption {
	Str name;    /* as given, without its prefix */
	Str meaning; /* the library's own name for it, of all that it has */
	bool of_source, of_sink;
} PassedOption;

/* What a property of the library is where no option says otherwise; all texts are static. */
typedef struct LibrarySetting {
	Str name;
	Str meaning;       /* the library's own name for it, as PassedOption's */
	Str value;         /* {NULL, 0}: worked out when it is opened */
	const char *reason;
	bool of_source, of_sink;
	bool transactions; /* with exactly-once */
	bool plain;        /* without */
	bool ours;         /* the engine sets it; else it is the library's default */
} LibrarySetting;

/* Where a statement's state is kept beside its output: records of key and value, of which the last
 * of a key counts. */
typedef struct StateLog {
	const ConnectorClass *class;
	Str output;       /* the topic of the rows that it stands beside */
	int64_t keeps_ms; /* so long the log says that a key is gone */
} StateLog;

#define LOG_BEGIN (-1)

/* One record in the order in which they were put; value.data NULL: the key is gone. */
typedef Status (*StateLogVisit)(void *context, Str key, Str value, Error *err);

struct ConnectorClass {
	const char *name;
	const char *doc;
	const char *default_format; /* used when 'format' is not given; NULL: it must be */
	bool keyed_output;          /* the writer wants record ends, keys and headers */
	/* The options that name the topic and the consumer group; NULL: it has no such thing. */
	const char *topic_option;
	const char *group_option;
	/* The library that it uses, with its version; NULL: none that is worth a word. */
	void (*library)(char *out, size_t size);
	OptionGroup source_options;
	OptionGroup sink_options;
	/* What an option that a row such as "kafka.*" takes is to the library; false: it is a row
	 * of its own, or the library does not know it.  NULL: there is no such row. */
	bool (*passed)(Str key, PassedOption *out);
	/* The name of what the library knows that is nearest to such an option, without its prefix;
	 * {NULL, 0}: none is near, or it is a row of its own. */
	Str (*nearest)(Str key);
	/* All names that such an option may have, without its prefix, each once; how many. */
	size_t (*passed_names)(const Str **out);
	/* Whether the library takes the values that the user gives such options, and all of them
	 * together; the error is at an option.  NULL: any will do. */
	Status (*check_values)(const Options *given, bool is_source, Arena *arena, Error *err);
	/* All properties that have a value; the engine's come first and count instead of the
	 * library's.  Returns how many.  NULL: there is no library to speak of. */
	size_t (*library_settings)(const LibrarySetting **out);

	/* Whether a source with these settings ends by itself; NULL: never. */
	bool (*bounded)(const Setting *source_settings);
	/* Whether a source that ends goes on where its group has come to, so that all runs together
	 * read it once; NULL: each run that keeps state reads all of it. */
	bool (*resumes)(const Setting *source_settings);
	/* The consumer group that the settings name; no data: none.  NULL: it has no groups. */
	Str (*group)(const Setting *source_settings);
	/* Why places of such a source cannot be kept, NULL: they can (ReaderSpec.places).  NULL as
	 * a function: never. */
	const char *(*no_place)(const Setting *source_settings);
	/* How many splits deliver side by side, each with its own event time; NULL: one at a time.
	 * A reader of one split of many has one. */
	uint32_t (*split_count)(const Reader *reader);
	/* Into the group of the first source; all of them must have as many splits, which are dealt
	 * together.  NULL: such a source is not shared split by split. */
	Status (*join)(const ReaderSpec *sources, uint32_t count, Arena *arena, Membership **out,
		       Error *err);
	/* Waits for news of the group, at most so long.  held: of each split, whether it is this
	 * member's; the last word, which another process may not have heard yet; left as it is as
	 * long as there is none.  An error with
	 * ERROR_REQUIRES_ABORT: a new membership may do. */
	Status (*member_poll)(Membership *member, int timeout_ms, bool *held, Error *err);
	void (*member_leave)(Membership *member);

	/* Whether a sink's settings fit together.  NULL: any do. */
	Status (*sink_check)(const Setting *sink_settings, Error *err);

	/* NULL: cannot be read / written.  Bytes of long-lived state come from the arena. */
	Status (*reader_open)(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err);
	/* Fill `chunk` (which is empty) with whole records; wait at most timeout_ms. */
	Status (*read)(Reader *reader, Chunk *chunk, int timeout_ms, ReadResult *result,
		       Error *err);
	/* What has come and was not read; waits at most timeout_ms for anything at all.  False:
	 * nobody knows, or all of it is there already: a batch need not wait for more.  NULL:
	 * always so. */
	bool (*backlog)(Reader *reader, int timeout_ms, Backlog *out, Error *err);
	/* The output of everything before these positions is safe: remember them (Kafka: commit).
	 */
	Status (*commit)(Reader *reader, const SplitPosition *positions, uint32_t count,
			 Error *err);
	/* After READ_REVOKED: the splits go. */
	Status (*release)(Reader *reader, Error *err);
	/* Name of a split for messages: "trades.jsonl", "trades[3]".  Stays valid. */
	const char *(*split_name)(const Reader *reader, uint32_t split);
	/* Whether everything that the split has so far was delivered.  NULL: of all splits when the
	 * reader is idle. */
	bool (*split_drained)(Reader *reader, uint32_t split);
	/* Records or bytes not yet read, -1 if not known; for progress. */
	int64_t (*lag)(Reader *reader);
	void (*reader_close)(Reader *reader);
	/* The fields that the source itself knows, for a stream that declares no columns; asked
	 * before `sample`.  NULL: it knows none. */
	Status (*schema)(const ReaderSpec *spec, Arena *arena, Schema *schema, Error *err);
	/* A sample for schema inference: up to `bytes` from the start, whole records. */
	Status (*sample)(const ReaderSpec *spec, Arena *arena, Chunk *chunk, size_t bytes,
			 Error *err);

	Status (*writer_open)(const WriterSpec *spec, Arena *arena, Writer **out, Error *err);
	Status (*write)(Writer *writer, const Output *output, Error *err);
	/* Everything written so far is safe when this returns (Kafka: acknowledged). */
	Status (*flush)(Writer *writer, Error *err);
	/* Of a writer with WriterSpec.shuffles: a mark of its split into every partition. */
	Status (*put_mark)(Writer *writer, SplitMark mark, Error *err);
	/* Before such writers and their readers are opened: makes the topic, with so many
	 * partitions, if there is none. */
	Status (*shuffle_open)(const WriterSpec *spec, uint32_t partitions, Arena *arena,
			       Error *err);
	/* Whether a sink with these settings begins with nothing whenever it is opened.  NULL: it
	 * does not. */
	bool (*replaces)(const Setting *sink_settings);
	/* What a sink with these settings writes: equal for those that write the same; in the
	 * arena.  NULL: no two do. */
	Str (*target)(const Setting *sink_settings, Arena *arena);
	/* The setting for which a sink must be one statement's alone; NULL: it need not be.
	 * NULL as a function: never. */
	const Setting *(*alone)(const Setting *sink_settings);
	/* A sink that shows what it holds part by part; NULL: it shows rows as they come.
	 * When the writer wants an epoch to end although nothing comes, by clock_wall_ms;
	 * INT64_MAX: not. */
	int64_t (*due)(const Writer *writer);
	/* Nothing more will be written in this run: the part that is not full is complete too. */
	Status (*complete)(Writer *writer, Error *err);
	/* What was written before the last mark, or else the last flush, is final: parts that were
	 * complete then are shown.  Closing the writer does so too after `complete`. */
	Status (*show)(Writer *writer, Error *err);
	/* A writer with WriterSpec.marked: everything written so far is safe, and the mark says how
	 * far that is.  NULL: it has none. */
	Status (*mark)(Writer *writer, WriterMark *mark, Error *err);
	/* A writer with WriterSpec.transaction: what was written since the last epoch, by it and by
	 * those within it, and the positions of the inputs become final together, or nothing of it
	 * does.  Takes the readers' handles only.  An error with ERROR_REQUIRES_ABORT: the epoch
	 * was taken back, the input is to be read again from its committed positions. */
	Status (*commit_epoch)(Writer *writer, const EpochInput *inputs, uint32_t count,
			       Error *err);
	/* Why a sink with these options cannot keep a promise; out->why is NULL if it can. */
	void (*weakness)(const Setting *sink_settings, const Options *given, Promise promise,
			 Weakness *out);
	/* Whether the reader's positions can be in this writer's epochs; the error says why not. */
	Status (*takes_positions)(Writer *writer, Reader *reader, Error *err);
	/* State that becomes final with the writer's epochs, that of the writer's share of the
	 * splits; made if it is missing.  NULL: there is no place for it. */
	Status (*log_open)(Writer *writer, const char *name, Arena *arena, StateLog **out,
			   Error *err);
	/* What is final, from the position `from` on (LOG_BEGIN: all of it); nothing if the log
	 * does not have that position.  Older records of a key may come too. */
	Status (*log_read)(StateLog *log, int64_t from, StateLogVisit visit, void *context,
			   Error *err);
	/* A position behind nothing that is not final: what is put from now on comes behind it. */
	Status (*log_end)(StateLog *log, int64_t *position, Error *err);
	/* Into the epoch that is open. */
	Status (*log_put)(StateLog *log, Str key, Str value, Error *err);
	void (*log_close)(StateLog *log);
	/* After the last flush: finish the files.  `failed`: do not pretend completeness. */
	Status (*writer_close)(Writer *writer, bool failed, Error *err);
};

/* The place of the split, or NULL. */
const SplitPlace *split_place_find(const SplitPlace *places, uint32_t count, Str split);

size_t connector_classes(const ConnectorClass *const **classes);
const ConnectorClass *connector_find(Str name);
