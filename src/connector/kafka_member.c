/* connector/kafka_member.c -- a process among those that share the partitions of topics, each with
 * its state.
 *
 * The consumer here joins the group and hears what it deals, but reads nothing: each partition is
 * read by a consumer of its own that is in no group (kafka_reader.c).  When the group deals anew
 * the partitions that stay are not touched, whatever its protocol; one that goes is taken over by
 * the transactions of its new owner, not by the group's word.  So the group is answered at once,
 * and nobody waits for anybody.
 *
 * Owns:    the consumer.
 * Threads: one. */
#include "connector/kafka_client.h"

typedef struct KafkaMember {
	Membership base;
	KafkaClient client;
	const char **topics;
	uint32_t topic_count;
	uint32_t *dealt; /* of each partition: in how many of the topics it is this member's */
	bool heard;      /* the group has dealt */
} KafkaMember;

/* ---------------------------------------------------------------- dealing */

static bool
is_cooperative(rd_kafka_t *handle)
{
	return strcmp(rd_kafka_rebalance_protocol(handle), "COOPERATIVE") == 0;
}

static void
note(KafkaMember *member, const rd_kafka_topic_partition_list_t *list, bool given)
{
	for (int i = 0; i < list->cnt; i++) {
		uint32_t partition = (uint32_t)list->elems[i].partition;

		if (partition >= member->base.splits)
			continue; /* the topic has grown: a new start sees it */
		if (given)
			member->dealt[partition]++;
		else if (member->dealt[partition] > 0)
			member->dealt[partition]--;
	}
}

/* To the group it is as good as taken.  An eager group is answered with no partition at all, so
 * that librdkafka has nothing to look for in them; what a cooperative one gives it must be told to
 * have.
 */
static void
take(KafkaMember *member, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_t *handle = member->client.handle;

	member->heard = true;
	if (is_cooperative(handle)) {
		for (int i = 0; i < list->cnt; i++)
			list->elems[i].offset = RD_KAFKA_OFFSET_END; /* until it is paused */
		rd_kafka_error_destroy(rd_kafka_incremental_assign(handle, list));
		rd_kafka_pause_partitions(handle, list);
	} else {
		rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);

		memset(member->dealt, 0, sizeof *member->dealt * member->base.splits);
		rd_kafka_assign(handle, none);
		rd_kafka_topic_partition_list_destroy(none);
	}
	note(member, list, true);
}

/* An eager group takes all and deals again: what has come to stay is known then. */
static void
give(KafkaMember *member, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_t *handle = member->client.handle;

	if (!is_cooperative(handle)) {
		rd_kafka_assign(handle, NULL);
		return;
	}
	rd_kafka_error_destroy(rd_kafka_incremental_unassign(handle, list));
	note(member, list, false);
}

static void
rebalance(void *owner, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list)
{
	KafkaMember *member = owner;

	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
		take(member, list);
	else
		give(member, list);
}

/* ---------------------------------------------------------------- joining */

static Status
open_client(KafkaMember *member, const ReaderSpec *spec, Arena *arena, Error *err)
{
	const Setting *settings = spec->settings;
	const KafkaDefault defaults[] = {
		{"group.id", kafka_group_name(spec, arena), false},
		{"group.instance.id", spec->instance, false},
		{"client.id", "ferris-sql", false},
		{"enable.auto.commit", "false", false},
		{"enable.auto.offset.store", "false", false},
		/* The same partitions of all topics to one member. */
		{"partition.assignment.strategy", "range", false},
		{"session.timeout.ms", "6000", false},
		{"heartbeat.interval.ms", "500", false},
		{"reconnect.backoff.max.ms", "1000", false},
		{"queued.min.messages", "1", false},
		{"queued.max.messages.kbytes", "64", false},
		{NULL, NULL, false},
	};

	return kafka_client_open(&member->client, RD_KAFKA_CONSUMER, spec->object, settings,
				 spec->given, defaults, arena, err);
}

static Status
differ(const KafkaMember *member, const char *topic, int partitions, Error *err)
{
	error_set(err, FERRIS_ERR_PREFLIGHT,
		  "topic '%s' has %u partitions and '%s' has %d: records of one key cannot be "
		  "brought together partition by partition",
		  member->topics[0], member->base.splits, topic, partitions);
	return error_hint(err, "give both as many partitions, or leave 'state.partitioned' out");
}

