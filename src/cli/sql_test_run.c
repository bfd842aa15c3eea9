/* cli/sql_test_run.c -- run a SQL test in every variation and compare. */
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/sql_test.h"
#include "connector/memory.h"
#include "job/runner.h"
#include "type/number.h"

/* How the input is cut and on how many tasks it runs; the answer must not depend on it. */
typedef struct Variation {
	const char *batch;
	const char *parallelism;
	Trial trial;
	uint64_t seed; /* as it was given, of the trial's */
	bool to_file;  /* the rows of a plain SELECT */
	bool shuffles; /* partitions come in any order */
	bool shares;   /* two processes share the input of a statement */
} Variation;

static const Variation variations[] = {
	{.batch = "0", .parallelism = "1"},
	{.batch = "1", .parallelism = "1"},
	{.batch = "3", .parallelism = "2"},
	{.batch = "2", .parallelism = "4"},
	{.batch = "2", .parallelism = "1", .trial = {.spill = true}},
	{.batch = "1", .parallelism = "1", .trial = {.reload = true}},
	{.batch = "3", .parallelism = "1", .trial = {.spill = true, .reload = true}},
};

/* The input is cut as the seed says; so are files. */
static const char *const crash_batches[] = {"1", "2", "3", "0"};
static const char *const crash_reads[] = {"1", "40", "300", "4KB"};
/* Sources are read in batches of a strategy, which changes no answer; "": of none. */
static const char *const crash_strategies[] = {
	"", "FixedSize", "TimeWindow", "AdaptiveSize", "MemoryBased", "LowLatency"};

#define VARIATION_COUNT (sizeof variations / sizeof *variations)
#define SHOWN_LINES     12
#define TIME_LIMIT_MS   20000
#define SPILL_LIMIT_MS  120000 /* on a busy machine */
#define OPEN_FOLDERS    8      /* at most, while a folder is removed */
#define ROWS_FILE       "rows.jsonl"

typedef struct TestRun {
	const SqlTest *test;
	const Variation *variation;
	Arena arena;
	MemoryBroker *broker;
	Disk *disk;             /* of a run with crashes */
	char dir[PATH_MAX / 2]; /* ${DIR}: a folder of this run alone */
	ScriptPlan *plan;
	Str select_name; /* of the last plain SELECT */
	JobCounters sum;
	Status status;
	Error error;
	int64_t deadline_ms;
	bool overdue;  /* the run was stopped at its deadline */
	bool left_out; /* a run with crashes of what cannot be exactly-once */
	Buffer *why;
} TestRun;

/* ---------------------------------------------------------------- input */

#define PAUSE "\\pause "

/* "\pause 30s": the partition is at its end for so long. */
static bool
append_pause(TestRun *run, const TestBlock *block, Str line)
{
	int64_t micros;

	if (!str_starts_with(line, STR(PAUSE)))
		return false;
	line = str_skip(line, sizeof PAUSE - 1);
	if (duration_parse(line.data, line.len, &micros) != TEMPORAL_OK)
		return false;
	memory_topic_pause(run->broker, block->name, block->partition, micros / MICROS_PER_MILLI);
	return true;
}

static void
append_record(TestRun *run, const TestBlock *block, Str line)
{
	Str key = {NULL, 0};

	if (append_pause(run, block, line))
		return;
	if (block->keyed) {
		const char *bar = memchr(line.data, '|', line.len);

		if (bar != NULL) {
			key = (Str){line.data, (uint32_t)(bar - line.data)};
			line = str_skip(line, key.len + 1);
		}
		if (str_eq(key, STR("\\N")))
			key = (Str){NULL, 0};
	}
	if (str_eq(line, STR("\\N")))
		line = (Str){NULL, 0};
	memory_topic_append(run->broker, block->name, block->partition, key, line,
			    MEMORY_NO_TIMESTAMP);
}

