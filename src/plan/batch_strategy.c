/* plan/batch_strategy.c -- options of batches, and the suggestions of their strategies. */
#include "plan/batch_strategy.h"

#include <stddef.h>

#include "plan/decision.h"

enum { BATCH_OPTION_STRATEGY, BATCH_OPTION_ENABLED, BATCH_OPTION_COUNT };

static const OptionRow common_rows[BATCH_OPTION_COUNT] = {
	[BATCH_OPTION_STRATEGY] =
		{"batch.strategy", OPTION_CHOICE, "FixedSize", 0, 0,
		 "FixedSize|TimeWindow|AdaptiveSize|MemoryBased|LowLatency", NULL,
		 "In what batches records are read and written; without any option 'batch...' "
		 "the engine takes what it can get."},
	[BATCH_OPTION_ENABLED] = {"batch.enable_batching", OPTION_BOOLEAN, "true", 0, 0, NULL, NULL,
				  "If not, each record is handed on by itself, and the strategy "
				  "suggests nothing."},
};

/* ---------------------------------------------------------------- the lists */

static const OptionRow parameter_rows[] = {
#define PARAMETER(id, option, type, initial, min, max, choices, field, doc)                        \
	{option, type, initial, min, max, choices, NULL, doc},
#include "plan/batch_strategy_list.h"
};

/* Where the value of each goes. */
typedef struct ParameterField {
	BatchStrategy strategy;
	size_t offset;
} ParameterField;

