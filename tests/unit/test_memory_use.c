/* tests/unit/test_memory_use.c -- cgroups of both versions, /proc/meminfo, and looking from time to
 * time. */
#include "memory_root.h"

#define V1 "/memory" /* where version 1 has its memory controller */

static void
assert_use(double expected)
{
	assert_float_equal(memory_use(memory_root), expected, 1e-9);
}

static void
put_group_v1(const char *group, const char *limit, const char *used, const char *stat)
{
	char folder[128];

	snprintf(folder, sizeof folder, V1 "%s", group);
	put_group_file(folder, "memory.limit_in_bytes", limit);
	put_group_file(folder, "memory.usage_in_bytes", used);
	put_group_file(folder, "memory.stat", stat);
}

static void
put_meminfo(const char *text)
{
	put_kernel_file("/proc/meminfo", text);
}

/* ---- version 2 ---- */

static void
test_own_group(void **state)
{
	(void)state;
	put_kernel_file("/proc/self/cgroup", "0::/app/job\n");
	put_group("/app/job", "1000", "500", NULL);
	assert_use(0.5);
	put_group("/app/other", "1000", "900", NULL); /* is not around it */
	put_group("/app/job/child", "1000", "900", NULL);
	assert_use(0.5);
	put_group("/app/job", "1000", "1000", NULL);
	assert_use(1);
	put_group("/app/job", "1000", "0", NULL);
	assert_use(0);
}

static void
test_cache_of_files_is_left_out(void **state)
{
	(void)state;
	put_kernel_file("/proc/self/cgroup", "0::/job\n");
	put_group("/job", "1000", "500", "anon 7\ninactive_file_9 9\ninactive_file 100\nx 3");
	assert_use(0.4);
	put_group("/job", "1000", "500", "anon 7\nactive_file 100");
	assert_use(0.5);
	put_group("/job", "1000", "500", "inactive_file 600"); /* read at another moment */
	assert_use(0);
}

static void
test_fullest_of_the_groups_around(void **state)
{
	(void)state;
	put_meminfo("MemTotal: 100 kB\nMemAvailable: 1 kB\n"); /* does not count beside a limit */
	put_kernel_file("/proc/self/cgroup", "0::/outer/middle/own\n");
	put_group("/outer/middle/own", "1000", "400", "inactive_file 0");
	put_group("/outer/middle", "max", "900", "inactive_file 0");
	put_group("/outer", "2000", "1600", "inactive_file 200");
	assert_use(0.7);
	put_group("/outer/middle/own", "1000", "900", "inactive_file 0");
	assert_use(0.9);
	put_group("", "10000", "9500", NULL);
	assert_use(0.95);
	put_group("/outer/middle", "1000", "960", NULL);
	assert_use(0.96);
}

/* In a container the path may be that of the machine. */
static void
test_group_that_cannot_be_seen(void **state)
{
	(void)state;
	put_kernel_file("/proc/self/cgroup", "0::/kubepods/pod7/c1\n");
	put_group("", "1000", "300", "inactive_file 50");
	assert_use(0.25);
	put_kernel_file("/proc/self/cgroup", "");
	assert_use(0.25);
	put_kernel_file("/proc/self/cgroup", "no colons\n0::/\n");
	assert_use(0.25);
}

static void
test_group_without_limit(void **state)
{
	(void)state;
	put_meminfo("MemTotal:    1000 kB\nMemFree:   100 kB\nMemAvailable:  250 kB\n");
	put_kernel_file("/proc/self/cgroup", "0::/job\n");
	put_group("/job", "max", "500", "inactive_file 0");
	assert_use(0.75);
	put_group("/job", NULL, "500", NULL);
	assert_use(0.75);
	put_group("/job", "1000", "what", NULL); /* unreadable */
	assert_use(0.75);
}

/* ---- version 1 ---- */

static void
test_first_version(void **state)
{
	(void)state;
	put_kernel_file("/proc/self/cgroup", "12:cpuset:/wrong\n"
					     "5:cpu,cpuacct:/wrong\n"
					     "4:hugetlb,memory:/docker/abc\n"
					     "1:name=systemd:/wrong\n");
	put_group_v1("/wrong", "1000", "999", NULL);
	put_group_v1("/docker/abc", "1000", "600",
		     "inactive_file 500\ntotal_inactive_file 100"); /* with those below it */
	assert_use(0.5);
	put_group_v1("/docker", "1000", "800", "total_inactive_file 0");
	assert_use(0.8);
	put_group_v1("", "9223372036854771712", "900", "total_inactive_file 0");
	assert_use(0.8);
	put_group_v1("", "1000", "900", "total_inactive_file 0");
	assert_use(0.9);
}

