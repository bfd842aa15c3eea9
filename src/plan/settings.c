/* plan/settings.c -- WITH options: which object they belong to, and what they resolve to.
 *
 * Precedence among user values: SET, then the stream's own WITH, then the statement's trailing
 * WITH, then the command line; within a list "source.", "sink." and "<name>." beat the plain
 * name, and the last of equals wins.  Every option must be used by somebody. */
#include "plan/batch_strategy.h"
#include "plan/bind.h"
#include "plan/config_file.h"

static const OptionRow endpoint_rows[] = {
	[ENDPOINT_CONNECTOR] = {"connector", OPTION_CHOICE, NULL, 0, 0,
				"file|kafka|generator|console|memory|kafka_source|file_source|"
				"kafka_sink|file_sink",
				"type", "Where the records are: a file, a topic, ..."},
	[ENDPOINT_FORMAT] = {"format", OPTION_STRING, NULL, 0, 0, NULL,
			     "value.format|value.serializer|serializer.format",
			     "How a record is written; by default what the path's ending says."},
	[ENDPOINT_SAMPLE_BYTES] = {"schema.sample.bytes", OPTION_SIZE, "1MB", 1024, 64 << 20, NULL,
				   NULL,
				   "How much of the data is read to infer the columns of a stream "
				   "declared without them."},
	[ENDPOINT_WATERMARK_DELAY] =
		{"watermark.delay", OPTION_DURATION, "5s", 0, 365 * 86400e3, NULL, NULL,
		 "How late rows may come in an endless source whose stream declares no "
		 "WATERMARK."},
	[ENDPOINT_IDLE_TIMEOUT] =
		{"watermark.idle.timeout", OPTION_DURATION, "30s", 0, 365 * 86400e3, NULL, NULL,
		 "A partition that has been at its end for so long no longer holds the "
		 "watermark back; when all are, the watermark advances with the clock. 0: never."},
	[ENDPOINT_VALUE_NULL] =
		{"value.null", OPTION_CHOICE, "error", 0, 0, "error|skip", NULL,
		 "What a topic's record without a value (a tombstone) is: a failed "
		 "record, or one to leave out, counted as filtered. Under raw, error "
		 "lets it through as NULL."},
	[ENDPOINT_CHANGELOG] =
		{"changelog.mode", OPTION_CHOICE, "append", 0, 0, "append|upsert|retract|debezium",
		 NULL,
		 "How a sink tells of results that change: further rows; by key, with a null value "
		 "for one that goes (topics); a first column _op with +I, -U, +U, -D; or JSON "
		 "objects of before, after and op."},
};

const OptionGroup endpoint_options = {"every source and sink", endpoint_rows,
				      ENDPOINT_OPTION_COUNT};

bool
endpoint_option_is_of(uint32_t option, EndpointRole role)
{
	switch (option) {
	case ENDPOINT_SAMPLE_BYTES:
	case ENDPOINT_WATERMARK_DELAY:
	case ENDPOINT_IDLE_TIMEOUT:
	case ENDPOINT_VALUE_NULL:
		return role == ROLE_SOURCE;
	case ENDPOINT_CHANGELOG:
		return role == ROLE_SINK;
	default:
		return true;
	}
}

