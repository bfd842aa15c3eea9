/* tests/unit/test_memory_connector.c -- topics in memory: order, keys, closing, faults, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "base/memory.h"
#include "connector/connector.h"
#include "connector/memory.h"

extern const ConnectorClass memory_connector;

#define MAX_OPTIONS 4
#define NONE        ((Str){NULL, 0})

typedef struct Fixture {
	Arena arena;
	OptionEntry entries[MAX_OPTIONS];
	Options options;
	Setting *source, *sink;
	Reader *reader;
	Writer *writer;
	Chunk *chunk;
	Error err;
} Fixture;

static void
set_up(Fixture *f, MemoryBroker *broker, const char *object, const char *name, const char *value)
{
	Arena *arena = &f->arena;

	*f = (Fixture){0};
	arena_init(arena, 0);
	f->options.entries = f->entries;
	if (name != NULL)
		f->entries[f->options.count++] =
			(OptionEntry){.key = str_from(name), .value = str_from(value)};
	assert_int_equal(options_resolve(&memory_connector.source_options, &f->options, arena,
					 &f->source, &f->err),
			 0);
	assert_int_equal(options_resolve(&memory_connector.sink_options, &f->options, arena,
					 &f->sink, &f->err),
			 0);
	ReaderSpec reader = {
		.object = object, .settings = f->source, .environment = broker, .group = "group"};
	assert_int_equal(memory_connector.reader_open(&reader, arena, &f->reader, &f->err), 0);
	f->chunk = chunk_new(CHUNK_CAPACITY);
}

static void
open_writer(Fixture *f, MemoryBroker *broker, const char *object)
{
	WriterSpec spec = {
		.object = object, .settings = f->sink, .environment = broker, .preamble = ""};

	assert_int_equal(memory_connector.writer_open(&spec, &f->arena, &f->writer, &f->err), 0);
}

static void
tear_down(Fixture *f)
{
	memory_connector.reader_close(f->reader);
	chunk_destroy(f->chunk);
	arena_free(&f->arena);
}

static ReadResult
read_once(Fixture *f, int timeout_ms)
{
	ReadResult result;

	chunk_reset(f->chunk);
	assert_int_equal(memory_connector.read(f->reader, f->chunk, timeout_ms, &result, &f->err),
			 0);
	return result;
}

static Str
value_of(const Fixture *f, uint32_t i)
{
	const ChunkRecord *record = &f->chunk->records[i];

	assert_true(i < f->chunk->record_count);
	return record->len == RECORD_NULL ? NONE
					  : (Str){f->chunk->data + record->offset, record->len};
}

static void
append(MemoryBroker *broker, const char *topic, uint32_t partition, const char *value)
{
	memory_topic_append(broker, str_from(topic), partition, NONE, str_from(value), 5);
}

static void
test_records_keep_everything(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	Fixture f;

	(void)state;
	memory_topic_append(broker, STR("t"), 0, STR("k"), STR("v1"), 7);
	memory_topic_append(broker, STR("t"), 0, NONE, NONE, MEMORY_NO_TIMESTAMP);
	memory_topic_append(broker, STR("t"), 0, STR(""), STR(""), 9);
	memory_topic_close(broker, STR("t"));
	set_up(&f, broker, "t", NULL, NULL);
	assert_int_equal(memory_connector.lag(f.reader), 3);
	assert_int_equal(read_once(&f, 0), READ_DATA);
	assert_int_equal(f.chunk->record_count, 3);
	const ChunkRecord *records = f.chunk->records;
	assert_true(str_eq(value_of(&f, 0), STR("v1")));
	assert_int_equal(records[0].key_len, 1);
	assert_int_equal(f.chunk->data[records[0].key_offset], 'k');
	assert_int_equal(records[0].timestamp_ms, 7);
	assert_int_equal(records[1].len, RECORD_NULL);
	assert_int_equal(records[1].key_len, RECORD_NULL);
	assert_true(records[1].timestamp_ms == INT64_MIN);
	assert_int_equal(records[1].position, 1);
	assert_int_equal(records[2].len, 0); /* empty is not null */
	assert_int_equal(records[2].key_len, 0);
	assert_int_equal(f.chunk->position, 0);
	assert_int_equal(f.chunk->next_position, 3);
	assert_string_equal(memory_connector.split_name(f.reader, f.chunk->split), "t[0]");
	assert_int_equal(memory_connector.lag(f.reader), 0);
	assert_int_equal(read_once(&f, 0), READ_END);
	tear_down(&f);
	memory_broker_destroy(broker);
}

