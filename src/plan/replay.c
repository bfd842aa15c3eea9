/* plan/replay.c -- REPLAY DLQ: dead letters go back to where they came from.
 *
 * It is two statements that could be written by hand, and is planned as these: a stream of the
 * letters' bytes, up to the topic's present end, and a stream that writes them to the source's
 * topic, without the headers that say where they came from and why.  So a letter goes back once:
 * the positions of its consumer group say which have. */
#include "plan/replay.h"

#include "plan/catalog.h"

/* The stream's option under any of its names; no data: none. */
static Str
option_of(const Options *options, const char *const *names)
{
	for (; *names != NULL; names++) {
		const OptionEntry *entry = options_find(options, str_from(*names));

		if (entry != NULL)
			return entry->value;
	}
	return (Str){NULL, 0};
}

static bool
is_of_reading(Str key)
{
	static const Str keys[] = {STR_INIT("kafka.topic"), STR_INIT("kafka.topic.name"),
				   STR_INIT("kafka.group.id"), STR_INIT("kafka.bounded"),
				   STR_INIT("kafka.auto.offset.reset")};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq_nocase(key, keys[i]))
			return true;
	return false;
}

static void
append_quoted(Buffer *out, Str text)
{
	buffer_append_char(out, '\'');
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\'')
			buffer_append_char(out, '\'');
		buffer_append_char(out, text.data[i]);
	}
	buffer_append_char(out, '\'');
}

/* How the brokers of the stream are reached: for both topics. */
static void
append_connection(Buffer *out, const Options *options)
{
	static const char *const servers[] = {"bootstrap.servers", "brokers",
					      "properties.bootstrap.servers", NULL};
	Str address = option_of(options, servers);

	for (uint32_t i = 0; i < options->count; i++) {
		const OptionEntry *entry = &options->entries[i];

		if (strncasecmp(entry->key.data, "kafka.", strlen("kafka.")) != 0 ||
		    is_of_reading(entry->key))
			continue;
		buffer_append_str(out, STR(", "));
		append_quoted(out, entry->key);
		buffer_append_str(out, STR(" = "));
		append_quoted(out, entry->value);
	}
	if (address.data != NULL) {
		buffer_append_str(out, STR(", 'kafka.bootstrap.servers' = "));
		append_quoted(out, address);
	}
}

static Status
find_target(const Statement *statement, const Catalog *catalog, const CatalogEntry **out,
	    Str *topic, Error *err)
{
	static const char *const connectors[] = {"connector", "type", NULL};
	static const char *const topics[] = {"kafka.topic", "topic", "topic.name",
					     "kafka.topic.name", NULL};
	const Name *name = &statement->replay.into;
	const CatalogEntry *entry = catalog_find(catalog, name->text);

	if (entry == NULL)
		return catalog_unknown(catalog, *name, err);
	Str connector = option_of(&entry->options, connectors);
	if (connector.data == NULL || strncasecmp(connector.data, "kafka", strlen("kafka")) != 0) {
		error_set_at(err, FERRIS_ERR_TYPE, name->position,
			     "'%.*s' is no stream over a topic", STR_ARG(name->text));
		return error_hint(err, "name the stream over the topic from which the dead letters "
				       "came");
	}
	*topic = option_of(&entry->options, topics);
	if (topic->data == NULL)
		*topic = entry->name;
	*out = entry;
	return FERRIS_OK;
}

Status
replay_text(Arena *arena, const Statement *statement, const Catalog *catalog, Str *text, Error *err)
{
	Str letters = statement->replay.topic;
	const CatalogEntry *target = NULL;
	Buffer out;
	Str topic = {NULL, 0};

	TRY(find_target(statement, catalog, &target, &topic, err));
	buffer_init(&out, (size_t)1 << 20);
	buffer_printf(&out,
		      "CREATE STREAM \"letters of %.*s\" (letter BYTES)\nWITH ('connector' = "
		      "'kafka', 'format' = 'raw', 'kafka.bounded' = 'true', 'kafka.topic' = ",
		      STR_ARG(letters));
	append_quoted(&out, letters);
	append_connection(&out, &target->options);
	buffer_printf(&out,
		      ");\nCREATE STREAM \"replay_%.*s_into_%.*s\" AS\nSELECT letter, "
		      "REMOVE_HEADER('ferris.dlq.source'), REMOVE_HEADER('ferris.dlq.offset'), "
		      "REMOVE_HEADER('ferris.dlq.line'), REMOVE_HEADER('ferris.dlq.code'), "
		      "REMOVE_HEADER('ferris.dlq.column'), REMOVE_HEADER('ferris.dlq.error')\n"
		      "FROM \"letters of %.*s\"\nWHERE LEFT(HEADER('ferris.dlq.source'), %u) = ",
		      STR_ARG(letters), STR_ARG(target->name), STR_ARG(letters), topic.len + 1);
	append_quoted(&out, str_format(arena, "%.*s[", STR_ARG(topic)));
	buffer_append_str(&out, STR("\nWITH ('sink.connector' = 'kafka', 'sink.format' = 'raw', "
				    "'sink.kafka.topic' = "));
	append_quoted(&out, topic);
	append_connection(&out, &target->options);
	buffer_append_str(&out, STR(")"));
	*text = str_copy(arena, (Str){out.data, (uint32_t)out.len});
	buffer_free(&out);
	return FERRIS_OK;
}