static const OptionRow job_rows[] = {
	[JOB_PARALLELISM] = {"parallelism", OPTION_INTEGER, "1", 1, 64, NULL, NULL,
			     "How many tasks decode, execute and encode side by side."},
	[JOB_FAILURE_STRATEGY] = {"failure_strategy", OPTION_CHOICE, "FailBatch", 0, 0,
				  "FailBatch|LogAndContinue|SendToDLQ|RetryWithBackoff",
				  "failure.strategy",
				  "What happens to a record that cannot be processed."},
	[JOB_DLQ_PATH] = {"dlq.path", OPTION_STRING, NULL, 0, 0, NULL, NULL,
			  "File for the dead letters of SendToDLQ, one JSON object a line."},
	[JOB_DLQ_TOPIC] =
		{"dlq.topic", OPTION_STRING, NULL, 0, 0, NULL, NULL,
		 "Topic for the dead letters of SendToDLQ, on the source's or sink's brokers."},
	[JOB_MAX_RETRIES] = {"max_retries", OPTION_INTEGER, "3", 0, 1000000, NULL, "max.retries",
			     "RetryWithBackoff: how often a failed read or write is tried again."},
	[JOB_RETRY_BACKOFF] = {"retry_backoff", OPTION_DURATION, "1s", 0, 3600e3, NULL,
			       "retry.backoff",
			       "RetryWithBackoff: the wait before the first retry; it doubles."},
	[JOB_COMMIT_INTERVAL] =
		{"commit.interval", OPTION_DURATION, "100ms", 1, 3600e3, NULL, "commit.interval.ms",
		 "How often an epoch ends: output and input positions become final; 1s if not "
		 "given where exactly-once goes to a file."},
	[JOB_COMMIT_ROWS] =
		{"commit.rows", OPTION_INTEGER, "0", 0, 1e15, NULL, "commit.interval.rows",
		 "An epoch ends sooner when about so many records have been read in it, a chunk "
		 "more or less; 0: the interval alone counts."},
	[JOB_COMMIT_BYTES] =
		{"commit.bytes", OPTION_SIZE, "0", 0, 1e15, NULL, "commit.interval.bytes",
		 "An epoch ends sooner when so many bytes of input have been read in it, a chunk "
		 "more or less; 0: the interval alone counts."},
	[JOB_GUARANTEE] =
		{"delivery.guarantee", OPTION_CHOICE, NULL, 0, 0,
		 "exactly-once|at-least-once|at-most-once", "delivery_guarantee",
		 "What a crash may do to the output; exactly-once where source and sink can, else "
		 "at-least-once: nothing is lost, some records may come twice."},
	[JOB_USE_TRANSACTIONS] =
		{"use_transactions", OPTION_BOOLEAN, NULL, 0, 0, NULL, "use.transactions",
		 "Another way to ask: true is 'delivery.guarantee' = 'exactly-once', false is "
		 "'at-least-once'."},
	[JOB_STATE_LIMIT] = {"state.memory.limit", OPTION_SIZE, "1GB", 1 << 20, 1e15, NULL, NULL,
			     "How many bytes of memory an operator may keep; with spilling a "
			     "quarter of them is for the cache of what is on disk."},
	[JOB_STATE_SPILL] = {"state.spill", OPTION_BOOLEAN, "true", 0, 0, NULL, NULL,
			     "Whether state that does not fit into memory goes to disk; if not, "
			     "the statement ends with an error."},
	[JOB_STATE_DIR] = {"state.dir", OPTION_STRING, NULL, 0, 0, NULL, NULL,
			   "Folder for state on disk; without it $XDG_STATE_HOME/ferris, or "
			   "~/.local/state/ferris."},
	[JOB_STATE_DISK] = {"state.disk.limit", OPTION_SIZE, "0", 0, 1e15, NULL, NULL,
			    "How many bytes of state a statement may keep on disk; 0: as many as "
			    "there is room for."},
	[JOB_STATE_COPY_INTERVAL] =
		{"state.copy.interval", OPTION_DURATION, "10s", 0, 3600e3, NULL,
		 "state.snapshot.interval",
		 "Where state is kept in a topic: how often a copy of it on the local disk is "
		 "brought up to date, so that a start need not read the whole topic; 0: no copy."},
	[JOB_STATE_PARTITIONED] =
		{"state.partitioned", OPTION_BOOLEAN, "false", 0, 0, NULL, NULL,
		 "Whether each partition of the sources has state and event time of its own, so "
		 "that "
		 "several processes of one group share them; needs exactly-once from topic to "
		 "topic, and groups, joins and windows by the key of the records."},
	[JOB_STATE_UNBOUNDED] =
		{"state.unbounded", OPTION_CHOICE, "refuse", 0, 0, "refuse|allow", NULL,
		 "What happens to a join, INTERSECT or EXCEPT whose state grows with its endless "
		 "inputs, because no time bounds it: the statement is refused, or runs until the "
		 "state's limit."},
};

const OptionGroup job_options = {"job", job_rows, JOB_OPTION_COUNT};

/* ---------------------------------------------------------------- lists */

Status
with_options(Binder *binder, const WithList *list, Options *out)
{
	const Options *settings = &binder->input->settings;

	Options own = {ARENA_ARRAY(binder->arena, OptionEntry, list->count), list->count};

	for (uint32_t i = 0; i < list->count; i++) {
		const WithOption *option = &list->items[i];
		OptionEntry *entry = &own.entries[i];

		*entry = (OptionEntry){.key = option->key,
				       .key_at = option->key_position,
				       .value_at = option->value_position,
				       .origin = ORIGIN_USER,
				       .used = ARENA_NEW(binder->arena, bool)};
		TRY(options_expand(binder->arena, option->value, option->value_position,
				   &entry->value, binder->err));
	}
	TRY(config_files_expand(binder->arena, &own, binder->err));
	*out = join_options(binder->arena, &own, settings);
	return FERRIS_OK;
}