static void
test_partitions_and_batches(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	int64_t next[3] = {0};
	uint64_t sequence = 0;
	char text[16];
	Fixture f;

	(void)state;
	for (int i = 0; i < 30; i++) {
		snprintf(text, sizeof text, "%d", i);
		append(broker, "many", (uint32_t)i % 3, text);
	}
	memory_topic_close(broker, STR("many"));
	set_up(&f, broker, "stream", "topic", "many");
	tear_down(&f);
	for (int batch = 1; batch < 12; batch++) {
		ReadResult result;
		int records = 0;

		snprintf(text, sizeof text, "%d", batch);
		set_up(&f, broker, "many", "memory.batch", text);
		memset(next, 0, sizeof next);
		for (sequence = 0; (result = read_once(&f, 0)) == READ_DATA; sequence++) {
			assert_true(f.chunk->record_count <= (uint32_t)batch);
			assert_int_equal(f.chunk->sequence, sequence);
			assert_int_equal(f.chunk->position, next[f.chunk->split]);
			for (uint32_t i = 0; i < f.chunk->record_count; i++, records++) {
				char expected[16];

				snprintf(expected, sizeof expected, "%u",
					 (unsigned)next[f.chunk->split]++ * 3 + f.chunk->split);
				assert_true(str_eq(value_of(&f, i), str_from(expected)));
			}
			assert_int_equal(f.chunk->next_position, next[f.chunk->split]);
		}
		assert_int_equal(result, READ_END);
		assert_int_equal(records, 30);
		tear_down(&f);
	}
	memory_broker_destroy(broker);
}

/* Three records: keys "a", none, "a"; values with their line ends; the last has a timestamp. */
static void
fill_output(Output *output)
{
	output_init(output, SIZE_MAX, true);
	buffer_append(&output->bytes, "v1\nlong v2\n\n", 12);
	buffer_append(&output->keys, "aa", 2);
	output_reserve(output, 3);
	memcpy(output->ends, (uint32_t[]){3, 11, 12}, 3 * sizeof(uint32_t));
	memcpy(output->key_ends, (uint32_t[]){1, 1 | KEY_NULL, 2}, 3 * sizeof(uint32_t));
	memset(output->header_ends, 0, 3 * sizeof(uint32_t));
	memcpy(output->timestamps, (int64_t[]){INT64_MIN, INT64_MIN, 77}, 3 * sizeof(int64_t));
	output->count = 3;
}

static void
test_writer(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	MemoryRecord record;
	Output output;
	Fixture f;

	(void)state;
	broker->clock_ms = 123;
	memory_topic_create(broker, STR("out"), 8);
	fill_output(&output);
	set_up(&f, broker, "out", NULL, NULL);
	open_writer(&f, broker, "out");
	assert_int_equal(memory_connector.write(f.writer, &output, &f.err), 0);
	assert_int_equal(memory_connector.flush(f.writer, &f.err), 0);
	assert_int_equal(memory_topic_count(broker, STR("out")), 3);
	assert_true(memory_topic_read(broker, STR("out"), 0, &record));
	uint32_t partition = record.partition;
	assert_true(str_eq(record.value, STR("v1")));
	assert_true(str_eq(record.key, STR("a")));
	assert_int_equal(record.timestamp_ms, 123);
	assert_true(memory_topic_read(broker, STR("out"), 1, &record));
	assert_true(str_eq(record.value, STR("long v2")));
	assert_null(record.key.data);
	assert_true(memory_topic_read(broker, STR("out"), 2, &record));
	assert_int_equal(record.value.len, 0);
	assert_non_null(record.value.data);
	assert_int_equal(record.timestamp_ms, 77);
	assert_int_equal(record.partition, partition); /* equal keys stay together */
	assert_false(memory_topic_read(broker, STR("out"), 3, &record));
	output_free(&output);
	assert_int_equal(memory_connector.writer_close(f.writer, false, &f.err), 0);
	tear_down(&f);
	memory_broker_destroy(broker);
}

