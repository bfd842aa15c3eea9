/* connector/kafka_property.c -- what 'kafka.X' is to librdkafka.
 *
 * Which properties there are, which of them are another name for one, and whether a consumer or a
 * producer has them is what the loaded librdkafka says itself: its table is read once. */
#include "base/memory.h"
#include "connector/kafka_client.h"
#include "type/number.h"

#define PROPERTY_PREFIX "kafka."
#define ALIAS_WORDS     "Alias for `"
#define OLD_WORDS       "**DEPRECATED**"
#define POINTER_WORDS   "see dedicated API"
#define INTEGER_WORDS   "*Type: integer*"
#define FLOAT_WORDS     "*Type: float*"

#define PROPERTY_NAME_MAX 128

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

typedef enum DefaultSide { CONSUMER = RD_KAFKA_CONSUMER, PRODUCER = RD_KAFKA_PRODUCER } DefaultSide;
typedef enum DefaultWhen { ALWAYS, KNOWN, TRANSACTIONS, PLAIN } DefaultWhen;

static const struct {
	DefaultSide side;
	DefaultWhen when;
	const char *name;
	const char *value;
	const char *reason;
} default_rows[] = {
#define DEFAULT(side, when, name, value, reason) {side, when, name, value, reason},
#include "connector/kafka_default_list.h"
};

#define DEFAULT_COUNT (sizeof default_rows / sizeof *default_rows)

/* ---------------------------------------------------------------- librdkafka's table */

/* A line of it: | name | C, P or * | range | default | importance | description |. */
typedef struct PropertyRow {
	Str name;
	char side;     /* 'C', 'P', '*' */
	bool is_value; /* no callback or pointer, and nothing that has no effect any more */
	bool is_integer, is_float;
	Str range;    /* "0 .. 900000", "none, gzip"; or empty */
	Str alias_of; /* {NULL, 0}: it is no alias */
} PropertyRow;

static pthread_once_t table_once = PTHREAD_ONCE_INIT;
static char *table_text;
static PropertyRow *table_rows;
static Str *table_names; /* of the rows */
static size_t table_count;
static LibrarySetting *library_settings; /* of the engine's rows, then of the table's */
static size_t library_count;
static Str *settable_names; /* by the user; then the Java clients' */
static size_t settable_count;

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

static bool
says(Str description, const char *words)
{
	return memmem(description.data, description.len, words, strlen(words)) != NULL;
}

/* False: a heading. */
static bool
read_row(Str line, PropertyRow *row)
{
	row->name = take_cell(&line);
	Str side = take_cell(&line);
	row->range = take_cell(&line);
	take_cell(&line); /* default: an "||" may be within */
	take_cell(&line); /* importance */
	row->alias_of = alias_in(line);
	row->is_value = !says(line, OLD_WORDS) && !says(line, POINTER_WORDS);
	row->is_integer = says(line, INTEGER_WORDS);
	row->is_float = says(line, FLOAT_WORDS);
	row->side = side.len == 1 ? side.data[0] : '\0';
	return row->side == 'C' || row->side == 'P' || row->side == '*';
}

static const PropertyRow *
row_of(Str name)
{
	for (size_t i = 0; i < table_count; i++)
		if (str_eq_nocase(table_rows[i].name, name))
			return &table_rows[i];
	return NULL;
}

/* A property that nobody sets; {NULL, 0}: it is no value.  The text is never freed. */
static Str
value_of(const rd_kafka_conf_t *conf, const rd_kafka_topic_conf_t *topic, Str property)
{
	char name[PROPERTY_NAME_MAX];
	size_t size = 0;

	snprintf(name, sizeof name, "%.*s", STR_ARG(property));
	bool of_topic = rd_kafka_conf_get(conf, name, NULL, &size) != RD_KAFKA_CONF_OK;
	if (of_topic && rd_kafka_topic_conf_get(topic, name, NULL, &size) != RD_KAFKA_CONF_OK)
		return (Str){NULL, 0};
	char *value = memory_zero(size + 1);
	if (of_topic)
		rd_kafka_topic_conf_get(topic, name, value, &size);
	else
		rd_kafka_conf_get(conf, name, value, &size);
	if (value[0] != '\0')
		return str_from(value);
	memory_free(value);
	return (Str){NULL, 0};
}

