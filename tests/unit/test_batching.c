/* tests/unit/test_batching.c -- what each batch strategy makes of a backlog, a clock and what was
 * read. */
#include "batching_fixture.h"

static void
set_up_file(Fixture *f, const char *batch, const char *own)
{
	set_up_source(f, "file", batch, own);
}

static void
assert_counts(const Fixture *f, uint64_t batches, uint64_t rows, uint64_t full)
{
	assert_int_equal(f->batcher.counts.batches, batches);
	assert_int_equal(f->batcher.counts.batch_rows, rows);
	assert_int_equal(f->batcher.counts.full, full);
}

/* ---- FixedSize ---- */

#define FIXED "strategy=FixedSize batch_size=100 "

static void
test_fixed_size_cuts_at_rows(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, FIXED "timeout_ms=1000");
	assert_int_equal(batcher_rows(&f.batcher), 100);
	assert_int_equal(batcher_bytes(&f.batcher), 16777216);
	note_read(&f, 60, 600);
	assert_int_equal(batcher_rows(&f.batcher), 40);
	assert_counts(&f, 0, 0, 0);
	note_read(&f, 39, 390);
	assert_int_equal(batcher_rows(&f.batcher), 1);
	assert_counts(&f, 0, 0, 0);
	note_read(&f, 1, 10);
	assert_int_equal(batcher_rows(&f.batcher), 100);
	assert_counts(&f, 1, 100, 1);
	note_read(&f, 130, 1300); /* a reader that could not stop before */
	assert_int_equal(batcher_rows(&f.batcher), 100);
	assert_counts(&f, 2, 230, 2);
}

static void
test_fixed_size_cuts_at_bytes(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, FIXED "max_memory_per_batch=2000 timeout_ms=1000");
	assert_int_equal(batcher_bytes(&f.batcher), 2000);
	note_read(&f, 10, 1600);
	assert_int_equal(batcher_bytes(&f.batcher), 400);
	assert_int_equal(batcher_rows(&f.batcher), 90);
	note_read(&f, 1, 399);
	assert_int_equal(batcher_bytes(&f.batcher), 1);
	assert_counts(&f, 0, 0, 0);
	note_read(&f, 1, 1);
	assert_int_equal(batcher_bytes(&f.batcher), 2000);
	assert_int_equal(batcher_rows(&f.batcher), 100);
	assert_counts(&f, 1, 12, 1);
	note_read(&f, 1, 5000); /* one that is longer */
	assert_counts(&f, 2, 13, 2);
	note_read(&f, 100, 100); /* rows decide as well */
	assert_counts(&f, 3, 113, 3);
}

static void
test_fixed_size_waits_for_a_full_batch(void **state)
{
	Fixture f;
	Backlog bytes = {.rows = 5, .bytes = 1999};
	Backlog must = {.rows = 0, .full = true};

	(void)state;
	set_up(&f, FIXED "max_memory_per_batch=2000 timeout_ms=50");
	assert_true(batcher_wants_backlog(&f.batcher));
	assert_int_equal(wait_for(&f, 99, 10), 50);
	assert_int_equal(wait_for(&f, 100, 10), 0);
	assert_int_equal(wait_for(&f, 5000, 10), 0);
	assert_int_equal(batcher_wait(&f.batcher, &bytes, 10, 10), 50);
	bytes.bytes++;
	assert_int_equal(batcher_wait(&f.batcher, &bytes, 10, 10), 0);
	assert_int_equal(batcher_wait(&f.batcher, &must, 10, 10), 0);
}

