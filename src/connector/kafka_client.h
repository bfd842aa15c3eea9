/* connector/kafka_client.h -- what the Kafka reader and writer share: options, handles, errors.
 *
 * Every 'kafka.X' option is a property X of librdkafka, or one of the Java client's names in
 * kafka_property_list.h, which becomes its counterpart.  librdkafka's headers appear in
 * connector/kafka_*.c only.
 *
 * Threads: a client belongs to its reader or writer; librdkafka's own threads call back only into
 * kafka_client.c, which guards what they leave. */
#pragma once

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "connector/connector.h"

typedef enum KafkaOption {
	KAFKA_TOPIC,
	KAFKA_SERVERS,
	KAFKA_GROUP, /* source only; the sink's rows end before it */
	KAFKA_OFFSET_RESET,
	KAFKA_BOUNDED,
	KAFKA_POLL_RECORDS,
	KAFKA_ANY,
	KAFKA_SOURCE_OPTION_COUNT,

	KAFKA_TRANSACTIONAL_ID = KAFKA_GROUP, /* sink only */
	KAFKA_SINK_ANY,
	KAFKA_SINK_OPTION_COUNT,
} KafkaOption;

/* What librdkafka's threads report between calls. */
typedef struct KafkaNotes {
	pthread_mutex_t mutex;
	char last_error[256];        /* of the connection, for messages */
	char transaction_error[256]; /* why the last transaction failed that did */
	uint64_t delivery_errors;    /* producer: records that were given up */
	char delivery_error[256];    /* of the first */
	/* consumer: partitions are given or taken, while its thread asks for messages; NULL:
	 * librdkafka sees to it */
	void (*rebalance)(void *owner, rd_kafka_resp_err_t code,
			  rd_kafka_topic_partition_list_t *partitions);
	void *owner;
} KafkaNotes;

typedef struct KafkaClient {
	rd_kafka_t *handle;
	const char *topic;
	const char *servers; /* as the user wrote them */
	bool embedded;
	KafkaNotes *notes;
} KafkaClient;

/* A pair of a property and its value that the engine sets before the user's. */
typedef struct KafkaDefault {
	const char *name;
	const char *value; /* NULL: it is not set */
	bool optional;     /* this librdkafka may not have it */
} KafkaDefault;

/* Builds the configuration: `defaults` (ended by a NULL name), then the user's kafka.* options. */
Status kafka_client_open(KafkaClient *client, rd_kafka_type_t type, const char *object,
			 const Setting *settings, const Options *given,
			 const KafkaDefault *defaults, Arena *arena, Error *err);
/* What the settings of an object name, or else its own name, and the group; in the arena. */
const char *kafka_topic_name(const Setting *settings, const char *object, Arena *arena);
const char *kafka_group_name(const ReaderSpec *spec, Arena *arena);
/* Wait until the brokers answer for the topic; *partitions is their number, 0 if it is missing. */
Status kafka_client_topic(KafkaClient *client, int *partitions, Error *err);
void kafka_client_close(KafkaClient *client);
/* Set an error from librdkafka's code, with the last connection error as its label. */
Status kafka_error(KafkaClient *client, Error *err, Status status, rd_kafka_resp_err_t code,
		   const char *what);
/* Whether the code tells of brokers that are away, or of partitions and coordinators that move: the
 * same may succeed later. */
bool kafka_passes(rd_kafka_resp_err_t code);
/* Whether this librdkafka knows the property. */
bool kafka_has_property(const char *name);

/* ---- kafka_property.c */

bool kafka_passed(Str key, PassedOption *out);
/* The last entry that gives the property, under any of its names. */
const OptionEntry *kafka_given_as(const Options *given, const char *meaning);
Str kafka_nearest_property(Str key);
size_t kafka_passed_names(const Str **out);
size_t kafka_library_settings(const LibrarySetting **out);
/* Those of connector/kafka_default_list.h, ended by a NULL name; `own`, ended likewise, are the
 * values that the list leaves open. */
const KafkaDefault *kafka_defaults(rd_kafka_type_t type, bool transactions, const KafkaDefault *own,
				   Arena *arena);
/* All properties among the options that a client of this type has; an error is at the option, in
 * the user's words. */
Status kafka_set_given(rd_kafka_conf_t *conf, rd_kafka_type_t type, const Options *given,
		       Arena *arena, Error *err);

/* ---- kafka_values.c */

Status kafka_check_values(const Options *given, bool is_source, Arena *arena, Error *err);

/* ---- kafka_topic.c */

/* With so many partitions (-1: the brokers' own number) and the brokers' replicas; `configs`: names
 * and values in turn, ended by NULL, or NULL.  One that is there already will do. */
Status kafka_create_topic(KafkaClient *client, const char *name, int partitions,
			  const char *const *configs, Error *err);
/* The number of its partitions, when the brokers know the topic; it has just been made. */
Status kafka_wait_for_topic(KafkaClient *client, int *partitions, Error *err);
/* The error of a topic that is not there. */
Status kafka_missing_topic(const KafkaClient *client, Error *err);

/* ---- kafka_member.c */

Status kafka_join(const ReaderSpec *sources, uint32_t count, Arena *arena, Membership **out,
		  Error *err);
Status kafka_member_poll(Membership *member, int timeout_ms, bool *held, Error *err);
void kafka_member_leave(Membership *member);

/* ---- kafka_embedded.c: librdkafka's mock cluster, one for the process */

/* Its bootstrap servers; counts its users. */
Status kafka_embedded_acquire(const char **servers, Error *err);
void kafka_embedded_release(void);

/* The librdkafka that was loaded, which need not be the one of the headers. */
void kafka_library(char *out, size_t size);

extern const ConnectorClass kafka_connector;
extern const OptionRow kafka_source_rows[KAFKA_SOURCE_OPTION_COUNT];

/* ---- kafka_reader.c, kafka_writer.c */

Status kafka_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err);
Status kafka_read(Reader *reader, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err);
Status kafka_commit(Reader *reader, const SplitPosition *positions, uint32_t count, Error *err);
const char *kafka_split_name(const Reader *reader, uint32_t split);
bool kafka_split_drained(Reader *reader, uint32_t split);
int64_t kafka_lag(Reader *reader);
bool kafka_backlog(Reader *reader, int timeout_ms, Backlog *out, Error *err);
uint32_t kafka_split_count(const Reader *reader);
Status kafka_release(Reader *reader, Error *err);
void kafka_reader_close(Reader *reader);
rd_kafka_t *kafka_reader_handle(Reader *reader);
/* For librdkafka's calls; the caller destroys it. */
rd_kafka_topic_partition_list_t *
kafka_position_list(const Reader *reader, const SplitPosition *positions, uint32_t count);
Status kafka_sample(const ReaderSpec *spec, Arena *arena, Chunk *chunk, size_t bytes, Error *err);
Status kafka_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err);
Status kafka_write(Writer *writer, const Output *output, Error *err);
Status kafka_flush(Writer *writer, Error *err);
Status kafka_put_mark(Writer *writer, SplitMark mark, Error *err);
Status kafka_shuffle_open(const WriterSpec *spec, uint32_t partitions, Arena *arena, Error *err);
Status kafka_writer_close(Writer *writer, bool failed, Error *err);
