/* connector/kafka_topic.c -- making topics. */
#include "base/clock.h"
#include "connector/kafka_client.h"

#define ADMIN_TIMEOUT_MS   15000
#define CREATE_DEADLINE_MS 30000
#define KNOWN_DEADLINE_MS  60000

static rd_kafka_resp_err_t
created_code(rd_kafka_event_t *event)
{
	const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
	size_t count = 0;

	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR || result == NULL)
		return rd_kafka_event_error(event);
	const rd_kafka_topic_result_t **topics =
		rd_kafka_CreateTopics_result_topics(result, &count);
	return count > 0 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t
try_to_create(KafkaClient *client, rd_kafka_NewTopic_t *topic)
{
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client->handle);

	rd_kafka_CreateTopics(client->handle, &topic, 1, NULL, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_TIMEOUT_MS);
	if (event != NULL) {
		code = created_code(event);
		rd_kafka_event_destroy(event);
	}
	rd_kafka_queue_destroy(queue);
	return code;
}

Status
kafka_create_topic(KafkaClient *client, const char *name, int partitions,
		   const char *const *configs, Error *err)
{
	int64_t deadline = clock_ms() + CREATE_DEADLINE_MS;
	char text[256];
	rd_kafka_resp_err_t code;
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, -1, text, sizeof text);

	if (topic == NULL)
		return error_set(err, FERRIS_ERR_KAFKA_TOPIC, "topic '%s': %s", name, text);
	for (; configs != NULL && *configs != NULL; configs += 2)
		rd_kafka_NewTopic_set_config(topic, configs[0], configs[1]);
	/* Without a controller for a while, brokers create nothing. */
	while (kafka_passes(code = try_to_create(client, topic)) && clock_ms() < deadline)
		clock_sleep_ms(200);
	rd_kafka_NewTopic_destroy(topic);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_KAFKA_TOPIC, "cannot create topic '%s' at %s: %s", name,
		  client->servers, rd_kafka_err2str(code));
	if (kafka_passes(code))
		err->flags = ERROR_RETRIABLE;
	return error_hint(err, "create it by hand, or give the user the right to");
}

Status
kafka_missing_topic(const KafkaClient *client, Error *err)
{
	error_set(err, FERRIS_ERR_KAFKA_TOPIC, "topic '%s' does not exist at %s", client->topic,
		  client->servers);
	return error_hint(err, "create it, or correct 'kafka.topic'");
}

Status
kafka_wait_for_topic(KafkaClient *client, int *partitions, Error *err)
{
	int64_t deadline = clock_ms() + KNOWN_DEADLINE_MS;

	for (;;) {
		TRY(kafka_client_topic(client, partitions, err));
		if (*partitions > 0)
			return FERRIS_OK;
		if (clock_ms() >= deadline)
			return kafka_missing_topic(client, err);
		clock_sleep_ms(20);
	}
}
