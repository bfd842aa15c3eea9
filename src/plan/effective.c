/* plan/effective.c -- resolved settings, in the order of their rows. */
#include "plan/effective.h"

#include "plan/batch_strategy.h"
#include "plan/decision.h"

/* What goes round while an endpoint's options are visited. */
typedef struct Visiting {
	const Endpoint *endpoint;  /* NULL: a job */
	const StatementPlan *plan; /* then: of this one */
	EffectiveVisit visit;
	void *context;
} Visiting;

Str
effective_bare_name(const EffectiveOption *option)
{
	uint32_t len = (uint32_t)strlen(option->connector);

	if (len > 0 && option->name.len > len + 1 && option->name.data[len] == '.' &&
	    strncasecmp(option->name.data, option->connector, len) == 0)
		return str_skip(option->name, len + 1);
	return option->name;
}

/* Its reason stands unless there is a decision about it. */
static void
visit_one(const Visiting *visiting, const EffectiveOption *option)
{
	EffectiveOption shown = *option;
	const Decisions *decisions = visiting->endpoint != NULL ? &visiting->endpoint->decisions
								: &visiting->plan->decisions;
	const Decision *decision = decisions_find(decisions, option->name);

	shown.value = option_shown_value(option->name, option->value);
	if (decision != NULL)
		shown.reason = decision->reason;
	visiting->visit(visiting->context, &shown);
}

static void
visit_group(const OptionGroup *group, const Setting *settings, EffectiveOption option,
	    const Visiting *visiting)
{
	for (uint32_t i = 0; i < group->count; i++) {
		if (!settings[i].present)
			continue;
		option.name = str_from(group->rows[i].name);
		option.value = settings[i].text;
		option.origin = settings[i].origin;
		option.doc = group->rows[i].doc;
		option.row = &group->rows[i];
		visit_one(visiting, &option);
	}
}

/* Whether a later word about the same property counts instead. */
static bool
is_displaced(const Endpoint *endpoint, EndpointRole role, uint32_t at)
{
	const Options *given = &endpoint->given;

	for (uint32_t i = at + 1; i < given->count; i++)
		if (endpoint_same_option(endpoint, role, given->entries[at].key,
					 given->entries[i].key))
			return true;
	return false;
}

/* Options that a row such as "kafka.*" passes on, but for those of the other side. */
static void
visit_passed(const OptionGroup *group, EndpointRole role, EffectiveOption option,
	     const Visiting *visiting)
{
	const Endpoint *endpoint = visiting->endpoint;
	PassedOption passed;

	for (uint32_t i = 0; i < endpoint->given.count; i++) {
		const OptionEntry *entry = &endpoint->given.entries[i];
		const OptionRow *row = option_row(group, entry->key);

		if (row == NULL || row->type != OPTION_PREFIX ||
		    !endpoint->connector->passed(entry->key, &passed) ||
		    !(role == ROLE_SOURCE ? passed.of_source : passed.of_sink) ||
		    is_displaced(endpoint, role, i))
			continue;
		option.name = entry->key;
		option.value = entry->value;
		option.origin = entry->origin;
		option.doc = row->doc;
		visit_one(visiting, &option);
	}
	for (uint32_t i = 0; i < endpoint->decisions.count; i++) {
		const Decision *decision = &endpoint->decisions.items[i];

		if (decision->kind != DECISION_GUARANTEE)
			continue;
		option.name = decision->name;
		option.value = decision->value;
		option.origin = decision->origin;
		option.doc = NULL;
		visit_one(visiting, &option);
	}
}

/* But for connector and format; each on its side, or where the user has said it. */
static void
visit_common(const Endpoint *endpoint, EndpointRole role, EffectiveOption option,
	     const Visiting *visiting)
{
	for (uint32_t i = 0; i < endpoint_options.count; i++) {
		OptionGroup one = {endpoint_options.name, &endpoint_options.rows[i], 1};

		if (i != ENDPOINT_CONNECTOR && i != ENDPOINT_FORMAT &&
		    (endpoint_option_is_of(i, role) || endpoint->common[i].entry != NULL))
			visit_group(&one, &endpoint->common[i], option, visiting);
	}
}

static void
visit_batch(const BatchPlan *batch, EndpointRole role, EffectiveOption option,
	    const Visiting *visiting)
{
	OptionGroup common = batch_group(BATCH_NONE);
	OptionGroup own = batch_group(batch->strategy);

	if (batch->common == NULL)
		return;
	visit_group(&common, batch->common, option, visiting);
	for (uint32_t i = 0; i < own.count; i++) {
		OptionGroup one = {own.name, &own.rows[i], 1};

		option.reason = batch_parameter_acts(visiting->endpoint, role, own.rows[i].name)
					? (Str){NULL, 0}
					: STR(BATCH_IDLE_REASON);
		visit_group(&one, &batch->settings[i], option, visiting);
	}
}