static void
test_first_version_without_limit(void **state)
{
	(void)state;
	put_meminfo("MemTotal:    1000 kB\nMemAvailable:  400 kB\n");
	put_kernel_file("/proc/self/cgroup", "4:memory:/job\n0::/job\n");
	put_group_v1("/job", "9223372036854771712", "600", "total_inactive_file 100");
	put_group_v1("", "9223372036854771712", "600", "total_inactive_file 100");
	assert_use(0.6);
}

static void
test_both_versions(void **state)
{
	(void)state;
	put_kernel_file("/proc/self/cgroup", "4:memory:/first\n0::/second\n");
	put_group_v1("/first", "1000", "300", NULL);
	put_group("/second", "1000", "200", NULL);
	assert_use(0.3);
	put_group("/second", "1000", "700", NULL);
	assert_use(0.7);
}

/* ---- the machine ---- */

static void
test_memory_of_the_machine(void **state)
{
	(void)state;
	assert_use(-1); /* there is nothing */
	put_meminfo("MemTotal:    1000 kB\nMemFree:   100 kB\n");
	assert_use(-1);
	put_meminfo("MemAvailable:    1000 kB\n");
	assert_use(-1);
	put_meminfo("MemTotal:    0 kB\nMemAvailable:  0 kB\n");
	assert_use(-1);
	put_meminfo("MemTotal:    1000 kB\nMemAvailable:  0 kB\n");
	assert_use(1);
	put_meminfo("MemTotal:    1000 kB\nMemAvailable:  1000 kB\n");
	assert_use(0);
	double real = memory_use("");
	assert_true(real > 0 && real <= 1);
}

/* ---- the watch ---- */

static void
look_at(MemoryWatch *watch, int64_t now_ms, int percent, MemoryLevel expected)
{
	use_percent(percent);
	assert_int_equal(memory_watch_look(watch, now_ms), 1);
	assert_int_equal(watch->level, expected);
}

static void
test_levels(void **state)
{
	MemoryWatch watch = {.root = memory_root, .target = 0.8, .pressure = 0.9};
	int64_t now_ms = 0;

	(void)state;
	look_at(&watch, ++now_ms, 79, MEMORY_FREE);
	look_at(&watch, ++now_ms, 80, MEMORY_ABOVE_TARGET);
	look_at(&watch, ++now_ms, 89, MEMORY_ABOVE_TARGET);
	look_at(&watch, ++now_ms, 90, MEMORY_PRESSURE);
	look_at(&watch, ++now_ms, 100, MEMORY_PRESSURE);
	look_at(&watch, ++now_ms, 85, MEMORY_ABOVE_TARGET);
	look_at(&watch, ++now_ms, 10, MEMORY_FREE);
	watch.target = 2;
	look_at(&watch, ++now_ms, 89, MEMORY_FREE);
	look_at(&watch, ++now_ms, 90, MEMORY_PRESSURE);
	watch.pressure = 2;
	look_at(&watch, ++now_ms, 100, MEMORY_FREE);
}

static void
test_looks_from_time_to_time(void **state)
{
	MemoryWatch watch = {
		.root = memory_root, .target = 0.8, .pressure = 0.9, .interval_ms = 50};

	(void)state;
	look_at(&watch, 1000, 85, MEMORY_ABOVE_TARGET); /* the first time at once */
	use_percent(10);
	assert_int_equal(memory_watch_look(&watch, 1000), 0);
	assert_int_equal(memory_watch_look(&watch, 1049), 0);
	assert_int_equal(watch.level, MEMORY_ABOVE_TARGET);
	assert_int_equal(memory_watch_look(&watch, 1050), 1);
	assert_int_equal(watch.level, MEMORY_FREE);
	look_at(&watch, 1200, 95, MEMORY_PRESSURE);
	use_percent(10);
	assert_int_equal(memory_watch_look(&watch, 1249), 0);
	assert_int_equal(memory_watch_look(&watch, 1250), 1);
}

static void
test_what_is_not_known_is_free(void **state)
{
	MemoryWatch watch = {.root = memory_root, .target = 0.01, .pressure = 0.01};

	(void)state;
	assert_int_equal(memory_watch_look(&watch, 1), 1);
	assert_int_equal(watch.level, MEMORY_FREE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(test_own_group),
		MEMORY_TEST(test_cache_of_files_is_left_out),
		MEMORY_TEST(test_fullest_of_the_groups_around),
		MEMORY_TEST(test_group_that_cannot_be_seen),
		MEMORY_TEST(test_group_without_limit),
		MEMORY_TEST(test_first_version),
		MEMORY_TEST(test_first_version_without_limit),
		MEMORY_TEST(test_both_versions),
		MEMORY_TEST(test_memory_of_the_machine),
		MEMORY_TEST(test_levels),
		MEMORY_TEST(test_looks_from_time_to_time),
		MEMORY_TEST(test_what_is_not_known_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
