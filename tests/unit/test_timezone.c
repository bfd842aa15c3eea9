/* tests/unit/test_timezone.c -- zones against the C library, and damaged zone files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "type/temporal.h"
#include "type/timezone.h"
#include "type/timezone_rule.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"
#define INSTANTS 3000
#define DAMAGES 3000

static uint64_t random_state;

static uint64_t
random64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static const char *const zone_names[] = {
	"Europe/Berlin", "Europe/Dublin", "Europe/London", "America/New_York", "America/St_Johns",
	"America/Santiago", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Australia/Sydney",
	"Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca",
	"America/Sao_Paulo", "Asia/Gaza", "America/Nuuk", "Etc/GMT+5", "EST5EDT",
};

static void
test_against_libc(void **state)
{
	int compared = 0;

	(void)state;
	for (size_t z = 0; z < sizeof zone_names / sizeof zone_names[0]; z++) {
		char path[256];
		Arena arena;
		Error err;
		TimeZone *zone;

		snprintf(path, sizeof path, "%s/%s", ZONE_DIRECTORY, zone_names[z]);
		if (access(path, R_OK) != 0)
			continue;
		arena_init(&arena, 0);
		assert_int_equal(timezone_open(&arena, str_from(zone_names[z]), &zone, &err),
		                 FERRIS_OK);
		setenv("TZ", zone_names[z], 1);
		tzset();
		for (int i = 0; i < INSTANTS; i++) {
			/* 1880 to 2400 */
			time_t seconds = (time_t)(random64() % UINT64_C(16400000000)) - 2840000000;
			struct tm local;
			Str abbreviation;
			int32_t offset = timezone_offset(zone, seconds * MICROS_PER_SECOND,
			                                 &abbreviation);

			localtime_r(&seconds, &local);
			if (offset != local.tm_gmtoff ||
			    !str_eq(abbreviation, str_from(local.tm_zone)))
				fail_msg("%s at %lld: %d %.*s, not %ld %s", zone_names[z],
				         (long long)seconds, offset, STR_ARG(abbreviation),
				         local.tm_gmtoff, local.tm_zone);
			/* Back: the same instant, or the earlier one that has this local time. */
			int64_t local_micros = (seconds + offset) * MICROS_PER_SECOND;
			int64_t back = timezone_to_utc(zone, local_micros);
			int32_t back_offset = timezone_offset(zone, back, &abbreviation);
			assert_true(back <= seconds * MICROS_PER_SECOND);
			assert_true(back + back_offset * MICROS_PER_SECOND == local_micros);
			compared++;
		}
		arena_free(&arena);
	}
	if (compared == 0)
		skip();
	printf("%d instants\n", compared);
}

static int64_t
instant(const char *text)
{
	int64_t micros = 0;

	assert_int_equal(timestamp_parse(text, strlen(text), &micros), TEMPORAL_OK);
	return micros;
}

static void
test_gaps_and_overlaps(void **state)
{
	Arena arena;
	Error err;
	TimeZone *zone;

	(void)state;
	if (access(ZONE_DIRECTORY "/Europe/Berlin", R_OK) != 0)
		skip();
	arena_init(&arena, 0);
	assert_int_equal(timezone_open(&arena, STR("Europe/Berlin"), &zone, &err), FERRIS_OK);
	assert_true(timezone_to_utc(zone, instant("2023-07-01T12:00:00")) ==
	            instant("2023-07-01T10:00:00"));
	/* 02:30 does not exist: 03:30 summer time */
	assert_true(timezone_to_utc(zone, instant("2023-03-26T02:30:00")) ==
	            instant("2023-03-26T01:30:00"));
	/* 02:30 occurs twice: the first is summer time */
	assert_true(timezone_to_utc(zone, instant("2023-10-29T02:30:00")) ==
	            instant("2023-10-29T00:30:00"));
	assert_true(timezone_to_utc(zone, instant("2023-10-29T03:00:00")) ==
	            instant("2023-10-29T02:00:00"));
	/* the same far behind the last transition of any file */
	assert_true(timezone_to_utc(zone, instant("2123-07-01T12:00:00")) ==
	            instant("2123-07-01T10:00:00"));
	arena_free(&arena);
}

static void
test_fixed_and_unknown(void **state)
{
	static const char *const unknown[] = {"", "Nowhere/Town", "../etc/passwd", "/etc/passwd",
	                                      "Europe", "Europe/Berlin/x", "+25:00", "+01:60", "+1",
	                                      "UTC\n", "Europe/../../../etc/passwd", "."};
	Arena arena;
	Error err;
	TimeZone *zone;
	Str abbreviation;

	(void)state;
	arena_init(&arena, 0);
	assert_int_equal(timezone_open(&arena, STR("utc"), &zone, &err), FERRIS_OK);
	assert_int_equal(timezone_offset(zone, 0, &abbreviation), 0);
	assert_int_equal(timezone_open(&arena, STR("-08:30"), &zone, &err), FERRIS_OK);
	assert_int_equal(timezone_offset(zone, TIMESTAMP_MAX, &abbreviation), -30600);
	assert_true(str_eq(abbreviation, STR("-08:30")));
	assert_true(timezone_to_utc(zone, 0) == 30600 * MICROS_PER_SECOND);
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		assert_int_equal(timezone_open(&arena, str_from(unknown[i]), &zone, &err),
		                 FERRIS_ERR_BAD_ARGUMENT);
	arena_free(&arena);
}

