/* tests/unit/test_batch_parameters.c -- each parameter of a batch strategy has its effect, both as
 * the user says it and by default.
 *
 * A row of plan/batch_strategy_list.h without a case here fails. */
#include "batching_fixture.h"

/* ---- what can be seen of a batcher ---- */

static int64_t
rows_of_a_batch(Fixture *f)
{
	return batcher_rows(&f->batcher);
}

static int64_t
bytes_of_a_batch(Fixture *f)
{
	return (int64_t)batcher_bytes(&f->batcher);
}

/* That of a record which comes when 1970 begins. */
static int64_t
wait_of_a_record(Fixture *f)
{
	return wait_for(f, 1, 0);
}

/* Full batches one after another, at an even rate. */
static int64_t
rows_at_most(Fixture *f)
{
	for (int i = 0; i < 50; i++)
		run_batch(f, 0, (int64_t)f->batcher.size * 20);
	return rows_of_a_batch(f);
}

static int64_t
rows_at_least(Fixture *f)
{
	for (int i = 0; i < 50; i++)
		run_batch(f, 1, 20000);
	return rows_of_a_batch(f);
}

static int64_t
rows_after_a_window(Fixture *f)
{
	run_batch(f, 0, 10000);
	return rows_of_a_batch(f);
}

/* When the size changes, if it is looked at all the time. */
static int64_t
ms_until_a_change(Fixture *f)
{
	uint64_t size = f->batcher.size;

	while (f->batcher.size == size && f->now_ms < 100000)
		run_batch(f, 0, 1);
	return f->now_ms;
}

static int64_t
rows_when_memory_is_used(Fixture *f, int percent)
{
	use_percent(percent);
	f->batcher.memory.root = memory_root;
	run_batch(f, 0, 5000);
	return rows_of_a_batch(f);
}

static int64_t
rows_at_75_percent(Fixture *f)
{
	return rows_when_memory_is_used(f, 75);
}

static int64_t
rows_at_85_percent(Fixture *f)
{
	return rows_when_memory_is_used(f, 85);
}

static int64_t
rows_at_95_percent(Fixture *f)
{
	return rows_when_memory_is_used(f, 95);
}

/* From the look before on, which found enough of it. */
static int64_t
ms_until_memory_is_seen(Fixture *f)
{
	use_percent(10);
	f->batcher.memory.root = memory_root;
	run_batch(f, 0, 0);
	use_percent(85);
	return ms_until_a_change(f);
}

static int64_t
first_breach(Fixture *f)
{
	int64_t ms = 0;

	while (!note_latency(f, ms) && ms < 10000)
		ms++;
	return ms;
}

static int64_t
rows_after_a_late_batch(Fixture *f)
{
	note_latency(f, 5000);
	run_batch(f, 0, 1);
	return rows_of_a_batch(f);
}

/* ---- the cases ---- */

typedef struct Effect {
	const char *strategy; /* "none": the options that all have */
	const char *option;
	const char *value;
	int64_t (*observe)(Fixture *f);
	int64_t by_default;
	int64_t with_value;
} Effect;

static const Effect effects[] = {
	{"none", "strategy", "LowLatency", rows_of_a_batch, 1000, 10},
	{"none", "enable_batching", "false", rows_of_a_batch, 1000, 1},
	{"FixedSize", "batch_size", "7", rows_of_a_batch, 1000, 7},
	{"FixedSize", "timeout_ms", "40", wait_of_a_record, 30000, 40},
	{"FixedSize", "max_memory_per_batch", "2048", bytes_of_a_batch, 16777216, 2048},
	{"TimeWindow", "window_duration_ms", "40", wait_of_a_record, 5000, 40},
	{"TimeWindow", "max_batch_size", "7", rows_of_a_batch, 10000, 7},
	{"TimeWindow", "window_alignment", "event_time", wait_of_a_record, 5000, 0},
	{"AdaptiveSize", "initial_batch_size", "500", rows_of_a_batch, 1000, 500},
	{"AdaptiveSize", "max_batch_size", "2000", rows_at_most, 10000, 2000},
	{"AdaptiveSize", "min_batch_size", "300", rows_at_least, 100, 300},
	{"AdaptiveSize", "adaptation_factor", "2", rows_after_a_window, 1500, 2000},
	{"AdaptiveSize", "performance_window_ms", "20", ms_until_a_change, 10000, 20},
	{"MemoryBased", "target_memory_usage", "0.7", rows_at_75_percent, 5000, 3333},
	{"MemoryBased", "min_batch_size", "7", rows_at_95_percent, 100, 7},
	{"MemoryBased", "max_batch_size", "300", rows_of_a_batch, 5000, 300},
	{"MemoryBased", "memory_check_frequency_ms", "20", ms_until_memory_is_seen, 5000, 20},
	{"MemoryBased", "gc_pressure_threshold", "0.8", rows_at_85_percent, 3333, 100},
	{"LowLatency", "max_latency_ms", "40", first_breach, 101, 41},
	{"LowLatency", "batch_size", "7", rows_of_a_batch, 10, 7},
	{"LowLatency", "immediate_processing", "false", wait_of_a_record, 0, 50},
	{"LowLatency", "latency_monitoring", "false", rows_after_a_late_batch, 20, 10},
};

#define EFFECT_COUNT (sizeof effects / sizeof *effects)

static const Effect *
effect_of(const char *strategy, const char *option)
{
	for (size_t i = 0; i < EFFECT_COUNT; i++)
		if (strcmp(effects[i].strategy, strategy) == 0 &&
		    strcmp(effects[i].option, option) == 0)
			return &effects[i];
	return NULL;
}

/* What is seen when the user says `more` of the strategy. */
static int64_t
observe(const Effect *effect, const char *more)
{
	bool common = strcmp(effect->strategy, "none") == 0;
	char options[256];
	Fixture f;

	snprintf(options, sizeof options, "%s%s %s",
		 common ? "timeout_ms=" : "strategy=", common ? "30000" : effect->strategy, more);
	set_up(&f, options);
	return effect->observe(&f);
}

static void
check(const Effect *effect)
{
	char more[128];

	snprintf(more, sizeof more, "%s=%s", effect->option, effect->value);
	int64_t seen = observe(effect, "");
	if (seen != effect->by_default)
		fail_msg("%s without %s: %lld, not %lld", effect->strategy, effect->option,
			 (long long)seen, (long long)effect->by_default);
	seen = observe(effect, more);
	if (seen != effect->with_value)
		fail_msg("%s with %s: %lld, not %lld", effect->strategy, more, (long long)seen,
			 (long long)effect->with_value);
}

static void
test_every_parameter_has_its_effect(void **state)
{
	size_t checked = 0;

	(void)state;
	for (BatchStrategy s = BATCH_NONE; s < BATCH_STRATEGY_COUNT; s++) {
		OptionGroup group = batch_group(s);

		for (uint32_t i = 0; i < group.count; i++, checked++) {
			const char *option = group.rows[i].name + strlen("batch.");
			const Effect *effect = effect_of(batch_strategy_name(s), option);

			if (effect == NULL)
				fail_msg("no case shows what %s of %s does", group.rows[i].name,
					 batch_strategy_name(s));
			check(effect);
		}
	}
	assert_int_equal(checked, EFFECT_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(test_every_parameter_has_its_effect),
	};

	return cmocka_run_group_tests(tests, make_plans, free_plans);
}