static bool
write_file(TestRun *run, const TestBlock *block)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%.*s", run->dir, STR_ARG(block->name));
	FILE *file = fopen(path, "wb");
	if (file == NULL)
		return false;
	for (uint32_t i = 0; i < block->line_count; i++)
		fprintf(file, "%.*s\n", STR_ARG(block->lines[i]));
	return fclose(file) == 0;
}

/* What the seed of crashes says of one question: 0..count-1. */
static uint32_t
seed_choice(uint64_t seed, uint32_t question, uint32_t count)
{
	uint64_t hash = (seed * 64 + question) * UINT64_C(0x9E3779B97F4A7C15);

	return (uint32_t)((hash ^ hash >> 31) * UINT64_C(0xBF58476D1CE4E5B9) >> 40) % count;
}

static bool
says(const SqlTest *test, Str words)
{
	return memmem(test->sql.data, test->sql.len, words.data, words.len) != NULL;
}

/* Beside the crashes: a record or a commit that fails, or a commit of which the answer is lost, and
 * partitions that go to another reader and come back.  A group whose positions only follow a
 * journal's goes on without a commit that fails; a topic in memory does not. */
static void
set_faults(TestRun *run)
{
	MemoryBroker *broker = run->broker;
	uint64_t seed = run->variation->trial.crash_seed;
	MemoryFault *faults[] = {&broker->fail_put, &broker->lose_answer, &broker->fail_commit};
	bool journals = run->variation->to_file || says(run->test, STR("path'")) ||
			says(run->test, STR("'file://"));
	uint32_t kinds = journals ? 2 : 3;

	if (seed == 0)
		return;
	broker->read_ms = 1;
	broker->seed = seed;
	broker->shuffles = run->variation->shuffles;
	broker->shares = run->variation->shares;
	faults[seed_choice(seed, 0, kinds)]->at = 1 + seed_choice(seed, 1, 12);
	broker->revoke_every = seed_choice(seed, 2, 2) == 0 ? 2 + seed_choice(seed, 3, 5) : 0;
}

static bool
prepare(TestRun *run, const char *folder)
{
	run->broker = memory_broker_new();
	set_faults(run);
	snprintf(run->dir, sizeof run->dir, "%s/ferris-test-XXXXXX", folder);
	if (mkdtemp(run->dir) == NULL || setenv("DIR", run->dir, 1) != 0)
		return false;
	if (run->variation->trial.crash_seed != 0)
		run->disk = disk_new(run->dir, run->variation->trial.crash_seed);
	for (uint32_t i = 0; i < run->test->block_count; i++) {
		const TestBlock *block = &run->test->blocks[i];

		if (block->kind == BLOCK_FILE && !write_file(run, block))
			return false;
		if (block->kind != BLOCK_INPUT)
			continue;
		memory_topic_create(run->broker, block->name, block->partition + 1);
		for (uint32_t k = 0; k < block->line_count; k++)
			append_record(run, block, block->lines[k]);
		memory_topic_close(run->broker, block->name);
	}
	return true;
}

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
	(void)info, (void)type, (void)place;
	return remove(path);
}

/* ---------------------------------------------------------------- running */

static void
keep_first(TestRun *run, Status status, const ErrorList *errors)
{
	run->status = status;
	if (status != FERRIS_OK && errors->count > 0)
		run->error = errors->items[0];
}

/* A stream without an input block is a topic that nobody closes: its reader would wait for ever. */
static bool
is_overdue(void *context)
{
	TestRun *run = context;

	if (clock_ms() < run->deadline_ms)
		return false;
	run->overdue = true;
	return true;
}

static int
time_limit(const TestRun *run)
{
	return run->variation->trial.spill ? SPILL_LIMIT_MS : TIME_LIMIT_MS;
}

static void
run_plan(TestRun *run)
{
	RunSpec spec = {
		.plan = run->plan,
		.application = STR("test"),
		.environment = run->broker,
		.clock_offset_ms = &run->broker->clock_offset_ms,
		.row_limit = INT64_MAX,
		.trial = run->variation->trial,
		.interrupted = is_overdue,
		.context = run,
	};
	RunSummary summary;

	spec.trial.disk = run->disk;
	run->deadline_ms = clock_ms() + time_limit(run);
	run->status = run_script(&spec, &summary, &run->error);
	run->sum = summary.sum;
}