static bool
parses(const char *text)
{
	ZoneRule rule;

	return zone_rule_parse(str_from(text), &rule);
}

static void
test_rules(void **state)
{
	ZoneRule rule;
	Str name;

	(void)state;
	assert_true(parses("UTC0"));
	assert_true(parses("<-03>3"));
	assert_true(parses("CET-1CEST,M3.5.0,M10.5.0/3"));
	assert_true(parses("<-02>2<-01>,M3.5.0/-1,M10.5.0/0"));
	assert_true(parses("XXX3EDT4,0/0,J365/23"));
	assert_false(parses(""));
	assert_false(parses("CE-1"));
	assert_false(parses("CET"));
	assert_false(parses("CET-1CEST"));
	assert_false(parses("CET-1CEST,M3.5.0"));
	assert_false(parses("CET-1CEST,M13.5.0,M10.5.0"));
	assert_false(parses("CET-1CEST,M3.5.0,M10.5.0/3x"));
	assert_false(parses("<CET-1"));
	assert_false(parses("CET-25"));
	/* J60 is 1 March and 59 is 29 February in the leap year 1972. */
	assert_true(zone_rule_parse(STR("AAA0BBB,J60/0,J61/0"), &rule));
	assert_int_equal(zone_rule_offset(&rule, 790 * 86400 - 1, &name), 0);
	assert_int_equal(zone_rule_offset(&rule, 790 * 86400, &name), 3600);
	assert_true(zone_rule_parse(STR("AAA0BBB,59/0,60/0"), &rule));
	assert_int_equal(zone_rule_offset(&rule, 789 * 86400 - 1, &name), 0);
	assert_int_equal(zone_rule_offset(&rule, 789 * 86400, &name), 3600);
	/* Daylight saving time for ever, as RFC 8536 writes it */
	assert_true(zone_rule_parse(STR("EST5EDT,0/0,J365/25"), &rule));
	for (int64_t hour = 0; hour < 2 * 366 * 24; hour++)
		assert_int_equal(zone_rule_offset(&rule, hour * 3600, &name), -4 * 3600);
	assert_true(str_eq(name, STR("EDT")));
}

/* No damage to a file is worse than an error. */
static void
test_damaged_files(void **state)
{
	static unsigned char original[65536];
	static unsigned char damaged[65536];
	char directory[] = "/tmp/test_timezone_XXXXXX";
	char path[64];
	int refused = 0;
	FILE *in = fopen(ZONE_DIRECTORY "/Europe/Berlin", "rb");

	(void)state;
	if (in == NULL)
		skip();
	size_t size = fread(original, 1, sizeof original, in);
	fclose(in);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/Zone", directory);
	setenv("TZDIR", directory, 1);
	for (int i = 0; i < DAMAGES; i++) {
		size_t len = random64() % 4 == 0 ? random64() % size + 1 : size;
		Arena arena;
		Error err;
		TimeZone *zone;
		Str abbreviation;

		memcpy(damaged, original, size);
		for (uint64_t n = random64() % 4; n > 0; n--)
			damaged[random64() % (n % 2 ? size : 100)] = (unsigned char)random64();
		FILE *out = fopen(path, "wb");
		assert_non_null(out);
		assert_int_equal(fwrite(damaged, 1, len, out), len);
		fclose(out);
		arena_init(&arena, 0);
		if (timezone_open(&arena, STR("Zone"), &zone, &err) == FERRIS_OK) {
			for (int64_t year = -70; year < 300; year++)
				timezone_offset(zone, year * 365 * MICROS_PER_DAY, &abbreviation);
			timezone_offset(zone, INT64_MIN, &abbreviation);
			timezone_offset(zone, INT64_MAX, &abbreviation);
		} else {
			refused++;
		}
		arena_free(&arena);
	}
	assert_true(refused > DAMAGES / 10);
	unlink(path);
	rmdir(directory);
	unsetenv("TZDIR");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_libc),
		cmocka_unit_test(test_gaps_and_overlaps),
		cmocka_unit_test(test_fixed_and_unknown),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_damaged_files),
	};

	random_state = (uint64_t)time(NULL) * 2 + 1;
	if (getenv("TEST_SEED") != NULL)
		random_state = strtoull(getenv("TEST_SEED"), NULL, 10);
	printf("TEST_SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
