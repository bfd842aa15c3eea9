/* plan/upgrade.c -- EXPLAIN UPGRADE: statements by name, operators by shape, sources by name. */
#include "plan/upgrade.h"

#include "plan/kept_state.h"

#define TEXT_LIMIT ((size_t)16 << 20)

typedef enum Fate { FATE_KEPT, FATE_CHANGED, FATE_LOST, FATE_NEW } Fate;

static const char *const fates[] = {
	[FATE_KEPT] = "kept",
	[FATE_CHANGED] = "kept",
	[FATE_LOST] = "lost",
	[FATE_NEW] = "new",
};

static const char *const meanings[] = {
	[FATE_KEPT] = "",
	[FATE_CHANGED] = "with what came of its input as it was before",
	[FATE_LOST] = "",
	[FATE_NEW] = "begins with nothing",
};

typedef struct Upgrade {
	Arena *arena;
	Buffer out;
	bool json;
	bool loses;
	uint32_t statements;
	uint32_t things; /* of the statement */
} Upgrade;

/* ---------------------------------------------------------------- printing */

static void
begin_statement(Upgrade *self, Str name, const char *word)
{
	if (self->json) {
		buffer_append_str(&self->out,
				  self->statements > 0 ? STR(",{\"name\":") : STR("{\"name\":"));
		buffer_append_json(&self->out, name);
		buffer_printf(&self->out, ",\"statement\":\"%s\",\"state\":[", word);
	} else {
		buffer_printf(&self->out, "%.*s%s%s\n", STR_ARG(name),
			      strcmp(word, "same") == 0 ? "" : ": ",
			      strcmp(word, "same") == 0 ? "" : word);
	}
	self->statements++;
	self->things = 0;
}

static void
end_statement(Upgrade *self)
{
	if (self->json)
		buffer_append_str(&self->out, STR("]}"));
	else if (self->things == 0)
		buffer_append_str(&self->out, STR("  keeps nothing from run to run\n"));
}

static void
print_thing(Upgrade *self, Str title, Fate fate)
{
	self->loses = self->loses || fate == FATE_LOST;
	if (!self->json) {
		buffer_printf(&self->out, "  %-4s  %.*s%s%s\n", fates[fate], STR_ARG(title),
			      meanings[fate][0] != '\0' ? "; " : "", meanings[fate]);
	} else {
		buffer_append_str(&self->out,
				  self->things > 0 ? STR(",{\"of\":") : STR("{\"of\":"));
		buffer_append_json(&self->out, title);
		buffer_printf(&self->out, ",\"fate\":\"%s\",\"inputChanged\":%s}", fates[fate],
			      fate == FATE_CHANGED ? "true" : "false");
	}
	self->things++;
}

/* ---------------------------------------------------------------- comparing */

static bool
keeps_records(const StatementPlan *plan)
{
	return plan != NULL && !plan->waits &&
	       (plan->recovery == RECOVERY_SINK || plan->recovery == RECOVERY_JOURNAL);
}

/* What is kept by a plan that is gone, or has nowhere to be kept now. */
static KeptStates
states_of(Upgrade *self, const StatementPlan *plan)
{
	return keeps_records(plan) && plan_is_stateful(plan) ? plan_kept_states(self->arena, plan)
							     : (KeptStates){0};
}

static void
compare_states(Upgrade *self, const StatementPlan *before, const StatementPlan *now)
{
	KeptStates old = states_of(self, before);
	KeptStates fresh = states_of(self, now);
	uint32_t *matches = plan_match_states(self->arena, &old, &fresh);
	bool *kept = ARENA_ARRAY(self->arena, bool, old.count + 1);

	for (uint32_t i = 0; i < fresh.count; i++) {
		const KeptState *state = &fresh.items[i];
		uint32_t match = matches[i];

		if (match == UPGRADE_NONE) {
			print_thing(self, state->title, FATE_NEW);
			continue;
		}
		kept[match] = true;
		bool same = str_eq(plan_state_input(self->arena, &old.items[match]),
				   plan_state_input(self->arena, state));
		print_thing(self, state->title, same ? FATE_KEPT : FATE_CHANGED);
	}
	for (uint32_t i = 0; i < old.count; i++)
		if (!kept[i])
			print_thing(self, old.items[i].title, FATE_LOST);
}

static bool
reads(const StatementPlan *plan, Str source)
{
	for (uint32_t i = 0; keeps_records(plan) && i < plan->scan_count; i++)
		if (str_eq(plan->scans[i]->scan.endpoint->name, source))
			return true;
	return false;
}

static void
print_place(Upgrade *self, Str source, Fate fate)
{
	print_thing(self, str_format(self->arena, "place in %.*s", STR_ARG(source)), fate);
}

static void
compare_places(Upgrade *self, const StatementPlan *before, const StatementPlan *now)
{
	for (uint32_t i = 0; keeps_records(now) && i < now->scan_count; i++) {
		Str name = now->scans[i]->scan.endpoint->name;

		print_place(self, name, reads(before, name) ? FATE_KEPT : FATE_NEW);
	}
	for (uint32_t i = 0; keeps_records(before) && i < before->scan_count; i++) {
		Str name = before->scans[i]->scan.endpoint->name;

		if (!reads(now, name))
			print_place(self, name, FATE_LOST);
	}
}

/* One of the two may be NULL. */
static void
compare(Upgrade *self, const StatementPlan *before, const StatementPlan *now)
{
	begin_statement(self, (now != NULL ? now : before)->name,
			before == NULL ? "new"
			: now == NULL  ? "gone"
				       : "same");
	compare_places(self, before, now);
	compare_states(self, before, now);
	end_statement(self);
}

static const StatementPlan *
find_statement(const ScriptPlan *script, Str name)
{
	for (uint32_t i = 0; i < script->count; i++)
		if (str_eq(script->items[i]->name, name))
			return script->items[i];
	return NULL;
}

Str
plan_explain_upgrade(Arena *arena, const ScriptPlan *before, const ScriptPlan *now, bool json,
		     bool *loses)
{
	Upgrade self = {.arena = arena, .json = json};

	buffer_init(&self.out, TEXT_LIMIT);
	if (json)
		buffer_append_str(&self.out, STR("{\"statements\":["));
	for (uint32_t i = 0; i < now->count; i++)
		compare(&self, find_statement(before, now->items[i]->name), now->items[i]);
	for (uint32_t i = 0; i < before->count; i++)
		if (find_statement(now, before->items[i]->name) == NULL)
			compare(&self, before->items[i], NULL);
	if (json)
		buffer_append_str(&self.out, STR("]}"));
	*loses = self.loses;
	Str text = str_copy(arena, (Str){self.out.data, (uint32_t)self.out.len});
	buffer_free(&self.out);
	return text;
}
