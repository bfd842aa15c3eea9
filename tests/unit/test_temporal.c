/* tests/unit/test_temporal.c -- the calendar against Python's datetime, texts, intervals, laws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "type/temporal.h"
#include "vectors.h"

#define VECTORS SOURCE_DIR "/tests/unit/data/temporal_vectors.txt"
#define LAW_ROUNDS 100000
#define NOTHING INT64_MIN

static uint64_t random_state;

static uint64_t
random64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static int64_t
random_instant(void)
{
	uint64_t span = (uint64_t)(TIMESTAMP_MAX - TIMESTAMP_MIN) + 1;

	return TIMESTAMP_MIN + (int64_t)(random64() % span);
}

static int64_t
read64(const char *text)
{
	return strtoll(text, NULL, 10);
}

static TemporalUnit
read_unit(const char *text)
{
	TemporalUnit unit;

	if (!temporal_unit_find(str_from(text), 0, &unit))
		abort();
	return unit;
}

static bool
is_as_expected(const char *expected, TemporalResult result, int64_t value)
{
	static const char *const names[] = {"OK",      "SYNTAX", "RANGE", "LOST_DIGITS",
	                                    "PATTERN", "UNIT",   "SPACE"};

	if (result != TEMPORAL_OK)
		return value == NOTHING && strcmp(expected, names[result]) == 0;
	return (*expected == '-' || (*expected >= '0' && *expected <= '9')) &&
	       read64(expected) == value;
}

/* ---- vectors ---- */

static bool
check_print(char **f)
{
	char text[TIMESTAMP_TEXT_MAX];
	int64_t micros = read64(f[0]);
	size_t len = (size_t)(timestamp_print(text, micros) - text);
	int64_t back = NOTHING;
	int32_t days = 0;
	int64_t time_of_day = 0;

	bool right = len == strlen(f[1]) && memcmp(text, f[1], len) == 0;
	right &= timestamp_parse(text, len, &back) == TEMPORAL_OK && back == micros;
	right &= date_parse(text, 10, &days) == TEMPORAL_OK && days == timestamp_to_date(micros);
	right &= time_parse(text + 11, len - 12, &time_of_day) == TEMPORAL_OK &&
	         time_of_day == timestamp_to_time(micros);
	return right;
}

static bool
check_extract(char **f)
{
	static const TemporalUnit units[] = {
		UNIT_YEAR, UNIT_MONTH, UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND,
		UNIT_MICROSECOND, UNIT_ISODOW, UNIT_DOY, UNIT_WEEK, UNIT_ISOYEAR, UNIT_QUARTER,
		UNIT_CENTURY, UNIT_DECADE, UNIT_EPOCH,
	};
	int64_t micros = read64(f[0]);
	const char *p = f[1];
	int64_t value = 0;
	int64_t other = 0;

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (p == NULL || timestamp_extract(micros, units[i], &value) != TEMPORAL_OK ||
		    value != read64(p + (*p == ',')))
			return false;
		p = strchr(p + 1, ',');
	}
	timestamp_extract(micros, UNIT_ISODOW, &value);
	timestamp_extract(micros, UNIT_DOW, &other);
	return p == NULL && other == value % 7;
}

static bool
check_truncate(char **f)
{
	int64_t value = NOTHING;
	TemporalResult result = timestamp_truncate(read64(f[0]), read_unit(f[1]), &value);

	return is_as_expected(f[2], result, value);
}

static bool
check_diff(char **f)
{
	int64_t value = NOTHING;
	TemporalResult result =
		timestamp_diff(read64(f[0]), read64(f[1]), read_unit(f[2]), &value);

	return is_as_expected(f[3], result, value);
}

static bool
check_boundaries(char **f)
{
	int64_t value = NOTHING;
	TemporalResult result =
		timestamp_boundaries(read64(f[0]), read64(f[1]), read_unit(f[2]), &value);

	return is_as_expected(f[3], result, value);
}

static bool
check_add(char **f)
{
	Interval interval = {atoi(f[1]), atoi(f[2]), read64(f[3])};
	Interval negative;
	int64_t value = NOTHING;
	int64_t other = NOTHING;
	TemporalResult result = timestamp_add(read64(f[0]), interval, &value);

	interval_negate(interval, &negative);
	return is_as_expected(f[4], result, value) &&
	       timestamp_sub(read64(f[0]), negative, &other) == result && other == value;
}