Options
join_options(Arena *arena, const Options *first, const Options *then)
{
	uint32_t count = first->count + then->count;
	Options out = {.entries = ARENA_ARRAY(arena, OptionEntry, count), .count = count};

	if (first->count > 0)
		memcpy(out.entries, first->entries, sizeof *out.entries * first->count);
	if (then->count > 0)
		memcpy(out.entries + first->count, then->entries,
		       sizeof *out.entries * then->count);
	return out;
}

static bool
from_command_line(const OptionEntry *entry)
{
	return entry->key_at.line == 0;
}

Str
without_prefix(Str key, Str prefix)
{
	if (prefix.len > 0 && key.len > prefix.len + 1 && key.data[prefix.len] == '.' &&
	    str_eq_nocase((Str){key.data, prefix.len}, prefix))
		return str_skip(key, prefix.len + 1);
	return (Str){NULL, 0};
}

/* Whom an option without a prefix concerns. */
typedef enum Concern {
	CONCERN_OPEN,   /* whoever takes such options */
	CONCERN_SOURCE, /* only a source can have it */
	CONCERN_SINK,
	CONCERN_BOTH, /* sources and sinks alike */
} Concern;

/* Whose option it is, of all sources and sinks; false: nobody's. */
static bool
sides_of(Str key, bool *source, bool *sink)
{
	const CodecClass *const *codecs;
	const ConnectorClass *const *connectors;
	size_t codec_count = codec_classes(&codecs);
	size_t connector_count = connector_classes(&connectors);
	const OptionRow *row = option_own_row(&endpoint_options, key);
	PassedOption passed;

	*source = *sink = false;
	if (row != NULL) {
		*source = endpoint_option_is_of((uint32_t)(row - endpoint_rows), ROLE_SOURCE);
		*sink = endpoint_option_is_of((uint32_t)(row - endpoint_rows), ROLE_SINK);
		return true;
	}
	for (size_t i = 0; i < connector_count; i++) {
		*source |= option_own_row(&connectors[i]->source_options, key) != NULL;
		*sink |= option_own_row(&connectors[i]->sink_options, key) != NULL;
	}
	for (size_t i = 0; i < codec_count; i++) {
		*source |= option_own_row(&codecs[i]->decode_options, key) != NULL;
		*sink |= option_own_row(&codecs[i]->encode_options, key) != NULL;
	}
	for (size_t i = 0; i < connector_count && !*source && !*sink; i++)
		if (connectors[i]->passed != NULL && connectors[i]->passed(key, &passed)) {
			*source = passed.of_source;
			*sink = passed.of_sink;
		}
	return *source || *sink;
}

static Concern
concern(Str key)
{
	bool source, sink;

	if (batch_takes(key))
		return CONCERN_BOTH;
	sides_of(key, &source, &sink);
	return source == sink ? CONCERN_OPEN : source ? CONCERN_SOURCE : CONCERN_SINK;
}

bool
is_option_name(Str key)
{
	bool source, sink;

	return batch_takes(key) || option_group_takes(&endpoint_options, key) ||
	       option_group_takes(&job_options, key) || sides_of(key, &source, &sink);
}

/* "path" of "<name>.path".  A stream may be called as options begin: "json.validate" is no option
 * "validate" of the stream json. */
static Str
without_name(Str key, Str name)
{
	Str rest = without_prefix(key, name);

	return rest.data != NULL && is_option_name(key) ? (Str){NULL, 0} : rest;
}

Str
option_addressed_to(Str key, EndpointRole role, Str name)
{
	Str rest = without_prefix(key, role == ROLE_SOURCE ? STR("source") : STR("sink"));

	return rest.data != NULL ? rest : without_name(key, name);
}

/* Whether an option of the SQL without a prefix is for an endpoint of that role; `open`: that kind
 * of endpoint takes those which either could have. */
static bool
reaches(Str key, EndpointRole role, bool open)
{
	switch (concern(key)) {
	case CONCERN_SOURCE:
		return role == ROLE_SOURCE;
	case CONCERN_SINK:
		return role == ROLE_SINK;
	case CONCERN_BOTH:
		return true;
	default:
		return open;
	}
}