static void
add_setting(Options *settings, const char *key, const char *value)
{
	settings->entries[settings->count++] = (OptionEntry){
		.key = str_from(key), .value = str_from(value), .origin = ORIGIN_COMMAND_LINE};
}

static void
add_strategy(Options *settings, uint64_t seed)
{
	const char *strategy = crash_strategies[seed_choice(seed, 12, 6)];
	bool sized = strcmp(strategy, "FixedSize") == 0 || strcmp(strategy, "LowLatency") == 0;

	if (strategy[0] != '\0')
		add_setting(settings, "source.batch.strategy", strategy);
	if (sized)
		add_setting(settings, "source.batch.batch_size",
			    crash_batches[seed_choice(seed, 13, 3)]);
}

/* Those of the variation, then the test's own. */
static Options
run_settings(TestRun *run)
{
	const SqlTest *test = run->test;
	Options settings = {.entries =
				    ARENA_ARRAY(&run->arena, OptionEntry, test->setting_count + 8)};

	add_setting(&settings, "memory.batch", run->variation->batch);
	add_setting(&settings, "parallelism", run->variation->parallelism);
	if (run->variation->trial.crash_seed != 0) {
		add_setting(&settings, "memory.transactions", "true");
		add_setting(&settings, "memory.resume", "true");
		add_setting(&settings, "state.dir", run->dir);
		add_setting(&settings, "read.buffer.size",
			    crash_reads[seed_choice(run->variation->trial.crash_seed, 6, 4)]);
		if (memmem(test->sql.data, test->sql.len, "batch.", 6) == NULL)
			add_strategy(&settings, run->variation->trial.crash_seed);
	}
	for (uint32_t i = 0; i < test->setting_count; i++)
		settings.entries[settings.count++] = test->settings[i];
	return settings;
}

/* Whether two processes may share its input: one topic, into another, without state. */
static bool
can_share(const StatementPlan *plan)
{
	return plan->guarantee == GUARANTEE_EXACTLY_ONCE && plan->recovery == RECOVERY_SINK &&
	       plan->scan_count == 1 && !plan_is_stateful(plan) && !plan->partitioned &&
	       plan->scans[0]->scan.endpoint->connector == plan->sink->connector;
}

/* A statement that stands there twice is two processes. */
static void
double_statements(TestRun *run)
{
	const ScriptPlan *plan = run->plan;
	ScriptPlan *doubled = ARENA_NEW(&run->arena, ScriptPlan);

	*doubled = *plan;
	doubled->items = ARENA_ARRAY(&run->arena, StatementPlan *, 2 * plan->count);
	doubled->count = 0;
	for (uint32_t i = 0; i < plan->count; i++) {
		doubled->items[doubled->count++] = plan->items[i];
		if (can_share(plan->items[i]))
			doubled->items[doubled->count++] = plan->items[i];
	}
	run->plan = doubled;
}

/* Whether crashes can try anything. */
static bool
any_exactly_once(const ScriptPlan *plan)
{
	for (uint32_t i = 0; i < plan->count; i++)
		if (plan->items[i]->guarantee == GUARANTEE_EXACTLY_ONCE)
			return true;
	return false;
}

static void
execute(TestRun *run)
{
	ErrorList errors = {0};
	PlanInput input = {
		.application = STR("test"),
		.settings = run_settings(run),
		.output_format = STR("json"),
		.select_connector = STR("memory"),
		.default_connector = STR("memory"),
		.environment = run->broker,
	};
	Script *script;

	if (run->variation->to_file) {
		input.select_connector = STR("file");
		input.select_path = str_format(&run->arena, "%s/" ROWS_FILE, run->dir);
	}

	keep_first(run,
		   sql_parse_script(&run->arena, STR("test"), run->test->sql, &script, &errors),
		   &errors);
	if (run->status != FERRIS_OK)
		return;
	input.script = script;
	keep_first(run, plan_script(&run->arena, &input, &run->plan, &errors), &errors);
	if (run->status != FERRIS_OK)
		return;
	run->left_out = run->variation->trial.crash_seed != 0 && !any_exactly_once(run->plan);
	for (uint32_t i = 0; i < run->plan->count; i++)
		if (run->plan->items[i]->is_select)
			run->select_name = run->plan->items[i]->name;
	if (run->variation->shares)
		double_statements(run);
	if (!run->left_out)
		run_plan(run);
}