/* A reader ends when the last writer has ended well, not before, and not after a failure. */
static void
test_writers_close_their_topic(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	Fixture f;

	(void)state;
	set_up(&f, broker, "x", NULL, NULL);
	assert_int_equal(read_once(&f, 5), READ_IDLE);
	open_writer(&f, broker, "x");
	Writer *first = f.writer;
	open_writer(&f, broker, "x");
	assert_int_equal(memory_connector.writer_close(first, false, &f.err), 0);
	assert_int_equal(read_once(&f, 5), READ_IDLE);
	assert_int_equal(memory_connector.writer_close(f.writer, false, &f.err), 0);
	assert_int_equal(read_once(&f, 5), READ_END);
	open_writer(&f, broker, "x");
	assert_int_equal(memory_connector.writer_close(f.writer, true, &f.err), 0);
	assert_int_equal(read_once(&f, 5), READ_IDLE);
	tear_down(&f);
	memory_broker_destroy(broker);
}

static void
test_faults_lose_nothing(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	SplitPosition position = {0, 1};
	ReadResult result;
	Output output;
	Fixture f;

	(void)state;
	append(broker, "f", 0, "one");
	append(broker, "f", 0, "two");
	set_up(&f, broker, "f", "memory.batch", "1");
	broker->fail_read.at = 2;
	broker->fail_write.at = 1;
	broker->fail_flush.at = 1;
	broker->fail_commit.at = 1;
	assert_int_equal(read_once(&f, 0), READ_DATA);
	chunk_reset(f.chunk);
	assert_int_equal(memory_connector.read(f.reader, f.chunk, 0, &result, &f.err),
			 FERRIS_ERR_KAFKA_READ);
	assert_true((f.err.flags & ERROR_RETRIABLE) != 0);
	assert_int_equal(read_once(&f, 0), READ_DATA);
	assert_true(str_eq(value_of(&f, 0), STR("two")));

	fill_output(&output);
	open_writer(&f, broker, "g");
	assert_int_equal(memory_connector.write(f.writer, &output, &f.err), FERRIS_ERR_KAFKA_WRITE);
	assert_int_equal(memory_topic_count(broker, STR("g")), 0);
	assert_int_equal(memory_connector.write(f.writer, &output, &f.err), 0);
	assert_int_equal(memory_topic_count(broker, STR("g")), 3);
	assert_int_equal(memory_connector.flush(f.writer, &f.err), FERRIS_ERR_KAFKA_WRITE);
	assert_int_equal(memory_connector.flush(f.writer, &f.err), 0);
	output_free(&output);

	assert_int_equal(memory_connector.commit(f.reader, &position, 1, &f.err),
			 FERRIS_ERR_KAFKA_COMMIT);
	assert_int_equal(memory_topic_committed(broker, STR("f"), STR("group"), 0), -1);
	assert_int_equal(memory_connector.commit(f.reader, &position, 1, &f.err), 0);
	assert_int_equal(memory_topic_committed(broker, STR("f"), STR("group"), 0), 1);
	tear_down(&f);

	set_up(&f, broker, "f", "memory.resume", "true");
	assert_int_equal(read_once(&f, 0), READ_DATA);
	assert_int_equal(f.chunk->position, 1);
	assert_true(str_eq(value_of(&f, 0), STR("two")));
	tear_down(&f);
	memory_broker_destroy(broker);
}

static Writer *
open_transactions(Fixture *f, MemoryBroker *broker, const char *object, Writer *within)
{
	WriterSpec spec = {.object = object,
			   .settings = f->sink,
			   .environment = broker,
			   .preamble = "",
			   .transaction = within == NULL ? "name" : NULL,
			   .within = within};
	Writer *writer;

	assert_int_equal(memory_connector.writer_open(&spec, &f->arena, &writer, &f->err), 0);
	return writer;
}

/* "key=value;" of each record, "key;" of one that is gone. */
static Status
note_record(void *context, Str key, Str value, Error *err)
{
	char *text = context;
	size_t len = strlen(text);

	(void)err;
	snprintf(text + len, 100 - len, value.data != NULL ? "%.*s=%.*s;" : "%.*s;", STR_ARG(key),
		 STR_ARG(value));
	return FERRIS_OK;
}