static bool
check_format(char **f)
{
	char text[64];
	size_t len = 0;

	return timestamp_format(read64(f[0]), 0, STR("UTC"), f[1], strlen(f[1]), text, sizeof text,
	                        &len) == TEMPORAL_OK &&
	       len == strlen(f[2]) && memcmp(text, f[2], len) == 0;
}

static bool
check_scan(char **f)
{
	int64_t value = NOTHING;
	TemporalResult result =
		timestamp_scan(f[0], strlen(f[0]), f[1], strlen(f[1]), &value);

	if (strcmp(f[2], "FAIL") == 0)
		return result != TEMPORAL_OK && value == NOTHING;
	return is_as_expected(f[2], result, value);
}

static bool
check_timestamp(char **f)
{
	size_t len = strlen(f[0]);
	char *text = memcpy(malloc(len > 0 ? len : 1), f[0], len);
	int64_t value = NOTHING;
	TemporalResult result = timestamp_parse(text, len, &value);

	free(text);
	return is_as_expected(f[1], result, value);
}

static void
test_vectors(void **state)
{
	static const VectorCheck checks[] = {
		{"print", 2, check_print},       {"extract", 2, check_extract},
		{"truncate", 3, check_truncate}, {"diff", 4, check_diff},
		{"boundaries", 4, check_boundaries},
		{"add", 5, check_add},           {"format", 3, check_format},
		{"scan", 3, check_scan},         {"timestamp", 2, check_timestamp},
	};
	int done;

	(void)state;
	assert_int_equal(vectors_run(VECTORS, checks, sizeof checks / sizeof checks[0], &done), 0);
	printf("%d vectors\n", done);
	assert_true(done > 5000);
}

/* ---- laws ---- */

/* Every day there is: the next day is the next date. */
static void
test_all_days(void **state)
{
	CivilDate expected = {1, 1, 1};

	(void)state;
	for (int32_t days = DATE_MIN; days <= DATE_MAX; days++) {
		CivilDate civil = date_to_civil(days);
		int32_t back = 0;

		assert_true(civil.year == expected.year && civil.month == expected.month &&
		            civil.day == expected.day);
		assert_int_equal(date_make(civil.year, civil.month, civil.day, &back), TEMPORAL_OK);
		assert_int_equal(back, days);
		if (++expected.day > date_days_in_month(expected.year, expected.month)) {
			expected.day = 1;
			expected.year += expected.month == 12;
			expected.month = expected.month % 12 + 1;
		}
	}
	assert_int_equal(expected.year, 10000);
}

static void
test_text_laws(void **state)
{
	static const char pattern[] = "%Y-%m-%d %I:%M:%S.%f %p %z";

	(void)state;
	for (int i = 0; i < LAW_ROUNDS; i++) {
		char text[64];
		int64_t micros = random_instant();
		int64_t back = NOTHING;
		int32_t offset = (int32_t)(random64() % 2879 - 1439) * 60;
		size_t len;

		if (i % 2 == 0)
			micros -= micros % 1000;
		len = (size_t)(timestamp_print(text, micros) - text);
		assert_true(len == 24 || len == TIMESTAMP_TEXT_MAX);
		assert_int_equal(timestamp_parse(text, len, &back), TEMPORAL_OK);
		assert_true(back == micros);

		TemporalResult result = timestamp_format(micros, offset, STR("X"), pattern,
		                                         sizeof pattern - 1, text, sizeof text,
		                                         &len);
		if (result == TEMPORAL_RANGE)
			continue; /* the local time is outside the calendar */
		assert_int_equal(result, TEMPORAL_OK);
		assert_int_equal(timestamp_scan(text, len, pattern, sizeof pattern - 1, &back),
		                 TEMPORAL_OK);
		assert_true(back == micros);
	}
}

static void
test_truncate_laws(void **state)
{
	(void)state;
	for (int i = 0; i < LAW_ROUNDS; i++) {
		int64_t micros = random_instant();
		TemporalUnit unit = (TemporalUnit)(random64() % UNIT_DOW);
		int64_t start = 0;
		int64_t again = 0;
		int64_t units = 0;
		int64_t boundaries = 0;

		TemporalResult result = timestamp_truncate(micros, unit, &start);
		if (result != TEMPORAL_OK) {
			assert_true(unit == UNIT_NANOSECOND || unit == UNIT_DECADE);
			continue;
		}
		assert_true(start <= micros);
		assert_int_equal(timestamp_truncate(start, unit, &again), TEMPORAL_OK);
		assert_true(again == start);
		assert_int_equal(timestamp_diff(start, micros, unit, &units), TEMPORAL_OK);
		assert_int_equal(units, 0);
		assert_int_equal(timestamp_boundaries(start, micros, unit, &boundaries),
		                 TEMPORAL_OK);
		assert_int_equal(boundaries, 0);
	}
}