void
effective_endpoint(const Endpoint *endpoint, const char *scope, EffectiveVisit visit, void *context)
{
	EndpointRole role = strcmp(scope, "source") == 0 ? ROLE_SOURCE : ROLE_SINK;
	const OptionGroup *connector = connector_options(endpoint->connector, role);
	const Visiting visiting = {endpoint, NULL, visit, context};
	EffectiveOption option = {
		.scope = scope, .object = endpoint->name, .connector = endpoint->connector->name};

	option.name = STR("connector");
	option.value = str_from(endpoint->connector->name);
	option.origin = endpoint->common[ENDPOINT_CONNECTOR].origin;
	option.doc = endpoint->connector->doc;
	visit_one(&visiting, &option);
	option.name = STR("format");
	option.value = str_from(endpoint->codec->name);
	option.origin = endpoint->common[ENDPOINT_FORMAT].origin;
	option.doc = endpoint_options.rows[ENDPOINT_FORMAT].doc;
	visit_one(&visiting, &option);
	visit_common(endpoint, role, option, &visiting);
	visit_batch(&endpoint->batch, role, option, &visiting);
	visit_group(connector, endpoint->connector_settings, option, &visiting);
	visit_group(codec_options(endpoint->codec, role), endpoint->codec_settings, option,
		    &visiting);
	visit_passed(connector, role, option, &visiting);
}

/* Of what the guarantee has settled. */
static Str
job_reason(const StatementPlan *plan, uint32_t option)
{
	if (option == JOB_GUARANTEE && plan->guarantee_reason != NULL)
		return str_from(plan->guarantee_reason);
	if (option == JOB_COMMIT_INTERVAL &&
	    strcmp(plan->job[option].origin, ORIGIN_GUARANTEE) == 0)
		return STR("an epoch of a file waits for the disk");
	return (Str){NULL, 0};
}

void
effective_job(const StatementPlan *plan, EffectiveVisit visit, void *context)
{
	const Visiting visiting = {NULL, plan, visit, context};
	EffectiveOption option = {.scope = "job", .object = plan->name, .connector = ""};

	for (uint32_t i = 0; i < job_options.count; i++) {
		OptionGroup one = {job_options.name, &job_options.rows[i], 1};

		option.reason = job_reason(plan, i);
		visit_group(&one, &plan->job[i], option, &visiting);
	}
}

/* ---------------------------------------------------------------- what no option gives */

#define LIBRARY_NAME_MAX 128

/* Whether an option of the engine's, or one that is passed on, says what it is. */
static bool
is_given(const Endpoint *endpoint, EndpointRole role, const LibrarySetting *property)
{
	char name[LIBRARY_NAME_MAX];
	PassedOption passed;

	snprintf(name, sizeof name, "%s.%.*s", endpoint->connector->name, STR_ARG(property->name));
	const Setting *setting = endpoint_setting(endpoint, role, name);
	if (setting != NULL && setting->present)
		return true;
	for (uint32_t i = 0; i < endpoint->given.count; i++)
		if (endpoint->connector->passed(endpoint->given.entries[i].key, &passed) &&
		    str_eq(passed.meaning, property->meaning))
			return true;
	for (uint32_t i = 0; i < endpoint->decisions.count; i++)
		if (endpoint->decisions.items[i].kind == DECISION_GUARANTEE &&
		    endpoint->connector->passed(endpoint->decisions.items[i].name, &passed) &&
		    str_eq(passed.meaning, property->meaning))
			return true;
	return false;
}

static bool
applies(const LibrarySetting *setting, EndpointRole role, bool transactions)
{
	return (role == ROLE_SOURCE ? setting->of_source : setting->of_sink) &&
	       (transactions ? setting->transactions : setting->plain);
}

static void
visit_library(const StatementPlan *plan, const Endpoint *endpoint, const char *scope, bool all,
	      EffectiveVisit visit, void *context)
{
	EndpointRole role = strcmp(scope, "source") == 0 ? ROLE_SOURCE : ROLE_SINK;
	bool transactions = plan->guarantee == GUARANTEE_EXACTLY_ONCE;
	const LibrarySetting *settings = NULL;
	size_t count = endpoint->connector->library_settings != NULL
			       ? endpoint->connector->library_settings(&settings)
			       : 0;

	for (size_t i = 0; i < count; i++) {
		const LibrarySetting *setting = &settings[i];
		bool displaced = !all && !setting->ours;

		for (size_t k = 0; k < i && !setting->ours && !displaced; k++)
			displaced = settings[k].ours && applies(&settings[k], role, transactions) &&
				    str_eq(settings[k].meaning, setting->meaning);
		if (displaced || !applies(setting, role, transactions) ||
		    is_given(endpoint, role, setting))
			continue;
		EffectiveOption option = {
			.scope = scope,
			.object = endpoint->name,
			.connector = endpoint->connector->name,
			.name = setting->name,
			.value = setting->value.data != NULL ? setting->value : STR("(worked out)"),
			.origin = ORIGIN_DEFAULT,
			.doc = setting->reason,
			.reason = str_from(setting->reason),
		};
		visit(context, &option);
	}
}

void
effective_statement(const StatementPlan *plan, bool all, EffectiveVisit visit, void *context)
{
	for (uint32_t i = 0; i <= plan->scan_count; i++) {
		bool is_sink = i == plan->scan_count;
		const Endpoint *endpoint = is_sink ? plan->sink : plan->scans[i]->scan.endpoint;
		const char *scope = is_sink ? "sink" : "source";

		effective_endpoint(endpoint, scope, visit, context);
		visit_library(plan, endpoint, scope, all, visit, context);
	}
	effective_job(plan, visit, context);
}
