/* connector/kafka_writer.h -- what the files of the Kafka writer share.
 *
 *     kafka_writer.c       records to a topic
 *     kafka_transaction.c  epochs as transactions of the brokers
 *     kafka_log.c          state in a compacted topic
 *     kafka_preflight.c    settings of brokers and topics that would break the promise */
#pragma once

#include "connector/kafka_client.h"

typedef struct KafkaWriter KafkaWriter;

struct KafkaWriter {
	Writer base;
	KafkaClient client;
	rd_kafka_topic_t *topic;
	KafkaWriter *within; /* whose handle and transactions it uses; NULL: its own */
	int32_t partitions;  /* of the topic, when it was opened */
	bool transactional;
	bool in_transaction;     /* begun and neither committed nor aborted */
	int64_t begun_ms;        /* when the last one began */
	const char *transaction; /* transactional.id */
	WriterSpec spec;
};

/* The writer that has the handle and the transaction. */
static inline KafkaWriter *
kafka_transaction_owner(KafkaWriter *writer)
{
	return writer->within != NULL ? writer->within : writer;
}

/* The error of a record that was not taken for that topic. */
Status kafka_refused(KafkaWriter *writer, const char *topic, rd_kafka_resp_err_t code, Error *err);

/* One record into the epoch that is open; `name` is the topic's. */
Status kafka_put(KafkaWriter *writer, rd_kafka_topic_t *topic, const char *name, int32_t partition,
		 Str key, Str value, Error *err);

/* ---- kafka_transaction.c */

/* Ends what a process of the same name left open, and keeps it out from now on; *again: the handle
 * is of no use, and a new one should try. */
Status kafka_transactions_init(KafkaWriter *writer, int timeout_ms, bool *again, Error *err);
/* Begins a transaction if none is open. */
Status kafka_transaction_begin(KafkaWriter *writer, Error *err);
/* As far as it can be: the brokers abort it at its timeout, or when its name comes again. */
void kafka_transaction_abort(KafkaWriter *writer);
/* Aborts it for the error, which becomes FERRIS_ERR_KAFKA_FENCED if another process has taken the
 * name. */
Status kafka_transaction_give_up(KafkaWriter *writer, Error *err);
Status kafka_commit_epoch(Writer *writer, const EpochInput *inputs, uint32_t count, Error *err);
Status kafka_takes_positions(Writer *writer, Reader *reader, Error *err);

/* ---- kafka_preflight.c: FERRIS_ERR_PREFLIGHT says what to mend */

/* A topic that transactions write to. */
Status kafka_check_written(KafkaWriter *writer, const char *topic, Error *err);
/* The topic of state. */
Status kafka_check_log(KafkaWriter *writer, const char *topic, int64_t *keeps_ms, Error *err);
/* A topic that is read. */
Status kafka_check_read(KafkaWriter *writer, const char *topic, Error *err);

/* ---- kafka_log.c */

Status kafka_log_open(Writer *writer, const char *name, Arena *arena, StateLog **out, Error *err);
Status kafka_log_read(StateLog *log, int64_t from, StateLogVisit visit, void *context, Error *err);
Status kafka_log_end(StateLog *log, int64_t *position, Error *err);
Status kafka_log_put(StateLog *log, Str key, Str value, Error *err);
void kafka_log_close(StateLog *log);