static void
test_interval_laws(void **state)
{
	(void)state;
	for (int i = 0; i < LAW_ROUNDS; i++) {
		char text[INTERVAL_TEXT_MAX];
		unsigned shift = (unsigned)(random64() % 64);
		Interval v = {(int32_t)random64(), (int32_t)random64(),
		              (int64_t)random64() >> shift};
		Interval back = {0, 0, 0};

		if (i % 3 == 0)
			v.months = 0;
		if (i % 5 == 0)
			v.micros = 0;
		char *end = interval_print(text, v);
		assert_true(end - text <= INTERVAL_TEXT_MAX);
		assert_int_equal(interval_parse_text(text, (size_t)(end - text), &back),
		                 TEMPORAL_OK);
		assert_memory_equal(&back, &v, sizeof v);
	}
}

/* ---- examples ---- */

static void
assert_literal(const char *text, TemporalUnit from, TemporalUnit to, const char *iso)
{
	static const char *const failures[] = {"", "SYNTAX", "RANGE", "LOST", "", "UNIT"};
	char printed[INTERVAL_TEXT_MAX + 1];
	Interval v;
	TemporalResult result = interval_parse(text, strlen(text), from, to, &v);

	if (result == TEMPORAL_OK) {
		*interval_print(printed, v) = '\0';
		assert_string_equal(printed, iso);
	} else {
		assert_string_equal(failures[result], iso);
	}
}

static void
test_interval_literals(void **state)
{
	(void)state;
	assert_literal("5", UNIT_MINUTE, UNIT_MINUTE, "PT5M");
	assert_literal("90", UNIT_MINUTE, UNIT_MINUTE, "PT1H30M");
	assert_literal("-5", UNIT_SECOND, UNIT_SECOND, "PT-5S");
	assert_literal(" 1.5 ", UNIT_SECOND, UNIT_SECOND, "PT1.5S");
	assert_literal("0.0000001", UNIT_SECOND, UNIT_SECOND, "LOST");
	assert_literal("2", UNIT_WEEK, UNIT_WEEK, "P14D");
	assert_literal("0.5", UNIT_DAY, UNIT_DAY, "PT12H");
	assert_literal("1.5", UNIT_YEAR, UNIT_YEAR, "P1Y6M");
	assert_literal("0.3", UNIT_MONTH, UNIT_MONTH, "LOST");
	assert_literal("3", UNIT_QUARTER, UNIT_QUARTER, "P9M");
	assert_literal("1500", UNIT_NANOSECOND, UNIT_NANOSECOND, "LOST");
	assert_literal("3000", UNIT_NANOSECOND, UNIT_NANOSECOND, "PT0.000003S");
	assert_literal("0", UNIT_DAY, UNIT_DAY, "PT0S");
	assert_literal("1-2", UNIT_YEAR, UNIT_MONTH, "P1Y2M");
	assert_literal("-1-2", UNIT_YEAR, UNIT_MONTH, "P-1Y-2M");
	assert_literal("1-12", UNIT_YEAR, UNIT_MONTH, "RANGE");
	assert_literal("1 02:03:04", UNIT_DAY, UNIT_SECOND, "P1DT2H3M4S");
	assert_literal("1 02:03:04.567", UNIT_DAY, UNIT_SECOND, "P1DT2H3M4.567S");
	assert_literal("-1 02:03:04.5", UNIT_DAY, UNIT_SECOND, "P-1DT-2H-3M-4.5S");
	assert_literal("1 24:00:00", UNIT_DAY, UNIT_SECOND, "RANGE");
	assert_literal("1 2", UNIT_DAY, UNIT_HOUR, "P1DT2H");
	assert_literal("1:30", UNIT_HOUR, UNIT_MINUTE, "PT1H30M");
	assert_literal("100:30", UNIT_MINUTE, UNIT_SECOND, "PT1H40M30S");
	assert_literal("1:60", UNIT_MINUTE, UNIT_SECOND, "RANGE");
	assert_literal("1:3.5", UNIT_HOUR, UNIT_MINUTE, "SYNTAX");
	assert_literal("1", UNIT_DAY, UNIT_SECOND, "SYNTAX");
	assert_literal("1 2 3", UNIT_DAY, UNIT_HOUR, "SYNTAX");
	assert_literal("", UNIT_DAY, UNIT_DAY, "SYNTAX");
	assert_literal("x", UNIT_DAY, UNIT_DAY, "SYNTAX");
	assert_literal("5.", UNIT_DAY, UNIT_DAY, "SYNTAX");
	assert_literal("1-1", UNIT_MONTH, UNIT_YEAR, "UNIT");
	assert_literal("1 1", UNIT_MONTH, UNIT_DAY, "UNIT");
	assert_literal("1", UNIT_DOW, UNIT_DOW, "UNIT");
	assert_literal("9999999999", UNIT_MONTH, UNIT_MONTH, "RANGE");
	assert_literal("9999999999999999999", UNIT_SECOND, UNIT_SECOND, "RANGE");
}

