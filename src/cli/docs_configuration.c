/* cli/docs_configuration.c -- ferris-sql docs configuration: every option, from its row. */
#include "cli/command.h"

static const char introduction[] =
	"# Configuration\n"
	"\n"
	"<!-- Printed by the program from its option rows: change those, then run ./dev docs. -->\n"
	"\n"
	"Everything is set by options: pairs of a name and a value. No file is read that is not "
	"named, and no\n"
	"environment variable changes anything by itself.\n"
	"\n"
	"## Where options stand\n"
	"\n"
	"From the least to the most that counts:\n"
	"\n"
	"1. what the program brings along: a default, above it what a [batch strategy](#batches) "
	"suggests;\n"
	"2. `SET 'name' = 'value'`, for the statements below it, and `-- Property: name=value` in "
	"front of a\n"
	"   statement, for that one, or at the head of the file with an empty line behind it, for "
	"all;\n"
	"3. the `WITH (...)` of a declared stream: where its records are and how they are "
	"written;\n"
	"4. the trailing `WITH (...)` of a query, for its source, its sink and the job as a "
	"whole;\n"
	"5. `--set name=value` on the command line, as often as needed.\n"
	"\n"
	"Within one list the last of equal names wins. What a [file](#files-of-options) says "
	"counts "
	"directly below\n"
	"the list that names it. Where two of these say different things of one option, a line "
	"`config: ...` on\n"
	"stderr says which one counts.\n"
	"\n"
	"```sql\n"
	"CREATE STREAM trades (trade_id BIGINT, symbol STRING, price DECIMAL(18,4))\n"
	"WITH ('connector' = 'file', 'path' = 'trades.jsonl', 'format' = 'json');\n"
	"\n"
	"CREATE STREAM big AS SELECT symbol, price FROM trades WHERE price > 500\n"
	"WITH ('sink.path' = 'big.csv',                     -- of the sink\n"
	"      'trades.json.validate' = 'full',             -- of the stream 'trades'\n"
	"      'failure_strategy' = 'LogAndContinue');      -- of the job\n"
	"```\n"
	"\n"
	"## Whom an option concerns\n"
	"\n"
	"A prefix in front of a name says whom it concerns, in a trailing `WITH` and in `--set`:\n"
	"\n"
	"| prefix | concerns |\n"
	"|---|---|\n"
	"| `source.` | the source of the statement |\n"
	"| `sink.` | the sink of the statement |\n"
	"| `<name>.` | the source or sink of that name |\n"
	"\n"
	"What is the name of an option as it stands has no prefix, whatever streams are called: "
	"beside a stream\n"
	"`json`, `json.validate` is a plain option, and `json.json.validate` that of the stream.\n"
	"\n"
	"A name with a prefix wins over the plain name, even over a plain one of `--set`. Without "
	"a prefix,\n"
	"in a trailing `WITH`, an option that only sources can have concerns the sources, one that "
	"only sinks can\n"
	"have the sink (of `kafka.X` librdkafka says whose it is), and one that begins with "
	"`batch.` all of them.\n"
	"Another one concerns the source if nothing else declares that source (`SELECT * FROM x "
	"WITH ('path' = 'x.csv')`),\n"
	"and otherwise the sink. A plain name in `--set`\n"
	"concerns every source and sink that has such an option. Job options have no prefix and "
	"stand in\n"
	"the trailing `WITH` or in `--set`, not in the `WITH` of a declaration.\n"
	"\n"
	"An option that nobody takes is an error: in a trailing `WITH` with its place and the "
	"nearest name\n"
	"there is, in `--set` with exit code 2. In the `WITH` of a declaration it is an error too, "
	"also when\n"
	"no statement uses the stream; such a stream may be read here and written there, so what "
	"only the other\n"
	"side can have is none.\n"
	"\n"
	"The rows of a plain SELECT go to the console, as `--output` says; `sink.` reaches the "
	"format's own\n"
	"options, such as `--set sink.timestamp.format=epoch_millis`.\n"
	"\n"
	"A URI in FROM or INSERT INTO may bring options: `'kafka://host:9092/topic?name=value'`,\n"
	"`'file://trades.dat?format=csv&csv.header=false'`. In a path without `file://` a `?` "
	"stands for one\n"
	"character.\n"
	"\n"
	"## Files of options\n"
	"\n"
	"Options that many statements share may stand in a YAML file:\n"
	"\n"
	"```form\n"
	"# orders.yaml\n"
	"extends: brokers.yaml        # beside this file; what follows counts more\n"
	"kafka:\n"
	"  topic: orders\n"
	"  group.id: ${TEAM:risk}-orders\n"
	"format: json\n"
	"```\n"
	"\n"
	"Nested names are joined by dots, a list of values by commas. The file is named by an "
	"option:\n"
	"\n"
	"| option | where | its options concern |\n"
	"|---|---|---|\n"
	"| `config_file` | `WITH` of a declaration | the stream |\n"
	"| `source_config`, `base_source_config` | trailing `WITH`, `--set` | the source; those of "
	"`base_...` count less |\n"
	"| `sink_config`, `base_sink_config` | trailing `WITH`, `--set` | the sink |\n"
	"| `<name>.config_file` | trailing `WITH`, `--set` | the source or sink of that name |\n"
	"\n"
	"Its path is relative to the current folder. Files of the first implementation are "
	"understood: the layers\n"
	"`datasource` and `datasink` are left out, `consumer_config` and `producer_config` mean "
	"`kafka.`.\n"
	"An option that nobody takes is an error here too.\n"
	"\n"
	"## Values\n"
	"\n"
	"Values are written in quotes; numbers, TRUE and FALSE need none. Names are compared "
	"without regard\n"
	"to case.\n"
	"\n"
	"| type | written as |\n"
	"|---|---|\n"
	"| boolean | `true` `false` `yes` `no` `on` `off` `1` `0` |\n"
	"| duration | a number of milliseconds, or with a unit: `100ms` `5s` `2m` `1h` `1d` |\n"
	"| size | a number of bytes, or with a unit (powers of 1024): `64KB` `16MB` `1GB` |\n"
	"| character | one byte; `\\t` is a tab |\n"
	"| choice | one of the words listed, in any case |\n"
	"\n"
	"`${NAME}` in a value is replaced by the environment variable NAME; that it is not set is "
	"an error.\n"
	"`${NAME:default}` and `${NAME:-default}` give a value for that case. So it is in a "
	"`WITH`, "
	"in `SET`,\n"
	"`-- Property:` and `--set`, in the values of a file of options, and in a URI.\n"
	"\n"
	"```sql\n"
	"SELECT * FROM trades WITH ('path' = '${DATA_DIR:.}/trades.jsonl', 'format' = 'json');\n"
	"```\n"
	"\n"
	"`ferris-sql explain --output json` prints every option in effect and where it comes from: "
	"`user`,\n"
	"`strategy`, `guarantee` ([Batches](#batches)) or `default`; names of a connector's own "
	"options stand\n"
	"without its prefix. A `place` says that the user's word is that of `SET` or `--set`, not "
	"of a WITH or a\n"
	"file. A `reason` says why a value counts although another one was said, or of a library's "
	"property why it\n"
	"is set.\n"
	"\n"
	"```form\n"
	"{\"statements\":[{\"name\":\"...\",\"plan\":{\"text\":\"...\"},\"options\":[\n"
	"  "
	"{\"scope\":\"source|sink|job\",\"object\":\"trades\",\"connector\":\"file\",\"name\":"
	"\"path\",\n"
	"   \"value\":\"trades.jsonl\",\"origin\":\"user|strategy|guarantee|default\","
	"\"reason\":\"...\"}]}]}\n"
	"```\n";

