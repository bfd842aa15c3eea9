/* connector/kafka_property.c -- what 'kafka.X' is to librdkafka.
 *
 * Which properties there are, which of them are another name for one, and whether a consumer or a
 * producer has them is what the loaded librdkafka says itself: its table is read once. */
#include "base/memory.h"
#include "connector/kafka_client.h"
#include "type/number.h"

#define PROPERTY_PREFIX "kafka."
#define ALIAS_WORDS     "Alias for `"

typedef struct JavaName {
	const char *java;
	const char *name;
	int divisor;
} JavaName;

static const JavaName java_names[] = {
#define PROPERTY(java, name, divisor) {java, name, divisor},
#define OWNED(name, reason)
#include "connector/kafka_property_list.h"
};

static const struct {
	const char *name;
	const char *reason;
} owned_properties[] = {
#define PROPERTY(java, name, divisor)
#define OWNED(name, reason) {name, reason},
#include "connector/kafka_property_list.h"
};

/* ---------------------------------------------------------------- librdkafka's table */

/* A line of it: | name | C, P or * | range | default | importance | description |. */
typedef struct PropertyRow {
	Str name;
	char side;    /* 'C', 'P', '*' */
	Str alias_of; /* {NULL, 0}: it is no alias */
} PropertyRow;

static pthread_once_t table_once = PTHREAD_ONCE_INIT;
static char *table_text;
static PropertyRow *table_rows;
static Str *table_names; /* of the rows */
static size_t table_count;

/* The next cell of the line, without the blanks around it. */
static Str
take_cell(Str *line)
{
	const char *bar = memchr(line->data, '|', line->len);
	uint32_t len = bar != NULL ? (uint32_t)(bar - line->data) : line->len;
	Str cell = str_trim((Str){line->data, len});

	*line = str_skip(*line, bar != NULL ? len + 1 : len);
	return cell;
}

static Str
alias_in(Str description)
{
	const char *found =
		memmem(description.data, description.len, ALIAS_WORDS, strlen(ALIAS_WORDS));

	if (found == NULL)
		return (Str){NULL, 0};
	const char *start = found + strlen(ALIAS_WORDS);
	const char *end = memchr(start, '`', (size_t)(description.data + description.len - start));
	return end != NULL ? (Str){start, (uint32_t)(end - start)} : (Str){NULL, 0};
}

/* False: a heading. */
static bool
read_row(Str line, PropertyRow *row)
{
	row->name = take_cell(&line);
	Str side = take_cell(&line);
	take_cell(&line); /* range */
	take_cell(&line); /* default */
	take_cell(&line); /* importance */
	row->alias_of = alias_in(line);
	row->side = side.len == 1 ? side.data[0] : '\0';
	return row->side == 'C' || row->side == 'P' || row->side == '*';
}

static void
read_table(void)
{
	size_t len = 0;
	FILE *stream = open_memstream(&table_text, &len);

	if (stream == NULL)
		return; /* no memory: no property is known, and setting one will tell */
	rd_kafka_conf_properties_show(stream);
	fclose(stream);
	Str rest = {table_text, (uint32_t)len};
	size_t lines = 0;
	for (size_t i = 0; i < len; i++)
		lines += table_text[i] == '\n';
	table_rows = memory_zero(sizeof *table_rows * (lines + 1));
	table_names = memory_zero(sizeof *table_names * (lines + 1));
	while (rest.len > 0) {
		const char *newline = memchr(rest.data, '\n', rest.len);
		uint32_t line = newline != NULL ? (uint32_t)(newline - rest.data) : rest.len;

		PropertyRow *row = &table_rows[table_count];
		if (read_row((Str){rest.data, line}, row))
			table_names[table_count++] = row->name;
		rest = str_skip(rest, newline != NULL ? line + 1 : line);
	}
}

static const PropertyRow *
find_row(Str name)
{
	pthread_once(&table_once, read_table);
	for (size_t i = 0; i < table_count; i++)
		if (str_eq_nocase(table_rows[i].name, name))
			return &table_rows[i];
	return NULL;
}

