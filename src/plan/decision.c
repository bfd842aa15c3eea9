/* plan/decision.c -- lists of decisions, and which of two words of the user counts. */
#include "plan/decision.h"

void
decisions_add(Arena *arena, Decisions *list, Decision decision)
{
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity * 2 + 8;
		Decision *items = ARENA_ARRAY(arena, Decision, capacity);

		if (list->count > 0)
			memcpy(items, list->items, sizeof *items * list->count);
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = decision;
}

const Decision *
decisions_find(const Decisions *list, Str name)
{
	for (uint32_t i = list->count; i > 0; i--)
		if (str_eq_nocase(list->items[i - 1].name, name))
			return &list->items[i - 1];
	return NULL;
}

Decisions
decisions_copy(Arena *arena, const Decisions *list)
{
	Decisions copy = {0};

	for (uint32_t i = 0; i < list->count; i++)
		decisions_add(arena, &copy, list->items[i]);
	return copy;
}

/* ---------------------------------------------------------------- precedence */

/* Neither a suggestion of a strategy nor of the engine. */
static bool
is_users(const OptionEntry *entry)
{
	return !is_suggestion(entry) && strcmp(entry->origin, ORIGIN_DEFAULT) != 0;
}

/* The last word before entry `at` about the same option, if it is another one; or NULL. */
static const OptionEntry *
displaced_by(const Options *given, uint32_t at, SameOption same, void *context)
{
	const OptionEntry *entries = given->entries;

	for (uint32_t i = at + 1; i < given->count; i++)
		if (is_users(&entries[i]) && same(context, entries[at].key, entries[i].key))
			return NULL; /* a later word will see to it */
	for (uint32_t i = at; i > 0; i--) {
		const OptionEntry *before = &entries[i - 1];

		if (is_users(before) && same(context, entries[at].key, before->key))
			return str_eq(before->value, entries[at].value) ? NULL : before;
	}
	return NULL;
}

void
decisions_note_precedence(Arena *arena, const Options *given, SameOption same, ShownName shown,
			  void *context, Decisions *list)
{
	for (uint32_t i = 0; i < given->count; i++) {
		const OptionEntry *entry = &given->entries[i];
		const OptionEntry *before =
			is_users(entry) ? displaced_by(given, i, same, context) : NULL;

		if (before == NULL)
			continue;
		Str displaced = option_shown_value(before->key, before->value);
		Str place = option_place(arena, before);
		decisions_add(arena, list,
			      (Decision){
				      .kind = DECISION_PRECEDENCE,
				      .name = shown(context, entry->key),
				      .value = option_shown_value(entry->key, entry->value),
				      .origin = entry->origin,
				      .displaced = displaced,
				      .reason = str_format(arena, "stands above '%.*s' of %.*s",
							   STR_ARG(displaced), STR_ARG(place)),
			      });
	}
}
