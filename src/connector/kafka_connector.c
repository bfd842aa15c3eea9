/* connector/kafka_connector.c -- topics of Apache Kafka, by librdkafka. */
#include "connector/kafka_client.h"

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
	[KAFKA_SINK_ANY] = ANY_ROW,
};

static bool
is_bounded(const Setting *settings)
{
	return settings[KAFKA_BOUNDED].flag;
}

const ConnectorClass kafka_connector = {
	.name = "kafka",
	.doc = "Topics of Apache Kafka.",
	.default_format = "json",
	.keyed_output = true,
	.source_options = {"Kafka source", kafka_source_rows, KAFKA_SOURCE_OPTION_COUNT},
	.sink_options = {"Kafka sink", sink_rows, KAFKA_SINK_OPTION_COUNT},
	.bounded = is_bounded,
	.split_count = kafka_split_count,
	.reader_open = kafka_reader_open,
	.read = kafka_read,
	.commit = kafka_commit,
	.split_name = kafka_split_name,
	.split_drained = kafka_split_drained,
	.lag = kafka_lag,
	.reader_close = kafka_reader_close,
	.sample = kafka_sample,
	.writer_open = kafka_writer_open,
	.write = kafka_write,
	.flush = kafka_flush,
	.writer_close = kafka_writer_close,
};