/* ---------------------------------------------------------------- comparing */

static int
compare_lines(const void *a, const void *b)
{
	const Str *x = a;
	const Str *y = b;
	int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static void
print_lines(Buffer *why, const char *title, const Str *lines, uint32_t count)
{
	buffer_printf(why, "    %s:\n", title);
	for (uint32_t i = 0; i < count && i < SHOWN_LINES; i++)
		buffer_printf(why, "      %.*s\n", STR_ARG(lines[i]));
	if (count > SHOWN_LINES)
		buffer_printf(why, "      ... %u in all\n", count);
}

/* A line that ends in "..." stands for all that begin so. */
static bool
line_fits(Str wanted, Str got)
{
	Str rest = STR("...");

	if (!str_ends_with(wanted, rest))
		return str_eq(wanted, got);
	wanted.len -= rest.len;
	return got.len >= wanted.len && memcmp(got.data, wanted.data, wanted.len) == 0;
}

static bool
same_lines(TestRun *run, const TestBlock *block, Str *got, uint32_t count)
{
	Str *wanted = ARENA_ARRAY(&run->arena, Str, block->line_count);
	bool same = count == block->line_count;

	if (block->line_count > 0)
		memcpy(wanted, block->lines, sizeof *wanted * block->line_count);
	if (block->unordered || (run->variation->shares && run->test->partitions > 1)) {
		qsort(wanted, block->line_count, sizeof *wanted, compare_lines);
		qsort(got, count, sizeof *got, compare_lines);
	}
	for (uint32_t i = 0; same && i < count; i++)
		same = line_fits(wanted[i], got[i]);
	if (same)
		return true;
	buffer_printf(run->why, "    line %u: not what was expected\n", block->at);
	print_lines(run->why, "expected", wanted, block->line_count);
	print_lines(run->why, "got", got, count);
	return false;
}

static bool
check_topic(TestRun *run, const TestBlock *block, Str topic)
{
	uint32_t count = (uint32_t)memory_topic_count(run->broker, topic);
	Str *got = ARENA_ARRAY(&run->arena, Str, count);

	for (uint32_t i = 0; i < count; i++) {
		MemoryRecord record;

		if (!memory_topic_read(run->broker, topic, i, &record))
			return false;
		Str value = record.value.data != NULL ? record.value : STR("\\N");
		Str key = record.key.data != NULL ? record.key : STR("\\N");
		got[i] = block->keyed ? str_format(&run->arena, "%.*s|%.*s", STR_ARG(key),
						   STR_ARG(value))
				      : value;
	}
	return same_lines(run, block, got, count);
}

static bool
check_file(TestRun *run, const TestBlock *block, Str name)
{
	char path[PATH_MAX];
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	uint32_t count = 0;
	Str *got = NULL;
	uint32_t capacity = 0;

	snprintf(path, sizeof path, "%s/%.*s", run->dir, STR_ARG(name));
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		buffer_printf(run->why, "    line %u: there is no file '%.*s'\n", block->at,
			      STR_ARG(name));
		return false;
	}
	while ((len = getline(&line, &size, file)) >= 0) {
		if (count == capacity) {
			Str *more = ARENA_ARRAY(&run->arena, Str, capacity * 2 + 16);

			if (count > 0)
				memcpy(more, got, sizeof *more * count);
			got = more;
			capacity = capacity * 2 + 16;
		}
		if (len > 0 && line[len - 1] == '\n')
			len--;
		Str text = str_copy(&run->arena, (Str){line, (uint32_t)len});
		/* The folder's name differs from run to run. */
		const char *dir = memmem(text.data, text.len, run->dir, strlen(run->dir));
		if (dir != NULL)
			text = str_format(&run->arena, "%.*s${DIR}%s", (int)(dir - text.data),
					  text.data, dir + strlen(run->dir));
		got[count++] = text;
	}
	memory_free(line);
	fclose(file);
	return same_lines(run, block, got, count);
}