/* The topics, which must have as many partitions. */
static Status
find_topics(KafkaMember *member, const ReaderSpec *sources, Arena *arena, Error *err)
{
	for (uint32_t i = 0; i < member->topic_count; i++) {
		KafkaClient client = member->client;
		int partitions;

		client.topic = kafka_topic_name(sources[i].settings, sources[i].object, arena);
		member->topics[i] = client.topic;
		TRY(kafka_client_topic(&client, &partitions, err));
		if (partitions == 0)
			return kafka_missing_topic(&client, err);
		if (i == 0)
			member->base.splits = (uint32_t)partitions;
		else if ((uint32_t)partitions != member->base.splits)
			return differ(member, client.topic, partitions, err);
	}
	return FERRIS_OK;
}

static Status
subscribe(KafkaMember *member, Error *err)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int)member->topic_count);

	for (uint32_t i = 0; i < member->topic_count; i++)
		if (rd_kafka_topic_partition_list_find(list, member->topics[i],
						       RD_KAFKA_PARTITION_UA) == NULL)
			rd_kafka_topic_partition_list_add(list, member->topics[i],
							  RD_KAFKA_PARTITION_UA);
	member->topic_count = (uint32_t)list->cnt; /* one that is read twice is dealt once */
	rd_kafka_resp_err_t code = rd_kafka_subscribe(member->client.handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR
		       ? FERRIS_OK
		       : kafka_error(&member->client, err, FERRIS_ERR_KAFKA_READ, code,
				     "cannot subscribe to topic");
}

static Status
join(KafkaMember *member, const ReaderSpec *sources, Arena *arena, Error *err)
{
	TRY(find_topics(member, sources, arena, err));
	member->dealt = ARENA_ARRAY(arena, uint32_t, member->base.splits);
	member->client.notes->owner = member;
	member->client.notes->rebalance = rebalance;
	rd_kafka_poll_set_consumer(member->client.handle);
	return subscribe(member, err);
}

/* Before 2.2: heaps were found damaged when handles of 2.0.2 came and went with the partitions. */
static void
warn_of_old_library(void)
{
	char library[64];

	if (kafka_has_property("fetch.queue.backoff.ms"))
		return;
	kafka_library(library, sizeof library);
	fprintf(stderr,
		"warning: a process may crash with %s when partitions come and go (nothing is lost "
		"or doubled: start it again); use librdkafka 2.2 or newer\n",
		library);
}

Status
kafka_join(const ReaderSpec *sources, uint32_t count, Arena *arena, Membership **out, Error *err)
{
	KafkaMember *member = ARENA_NEW(arena, KafkaMember);

	warn_of_old_library();
	member->base.class = &kafka_connector;
	member->topics = ARENA_ARRAY(arena, const char *, count);
	member->topic_count = count;
	TRY(open_client(member, &sources[0], arena, err));
	*out = &member->base; /* from here on the caller leaves it */
	return join(member, sources, arena, err);
}

/* ---------------------------------------------------------------- hearing */

static Status
handle_event(KafkaMember *member, const rd_kafka_message_t *message, Error *err)
{
	char text[256];

	switch (message->err) {
	case RD_KAFKA_RESP_ERR__FATAL:
		rd_kafka_fatal_error(member->client.handle, text, sizeof text);
		error_set(err, FERRIS_ERR_KAFKA_READ, "the consumer group at %s: %s",
			  member->client.servers, text);
		err->flags = ERROR_REQUIRES_ABORT; /* a member of the same name may be this one */
		return err->status;
	case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
		kafka_error(&member->client, err, FERRIS_ERR_KAFKA_READ, message->err,
			    "cannot stay in the group for topic");
		err->flags = ERROR_REQUIRES_ABORT;
		return err->status;
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
		return kafka_error(&member->client, err, FERRIS_ERR_KAFKA_READ, message->err,
				   "cannot join the group for topic");
	default:
		/* Of records that were not wanted, and connections that come and go. */
		return FERRIS_OK;
	}
}

Status
kafka_member_poll(Membership *base, int timeout_ms, bool *held, Error *err)
{
	KafkaMember *member = (KafkaMember *)base;
	rd_kafka_message_t *message = rd_kafka_consumer_poll(member->client.handle, timeout_ms);
	Status status = FERRIS_OK;

	if (message != NULL) {
		status = handle_event(member, message, err);
		rd_kafka_message_destroy(message);
	}
	for (uint32_t i = 0; i < base->splits && member->heard; i++)
		held[i] = member->dealt[i] == member->topic_count;
	return status;
}

void
kafka_member_leave(Membership *base)
{
	KafkaMember *member = (KafkaMember *)base;

	if (member->client.handle != NULL)
		rd_kafka_consumer_close(member->client.handle);
	kafka_client_close(&member->client);
}
