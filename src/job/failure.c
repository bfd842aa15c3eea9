/* job/failure.c -- failure strategies and dead letters. */
#include "job/failure.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "codec/headers.h"

#define LOGGED_IN_FULL 20
#define LETTER_LIMIT   ((size_t)1 << 30)

struct FailureHandler {
	FailureStrategy strategy;
	const char *job;
	uint64_t count;
	uint64_t dead_letters;
	Writer *writer; /* of the dead letters */
	bool to_topic;
	Output letters;
};

Status
failure_open(const FailureSpec *given, Arena *arena, FailureHandler **out, Error *err)
{
	const StatementPlan *plan = given->plan;
	FailureHandler *handler = ARENA_NEW(arena, FailureHandler);
	const Endpoint *sink = plan->dead_letters;

	handler->strategy = (FailureStrategy)plan->job[JOB_FAILURE_STRATEGY].integer;
	handler->job = str_copy(arena, plan->name).data;
	*out = handler;
	if (sink == NULL)
		return FERRIS_OK;
	WriterSpec spec = {.object = str_copy(arena, sink->name).data,
			   .settings = sink->connector_settings,
			   .given = &sink->given,
			   .codec = sink->codec,
			   .preamble = "",
			   .environment = given->environment,
			   .within = given->within,
			   .marked = given->marked,
			   .resume = given->resume,
			   .disk = given->disk};
	handler->to_topic = sink->connector->keyed_output;
	output_init(&handler->letters, LETTER_LIMIT, handler->to_topic);
	return sink->connector->writer_open(&spec, arena, &handler->writer, err);
}

/* ---------------------------------------------------------------- messages */

/* "trades.jsonl:17" or "trades[3] offset 1234". */
static int
print_place(char *out, size_t size, const FailedRecord *record)
{
	if (record->error->derived)
		return snprintf(out, size, "a group's result");
	if (record->chunk->record_count == 0)
		return snprintf(out, size, "%s:%llu", record->split_name,
				(unsigned long long)record->line);
	return snprintf(out, size, "%s offset %lld", record->split_name,
			(long long)record->chunk->records[record->error->record.line].position);
}

static Status
fail_job(const FailedRecord *record, Error *err)
{
	const RowError *error = record->error;
	char place[256];

	print_place(place, sizeof place, record);
	if (error->column.len > 0)
		error_set(err, error->status, "%s: column '%.*s': %.*s", place,
			  STR_ARG(error->column), STR_ARG(error->message));
	else
		error_set(err, error->status, "%s: %.*s", place, STR_ARG(error->message));
	return error_hint(err, "correct the record, or choose what happens to bad ones: "
			       "'failure_strategy' = 'SendToDLQ' or 'LogAndContinue'");
}

static void
log_record(FailureHandler *handler, const FailedRecord *record)
{
	const RowError *error = record->error;
	char place[256];

	if (handler->count > LOGGED_IN_FULL)
		return;
	print_place(place, sizeof place, record);
	fprintf(stderr, "warning[FS%04d]: %s: %s%.*s%s%.*s\n", error_info(error->status)->number,
		place, error->column.len > 0 ? "column '" : "", STR_ARG(error->column),
		error->column.len > 0 ? "': " : "", STR_ARG(error->message));
	if (handler->count == LOGGED_IN_FULL)
		fprintf(stderr, "warning: %s: further bad records are counted, not shown\n",
			handler->job);
}

/* ---------------------------------------------------------------- dead letters */

static Str
record_bytes(const FailedRecord *record)
{
	const Chunk *chunk = record->chunk;

	if (record->error->derived)
		return (Str){NULL, 0};
	if (chunk->record_count > 0) {
		const ChunkRecord *original = &chunk->records[record->error->record.line];

		if (original->len == RECORD_NULL)
			return (Str){NULL, 0};
		return (Str){chunk->data + original->offset, original->len};
	}
	return (Str){chunk->data + record->error->record.offset, record->error->record.len};
}

static void
append_json_member(Buffer *out, const char *key, Str value)
{
	buffer_printf(out, ",\"%s\":", key);
	buffer_append_json(out, value);
}