static void
test_fixed_size_reads_at_the_timeout(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, FIXED "timeout_ms=50");
	assert_true(wait_for(&f, 0, 1000) > 0); /* nothing there: no matter how long */
	assert_true(wait_for(&f, 0, 9000) > 0);
	assert_int_equal(wait_for(&f, 1, 9000), 50);
	assert_int_equal(wait_for(&f, 7, 9030), 20); /* of the first record */
	assert_int_equal(wait_for(&f, 7, 9049), 1);
	assert_int_equal(wait_for(&f, 7, 9050), 0);
	f.now_ms = 9050;
	note_read(&f, 7, 70);
	assert_false(batcher_wants_backlog(&f.batcher)); /* what is there now belongs to it */
	assert_int_equal(wait_for(&f, 1, 9050), 0);
	assert_counts(&f, 0, 0, 0);
	note_read(&f, 0, 0);
	assert_counts(&f, 1, 7, 0);
	assert_true(batcher_wants_backlog(&f.batcher));
	note_read(&f, 0, 0); /* no batch */
	assert_counts(&f, 1, 7, 0);
	assert_int_equal(wait_for(&f, 1, 9060), 50); /* another batch, another wait */
	assert_true(wait_for(&f, 0, 9070) > 0);      /* somebody has taken it back */
	assert_int_equal(wait_for(&f, 1, 9080), 50);
}

static void
test_wait_begins_anew_behind_a_full_batch(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, "batch_size=10 timeout_ms=50");
	assert_int_equal(wait_for(&f, 3, 1000), 50);
	assert_int_equal(wait_for(&f, 12, 1040), 0);
	f.now_ms = 1040;
	note_read(&f, 10, 100);
	assert_counts(&f, 1, 10, 1);
	assert_int_equal(wait_for(&f, 2, 1045), 50);
	assert_int_equal(wait_for(&f, 2, 1094), 1);
	assert_int_equal(wait_for(&f, 2, 1095), 0);
}

static void
test_source_without_backlog_is_not_waited_for(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, FIXED "timeout_ms=50");
	assert_int_equal(batcher_wait(&f.batcher, NULL, 1000, 1000), 0);
	set_up(&f, FIXED "timeout_ms=0"); /* no timeout */
	assert_int_equal(wait_for(&f, 1, 1000), 0);
	assert_true(wait_for(&f, 0, 1000) > 0);
}

/* ---- TimeWindow ---- */

#define WINDOW "strategy=TimeWindow window_duration_ms=1000 max_batch_size=10 "

static int64_t
wait_in_window(Fixture *f, uint64_t rows, int64_t now_ms, int64_t wall_ms)
{
	Backlog backlog = {.rows = rows};

	return batcher_wait(&f->batcher, &backlog, now_ms, wall_ms);
}

static void
test_time_window_ends_with_the_span(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, WINDOW);
	assert_int_equal(batcher_rows(&f.batcher), 10);
	assert_true(wait_in_window(&f, 0, 5, 10300) > 0);
	assert_int_equal(wait_in_window(&f, 1, 5, 10300), 700);
	assert_int_equal(wait_in_window(&f, 9, 405, 10700), 300);
	assert_int_equal(wait_in_window(&f, 9, 704, 10999), 1);
	assert_int_equal(wait_in_window(&f, 9, 705, 11000), 0);
	assert_int_equal(wait_in_window(&f, 9, 905, 11200), 0); /* not the end of the next one */
	note_read(&f, 9, 90);
	note_read(&f, 0, 0);
	assert_counts(&f, 1, 9, 0);
	assert_int_equal(wait_in_window(&f, 1, 1705, 12000), 1000); /* a span has its first moment
								     */
	assert_int_equal(wait_in_window(&f, 1, 2705, 13000), 0);
}

static void
test_time_window_may_be_full_sooner(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, WINDOW);
	assert_int_equal(wait_in_window(&f, 9, 5, 10300), 700);
	assert_int_equal(wait_in_window(&f, 10, 6, 10301), 0);
	note_read(&f, 10, 100);
	assert_counts(&f, 1, 10, 1);
	assert_int_equal(wait_in_window(&f, 2, 7, 10302), 698);
}