/* Output, dead letters, state and positions: all of it or nothing. */
static void
test_a_transaction_is_one(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	SplitPosition position = {0, 1};
	char read[100] = "";
	StateLog *log;
	Output output;
	Fixture f;

	(void)state;
	append(broker, "in", 0, "one");
	set_up(&f, broker, "in", "memory.resume", "true");
	fill_output(&output);
	EpochInput input = {f.reader, &position, 1};
	Writer *writer = open_transactions(&f, broker, "out", NULL);
	Writer *letters = open_transactions(&f, broker, "dead", writer);
	assert_int_equal(memory_connector.takes_positions(writer, f.reader, &f.err), 0);
	assert_int_equal(memory_connector.log_open(writer, "log", &f.arena, &log, &f.err), 0);
	for (int round = 0; round < 3; round++) {
		broker->fail_commit.at = round == 0 ? broker->fail_commit.calls + 1 : 0;
		broker->lose_answer.at = round == 2 ? broker->lose_answer.calls + 1 : 0;
		assert_int_equal(memory_connector.write(writer, &output, &f.err), 0);
		assert_int_equal(memory_connector.write(letters, &output, &f.err), 0);
		assert_int_equal(memory_connector.log_put(log, STR("k"), STR("v"), &f.err), 0);
		assert_int_equal(memory_connector.log_put(log, STR("k"), NONE, &f.err), 0);
		size_t before = memory_topic_count(broker, STR("out"));
		assert_int_equal(memory_topic_count(broker, STR("dead")), before);
		assert_int_equal(before, round == 2 ? 3 : 0);
		position.next = round + 1;
		assert_int_equal(memory_connector.commit_epoch(writer, &input, 1, &f.err),
				 round == 1 ? FERRIS_OK : FERRIS_ERR_KAFKA_EPOCH);
		assert_true(round == 1 || (f.err.flags & ERROR_REQUIRES_ABORT) != 0);
		assert_int_equal(memory_topic_count(broker, STR("out")), round * 3);
		assert_int_equal(memory_topic_count(broker, STR("dead")), round * 3);
		assert_int_equal(memory_topic_committed(broker, STR("in"), STR("group"), 0),
				 round == 0 ? -1 : round + 1);
	}
	assert_int_equal(memory_connector.log_read(log, LOG_BEGIN, note_record, read, &f.err), 0);
	assert_string_equal(read, "k=v;k;k=v;k;");
	assert_int_equal(memory_connector.writer_close(letters, true, &f.err), 0);
	assert_int_equal(memory_connector.writer_close(writer, true, &f.err), 0);
	output_free(&output);
	tear_down(&f);
	memory_broker_destroy(broker);
}

/* The later of two writers of one name takes over; what the older one has written is lost. */
static void
test_the_older_writer_is_fenced(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	Output output;
	Fixture f;

	(void)state;
	set_up(&f, broker, "in", NULL, NULL);
	fill_output(&output);
	Writer *old = open_transactions(&f, broker, "out", NULL);
	assert_int_equal(memory_connector.write(old, &output, &f.err), 0);
	Writer *new = open_transactions(&f, broker, "out", NULL);
	assert_int_equal(memory_connector.write(new, &output, &f.err), 0);
	assert_int_equal(memory_connector.commit_epoch(old, NULL, 0, &f.err),
			 FERRIS_ERR_KAFKA_FENCED);
	assert_int_equal(memory_topic_count(broker, STR("out")), 0);
	assert_int_equal(memory_connector.commit_epoch(new, NULL, 0, &f.err), 0);
	assert_int_equal(memory_topic_count(broker, STR("out")), 3);
	/* A reader that begins anew each time cannot be in an epoch. */
	assert_int_equal(memory_connector.takes_positions(new, f.reader, &f.err),
			 FERRIS_ERR_PREFLIGHT);
	assert_int_equal(memory_connector.writer_close(old, true, &f.err), 0);
	assert_int_equal(memory_connector.writer_close(new, false, &f.err), 0);
	output_free(&output);
	tear_down(&f);
	memory_broker_destroy(broker);
}

/* Of two partitions, the one that is behind is read first, as if there had been no break; a pause
 * that is not behind it comes once more. */
static void
test_resuming(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	SplitPosition position = {0, 1};
	Fixture f;

	(void)state;
	append(broker, "t", 0, "a");
	append(broker, "t", 1, "b");
	memory_topic_pause(broker, STR("t"), 1, 1000);
	for (int round = 1; round <= 2; round++) {
		set_up(&f, broker, "t", "memory.resume", "true");
		if (round == 1)
			assert_int_equal(read_once(&f, 0), READ_DATA);
		assert_int_equal(read_once(&f, 0), READ_DATA);
		assert_int_equal(f.chunk->split, 1);
		assert_int_equal(read_once(&f, 0), READ_IDLE);
		assert_int_equal(broker->clock_offset_ms, 1000 * round);
		assert_int_equal(memory_connector.commit(f.reader, &position, 1, &f.err), 0);
		tear_down(&f);
	}
	memory_broker_destroy(broker);
}