static bool
check_no_file(TestRun *run, const TestBlock *block)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%.*s", run->dir, STR_ARG(block->lines[0]));
	if (access(path, F_OK) != 0)
		return true;
	buffer_printf(run->why, "    line %u: there is a file '%.*s'\n", block->at,
		      STR_ARG(block->lines[0]));
	return false;
}

static bool
check_explain(TestRun *run, const TestBlock *block)
{
	Str text = plan_explain(&run->arena, run->plan->items[0]);
	Str *got = ARENA_ARRAY(&run->arena, Str, text.len + 1);
	uint32_t count = 0;

	while (text.len > 0) {
		const char *newline = memchr(text.data, '\n', text.len);
		uint32_t len = newline != NULL ? (uint32_t)(newline - text.data) : text.len;

		got[count++] = (Str){text.data, len};
		text = str_skip(text, newline != NULL ? len + 1 : len);
	}
	return same_lines(run, block, got, count);
}

static bool
check_counters(TestRun *run, const TestBlock *block)
{
	const struct {
		Str name;
		uint64_t value;
	} counters[] = {
		{STR("in"), run->sum.records_in},     {STR("out"), run->sum.rows_out},
		{STR("filtered"), run->sum.filtered}, {STR("failed"), run->sum.failed},
		{STR("limited"), run->sum.limited},   {STR("dead"), run->sum.dead_letters},
		{STR("late"), run->sum.late},         {STR("aggregated"), run->sum.aggregated},
	};
	Str rest = block->lines[0];
	bool same = true;

	while (rest.len > 0) {
		uint32_t len = 0;

		while (len < rest.len && rest.data[len] != ' ')
			len++;
		for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
			int64_t wanted;
			Str name = counters[i].name;

			if (len <= name.len || rest.data[name.len] != '=' ||
			    memcmp(rest.data, name.data, name.len) != 0)
				continue;
			if (int64_parse(rest.data + name.len + 1, len - name.len - 1, &wanted) !=
				    NUMBER_OK ||
			    (uint64_t)wanted != counters[i].value) {
				buffer_printf(run->why, "    line %u: %.*s is %llu, not %.*s\n",
					      block->at, STR_ARG(name),
					      (unsigned long long)counters[i].value,
					      (int)(len - name.len - 1), rest.data + name.len + 1);
				same = false;
			}
		}
		rest = str_trim(str_skip(rest, len));
	}
	return same;
}

static bool
balanced(TestRun *run)
{
	const JobCounters *sum = &run->sum;

	if (sum->records_in + sum->results == sum->rows_out + sum->filtered + sum->failed +
						      sum->limited + sum->late + sum->aggregated)
		return true;
	buffer_printf(
		run->why,
		"    the books do not balance: in %llu, out %llu, filtered %llu, failed %llu, "
		"limited %llu, late %llu, aggregated %llu\n",
		(unsigned long long)sum->records_in, (unsigned long long)sum->rows_out,
		(unsigned long long)sum->filtered, (unsigned long long)sum->failed,
		(unsigned long long)sum->limited, (unsigned long long)sum->late,
		(unsigned long long)sum->aggregated);
	return false;
}

