/* connector/kafka_transaction.c -- epochs as transactions of the brokers.
 *
 * A transaction holds the records of the writer and of those within it, and the positions of the
 * input.  It begins with the first record; what fails is aborted here, and the caller starts over
 * from the committed positions.
 *
 * A call that librdkafka calls retriable is made again until a deadline; all else that is not fatal
 * means abort, whatever librdkafka says of it: that is always right.
 *
 * The brokers keep a producer out from then on in two cases that look the same: another process has
 * taken its name, or its transaction lasted longer than transaction.timeout.ms and was ended, since
 * it was frozen or too few brokers were there.  The age of the transaction tells: with the first
 * the statement ends, with the second it goes on from the last epoch.
 *
 * Threads: the writer's; of readers only the handle is used, which librdkafka guards. */
#include "connector/kafka_writer.h"

#include <stdlib.h>

#include "base/clock.h"

#define CALL_TIMEOUT_MS    5000
#define BEGIN_DEADLINE_MS  10000
#define ABORT_DEADLINE_MS  5000
#define CLUSTER_TIMEOUT_MS 10000

/* ---------------------------------------------------------------- errors */

/* Whether the brokers take nothing more from this handle. */
static bool
is_kept_out(KafkaWriter *writer)
{
	switch (rd_kafka_fatal_error(writer->client.handle, NULL, 0)) {
	case RD_KAFKA_RESP_ERR__FENCED:
	case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
	case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
		return true;
	default:
		return false;
	}
}

static int64_t
timeout_of(KafkaWriter *writer)
{
	char text[32] = "";
	size_t size = sizeof text;

	rd_kafka_conf_get(rd_kafka_conf(writer->client.handle), "transaction.timeout.ms", text,
			  &size);
	return strtoll(text, NULL, 10);
}

static Status
kept_out(KafkaWriter *writer, Error *err)
{
	int64_t timeout = timeout_of(writer);

	if (clock_ms() - writer->begun_ms >= timeout) {
		error_set(err, FERRIS_ERR_KAFKA_EPOCH,
			  "the brokers at %s have ended a transaction that lasted longer than %lld "
			  "ms",
			  writer->client.servers, (long long)timeout);
		return error_hint(err, "if this comes again and again, raise "
				       "'kafka.transaction.timeout.ms'");
	}
	error_set(err, FERRIS_ERR_KAFKA_FENCED,
		  "another process writes as '%s' to %s and has taken over", writer->transaction,
		  writer->client.servers);
	return error_hint(err, "this one has stopped; if both are to run, give one of them another "
			       "'kafka.transactional.id'");
}

/* Says what failed and frees librdkafka's error. */
static Status
failed(KafkaWriter *writer, rd_kafka_error_t *error, const char *what, Error *err)
{
	KafkaNotes *notes = writer->client.notes;

	pthread_mutex_lock(&notes->mutex);
	bool known = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__STATE &&
		     notes->transaction_error[0] != '\0';
	error_set(err, FERRIS_ERR_KAFKA_EPOCH, "%s at %s: %s", what, writer->client.servers,
		  known ? notes->transaction_error : rd_kafka_error_string(error));
	if (notes->last_error[0] != '\0')
		error_label(err, "last error of the connection: %s", notes->last_error);
	pthread_mutex_unlock(&notes->mutex);
	rd_kafka_error_destroy(error);
	return err->status;
}

/* Whether the same call may be made again; frees the error then. */
static bool
may_retry(rd_kafka_error_t *error, int64_t deadline)
{
	if (!rd_kafka_error_is_retriable(error) || clock_ms() >= deadline)
		return false;
	rd_kafka_error_destroy(error);
	return true;
}

/* ---------------------------------------------------------------- beginning */

Status
kafka_transactions_init(KafkaWriter *writer, int timeout_ms, bool *again, Error *err)
{
	rd_kafka_error_t *error = rd_kafka_init_transactions(writer->client.handle, timeout_ms);

	*again = false;
	if (error == NULL)
		return FERRIS_OK;
	*again = rd_kafka_error_is_retriable(error) ||
		 rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT;
	if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT) {
		rd_kafka_error_destroy(error);
		error_set(err, FERRIS_ERR_PREFLIGHT,
			  "the brokers at %s do not allow transactions to last so long",
			  writer->client.servers);
		return error_hint(err, "give 'kafka.transaction.timeout.ms' a value that is not "
				       "above the brokers' transaction.max.timeout.ms");
	}
	if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED) {
		rd_kafka_error_destroy(error);
		error_set(err, FERRIS_ERR_PREFLIGHT,
			  "the brokers at %s do not let this user write transactions as '%s'",
			  writer->client.servers, writer->transaction);
		return error_hint(err, "grant Write and Describe on that transactional id, set "
				       "'kafka.transactional.id', or ask for less: "
				       "'delivery.guarantee' = 'at-least-once'");
	}
	return failed(writer, error, "cannot begin transactions", err);
}

