/* tests/unit/batching_fixture.h -- a batcher planned as a statement's is, from the options that the
 * user writes, with a clock of its own. */
#pragma once

#include "job/batching.h"
#include "memory_root.h"
#include "plan/batch_strategy.h"

typedef struct Fixture {
	Batcher batcher;
	int64_t now_ms;
} Fixture;

/* What batchers were planned with; the group of tests makes and frees it. */
static Arena plans;

static inline int
make_plans(void **state)
{
	(void)state;
	arena_init(&plans, 0);
	return 0;
}

static inline int
free_plans(void **state)
{
	(void)state;
	arena_free(&plans);
	return 0;
}

/* "a=1 b=2"; each name behind `prefix`. */
static inline void
add_options(Options *out, const char *prefix, const char *text)
{
	while (*text != '\0') {
		int name = (int)strcspn(text, "=");
		int value = (int)strcspn(text + name + 1, " ");

		out->entries[out->count++] =
			(OptionEntry){.key = str_format(&plans, "%s%.*s", prefix, name, text),
				      .value = str_format(&plans, "%.*s", value, text + name + 1),
				      .origin = ORIGIN_USER,
				      .used = ARENA_NEW(&plans, bool)};
		text += name + 1 + value;
		text += strspn(text, " ");
	}
}

/* A source with those options of batches, named without "batch.", and those of the connector. */
static inline void
set_up_source(Fixture *f, const char *connector, const char *batch, const char *own)
{
	Endpoint endpoint = {.name = STR("s"),
			     .connector = connector_find(str_from(connector)),
			     .codec = codec_find(STR("json"))};
	Error err;

	assert_non_null(endpoint.connector);
	endpoint.given.entries = ARENA_ARRAY(&plans, OptionEntry, 32);
	add_options(&endpoint.given, "batch.", batch);
	add_options(&endpoint.given, "", own);
	if (batch_plan(&plans, ROLE_SOURCE, &endpoint, &err) != FERRIS_OK ||
	    options_resolve(connector_options(endpoint.connector, ROLE_SOURCE), &endpoint.given,
			    &plans, &endpoint.connector_settings, &err) != FERRIS_OK)
		fail_msg("%s %s: %s", batch, own, err.message);
	*f = (Fixture){0};
	batcher_open(&f->batcher, &endpoint, 0);
}

static inline void
set_up(Fixture *f, const char *batch)
{
	set_up_source(f, "memory", batch, "");
}

static inline int64_t
wait_for(Fixture *f, uint64_t rows, int64_t now_ms)
{
	Backlog backlog = {.rows = rows, .bytes = rows * 10};

	return batcher_wait(&f->batcher, &backlog, now_ms, now_ms);
}

static inline void
note_read(Fixture *f, uint64_t rows, uint64_t bytes)
{
	batcher_note_read(&f->batcher, rows, bytes, f->now_ms);
}

static inline bool
note_latency(Fixture *f, int64_t latency_ms)
{
	return batcher_note_latency(&f->batcher, latency_ms * 1000);
}

/* A batch of so many rows, or one that is full, at the end of a span of time. */
static inline void
run_batch(Fixture *f, uint64_t rows, int64_t span_ms)
{
	f->now_ms += span_ms;
	note_read(f, rows > 0 ? rows : f->batcher.size, 0);
	note_read(f, 0, 0);
}
