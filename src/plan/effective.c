/* plan/effective.c -- resolved settings, in the order of their rows. */
#include "plan/effective.h"

#include "plan/batch_strategy.h"

/* What goes round while an endpoint's options are visited. */
typedef struct Visiting {
	const Endpoint *endpoint; /* NULL: a job */
	EffectiveVisit visit;
	void *context;
} Visiting;

static void
visit_one(const Visiting *visiting, EffectiveOption *option)
{
	const Endpoint *endpoint = visiting->endpoint;
	const Decision *decision =
		endpoint != NULL ? endpoint_decision(endpoint, option->name) : NULL;

	option->reason = decision != NULL ? decision->reason : (Str){NULL, 0};
	visiting->visit(visiting->context, option);
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
	for (uint32_t i = 0; i < endpoint->decision_count; i++) {
		const Decision *decision = &endpoint->decisions[i];

		if (decision->kind != DECISION_GUARANTEE)
			continue;
		option.name = decision->name;
		option.value = decision->value;
		option.origin = decision->origin;
		option.doc = NULL;
		visit_one(visiting, &option);
	}
}

static void
visit_batch(const BatchPlan *batch, EffectiveOption option, const Visiting *visiting)
{
	OptionGroup common = batch_group(BATCH_NONE);
	OptionGroup own = batch_group(batch->strategy);

	if (batch->common == NULL)
		return;
	visit_group(&common, batch->common, option, visiting);
	visit_group(&own, batch->settings, option, visiting);
}

void
effective_endpoint(const Endpoint *endpoint, const char *scope, EffectiveVisit visit, void *context)
{
	EndpointRole role = strcmp(scope, "source") == 0 ? ROLE_SOURCE : ROLE_SINK;
	const OptionGroup *connector = connector_options(endpoint->connector, role);
	const Visiting visiting = {endpoint, visit, context};
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
	visit_batch(&endpoint->batch, option, &visiting);
	visit_group(connector, endpoint->connector_settings, option, &visiting);
	visit_group(codec_options(endpoint->codec, role), endpoint->codec_settings, option,
		    &visiting);
	visit_passed(connector, role, option, &visiting);
}

void
effective_job(const StatementPlan *plan, EffectiveVisit visit, void *context)
{
	const Visiting visiting = {NULL, visit, context};
	EffectiveOption option = {.scope = "job", .object = plan->name, .connector = ""};

	visit_group(&job_options, plan->job, option, &visiting);
}