/* One JSON object a line; the record's bytes as text, or in base64 if they are not UTF-8. */
static void
append_letter_line(FailureHandler *handler, const FailedRecord *record)
{
	Buffer *out = &handler->letters.bytes;
	const RowError *error = record->error;
	Str bytes = record_bytes(record);
	char code[16];

	buffer_append_str(out, STR("{\"source\":"));
	buffer_append_json(out, str_from(record->split_name));
	if (!error->derived && record->chunk->record_count == 0)
		buffer_printf(out, ",\"line\":%llu,\"offset\":%lld",
			      (unsigned long long)record->line,
			      (long long)(record->chunk->position + error->record.offset));
	else if (!error->derived)
		buffer_printf(out, ",\"offset\":%lld",
			      (long long)record->chunk->records[error->record.line].position);
	snprintf(code, sizeof code, "FS%04d", error_info(error->status)->number);
	append_json_member(out, "code", str_from(code));
	append_json_member(out, "column", error->column);
	append_json_member(out, "error", error->message);
	if (bytes.data == NULL) {
		buffer_append_str(out, STR(",\"record\":null"));
	} else if (utf8_valid(bytes.data, bytes.len)) {
		append_json_member(out, "record", bytes);
	} else {
		buffer_append_str(out, STR(",\"record_base64\":\""));
		char *text = buffer_reserve(out, BASE64_ENCODED(bytes.len));
		if (text != NULL)
			buffer_commit(out, base64_encode(text, bytes.data, bytes.len));
		buffer_append_char(out, '"');
	}
	buffer_append_str(out, STR("}\n"));
}

static void
append_header(Buffer *out, const char *name, Str value)
{
	/* A text without bytes is a value too. */
	header_append(out, &(Header){str_from(name), value.len > 0 ? value : (Str){"", 0}});
}

static void
append_number_header(Buffer *out, const char *name, long long number)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", number);
	append_header(out, name, str_from(text));
}

/* The original value, key and headers; where and why in headers of their own. */
static void
append_letter_record(FailureHandler *handler, const FailedRecord *record)
{
	Output *out = &handler->letters;
	const Chunk *chunk = record->chunk;
	const RowError *error = record->error;
	const ChunkRecord *original = chunk->record_count > 0 && !error->derived
					      ? &chunk->records[error->record.line]
					      : NULL;
	char code[16];

	buffer_append_str(&out->bytes, record_bytes(record));
	if (original != NULL && original->key_len != RECORD_NULL) {
		buffer_append(&out->keys, chunk->data + original->key_offset, original->key_len);
		out->key_ends[0] = (uint32_t)out->keys.len;
	} else {
		out->key_ends[0] = KEY_NULL;
	}
	if (original != NULL)
		buffer_append(&out->headers, chunk->data + original->header_offset,
			      original->header_len);
	append_header(&out->headers, "ferris.dlq.source", str_from(record->split_name));
	if (original != NULL)
		append_number_header(&out->headers, "ferris.dlq.offset", original->position);
	else
		append_number_header(&out->headers, "ferris.dlq.line", (long long)record->line);
	snprintf(code, sizeof code, "FS%04d", error_info(error->status)->number);
	append_header(&out->headers, "ferris.dlq.code", str_from(code));
	append_header(&out->headers, "ferris.dlq.column", error->column);
	append_header(&out->headers, "ferris.dlq.error", error->message);
	out->header_ends[0] = (uint32_t)out->headers.len;
	out->timestamps[0] = original != NULL ? original->timestamp_ms : INT64_MIN;
	buffer_append_char(&out->bytes, '\n');
}

static Status
send_letter(FailureHandler *handler, const FailedRecord *record, Error *err)
{
	Output *out = &handler->letters;

	output_reset(out);
	output_reserve(out, 1);
	if (handler->to_topic)
		append_letter_record(handler, record);
	else
		append_letter_line(handler, record);
	out->ends[0] = (uint32_t)out->bytes.len;
	out->count = 1;
	handler->dead_letters++;
	return handler->writer->class->write(handler->writer, out, err);
}

/* ---------------------------------------------------------------- */

Status
failure_record(FailureHandler *handler, const FailedRecord *record, Error *err)
{
	handler->count++;
	switch (handler->strategy) {
	case FAILURE_LOG_AND_CONTINUE:
		log_record(handler, record);
		return FERRIS_OK;
	case FAILURE_SEND_TO_DLQ:
		return send_letter(handler, record, err);
	case FAILURE_FAIL_BATCH:
	case FAILURE_RETRY_WITH_BACKOFF:
		break;
	}
	return fail_job(record, err);
}

Status
failure_flush(FailureHandler *handler, Error *err)
{
	return handler->writer != NULL ? handler->writer->class->flush(handler->writer, err)
				       : FERRIS_OK;
}

Status
failure_mark(FailureHandler *handler, WriterMark *mark, Error *err)
{
	return handler->writer->class->mark(handler->writer, mark, err);
}

Status
failure_close(FailureHandler *handler, bool failed, Error *err)
{
	Status status = FERRIS_OK;

	if (handler->writer != NULL)
		status = handler->writer->class->writer_close(handler->writer, failed, err);
	output_free(&handler->letters);
	return status;
}

uint64_t
failure_dead_letters(const FailureHandler *handler)
{
	return handler->dead_letters;
}