/* The row of which it is another name, or its own. */
static const PropertyRow *
meaning_of(const PropertyRow *row)
{
	const PropertyRow *other = row->alias_of.data != NULL ? row_of(row->alias_of) : NULL;

	return other != NULL ? other : row;
}

static void
list_settings(void)
{
	library_settings =
		memory_zero(sizeof *library_settings * (DEFAULT_COUNT + table_count + 1));
	for (size_t i = 0; i < DEFAULT_COUNT; i++) {
		const char *value = default_rows[i].value;

		const PropertyRow *row = row_of(str_from(default_rows[i].name));

		if (row == NULL)
			continue; /* this librdkafka does not have it */
		library_settings[library_count++] = (LibrarySetting){
			.name = row->name,
			.meaning = meaning_of(row)->name,
			.value = value != NULL ? str_from(value) : (Str){NULL, 0},
			.reason = default_rows[i].reason,
			.of_source = default_rows[i].side == CONSUMER,
			.of_sink = default_rows[i].side == PRODUCER,
			.transactions = default_rows[i].when != PLAIN,
			.plain = default_rows[i].when != TRANSACTIONS,
			.ours = true,
		};
	}
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_conf_t *topic = rd_kafka_topic_conf_new();
	for (size_t i = 0; i < table_count; i++) {
		const PropertyRow *row = &table_rows[i];
		bool counts = meaning_of(row) == row && row->is_value &&
			      row_of(row->name) == row; /* a topic has some of the same name */
		Str value = counts ? value_of(conf, topic, row->name) : (Str){NULL, 0};

		if (value.len > 0)
			library_settings[library_count++] = (LibrarySetting){
				.name = row->name,
				.meaning = row->name,
				.value = value,
				.reason = "librdkafka's own",
				.transactions = true,
				.plain = true,
				.of_source = row->side != 'P',
				.of_sink = row->side != 'C',
			};
	}
	rd_kafka_topic_conf_destroy(topic);
	rd_kafka_conf_destroy(conf);
}

/* Why the user may not set what has that meaning, or NULL. */
static const char *
reason_of_owned(Str meaning)
{
	for (size_t i = 0; i < sizeof owned_properties / sizeof *owned_properties; i++)
		if (str_eq_nocase(meaning, str_from(owned_properties[i].name)))
			return owned_properties[i].reason;
	return NULL;
}

static void
list_names(void)
{
	size_t java_count = sizeof java_names / sizeof *java_names;

	settable_names = memory_zero(sizeof *settable_names * (table_count + java_count));
	for (size_t i = 0; i < table_count; i++) {
		const PropertyRow *row = &table_rows[i];

		if (row->is_value && row_of(row->name) == row &&
		    reason_of_owned(meaning_of(row)->name) == NULL)
			settable_names[settable_count++] = row->name;
	}
	for (size_t i = 0; i < java_count; i++)
		if (row_of(str_from(java_names[i].java)) == NULL)
			settable_names[settable_count++] = str_from(java_names[i].java);
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
	return row_of(name);
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
	row = meaning_of(row);
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

/* The two lists are for explain, completion and pairs of values: few runs need them. */
size_t
kafka_library_settings(const LibrarySetting **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&table_once, read_table);
	pthread_once(&once, list_settings);
	*out = library_settings;
	return library_count;
}

size_t
kafka_passed_names(const Str **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&table_once, read_table);
	pthread_once(&once, list_names);
	*out = settable_names;
	return settable_count;
}

const KafkaDefault *
kafka_defaults(rd_kafka_type_t type, bool transactions, const KafkaDefault *own, Arena *arena)
{
	KafkaDefault *all = ARENA_ARRAY(arena, KafkaDefault, 2 * DEFAULT_COUNT + 1);
	uint32_t count = 0;

	for (size_t i = 0; i < DEFAULT_COUNT; i++)
		if ((rd_kafka_type_t)default_rows[i].side == type &&
		    default_rows[i].when != (transactions ? PLAIN : TRANSACTIONS))
			all[count++] = (KafkaDefault){default_rows[i].name, default_rows[i].value,
						      default_rows[i].when == KNOWN};
	for (; own->name != NULL; own++)
		all[count++] = *own;
	all[count] = (KafkaDefault){NULL, NULL, false};
	return all;
}

/* ---------------------------------------------------------------- setting them */

