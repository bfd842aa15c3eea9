/* cli/cmd_advise.c -- ferris-sql advise: run the query on what its source has for some seconds, and
 * say which batch strategy fits.
 *
 * Nothing is written, and no position of the statement's own is moved: rows are forgotten when they
 * are encoded, and topics are read in a group of the run's own. */
#include <math.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/memory_use.h"
#include "cli/advice.h"
#include "cli/command.h"
#include "job/running.h"

#define DEFAULT_SECONDS 5
#define SLICE_MS        250
#define POLL_MS         10
#define SECONDS_MAX     1000
#define SLICES_MAX      (SECONDS_MAX * 1000 / SLICE_MS)
#define BEHIND          0.2 /* of the chunks: the reader had to wait for the query */
#define FULL            0.5 /* a chunk's bytes on average: the source had enough for each */

/* ---------------------------------------------------------------- the run */

/* What the statement says of exactly-once, dead letters and processes is no matter here. */
static int
plan_sample(const Arguments *arguments, Arena *arena, LoadedScript *loaded, ScriptPlan **plan)
{
	static const char *const own[][2] = {
		{"delivery.guarantee", "at-least-once"},
		{"use_transactions", "false"},
		{"failure_strategy", "LogAndContinue"},
		{"state.partitioned", "false"},
	};
	uint32_t own_count = sizeof own / sizeof *own;
	uint32_t given = arguments->settings.count;
	Arguments changed = *arguments;
	OptionEntry *entries = ARENA_ARRAY(arena, OptionEntry, given + own_count + 1);

	if (given > 0)
		memcpy(entries, arguments->settings.entries, sizeof *entries * given);
	changed.settings = (Options){entries, given};
	for (uint32_t i = 0; i <= own_count; i++)
		entries[changed.settings.count++] = (OptionEntry){
			.key = i < own_count ? str_from(own[i][0]) : STR("source.kafka.group.id"),
			.value = i < own_count
					 ? str_from(own[i][1])
					 : str_format(arena, "ferris-advise-%d", (int)getpid()),
			.origin = ORIGIN_COMMAND_LINE,
			.used = ARENA_NEW(arena, bool)};
	return load_plan(&changed, "json", false, arena, loaded, plan);
}

/* The last statement that moves records, with a sink that forgets them; NULL: there is none. */
static StatementPlan *
statement_of(Arena *arena, const ScriptPlan *plan)
{
	for (uint32_t i = plan->count; i > 0; i--) {
		if (plan->items[i - 1]->waits)
			continue;
		StatementPlan *copy = plan_without_output(arena, plan->items[i - 1]);
		copy->dead_letters = NULL;
		copy->recovery = RECOVERY_NONE;
		return copy;
	}
	return NULL;
}

static void
measure(Sample *sample, const uint64_t *slices, uint32_t count, const JobCounters *counters)
{
	double mean = 0;
	double squares = 0;

	for (uint32_t i = 0; i < count; i++)
		mean += (double)slices[i] / count;
	for (uint32_t i = 0; i < count; i++)
		squares += ((double)slices[i] - mean) * ((double)slices[i] - mean) / count;
	double reads = (double)(counters->pool_hits + counters->pool_misses);
	sample->slices = count;
	sample->variation = count > 1 && mean > 0 ? sqrt(squares) / mean : 0;
	sample->records = counters->records_in;
	sample->bytes_per_record =
		counters->records_in > 0 ? (double)counters->bytes_in / (double)counters->records_in
					 : 0;
	sample->records_per_read = reads > 0 ? (double)counters->records_in / reads : 0;
	sample->latency_ms = (double)histogram_quantile(&counters->latency_us, 0.99) / 1000;
	sample->behind =
		reads > 0 && ((double)counters->pool_misses > BEHIND * reads ||
			      (double)counters->bytes_in > FULL * (double)CHUNK_CAPACITY * reads);
	sample->memory = memory_use("");
}

/* Until the time is over, counted from the first record on once there is one, the input ends or a
 * signal comes. */
static void
watch(Running *running, int64_t seconds, Sample *sample)
{
	uint64_t *slices = memory_zero(sizeof *slices * SLICES_MAX);
	int64_t end = clock_ms() + seconds * 1000;
	int64_t first = 0;
	int64_t next = 0;
	uint64_t before = 0;
	uint32_t count = 0;
	JobCounters counters = {0};

	while (!sample->ended && clock_ms() <= end && caught_signal() == 0) {
		clock_sleep_ms(POLL_MS);
		running_counters(running, &counters);
		int64_t now = clock_ms();
		if (first == 0 && counters.records_in > 0) {
			first = now;
			next = now + SLICE_MS;
			end = now + seconds * 1000;
			before = counters.records_in;
		}
		if (first > 0 && now >= next && count < SLICES_MAX) {
			slices[count++] = counters.records_in - before;
			before = counters.records_in;
			next += SLICE_MS;
		}
		sample->ended = running_is_done(running);
	}
	running_counters(running, &counters);
	sample->seconds = (double)((first > 0 ? clock_ms() - first : 0) + POLL_MS) / 1000;
	measure(sample, slices, count, &counters);
	memory_free(slices);
}

