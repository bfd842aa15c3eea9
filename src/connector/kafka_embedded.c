/* connector/kafka_embedded.c -- 'kafka.bootstrap.servers' = 'embedded': a cluster in the process.
 *
 * It is librdkafka's mock cluster: good to try things out and for demos; it keeps a partition's
 * last megabytes only and knows no transactions.  All statements of the process share it, so it
 * is the one object here that is not handed down: it lives from its first user to its last.
 *
 * Threads: any; one mutex. */
#include "connector/kafka_client.h"

#include <librdkafka/rdkafka_mock.h>

static struct {
	pthread_mutex_t mutex;
	rd_kafka_t *owner;
	rd_kafka_mock_cluster_t *cluster;
	uint32_t users;
} embedded = {.mutex = PTHREAD_MUTEX_INITIALIZER};

#define EMBEDDED_BROKERS 1

static Status
start_cluster(Error *err)
{
	char text[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	embedded.owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
	if (embedded.owner == NULL) {
		rd_kafka_conf_destroy(conf);
		return error_set(err, FERRIS_ERR_SYSTEM, "cannot start the embedded Kafka: %s",
				 text);
	}
	embedded.cluster = rd_kafka_mock_cluster_new(embedded.owner, EMBEDDED_BROKERS);
	if (embedded.cluster != NULL)
		return FERRIS_OK;
	rd_kafka_destroy(embedded.owner);
	return error_set(err, FERRIS_ERR_SYSTEM, "cannot start the embedded Kafka");
}

Status
kafka_embedded_acquire(const char **servers, Error *err)
{
	Status status = FERRIS_OK;

	pthread_mutex_lock(&embedded.mutex);
	if (embedded.users == 0)
		status = start_cluster(err);
	if (status == FERRIS_OK) {
		embedded.users++;
		*servers = rd_kafka_mock_cluster_bootstraps(embedded.cluster);
	}
	pthread_mutex_unlock(&embedded.mutex);
	return status;
}

void
kafka_embedded_release(void)
{
	pthread_mutex_lock(&embedded.mutex);
	if (--embedded.users == 0) {
		rd_kafka_mock_cluster_destroy(embedded.cluster);
		rd_kafka_destroy(embedded.owner);
	}
	pthread_mutex_unlock(&embedded.mutex);
}
