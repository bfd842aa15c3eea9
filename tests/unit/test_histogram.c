/* tests/unit/test_histogram.c -- buckets, quantiles against sorted values, sums of two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka wants those before it */
#include <cmocka.h>

#include "base/histogram.h"

#define VALUES 5000

static HistogramCounts
counts_of(const Histogram *histogram)
{
	HistogramCounts counts;

	histogram_read(histogram, &counts);
	return counts;
}

static void
test_bounds(void **state)
{
	static const uint64_t first[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20};

	(void)state;
	for (uint32_t i = 0; i < sizeof first / sizeof *first; i++)
		assert_int_equal(histogram_bound(i), first[i]);
	assert_int_equal(histogram_bound(HISTOGRAM_BOUNDS - 1), 500000000);
}

/* A value that is a bound belongs to its bucket, the next one does not. */
static void
test_each_bound_is_the_last_of_its_bucket(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		Histogram histogram = {0};

		histogram_add(&histogram, histogram_bound(i), 2);
		histogram_add(&histogram, histogram_bound(i) + 1, 3);
		HistogramCounts counts = counts_of(&histogram);
		assert_int_equal(counts.buckets[i], 2);
		assert_int_equal(counts.buckets[i + 1], 3);
		assert_int_equal(counts.count, 5);
		assert_int_equal(counts.sum, 5 * histogram_bound(i) + 3);
	}
}

static void
test_equal_values_have_exact_quantiles(void **state)
{
	Histogram histogram = {0};
	HistogramCounts counts = counts_of(&histogram);

	(void)state;
	assert_int_equal(histogram_quantile(&counts, 0.5), 0);
	histogram_add(&histogram, 737, 100);
	counts = counts_of(&histogram);
	assert_int_equal(histogram_quantile(&counts, 0.01), 737);
	assert_int_equal(histogram_quantile(&counts, 0.5), 737);
	assert_int_equal(histogram_quantile(&counts, 1), 737);
}

/* Batches that are nearly all full are as large as a full one. */
static void
test_sizes_that_people_choose(void **state)
{
	static const uint64_t sizes[] = {10, 100, 250, 1000, 5000, 10000};

	(void)state;
	for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		Histogram histogram = {0};

		histogram_add(&histogram, sizes[i] / 2, 1);
		histogram_add(&histogram, sizes[i], 19);
		histogram_add(&histogram, sizes[i] * 3, 1);
		HistogramCounts counts = counts_of(&histogram);
		assert_int_equal(histogram_quantile(&counts, 0.5), sizes[i]);
		assert_int_equal(histogram_quantile(&counts, 0.95), sizes[i]);
		assert_int_equal(histogram_quantile(&counts, 1), sizes[i] * 3);
	}
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint32_t
bucket_of(uint64_t value)
{
	uint32_t at = 0;

	while (at < HISTOGRAM_BOUNDS && value > histogram_bound(at))
		at++;
	return at;
}

/* The quantile lies in the bucket of the true one. */
static void
test_quantiles_of_random_values(void **state)
{
	static const double quantiles[] = {0, 0.1, 0.5, 0.95, 0.99, 1};
	static uint64_t values[VALUES];
	Histogram histogram = {0};
	unsigned seed = 7;

	(void)state;
	for (uint32_t i = 0; i < VALUES; i++) {
		values[i] = (uint64_t)rand_r(&seed) >> (rand_r(&seed) % 31);
		histogram_add(&histogram, values[i], 1);
	}
	qsort(values, VALUES, sizeof *values, compare);
	HistogramCounts counts = counts_of(&histogram);
	assert_int_equal(counts.least, values[0]);
	assert_int_equal(counts.most, values[VALUES - 1]);
	for (uint32_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
		double place = quantiles[i] * VALUES;
		uint32_t at = place >= 1 ? (uint32_t)(place + 0.5) - 1 : 0;
		uint64_t got = histogram_quantile(&counts, quantiles[i]);

		assert_int_equal(bucket_of(got), bucket_of(values[at]));
		assert_true(got >= counts.least && got <= counts.most);
	}
}

static void
test_a_sum_is_as_one_histogram(void **state)
{
	Histogram parts[2] = {0}, whole = {0};
	HistogramCounts sum = {0}, empty = {0};
	unsigned seed = 11;

	(void)state;
	for (uint32_t i = 0; i < VALUES; i++) {
		uint64_t value = (uint64_t)(rand_r(&seed) % 100000) + 3;

		histogram_add(&parts[i % 2], value, 1 + i % 3);
		histogram_add(&whole, value, 1 + i % 3);
	}
	for (uint32_t i = 0; i < 2; i++) {
		HistogramCounts own = counts_of(&parts[i]);

		histogram_counts_add(&sum, &own);
	}
	histogram_counts_add(&sum, &empty);
	HistogramCounts expected = counts_of(&whole);
	assert_memory_equal(&sum, &expected, sizeof sum);
	Histogram again = {0};
	histogram_set(&again, &sum);
	HistogramCounts copy = counts_of(&again);
	assert_memory_equal(&copy, &expected, sizeof copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_each_bound_is_the_last_of_its_bucket),
		cmocka_unit_test(test_equal_values_have_exact_quantiles),
		cmocka_unit_test(test_sizes_that_people_choose),
		cmocka_unit_test(test_quantiles_of_random_values),
		cmocka_unit_test(test_a_sum_is_as_one_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
