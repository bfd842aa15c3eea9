/* plan/session.c -- SET and UNSET: options for the statements behind them.
 *
 * A SET counts less than every WITH and every --set.  Its name must be that of an option, behind
 * any prefix, and its value one that the option can have; whether a statement takes it is the
 * statement's business. */
#include "plan/bind.h"

/* "path" of "trades.path": what is behind the first dot, or {NULL, 0}. */
static Str
behind_prefix(Str key)
{
	const char *dot = memchr(key.data, '.', key.len);

	return dot != NULL ? str_skip(key, (uint32_t)(dot - key.data) + 1) : (Str){NULL, 0};
}

/* Whether some group takes the key; *ok is whether one of them takes the value too. */
static bool
try_groups(Binder *binder, const OptionGroup *const *groups, size_t count, OptionEntry entry,
	   bool *ok, Error *err)
{
	Options one = {&entry, 1};
	bool taken = false;

	*ok = false;
	for (size_t g = 0; g < count; g++) {
		Setting *settings;

		if (!option_group_takes(groups[g], entry.key))
			continue;
		taken = true;
		*ok = *ok ||
		      options_resolve(groups[g], &one, binder->arena, &settings, err) == FERRIS_OK;
	}
	return taken;
}

static Status
check_set(Binder *binder, OptionEntry *entry)
{
	const OptionGroup **groups;
	size_t count = endpoint_groups(binder->arena, &groups);
	OptionEntry plain = *entry;
	Error wrong = {0};
	bool ok;

	groups[count++] = &job_options;
	if (!try_groups(binder, groups, count, plain, &ok, &wrong)) {
		plain.key = behind_prefix(entry->key);
		if (plain.key.data == NULL ||
		    !try_groups(binder, groups, count, plain, &ok, &wrong))
			return unknown_option(binder, entry, "SET");
	}
	if (!ok) {
		*binder->err = wrong;
		return wrong.status;
	}
	return FERRIS_OK;
}

Status
session_set(Binder *binder, const WithOption *option, Options *session)
{
	OptionEntry *entries = ARENA_ARRAY(binder->arena, OptionEntry, session->count + 1);
	OptionEntry *entry = &entries[session->count];

	if (session->count > 0)
		memcpy(entries, session->entries, sizeof *entries * session->count);
	*entry = (OptionEntry){.key = option->key,
			       .key_at = option->key_position,
			       .value_at = option->value_position,
			       .origin = ORIGIN_SET,
			       .used = ARENA_NEW(binder->arena, bool)};
	TRY(options_expand(binder->arena, option->value, option->value_position, &entry->value,
			   binder->err));
	TRY(check_set(binder, entry));
	*session = (Options){entries, session->count + 1};
	return FERRIS_OK;
}

Status
session_unset(Binder *binder, Str key, Position at, Options *session)
{
	OptionEntry entry = {
		.key = key, .key_at = at, .value_at = at, .used = ARENA_NEW(binder->arena, bool)};
	Options kept = {.entries = ARENA_ARRAY(binder->arena, OptionEntry, session->count + 1)};
	Error ignored;
	Binder quiet = *binder;

	for (uint32_t i = 0; key.data != NULL && i < session->count; i++)
		if (!str_eq_nocase(session->entries[i].key, key))
			kept.entries[kept.count++] = session->entries[i];
	quiet.err = &ignored;
	/* An empty value is none that every option can have: only the name counts here. */
	if (key.data != NULL && kept.count == session->count &&
	    check_set(&quiet, &entry) == FERRIS_ERR_UNKNOWN_OPTION) {
		*binder->err = ignored;
		return ignored.status;
	}
	*session = kept;
	return FERRIS_OK;
}