static const ParameterField parameter_fields[] = {
#define PARAMETER(id, option, type, initial, min, max, choices, field, doc)                        \
	{BATCH_##id, offsetof(BatchPlan, field)},
#include "plan/batch_strategy_list.h"
};

#define PARAMETER_COUNT (sizeof parameter_rows / sizeof *parameter_rows)

static const struct {
	const char *name;
	const char *doc;
	const char *group;
} strategies[BATCH_STRATEGY_COUNT] = {
	[BATCH_NONE] = {"none", "", "batches of a source or a sink"},
#define STRATEGY(id, name, doc) [BATCH_##id] = {name, doc, "the batch strategy " name},
#include "plan/batch_strategy_list.h"
};

const BatchSuggestion batch_suggestions[] = {
#define SUGGEST(id, connector, role, option, value) {BATCH_##id, connector, role, option, value},
#include "plan/batch_strategy_list.h"
	{BATCH_NONE, NULL, ROLE_SOURCE, NULL, NULL},
};

const char *
batch_strategy_name(BatchStrategy strategy)
{
	return strategies[strategy].name;
}

const char *
batch_strategy_doc(BatchStrategy strategy)
{
	return strategies[strategy].doc;
}

OptionGroup
batch_group(BatchStrategy strategy)
{
	uint32_t first = 0;
	uint32_t count = 0;

	if (strategy == BATCH_NONE)
		return (OptionGroup){strategies[BATCH_NONE].group, common_rows, BATCH_OPTION_COUNT};
	while (parameter_fields[first].strategy != strategy)
		first++;
	while (first + count < PARAMETER_COUNT &&
	       parameter_fields[first + count].strategy == strategy)
		count++;
	return (OptionGroup){strategies[strategy].group, parameter_rows + first, count};
}

bool
batch_takes(Str key)
{
	for (BatchStrategy i = BATCH_NONE; i < BATCH_STRATEGY_COUNT; i++) {
		OptionGroup group = batch_group(i);

		if (option_group_takes(&group, key))
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------- suggestions */

/* Of an endpoint: its connector's, its codec's, and those that all have. */
static bool
option_of(const Endpoint *endpoint, EndpointRole role, Str key, const OptionRow **row)
{
	const OptionGroup *groups[] = {
		connector_options(endpoint->connector, role),
		codec_options(endpoint->codec, role),
		&endpoint_options,
	};

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if ((*row = option_row(groups[i], key)) != NULL)
			return true;
	for (BatchStrategy i = BATCH_NONE; i < BATCH_STRATEGY_COUNT; i++) {
		OptionGroup group = batch_group(i);

		if ((*row = option_row(&group, key)) != NULL)
			return true;
	}
	return false;
}

const Setting *
endpoint_setting(const Endpoint *endpoint, EndpointRole role, const char *option)
{
	const OptionGroup *group = connector_options(endpoint->connector, role);
	const OptionRow *row = option_own_row(group, str_from(option));

	return row != NULL ? &endpoint->connector_settings[row - group->rows] : NULL;
}

bool
endpoint_same_option(const Endpoint *endpoint, EndpointRole role, Str a, Str b)
{
	const OptionRow *row_a, *row_b;
	PassedOption passed_a, passed_b;

	if (!option_of(endpoint, role, a, &row_a) || !option_of(endpoint, role, b, &row_b) ||
	    row_a != row_b)
		return false;
	if (row_a->type != OPTION_PREFIX)
		return true;
	return endpoint->connector->passed(a, &passed_a) &&
	       endpoint->connector->passed(b, &passed_b) &&
	       str_eq(passed_a.meaning, passed_b.meaning);
}

/* The name under which the option is shown. */
static Str
shown_name(const Endpoint *endpoint, EndpointRole role, Str key)
{
	const OptionRow *row;

	return option_of(endpoint, role, key, &row) && row->type != OPTION_PREFIX
		       ? str_from(row->name)
		       : key;
}

Options
users_options(Arena *arena, const Options *given)
{
	Options out = {.entries = ARENA_ARRAY(arena, OptionEntry, given->count)};

	for (uint32_t i = 0; i < given->count; i++)
		if (!is_suggestion(&given->entries[i]))
			out.entries[out.count++] = given->entries[i];
	return out;
}

/* An endpoint on one side. */
typedef struct Side {
	const Endpoint *endpoint;
	EndpointRole role;
} Side;

static bool
same_on_side(void *context, Str a, Str b)
{
	const Side *side = context;

	return endpoint_same_option(side->endpoint, side->role, a, b);
}

static Str
shown_on_side(void *context, Str key)
{
	const Side *side = context;

	return shown_name(side->endpoint, side->role, key);
}

void
endpoint_note_precedence(Arena *arena, EndpointRole role, Endpoint *endpoint)
{
	Side side = {endpoint, role};

	decisions_note_precedence(arena, &endpoint->given, same_on_side, shown_on_side, &side,
				  &endpoint->decisions);
}

/* What the user says of the option, in whatever words; NULL: nothing. */
static const OptionEntry *
users_word(const Endpoint *endpoint, EndpointRole role, Str option)
{
	for (uint32_t i = endpoint->given.count; i > 0; i--) {
		const OptionEntry *entry = &endpoint->given.entries[i - 1];

		if (endpoint_same_option(endpoint, role, entry->key, option))
			return entry;
	}
	return NULL;
}

/* "=batch.x" is what the parameter is. */
static Str
suggested_value(const BatchPlan *plan, const char *value)
{
	OptionGroup group = batch_group(plan->strategy);

	if (value[0] != '=')
		return str_from(value);
	const OptionRow *row = option_row(&group, str_from(value + 1));
	return plan->settings[row - group.rows].text;
}

static void
suggest(Arena *arena, EndpointRole role, Endpoint *endpoint)
{
	const char *strategy = batch_strategy_name(endpoint->batch.strategy);
	Options *given = &endpoint->given;
	Options out = {0};

	for (const BatchSuggestion *s = batch_suggestions; s->connector != NULL; s++)
		out.count++;
	out.entries = ARENA_ARRAY(arena, OptionEntry, out.count + given->count);
	out.count = 0;
	for (const BatchSuggestion *s = batch_suggestions; s->connector != NULL; s++) {
		if (s->strategy != endpoint->batch.strategy || s->role != role ||
		    strcmp(s->connector, endpoint->connector->name) != 0)
			continue;
		Str name = str_from(s->option);
		Str value = suggested_value(&endpoint->batch, s->value);
		const OptionEntry *word = users_word(endpoint, role, name);

		if (word != NULL) {
			bool same = str_eq_nocase(word->value, value);
			Str reason = str_format(arena,
						same ? "'%.*s' is what %s suggests too"
						     : "stands above '%.*s', which %s suggests",
						STR_ARG(value), strategy);
			decisions_add(arena, &endpoint->decisions,
				      (Decision){DECISION_USER,
						 shown_name(endpoint, role, word->key), word->value,
						 word->origin, value, reason});
			continue;
		}
		out.entries[out.count++] =
			(OptionEntry){.key = name, .value = value, .origin = ORIGIN_STRATEGY};
		decisions_add(arena, &endpoint->decisions,
			      (Decision){DECISION_STRATEGY, name, value, ORIGIN_STRATEGY,
					 (Str){NULL, 0},
					 str_format(arena, "%s suggests it", strategy)});
	}
	memcpy(out.entries + out.count, given->entries, sizeof *out.entries * given->count);
	out.count += given->count;
	*given = out;
}

void
batch_withhold(Arena *arena, Endpoint *endpoint, uint32_t index, Str instead, const char *why)
{
	Options *given = &endpoint->given;
	OptionEntry entry = given->entries[index];
	OptionEntry *entries = ARENA_ARRAY(arena, OptionEntry, given->count);
	uint32_t count = 0;

	/* The list may be another endpoint's too. */
	for (uint32_t i = 0; i < given->count; i++)
		if (i != index)
			entries[count++] = given->entries[i];
	*given = (Options){entries, count};
	for (uint32_t i = 0; i < endpoint->decisions.count; i++)
		if (str_eq_nocase(endpoint->decisions.items[i].name, entry.key))
			endpoint->decisions.items[i] =
				(Decision){DECISION_GUARANTEE,
					   entry.key,
					   instead,
					   ORIGIN_GUARANTEE,
					   entry.value,
					   str_format(arena, "%s; %s suggests '%.*s'", why,
						      batch_strategy_name(endpoint->batch.strategy),
						      STR_ARG(entry.value))};
}

/* ---------------------------------------------------------------- resolving */

static void
set_field(BatchPlan *plan, size_t offset, const Setting *setting)
{
	void *field = (char *)plan + offset;

	switch (setting->row->type) {
	case OPTION_FLOAT:
		memcpy(field, &setting->real, sizeof setting->real);
		break;
	case OPTION_BOOLEAN:
		memcpy(field, &setting->flag, sizeof setting->flag);
		break;
	default:
		memcpy(field, &setting->integer, sizeof setting->integer);
	}
}

/* NULL: the strategy has no such parameter. */
static Setting *
parameter(const BatchPlan *plan, const char *name)
{
	OptionGroup group = batch_group(plan->strategy);
	const OptionRow *row = option_row(&group, str_from(name));

	return row != NULL ? &plan->settings[row - group.rows] : NULL;
}

static Status
contradict(Arena *arena, const Setting *low, const Setting *high, Error *err)
{
	error_set(err, FERRIS_ERR_OPTION_CONFLICT,
		  "'%s' = '%.*s' (%.*s) is more than '%s' = '%.*s' (%.*s)", low->row->name,
		  STR_ARG(low->text), STR_ARG(option_place(arena, low->entry)), high->row->name,
		  STR_ARG(high->text), STR_ARG(option_place(arena, high->entry)));
	error_hint(err, "the first must not be above the second");
	return option_error(low, err);
}

/* A default gives way to what the user says of another parameter. */
static void
give_way(Arena *arena, Endpoint *endpoint, Setting *setting, const Setting *to)
{
	setting->text = to->text;
	setting->integer = to->integer;
	setting->real = to->real;
	decisions_add(arena, &endpoint->decisions,
		      (Decision){DECISION_USER, str_from(setting->row->name), to->text,
				 ORIGIN_DEFAULT, str_from(setting->row->initial),
				 str_format(arena, "as %s says", to->row->name)});
}

/* Pairs of which the first must not be above the second.  A pair that a default is in comes before
 * one that then follows from it: what the user says of one moves the others as little as it can. */
static const struct {
	const char *low;
	const char *high;
} ordered[] = {
	{"batch.min_batch_size", "batch.initial_batch_size"},
	{"batch.initial_batch_size", "batch.max_batch_size"},
	{"batch.min_batch_size", "batch.max_batch_size"},
	{"batch.target_memory_usage", "batch.gc_pressure_threshold"},
};

static Status
put_in_order(Arena *arena, Endpoint *endpoint, Error *err)
{
	BatchPlan *plan = &endpoint->batch;

	for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++) {
		Setting *low = parameter(plan, ordered[i].low);
		Setting *high = parameter(plan, ordered[i].high);

		if (low == NULL || high == NULL || low->real <= high->real)
			continue;
		if (low->entry != NULL && high->entry != NULL)
			return contradict(arena, low, high, err);
		if (low->entry != NULL)
			give_way(arena, endpoint, high, low);
		else if (high->entry != NULL)
			give_way(arena, endpoint, low, high);
	}
	return FERRIS_OK;
}

static bool
mentions_batches(const Options *given)
{
	for (uint32_t i = 0; i < given->count; i++)
		if (batch_takes(given->entries[i].key))
			return true;
	return false;
}

/* The user's parameters that do nothing here. */
static void
note_idle(Arena *arena, EndpointRole role, Endpoint *endpoint)
{
	const BatchPlan *plan = &endpoint->batch;
	OptionGroup group = batch_group(plan->strategy);

	for (uint32_t i = 0; i < group.count; i++) {
		const Setting *setting = &plan->settings[i];
		Decision decision = {
			.kind = DECISION_IDLE,
			.name = str_from(group.rows[i].name),
			.value = setting->text,
			.origin = setting->origin,
			.reason = STR(BATCH_IDLE_REASON),
		};

		if (setting->entry != NULL &&
		    !batch_parameter_acts(endpoint, role, group.rows[i].name))
			decisions_add(arena, &endpoint->decisions, decision);
	}
}

Status
batch_plan(Arena *arena, EndpointRole role, Endpoint *endpoint, Error *err)
{
	BatchPlan *plan = &endpoint->batch;

	if (!mentions_batches(&endpoint->given))
		return FERRIS_OK;
	OptionGroup group = batch_group(BATCH_NONE);
	TRY(options_resolve(&group, &endpoint->given, arena, &plan->common, err));
	plan->disabled = !plan->common[BATCH_OPTION_ENABLED].flag;
	plan->strategy =
		BATCH_NONE + 1 + (BatchStrategy)plan->common[BATCH_OPTION_STRATEGY].integer;
	group = batch_group(plan->strategy);
	TRY(options_resolve(&group, &endpoint->given, arena, &plan->settings, err));
	TRY(put_in_order(arena, endpoint, err));
	for (uint32_t i = 0; i < group.count; i++)
		set_field(plan, parameter_fields[group.rows - parameter_rows + i].offset,
			  &plan->settings[i]);
	if (!plan->disabled)
		suggest(arena, role, endpoint);
	note_idle(arena, role, endpoint);
	return FERRIS_OK;
}

static const struct {
	BatchStrategy strategy;
	EndpointRole role;
	const char *option;
} switches[] = {
#define SWITCH(id, role, option) {BATCH_##id, role, option},
#include "plan/batch_strategy_list.h"
};

Status
batch_check_switches(EndpointRole role, const Endpoint *endpoint, Error *err)
{
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		const Setting *setting = endpoint_setting(endpoint, role, switches[i].option);
		const char *strategy = batch_strategy_name(switches[i].strategy);

		bool chosen = switches[i].strategy == endpoint->batch.strategy;

		if (switches[i].role != role || (chosen && !endpoint->batch.disabled) ||
		    setting == NULL || !setting->flag || setting->entry == NULL)
			continue;
		if (chosen) {
			const Setting *off = &endpoint->batch.common[BATCH_OPTION_ENABLED];

			error_set(err, FERRIS_ERR_OPTION_CONFLICT,
				  "'%s' has no effect with '%s' = '%.*s'", setting->row->name,
				  off->row->name, STR_ARG(off->text));
			error_hint(err, "leave one of the two out");
			return option_error(setting, err);
		}
		error_set(err, FERRIS_ERR_OPTION_CONFLICT, "'%s' has no effect without %s",
			  setting->row->name, strategy);
		error_hint(err, "set 'batch.strategy' = '%s', or leave it out", strategy);
		return option_error(setting, err);
	}
	return FERRIS_OK;
}

static const struct {
	BatchStrategy strategy;
	const char *connector;
	const char *parameter;
} acting[] = {
#define ACTS(id, connector, parameter) {BATCH_##id, connector, parameter},
#include "plan/batch_strategy_list.h"
};

bool
batch_parameter_acts(const Endpoint *endpoint, EndpointRole role, const char *parameter)
{
	const char *connector = endpoint->connector->name;
	BatchStrategy strategy = endpoint->batch.strategy;

	if (role == ROLE_SOURCE)
		return true;
	for (size_t i = 0; i < sizeof acting / sizeof *acting; i++)
		if (acting[i].strategy == strategy && strcmp(acting[i].connector, connector) == 0 &&
		    strcmp(acting[i].parameter, parameter) == 0)
			return true;
	for (const BatchSuggestion *s = batch_suggestions; s->connector != NULL; s++)
		if (s->strategy == strategy && s->role == role && s->value[0] == '=' &&
		    strcmp(s->connector, connector) == 0 && strcmp(s->value + 1, parameter) == 0)
			return true;
	return false;
}

bool
batch_is_by_event_time(const Endpoint *endpoint)
{
	return endpoint->batch.alignment == BATCH_BY_EVENT_TIME && !endpoint->batch.disabled;
}

Status
batch_check_time(const Endpoint *endpoint, bool has_watermark, Error *err)
{
	const BatchPlan *plan = &endpoint->batch;

	if (!batch_is_by_event_time(endpoint) || has_watermark)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_OPTION_CONFLICT,
		  "'batch.window_alignment' = 'event_time', but '%.*s' has no event time",
		  STR_ARG(endpoint->name));
	error_hint(err,
		   "declare it: WATERMARK FOR column AS column - INTERVAL '1' SECOND, or align "
		   "to processing_time");
	return option_error(parameter(plan, "batch.window_alignment"), err);
}