static int64_t
duration(const char *text)
{
	int64_t micros = NOTHING;
	TemporalResult result = duration_parse(text, strlen(text), &micros);

	return result == TEMPORAL_OK ? micros : -(int64_t)result;
}

static void
test_durations(void **state)
{
	(void)state;
	assert_int_equal(duration("5m"), 5 * MICROS_PER_MINUTE);
	assert_int_equal(duration("30s"), 30 * MICROS_PER_SECOND);
	assert_int_equal(duration("1h"), MICROS_PER_HOUR);
	assert_int_equal(duration("2d"), 2 * MICROS_PER_DAY);
	assert_int_equal(duration("1w"), 7 * MICROS_PER_DAY);
	assert_int_equal(duration("100ms"), 100000);
	assert_int_equal(duration("7us"), 7);
	assert_int_equal(duration("9000ns"), 9);
	assert_int_equal(duration("1h30m"), 90 * MICROS_PER_MINUTE);
	assert_int_equal(duration("1.5 hours"), 90 * MICROS_PER_MINUTE);
	assert_int_equal(duration("15"), 15 * MICROS_PER_SECOND);
	assert_int_equal(duration("2 days 3 HOURS"), 51 * MICROS_PER_HOUR);
	assert_int_equal(duration("1ns"), -TEMPORAL_LOST_DIGITS);
	assert_int_equal(duration("1 month"), -TEMPORAL_UNIT);
	assert_int_equal(duration("1x"), -TEMPORAL_UNIT);
	assert_int_equal(duration("m"), -TEMPORAL_SYNTAX);
	assert_int_equal(duration("-5m"), -TEMPORAL_SYNTAX);
	assert_int_equal(duration("5m 3"), -TEMPORAL_SYNTAX);
	assert_int_equal(duration(""), -TEMPORAL_SYNTAX);
	assert_int_equal(duration("99999999999999w"), -TEMPORAL_RANGE);
}

static void
assert_interval(const char *text, const char *iso)
{
	char printed[INTERVAL_TEXT_MAX + 1] = "failed";
	Interval v;

	if (interval_parse_text(text, strlen(text), &v) == TEMPORAL_OK)
		*interval_print(printed, v) = '\0';
	assert_string_equal(printed, iso);
}

static void
test_interval_texts(void **state)
{
	(void)state;
	assert_interval("P1Y2M3DT4H5M6.5S", "P1Y2M3DT4H5M6.5S");
	assert_interval("-P1YT6S", "P-1YT-6S");
	assert_interval("-P1YT-6S", "P-1YT6S");
	assert_interval("p2w", "P14D");
	assert_interval("PT0S", "PT0S");
	assert_interval("1 day 2 hours", "P1DT2H");
	assert_interval("-1 day +2 hours", "P-1DT2H");
	assert_interval("1h30m", "PT1H30M");
	assert_interval("P", "failed");
	assert_interval("PT", "failed");
	assert_interval("P1DT", "failed");
	assert_interval("P1D1Y", "failed");
	assert_interval("P1.5D", "failed");
	assert_interval("P1S", "failed");
	assert_interval("PT1Y", "failed");
	assert_interval("P1", "failed");
	assert_interval("", "failed");
}

