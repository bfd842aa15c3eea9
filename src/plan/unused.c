/* plan/unused.c -- options that nobody took: what was meant instead.
 *
 * A name behind "source.", "sink." or the name of a stream is looked for among what that side can
 * have; the hint keeps the prefix. */
#include "plan/batch_strategy.h"
#include "plan/bind.h"

#define MISSPELLED 2 /* letters at most, and it is certain what was meant */

/* A key in two parts. */
typedef struct Said {
	Str prefix; /* with its dot; {NULL, 0}: none */
	Str name;
	bool of_source, of_sink; /* whose options it can be */
} Said;

/* The names that can stand before a dot. */
typedef struct Names {
	Str *items; /* the first two are "source" and "sink" */
	size_t count;
} Names;

static Names
names_of(Arena *arena, const Catalog *catalog, const ScriptPlan *script, Str sink)
{
	uint32_t plans = script != NULL ? script->count : 0;
	Names names = {ARENA_ARRAY(arena, Str, catalog->count + plans + 3), 0};

	names.items[names.count++] = STR("source");
	names.items[names.count++] = STR("sink");
	for (uint32_t i = 0; i < catalog->count; i++)
		names.items[names.count++] = catalog->entries[i]->name;
	for (uint32_t i = 0; i < plans; i++)
		names.items[names.count++] = script->items[i]->sink->name;
	if (sink.len > 0)
		names.items[names.count++] = sink;
	return names;
}

static Said
split(const Names *names, Str key)
{
	for (size_t i = 0; i < names->count; i++) {
		Str name = without_prefix(key, names->items[i]);

		if (name.data != NULL && (i < 2 || !is_option_name(key)))
			return (Said){{key.data, key.len - name.len}, name, i != 1, i != 0};
	}
	return (Said){{NULL, 0}, key, true, true};
}

/* ---------------------------------------------------------------- whose option it is */

/* The groups of that side; without a prefix those of the job too. */
static size_t
groups_of(Arena *arena, bool of_source, bool of_sink, bool of_job, const OptionGroup ***out)
{
	const OptionGroup **groups;
	size_t count = endpoint_groups(arena, &groups);
	const CodecClass *const *codecs;
	const ConnectorClass *const *connectors;
	size_t codec_count = codec_classes(&codecs);
	size_t connector_count = connector_classes(&connectors);
	size_t kept = 0;

	for (size_t g = 0; g < count; g++) {
		bool other = false;

		for (size_t i = 0; i < connector_count; i++)
			other |= (!of_source && groups[g] == &connectors[i]->source_options) ||
				 (!of_sink && groups[g] == &connectors[i]->sink_options);
		for (size_t i = 0; i < codec_count; i++)
			other |= (!of_source && groups[g] == &codecs[i]->decode_options) ||
				 (!of_sink && groups[g] == &codecs[i]->encode_options);
		if (!other)
			groups[kept++] = groups[g];
	}
	if (of_job)
		groups[kept++] = &job_options;
	*out = groups;
	return kept;
}

/* The group that has the option, of a library's properties too; NULL: none. */
static const OptionGroup *
owner_of(Arena *arena, const Said *said)
{
	const OptionGroup **groups;
	const ConnectorClass *const *connectors;
	size_t connector_count = connector_classes(&connectors);
	size_t count = groups_of(arena, said->of_source, said->of_sink, true, &groups);
	PassedOption passed;

	for (size_t g = 0; g < count; g++)
		if (option_own_row(groups[g], said->name) != NULL)
			return groups[g];
	for (size_t i = 0; i < connector_count; i++) {
		if (connectors[i]->passed == NULL || !connectors[i]->passed(said->name, &passed))
			continue;
		bool source = passed.of_source && (said->of_source || !passed.of_sink);

		return connector_options(connectors[i], source ? ROLE_SOURCE : ROLE_SINK);
	}
	count = groups_of(arena, true, true, true, &groups);
	for (size_t g = 0; g < count; g++)
		if (option_own_row(groups[g], said->name) != NULL)
			return groups[g];
	return NULL;
}

/* ---------------------------------------------------------------- hints */

