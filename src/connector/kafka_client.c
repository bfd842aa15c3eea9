/* connector/kafka_client.c -- configuration, handles and errors of librdkafka. */
#include "connector/kafka_client.h"

#include "base/clock.h"
#include "base/memory.h"

#define CONNECT_TIMEOUT_MS 10000

/* ---------------------------------------------------------------- configuration */

/* A property that the engine sets. */
static Status
set_property(rd_kafka_conf_t *conf, const char *name, const char *value, Error *err)
{
	char text[256];

	if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_KAFKA_CONFIG, "Kafka property '%s' = '%s': %.*s", name, value,
		  STR_ARG(str_trim(str_from(text))));
	return error_hint(err, "the properties are those of librdkafka %s", rd_kafka_version_str());
}

void
kafka_library(char *out, size_t size)
{
	snprintf(out, size, "librdkafka %s", rd_kafka_version_str());
}

bool
kafka_has_property(const char *name)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char value[256];
	size_t size = sizeof value;
	bool known = rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_UNKNOWN;

	rd_kafka_conf_destroy(conf);
	return known;
}

/* ---------------------------------------------------------------- callbacks */

static void
on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
	KafkaNotes *notes = opaque;

	(void)handle;
	(void)code;
	pthread_mutex_lock(&notes->mutex);
	snprintf(notes->last_error, sizeof notes->last_error, "%s", reason);
	pthread_mutex_unlock(&notes->mutex);
}

/* librdkafka's own chatter; what matters comes back as an error, but for what made a transaction
 * fail: the calls after that only say that it has. */
static void
on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
	(void)level;
	if (strcmp(facility, "TXNERR") != 0)
		return;
	KafkaNotes *notes = rd_kafka_opaque(handle);
	const char *thread = strstr(text, "]: ");

	pthread_mutex_lock(&notes->mutex);
	snprintf(notes->transaction_error, sizeof notes->transaction_error, "%s",
		 thread != NULL ? thread + 3 : text);
	pthread_mutex_unlock(&notes->mutex);
}

static void
on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
	KafkaNotes *notes = opaque;

	(void)handle;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	pthread_mutex_lock(&notes->mutex);
	if (notes->delivery_errors++ == 0)
		snprintf(notes->delivery_error, sizeof notes->delivery_error, "%s",
			 rd_kafka_err2str(message->err));
	pthread_mutex_unlock(&notes->mutex);
}

static void
on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code,
	     rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
	KafkaNotes *notes = opaque;

	if (notes->rebalance != NULL)
		notes->rebalance(notes->owner, code, partitions);
	else
		rd_kafka_assign(handle,
				code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? partitions : NULL);
}

/* ---------------------------------------------------------------- opening */

static Status
build_conf(KafkaClient *client, rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *servers,
	   const Options *given, const KafkaDefault *defaults, Arena *arena, Error *err)
{
	TRY(set_property(conf, "bootstrap.servers", servers, err));
	for (; defaults->name != NULL; defaults++)
		if (defaults->value != NULL &&
		    (!defaults->optional || kafka_has_property(defaults->name)))
			TRY(set_property(conf, defaults->name, defaults->value, err));
	TRY(kafka_set_given(conf, type, given, arena, err));
	rd_kafka_conf_set_opaque(conf, client->notes);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	return FERRIS_OK;
}

const char *
kafka_topic_name(const Setting *settings, const char *object, Arena *arena)
{
	const Setting *topic = &settings[KAFKA_TOPIC];

	return topic->present ? str_copy(arena, topic->text).data : object;
}

const char *
kafka_group_name(const ReaderSpec *spec, Arena *arena)
{
	const Setting *group = &spec->settings[KAFKA_GROUP];

	return group->present ? str_copy(arena, group->text).data : spec->group;
}