static void
test_time_window_by_event_time_does_not_wait(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, WINDOW "window_alignment=event_time");
	assert_false(batcher_wants_backlog(&f.batcher));
	assert_int_equal(wait_in_window(&f, 1, 5, 10300), 0);
	assert_int_equal(batcher_rows(&f.batcher), 10);
	set_up_file(&f, WINDOW, "path=x window_processing=true");
	assert_int_equal(wait_in_window(&f, 1, 5, 10300), 700);
	set_up_file(&f, WINDOW, "path=x window_processing=false");
	assert_int_equal(wait_in_window(&f, 1, 5, 10300), 0);
}

/* ---- AdaptiveSize ---- */

#define WINDOW_MS 100 /* performance_window_ms */

#define ADAPTIVE                                                                                   \
	"strategy=AdaptiveSize min_batch_size=50 max_batch_size=400 performance_window_ms=100 "
/* the same, from 100 records on by the factor 2 */
#define BY_TWO ADAPTIVE "initial_batch_size=100 adaptation_factor=2"

/* A performance window in which so many records came in a second. */
static void
run_at(Fixture *f, int64_t throughput, uint64_t expected)
{
	run_batch(f, 0, (int64_t)f->batcher.size * 1000 / throughput);
	assert_int_equal(f->batcher.size, expected);
	assert_int_equal(batcher_rows(&f->batcher), expected);
}

static void
test_adaptive_size_grows_with_throughput(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_TWO);
	assert_false(batcher_wants_backlog(&f.batcher));
	assert_int_equal(wait_for(&f, 1, 0), 0);
	run_at(&f, 100, 200);
	run_at(&f, 150, 400);
	run_at(&f, 200, 400);
	run_at(&f, 300, 400);
	assert_int_equal(f.batcher.counts.grown, 2);
	assert_int_equal(f.batcher.counts.shrunk, 0);
	set_up(&f, ADAPTIVE "initial_batch_size=100 adaptation_factor=1.5");
	run_at(&f, 100, 150);
	run_at(&f, 100, 225); /* as good as before */
	run_at(&f, 98, 338);  /* noise */
	run_at(&f, 98, 400);
}

static void
test_adaptive_size_turns_back(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_TWO);
	run_at(&f, 200, 200);
	run_at(&f, 400, 400);
	run_at(&f, 300, 200); /* worse: the step is taken back */
	run_at(&f, 400, 100); /* better: on in that direction */
	run_at(&f, 500, 50);
	run_at(&f, 500, 100); /* from the least upward */
	run_at(&f, 400, 50);
	run_at(&f, 300, 100); /* worse, although it is the least */
	run_at(&f, 400, 200);
	assert_int_equal(f.batcher.counts.grown, 5);
	assert_int_equal(f.batcher.counts.shrunk, 4);
}

/* A window in which so many records came in a second, and that was the mean latency. */
static void
run_late_at(Fixture *f, int64_t throughput, int64_t latency_ms, uint64_t expected)
{
	note_latency(f, latency_ms - latency_ms / 2);
	note_latency(f, latency_ms + latency_ms / 2);
	run_at(f, throughput, expected);
}

static void
test_adaptive_size_grows_for_its_latency(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_TWO);
	run_late_at(&f, 100, 10, 200);
	run_late_at(&f, 180, 18, 400); /* twice as late, twice as fast */
	run_late_at(&f, 180, 18, 400);
	run_late_at(&f, 180, 19, 400); /* noise */
	assert_int_equal(f.batcher.counts.shrunk, 0);
	set_up(&f, BY_TWO);
	run_late_at(&f, 100, 10, 200);
	run_late_at(&f, 111, 20, 400); /* much later, but clearly faster */
	run_late_at(&f, 120, 40, 200); /* that little is not worth it */
}

static void
test_adaptive_size_takes_back_what_is_late(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_TWO);
	run_late_at(&f, 100, 10, 200);
	run_late_at(&f, 103, 20, 100); /* twice as late for so little */
	run_late_at(&f, 100, 10, 50);  /* nothing lost by it: on */
	run_late_at(&f, 70, 6, 100);   /* that was too small */
	run_late_at(&f, 100, 10, 200); /* clearly faster */
	run_late_at(&f, 103, 20, 100);
	assert_int_equal(f.batcher.counts.grown, 3);
	assert_int_equal(f.batcher.counts.shrunk, 3);
}