Options
options_for(Arena *arena, const Options *with, EndpointRole role, Str name, bool unprefixed)
{
	Options out = {.entries = ARENA_ARRAY(arena, OptionEntry, with->count)};

	/* The prefixed ones come last and so win. */
	for (int prefixed = 0; prefixed <= 1; prefixed++)
		for (uint32_t i = 0; i < with->count; i++) {
			OptionEntry entry = with->entries[i];
			Str key = option_addressed_to(entry.key, role, name);

			if ((key.data != NULL) != prefixed)
				continue;
			if (!prefixed && !from_command_line(&entry) &&
			    !reaches(entry.key, role, unprefixed))
				continue;
			if (prefixed)
				entry.key = key;
			out.entries[out.count++] = entry;
		}
	return out;
}

size_t
endpoint_groups(Arena *arena, const OptionGroup ***out)
{
	const CodecClass *const *codecs;
	const ConnectorClass *const *connectors;
	size_t codec_count = codec_classes(&codecs);
	size_t connector_count = connector_classes(&connectors);
	const OptionGroup **groups =
		ARENA_ARRAY(arena, const OptionGroup *,
			    2 * (codec_count + connector_count) + BATCH_STRATEGY_COUNT + 2);
	OptionGroup *batches = ARENA_ARRAY(arena, OptionGroup, BATCH_STRATEGY_COUNT);
	size_t count = 0;

	groups[count++] = &endpoint_options;
	for (size_t i = 0; i < connector_count; i++) {
		groups[count++] = &connectors[i]->source_options;
		groups[count++] = &connectors[i]->sink_options;
	}
	for (size_t i = 0; i < codec_count; i++) {
		groups[count++] = &codecs[i]->decode_options;
		groups[count++] = &codecs[i]->encode_options;
	}
	for (BatchStrategy i = BATCH_NONE; i < BATCH_STRATEGY_COUNT; i++) {
		batches[i] = batch_group(i);
		groups[count++] = &batches[i];
	}
	*out = groups;
	return count;
}

/* ---------------------------------------------------------------- endpoints */

/* "json" for trades.jsonl.gz; {NULL, 0} if the ending says nothing. */
static Str
format_of_path(Str path)
{
	static const struct {
		Str ending;
		Str format;
	} endings[] = {
		{STR_INIT(".json"), STR_INIT("json")},
		{STR_INIT(".jsonl"), STR_INIT("json")},
		{STR_INIT(".ndjson"), STR_INIT("json")},
		{STR_INIT(".csv"), STR_INIT("csv")},
	};
	static const Str compressions[] = {STR_INIT(".gz"), STR_INIT(".zst"), STR_INIT(".lz4")};

	for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++)
		if (str_ends_with(path, compressions[i]))
			path.len -= compressions[i].len;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (str_ends_with(path, endings[i].ending))
			return endings[i].format;
	return (Str){NULL, 0};
}

static Str
connector_name(const Setting *common, const Options *given, Str otherwise)
{
	Str name = common[ENDPOINT_CONNECTOR].text;

	if (common[ENDPOINT_CONNECTOR].present) {
		const char *underscore = memchr(name.data, '_', name.len);

		if (underscore != NULL)
			name.len = (uint32_t)(underscore - name.data);
		return name;
	}
	if (options_find(given, STR("kafka.topic")) != NULL ||
	    options_find(given, STR("topic")) != NULL)
		return STR("kafka");
	return options_find(given, STR("path")) != NULL ? STR("file") : otherwise;
}

static Status
choose_codec(Binder *binder, Endpoint *endpoint, EndpointRole role, Position at)
{
	const Setting *format = &endpoint->common[ENDPOINT_FORMAT];
	const OptionEntry *path = options_find(&endpoint->given, STR("path"));
	Error *err = binder->err;
	Str name = {NULL, 0};

	if (format->present)
		name = format->text;
	else if (path != NULL)
		name = format_of_path(path->value);
	if (name.data == NULL && endpoint->connector->default_format != NULL)
		name = str_from(endpoint->connector->default_format);
	if (name.data == NULL) {
		error_set_at(err, FERRIS_ERR_OPTION_MISSING, at, "'%.*s' has no 'format'",
			     STR_ARG(endpoint->name));
		return error_hint(err, "add 'format' = 'json' (or csv, raw) to its WITH");
	}
	endpoint->codec = codec_find(name);
	bool usable = endpoint->codec != NULL &&
		      (role == ROLE_SOURCE ? endpoint->codec->decoder_open != NULL
					   : endpoint->codec->encoder_open != NULL);
	if (usable)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_OPTION_VALUE,
		     format->entry != NULL ? format->entry->value_at : at,
		     endpoint->codec == NULL ? "unknown format '%.*s'"
					     : "format '%.*s' cannot be used here",
		     STR_ARG(name));
	return error_hint(err, "there is: json, csv, raw, and table for output");
}

