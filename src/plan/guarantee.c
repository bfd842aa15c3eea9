/* plan/guarantee.c -- what a crash may do to the output of a statement.
 *
 * Exactly-once is the default wherever source and sink can; elsewhere it is at-least-once.  What
 * the user asks for and cannot have is an error that says why.  An option of the sink that
 * exactly-once cannot live with (acks=1) lowers the guarantee, with a warning, unless exactly-once
 * was asked for too: then the two contradict each other.  acks=0 leaves at-most-once.  What a batch
 * strategy suggests lowers nothing: what the guarantee cannot have of it is withheld.
 *
 * A topic as the sink holds all that a run after a crash needs in its transactions; beside a file
 * stands a journal.  From files that end to a file that is replaced, what a journal cannot hold (a
 * LIMIT, groups of the whole input) needs none: the run begins anew. */
#include "plan/guarantee.h"

#include "plan/batch_strategy.h"
#include "plan/decision.h"

static const Str guarantee_names[] = {STR_INIT("exactly-once"), STR_INIT("at-least-once"),
				      STR_INIT("at-most-once")};

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

/* Why the place where a run stops in the input cannot be kept; NULL: it can. */
static const char *
source_obstacle(const StatementPlan *plan)
{
	const ConnectorClass *sink = plan->sink->connector;

	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const Endpoint *source = plan->scans[i]->scan.endpoint;
		const char *why;

		if (source->connector == sink && sink->commit_epoch != NULL)
			continue;
		if (source->connector->no_place == NULL)
			return "a source cannot be read again from where it was left";
		why = source->connector->no_place(source->connector_settings);
		if (why != NULL)
			return why;
	}
	return NULL;
}

/* Whether a run may begin at the start of its input again, and nobody would see a difference. */
static bool
begins_anew(const StatementPlan *plan)
{
	const Endpoint *sink = plan->sink;

	for (uint32_t i = 0; i < plan->scan_count; i++)
		if (plan->scans[i]->scan.endpoint->connector->commit != NULL)
			return false; /* its group has moved on */
	return plan_is_bounded(plan->root) && plan->dead_letters == NULL &&
	       sink->connector->replaces != NULL &&
	       sink->connector->replaces(sink->connector_settings);
}

/* Why what it keeps from record to record cannot be kept from run to run. */
static const char *
state_obstacle(const StatementPlan *plan)
{
	if (plan->root->kind == PLAN_LIMIT)
		return "its LIMIT counts anew in each run";
	if (!plan_is_stateful(plan))
		return NULL;
	if (plan_is_bounded(plan->root) && !resumes(plan))
		return "its input ends: each run reads all of it, and gives the whole answer";
	return NULL;
}

/* Why the statement cannot be exactly-once, and how that would be mended; NULL: it can. */
static const char *
obstacle(StatementPlan *plan, const char **mend)
{
	const ConnectorClass *sink = plan->sink->connector;
	const char *why;

	*mend = "set 'delivery.guarantee' = 'at-least-once', or leave it out";
	if (sink->commit_epoch == NULL && sink->mark == NULL)
		return "its sink has no transactions";
	why = source_obstacle(plan);
	if (why != NULL)
		return why;
	if (plan->dead_letters != NULL && plan->dead_letters->connector != sink) {
		*mend = sink->mark == NULL ? "name a topic for the dead letters: 'dlq.topic'"
					   : "name a file for the dead letters: 'dlq.path'";
		return "its dead letters go to another kind of place than its output";
	}
	plan->begins_anew = begins_anew(plan);
	plan->recovery = sink->mark != NULL ? RECOVERY_JOURNAL : RECOVERY_SINK;
	why = state_obstacle(plan);
	if (why == NULL || !plan->begins_anew)
		return why;
	plan->recovery = RECOVERY_ANEW;
	return NULL;
}

/* Two words of the user; `why` may be NULL. */
static Status
contradict(Arena *arena, const OptionEntry *word, const OptionEntry *other, const char *why,
	   Error *err)
{
	error_set_at(err, FERRIS_ERR_OPTION_CONFLICT, word->key_at,
		     "'%.*s' = '%.*s' (%.*s) contradicts '%.*s' = '%.*s' (%.*s)%s%s",
		     STR_ARG(word->key), STR_ARG(word->value), STR_ARG(option_place(arena, word)),
		     STR_ARG(other->key), STR_ARG(other->value),
		     STR_ARG(option_place(arena, other)), why != NULL ? ": " : "",
		     why != NULL ? why : "");
	error_hint(err, "leave one of the two out");
	return option_entry_error(word, err);
}

