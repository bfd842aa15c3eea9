/* tests/unit/test_advice.c -- which rule decides on which sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/advice.c" /* the program's, not the library's */

/* Long, even, slow and without latency. */
static Sample
quiet(void)
{
	return (Sample){.records = 10000,
			.seconds = 5,
			.slices = 20,
			.bytes_per_record = 100,
			.records_per_read = 20,
			.variation = 0.1,
			.latency_ms = 2,
			.memory = 0.3};
}

static void
expect(const Sample *sample, BatchStrategy strategy, const char *why)
{
	Advice advice = advise(sample);

	if (advice.strategy != strategy || strstr(advice.why, why) == NULL)
		fail_msg("%s: %s; not %s: %s", batch_strategy_name(advice.strategy), advice.why,
			 batch_strategy_name(strategy), why);
	assert_int_equal(advice.judged, strncmp(why, "too short", 9) != 0);
}

static void
test_nothing_asks_for_a_strategy(void **state)
{
	Sample sample = quiet();

	(void)state;
	expect(&sample, BATCH_NONE, "the query keeps up");
	sample.memory = -1;
	expect(&sample, BATCH_NONE, "the query keeps up");
	sample.behind = true;
	expect(&sample, BATCH_NONE, "always has more");
	sample.records = 1000000;
	sample.records_per_read = 100;
	sample.behind = false;
	expect(&sample, BATCH_NONE, "the query keeps up");
}

static void
test_a_short_sample_is_not_judged(void **state)
{
	Sample sample = quiet();

	(void)state;
	sample.memory = 0.99; /* whatever else */
	sample.seconds = 0.99;
	expect(&sample, BATCH_NONE, "too short a sample to judge: a second");
	sample.ended = true;
	expect(&sample, BATCH_NONE, "too short a sample to judge: the source ended");
	sample.seconds = 1;
	expect(&sample, BATCH_MEMORY, "memory");
	sample.slices = 2;
	expect(&sample, BATCH_NONE, "too short a sample to judge: the source ended");
}

static void
test_memory_comes_first(void **state)
{
	Sample sample = quiet();

	(void)state;
	sample.behind = sample.grouped = true;
	sample.variation = 1;
	sample.memory = 0.69;
	expect(&sample, BATCH_ADAPTIVE, "found again");
	sample.memory = 0.7;
	expect(&sample, BATCH_MEMORY, "little memory");
}

static void
test_a_size_that_has_to_be_found(void **state)
{
	Sample sample = quiet();

	(void)state;
	sample.variation = 0.5;
	expect(&sample, BATCH_ADAPTIVE, "bursts");
	sample.behind = true;
	expect(&sample, BATCH_ADAPTIVE, "found again");
	sample.variation = 0.49;
	sample.latency_ms = 100;
	expect(&sample, BATCH_ADAPTIVE, "wait long");
	sample.latency_ms = 99;
	expect(&sample, BATCH_NONE, "always has more");
}

static void
test_windows_latency_and_small_reads(void **state)
{
	Sample sample = quiet();

	(void)state;
	sample.latency_ms = 100;
	expect(&sample, BATCH_LATENCY, "late");
	sample.grouped = true;
	expect(&sample, BATCH_WINDOW, "windows close");
	assert_string_equal(advise(&sample).option, "batch.window_duration_ms");
	sample.grouped = false;
	sample.records = 250000;
	expect(&sample, BATCH_LATENCY, "late");
	sample.records = 250001;
	expect(&sample, BATCH_FIXED, "few to a read");
	sample.records_per_read = 100;
	expect(&sample, BATCH_NONE, "nothing asks");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_asks_for_a_strategy),
		cmocka_unit_test(test_a_short_sample_is_not_judged),
		cmocka_unit_test(test_memory_comes_first),
		cmocka_unit_test(test_a_size_that_has_to_be_found),
		cmocka_unit_test(test_windows_latency_and_small_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