/* ---------------------------------------------------------------- cells */

/* Words separated by '|', each as code. */
static void
print_words(const char *words)
{
	const char *between = "";

	for (const char *p = words; *p != '\0'; p += strcspn(p, "|"), p += *p == '|') {
		printf("%s`%.*s`", between, (int)strcspn(p, "|"), p);
		between = " ";
	}
}

static void
print_default(const OptionRow *row)
{
	char text[128];

	if (row->initial == NULL)
		return;
	option_print_default(row, text, sizeof text);
	if (text[0] == '\0')
		fputs("empty", stdout);
	else
		printf("`%s`", text);
}

static void
print_row(const OptionRow *row)
{
	printf("| `%s` | %s | ", row->name, option_type_name(row->type));
	print_default(row);
	fputs(" | ", stdout);
	if (row->choices != NULL) {
		print_words(row->choices);
	} else {
		char values[80];

		option_print_values(row, values, sizeof values);
		fputs(values, stdout);
	}
	fputs(" | ", stdout);
	docs_print_cell(row->doc);
	fputs(" | ", stdout);
	if (row->aliases != NULL)
		print_words(row->aliases);
	puts(" |");
}

static void
print_group(const OptionGroup *group)
{
	puts("\n| option | type | default | values | meaning | other names "
	     "|\n|---|---|---|---|---|---|");
	for (uint32_t i = 0; i < group->count; i++)
		print_row(&group->rows[i]);
}

/* ---------------------------------------------------------------- chapters */

static void
print_side(const char *title, bool exists, const OptionGroup *group)
{
	if (!exists)
		return;
	printf("\n#### %s\n", title);
	if (group->count > 0)
		print_group(group);
	else
		puts("\nIt has no options.");
}

