/* tests/unit/test_over_state.c -- OVER: records that were not saved like that are refused, whatever
 * has become of them, and nothing is lost or read beyond its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "connector/memory.h"
#include "exec/checkpoint.h"
#include "plan/plan.h"
#include "sql/parser.h"

#define ROWS    24
#define RECORDS 64

static const char *const queries[] = {
	"SELECT s, LAG(v) OVER w AS a, SUM(v) OVER w AS b, MAX(v) OVER (w ROWS 20 PRECEDING) AS c, "
	"NTH_VALUE(s, 2) OVER w AS d, LAG(v, 2) IGNORE NULLS OVER w AS e, RANK() OVER w AS f, "
	"STRING_AGG(s, ',') OVER w AS g, LEAD(v) OVER w AS h, "
	"FIRST_VALUE(v) IGNORE NULLS OVER w AS i FROM t WINDOW w AS (PARTITION BY k ORDER BY ts)",
	"SELECT s, SUM(v) OVER (PARTITION BY k ROWS 3 PRECEDING) AS a, LEAD(s) OVER (PARTITION BY "
	"k) "
	"AS b FROM t",
	"SELECT s, CUME_DIST() OVER (PARTITION BY k ORDER BY v) AS a FROM t",
};

typedef struct Fixture {
	Arena arena;
	MemoryBroker *broker;
	Source source;
	PipelineSpec spec;
	Chunk *chunk;
	ChunkResult result;
} Fixture;

typedef struct Saved {
	StateWriter base;
	Arena *arena;
	Str keys[RECORDS];
	Str values[RECORDS];
	uint32_t count;
} Saved;

static Status
keep_record(StateWriter *base, Str key, Str value, Error *err)
{
	Saved *saved = (Saved *)base;

	(void)err;
	assert_true(saved->count < RECORDS);
	saved->keys[saved->count] = str_copy(saved->arena, key);
	saved->values[saved->count++] = str_copy(saved->arena, value);
	return FERRIS_OK;
}

static Status
drop_rows(void *collector, Batch *batch, Error *err)
{
	(void)collector;
	(void)batch;
	(void)err;
	return FERRIS_OK;
}

static void
fill_chunk(Chunk *chunk)
{
	char line[128];

	for (int i = 0; i < ROWS; i++) {
		int len =
			snprintf(line, sizeof line,
				 "{\"k\":\"%c\",\"v\":%s,\"s\":\"text %d\",\"ts\":%d}", 'a' + i % 2,
				 i % 3 == 1   ? "null"
				 : i % 5 == 0 ? "7"
					      : "2",
				 i, 1000 * (i / 2));
		char *to = chunk_reserve(chunk, (size_t)len);
		ChunkRecord *record = chunk_add_record(chunk);

		memcpy(to, line, (size_t)len);
		*record = (ChunkRecord){.offset = (uint32_t)chunk->len,
					.len = (uint32_t)len,
					.key_len = RECORD_NULL,
					.position = i,
					.timestamp_ms = INT64_MIN};
		chunk->len += (size_t)len;
	}
	chunk_seal(chunk);
}

static void
open_fixture(Fixture *fixture, const char *query)
{
	static const char *const stream =
		"CREATE STREAM t (k STRING, v INTEGER, s STRING, ts TIMESTAMP, "
		"WATERMARK FOR ts AS ts - INTERVAL '4' SECOND);\n";
	PlanInput input = {.application = STR("test"),
			   .output_format = STR("json"),
			   .select_connector = STR("memory"),
			   .default_connector = STR("memory")};
	ErrorList errors = {0};
	Script *script;
	ScriptPlan *plan;
	Error err;

	*fixture = (Fixture){.broker = memory_broker_new()};
	arena_init(&fixture->arena, 0);
	memory_topic_create(fixture->broker, STR("t"), 1);
	memory_topic_close(fixture->broker, STR("t"));
	input.environment = fixture->broker;
	Str text = str_format(&fixture->arena, "%s%s;", stream, query);
	assert_int_equal(sql_parse_script(&fixture->arena, STR("x"), text, &script, &errors),
			 FERRIS_OK);
	input.script = script;
	assert_int_equal(plan_script(&fixture->arena, &input, &plan, &errors), FERRIS_OK);
	const StatementPlan *statement = plan->items[plan->count - 1];
	SourceSpec source = {
		.scan = statement->scans[0], .group = "g", .environment = fixture->broker};
	assert_int_equal(source_open(&fixture->source, &source, &fixture->arena, &err), FERRIS_OK);
	fixture->spec = (PipelineSpec){.plan = statement,
				       .sources = &fixture->source,
				       .group = "g",
				       .environment = fixture->broker,
				       .collect = drop_rows};
	fixture->chunk = chunk_new(CHUNK_CAPACITY);
	fill_chunk(fixture->chunk);
	chunk_result_init(&fixture->result, false);
}

static void
close_fixture(Fixture *fixture)
{
	chunk_result_free(&fixture->result);
	chunk_destroy(fixture->chunk);
	source_close(&fixture->source);
	memory_broker_destroy(fixture->broker);
	arena_free(&fixture->arena);
}

static void
save_rows(Fixture *fixture, Saved *saved)
{
	Pipeline *pipeline;
	Error err;

	*saved = (Saved){.base = {keep_record, false}, .arena = &fixture->arena};
	assert_int_equal(pipeline_open(&fixture->spec, &pipeline, &err), FERRIS_OK);
	assert_true(pipeline_can_save(pipeline, false));
	assert_int_equal(pipeline_run(pipeline, 0, fixture->chunk, &fixture->result, &err),
			 FERRIS_OK);
	assert_int_equal(pipeline_save(pipeline, &saved->base, &err), FERRIS_OK);
	pipeline_close(pipeline);
}

/* Loads record `at` with that value, behind those before it, and lets what was taken come out. */
static Status
load_with(Fixture *fixture, const Saved *saved, uint32_t at, Str value)
{
	Pipeline *pipeline;
	Status status;
	Status ended = FERRIS_OK;
	Error err;

	assert_int_equal(pipeline_open(&fixture->spec, &pipeline, &err), FERRIS_OK);
	for (uint32_t i = 0; i < at; i++)
		assert_int_equal(pipeline_load(pipeline, saved->keys[i], saved->values[i], &err),
				 FERRIS_OK);
	status = pipeline_load(pipeline, saved->keys[at], value, &err);
	if (status == FERRIS_OK)
		ended = pipeline_end(pipeline, 0, &fixture->result, &err);
	assert_true(ended == FERRIS_OK || ended == FERRIS_ERR_STATE_DAMAGED);
	pipeline_close(pipeline);
	return status;
}

static void
test_damage(void **state)
{
	Fixture fixture;
	Saved saved;

	(void)state;
	for (size_t q = 0; q < sizeof queries / sizeof *queries; q++) {
		open_fixture(&fixture, queries[q]);
		save_rows(&fixture, &saved);
		assert_true(saved.count >= 3);
		for (uint32_t r = 0; r < saved.count; r++) {
			Str value = saved.values[r];
			char *copy = arena_copy(&fixture.arena, value.data, value.len + 1);

			assert_int_equal(load_with(&fixture, &saved, r, value), FERRIS_OK);
			for (uint32_t len = 0; len < value.len; len++)
				assert_int_equal(
					load_with(&fixture, &saved, r, (Str){value.data, len}),
					FERRIS_ERR_STATE_DAMAGED);
			for (uint32_t i = 0; i < value.len; i++) {
				copy[i] = (char)~copy[i];
				load_with(&fixture, &saved, r, (Str){copy, value.len});
				copy[i] = value.data[i];
			}
		}
		close_fixture(&fixture);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
