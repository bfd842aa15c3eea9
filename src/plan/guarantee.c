/* plan/guarantee.c -- what a crash may do to the output of a statement.
 *
 * Exactly-once is the default wherever source and sink can; elsewhere it is at-least-once.  What
 * the user asks for and cannot have is an error that says why.  An option of the sink that
 * exactly-once cannot live with (acks=1) lowers the guarantee, with a warning, unless exactly-once
 * was asked for too: then the two contradict each other. */
#include "plan/guarantee.h"

/* Operators that cannot say what has changed in their state. */
#define NOT_SAVED PLAN_BIT(PLAN_SORT)

static bool
is_given(const StatementPlan *plan)
{
	return plan->job[JOB_GUARANTEE].present;
}

/* An input that ends, but that each run goes on with where the last one stood. */
static bool
resumes(const StatementPlan *plan)
{
	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const Endpoint *source = plan->scans[i]->scan.endpoint;

		if (source->connector->resumes == NULL ||
		    !source->connector->resumes(source->connector_settings))
			return false;
	}
	return true;
}

/* Why the statement cannot be exactly-once, and how that would be mended; NULL: it can. */
static const char *
obstacle(const StatementPlan *plan, const char **mend)
{
	const ConnectorClass *sink = plan->sink->connector;

	*mend = "set 'delivery.guarantee' = 'at-least-once', or leave it out";
	if (sink->commit_epoch == NULL)
		return "its sink has no transactions";
	for (uint32_t i = 0; i < plan->scan_count; i++)
		if (plan->scans[i]->scan.endpoint->connector != sink)
			return "a source is of another kind than the sink, and its positions "
			       "cannot be in the sink's transactions";
	if (plan->dead_letters != NULL && plan->dead_letters->connector != sink) {
		*mend = "name a topic for the dead letters: 'dlq.topic'";
		return "its dead letters go to a file, which is in no transaction";
	}
	if (plan->root->kind == PLAN_LIMIT)
		return "its LIMIT counts anew in each run";
	if (!plan_is_stateful(plan))
		return NULL;
	if (plan_is_bounded(plan->root) && !resumes(plan))
		return "its input ends: each run reads all of it, and gives the whole answer";
	if (plan_has(plan->root, NOT_SAVED))
		return "it keeps state that this version does not write into transactions";
	return NULL;
}

static Status
contradiction(const StatementPlan *plan, const OptionEntry *weak, const char *why, Error *err)
{
	const Setting *asked = &plan->job[JOB_GUARANTEE];

	error_set_at(err, FERRIS_ERR_OPTION_CONFLICT, weak->key_at,
		     "'%.*s' = '%.*s' contradicts 'delivery.guarantee' = 'exactly-once' (line %u): "
		     "%s",
		     STR_ARG(weak->key), STR_ARG(weak->value),
		     asked->entry != NULL ? asked->entry->key_at.line : 0, why);
	return error_hint(err, "leave one of the two out");
}

static Status
refuse(const StatementPlan *plan, const char *why, const char *mend, Error *err)
{
	error_set(err, FERRIS_ERR_NOT_SUPPORTED, "'%.*s' cannot be exactly-once: %s",
		  STR_ARG(plan->name), why);
	error_hint(err, "%s", mend);
	return option_error(&plan->job[JOB_GUARANTEE], err);
}

static void
settle(StatementPlan *plan, Guarantee guarantee, const char *reason)
{
	Setting *setting = &plan->job[JOB_GUARANTEE];
	static const Str names[] = {STR_INIT("exactly-once"), STR_INIT("at-least-once"),
				    STR_INIT("at-most-once")};

	plan->guarantee = guarantee;
	plan->guarantee_reason = reason;
	if (setting->present)
		return;
	setting->present = true;
	setting->origin = "default";
	setting->integer = guarantee;
	setting->text = names[guarantee];
}

Status
plan_guarantee(StatementPlan *plan, Error *err)
{
	const ConnectorClass *sink = plan->sink->connector;
	Guarantee asked = (Guarantee)plan->job[JOB_GUARANTEE].integer;
	const OptionEntry *weak = NULL;
	const char *mend;

	if (is_given(plan) && asked != GUARANTEE_EXACTLY_ONCE) {
		settle(plan, asked, "asked for");
		return FERRIS_OK;
	}
	const char *why = obstacle(plan, &mend);
	if (why == NULL && sink->weakness != NULL)
		why = sink->weakness(plan->sink->connector_settings, &plan->sink->given, &weak);
	if (why == NULL) {
		settle(plan, GUARANTEE_EXACTLY_ONCE, "source and sink can");
		return FERRIS_OK;
	}
	if (is_given(plan))
		return weak != NULL ? contradiction(plan, weak, why, err)
				    : refuse(plan, why, mend, err);
	if (weak != NULL)
		fprintf(stderr,
			"warning: '%.*s' is at-least-once, not exactly-once, because of '%.*s' = "
			"'%.*s': %s\n",
			STR_ARG(plan->name), STR_ARG(weak->key), STR_ARG(weak->value), why);
	settle(plan, GUARANTEE_AT_LEAST_ONCE, why);
	return FERRIS_OK;
}