/* The guarantee was asked for, by whatever name. */
static Status
contradiction(Arena *arena, const StatementPlan *plan, const Weakness *weak, Error *err)
{
	return contradict(arena, weak->option, plan->job[JOB_GUARANTEE].entry, weak->why, err);
}

/* Why the sink's options, but for suggestions, cannot keep the promise; they are asked for among
 * the user's words only. */
static Weakness
weakness_of(Arena *arena, const StatementPlan *plan, Promise promise)
{
	const Endpoint *sink = plan->sink;
	Options words = users_options(arena, &sink->given);
	Weakness weak = {0};

	if (sink->connector->weakness != NULL)
		sink->connector->weakness(sink->connector_settings, &words, promise, &weak);
	return weak;
}

/* Takes back what the strategy suggests and the guarantee cannot have. */
static void
withhold_suggestions(Arena *arena, StatementPlan *plan)
{
	Promise promise = plan->guarantee == GUARANTEE_EXACTLY_ONCE ? PROMISE_EXACTLY_ONCE
								    : PROMISE_AT_LEAST_ONCE;
	Endpoint *sink = ARENA_NEW(arena, Endpoint);

	if (plan->guarantee == GUARANTEE_AT_MOST_ONCE || plan->sink->batch.common == NULL ||
	    plan->sink->connector->weakness == NULL)
		return;
	*sink = *plan->sink;
	sink->decisions = decisions_copy(arena, &sink->decisions);
	plan->sink = sink;
	for (uint32_t i = sink->given.count; i > 0; i--) {
		Options one = {&sink->given.entries[i - 1], 1};
		Weakness weak;

		if (!is_suggestion(&one.entries[0]))
			continue;
		sink->connector->weakness(sink->connector_settings, &one, promise, &weak);
		if (weak.option != NULL)
			batch_withhold(arena, sink, i - 1, str_from(weak.instead), weak.why);
	}
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

	plan->guarantee = guarantee;
	plan->guarantee_reason = reason;
	if (guarantee != GUARANTEE_EXACTLY_ONCE)
		plan->recovery = RECOVERY_NONE;
	if (setting->present)
		return;
	setting->present = true;
	setting->origin = ORIGIN_DEFAULT;
	setting->integer = guarantee;
	setting->text = guarantee_names[guarantee];
}

/* 'use_transactions' asks in another word: it becomes the guarantee's setting. */
static Status
take_other_word(Arena *arena, StatementPlan *plan, Error *err)
{
	const Setting *other = &plan->job[JOB_USE_TRANSACTIONS];
	Setting *setting = &plan->job[JOB_GUARANTEE];
	Guarantee meant = other->flag ? GUARANTEE_EXACTLY_ONCE : GUARANTEE_AT_LEAST_ONCE;

	if (!other->present)
		return FERRIS_OK;
	if (!setting->present) {
		setting->present = true;
		setting->origin = other->origin;
		setting->entry = other->entry;
		setting->integer = meant;
		setting->text = guarantee_names[meant];
		return FERRIS_OK;
	}
	if ((setting->integer == GUARANTEE_EXACTLY_ONCE) == other->flag)
		return FERRIS_OK;
	return contradict(arena, other->entry, setting->entry, NULL, err);
}

/* What the user's words about the sink leave of a guarantee that was not asked for. */
static void
lower(StatementPlan *plan, Guarantee guarantee, const Weakness *weak)
{
	fprintf(stderr,
		"warning: '%.*s' is %.*s, not exactly-once, because of '%.*s' = '%.*s': %s\n",
		STR_ARG(plan->name), STR_ARG(guarantee_names[guarantee]),
		STR_ARG(weak->option->key), STR_ARG(weak->option->value), weak->why);
	settle(plan, guarantee, weak->why);
}