/* Every second read that would find records; what was read and not committed comes again. */
static void
test_partitions_go_and_come_back(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	SplitPosition position = {0, 1};
	Fixture f;

	(void)state;
	for (const char *c = "abc"; *c != 0; c++)
		memory_topic_append(broker, STR("t"), 0, NONE, (Str){c, 1}, 5);
	broker->revoke_every = 2;
	set_up(&f, broker, "t", "memory.resume", "true");
	assert_int_equal(read_once(&f, 0), READ_DATA);
	assert_int_equal(f.chunk->record_count, 3);
	assert_int_equal(memory_connector.commit(f.reader, &position, 1, &f.err), 0);
	append(broker, "t", 0, "d");
	assert_int_equal(read_once(&f, 0), READ_REVOKED);
	assert_int_equal(memory_connector.release(f.reader, &f.err), 0);
	assert_int_equal(read_once(&f, 0), READ_DATA);
	assert_int_equal(f.chunk->position, 1);
	assert_true(str_eq(value_of(&f, 2), STR("d")));
	tear_down(&f);
	memory_broker_destroy(broker);
}

static void
test_sample_takes_nothing(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	Fixture f;

	(void)state;
	set_up(&f, broker, "s", NULL, NULL);
	ReaderSpec spec = {.object = "s", .settings = f.source, .environment = broker};
	assert_int_equal(memory_connector.sample(&spec, &f.arena, f.chunk, 100, &f.err),
			 FERRIS_ERR_NO_SCHEMA);
	append(broker, "s", 0, "abc");
	append(broker, "s", 0, "def");
	append(broker, "s", 0, "ghi");
	assert_int_equal(memory_connector.sample(&spec, &f.arena, f.chunk, 4, &f.err), 0);
	assert_int_equal(f.chunk->record_count, 2);
	assert_int_equal(read_once(&f, 0), READ_DATA);
	assert_int_equal(f.chunk->record_count, 3);
	spec.environment = NULL;
	assert_int_equal(memory_connector.reader_open(&spec, &f.arena, &f.reader, &f.err),
			 FERRIS_ERR_OPTION_VALUE);
	tear_down(&f);
	memory_broker_destroy(broker);
}

#define THREAD_RECORDS 20000

typedef struct Producer {
	MemoryBroker *broker;
	uint32_t partition;
} Producer;

static void *
produce(void *argument)
{
	const Producer *producer = argument;
	char text[16];

	for (int i = 0; i < THREAD_RECORDS; i++) {
		snprintf(text, sizeof text, "%d", i);
		append(producer->broker, "busy", producer->partition, text);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	MemoryBroker *broker = memory_broker_new();
	Producer producers[2] = {{broker, 0}, {broker, 1}};
	pthread_t threads[2];
	int seen[2] = {0};
	ReadResult result;
	Fixture f;

	(void)state;
	set_up(&f, broker, "busy", "memory.batch", "100");
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, produce, &producers[i]);
	while (seen[0] + seen[1] < 2 * THREAD_RECORDS) {
		result = read_once(&f, 10000);
		assert_int_equal(result, READ_DATA);
		for (uint32_t i = 0; i < f.chunk->record_count; i++) {
			char expected[16];

			snprintf(expected, sizeof expected, "%d", seen[f.chunk->split]++);
			assert_true(str_eq(value_of(&f, i), str_from(expected)));
		}
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	memory_topic_close(broker, STR("busy"));
	assert_int_equal(read_once(&f, 0), READ_END);
	tear_down(&f);
	memory_broker_destroy(broker);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_keep_everything),
		cmocka_unit_test(test_partitions_and_batches),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_writers_close_their_topic),
		cmocka_unit_test(test_faults_lose_nothing),
		cmocka_unit_test(test_a_transaction_is_one),
		cmocka_unit_test(test_the_older_writer_is_fenced),
		cmocka_unit_test(test_resuming),
		cmocka_unit_test(test_partitions_go_and_come_back),
		cmocka_unit_test(test_sample_takes_nothing),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
