/* connector/kafka_connector.c -- topics of Apache Kafka, by librdkafka. */
#include "connector/kafka_writer.h"
#include "type/number.h"

#define COMMON_ROWS                                                                                \
	[KAFKA_TOPIC] = {.name = "kafka.topic",                                                    \
			 .type = OPTION_STRING,                                                    \
			 .aliases = "topic|topic.name|kafka.topic.name",                           \
			 .doc = "The topic; the stream's name if not given."},                     \
	[KAFKA_SERVERS] = {                                                                        \
		.name = "kafka.bootstrap.servers",                                                 \
		.type = OPTION_STRING,                                                             \
		.initial = "localhost:9092",                                                       \
		.aliases = "bootstrap.servers|brokers|kafka.brokers|"                              \
			   "properties.bootstrap.servers",                                         \
		.doc = "Brokers, host:port[,host:port...]; 'embedded' starts a cluster "           \
		       "inside the process, for trying things out."}

#define ANY_ROW                                                                                    \
	{                                                                                          \
		.name = "kafka.*", .type = OPTION_PREFIX,                                          \
		.doc = "Any property of librdkafka, or the Java client's name for it."             \
	}

const OptionRow kafka_source_rows[KAFKA_SOURCE_OPTION_COUNT] = {
	COMMON_ROWS,
	[KAFKA_GROUP] = {.name = "kafka.group.id",
			 .type = OPTION_STRING,
			 .aliases = "group.id|group_id",
			 .doc = "The consumer group; by default made of the application's and the "
				"statement's name."},
	[KAFKA_OFFSET_RESET] = {.name = "kafka.auto.offset.reset",
				.type = OPTION_CHOICE,
				.initial = "earliest",
				.choices = "earliest|latest|smallest|largest|beginning|end",
				.aliases = "auto.offset.reset",
				.doc = "Where a group without committed positions begins."},
	[KAFKA_BOUNDED] = {.name = "kafka.bounded",
			   .type = OPTION_BOOLEAN,
			   .initial = "false",
			   .doc = "End at the topic's end as it is when reading begins."},
	[KAFKA_POLL_RECORDS] = {.name = "kafka.max.poll.records",
				.type = OPTION_INTEGER,
				.initial = "4096",
				.min = 1,
				.max = 1000000,
				.aliases = "max.poll.records",
				.doc = "How many records one poll takes at most."},
	[KAFKA_ANY] = ANY_ROW,
};

static const OptionRow sink_rows[KAFKA_SINK_OPTION_COUNT] = {
	COMMON_ROWS,
	[KAFKA_TRANSACTIONAL_ID] = {.name = "kafka.transactional.id",
				    .type = OPTION_STRING,
				    .aliases = "transactional.id|transactional_id",
				    .doc = "Exactly-once: the name of this process's transactions, "
					   "the same when it starts again; by default made of the "
					   "group, the host and a number."},
	[KAFKA_SINK_ANY] = ANY_ROW,
};

static bool
is_bounded(const Setting *settings)
{
	return settings[KAFKA_BOUNDED].flag;
}

static const char *
no_place(const Setting *settings)
{
	return str_eq_nocase(settings[KAFKA_SERVERS].text, STR("embedded"))
		       ? "the embedded cluster does not outlive the process"
		       : NULL;
}

static Str
named_group(const Setting *settings)
{
	return settings[KAFKA_GROUP].present ? settings[KAFKA_GROUP].text : (Str){NULL, 0};
}

/* What a promise needs of a property. */
typedef struct PromiseRule {
	const char *meaning;
	Promise promise;
	const char *needed[2]; /* values that do; NULL: any but 0 */
	const char *instead;
	const char *why;
	int64_t max; /* 0: there is none */
} PromiseRule;

