/* cli/cmd_test.c -- ferris-sql test: run .test files, report as TAP or JUnit. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/sql_test.h"

#define PATHS_MAX 10000
#define WHY_LIMIT ((size_t)1 << 20)

typedef struct Report {
	bool junit;
	uint32_t count;
	uint32_t failed;
	SqlTestRuns runs;
} Report;

typedef struct PathList {
	char **items;
	uint32_t count;
	Arena arena;
} PathList;

static void
print_xml(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		switch (text[i]) {
		case '<':
			fputs("&lt;", stdout);
			break;
		case '&':
			fputs("&amp;", stdout);
			break;
		case '"':
			fputs("&quot;", stdout);
			break;
		default:
			putchar(text[i]);
			break;
		}
}

static void
report_test(Report *report, const char *path, const SqlTest *test, bool passed, const Buffer *why,
	    double seconds)
{
	report->count++;
	report->failed += !passed;
	if (!report->junit) {
		printf("%s %u - %s:%u %.*s\n", passed ? "ok" : "not ok", report->count, path,
		       test->at, STR_ARG(test->name));
		if (!passed)
			printf("%.*s", (int)why->len, why->data);
		return;
	}
	printf("  <testcase classname=\"%s\" name=\"", path);
	print_xml(test->name.data, test->name.len);
	printf("\" time=\"%.3f\"", seconds);
	if (passed) {
		puts("/>");
		return;
	}
	fputs("><failure>", stdout);
	print_xml(why->data, why->len);
	puts("</failure></testcase>");
}

static int
run_file(const char *path, Report *report)
{
	TestFile file;
	Buffer text, why;
	Arena arena;
	Error err;
	char block[65536];
	size_t got;
	FILE *in = fopen(path, "rb");

	if (in == NULL) {
		error_set(&err, FERRIS_ERR_FILE_OPEN, "cannot open '%s'", path);
		error_errno(&err, errno);
		error_print(stderr, &err, NULL, NULL);
		return EXIT_ENVIRONMENT;
	}
	arena_init(&arena, 0);
	buffer_init(&text, (size_t)64 << 20);
	buffer_init(&why, WHY_LIMIT);
	while ((got = fread(block, 1, sizeof block, in)) > 0)
		buffer_append(&text, block, got);
	fclose(in);
	const char *data = text.len > 0 ? text.data : "";
	Status status = sql_test_parse(&arena, path, (Str){data, (uint32_t)text.len}, &file, &err);
	if (status != FERRIS_OK)
		error_print(stderr, &err, NULL, NULL);
	for (uint32_t i = 0; status == FERRIS_OK && i < file.count; i++) {
		int64_t start = clock_ns();

		buffer_reset(&why);
		bool passed = sql_test_run(&file.tests[i], &report->runs, &why);
		report_test(report, path, &file.tests[i], passed, &why,
			    (double)(clock_ns() - start) / 1e9);
		fflush(stdout);
	}
	buffer_free(&text);
	buffer_free(&why);
	arena_free(&arena);
	return status == FERRIS_OK ? EXIT_OK : EXIT_SQL;
}

static void
add_path(PathList *list, const char *path)
{
	if (list->count < PATHS_MAX)
		list->items[list->count++] = arena_copy(&list->arena, path, strlen(path));
}

/* Every .test file in the folder and below. */
static void
add_folder(PathList *list, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (dir == NULL) {
		add_path(list, folder);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		Str name = str_from(entry->d_name);
		Str path = str_format(&list->arena, "%s/%s", folder, entry->d_name);
		struct stat info;

		if (entry->d_name[0] == '.' || stat(path.data, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode))
			add_folder(list, path.data);
		else if (str_ends_with(name, STR(".test")))
			add_path(list, path.data);
	}
	closedir(dir);
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A seed on the command line: that trial alone, or some from it on. */
static SqlTestRuns
choose_runs(const Arguments *arguments)
{
	return (SqlTestRuns){
		.seed = arguments->seed > 0 ? (uint64_t)arguments->seed : 1,
		.seeds = arguments->seeds > 0 ? (uint32_t)arguments->seeds : 1,
		.crashes_only = arguments->seed > 0 || arguments->seeds > 0,
		.keep = arguments->keep,
	};
}

static void
say_crashes(const SqlTestRuns *runs)
{
	fprintf(stderr,
		"seed %llu: %llu runs with crashes, %llu crashes survived, %llu tests left out; "
		"%llu calls of a disk failed, power was lost %llu times, %llu files were torn; "
		"%llu records came again, %llu processes were taken for dead\n",
		(unsigned long long)runs->seed, (unsigned long long)runs->runs,
		(unsigned long long)runs->survived, (unsigned long long)runs->left_out,
		(unsigned long long)runs->disk.failed, (unsigned long long)runs->disk.power,
		(unsigned long long)runs->disk.torn, (unsigned long long)runs->repeated,
		(unsigned long long)runs->expelled);
}

int
command_test(const Arguments *arguments)
{
	Report report = {.junit = arguments->output != NULL &&
				  strcmp(arguments->output, "junit") == 0,
			 .runs = choose_runs(arguments)};
	PathList list = {.items = memory_zero(sizeof(char *) * PATHS_MAX)};
	int code = EXIT_OK;

	if (arguments->output != NULL && !report.junit && strcmp(arguments->output, "tap") != 0) {
		memory_free(list.items);
		return usage_error("--output is tap or junit, not '%s'", arguments->output);
	}
	if (arguments->rest_count == 0) {
		memory_free(list.items);
		return usage_error("test needs a file or folder");
	}
	arena_init(&list.arena, 0);
	for (int i = 0; i < arguments->rest_count; i++) {
		uint32_t before = list.count;

		add_folder(&list, arguments->rest[i]);
		if (list.count > before)
			continue;
		fprintf(stderr, "error: there is no .test file in '%s'\n", arguments->rest[i]);
		code = EXIT_SQL;
	}
	qsort(list.items, list.count, sizeof *list.items, compare_paths);
	if (report.junit)
		puts("<testsuite name=\"sql\">");
	for (uint32_t i = 0; i < list.count; i++) {
		int one = run_file(list.items[i], &report);

		if (one > code)
			code = one;
	}
	if (report.junit)
		puts("</testsuite>");
	else
		printf("1..%u\n%u passed, %u failed\n", report.count, report.count - report.failed,
		       report.failed);
	say_crashes(&report.runs);
	memory_free(list.items);
	arena_free(&list.arena);
	if (report.count == 0 && code == EXIT_OK)
		fputs("error: the files hold no test\n", stderr);
	if ((report.failed > 0 || report.count == 0) && code == EXIT_OK)
		code = EXIT_SQL;
	return code;
}
