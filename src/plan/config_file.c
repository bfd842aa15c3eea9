/* plan/config_file.c -- YAML, by the events of libyaml, to pairs of names and values. */
#include "plan/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <yaml.h>

#include "base/buffer.h"

#define DEPTH_MAX   32                /* of mappings */
#define EXTENDS_MAX 16                /* files, each of which extends the next */
#define BYTES_MAX   ((size_t)1 << 20) /* of a file */
#define READ_STEP   ((size_t)16 << 10)

/* A list that grows. */
typedef struct EntryList {
	Options options;
	uint32_t capacity;
} EntryList;

/* A file that is being read. */
typedef struct ConfigFile {
	Arena *arena;
	const char *path;
	Str prefix;                    /* of the names: "source."; or "" */
	const OptionEntry *named;      /* the option that names it, or the file that extends it */
	uint32_t depth;                /* of files that extend one another */
	const struct ConfigFile *from; /* that extends this one; or NULL */
	dev_t device;
	ino_t inode;
	yaml_parser_t parser;
	EntryList base; /* what the files that it extends say */
	EntryList own;
	Error *err;
} ConfigFile;

static Status read_file(const ConfigFile *from, const char *path, EntryList *out);

/* ---------------------------------------------------------------- errors */

#define FORM_HINT "write 'name: value', nested by indentation"

/* `hint` may be NULL. */
static Status
fail(const ConfigFile *self, size_t line, const char *what, const char *hint)
{
	error_set_at(self->err, FERRIS_ERR_OPTION_VALUE, self->named->value_at,
		     "configuration file '%s', line %zu: %s", self->path, line, what);
	return hint != NULL ? error_hint(self->err, "%s", hint) : self->err->status;
}

static Status
cannot_open(const ConfigFile *self, const char *path, int code)
{
	error_set_at(self->err, FERRIS_ERR_FILE_OPEN, self->named->value_at,
		     "cannot open configuration file '%s'%s%s", path,
		     self->path != NULL ? ", which is extended by " : "",
		     self->path != NULL ? self->path : "");
	error_errno(self->err, code);
	return error_hint(self->err,
			  self->path != NULL
				  ? "'extends' is relative to the folder of the file it stands in"
				  : "the path is relative to the current folder");
}

/* ---------------------------------------------------------------- names and values */

/* The name without the layers of older files. */
static Str
plain_name(Arena *arena, Str name)
{
	static const Str layers[] = {STR_INIT("datasource."), STR_INIT("datasink.")};
	static const Str clients[] = {STR_INIT("consumer_config."), STR_INIT("producer_config.")};

	for (size_t i = 0; i < 2; i++)
		if (str_starts_with(name, layers[i]))
			name = str_skip(name, layers[i].len);
	for (size_t i = 0; i < 2; i++)
		if (str_starts_with(name, clients[i]))
			return str_format(arena, "kafka.%.*s",
					  STR_ARG(str_skip(name, clients[i].len)));
	return name;
}

static void
add_entries(Arena *arena, EntryList *list, const OptionEntry *entries, uint32_t count)
{
	Options *own = &list->options;

	if (own->count + count > list->capacity) {
		uint32_t capacity = (own->count + count) * 2;
		OptionEntry *more = ARENA_ARRAY(arena, OptionEntry, capacity);

		if (own->count > 0)
			memcpy(more, own->entries, sizeof *more * own->count);
		own->entries = more;
		list->capacity = capacity;
	}
	if (count > 0)
		memcpy(own->entries + own->count, entries, sizeof *entries * count);
	own->count += count;
}

static Status
add_option(ConfigFile *self, Str name, Str value, size_t line)
{
	Str key = str_format(self->arena, "%.*s%.*s", STR_ARG(self->prefix),
			     STR_ARG(plain_name(self->arena, name)));
	OptionEntry entry = {
		.key = key,
		.key_at = self->named->key_at,
		.value_at = self->named->value_at,
		.origin = self->named->origin,
		.place = str_format(self->arena, "line %zu of '%s'", line, self->path).data,
		.used = ARENA_NEW(self->arena, bool)};

	TRY(options_expand(self->arena, value, entry.value_at, &entry.value, self->err));
	add_entries(self->arena, &self->own, &entry, 1);
	return FERRIS_OK;
}

/* The file of that path, if it is this one or one of those that led to it; or NULL. */
static const ConfigFile *
extends_already(const ConfigFile *self, const char *path)
{
	struct stat found;

	if (stat(path, &found) != 0)
		return NULL; /* opening it tells why */
	for (; self != NULL; self = self->from)
		if (self->path != NULL && self->device == found.st_dev &&
		    self->inode == found.st_ino)
			return self;
	return NULL;
}

