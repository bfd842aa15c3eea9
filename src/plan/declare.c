/* plan/declare.c -- the WITH of a declared stream holds only what its records' place and form take.
 *
 * A declaration is resolved where it is used, since a statement may add to it.  So its options are
 * looked at twice: by name where it stands, and by what was taken after the last statement. */
#include "plan/bind.h"

Status
check_declared_options(Binder *binder, const Options *given)
{
	Options known = {.entries = ARENA_ARRAY(binder->arena, OptionEntry, given->count),
			 .count = given->count};
	const OptionGroup **groups;
	size_t count = endpoint_groups(binder->arena, &groups);

	for (uint32_t i = 0; i < given->count; i++) {
		const OptionEntry *entry = &given->entries[i];
		bool *used = ARENA_NEW(binder->arena, bool);

		if (option_group_takes(&job_options, entry->key)) {
			error_set_at(binder->err, FERRIS_ERR_UNKNOWN_OPTION, entry->key_at,
				     "'%.*s' is an option of a job; a declaration runs nothing",
				     STR_ARG(entry->key));
			return error_hint(binder->err,
					  "write it at the statement that runs: SELECT ... WITH "
					  "('%.*s' = ...)",
					  STR_ARG(entry->key));
		}
		for (size_t g = 0; g < count; g++)
			*used = *used || option_group_takes(groups[g], entry->key);
		known.entries[i] = *entry;
		known.entries[i].used = used;
	}
	return options_check_unknown(&known, groups, count, "a stream", binder->err);
}

/* Nobody reads or writes it; the command line may still complete it. */
static Status
resolve_unused(Binder *binder, CatalogEntry *entry)
{
	const Options *settings = &binder->input->settings;
	Position at = entry->statement->create.name.position;
	Options own = options_for(binder->arena, settings, ROLE_SOURCE, entry->name, false);
	Options given = join_options(binder->arena, &entry->options, &own);
	Endpoint *endpoint;
	Error ignored;
	Binder quiet = *binder;

	/* What can only be written is a sink; all else must be fit for reading. */
	quiet.err = &ignored;
	if (resolve_endpoint(&quiet, ROLE_SINK, entry->name, at, given, &endpoint) != FERRIS_OK ||
	    (endpoint->connector->reader_open != NULL && endpoint->codec->decoder_open != NULL))
		TRY(resolve_endpoint(binder, ROLE_SOURCE, entry->name, at, given, &endpoint));
	take_declared(endpoint, entry);
	return FERRIS_OK;
}

Status
check_declaration(Binder *binder, CatalogEntry *entry)
{
	const OptionGroup **groups;

	if (entry->options.count == 0)
		return FERRIS_OK;
	if (!entry->tried) {
		TRY(resolve_unused(binder, entry));
		entry->resolved = true;
	}
	if (!entry->resolved)
		return FERRIS_OK;
	size_t count = endpoint_groups(binder->arena, &groups);
	return options_check_unknown(&entry->options, groups, count, "this declaration",
				     binder->err);
}
