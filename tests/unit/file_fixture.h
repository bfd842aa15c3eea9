/* tests/unit/file_fixture.h -- a folder, a codec of lines, and readers and writers on files.
 *
 * Records are lines; the codec here only cuts at line ends, so every byte that the connector
 * delivers or loses is seen. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "connector/file_connector.h"
#include "connector/file_input.h"

#define MAX_OPTIONS 8
#define TIMEOUT_MS  2000

static inline size_t
frame_lines(const Setting *settings, const char *data, size_t len, bool last)
{
	const char *end = memrchr(data, '\n', len);

	(void)settings;
	if (last)
		return len;
	return end != NULL ? (size_t)(end - data) + 1 : 0;
}

/* The header is a line that must be "head". */
static inline Status
check_head(const DecodeSpec *spec, const char *data, size_t len, bool last, size_t *skip,
	   Error *err)
{
	const char *end = memchr(data, '\n', len);

	(void)spec;
	*skip = end != NULL ? (size_t)(end - data) + 1 : last ? len : HEADER_INCOMPLETE;
	if (end != NULL && strncmp(data, "head\n", 5) != 0)
		return error_set(err, FERRIS_ERR_BAD_RECORD, "wrong header");
	return FERRIS_OK;
}

static const CodecClass lines_codec = {
	.name = "lines", .frame = frame_lines, .cut = codec_cut_lines};
static const CodecClass headed_codec = {
	.name = "headed", .frame = frame_lines, .cut = codec_cut_lines, .header = check_head};

static char folder[] = "/tmp/ferris-file-XXXXXX";

typedef struct Fixture {
	Arena arena;
	OptionEntry entries[MAX_OPTIONS];
	Options options;
	Setting *settings;
	ReaderSpec reader_spec;
	WriterSpec writer_spec;
	Reader *reader;
	Writer *writer;
	Chunk *chunk;
	Error err;
	Buffer got;       /* all bytes read */
	int64_t next[16]; /* where the next chunk of a split must begin */
	uint64_t sequence;
	uint32_t chunks;
	uint32_t skipped_lines;
} Fixture;