Status
kafka_transaction_begin(KafkaWriter *writer, Error *err)
{
	int64_t deadline = clock_ms() + BEGIN_DEADLINE_MS;
	rd_kafka_error_t *error;

	if (writer->in_transaction)
		return FERRIS_OK;
	do {
		error = rd_kafka_begin_transaction(writer->client.handle);
	} while (error != NULL && may_retry(error, deadline));
	if (error != NULL) {
		failed(writer, error, "cannot begin a transaction", err);
		return kafka_transaction_give_up(writer, err);
	}
	writer->begun_ms = clock_ms();
	writer->in_transaction = true;
	return FERRIS_OK;
}

void
kafka_transaction_abort(KafkaWriter *writer)
{
	int64_t deadline = clock_ms() + ABORT_DEADLINE_MS;
	rd_kafka_error_t *error;

	if (!writer->in_transaction)
		return;
	writer->in_transaction = false;
	do {
		error = rd_kafka_abort_transaction(writer->client.handle, CALL_TIMEOUT_MS);
	} while (error != NULL && may_retry(error, deadline));
	if (error != NULL)
		rd_kafka_error_destroy(error);
}

Status
kafka_transaction_give_up(KafkaWriter *writer, Error *err)
{
	kafka_transaction_abort(writer);
	return is_kept_out(writer) ? kept_out(writer, err) : err->status;
}

/* ---------------------------------------------------------------- committing */

static Status
send_positions(KafkaWriter *writer, const EpochInput *input, int64_t deadline, Error *err)
{
	rd_kafka_t *consumer = kafka_reader_handle(input->reader);
	rd_kafka_error_t *error;

	if (input->count == 0)
		return FERRIS_OK;
	rd_kafka_topic_partition_list_t *list =
		kafka_position_list(input->reader, input->positions, input->count);
	do {
		/* Anew for each try: a rebalance changes it, and the old one would be a zombie's.
		 */
		rd_kafka_consumer_group_metadata_t *member =
			rd_kafka_consumer_group_metadata(consumer);
		error = rd_kafka_send_offsets_to_transaction(writer->client.handle, list, member,
							     CALL_TIMEOUT_MS);
		rd_kafka_consumer_group_metadata_destroy(member);
	} while (error != NULL && may_retry(error, deadline));
	rd_kafka_topic_partition_list_destroy(list);
	return error == NULL ? FERRIS_OK : failed(writer, error, "positions are not taken", err);
}

static Status
commit(KafkaWriter *writer, int64_t deadline, Error *err)
{
	rd_kafka_error_t *error;

	do {
		error = rd_kafka_commit_transaction(writer->client.handle, CALL_TIMEOUT_MS);
	} while (error != NULL && may_retry(error, deadline));
	if (error != NULL)
		return failed(writer, error, "a transaction cannot be committed", err);
	writer->in_transaction = false;
	return FERRIS_OK;
}

Status
kafka_commit_epoch(Writer *base, const EpochInput *inputs, uint32_t count, Error *err)
{
	KafkaWriter *writer = (KafkaWriter *)base;
	/* By then the brokers have ended the transaction, if it was not committed. */
	int64_t deadline = clock_ms() + timeout_of(writer);
	uint32_t positions = 0;

	for (uint32_t i = 0; i < count; i++)
		positions += inputs[i].count;
	if (!writer->in_transaction && positions == 0)
		return FERRIS_OK;
	Status status = kafka_transaction_begin(writer, err);
	for (uint32_t i = 0; i < count && status == FERRIS_OK; i++)
		status = send_positions(writer, &inputs[i], deadline, err);
	if (status == FERRIS_OK)
		status = commit(writer, deadline, err);
	return status == FERRIS_OK ? FERRIS_OK : kafka_transaction_give_up(writer, err);
}

/* ---------------------------------------------------------------- who can be in an epoch */

static Status
ask_cluster(KafkaWriter *writer, rd_kafka_t *other, bool *same, Error *err)
{
	rd_kafka_t *own = writer->client.handle;
	char *first = rd_kafka_clusterid(own, CLUSTER_TIMEOUT_MS);
	char *second = rd_kafka_clusterid(other, CLUSTER_TIMEOUT_MS);
	bool answered = first != NULL && second != NULL;

	*same = answered && strcmp(first, second) == 0;
	rd_kafka_mem_free(own, first);
	rd_kafka_mem_free(other, second);
	return answered ? FERRIS_OK
			: kafka_error(&writer->client, err, FERRIS_ERR_KAFKA_CONNECT,
				      RD_KAFKA_RESP_ERR__TIMED_OUT, "no cluster id for topic");
}

Status
kafka_takes_positions(Writer *base, Reader *reader, Error *err)
{
	KafkaWriter *writer = (KafkaWriter *)base;
	bool same = false;

	if (reader->class == base->class)
		TRY(ask_cluster(writer, kafka_reader_handle(reader), &same, err));
	if (same)
		return kafka_check_read(writer, kafka_split_name(reader, UINT32_MAX), err);
	error_set(
		err, FERRIS_ERR_PREFLIGHT,
		"exactly-once needs source and sink in one Kafka cluster, and the topics '%s' and "
		"'%s' are not",
		kafka_split_name(reader, UINT32_MAX), writer->client.topic);
	return error_hint(err, "write to the source's cluster, or set "
			       "'delivery.guarantee' = 'at-least-once'");
}