/* The name that is nearest; of a library's properties if it is to be one. */
static Str
nearest(Arena *arena, const Said *said)
{
	const OptionGroup **groups;
	const ConnectorClass *const *connectors;
	size_t connector_count = connector_classes(&connectors);
	size_t count = groups_of(arena, said->of_source, said->of_sink, said->prefix.data == NULL,
				 &groups);
	Str best = option_nearest(groups, count, said->name);

	for (size_t i = 0; i < connector_count; i++) {
		const ConnectorClass *connector = connectors[i];
		Str near = connector->nearest != NULL ? connector->nearest(said->name)
						      : (Str){NULL, 0};

		if (near.data == NULL)
			continue;
		near = str_format(arena, "%s.%.*s", connector->name, STR_ARG(near));
		if (best.data == NULL ||
		    str_distance(said->name, near) < str_distance(said->name, best))
			best = near;
	}
	return best;
}

/* An option of the other side, behind its prefix. */
static Str
nearest_of_other_side(Arena *arena, const Said *said)
{
	Said other = {STR_INIT("source."), said->name, said->of_sink, said->of_source};

	if (said->of_source == said->of_sink)
		return (Str){NULL, 0};
	if (said->of_source)
		other.prefix = STR("sink.");
	Str name = nearest(arena, &other);
	if (name.data == NULL)
		return name;
	return str_format(arena, "%.*s%.*s", STR_ARG(other.prefix), STR_ARG(name));
}

/* "nosuch.path": an option, but nothing has that name; "batch.batchsize" is none.  Whether a hint
 * was given. */
static bool
hint_at_name(const Names *names, Str key, Str near, Error *err)
{
	const char *dot = memchr(key.data, '.', key.len);
	uint32_t len = dot != NULL ? (uint32_t)(dot - key.data) : 0;

	if (dot == NULL || !is_option_name(str_skip(key, len + 1)) ||
	    (near.data != NULL && str_distance(key, near) <= MISSPELLED))
		return false;
	Str name = str_nearest((Str){key.data, len}, names->items, names->count);
	if (name.data != NULL)
		error_hint(err, "nothing is called '%.*s'; did you mean '%.*s%.*s'?", (int)len,
			   key.data, STR_ARG(name), STR_ARG(str_skip(key, len)));
	else
		error_hint(err,
			   "nothing is called '%.*s': write source., sink. or the name of a "
			   "stream in front of '%.*s'",
			   (int)len, key.data, STR_ARG(str_skip(key, len + 1)));
	return true;
}

/* Returns err->status. */
static Status
hint_at(Arena *arena, const Names *names, Str key, Error *err)
{
	Said said = split(names, key);
	const OptionGroup *owner = owner_of(arena, &said);

	if (owner == &job_options && said.prefix.data != NULL)
		return error_hint(err, "it is an option of the job, which has no prefix: '%.*s'",
				  STR_ARG(said.name));
	if (owner != NULL)
		return error_hint(err, "it is an option of: %s", owner->name);
	Str near = nearest(arena, &said);
	if (said.prefix.data == NULL && hint_at_name(names, key, near, err))
		return err->status;
	if (near.data != NULL)
		return error_hint(err, "did you mean '%.*s%.*s'?", STR_ARG(said.prefix),
				  STR_ARG(near));
	/* Another side's; or the stream is called as the option begins. */
	near = nearest_of_other_side(arena, &said);
	if (near.data == NULL)
		near = nearest(arena, &(Said){{NULL, 0}, key, true, true});
	if (near.data != NULL)
		return error_hint(err, "did you mean '%.*s'?", STR_ARG(near));
	return err->status;
}

Status
unknown_option(Binder *binder, const OptionEntry *entry, const char *object)
{
	Names names = names_of(binder->arena, binder->catalog, NULL, binder->sink_name);

	option_unknown(entry, object, binder->err);
	return hint_at(binder->arena, &names, entry->key, binder->err);
}

Status
check_unused(Binder *binder, const Options *with, const char *object)
{
	for (uint32_t i = 0; i < with->count; i++) {
		const OptionEntry *entry = &with->entries[i];

		if (entry->key_at.line > 0 && entry->used != NULL && !*entry->used)
			return unknown_option(binder, entry, object);
	}
	return FERRIS_OK;
}

Status
plan_check_settings(Arena *arena, const ScriptPlan *script, const Options *settings, Error *err)
{
	for (uint32_t i = 0; i < settings->count; i++) {
		const OptionEntry *entry = &settings->entries[i];

		if (entry->used == NULL || *entry->used)
			continue;
		Names names = names_of(arena, script->catalog, script, (Str){NULL, 0});
		option_unknown(entry, "any statement", err);
		if (entry->place == NULL)
			snprintf(err->message, sizeof err->message,
				 "--set %.*s: no statement has that option", STR_ARG(entry->key));
		return hint_at(arena, &names, entry->key, err);
	}
	return FERRIS_OK;
}
