/* connector/kafka_preflight.c -- settings of brokers and topics that would break exactly-once.
 *
 * They are asked for before the first record is read.  What this user may not ask, or the brokers
 * do not answer, is taken to be right: then the calls that need it will tell. */
#include "connector/kafka_writer.h"

#include <stdlib.h>

#define ADMIN_TIMEOUT_MS    5000
#define DELETE_RETENTION_MS 86400000 /* the brokers' default */
#define RETENTION_MIN_MS    (INT64_C(10) * 60 * 1000)
#define METADATA_TIMEOUT_MS 5000

/* ---------------------------------------------------------------- asking */

static void
copy_value(rd_kafka_event_t *event, const char *name, char *value, size_t size)
{
	const rd_kafka_DescribeConfigs_result_t *result =
		rd_kafka_event_DescribeConfigs_result(event);
	size_t resources = 0;
	size_t count = 0;

	if (result == NULL)
		return;
	const rd_kafka_ConfigResource_t **resource =
		rd_kafka_DescribeConfigs_result_resources(result, &resources);
	if (resources == 0)
		return;
	const rd_kafka_ConfigEntry_t **entries =
		rd_kafka_ConfigResource_configs(resource[0], &count);
	for (size_t i = 0; i < count; i++) {
		const char *found = rd_kafka_ConfigEntry_value(entries[i]);

		if (found != NULL && strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
			snprintf(value, size, "%s", found);
	}
}

/* The topic's setting of that name; "" if it is not known. */
static void
ask_topic(rd_kafka_t *handle, const char *topic, const char *name, char *value, size_t size)
{
	rd_kafka_ConfigResource_t *resource =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
	char text[128];

	value[0] = '\0';
	rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_TIMEOUT_MS, text, sizeof text);
	rd_kafka_DescribeConfigs(handle, &resource, 1, options, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_TIMEOUT_MS);
	if (event != NULL) {
		copy_value(event, name, value, size);
		rd_kafka_event_destroy(event);
	}
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_ConfigResource_destroy(resource);
}

/* The least number of replicas that a partition of the topic has; 0: not known. */
static int
replicas_of(rd_kafka_t *handle, const char *name)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
	const struct rd_kafka_metadata *metadata;
	int least = 0;

	if (topic == NULL)
		return 0;
	if (rd_kafka_metadata(handle, 0, topic, &metadata, METADATA_TIMEOUT_MS) ==
	    RD_KAFKA_RESP_ERR_NO_ERROR) {
		for (int i = 0; metadata->topic_cnt > 0 && i < metadata->topics[0].partition_cnt;
		     i++) {
			int replicas = metadata->topics[0].partitions[i].replica_cnt;

			least = least == 0 || replicas < least ? replicas : least;
		}
		rd_kafka_metadata_destroy(metadata);
	}
	rd_kafka_topic_destroy(topic);
	return least;
}

/* ---------------------------------------------------------------- the checks */

Status
kafka_check_written(KafkaWriter *writer, const char *topic, Error *err)
{
	rd_kafka_t *handle = writer->client.handle;
	char value[64];

	ask_topic(handle, topic, "min.insync.replicas", value, sizeof value);
	long needed = strtol(value, NULL, 10);
	int replicas = replicas_of(handle, topic);
	if (replicas == 0 || needed <= replicas)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_PREFLIGHT,
		  "topic '%s' at %s wants %ld replicas in sync and has %d: no transaction could "
		  "write to it",
		  topic, writer->client.servers, needed, replicas);
	return error_hint(err, "lower the topic's min.insync.replicas, or give it more replicas");
}

Status
kafka_check_log(KafkaWriter *writer, const char *topic, int64_t *keeps_ms, Error *err)
{
	char value[64];

	ask_topic(writer->client.handle, topic, "delete.retention.ms", value, sizeof value);
	*keeps_ms = value[0] != '\0' ? strtoll(value, NULL, 10) : DELETE_RETENTION_MS;
	ask_topic(writer->client.handle, topic, "cleanup.policy", value, sizeof value);
	if (value[0] != '\0' && strcmp(value, "compact") != 0) {
		error_set(err, FERRIS_ERR_PREFLIGHT,
			  "topic '%s' at %s keeps state and has cleanup.policy = %s: state would "
			  "be deleted",
			  topic, writer->client.servers, value);
		return error_hint(err, "set the topic's cleanup.policy to compact");
	}
	return kafka_check_written(writer, topic, err);
}

Status
kafka_check_read(KafkaWriter *writer, const char *topic, Error *err)
{
	char value[64];

	ask_topic(writer->client.handle, topic, "retention.ms", value, sizeof value);
	int64_t retention = value[0] != '\0' ? strtoll(value, NULL, 10) : -1;
	if (retention < 0 || retention >= RETENTION_MIN_MS)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_PREFLIGHT,
		  "topic '%s' at %s keeps records for %lld s: after a longer pause some would be "
		  "gone unread",
		  topic, writer->client.servers, (long long)(retention / 1000));
	return error_hint(err, "raise the topic's retention.ms to 10 minutes at least, or set "
			       "'delivery.guarantee' = 'at-least-once'");
}