static void
test_interval_arithmetic(void **state)
{
	Interval v = {0, 0, 0};
	Interval out = {0, 0, 0};
	int64_t micros = NOTHING;

	(void)state;
	assert_int_equal(interval_negate((Interval){INT32_MIN, 0, 0}, &out), TEMPORAL_RANGE);
	assert_int_equal(interval_add((Interval){INT32_MAX, 0, 0}, (Interval){1, 0, 0}, &out),
	                 TEMPORAL_RANGE);
	assert_int_equal(interval_multiply((Interval){1, -2, 3}, -4, &out), TEMPORAL_OK);
	assert_true(out.months == -4 && out.days == 8 && out.micros == -12);
	assert_int_equal(interval_compare((Interval){1, 0, 0}, (Interval){0, 30, 0}), 0);
	assert_int_equal(interval_compare((Interval){0, 1, 0},
	                                  (Interval){0, 0, MICROS_PER_DAY + 1}), -1);
	assert_int_equal(interval_from_unit(3, UNIT_WEEK, &v), TEMPORAL_OK);
	assert_int_equal(v.days, 21);
	assert_int_equal(interval_to_micros(v, &micros), TEMPORAL_OK);
	assert_int_equal(micros, 21 * MICROS_PER_DAY);
	assert_int_equal(interval_to_micros((Interval){1, 0, 0}, &micros), TEMPORAL_RANGE);
	assert_int_equal(interval_to_micros((Interval){0, INT32_MAX, 0}, &micros), TEMPORAL_RANGE);
	assert_int_equal(interval_from_unit(INT64_MIN, UNIT_DAY, &v), TEMPORAL_RANGE);
	assert_int_equal(interval_extract((Interval){14, 3, 90 * MICROS_PER_MINUTE}, UNIT_MINUTE,
	                                  &micros), TEMPORAL_OK);
	assert_int_equal(micros, 30);
	/* No interval can take a timestamp out of the calendar, or overflow on its way. */
	assert_int_equal(timestamp_add(0, (Interval){INT32_MIN, INT32_MIN, INT64_MIN}, &micros),
	                 TEMPORAL_RANGE);
	assert_int_equal(timestamp_add(TIMESTAMP_MAX, (Interval){0, 0, INT64_MAX}, &micros),
	                 TEMPORAL_RANGE);
	assert_int_equal(timestamp_add(0, (Interval){0, INT32_MAX, 0}, &micros), TEMPORAL_RANGE);
}

static void
test_epoch_numbers(void **state)
{
	int64_t v = NOTHING;

	(void)state;
	assert_int_equal(timestamp_parse_millis("1700000000049", 13, &v), TEMPORAL_OK);
	assert_int_equal(v, INT64_C(1700000000049000));
	assert_int_equal(timestamp_parse_millis("-1", 2, &v), TEMPORAL_OK);
	assert_int_equal(v, -1000);
	assert_int_equal(timestamp_parse_millis("0", 1, &v), TEMPORAL_OK);
	assert_int_equal(v, 0);
	assert_int_equal(timestamp_parse_millis("17000000000.9", 13, &v), TEMPORAL_SYNTAX);
	assert_int_equal(timestamp_parse_millis("-170000000009", 13, &v), TEMPORAL_OK);
	assert_int_equal(v, INT64_C(-170000000009000));
	assert_int_equal(timestamp_parse_millis("/700000000049", 13, &v), TEMPORAL_SYNTAX);
	assert_int_equal(timestamp_parse_millis("170000000004:", 13, &v), TEMPORAL_SYNTAX);
	assert_int_equal(timestamp_parse_millis("", 0, &v), TEMPORAL_SYNTAX);
	assert_int_equal(timestamp_parse_millis("253402300799999", 15, &v), TEMPORAL_OK);
	assert_int_equal(timestamp_parse_millis("253402300800000", 15, &v), TEMPORAL_RANGE);
	assert_int_equal(timestamp_parse_millis("99999999999999999999", 20, &v), TEMPORAL_RANGE);
	assert_int_equal(timestamp_from_seconds(INT64_MAX, &v), TEMPORAL_RANGE);
	assert_int_equal(timestamp_from_millis(INT64_MIN, &v), TEMPORAL_RANGE);
	assert_int_equal(timestamp_from_nanos(1001, &v), TEMPORAL_LOST_DIGITS);
	assert_int_equal(timestamp_from_nanos(-1000, &v), TEMPORAL_OK);
	assert_int_equal(v, -1);
	assert_int_equal(timestamp_to_millis(-1), -1);
	assert_int_equal(timestamp_to_seconds(-1), -1);
	assert_int_equal(timestamp_to_nanos(TIMESTAMP_MAX, &v), TEMPORAL_RANGE);
}