/* "base.yaml" beside this file. */
static Status
extend(ConfigFile *self, Str value, size_t line)
{
	const char *slash = strrchr(self->path, '/');
	int folder = slash != NULL && value.data[0] != '/' ? (int)(slash - self->path + 1) : 0;

	if (value.len == 0)
		return fail(self, line, "'extends' names no file", "write 'extends: base.yaml'");
	if (self->depth == EXTENDS_MAX)
		return fail(self, line, "too many files extend one another", NULL);
	Str path = str_format(self->arena, "%.*s%.*s", folder, self->path, STR_ARG(value));
	const ConfigFile *again = extends_already(self, path.data);
	if (again == NULL)
		return read_file(self, path.data, &self->base);
	Str what = again == self
			   ? STR("it extends itself")
			   : str_format(self->arena, "it extends '%s', which extends it in turn",
					again->path);
	return fail(self, line, what.data, "take one 'extends' out");
}

/* ---------------------------------------------------------------- YAML */

static Status
next_event(ConfigFile *self, yaml_event_t *event)
{
	if (yaml_parser_parse(&self->parser, event))
		return FERRIS_OK;
	const char *problem = self->parser.problem;
	return fail(self, self->parser.problem_mark.line + 1,
		    problem != NULL ? problem : "this is not YAML",
		    self->parser.error == YAML_READER_ERROR ? "a file of options is text in UTF-8"
							    : FORM_HINT);
}

static Str
text_of(Arena *arena, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	return str_copy(arena, (Str){text, (uint32_t)event->data.scalar.length});
}

/* "a,b" of the scalars up to the end of the sequence. */
static Status
read_sequence(ConfigFile *self, Str *out)
{
	yaml_event_t event;
	bool more = true;

	*out = STR("");
	while (more) {
		TRY(next_event(self, &event));
		size_t line = event.start_mark.line + 1;
		bool scalar = event.type == YAML_SCALAR_EVENT;

		more = event.type != YAML_SEQUENCE_END_EVENT;
		if (scalar)
			*out = str_format(self->arena, "%.*s%s%.*s", STR_ARG(*out),
					  out->len > 0 ? "," : "",
					  STR_ARG(text_of(self->arena, &event)));
		yaml_event_delete(&event);
		if (more && !scalar)
			return fail(self, line, "a list has values only", FORM_HINT);
	}
	return FERRIS_OK;
}

static Status read_mapping(ConfigFile *self, Str before, uint32_t depth);

/* What stands behind the name: a value, a list, or a mapping of its own. */
static Status
read_value(ConfigFile *self, Str name, uint32_t depth)
{
	yaml_event_t event;
	Str value = {NULL, 0};

	TRY(next_event(self, &event));
	yaml_event_type_t type = event.type;
	size_t line = event.start_mark.line + 1;
	if (type == YAML_SCALAR_EVENT)
		value = text_of(self->arena, &event);
	yaml_event_delete(&event);
	if (type == YAML_MAPPING_START_EVENT)
		return read_mapping(self, str_format(self->arena, "%.*s.", STR_ARG(name)),
				    depth + 1);
	if (type == YAML_SEQUENCE_START_EVENT)
		TRY(read_sequence(self, &value));
	else if (type != YAML_SCALAR_EVENT)
		return fail(self, line, "anchors and aliases are not understood",
			    "write the value itself");
	if (depth == 0 && str_eq(name, STR("extends")))
		return extend(self, value, line);
	return add_option(self, name, value, line);
}

/* The pairs up to the end of the mapping. */
static Status
read_mapping(ConfigFile *self, Str before, uint32_t depth)
{
	if (depth == DEPTH_MAX)
		return fail(self, self->parser.mark.line + 1, "mappings are nested too deeply",
			    NULL);
	for (;;) {
		yaml_event_t event;
		Str name = {NULL, 0};

		TRY(next_event(self, &event));
		yaml_event_type_t type = event.type;
		size_t line = event.start_mark.line + 1;
		if (type == YAML_SCALAR_EVENT)
			name = str_format(self->arena, "%.*s%.*s", STR_ARG(before),
					  STR_ARG(text_of(self->arena, &event)));
		yaml_event_delete(&event);
		if (type == YAML_MAPPING_END_EVENT)
			return FERRIS_OK;
		if (type != YAML_SCALAR_EVENT)
			return fail(self, line, "a name must be a plain word", FORM_HINT);
		TRY(read_value(self, name, depth));
	}
}