static void
test_adaptive_size_shrinks_when_it_becomes_late(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, ADAPTIVE "initial_batch_size=400 adaptation_factor=2");
	run_late_at(&f, 100, 10, 400);
	run_late_at(&f, 100, 12, 200); /* without a step of its own */
	run_late_at(&f, 100, 40, 100); /* smaller ones are not what makes it so */
	run_late_at(&f, 100, 40, 50);
	for (int i = 0; i < 3; i++) {
		run_late_at(&f, 100, 40, 100); /* the least, and a try */
		run_late_at(&f, 100, 80, 50);
	}
	assert_int_equal(f.batcher.counts.grown, 3);
}

static void
test_adaptive_size_is_not_late_below_a_millisecond(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_TWO);
	batcher_note_latency(&f.batcher, 100);
	run_at(&f, 100, 200);
	batcher_note_latency(&f.batcher, 900);
	run_at(&f, 100, 400);
	batcher_note_latency(&f.batcher, 1200);
	run_at(&f, 100, 200);
}

/* What was measured before a pause says nothing of what comes behind it. */
static void
test_adaptive_size_forgets_latency_without_demand(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, ADAPTIVE "initial_batch_size=200 adaptation_factor=2");
	run_late_at(&f, 100, 10, 400);
	note_latency(&f, 2);
	run_batch(&f, 10, WINDOW_MS);
	assert_int_equal(f.batcher.size, 200);
	run_late_at(&f, 100, 20, 400);
	run_at(&f, 100, 400); /* nothing was written in this one */
	run_late_at(&f, 100, 50, 400);
	assert_int_equal(f.batcher.counts.shrunk, 1);
}

static void
test_adaptive_size_follows_demand(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, ADAPTIVE "initial_batch_size=200 adaptation_factor=2");
	run_batch(&f, 150, WINDOW_MS);
	assert_int_equal(f.batcher.size, 100);
	run_batch(&f, 99, WINDOW_MS);
	assert_int_equal(f.batcher.size, 50);
	run_batch(&f, 10, WINDOW_MS);
	assert_int_equal(f.batcher.size, 50);
	run_at(&f, 10, 100); /* slow, but they fill */
	run_at(&f, 10, 200);
}

/* Half of the batches of a window have to fill. */
static void
test_adaptive_size_counts_full_batches(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_TWO);
	note_read(&f, 100, 0);
	note_read(&f, 10, 0);
	note_read(&f, 0, 0);
	note_read(&f, 10, 0);
	run_batch(&f, 0, WINDOW_MS); /* two of three: the second small one is a part of it */
	assert_int_equal(f.batcher.size, 200);
	note_read(&f, 10, 0);
	note_read(&f, 0, 0);
	note_read(&f, 10, 0);
	note_read(&f, 0, 0);
	run_batch(&f, 0, WINDOW_MS); /* one of three */
	assert_int_equal(f.batcher.size, 100);
}

static void
test_adaptive_size_changes_once_a_window(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_TWO);
	for (int i = 0; i < 99; i++) {
		run_batch(&f, 0, 1);
		assert_int_equal(f.batcher.size, 100);
	}
	run_batch(&f, 0, 1);
	assert_int_equal(f.batcher.size, 200);
	for (int i = 0; i < 33; i++)
		run_batch(&f, 0, 3);
	assert_int_equal(f.batcher.size, 200);
	f.batcher.throughput = 0.001; /* whatever it was */
	run_batch(&f, 0, 3);
	assert_int_equal(f.batcher.size, 400);
	assert_int_equal(f.batcher.counts.grown, 2);
}

/* However little the factor is, it grows and shrinks. */
static void
test_adaptive_size_of_few_records(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, "strategy=AdaptiveSize min_batch_size=1 initial_batch_size=1 max_batch_size=5 "
		   "adaptation_factor=1.2 performance_window_ms=100");
	for (uint64_t size = 2; size <= 5; size++)
		run_at(&f, 10, size);
	run_at(&f, 10, 5);
	for (uint64_t size = 4; size >= 1; size--) {
		run_batch(&f, size, 1000); /* not full */
		assert_int_equal(f.batcher.size, size);
	}
}