Status
kafka_client_open(KafkaClient *client, rd_kafka_type_t type, const char *object,
		  const Setting *settings, const Options *given, const KafkaDefault *defaults,
		  Arena *arena, Error *err)
{
	rd_kafka_conf_t *conf;
	const char *servers;
	char text[256];

	*client = (KafkaClient){.notes = ARENA_NEW(arena, KafkaNotes)};
	pthread_mutex_init(&client->notes->mutex, NULL);
	client->topic = kafka_topic_name(settings, object, arena);
	client->servers = str_copy(arena, settings[KAFKA_SERVERS].text).data;
	servers = client->servers;
	if (strcasecmp(servers, "embedded") == 0) {
		TRY(kafka_embedded_acquire(&servers, err));
		client->embedded = true;
	}
	conf = rd_kafka_conf_new();
	Status status = build_conf(client, type, conf, servers, given, defaults, arena, err);
	if (status == FERRIS_OK) {
		if (type == RD_KAFKA_PRODUCER)
			rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
		else
			rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
		client->handle = rd_kafka_new(type, conf, text, sizeof text);
		if (client->handle != NULL)
			return FERRIS_OK;
		status = error_set(err, FERRIS_ERR_KAFKA_CONFIG, "Kafka client for '%s': %s",
				   object, text);
		error_hint(err, "check its options that begin with 'kafka.'; files named in "
				"'kafka.ssl.*' must be there and be readable");
	}
	rd_kafka_conf_destroy(conf);
	kafka_client_close(client);
	return status;
}

void
kafka_client_close(KafkaClient *client)
{
	if (client->handle != NULL)
		rd_kafka_destroy(client->handle);
	client->handle = NULL;
	if (client->embedded)
		kafka_embedded_release();
	client->embedded = false;
}

Status
kafka_error(KafkaClient *client, Error *err, Status status, rd_kafka_resp_err_t code,
	    const char *what)
{
	error_set(err, status, "%s '%s' at %s: %s", what, client->topic, client->servers,
		  rd_kafka_err2str(code));
	pthread_mutex_lock(&client->notes->mutex);
	if (client->notes->last_error[0] != '\0')
		error_label(err, "last error of the connection: %s", client->notes->last_error);
	pthread_mutex_unlock(&client->notes->mutex);
	if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
	    code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__RESOLVE)
		error_hint(err, "is the broker running, and 'kafka.bootstrap.servers' right?");
	return status;
}

bool
kafka_passes(rd_kafka_resp_err_t code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
	case RD_KAFKA_RESP_ERR__WAIT_COORD:
	case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
	case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
	case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
	case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
	case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
	case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
	case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
	case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
	case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
	case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
	case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
	case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
		return true;
	default:
		return false;
	}
}

/* The partitions of the topic in an answer; 0 if it does not exist. */
static int
partitions_in(const struct rd_kafka_metadata *metadata, rd_kafka_resp_err_t *code)
{
	*code = RD_KAFKA_RESP_ERR_NO_ERROR;
	if (metadata->topic_cnt == 0)
		return 0;
	*code = metadata->topics[0].err;
	if (*code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		*code = RD_KAFKA_RESP_ERR_NO_ERROR;
	return metadata->topics[0].partition_cnt;
}

Status
kafka_client_topic(KafkaClient *client, int *partitions, Error *err)
{
	int64_t deadline = clock_ms() + CONNECT_TIMEOUT_MS;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(client->handle, client->topic, NULL);
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code;

	*partitions = 0;
	if (topic == NULL)
		return kafka_error(client, err, FERRIS_ERR_KAFKA_TOPIC, rd_kafka_last_error(),
				   "topic");
	do {
		int wait = (int)(deadline - clock_ms());

		code = rd_kafka_metadata(client->handle, 0, topic, &metadata,
					 wait > 100 ? wait : 100);
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
			*partitions = partitions_in(metadata, &code);
			rd_kafka_metadata_destroy(metadata);
		}
		/* A topic that is being created has no leader for a moment; the broker that was
		 * asked may just have gone. */
		if (kafka_passes(code))
			clock_sleep_ms(50);
	} while (kafka_passes(code) && clock_ms() < deadline);
	rd_kafka_topic_destroy(topic);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return FERRIS_OK;
	rd_kafka_poll(client->handle, 0); /* on_error hears why */
	return kafka_error(client, err, FERRIS_ERR_KAFKA_CONNECT, code, "cannot reach topic");
}