/* One document, which is a mapping, or nothing at all. */
static Status
read_document(ConfigFile *self)
{
	for (;;) {
		yaml_event_t event;

		TRY(next_event(self, &event));
		yaml_event_type_t type = event.type;
		size_t line = event.start_mark.line + 1;
		yaml_event_delete(&event);
		switch (type) {
		case YAML_STREAM_END_EVENT:
			return FERRIS_OK;
		case YAML_MAPPING_START_EVENT:
			TRY(read_mapping(self, STR(""), 0));
			break;
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		default:
			return fail(self, line, "the file is no list of names and values",
				    FORM_HINT);
		}
	}
}

/* Up to one byte more than a file may have: a device has no end. */
static bool
read_bytes(FILE *stream, Buffer *bytes)
{
	size_t got;

	do {
		got = fread(buffer_reserve(bytes, READ_STEP), 1, READ_STEP, stream);
		bytes->len += got;
	} while (got > 0 && bytes->len <= BYTES_MAX);
	return !ferror(stream);
}

static Status
parse_bytes(ConfigFile *self, const Buffer *bytes)
{
	if (bytes->len > BYTES_MAX)
		return fail(self, 1, "it is larger than 1 MB", "is it the right file?");
	if (!yaml_parser_initialize(&self->parser))
		return fail(self, 1, "there is no memory to read it", NULL);
	yaml_parser_set_input_string(&self->parser, (const unsigned char *)bytes->data, bytes->len);
	Status status = read_document(self);
	yaml_parser_delete(&self->parser);
	return status;
}

/* What a file extends stands below the rest of it, wherever it says so. */
static Status
read_file(const ConfigFile *from, const char *path, EntryList *out)
{
	FILE *stream = fopen(path, "re");
	ConfigFile self = *from;
	struct stat found;
	Buffer bytes;

	if (stream == NULL)
		return cannot_open(from, path, errno);
	buffer_init(&bytes, SIZE_MAX);
	self.path = path;
	self.depth = from->depth + 1;
	self.from = from;
	if (fstat(fileno(stream), &found) == 0) {
		self.device = found.st_dev;
		self.inode = found.st_ino;
	}
	self.base = self.own = (EntryList){0};
	Status status = read_bytes(stream, &bytes) ? parse_bytes(&self, &bytes)
						   : cannot_open(from, path, errno);
	fclose(stream);
	buffer_free(&bytes);
	add_entries(self.arena, out, self.base.options.entries, self.base.options.count);
	add_entries(self.arena, out, self.own.options.entries, self.own.options.count);
	return status;
}

/* ---------------------------------------------------------------- where files are named */

/* Whether the option names a file; *prefix goes in front of what that says. */
static bool
names_file(Arena *arena, Str key, bool *is_base, Str *prefix)
{
	static const struct {
		Str key;
		Str prefix;
		bool is_base;
	} words[] = {
		{STR_INIT("config_file"), STR_INIT(""), false},
		{STR_INIT("source_config"), STR_INIT("source."), false},
		{STR_INIT("sink_config"), STR_INIT("sink."), false},
		{STR_INIT("base_source_config"), STR_INIT("source."), true},
		{STR_INIT("base_sink_config"), STR_INIT("sink."), true},
	};
	Str tail = STR(".config_file");

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq_nocase(key, words[i].key)) {
			*prefix = words[i].prefix;
			*is_base = words[i].is_base;
			return true;
		}
	if (key.len <= tail.len ||
	    !str_eq_nocase((Str){key.data + key.len - tail.len, tail.len}, tail))
		return false;
	*is_base = false;
	*prefix = str_copy(arena, (Str){key.data, key.len - tail.len + 1});
	return true;
}

static Status
read_named(Arena *arena, const OptionEntry *entry, Str prefix, EntryList *out, Error *err)
{
	ConfigFile none = {.arena = arena, .prefix = prefix, .named = entry, .err = err};

	if (entry->used != NULL)
		*entry->used = true;
	TRY(read_file(&none, str_copy(arena, entry->value).data, out));
	return FERRIS_OK;
}

Status
config_files_expand(Arena *arena, Options *list, Error *err)
{
	EntryList base = {0};
	EntryList files = {0};
	EntryList rest = {0};

	for (uint32_t i = 0; i < list->count; i++) {
		const OptionEntry *entry = &list->entries[i];
		bool is_base;
		Str prefix;

		if (names_file(arena, entry->key, &is_base, &prefix))
			TRY(read_named(arena, entry, prefix, is_base ? &base : &files, err));
		else
			add_entries(arena, &rest, entry, 1);
	}
	if (rest.options.count == list->count)
		return FERRIS_OK;
	add_entries(arena, &base, files.options.entries, files.options.count);
	add_entries(arena, &base, rest.options.entries, rest.options.count);
	*list = base.options;
	return FERRIS_OK;
}