Options
with_session(Binder *binder, EndpointRole role, Str name, const Options *given)
{
	if (binder->session == NULL || binder->session->count == 0)
		return *given;
	Options set = options_for(binder->arena, binder->session, role, name, true);
	return join_options(binder->arena, &set, given);
}

/* An option that is passed on to a library must be one of the library's, and is taken by the side
 * whose it is. */
static Status
take_passed(const Endpoint *endpoint, EndpointRole role, Error *err)
{
	const ConnectorClass *connector = endpoint->connector;
	const OptionGroup *group = connector_options(connector, role);
	PassedOption passed;

	if (connector->passed == NULL)
		return FERRIS_OK;
	for (uint32_t i = 0; i < endpoint->given.count; i++) {
		const OptionEntry *entry = &endpoint->given.entries[i];
		const OptionRow *row = option_row(group, entry->key);

		if (row == NULL || row->type != OPTION_PREFIX)
			continue;
		bool known = connector->passed(entry->key, &passed);
		if (known && (role == ROLE_SOURCE ? passed.of_source : passed.of_sink))
			option_mark_used(entry);
		if (known || passed.name.data == NULL)
			continue;
		error_set_at(err, FERRIS_ERR_UNKNOWN_OPTION, entry->key_at,
			     "unknown option '%.*s' for '%.*s'", STR_ARG(entry->key),
			     STR_ARG(endpoint->name));
		Str near = connector->nearest(entry->key);
		if (near.data != NULL)
			error_hint(err, "did you mean 'kafka.%.*s'?", STR_ARG(near));
		else
			error_hint(err, "it is neither a property of librdkafka nor one of the "
					"Java client's names in docs/configuration.md");
		return option_entry_error(entry, err);
	}
	return FERRIS_OK;
}

Status
resolve_endpoint(Binder *binder, EndpointRole role, Str name, Position at, Options given,
		 Endpoint **out)
{
	Endpoint *endpoint = ARENA_NEW(binder->arena, Endpoint);
	Arena *arena = binder->arena;
	Error *err = binder->err;

	*out = endpoint;
	given = with_session(binder, role, name, &given);
	endpoint->name = name;
	endpoint->given = given;
	TRY(options_resolve(&endpoint_options, &endpoint->given, arena, &endpoint->common, err));
	Str connector = connector_name(endpoint->common, &given, binder->input->default_connector);
	if (connector.len == 0) {
		error_set_at(err, FERRIS_ERR_OPTION_MISSING, at, "'%.*s' has no 'connector'",
			     STR_ARG(name));
		return error_hint(err,
				  "add WITH ('connector' = 'file', 'path' = '...') or 'kafka' and "
				  "'kafka.topic'");
	}
	endpoint->connector = connector_find(connector);
	if (endpoint->connector == NULL)
		return error_set_at(err, FERRIS_ERR_OPTION_VALUE, at, "unknown connector '%.*s'",
				    STR_ARG(connector));
	bool usable = role == ROLE_SOURCE ? endpoint->connector->reader_open != NULL
					  : endpoint->connector->writer_open != NULL;
	if (!usable)
		return error_set_at(err, FERRIS_ERR_OPTION_VALUE, at,
				    "connector '%.*s' cannot be %s", STR_ARG(connector),
				    role == ROLE_SOURCE ? "read" : "written");
	TRY(choose_codec(binder, endpoint, role, at));
	TRY(batch_plan(arena, role, endpoint, err));

	TRY(options_resolve(connector_options(endpoint->connector, role), &endpoint->given, arena,
			    &endpoint->connector_settings, err));
	TRY(options_resolve(codec_options(endpoint->codec, role), &endpoint->given, arena,
			    &endpoint->codec_settings, err));
	TRY(batch_check_switches(role, endpoint, err));
	TRY(take_passed(endpoint, role, err));
	if (endpoint->connector->check_values != NULL)
		TRY(endpoint->connector->check_values(&endpoint->given, role == ROLE_SOURCE, arena,
						      err));
	endpoint_note_precedence(arena, role, endpoint);
	if (role == ROLE_SINK && endpoint->connector->sink_check != NULL)
		TRY(endpoint->connector->sink_check(endpoint->connector_settings, err));
	return FERRIS_OK;
}