/* At-least-once or at-most-once. */
static Status
settle_less(Arena *arena, StatementPlan *plan, const Weakness *weak, const char *why, Error *err)
{
	Guarantee asked = (Guarantee)plan->job[JOB_GUARANTEE].integer;
	Weakness weaker = weakness_of(arena, plan, PROMISE_AT_LEAST_ONCE);

	if (is_given(plan) && asked == GUARANTEE_AT_LEAST_ONCE && weaker.option != NULL)
		return contradiction(arena, plan, &weaker, err);
	if (is_given(plan))
		settle(plan, asked, "asked for");
	else if (weaker.option != NULL)
		lower(plan, GUARANTEE_AT_MOST_ONCE, &weaker);
	else if (weak->option != NULL)
		lower(plan, GUARANTEE_AT_LEAST_ONCE, weak);
	else
		settle(plan, GUARANTEE_AT_LEAST_ONCE, why);
	return FERRIS_OK;
}

static Status
choose(Arena *arena, StatementPlan *plan, Error *err)
{
	Weakness weak = {0};
	const char *mend;

	TRY(take_other_word(arena, plan, err));
	if (is_given(plan) && plan->job[JOB_GUARANTEE].integer != GUARANTEE_EXACTLY_ONCE)
		return settle_less(arena, plan, &weak, NULL, err);
	const char *why = obstacle(plan, &mend);
	if (why == NULL) {
		weak = weakness_of(arena, plan, PROMISE_EXACTLY_ONCE);
		why = weak.why;
	}
	if (why == NULL) {
		settle(plan, GUARANTEE_EXACTLY_ONCE, "source and sink can");
		return FERRIS_OK;
	}
	if (is_given(plan))
		return weak.option != NULL ? contradiction(arena, plan, &weak, err)
					   : refuse(plan, why, mend, err);
	return settle_less(arena, plan, &weak, why, err);
}

Status
plan_guarantee(Arena *arena, StatementPlan *plan, Error *err)
{
	TRY(choose(arena, plan, err));
	withhold_suggestions(arena, plan);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- statements side by side */

static Str
target_of(const Endpoint *sink, Arena *arena)
{
	return sink != NULL && sink->connector->target != NULL
		       ? sink->connector->target(sink->connector_settings, arena)
		       : (Str){NULL, 0};
}

/* Whether the two write to one place, rows or dead letters. */
static bool
share_target(const StatementPlan *a, const StatementPlan *b, Arena *arena)
{
	const Endpoint *of_a[] = {a->sink, a->dead_letters};
	const Endpoint *of_b[] = {b->sink, b->dead_letters};

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++) {
			Str place = target_of(of_a[i], arena);

			if (place.data != NULL && (a != b || i != j) &&
			    str_eq(place, target_of(of_b[j], arena)))
				return true;
		}
	return false;
}

/* A file shows its rows at once, whatever the epoch: more of them would only make the disk wait. */
static void
lengthen_epochs(Setting *interval)
{
	if (interval->entry != NULL)
		return;
	interval->integer = 1000;
	interval->text = STR("1s");
	interval->origin = ORIGIN_GUARANTEE;
}

static Status
check_alone(const StatementPlan *plan, Error *err)
{
	const ConnectorClass *sink = plan->sink->connector;
	const Setting *alone =
		sink->alone != NULL ? sink->alone(plan->sink->connector_settings) : NULL;

	if (alone == NULL)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_OPTION_CONFLICT,
		  "'%.*s' = '%.*s' needs a sink of its own, but another statement writes to the "
		  "same file as '%.*s'",
		  STR_ARG(alone->entry->key), STR_ARG(alone->text), STR_ARG(plan->name));
	error_hint(err, "give each a 'path' of its own");
	return option_error(alone, err);
}

Status
plan_guarantee_apart(Arena *arena, const ScriptPlan *script, Error *err)
{
	static const char why[] = "another statement writes to the same file";

	for (uint32_t i = 0; i < script->count; i++) {
		StatementPlan *plan = script->items[i];
		bool shared = false;

		for (uint32_t j = 0; j < script->count && !shared; j++)
			shared = share_target(plan, script->items[j], arena);
		if (shared)
			TRY(check_alone(plan, err));
		if (plan->recovery != RECOVERY_JOURNAL)
			continue;
		if (!shared) {
			lengthen_epochs(&plan->job[JOB_COMMIT_INTERVAL]);
			continue;
		}
		if (plan->job[JOB_GUARANTEE].entry != NULL)
			return refuse(plan, why, "give each a 'path' of its own", err);
		plan->job[JOB_GUARANTEE].present = false;
		settle(plan, GUARANTEE_AT_LEAST_ONCE, why);
	}
	return FERRIS_OK;
}
