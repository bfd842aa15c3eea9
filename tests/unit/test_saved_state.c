/* tests/unit/test_saved_state.c -- what operators have saved, loaded again whole and damaged.
 *
 * A statement reads a chunk of each of its sources and is saved; each record of a key must be taken
 * by a new pipeline as it is, and refused when bytes are missing or too many.  Changed bytes must
 * not crash: they may be other values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "exec/checkpoint.h"
#include "exec/operator.h"
#include "plan/kept_state.h"
#include "sql/parser.h"

#define KEYED_RECORD 'k' /* begins the key of a record of a group, behind the operator's number */
#define RECORDS_MAX  64

typedef struct Record {
	Str key;
	Str value;
} Record;

typedef struct Fixture {
	StateWriter writer; /* first: put_record */
	Arena arena;
	StatementPlan *plan;
	Source *sources;
	PipelineSpec spec;
	Record records[RECORDS_MAX];
	uint32_t count;
} Fixture;

static Status
ignore_rows(void *collector, Batch *batch, Error *err)
{
	(void)collector;
	(void)batch;
	(void)err;
	return FERRIS_OK;
}

static Status
put_record(StateWriter *writer, Str key, Str value, Error *err)
{
	Fixture *f = (Fixture *)writer;

	(void)err;
	assert_true(f->count < RECORDS_MAX);
	f->records[f->count++] = (Record){str_copy(&f->arena, key), str_copy(&f->arena, value)};
	return FERRIS_OK;
}

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static Pipeline *
open_pipeline(const Fixture *f)
{
	Pipeline *pipeline = NULL;
	Error err = {0};

	assert_int_equal(pipeline_open(&f->spec, &pipeline, &err), FERRIS_OK);
	return pipeline;
}

/* The last statement of the SQL. */
static void
fixture_open(Fixture *f, const char *sql)
{
	PlanInput input = {.application = STR("test"), .output_format = STR("json")};
	ScriptPlan *plans;
	Script *script;
	ErrorList errors;
	Error err = {0};

	*f = (Fixture){.writer = {.put = put_record}};
	arena_init(&f->arena, 0);
	assert_int_equal(sql_parse_script(&f->arena, STR("test"), str_from(sql), &script, &errors),
			 FERRIS_OK);
	input.script = script;
	assert_int_equal(plan_script(&f->arena, &input, &plans, &errors), FERRIS_OK);
	f->plan = plans->items[plans->count - 1];
	f->sources = ARENA_ARRAY(&f->arena, Source, f->plan->scan_count);
	for (uint32_t i = 0; i < f->plan->scan_count; i++) {
		SourceSpec spec = {.scan = f->plan->scans[i], .group = "test"};

		assert_int_equal(source_open(&f->sources[i], &spec, &f->arena, &err), FERRIS_OK);
	}
	f->spec = (PipelineSpec){.plan = f->plan, .sources = f->sources, .collect = ignore_rows};
}

static void
fixture_close(Fixture *f)
{
	for (uint32_t i = 0; i < f->plan->scan_count; i++)
		source_close(&f->sources[i]);
	arena_free(&f->arena);
}

/* Reads what the sources have, and saves. */
static void
run_and_save(Fixture *f)
{
	Pipeline *pipeline = open_pipeline(f);
	Chunk *chunk = chunk_new(CHUNK_CAPACITY);
	ChunkResult result;
	Error err = {0};

	chunk_result_init(&result, false);
	for (uint32_t i = 0; i < f->plan->scan_count; i++) {
		Source *source = &f->sources[i];
		ReadResult got;

		chunk_reset(chunk);
		assert_int_equal(source->connector->read(source->reader, chunk, 100, &got, &err),
				 FERRIS_OK);
		assert_int_equal(got, READ_DATA);
		assert_int_equal(pipeline_run(pipeline, i, chunk, &result, &err), FERRIS_OK);
	}
	assert_true(pipeline_can_save(pipeline, true));
	assert_int_equal(pipeline_save(pipeline, &f->writer, &err), FERRIS_OK);
	chunk_result_free(&result);
	chunk_destroy(chunk);
	pipeline_close(pipeline);
}

static Status
load_alone(const Fixture *f, Str key, const char *value, uint32_t len)
{
	Pipeline *pipeline = open_pipeline(f);
	char *copy = memory_alloc(len + 1); /* so that a read behind its end is seen */
	Error err = {0};

	memcpy(copy, value, len);
	Status status = pipeline_load(pipeline, key, (Str){copy, len}, &err);
	memory_free(copy);
	pipeline_close(pipeline);
	return status;
}

static void
damage(const Fixture *f, const Record *record)
{
	uint32_t len = record->value.len;
	char *bytes = memory_zero(len + 1);

	memcpy(bytes, record->value.data, len);
	assert_int_equal(load_alone(f, record->key, bytes, len), FERRIS_OK);
	for (uint32_t cut = 0; cut < len; cut++)
		assert_int_equal(load_alone(f, record->key, bytes, cut), FERRIS_ERR_STATE_DAMAGED);
	assert_int_equal(load_alone(f, record->key, bytes, len + 1), FERRIS_ERR_STATE_DAMAGED);
	for (uint32_t at = 0; at < len; at++) {
		bytes[at] = (char)(bytes[at] ^ 0x81);
		(void)load_alone(f, record->key, bytes, len);
		bytes[at] = record->value.data[at];
	}
	memory_free(bytes);
}