static bool
check_error(TestRun *run, const TestBlock *block)
{
	const Error *err = &run->error;
	Str rest = block->lines[0];
	char code[16], place[32];
	uint32_t len = 0;

	if (run->status == FERRIS_OK) {
		buffer_printf(run->why, "    line %u: there was no error\n", block->at);
		return false;
	}
	snprintf(code, sizeof code, "FS%04d", error_info(err->status)->number);
	snprintf(place, sizeof place, "%u:%u", err->position.line, err->position.column);
	bool same = str_starts_with(rest, str_from(code));
	rest = str_trim(str_skip(rest, same ? (uint32_t)strlen(code) : 0));
	while (len < rest.len && rest.data[len] != ' ')
		len++;
	if (same && memchr(rest.data, ':', len) != NULL && rest.data[0] >= '0' &&
	    rest.data[0] <= '9') {
		same = str_eq((Str){rest.data, len}, str_from(place));
		rest = str_trim(str_skip(rest, len));
	}
	if (same && rest.len > 0)
		same = memmem(err->message, strlen(err->message), rest.data, rest.len) != NULL ||
		       memmem(err->hint, strlen(err->hint), rest.data, rest.len) != NULL;
	if (!same)
		buffer_printf(run->why, "    line %u: expected error %.*s\n    got %s %s %s (%s)\n",
			      block->at, STR_ARG(block->lines[0]), code, place, err->message,
			      err->hint);
	return same;
}

/* An epoch is final, but nobody counted it; or it was counted, and is lost behind one that was
 * never on the disk. */
static bool
counts_are_off(const TestRun *run)
{
	const MemoryFault *fault = &run->broker->lose_answer;

	return (fault->at > 0 && fault->calls >= fault->at) ||
	       (run->disk != NULL && disk_counters(run->disk).failed > 0);
}

static bool
check_block(TestRun *run, const TestBlock *block)
{
	switch (block->kind) {
	case BLOCK_OUTPUT:
		return check_topic(run, block, block->name);
	case BLOCK_ROWS:
		return run->variation->to_file ? check_file(run, block, STR(ROWS_FILE))
					       : check_topic(run, block, run->select_name);
	case BLOCK_EXPECT_FILE:
		return check_file(run, block, block->name);
	case BLOCK_NO_FILE:
		return check_no_file(run, block);
	case BLOCK_EXPLAIN:
		return run->variation->to_file || check_explain(run, block);
	case BLOCK_COUNTERS:
		return counts_are_off(run) || check_counters(run, block);
	case BLOCK_ERROR:
		return check_error(run, block);
	case BLOCK_INPUT:
	case BLOCK_FILE:
		break;
	}
	return true;
}

static bool
expects_error(const SqlTest *test)
{
	for (uint32_t i = 0; i < test->block_count; i++)
		if (test->blocks[i].kind == BLOCK_ERROR)
			return true;
	return false;
}

static bool
check(TestRun *run)
{
	bool passed = true;

	if (run->overdue) {
		buffer_printf(run->why,
			      "    did not end in %d s; does every stream that is read have an "
			      "input?\n",
			      time_limit(run) / 1000);
		return false;
	}
	if (run->status != FERRIS_OK && !expects_error(run->test)) {
		buffer_printf(run->why, "    error[FS%04d] at %u:%u: %s (%s)\n",
			      error_info(run->status)->number, run->error.position.line,
			      run->error.position.column, run->error.message, run->error.hint);
		return false;
	}
	for (uint32_t i = 0; i < run->test->block_count; i++)
		passed = check_block(run, &run->test->blocks[i]) && passed;
	if (run->status == FERRIS_OK)
		passed = balanced(run) && passed;
	return passed;
}

/* SHOW looks into the pipelines of running statements, which reloading takes away under it. */
static bool
looks_inside(const SqlTest *test)
{
	return says(test, STR("SHOW "));
}

static void
say_variation(Buffer *why, const Variation *variation)
{
	const Trial *trial = &variation->trial;

	buffer_printf(why, "    (%s records a batch, %s tasks%s%s", variation->batch,
		      variation->parallelism, trial->spill ? ", all state spilled" : "",
		      trial->reload ? ", state saved and loaded" : "");
	if (trial->crash_seed != 0)
		buffer_printf(why, "%s%s, crashes of --seed %llu",
			      variation->to_file ? ", rows to a file" : "",
			      variation->shares ? ", two processes" : "",
			      (unsigned long long)variation->seed);
	buffer_printf(why, ")\n");
}

