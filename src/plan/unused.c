/* plan/unused.c -- options that nobody took: what was meant instead.
 *
 * A name behind "source.", "sink." or the name of a stream is looked for among what that side can
 * have; the hint keeps the prefix. */
#include "plan/batch_strategy.h"
#include "plan/bind.h"

/* A key in two parts. */
typedef struct Said {
	Str prefix; /* with its dot; {NULL, 0}: none */
	Str name;
	bool of_source, of_sink; /* whose options it can be */
} Said;

static Said
behind(Str key, Str name, bool of_source, bool of_sink)
{
	return (Said){{key.data, key.len - name.len}, name, of_source, of_sink};
}

/* Whether another option with that prefix was taken: the prefix is the name of something. */
static bool
prefix_is_taken(const Options *list, Str prefix)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->entries[i].used != NULL && *list->entries[i].used &&
		    !is_option_name(list->entries[i].key) &&
		    without_prefix(list->entries[i].key, prefix).data != NULL)
			return true;
	return false;
}

static Said
split(const Catalog *catalog, const Options *list, Str key)
{
	const char *dot = memchr(key.data, '.', key.len);
	Str name = without_prefix(key, STR("source"));

	if (name.data != NULL)
		return behind(key, name, true, false);
	name = without_prefix(key, STR("sink"));
	if (name.data != NULL)
		return behind(key, name, false, true);
	for (uint32_t i = 0; i < catalog->count; i++) {
		name = without_prefix(key, catalog->entries[i]->name);
		if (name.data != NULL)
			return behind(key, name, true, true);
	}
	if (dot != NULL && prefix_is_taken(list, (Str){key.data, (uint32_t)(dot - key.data)}))
		return behind(key, str_skip(key, (uint32_t)(dot - key.data) + 1), true, true);
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

static Status
hint_at(Binder *binder, const Options *list, const OptionEntry *entry)
{
	Said said = split(binder->catalog, list, entry->key);
	const OptionGroup *owner = owner_of(binder->arena, &said);
	Error *err = binder->err;

	if (owner == &job_options && said.prefix.data != NULL)
		return error_hint(err, "it is an option of the job, which has no prefix: '%.*s'",
				  STR_ARG(said.name));
	if (owner != NULL)
		return error_hint(err, "it is an option of: %s", owner->name);
	Str near = nearest(binder->arena, &said);
	if (near.data != NULL)
		return error_hint(err, "did you mean '%.*s%.*s'?", STR_ARG(said.prefix),
				  STR_ARG(near));
	near = nearest_of_other_side(binder->arena, &said);
	if (near.data != NULL)
		return error_hint(err, "did you mean '%.*s'?", STR_ARG(near));
	return err->status;
}

Status
unknown_option(Binder *binder, const OptionEntry *entry, const char *object)
{
	static const Options alone;

	option_unknown(entry, object, binder->err);
	return hint_at(binder, &alone, entry);
}

Status
check_unused(Binder *binder, const Options *with, const char *object)
{
	for (uint32_t i = 0; i < with->count; i++) {
		const OptionEntry *entry = &with->entries[i];

		if (entry->key_at.line == 0 || entry->used == NULL || *entry->used)
			continue;
		option_unknown(entry, object, binder->err);
		return hint_at(binder, with, entry);
	}
	return FERRIS_OK;
}