static const PromiseRule promise_rules[] = {
	{"request.required.acks",
	 PROMISE_EXACTLY_ONCE,
	 {"all", "-1"},
	 "all",
	 "transactions need the acknowledgement of all replicas",
	 0},
	{"enable.idempotence",
	 PROMISE_EXACTLY_ONCE,
	 {"true", "1"},
	 "true",
	 "transactions need idempotent producers",
	 0},
	{"message.send.max.retries",
	 PROMISE_EXACTLY_ONCE,
	 {NULL},
	 "2147483647",
	 "transactions need retries",
	 0},
	{"max.in.flight.requests.per.connection",
	 PROMISE_EXACTLY_ONCE,
	 {NULL},
	 "5",
	 "transactions need at most 5 requests in flight",
	 5},
	{"request.required.acks",
	 PROMISE_AT_LEAST_ONCE,
	 {NULL},
	 "all",
	 "without an acknowledgement nobody knows that a record was lost",
	 0},
};

static bool
fits(const PromiseRule *rule, Str value)
{
	int64_t number;

	if (rule->max > 0)
		return int64_parse(value.data, value.len, &number) == NUMBER_OK &&
		       number <= rule->max;
	if (rule->needed[0] == NULL)
		return !str_eq(value, STR("0"));
	return str_eq_nocase(value, str_from(rule->needed[0])) ||
	       str_eq_nocase(value, str_from(rule->needed[1]));
}

static void
weakness(const Setting *settings, const Options *given, Promise promise, Weakness *out)
{
	*out = (Weakness){0};
	if (promise == PROMISE_EXACTLY_ONCE &&
	    str_eq_nocase(settings[KAFKA_SERVERS].text, STR("embedded"))) {
		out->why = "the embedded cluster keeps no transactions apart";
		return;
	}
	for (size_t i = 0; i < sizeof promise_rules / sizeof *promise_rules; i++) {
		const PromiseRule *rule = &promise_rules[i];
		const OptionEntry *entry = kafka_given_as(given, rule->meaning);

		if (rule->promise != promise || entry == NULL || fits(rule, entry->value))
			continue;
		*out = (Weakness){rule->why, entry, rule->instead};
		return;
	}
}

const ConnectorClass kafka_connector = {
	.name = "kafka",
	.doc = "Topics of Apache Kafka.",
	.default_format = "json",
	.keyed_output = true,
	.topic_option = "kafka.topic",
	.group_option = "kafka.group.id",
	.library = kafka_library,
	.source_options = {"Kafka source", kafka_source_rows, KAFKA_SOURCE_OPTION_COUNT},
	.sink_options = {"Kafka sink", sink_rows, KAFKA_SINK_OPTION_COUNT},
	.passed = kafka_passed,
	.nearest = kafka_nearest_property,
	.passed_names = kafka_passed_names,
	.check_values = kafka_check_values,
	.library_settings = kafka_library_settings,
	.bounded = is_bounded,
	.group = named_group,
	.no_place = no_place,
	.split_count = kafka_split_count,
	.join = kafka_join,
	.member_poll = kafka_member_poll,
	.member_leave = kafka_member_leave,
	.reader_open = kafka_reader_open,
	.read = kafka_read,
	.commit = kafka_commit,
	.release = kafka_release,
	.split_name = kafka_split_name,
	.split_drained = kafka_split_drained,
	.lag = kafka_lag,
	.backlog = kafka_backlog,
	.reader_close = kafka_reader_close,
	.sample = kafka_sample,
	.writer_open = kafka_writer_open,
	.write = kafka_write,
	.flush = kafka_flush,
	.put_mark = kafka_put_mark,
	.shuffle_open = kafka_shuffle_open,
	.commit_epoch = kafka_commit_epoch,
	.weakness = weakness,
	.log_open = kafka_log_open,
	.log_read = kafka_log_read,
	.log_end = kafka_log_end,
	.log_put = kafka_log_put,
	.log_close = kafka_log_close,
	.takes_positions = kafka_takes_positions,
	.writer_close = kafka_writer_close,
};