static void
add_disk_counters(DiskCounters *sum, const Disk *disk)
{
	DiskCounters own = disk_counters(disk);

	sum->failed += own.failed;
	sum->power += own.power;
	sum->torn += own.torn;
}

static bool
run_variation(const SqlTest *test, const Variation *variation, SqlTestRuns *runs, Buffer *why)
{
	TestRun run = {.test = test, .variation = variation, .why = why};
	bool passed = true;

	arena_init(&run.arena, 0);
	if (prepare(&run, runs->keep != NULL ? runs->keep : "/tmp")) {
		execute(&run);
		passed = run.left_out || check(&run);
	} else {
		buffer_printf(why, "    cannot prepare the test's files\n");
		passed = false;
	}
	if (!passed)
		say_variation(why, variation);
	if (variation->trial.crash_seed != 0 && !run.left_out) {
		runs->runs++;
		runs->survived += run.sum.restarts;
		add_disk_counters(&runs->disk, run.disk);
		runs->repeated += run.broker->repeated;
		runs->expelled += run.broker->expelled;
	}
	runs->left_out += run.left_out;
	if (runs->keep == NULL)
		nftw(run.dir, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
	disk_destroy(run.disk);
	memory_broker_destroy(run.broker);
	arena_free(&run.arena);
	return passed;
}

static bool
has_rows(const SqlTest *test)
{
	for (uint32_t i = 0; i < test->block_count; i++)
		if (test->blocks[i].kind == BLOCK_ROWS)
			return true;
	return false;
}

/* Whether the order of partitions shows nowhere. */
static bool
may_shuffle(const SqlTest *test)
{
	bool unordered = true;

	for (uint32_t i = 0; i < test->block_count; i++)
		unordered = unordered &&
			    (test->blocks[i].unordered || (test->blocks[i].kind != BLOCK_OUTPUT &&
							   test->blocks[i].kind != BLOCK_ROWS));
	return unordered || test->partitions <= 1;
}

/* One seed gives each test other crashes.  Spilling is slow, and tried elsewhere: now and then. */
static Variation
crash_variation(const SqlTest *test, uint64_t seed)
{
	uint64_t own = seed;

	for (uint32_t i = 0; i < test->name.len; i++)
		own = (own ^ (unsigned char)test->name.data[i]) * UINT64_C(0x100000001B3);
	own |= 1;
	return (Variation){
		.batch = crash_batches[seed_choice(own, 4, 4)],
		.parallelism = "1",
		.trial = {.spill = seed_choice(own, 5, 24) == 0, .crash_seed = own},
		.seed = seed,
		.shuffles = may_shuffle(test),
		.shares = seed_choice(own, 8, 3) == 0,
		.to_file = has_rows(test) && seed_choice(own, 7, 3) == 0,
	};
}

/* What is written before an error depends on when the statement was killed; EXPLAIN ANALYZE runs
 * its statement once. */
static bool
run_with_crashes(const SqlTest *test, SqlTestRuns *runs, Buffer *why)
{
	uint64_t left_out = runs->left_out;
	bool passed = true;

	if (looks_inside(test) || says(test, STR("ANALYZE")) || expects_error(test)) {
		runs->left_out++;
		return true;
	}
	for (uint32_t i = 0; i < runs->seeds && passed && runs->left_out == left_out; i++) {
		Variation variation = crash_variation(test, runs->seed + i);

		passed = run_variation(test, &variation, runs, why);
	}
	return passed;
}

bool
sql_test_run(const SqlTest *test, SqlTestRuns *runs, Buffer *why)
{
	bool passed = true;

	for (size_t i = 0; i < VARIATION_COUNT && passed && !runs->crashes_only; i++)
		if (!variations[i].trial.reload || !looks_inside(test))
			passed = run_variation(test, &variations[i], runs, why);
	return passed && run_with_crashes(test, runs, why);
}