static void
test_adaptive_size_switched_off(void **state)
{
	Fixture f;

	(void)state;
	set_up_file(&f, BY_TWO, "path=x adaptive_reading=false");
	run_at(&f, 100, 100);
	run_at(&f, 200, 100);
	run_batch(&f, 10, WINDOW_MS);
	assert_int_equal(f.batcher.size, 100);
	set_up_file(&f, BY_TWO, "path=x adaptive_reading=true");
	run_at(&f, 100, 200);
}

/* ---- MemoryBased ---- */

#define BY_MEMORY                                                                                  \
	"strategy=MemoryBased min_batch_size=100 max_batch_size=1000 memory_check_frequency_ms=50"

static void
run_with(Fixture *f, int percent, int64_t span_ms, uint64_t expected)
{
	use_percent(percent);
	f->now_ms += span_ms;
	note_read(f, f->batcher.size, 0);
	assert_int_equal(f->batcher.size, expected);
	assert_int_equal(batcher_rows(&f->batcher), expected);
}

static void
test_memory_based_shrinks_and_grows(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_MEMORY);
	f.batcher.memory.root = memory_root;
	assert_int_equal(f.batcher.size, 1000);
	assert_false(batcher_wants_backlog(&f.batcher));
	run_with(&f, 50, 50, 1000);
	run_with(&f, 80, 50, 667);
	run_with(&f, 89, 50, 445);
	run_with(&f, 85, 50, 297);
	run_with(&f, 85, 50, 198);
	run_with(&f, 85, 50, 132);
	run_with(&f, 85, 50, 100);
	run_with(&f, 85, 50, 100);
	assert_int_equal(f.batcher.counts.shrunk, 6);
	run_with(&f, 79, 50, 150);
	run_with(&f, 0, 50, 225);
	run_with(&f, 79, 50, 338);
	run_with(&f, 79, 50, 507);
	run_with(&f, 79, 50, 761);
	run_with(&f, 79, 50, 1000);
	run_with(&f, 79, 50, 1000);
	assert_int_equal(f.batcher.counts.grown, 6);
}

static void
test_memory_based_at_pressure(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_MEMORY);
	f.batcher.memory.root = memory_root;
	run_with(&f, 90, 50, 100);
	run_with(&f, 99, 50, 100);
	run_with(&f, 85, 50, 100);
	run_with(&f, 20, 50, 150);
	assert_int_equal(f.batcher.counts.shrunk, 1);
}

static void
test_memory_based_looks_from_time_to_time(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, BY_MEMORY);
	f.batcher.memory.root = memory_root;
	run_with(&f, 85, 50, 667);
	run_with(&f, 95, 49, 667);
	run_with(&f, 95, 1, 100);
	run_with(&f, 10, 49, 100);
	run_with(&f, 10, 1, 150);
}

static void
test_memory_based_switched_off(void **state)
{
	Fixture f;

	(void)state;
	set_up_file(&f, BY_MEMORY, "path=x memory_monitoring=false");
	f.batcher.memory.root = memory_root;
	run_with(&f, 89, 50, 1000);
	run_with(&f, 90, 50, 100);
	run_with(&f, 89, 50, 150);
	set_up_file(&f, BY_MEMORY, "path=x gc_aware_reading=false");
	f.batcher.memory.root = memory_root;
	run_with(&f, 79, 50, 1000);
	run_with(&f, 99, 50, 667);
	set_up_file(&f, BY_MEMORY, "path=x memory_monitoring=false gc_aware_reading=false");
	f.batcher.memory.root = memory_root;
	run_with(&f, 100, 50, 1000);
}

/* ---- LowLatency ---- */

#define LATENCY "strategy=LowLatency batch_size=10 max_latency_ms=100 "