static inline const char *
in_folder(const char *name)
{
	static char paths[8][256];
	static int turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static inline void
put_file(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static inline void
append_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline void
get_file(const char *path, Buffer *out)
{
	int fd = open(path, O_RDONLY);
	char piece[4096];
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		buffer_append(out, piece, (size_t)n);
	close(fd);
}

/* Options as name, value, ..., NULL. */
static inline void
take_options(Fixture *f, const OptionGroup *group, va_list args)
{
	const char *name;

	*f = (Fixture){0};
	arena_init(&f->arena, 0);
	buffer_init(&f->got, SIZE_MAX);
	f->options.entries = f->entries;
	while ((name = va_arg(args, const char *)) != NULL)
		f->entries[f->options.count++] = (OptionEntry){
			.key = str_from(name), .value = str_from(va_arg(args, const char *))};
	assert_int_equal(options_resolve(group, &f->options, &f->arena, &f->settings, &f->err), 0);
}

static inline void
set_up_reader(Fixture *f, const CodecClass *codec, ...)
{
	va_list args;

	va_start(args, codec);
	take_options(f, &file_connector.source_options, args);
	va_end(args);
	f->reader_spec = (ReaderSpec){
		.object = "input", .settings = f->settings, .framing = {.codec = codec}};
	f->chunk = chunk_new(CHUNK_CAPACITY);
}

static inline void
set_up_writer(Fixture *f, const char *preamble, ...)
{
	va_list args;

	va_start(args, preamble);
	take_options(f, &file_connector.sink_options, args);
	va_end(args);
	f->writer_spec = (WriterSpec){.object = "output",
				      .settings = f->settings,
				      .preamble = preamble,
				      .preamble_len = strlen(preamble)};
}

static inline Status
open_reader(Fixture *f)
{
	return file_connector.reader_open(&f->reader_spec, &f->arena, &f->reader, &f->err);
}

static inline Status
open_writer(Fixture *f)
{
	return file_connector.writer_open(&f->writer_spec, &f->arena, &f->writer, &f->err);
}

static inline void
tear_down(Fixture *f)
{
	if (f->reader != NULL)
		file_connector.reader_close(f->reader);
	chunk_destroy(f->chunk);
	buffer_free(&f->got);
	arena_free(&f->arena);
}

/* One read; what came is appended to got, and the chunk's place is checked. */
static inline Status
read_once(Fixture *f, int timeout_ms, ReadResult *result)
{
	static const char zeros[CHUNK_PADDING];
	Chunk *chunk = f->chunk;

	chunk_reset(chunk);
	Status status = file_connector.read(f->reader, chunk, timeout_ms, result, &f->err);
	if (status != FERRIS_OK || *result != READ_DATA)
		return status;
	assert_true(chunk->len > 0);
	assert_int_equal(chunk->record_count, 0);
	assert_int_equal(chunk->sequence, f->sequence++);
	assert_int_equal(chunk->next_position - chunk->position, chunk->len);
	if (chunk->position != 0) /* 0: a rotated file, or a new one */
		assert_int_equal(chunk->position, f->next[chunk->split]);
	f->next[chunk->split] = chunk->next_position;
	assert_memory_equal(chunk->data + chunk->len, zeros, CHUNK_PADDING);
	buffer_append(&f->got, chunk->data, chunk->len);
	f->chunks++;
	f->skipped_lines += chunk->skipped_lines;
	return status;
}

static inline Status
read_all(Fixture *f)
{
	ReadResult result = READ_IDLE;

	while (result != READ_END) {
		Status status = read_once(f, TIMEOUT_MS, &result);
		if (status != FERRIS_OK)
			return status;
	}
	return FERRIS_OK;
}

/* Read a watched source until `len` bytes have come. */
static inline void
read_until(Fixture *f, size_t len)
{
	ReadResult result;

	for (int i = 0; f->got.len < len && i < 200; i++) {
		assert_int_equal(read_once(f, 100, &result), 0);
		assert_int_not_equal(result, READ_END);
	}
}

static inline void
assert_got(const Fixture *f, const char *text)
{
	assert_int_equal(f->got.len, strlen(text));
	if (f->got.len > 0)
		assert_memory_equal(f->got.data, text, f->got.len);
}

static inline void
assert_reads(const char *path, const char *text)
{
	Fixture f;

	set_up_reader(&f, &lines_codec, "path", path, NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, text);
	tear_down(&f);
}

static inline uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Random lines: most short, some far longer than a small chunk, CR LF and empty ones too. */
static inline void
make_lines(Buffer *out, uint32_t count, uint64_t *state, bool final_line_end)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t kind = next_random(state) % 10;
		uint64_t len = next_random(state) % (kind == 0 ? 300 : 20);

		for (uint64_t k = 0; k < len; k++)
			buffer_append_char(out, (char)('a' + next_random(state) % 26));
		if (kind == 1)
			buffer_append_char(out, '\r');
		buffer_append_char(out, '\n');
	}
	if (!final_line_end)
		buffer_append(out, "end", 3);
}

static inline void
write_file(const char *path, const char *const *pieces, bool failed)
{
	Fixture f;

	set_up_writer(&f, "", "path", path, NULL);
	assert_int_equal(open_writer(&f), 0);
	for (; *pieces != NULL; pieces++) {
		Output output = {0};
		char *copy = arena_copy(&f.arena, *pieces, strlen(*pieces));

		output.bytes.data = copy;
		output.bytes.len = strlen(copy);
		assert_int_equal(file_connector.write(f.writer, &output, &f.err), 0);
		assert_int_equal(file_connector.flush(f.writer, &f.err), 0);
	}
	assert_int_equal(file_connector.writer_close(f.writer, failed, &f.err), 0);
	tear_down(&f);
}

static inline void
set_up_watch(Fixture *f, const CodecClass *codec, const char *path)
{
	set_up_reader(f, codec, "path", path, "watch", "true", "poll.interval", "10ms", NULL);
	assert_int_equal(open_reader(f), 0);
}

static inline int
remove_folder(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		execlp("rm", "rm", "-rf", folder, (char *)NULL);
		_exit(1);
	}
	return child < 0;
}

static inline bool
file_tests_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return mkdtemp(folder) != NULL;
}