static const JavaName *
find_java(Str name)
{
	for (size_t i = 0; i < sizeof java_names / sizeof *java_names; i++)
		if (str_eq_nocase(name, str_from(java_names[i].java)))
			return &java_names[i];
	return NULL;
}

/* ---------------------------------------------------------------- options */

/* An option of the connector's own, which is no property. */
static bool
is_row(Str key)
{
	return option_own_row(&kafka_connector.source_options, key) != NULL ||
	       option_own_row(&kafka_connector.sink_options, key) != NULL;
}

/* "linger.ms" of "kafka.linger.ms"; {NULL, 0}: it is no property. */
static Str
property_of(Str key)
{
	uint32_t prefix = (uint32_t)strlen(PROPERTY_PREFIX);

	if (key.len <= prefix || strncasecmp(key.data, PROPERTY_PREFIX, prefix) != 0 || is_row(key))
		return (Str){NULL, 0};
	return str_skip(key, prefix);
}

bool
kafka_passed(Str key, PassedOption *out)
{
	Str name = property_of(key);

	*out = (PassedOption){.name = name};
	if (name.data == NULL)
		return false;
	const JavaName *java = find_java(name);
	const PropertyRow *row = find_row(java != NULL ? str_from(java->name) : name);
	if (row == NULL)
		return false;
	if (row->alias_of.data != NULL && find_row(row->alias_of) != NULL)
		row = find_row(row->alias_of);
	out->meaning = row->name;
	out->of_source = row->side != 'P';
	out->of_sink = row->side != 'C';
	return true;
}

const OptionEntry *
kafka_given_as(const Options *given, const char *meaning)
{
	PassedOption passed;

	for (uint32_t i = given->count; i > 0; i--)
		if (kafka_passed(given->entries[i - 1].key, &passed) &&
		    str_eq(passed.meaning, str_from(meaning)))
			return &given->entries[i - 1];
	return NULL;
}

Str
kafka_nearest_property(Str key)
{
	Str name = property_of(key);

	pthread_once(&table_once, read_table);
	return name.data != NULL ? str_nearest(name, table_names, table_count) : name;
}

static Status
set_given(rd_kafka_conf_t *conf, Str property, const OptionEntry *entry, Arena *arena, Error *err)
{
	const char *name = str_copy(arena, property).data;
	const char *value = str_copy(arena, entry->value).data;
	const JavaName *java = find_java(property);
	int64_t number;

	for (size_t i = 0; i < sizeof owned_properties / sizeof *owned_properties; i++)
		if (strcasecmp(name, owned_properties[i].name) == 0)
			return error_set_at(err, FERRIS_ERR_OPTION_CONFLICT, entry->key_at,
					    "'%s' cannot be set: %s", name,
					    owned_properties[i].reason);
	if (java != NULL) {
		name = java->name;
		if (java->divisor > 1 && int64_parse(value, strlen(value), &number) == NUMBER_OK)
			value = str_format(arena, "%lld", (long long)(number / java->divisor)).data;
	}
	/* librdkafka wants it in lower case. */
	const PropertyRow *row = find_row(str_from(name));
	if (row != NULL)
		name = str_copy(arena, row->name).data;
	return kafka_set_property(conf, name, value, entry, err);
}

Status
kafka_set_given(rd_kafka_conf_t *conf, rd_kafka_type_t type, const Options *given, Arena *arena,
		Error *err)
{
	for (uint32_t i = 0; i < given->count; i++) {
		const OptionEntry *entry = &given->entries[i];
		Str property = property_of(entry->key);
		PassedOption passed;

		if (property.data == NULL)
			continue;
		bool known = kafka_passed(entry->key, &passed);
		if (known && !(type == RD_KAFKA_CONSUMER ? passed.of_source : passed.of_sink))
			continue; /* the other side's */
		TRY(set_given(conf, property, entry, arena, err));
	}
	return FERRIS_OK;
}