static void
test_low_latency_waits_half_of_it(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, LATENCY);
	assert_false(batcher_wants_backlog(&f.batcher));
	assert_int_equal(wait_for(&f, 1, 1000), 0);
	assert_int_equal(batcher_rows(&f.batcher), 10);
	set_up(&f, LATENCY "immediate_processing=false");
	assert_true(batcher_wants_backlog(&f.batcher));
	assert_int_equal(wait_for(&f, 1, 1000), 50);
	assert_int_equal(wait_for(&f, 9, 1049), 1);
	assert_int_equal(wait_for(&f, 9, 1050), 0);
	set_up(&f, LATENCY "immediate_processing=false");
	assert_int_equal(wait_for(&f, 10, 1000), 0);
}

/* A batch, of which that was the worst latency. */
static void
run_late(Fixture *f, int64_t latency_ms, int64_t span_ms, uint64_t expected)
{
	f->now_ms += span_ms;
	note_latency(f, latency_ms);
	note_latency(f, 1);
	note_read(f, f->batcher.size, 0);
	assert_int_equal(f->batcher.size, expected);
}

static void
test_low_latency_catches_up(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, LATENCY);
	run_late(&f, 100, 5000, 10);
	run_late(&f, 101, 1, 20);
	run_late(&f, 1, 1, 20); /* what was late before does not count twice */
	run_late(&f, 500, 1, 40);
	run_late(&f, 100, 999, 40);
	run_late(&f, 100, 1, 20); /* calm for a second */
	run_late(&f, 100, 999, 20);
	run_late(&f, 101, 1, 40); /* not quite */
	run_late(&f, 1, 1000, 20);
	run_late(&f, 1, 1000, 10);
	run_late(&f, 1, 1000, 10);
	assert_int_equal(f.batcher.counts.grown, 3);
	assert_int_equal(f.batcher.counts.shrunk, 3);
	for (uint64_t size = 20; size <= 2560; size *= 2)
		run_late(&f, 101, 1, size);
	run_late(&f, 101, 1, 2560); /* 5120 would be too many */
}

static void
test_low_latency_comes_back_to_its_size(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, "strategy=LowLatency batch_size=7");
	run_late(&f, 101, 1, 14);
	run_late(&f, 101, 1, 28);
	run_late(&f, 0, 1000, 14);
	run_late(&f, 0, 1000, 7);
	run_late(&f, 0, 1000, 7);
	set_up(&f, "strategy=LowLatency batch_size=3000"); /* a large one stays as it is */
	run_late(&f, 101, 1, 3000);
	run_late(&f, 0, 1000, 3000);
}

static void
test_low_latency_breaches(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, LATENCY);
	assert_false(note_latency(&f, 0));
	assert_false(note_latency(&f, 100));
	assert_true(note_latency(&f, 101));
	assert_true(note_latency(&f, 5000));
	assert_false(note_latency(&f, 100));
	note_read(&f, 10, 0);
	assert_int_equal(f.batcher.size, 20); /* three were late, one step */
	set_up(&f, LATENCY "latency_monitoring=false");
	assert_false(note_latency(&f, 101));
	run_late(&f, 500, 1, 10);
}

static void
test_low_latency_switched_off(void **state)
{
	Fixture f;

	(void)state;
	set_up_file(&f, LATENCY "immediate_processing=false", "path=x low_latency_mode=false");
	assert_false(batcher_wants_backlog(&f.batcher));
	assert_int_equal(batcher_rows(&f.batcher), 0); /* no limit */
	assert_int_equal(wait_for(&f, 1, 1000), 0);
	note_read(&f, 5000, 0);
	assert_counts(&f, 0, 0, 0);
	note_latency(&f, 500);
	note_read(&f, 0, 0);
	assert_int_equal(f.batcher.counts.batches, 1);
	assert_int_equal(batcher_rows(&f.batcher), 0);
	set_up_file(&f, LATENCY "immediate_processing=false", "path=x low_latency_mode=true");
	assert_int_equal(batcher_rows(&f.batcher), 10);
	assert_int_equal(wait_for(&f, 1, 1000), 50);
}

