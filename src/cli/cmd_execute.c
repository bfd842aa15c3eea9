/* cli/cmd_execute.c -- ferris-sql execute: run a query or an application to its end. */
#include <signal.h>
#include <unistd.h>

#include "cli/command.h"
#include "job/savepoint.h"

static void
print_progress(void *context, const JobCounters *sum, double seconds)
{
	(void)context;
	double rate = seconds > 0 ? (double)sum->records_in / seconds : 0;

	fprintf(stderr, "\r%.0f s: %llu in, %llu out, %.0f records/s", seconds,
		(unsigned long long)sum->records_in, (unsigned long long)sum->rows_out, rate);
	if (sum->lag > 0)
		fprintf(stderr, ", lag %lld", (long long)sum->lag);
	fputs("   ", stderr);
}

/* A --set that no statement understood. */
int
check_settings(const Arguments *arguments, const ScriptPlan *plan)
{
	Arena arena;
	Error err;

	arena_init(&arena, 0);
	Status status = plan_check_settings(&arena, plan, &arguments->settings, &err);
	if (status != FERRIS_OK)
		error_print(stderr, &err, NULL, NULL);
	arena_free(&arena);
	return status == FERRIS_OK ? EXIT_OK : EXIT_USAGE;
}

/* What was in the books, and how often a slot of the pool was at hand when the reader wanted one.
 */
static void
print_summary(const RunSummary *summary)
{
	const JobCounters *sum = &summary->sum;

	fprintf(stderr, "\r%llu in, %llu out, %llu filtered, %llu failed, %llu late in %.2f s",
		(unsigned long long)sum->records_in, (unsigned long long)sum->rows_out,
		(unsigned long long)sum->filtered, (unsigned long long)sum->failed,
		(unsigned long long)sum->late, summary->seconds);
	fprintf(stderr, "; pool: %llu hits, %llu waits          \n",
		(unsigned long long)sum->pool_hits, (unsigned long long)sum->pool_misses);
}

/* The savepoints that are named: the one to start from, and that the other can be made. */
static Status
find_savepoints(const Arguments *arguments, const ScriptPlan *plan, Arena *arena, Savepoint *from,
		Error *err)
{
	const char *to = arguments->savepoint;
	bool exists = false;

	if (arguments->from != NULL)
		TRY(savepoint_open(plan, savepoint_folder(plan, arguments->from, arena),
				   arguments->drop_state, arena, from, err));
	if (to != NULL)
		TRY(savepoint_check(plan, err));
	if (to != NULL)
		TRY(savepoint_exists(savepoint_folder(plan, to, arena), &exists, err));
	if (!exists)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_SAVEPOINT, "there is a savepoint '%s' already", to);
	return error_hint(err, "choose another name, or remove its folder");
}

static int
run(const Arguments *arguments, const LoadedScript *loaded, const ScriptPlan *plan, Arena *arena)
{
	bool terminal = isatty(STDERR_FILENO) != 0;
	Savepoint from;
	RunSpec spec = {
		.from = arguments->from != NULL ? &from : NULL,
		.plan = plan,
		.application = loaded->application,
		.row_limit = arguments->limit,
		.interrupted = is_interrupted,
		.progress = terminal ? print_progress : NULL,
	};
	RunSummary summary;
	Error err;

	catch_signals();
	Status status = find_savepoints(arguments, plan, arena, &from, &err);
	if (status == FERRIS_OK)
		status = run_script(&spec, &summary, &err);
	else
		summary = (RunSummary){0};
	if (terminal && summary.sum.records_in > 0)
		print_summary(&summary);
	if (summary.sum.failed > 0 && status == FERRIS_OK)
		fprintf(stderr, "warning: %llu of %llu records could not be processed%s\n",
			(unsigned long long)summary.sum.failed,
			(unsigned long long)summary.sum.records_in,
			summary.sum.dead_letters > 0 ? "; they are in the dead letters" : "");
	if (status == FERRIS_ERR_BROKEN_PIPE)
		return EXIT_OK; /* `... | head` has seen enough */
	if (status != FERRIS_OK) {
		error_print(stderr, &err, loaded->name, loaded->text);
		return error_info(status)->exit_code;
	}
	if (arguments->savepoint != NULL) {
		int code = make_savepoint(loaded, plan, arguments->savepoint);

		if (code != EXIT_OK)
			return code;
	}
	return caught_signal() == SIGINT ? EXIT_INTERRUPTED : EXIT_OK;
}

/* A plain SELECT can be written in every format that has an encoder. */
static int
check_output(const char *output, Arena *arena)
{
	const CodecClass *codec = codec_find(str_from(output));
	const CodecClass *const *codecs;
	size_t count = codec_classes(&codecs);
	Str names = {"", 0};

	if (codec != NULL && codec->encoder_open != NULL)
		return EXIT_OK;
	for (size_t i = 0; i < count; i++)
		if (codecs[i]->encoder_open != NULL)
			names = str_format(arena, "%.*s%s%s", STR_ARG(names),
					   names.len > 0 ? ", " : "", codecs[i]->name);
	return usage_error("--output cannot be '%s'; there is: %.*s", output, STR_ARG(names));
}

int
command_execute(const Arguments *arguments)
{
	const char *output = arguments->output != NULL ? arguments->output : "table";
	LoadedScript loaded;
	ScriptPlan *plan;
	Arena arena;

	if (arguments->rest_count > 0)
		return usage_error("execute does not understand '%s'", arguments->rest[0]);
	arena_init(&arena, 0);
	int code = check_output(output, &arena);
	if (code == EXIT_OK)
		code = load_plan(arguments, output, false, &arena, &loaded, &plan);
	if (code == EXIT_OK)
		code = check_settings(arguments, plan);
	if (code == EXIT_OK)
		code = run(arguments, &loaded, plan, &arena);
	arena_free(&arena);
	return code;
}