static Status
run_sample(const StatementPlan *plan, const LoadedScript *loaded, int64_t seconds, Sample *sample,
	   Error *err)
{
	Restarts spec = {
		.spec = {.plan = plan, .application = loaded->application, .row_limit = INT64_MAX}};
	Running *running = NULL;

	Status status = running_open(&spec, &running, err);
	if (status == FERRIS_OK)
		status = running_start(running, err);
	if (status == FERRIS_OK) {
		watch(running, seconds, sample);
		running_stop(running);
		status = running_wait(running, err);
	}
	running_close(running);
	return status;
}

/* ---------------------------------------------------------------- the answer */

static void
print_text(const Sample *sample, const Advice *advice)
{
	if (!advice->judged) {
		printf("sample: %llu records of %.0f bytes in %.2f s\nadvice: none can be "
		       "given\nwhy:    "
		       "%s\n",
		       (unsigned long long)sample->records, sample->bytes_per_record,
		       sample->seconds, advice->why);
		return;
	}
	printf("sample: %llu records in %.1f s (%.0f a second, %.0f bytes each), "
	       "the rate varies by %.0f %%\n        %s, 99 %% of the records took %.1f ms at most",
	       (unsigned long long)sample->records, sample->seconds,
	       (double)sample->records / sample->seconds, sample->bytes_per_record,
	       sample->variation * 100,
	       sample->behind ? "the source had more than the query took"
			      : "the query waited for the source",
	       sample->latency_ms);
	if (sample->memory >= 0)
		printf(", %.0f %% of the memory is in use", sample->memory * 100);
	printf("\nadvice: ");
	if (advice->strategy == BATCH_NONE)
		printf("none: leave 'batch.strategy' out");
	else
		printf("'batch.strategy' = '%s'", batch_strategy_name(advice->strategy));
	if (advice->option != NULL)
		printf(", '%s' = '%s'", advice->option, advice->value);
	printf("\nwhy:    %s\n", advice->why);
}

static void
print_json(const Sample *sample, const Advice *advice)
{
	printf("{\"records\":%llu,\"seconds\":%.3f,\"bytes_per_record\":%.1f,",
	       (unsigned long long)sample->records, sample->seconds, sample->bytes_per_record);
	if (advice->judged)
		printf("\"records_per_second\":%.1f,\"records_per_read\":%.1f,"
		       "\"variation\":%.3f,\"latency_ms_p99\":%.3f,\"memory\":%.3f,"
		       "\"behind\":%s,\"strategy\":\"%s\",\"options\":{",
		       (double)sample->records / sample->seconds, sample->records_per_read,
		       sample->variation, sample->latency_ms, sample->memory,
		       sample->behind ? "true" : "false", batch_strategy_name(advice->strategy));
	else
		printf("\"strategy\":null,\"options\":{");
	if (advice->strategy != BATCH_NONE)
		printf("\"batch.strategy\":\"%s\"", batch_strategy_name(advice->strategy));
	if (advice->option != NULL)
		printf(",\"%s\":\"%s\"", advice->option, advice->value);
	printf("},\"why\":\"%s\"}\n", advice->why);
}

static int
advise_on(const Arguments *arguments, Arena *arena, bool json)
{
	int64_t seconds = arguments->seconds >= 0 ? arguments->seconds : DEFAULT_SECONDS;
	LoadedScript loaded;
	ScriptPlan *plan;
	Sample sample = {0};
	Error err;

	int code = plan_sample(arguments, arena, &loaded, &plan);
	if (code == EXIT_OK)
		code = check_settings(arguments, plan);
	if (code != EXIT_OK)
		return code;
	StatementPlan *statement = statement_of(arena, plan);
	if (statement == NULL)
		return usage_error("no statement moves records");
	catch_signals();
	Status status = run_sample(statement, &loaded, seconds, &sample, &err);
	if (status != FERRIS_OK) {
		error_print(stderr, &err, loaded.name, loaded.text);
		return error_info(status)->exit_code;
	}
	if (sample.records == 0) {
		if (sample.ended)
			fprintf(stderr, "error: the source has ended without a record: there is "
					"nothing to judge by\n");
		else
			fprintf(stderr,
				"error: no record came within %lld s: there is nothing to judge "
				"by\n",
				(long long)seconds);
		return EXIT_ENVIRONMENT;
	}
	sample.grouped = plan_is_stateful(statement);
	Advice advice = advise(&sample);
	if (json)
		print_json(&sample, &advice);
	else
		print_text(&sample, &advice);
	return EXIT_OK;
}

int
command_advise(const Arguments *arguments)
{
	bool json = arguments->output != NULL && strcmp(arguments->output, "json") == 0;
	Arena arena;

	if (arguments->rest_count > 0)
		return usage_error("advise does not understand '%s'", arguments->rest[0]);
	if (arguments->output != NULL && !json && strcmp(arguments->output, "text") != 0)
		return usage_error("--output is text or json, not '%s'", arguments->output);
	if (arguments->seconds == 0 || arguments->seconds > SECONDS_MAX)
		return usage_error("--seconds is 1 to %d, not %lld", SECONDS_MAX,
				   (long long)arguments->seconds);
	arena_init(&arena, 0);
	int code = advise_on(arguments, &arena, json);
	arena_free(&arena);
	return code;
}