/* ---- no batches ---- */

static void
test_batching_disabled(void **state)
{
	const char *const strategies[] = {FIXED, BY_TWO, BY_MEMORY,
					  LATENCY "immediate_processing=false", WINDOW};
	Fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++) {
		char options[256];

		snprintf(options, sizeof options, "%s enable_batching=false", strategies[i]);
		set_up(&f, options);
		f.batcher.memory.root = memory_root;
		assert_false(batcher_wants_backlog(&f.batcher));
		assert_int_equal(wait_for(&f, 1, 1000), 0);
		assert_int_equal(batcher_rows(&f.batcher), 1);
		for (uint64_t n = 1; n <= 3; n++) {
			note_latency(&f, 500);
			f.now_ms += 5000;
			note_read(&f, 1, 10);
			assert_counts(&f, n, n, n);
			assert_int_equal(batcher_rows(&f.batcher), 1);
		}
	}
}

static void
test_no_strategy(void **state)
{
	Endpoint endpoint = {.connector = connector_find(STR("memory"))};
	Fixture f = {0};

	(void)state;
	batcher_open(&f.batcher, &endpoint, 0);
	assert_false(batcher_wants_backlog(&f.batcher));
	assert_int_equal(wait_for(&f, 1, 1000), 0);
	assert_int_equal(batcher_rows(&f.batcher), 0);
	assert_int_equal(batcher_bytes(&f.batcher), 0);
	note_read(&f, 10, 100);
	note_read(&f, 0, 0);
	assert_counts(&f, 0, 0, 0);
	assert_int_equal(batcher_rows(&f.batcher), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_size_cuts_at_rows),
		cmocka_unit_test(test_fixed_size_cuts_at_bytes),
		cmocka_unit_test(test_fixed_size_waits_for_a_full_batch),
		cmocka_unit_test(test_fixed_size_reads_at_the_timeout),
		cmocka_unit_test(test_wait_begins_anew_behind_a_full_batch),
		cmocka_unit_test(test_source_without_backlog_is_not_waited_for),
		cmocka_unit_test(test_time_window_ends_with_the_span),
		cmocka_unit_test(test_time_window_may_be_full_sooner),
		cmocka_unit_test(test_time_window_by_event_time_does_not_wait),
		cmocka_unit_test(test_adaptive_size_grows_with_throughput),
		cmocka_unit_test(test_adaptive_size_turns_back),
		cmocka_unit_test(test_adaptive_size_grows_for_its_latency),
		cmocka_unit_test(test_adaptive_size_takes_back_what_is_late),
		cmocka_unit_test(test_adaptive_size_shrinks_when_it_becomes_late),
		cmocka_unit_test(test_adaptive_size_is_not_late_below_a_millisecond),
		cmocka_unit_test(test_adaptive_size_forgets_latency_without_demand),
		cmocka_unit_test(test_adaptive_size_follows_demand),
		cmocka_unit_test(test_adaptive_size_counts_full_batches),
		cmocka_unit_test(test_adaptive_size_changes_once_a_window),
		cmocka_unit_test(test_adaptive_size_of_few_records),
		cmocka_unit_test(test_adaptive_size_switched_off),
		MEMORY_TEST(test_memory_based_shrinks_and_grows),
		MEMORY_TEST(test_memory_based_at_pressure),
		MEMORY_TEST(test_memory_based_looks_from_time_to_time),
		MEMORY_TEST(test_memory_based_switched_off),
		cmocka_unit_test(test_low_latency_waits_half_of_it),
		cmocka_unit_test(test_low_latency_catches_up),
		cmocka_unit_test(test_low_latency_comes_back_to_its_size),
		cmocka_unit_test(test_low_latency_breaches),
		cmocka_unit_test(test_low_latency_switched_off),
		MEMORY_TEST(test_batching_disabled),
		cmocka_unit_test(test_no_strategy),
	};

	return cmocka_run_group_tests(tests, make_plans, free_plans);
}
