/* test_command_line.c -- exit codes and messages of ferris-sql, as a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/ferris-cli-XXXXXX";
static char said[65536]; /* both streams of the last run */

/* librdkafka makes its threads by C11's thrd_create, which clang-14's ThreadSanitizer does not see:
 * it crashes in such a thread's first allocation. */
static void
skip_with_threads_unseen(void)
{
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
	skip();
#endif
#endif
}

/* Runs the program in the test's folder; returns its exit code. */
static int
ferris(const char *arguments)
{
	char command[4096];

	snprintf(command, sizeof command, "cd %s && { timeout 30 %s %s; } 2>&1", folder, PROGRAM,
		 arguments);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	size_t len = fread(said, 1, sizeof said - 1, pipe);
	said[len] = '\0';
	int status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
expect(int code, const char *text, const char *arguments)
{
	int got = ferris(arguments);

	if (got != code || strstr(said, text) == NULL)
		fail_msg("ferris-sql %s\nexit code %d, not %d, or no \"%s\" in:\n%s", arguments,
			 got, code, text, said);
}

static void
write_file(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	write_file("t.jsonl", "{\"a\":1,\"ts\":\"2024-01-01T00:00:00Z\"}\n");
	return 0;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = {"t.jsonl", "empty.test", "unused.sql",
					    "w.jsonl", "w.old",      "answers.sql"};
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

#define SELECT "execute -q \"SELECT a FROM 't.jsonl'\" "

static void
test_output_is_checked_before_planning(void **state)
{
	(void)state;
	expect(2, "FS4001", "execute --output yaml -q 'this is not SQL'");
	expect(2, "csv", SELECT "--output yaml");
	expect(0, "{\"a\":1}", SELECT "--output json");
	expect(2, "tap or junit", "test --output yaml .");
}

static void
test_bad_settings_are_of_the_command_line(void **state)
{
	(void)state;
	expect(2, "the range is 1 to 64", SELECT "--set parallelism=400");
	expect(2, "FailBatch", SELECT "--set failure_strategy=Hope");
	expect(2, "no statement has that option", SELECT "--set paralelism=2");
	/* The same in the SQL is an error of the SQL. */
	expect(1, "the range is 1 to 64",
	       "execute -q \"SELECT a FROM 't.jsonl' WITH ('parallelism' = '400')\"");
}

static void
test_properties_of_the_file_are_for_all_statements(void **state)
{
	(void)state;
	expect(0, "1|1",
	       "execute -q '-- Property: csv.delimiter=|\n\n-- Property: csv.header=false\n"
	       "SELECT 1 AS a, 1 AS c; SELECT 2 AS b' --output csv");
	assert_null(strstr(said, "a"));
	assert_non_null(strstr(said, "b\n")); /* the second one has a header */
	expect(1, "'csv.header' is no property", "execute -q '-- Property: csv.header\nSELECT 1'");
}

static void
test_answers_come_in_every_format(void **state)
{
	(void)state;
#define T "CREATE STREAM t (a INTEGER) WITH ('path' = 't.jsonl'); "
	expect(0, "name,defined_by,connector,format,place\nt,a declaration,file,json,t.jsonl",
	       "execute -q \"" T "SHOW STREAMS\" --output csv");
	expect(0, "\"name\":\"path\",\"value\":\"t.jsonl\",\"origin\":\"user\"",
	       "execute -q \"" T "DESCRIBE EXTENDED t\" --output json");
	expect(0, "\"name\":\"read_buffer_size\",\"value\":\"64KB\",\"origin\":\"SET\"",
	       "execute -q \"" T "SET 'read_buffer_size' = '64KB'; DESCRIBE EXTENDED t\" "
	       "--output json");
	expect(0, "1 in, 1 out, 0 filtered",
	       "execute -q \"" T "EXPLAIN ANALYZE SELECT a FROM t\" --output json");
	assert_null(strstr(said, "{\"a\":1}")); /* its rows are not shown */
	expect(1, "unknown stream or table 'tt'", "execute -q \"" T "DESCRIBE tt\"");
	expect(1, "FS1301", "execute -q 'STOP JOB j'");
	expect(2, "the range is 1 to 64", "execute -q \"" T "SHOW JOBS\" --set parallelism=400");
#undef T
}

/* What stands above an answer comes before it, and what stands below behind it. */
static void
test_answers_come_at_their_place(void **state)
{
	(void)state;
	expect(0,
	       "{\"a\":1}\n{\"name\":\"query_1\",\"metric\":\"rows_out\",\"value\":1}\n"
	       "{\"two\":2}\n",
	       "execute -q \"SELECT a FROM 't.jsonl'; SHOW METRICS LIKE 'rows_out'; "
	       "SELECT 2 AS two\" --output json");
	write_file("answers.sql", "SHOW JOBS; EXPLAIN SELECT 1; SHOW CONFIG");
	expect(0, "ok, 3 statements", "check answers.sql");
}

static void
test_a_folder_without_tests_has_not_passed(void **state)
{
	(void)state;
	expect(1, "there is no .test file in '.'", "test .");
	write_file("empty.test", "");
	expect(1, "hold no test", "test .");
}

static void
test_settings_reach_the_console(void **state)
{
	(void)state;
	expect(0, "1704067200000",
	       "execute -q \"CREATE STREAM t (ts TIMESTAMP) WITH ('path' = 't.jsonl'); SELECT ts "
	       "FROM t\" --output json --set sink.timestamp.format=epoch_millis");
	expect(2, "INSERT INTO", SELECT "--set sink.path=x.jsonl");
	expect(2, "--output", SELECT "--set sink.format=csv");
}

static void
test_standard_input_takes_plain_options(void **state)
{
	(void)state;
	expect(0, "{\"a\":1}",
	       "execute --output json -q \"SELECT a FROM '-' WITH ('format' = 'json')\" <t.jsonl");
}

static void
test_declarations_are_checked_without_a_use(void **state)
{
	(void)state;
	write_file("unused.sql", "CREATE STREAM t (a INT) WITH ('connector' = 'file', 'path' = "
				 "'x', 'formt' = 'json');\n");
	expect(1, "did you mean 'format'?", "check unused.sql");
	write_file("unused.sql", "CREATE STREAM t (a INT) WITH ('path' = 'x.dat');\n");
	expect(1, "'t' has no 'format'", "check unused.sql");
	write_file("unused.sql", "CREATE STREAM t (a INT) WITH ('path' = 'x.csv');\n");
	expect(0, "ok, 1 statement", "check unused.sql");
}

static void
test_check_applies_settings(void **state)
{
	(void)state;
	write_file("one.sql", "SELECT a FROM 't.jsonl';\n");
	write_file("two.sql",
		   "CREATE STREAM o AS SELECT a FROM 't.jsonl' WITH ('sink.path' = 'o.jsonl');\n");
	expect(0, "two.sql: ok, 1 statement", "check one.sql two.sql --set parallelism=2");
	expect(2, "the range is 1 to 64", "check one.sql --set parallelism=400");
	expect(2, "no statement has that option", "check one.sql --set nosuch.option=1");
	/* Each file by itself, in whatever order. */
	expect(0, "ok, 1 statement", "check two.sql --set write_buffer_size=8192");
	expect(2, "two.sql: ok", "check one.sql two.sql --set write_buffer_size=8192");
	expect(2, "no statement has that", "check two.sql one.sql --set write_buffer_size=8192");
	write_file("topic.sql",
		   "CREATE STREAM t (a INT) WITH ('kafka.topic' = 't', 'format' = 'json');\n"
		   "CREATE STREAM o AS SELECT a FROM t\n"
		   "WITH ('kafka.topic' = 'o', 'delivery.guarantee' = 'exactly-once');\n");
	expect(0, "topic.sql: ok", "check topic.sql");
	expect(2, "(--set) contradicts 'delivery.guarantee' = 'exactly-once' (line 3)",
	       "check topic.sql --set kafka.acks=0");
}

#define TOPIC(options)                                                                             \
	"execute -q \"CREATE STREAM t (a INT) WITH ('kafka.topic' = 't', 'format' = 'json', "      \
	"'kafka.bootstrap.servers' = '127.0.0.1:9'" options "); SELECT a FROM t\""

static void
test_kafka_security_reaches_the_client(void **state)
{
	(void)state;
	expect(1, "ssl.ca.location",
	       TOPIC(", 'kafka.security.protocol' = 'SSL', 'kafka.ssl.ca.location' = "
		     "'/no/ca.pem'"));
	expect(1, "'kafka.ssl.*' must be there",
	       TOPIC(", 'kafka.security.protocol' = 'SSL', 'kafka.ssl.ca.location' = "
		     "'/no/ca.pem'"));
	expect(1, "FS3101", TOPIC(", 'kafka.security.protocol' = 'PIGEON'"));
	expect(1, "Unsupported SASL mechanism: NOPE",
	       TOPIC(", 'kafka.security.protocol' = 'SASL_PLAINTEXT', "
		     "'kafka.sasl.mechanism' = 'NOPE'"));
	expect(1, "sasl.username and sasl.password must be set",
	       TOPIC(", 'kafka.security.protocol' = 'SASL_SSL', "
		     "'kafka.sasl.mechanism' = 'SCRAM-SHA-256'"));
}

static void
test_a_broker_that_is_down(void **state)
{
	(void)state;
	skip_with_threads_unseen();
	expect(3, "FS3102]: cannot reach topic 't' at 127.0.0.1:9", TOPIC(""));
	assert_non_null(strstr(said, "Connection refused"));
	assert_non_null(strstr(said, "'kafka.bootstrap.servers'"));
}

/* Runs in the folder; a shell does what the clock must order. */
static void
test_lines_of_a_rotated_file_count_from_its_start(void **state)
{
	(void)state;
	write_file("w.jsonl", "{\"a\":1}\n{\"a\":2}\n");
	expect(0, "w.jsonl:1: a record must be a JSON object",
	       "--version; (sleep 0.6; mv w.jsonl w.old; echo bad >w.jsonl) & timeout -s TERM "
	       "2 " PROGRAM
	       " execute --output json -q \"CREATE STREAM w (a INT) WITH ('path' = 'w.jsonl', "
	       "'watch' = 'true'); SELECT a FROM w WITH ('failure_strategy' = "
	       "'LogAndContinue')\" || true");
	assert_non_null(strstr(said, "{\"a\":2}"));
	write_file("w.jsonl", "a\n1\n2\n");
	expect(0, "w.jsonl:2:",
	       "--version; (sleep 0.6; printf 'a\nb\n' >w.jsonl) & timeout -s TERM 2 " PROGRAM
	       " execute --output json -q \"CREATE STREAM w (a INT) WITH ('path' = 'w.jsonl', "
	       "'format' = 'csv', 'watch' = 'true'); SELECT a FROM w WITH ('failure_strategy' = "
	       "'LogAndContinue')\" || true");
	assert_non_null(strstr(said, "{\"a\":2}"));
}

/* Stacks so large that the threads of 64 tasks do not fit into the process. */
static void
test_a_thread_that_cannot_start_ends_the_others(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
	skip(); /* a sanitizer's own memory does not fit either */
#endif
	expect(3, "cannot start a thread",
	       "--version && ulimit -s 1000000 && ulimit -v 20000000 && timeout 30 " PROGRAM
	       " " SELECT "--set parallelism=64");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_is_checked_before_planning),
		cmocka_unit_test(test_bad_settings_are_of_the_command_line),
		cmocka_unit_test(test_a_folder_without_tests_has_not_passed),
		cmocka_unit_test(test_settings_reach_the_console),
		cmocka_unit_test(test_standard_input_takes_plain_options),
		cmocka_unit_test(test_declarations_are_checked_without_a_use),
		cmocka_unit_test(test_check_applies_settings),
		cmocka_unit_test(test_kafka_security_reaches_the_client),
		cmocka_unit_test(test_properties_of_the_file_are_for_all_statements),
		cmocka_unit_test(test_answers_come_in_every_format),
		cmocka_unit_test(test_answers_come_at_their_place),
		cmocka_unit_test(test_a_broker_that_is_down),
		cmocka_unit_test(test_lines_of_a_rotated_file_count_from_its_start),
		cmocka_unit_test(test_a_thread_that_cannot_start_ends_the_others),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