static void
print_kafka_default(const char *name, const char *side, const char *when, const char *value,
		    const char *reason)
{
	printf("| `%s` | %s%s | ", name, strcmp(side, "CONSUMER") == 0 ? "source" : "sink",
	       strcmp(when, "TRANSACTIONS") == 0 ? ", with exactly-once"
	       : strcmp(when, "PLAIN") == 0      ? ", without exactly-once"
	       : strcmp(when, "KNOWN") == 0      ? ", if its librdkafka has it"
						 : "");
	if (value != NULL)
		printf("`%s` | %s |\n", value, reason);
	else
		printf("worked out | %s |\n", reason);
}

/* What the engine sets where the user does not. */
static void
print_kafka_defaults(void)
{
	puts("\nThe engine sets these; the user's word stands above it. All others are as "
	     "librdkafka "
	     "has them\n"
	     "(`explain --output json` lists them with their values).\n\n"
	     "| property | of the | value | because |\n|---|---|---|---|");
#define DEFAULT(side, when, name, value, reason)                                                   \
	print_kafka_default(name, #side, #when, value, reason);
#include "connector/kafka_default_list.h"
}

static void
print_kafka_names(void)
{
	puts("\n#### Properties\n\n"
	     "`kafka.X` sets the property X of librdkafka, for source and sink alike. These names "
	     "of the Java\n"
	     "clients are understood too:\n\n| Java | librdkafka | |\n|---|---|---|");
#define PROPERTY(java, name, divisor)                                                              \
	printf("| `kafka.%s` | `%s` |%s |\n", java, name, (divisor) > 1 ? " bytes become KB" : "");
#define OWNED(name, reason)
#include "connector/kafka_property_list.h"
	puts("\nThese cannot be set:\n\n| property | because |\n|---|---|");
#define PROPERTY(java, name, divisor)
#define OWNED(name, reason) printf("| `kafka.%s` | %s |\n", name, reason);
#include "connector/kafka_property_list.h"
	print_kafka_defaults();
}

static void
print_generator_kinds(void)
{
	const char *end = "";

	fputs("\n#### Kinds\n\n| kind | keys | what | columns |\n|---|---|---|---|\n", stdout);
#define KIND(kind, name, keys, first, share, of, step, doc)                                        \
	printf("%s| `%s` | %d | %s |", end, name, keys, doc);                                      \
	end = " |\n";
#define FIELD(kind, name, type, precision, scale, make, text, low, count, digits)                  \
	printf(" `%s %s%s`", name, #type, (precision) > 0 ? "(" #precision "," #scale ")" : "");
#include "connector/generator_list.h"
	puts(" |");
	puts("\nThe streams of Nexmark are a suite: of 50 events one is a person, three are "
	     "auctions "
	     "and 46 are\n"
	     "bids, 100 microseconds apart if there is no `rate`. `rows` and `rate` are those of "
	     "the events, so\n"
	     "that the same options make three streams that fit each other: ids begin at 1000, "
	     "half of the bids go\n"
	     "to the hot auction of their time, three of four are by its hot bidder, three of four "
	     "auctions by its\n"
	     "hot seller.");
}

static void
print_connector(const ConnectorClass *connector)
{
	printf("\n### %s\n\n%s\n", connector->name, connector->doc);
	if (connector->default_format != NULL)
		printf("\nIts format is `%s` unless `format` says otherwise.\n",
		       connector->default_format);
	print_side("Source", connector->reader_open != NULL, &connector->source_options);
	print_side("Sink", connector->writer_open != NULL, &connector->sink_options);
	if (strcmp(connector->name, "kafka") == 0)
		print_kafka_names();
	if (strcmp(connector->name, "generator") == 0)
		print_generator_kinds();
}

static void
print_codec(const CodecClass *codec)
{
	printf("\n### %s\n\n%s\n", codec->name, codec->doc);
	print_side("Reading", codec->decoder_open != NULL, &codec->decode_options);
	print_side("Writing", codec->encoder_open != NULL, &codec->encode_options);
}

void
docs_print_configuration(void)
{
	const ConnectorClass *const *connectors;
	const CodecClass *const *codecs;
	size_t connector_count = connector_classes(&connectors);
	size_t codec_count = codec_classes(&codecs);

	fputs(introduction, stdout);
	puts("\n## Options of a job");
	print_group(&job_options);
	puts("\n## Options of every source and sink");
	print_group(&endpoint_options);
	puts("\n`file_source` and `file_sink` are `file`; `kafka_source` and `kafka_sink` are "
	     "`kafka`. Without\n"
	     "`connector`, a `kafka.topic` or `topic` means Kafka and a `path` means a file. "
	     "Without `format`,\n"
	     "a path that ends in `.json`, `.jsonl` or `.ndjson` is JSON and one in `.csv` is CSV, "
	     "also with\n"
	     "`.gz`, `.zst` or `.lz4` behind it.");
	docs_print_batches(print_group);
	puts("\n## Connectors");
	for (size_t i = 0; i < connector_count; i++)
		print_connector(connectors[i]);
	puts("\n## Formats");
	for (size_t i = 0; i < codec_count; i++)
		print_codec(codecs[i]);
}