static void
check_statement(const char *sql, uint32_t keyed)
{
	Fixture *f = memory_alloc(sizeof *f);
	uint32_t seen = 0;

	fixture_open(f, sql);
	run_and_save(f);
	for (uint32_t i = 0; i < f->count; i++) {
		const Record *record = &f->records[i];

		if (record->key.len <= sizeof(uint32_t) ||
		    record->key.data[sizeof(uint32_t)] != KEYED_RECORD)
			continue;
		damage(f, record);
		seen++;
	}
	assert_int_equal(seen, keyed);
	fixture_close(f);
	memory_free(f);
}

#define STREAM(name, columns)                                                                      \
	"CREATE STREAM " name " (" columns                                                         \
	", t TIMESTAMP, WATERMARK FOR t AS t - INTERVAL '1' MINUTE)"                               \
	" WITH ('connector' = 'file', 'path' = '" name ".json', 'format' = 'json');"

static void
test_sessions(void **state)
{
	(void)state;
	write_file("a.json", "{\"k\":\"p\",\"v\":1,\"t\":1000}\n{\"k\":\"q\",\"v\":2,\"t\":1000}\n"
			     "{\"k\":\"p\",\"v\":3,\"t\":9000}\n{\"k\":null,\"v\":4,\"t\":9000}\n");
	check_statement(STREAM("a", "k STRING, v INTEGER") "SELECT k, SUM(v) AS s, STRING_AGG(k, "
							   "',') AS l FROM a GROUP BY k "
							   "WINDOW SESSION(5s) GRACE PERIOD 5s;",
			3);
}

static void
test_stream_joins(void **state)
{
	(void)state;
	write_file("a.json", "{\"k\":\"p\",\"v\":1,\"t\":1000}\n{\"k\":\"q\",\"v\":2,\"t\":1000}\n"
			     "{\"k\":\"p\",\"v\":null,\"t\":9000}\n");
	write_file("b.json", "{\"k\":\"p\",\"w\":\"x\",\"t\":2000}\n"
			     "{\"k\":\"r\",\"w\":\"yy\",\"t\":3000}\n");
	check_statement(STREAM("a", "k STRING, v INTEGER") STREAM(
				"b", "k STRING, w STRING") "SELECT a.k, v, w FROM a FULL JOIN b "
							   "WITHIN 10 SECONDS ON a.k = b.k;",
			3);
}

/* plan_kept_states numbers the operators as the pipeline does, and names those that save. */
static void
check_numbers(const char *sql)
{
	Fixture *f = memory_alloc(sizeof *f);
	uint32_t count, next = 0;

	fixture_open(f, sql);
	Pipeline *pipeline = open_pipeline(f);
	Operator *const *operators = pipeline_operators(pipeline, &count);
	KeptStates states = plan_kept_states(&f->arena, f->plan);
	for (uint32_t i = 0; i < count; i++) {
		if (operators[i]->class->save == NULL)
			continue;
		assert_true(next < states.count);
		assert_int_equal(states.items[next].number, i);
		assert_true(str_eq(states.items[next].title,
				   plan_explain_node(&f->arena, operators[i]->plan)));
		next++;
	}
	assert_int_equal(next, states.count);
	assert_true(next > 0);
	pipeline_close(pipeline);
	fixture_close(f);
	memory_free(f);
}

static void
test_numbers(void **state)
{
	static const char *const queries[] = {
		"SELECT k, SUM(v) AS s FROM a WHERE v > 1 GROUP BY k WINDOW TUMBLING(5s);",
		"SELECT k, COUNT(*) AS n FROM a GROUP BY k WINDOW SESSION(5s);",
		"SELECT DISTINCT k FROM (SELECT k FROM a UNION ALL SELECT k FROM b) AS u;",
		"SELECT k FROM a INTERSECT SELECT k FROM b;",
		"SELECT a.k, v, w FROM a FULL JOIN b WITHIN 10 SECONDS ON a.k = b.k WHERE v > 0;",
		"SELECT a.k, v, w FROM a ASOF JOIN b ON a.k = b.k AND a.t >= b.t;",
		"SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY t) AS s FROM a;",
		"SELECT n, COUNT(*) AS m FROM "
		"(SELECT k, COUNT(*) AS n FROM a GROUP BY k EMIT FINAL) AS g GROUP BY n;",
		"SELECT * FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS r "
		"FROM a) AS o WHERE r <= 2;",
		"SELECT k, v FROM a ORDER BY v, k;",
	};

	(void)state;
	write_file("a.json", "{\"k\":\"p\",\"v\":1,\"t\":1000}\n");
	write_file("b.json", "{\"k\":\"p\",\"w\":\"x\",\"t\":2000}\n");
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		char sql[2048];

		snprintf(sql, sizeof sql, "%s%s", STREAM("a", "k STRING, v INTEGER")
			 STREAM("b", "k STRING, w STRING"), queries[i]);
		check_numbers(sql);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_stream_joins),
		cmocka_unit_test(test_numbers),
	};
	char dir[] = "/tmp/ferris-saved-XXXXXX";

	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return 1;
	int failed = cmocka_run_group_tests_name("saved_state", tests, NULL, NULL);
	unlink("a.json");
	unlink("b.json");
	rmdir(dir);
	return failed;
}