void
take_declared(const Endpoint *endpoint, const CatalogEntry *entry)
{
	if (entry->statement == NULL)
		return;
	options_mark_used(&endpoint->connector->source_options, &entry->options);
	options_mark_used(&endpoint->connector->sink_options, &entry->options);
	options_mark_used(&endpoint->codec->decode_options, &entry->options);
	options_mark_used(&endpoint->codec->encode_options, &entry->options);
}

/* ---------------------------------------------------------------- URIs */

static void
add_entry(Binder *binder, Options *out, Str key, Str value, Position at)
{
	bool *used = ARENA_NEW(binder->arena, bool);

	out->entries[out->count++] = (OptionEntry){.key = key,
						   .value = value,
						   .key_at = at,
						   .value_at = at,
						   .origin = ORIGIN_USER,
						   .used = used};
}

/* "k=v&k=v" behind the question mark of a URI. */
static Status
add_uri_query(Binder *binder, Options *out, Str query, Position at)
{
	while (query.len > 0) {
		const char *end = memchr(query.data, '&', query.len);
		uint32_t len = end != NULL ? (uint32_t)(end - query.data) : query.len;
		const char *equals = memchr(query.data, '=', len);

		if (equals == NULL || equals == query.data) {
			error_set_at(binder->err, FERRIS_ERR_OPTION_VALUE, at,
				     "'%.*s' behind the ? of a URI is no option", (int)len,
				     query.data);
			return error_hint(binder->err, "write ?name=value&name=value");
		}
		uint32_t key_len = (uint32_t)(equals - query.data);
		add_entry(binder, out, (Str){query.data, key_len},
			  (Str){equals + 1, len - key_len - 1}, at);
		query = str_skip(query, end != NULL ? len + 1 : len);
	}
	return FERRIS_OK;
}

/* Cuts the options behind '?' from a URI.  In a path without scheme '?' stands for one character,
 * and so it does in file:// unless options follow it. */
static Str
cut_uri_query(Str *uri)
{
	bool file = str_starts_with(*uri, STR("file://"));
	const char *mark = memrchr(uri->data, '?', uri->len);

	if (mark == NULL || (!file && !str_starts_with(*uri, STR("kafka://"))))
		return (Str){NULL, 0};
	Str query = {mark + 1, (uint32_t)(uri->data + uri->len - mark) - 1};
	if (file && memchr(query.data, '=', query.len) == NULL)
		return (Str){NULL, 0};
	uri->len = (uint32_t)(mark - uri->data);
	return query;
}

Status
uri_options(Binder *binder, Str uri, Position at, Options *out)
{
	uint32_t pairs = 4;

	TRY(options_expand(binder->arena, uri, at, &uri, binder->err));
	for (uint32_t i = 0; i < uri.len; i++)
		pairs += uri.data[i] == '=';
	*out = (Options){.entries = ARENA_ARRAY(binder->arena, OptionEntry, pairs)};
	Str query = cut_uri_query(&uri);
	if (str_starts_with(uri, STR("file://"))) {
		add_entry(binder, out, STR("connector"), STR("file"), at);
		add_entry(binder, out, STR("path"), str_skip(uri, 7), at);
	} else if (str_starts_with(uri, STR("kafka://"))) {
		Str rest = str_skip(uri, 8);
		const char *slash = memchr(rest.data, '/', rest.len);

		if (slash == NULL || slash == rest.data + rest.len - 1) {
			error_set_at(binder->err, FERRIS_ERR_OPTION_VALUE, at,
				     "'%.*s' names no topic", STR_ARG(uri));
			return error_hint(binder->err, "write kafka://host:9092/topic");
		}
		uint32_t host = (uint32_t)(slash - rest.data);
		add_entry(binder, out, STR("connector"), STR("kafka"), at);
		add_entry(binder, out, STR("kafka.bootstrap.servers"), (Str){rest.data, host}, at);
		add_entry(binder, out, STR("kafka.topic"), str_skip(rest, host + 1), at);
	} else if (memmem(uri.data, uri.len, "://", 3) == NULL) {
		add_entry(binder, out, STR("connector"), STR("file"), at);
		add_entry(binder, out, STR("path"), uri, at);
	} else {
		error_set_at(binder->err, FERRIS_ERR_OPTION_VALUE, at, "unknown kind of URI '%.*s'",
			     STR_ARG(uri));
		return error_hint(binder->err, "there is: file://path, kafka://host:9092/topic");
	}
	return add_uri_query(binder, out, query, at);
}
