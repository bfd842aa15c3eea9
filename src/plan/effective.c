/* plan/effective.c -- resolved settings, in the order of their rows. */
#include "plan/effective.h"

static void
visit_group(const OptionGroup *group, const Setting *settings, EffectiveOption option,
	    EffectiveVisit visit, void *context)
{
	for (uint32_t i = 0; i < group->count; i++) {
		if (!settings[i].present)
			continue;
		option.name = str_from(group->rows[i].name);
		option.value = settings[i].text;
		option.origin = settings[i].origin;
		option.doc = group->rows[i].doc;
		visit(context, &option);
	}
}

/* Options that a row such as "kafka.*" takes as they are. */
static void
visit_passed(const OptionGroup *group, const Options *given, EffectiveOption option,
	     EffectiveVisit visit, void *context)
{
	for (uint32_t i = 0; i < given->count; i++)
		for (uint32_t r = 0; r < group->count; r++) {
			const OptionRow *row = &group->rows[r];
			const OptionEntry *entry = &given->entries[i];
			uint32_t len = (uint32_t)strlen(row->name) - 1;

			if (row->type != OPTION_PREFIX || entry->key.len < len ||
			    strncasecmp(row->name, entry->key.data, len) != 0)
				continue;
			option.name = entry->key;
			option.value = entry->value;
			option.origin = entry->origin;
			option.doc = row->doc;
			visit(context, &option);
		}
}

void
effective_endpoint(const Endpoint *endpoint, const char *scope, EffectiveVisit visit, void *context)
{
	bool source = strcmp(scope, "source") == 0;
	const OptionGroup *connector =
		source ? &endpoint->connector->source_options : &endpoint->connector->sink_options;
	const OptionGroup *codec =
		source ? &endpoint->codec->decode_options : &endpoint->codec->encode_options;
	EffectiveOption option = {
		.scope = scope, .object = endpoint->name, .connector = endpoint->connector->name};

	option.name = STR("connector");
	option.value = str_from(endpoint->connector->name);
	option.origin = endpoint->common[ENDPOINT_CONNECTOR].origin;
	option.doc = endpoint->connector->doc;
	visit(context, &option);
	option.name = STR("format");
	option.value = str_from(endpoint->codec->name);
	option.origin = endpoint->common[ENDPOINT_FORMAT].origin;
	option.doc = endpoint_options.rows[ENDPOINT_FORMAT].doc;
	visit(context, &option);
	visit_group(connector, endpoint->connector_settings, option, visit, context);
	visit_group(codec, endpoint->codec_settings, option, visit, context);
	visit_passed(connector, &endpoint->given, option, visit, context);
}

void
effective_job(const StatementPlan *plan, EffectiveVisit visit, void *context)
{
	EffectiveOption option = {.scope = "job", .object = plan->name, .connector = ""};

	visit_group(&job_options, plan->job, option, visit, context);
}