static void
test_units(void **state)
{
	TemporalUnit unit;
	int64_t v = NOTHING;

	(void)state;
	assert_true(temporal_unit_find(STR("minutes"), UNIT_INTERVAL, &unit));
	assert_int_equal(unit, UNIT_MINUTE);
	assert_true(temporal_unit_find(STR("CENTURIES"), UNIT_DIFF, &unit));
	assert_true(temporal_unit_find(STR("dow"), UNIT_EXTRACT, &unit));
	assert_false(temporal_unit_find(STR("dow"), UNIT_TRUNCATE, &unit));
	assert_false(temporal_unit_find(STR("minutess"), UNIT_INTERVAL, &unit));
	assert_false(temporal_unit_find(STR(""), UNIT_INTERVAL, &unit));
	/* Exactly a month, both ways: 1970-01-15 and 1970-02-15. */
	assert_int_equal(timestamp_diff(14 * MICROS_PER_DAY, 45 * MICROS_PER_DAY, UNIT_MONTH, &v),
	                 TEMPORAL_OK);
	assert_int_equal(v, 1);
	assert_int_equal(timestamp_diff(45 * MICROS_PER_DAY, 14 * MICROS_PER_DAY, UNIT_MONTH, &v),
	                 TEMPORAL_OK);
	assert_int_equal(v, -1);
	assert_int_equal(timestamp_truncate(0, UNIT_EPOCH, &v), TEMPORAL_UNIT);
	assert_int_equal(timestamp_diff(0, 1, UNIT_DOY, &v), TEMPORAL_UNIT);
	assert_int_equal(timestamp_diff(TIMESTAMP_MIN, TIMESTAMP_MAX, UNIT_NANOSECOND, &v),
	                 TEMPORAL_RANGE);
}

static void
test_patterns(void **state)
{
	static const int64_t micros = INT64_C(1700000000049123);
	char text[128];
	size_t len = 0;
	size_t bad = 0;
	int64_t v = NOTHING;

	(void)state;
	assert_int_equal(temporal_pattern_check("%Y-%Q", 5, &bad), TEMPORAL_PATTERN);
	assert_int_equal(bad, 3);
	assert_int_equal(temporal_pattern_check("100%", 4, &bad), TEMPORAL_PATTERN);
	assert_int_equal(bad, 3);
	assert_int_equal(timestamp_format(micros, 0, STR("UTC"), "%E", 2, text, 127, &len),
	                 TEMPORAL_PATTERN);
	assert_int_equal(timestamp_format(micros, 3600 + 1800, STR("XST"),
	                                  "%F %T.%L %z %Z %s %D %R%n%t%e%C", 31, text, 127, &len),
	                 TEMPORAL_OK);
	text[len] = '\0';
	assert_string_equal(text, "2023-11-14 23:43:20.049 +0130 XST 1700000000 11/14/23 "
	                          "23:43\n\t1420");
	assert_int_equal(timestamp_format(micros, 0, STR("UTC"), "%F", 2, text, 9, &len),
	                 TEMPORAL_SPACE);
	assert_int_equal(timestamp_format(TIMESTAMP_MAX, 60, STR("X"), "%F", 2, text, 127, &len),
	                 TEMPORAL_RANGE);
	assert_int_equal(timestamp_scan("1700000000.5", 12, "%s.%f", 5, &v), TEMPORAL_OK);
	assert_int_equal(v, INT64_C(1700000000500000));
	assert_int_equal(timestamp_scan("14 11 2023 +0100", 16, "%d %m %Y %z", 11, &v),
	                 TEMPORAL_OK);
	assert_int_equal(v, INT64_C(1699916400000000));
	assert_int_equal(timestamp_scan("14 11 2023 CET", 14, "%d %m %Y %Z", 11, &v),
	                 TEMPORAL_SYNTAX);
	assert_int_equal(timestamp_scan("23-01-01", 8, "%Y-%m-%d", 8, &v), TEMPORAL_SYNTAX);
	assert_int_equal(timestamp_scan("2023-366", 8, "%Y-%j", 5, &v), TEMPORAL_RANGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_all_days),
		cmocka_unit_test(test_text_laws),
		cmocka_unit_test(test_truncate_laws),
		cmocka_unit_test(test_interval_laws),
		cmocka_unit_test(test_interval_literals),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_interval_texts),
		cmocka_unit_test(test_interval_arithmetic),
		cmocka_unit_test(test_epoch_numbers),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_patterns),
	};

	random_state = (uint64_t)time(NULL) * 2 + 1;
	if (getenv("TEST_SEED") != NULL)
		random_state = strtoull(getenv("TEST_SEED"), NULL, 10);
	printf("TEST_SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