/* A property that the user gives, as librdkafka is told of it. */
typedef struct GivenProperty {
	const OptionEntry *entry;
	const PropertyRow *row; /* NULL: it does not know that name */
	const char *name;
	const char *value;
	int divisor; /* of the value */
} GivenProperty;

static GivenProperty
given_property(const OptionEntry *entry, Str property, Arena *arena)
{
	const JavaName *java = find_java(property);
	GivenProperty given = {.entry = entry,
			       .row = find_row(java != NULL ? str_from(java->name) : property),
			       .value = str_copy(arena, entry->value).data,
			       .divisor = java != NULL ? java->divisor : 1};
	int64_t number;

	/* librdkafka wants it in lower case. */
	given.name = str_copy(arena, given.row != NULL ? given.row->name : property).data;
	if (given.divisor > 1 &&
	    int64_parse(given.value, strlen(given.value), &number) == NUMBER_OK)
		given.value = str_format(arena, "%lld", (long long)(number / given.divisor)).data;
	return given;
}

/* What is no number where one is needed, though librdkafka would take "5s" for 5. */
static bool
is_half_a_number(const GivenProperty *given, bool *whole)
{
	const char *value = given->value;
	size_t len = strlen(value);
	int64_t number;
	double real;

	*whole = false;
	if (given->row == NULL || !(given->row->is_integer || given->row->is_float))
		return false;
	*whole = int64_parse(value, len, &number) == NUMBER_OK ||
		 (given->row->is_float && double_parse(value, len, &real) == NUMBER_OK);
	return !*whole && strspn(value, " +-.0123456789") > 0;
}

/* "the range is 1024 to 2048" in the user's unit, "choose one of: none, gzip", or librdkafka's own
 * words. */
static Status
hint_of_value(const GivenProperty *given, bool is_number, const char *said, Error *err)
{
	Str range = given->row != NULL ? given->row->range : (Str){NULL, 0};
	const char *dots = range.len > 0 ? memmem(range.data, range.len, " .. ", 4) : NULL;
	Str words = str_trim(str_from(said));
	int64_t min;
	int64_t max;

	if (dots != NULL) {
		Str above = str_skip(range, (uint32_t)(dots - range.data) + 4);

		if (int64_parse(range.data, (size_t)(dots - range.data), &min) == NUMBER_OK &&
		    int64_parse(above.data, above.len, &max) == NUMBER_OK)
			return error_hint(err, "%sthe range is %lld to %lld",
					  is_number ? "" : "write a number; ",
					  (long long)(min * given->divisor),
					  (long long)(max * given->divisor));
	}
	if (range.len > 0)
		return error_hint(err, "choose one of: %.*s", STR_ARG(range));
	if (words.len > 0)
		return error_hint(err, "librdkafka: %.*s", STR_ARG(words));
	return error_hint(err, "the properties are those of librdkafka %s", rd_kafka_version_str());
}

static Status
refuse_value(const GivenProperty *given, bool is_number, const char *said, Error *err)
{
	const OptionEntry *entry = given->entry;
	Str shown = option_shown_value(entry->key, entry->value);
	bool secret = shown.data != entry->value.data;

	error_set_at(err, FERRIS_ERR_OPTION_VALUE, entry->value_at,
		     is_number ? "option '%.*s' is out of range: '%.*s'"
			       : "option '%.*s' cannot be '%.*s'",
		     STR_ARG(entry->key), STR_ARG(shown));
	hint_of_value(given, is_number, secret ? "" : said, err);
	return option_entry_error(entry, err);
}

static Status
set_given(rd_kafka_conf_t *conf, Str property, const OptionEntry *entry, Arena *arena, Error *err)
{
	GivenProperty given = given_property(entry, property, arena);
	const char *owned =
		reason_of_owned(given.row != NULL ? meaning_of(given.row)->name : property);
	char said[256] = "";
	bool is_number;

	if (owned != NULL) {
		error_set_at(err, FERRIS_ERR_OPTION_CONFLICT, entry->key_at,
			     "'%.*s' cannot be set: %s", STR_ARG(entry->key), owned);
		return option_entry_error(entry, err);
	}
	if (is_half_a_number(&given, &is_number) ||
	    rd_kafka_conf_set(conf, given.name, given.value, said, sizeof said) != RD_KAFKA_CONF_OK)
		return refuse_value(&given, is_number, said, err);
	return FERRIS_OK;
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
