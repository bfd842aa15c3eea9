/* state/snapshot.c -- files of records. */
#include "state/snapshot.h"

#include <errno.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAGIC          "ferris state"
#define FORMAT_VERSION 2u
#define KEY_MAX        ((uint32_t)16 << 20)
#define VALUE_MAX      ((uint32_t)1 << 30)
#define GONE           UINT32_MAX /* as a value's length */
#define READ_STEP      ((size_t)64 << 10)

typedef struct FileHeader {
	char magic[sizeof MAGIC - 1];
	uint32_t version;
	uint64_t checksum; /* of what is before it */
} FileHeader;

typedef struct RecordHeader {
	uint32_t key_len;   /* + 1; 0 at the end */
	uint32_t value_len; /* GONE: none */
	uint64_t checksum;  /* of the lengths, key and value */
} RecordHeader;

typedef struct FileEnd {
	uint64_t count;
	uint64_t checksum;
} FileEnd;

/* ---- writing ---- */

static uint64_t
record_checksum(const RecordHeader *header, Str key, Str value)
{
	uint64_t lengths = (uint64_t)header->key_len << 32 | header->value_len;

	return XXH3_64bits_withSeed(value.data, value.len,
				    XXH3_64bits_withSeed(key.data, key.len, lengths));
}

static Status
snapshot_put(StateWriter *base, Str key, Str value, Error *err)
{
	SnapshotWriter *writer = (SnapshotWriter *)base;
	RecordHeader header = {.key_len = key.len + 1,
			       .value_len = value.data != NULL ? value.len : GONE};

	if (key.len >= KEY_MAX || (value.data != NULL && value.len > VALUE_MAX))
		return error_set(err, FERRIS_ERR_LIMIT,
				 "a group of %u bytes of key and %u of state is too large for a "
				 "snapshot",
				 key.len, value.len);
	header.checksum = record_checksum(&header, key, value);
	writer->count++;
	writer->checksum =
		XXH3_64bits_withSeed(&header.checksum, sizeof header.checksum, writer->checksum);
	buffer_append(writer->out, &header, sizeof header);
	buffer_append_str(writer->out, key);
	buffer_append_str(writer->out, value);
	return FERRIS_OK;
}

void
snapshot_writer_init(SnapshotWriter *writer, Buffer *out)
{
	*writer = (SnapshotWriter){.base.put = snapshot_put, .out = out};
}

void
snapshot_write_header(SnapshotWriter *writer)
{
	FileHeader header = {.version = FORMAT_VERSION};

	memcpy(header.magic, MAGIC, sizeof header.magic);
	header.checksum = XXH3_64bits(&header, offsetof(FileHeader, checksum));
	buffer_append(writer->out, &header, sizeof header);
}

void
snapshot_write_end(SnapshotWriter *writer)
{
	RecordHeader last = {0};
	FileEnd end = {writer->count, writer->checksum};

	buffer_append(writer->out, &last, sizeof last);
	buffer_append(writer->out, &end, sizeof end);
}

/* ---- reading ---- */

static Status
damaged(const SnapshotReader *reader, const char *what, Error *err)
{
	return error_set(err, FERRIS_ERR_STATE_DAMAGED, "the file of state '%s' %s", reader->path,
			 what);
}

static Status
read_bytes(SnapshotReader *reader, void *bytes, size_t len, Error *err)
{
	if (fread(bytes, 1, len, reader->file) == len)
		return FERRIS_OK;
	if (!ferror(reader->file))
		return damaged(reader, "is cut short", err);
	int code = errno;
	error_set(err, FERRIS_ERR_STATE, "cannot read the file of state '%s'", reader->path);
	return error_errno(err, code);
}

Status
snapshot_open(SnapshotReader *reader, FILE *file, const char *path, Error *err)
{
	FileHeader header;

	*reader = (SnapshotReader){.file = file, .path = path};
	buffer_init(&reader->record, (size_t)KEY_MAX + VALUE_MAX + READ_STEP);
	TRY(read_bytes(reader, &header, sizeof header, err));
	if (memcmp(header.magic, MAGIC, sizeof header.magic) != 0)
		return damaged(reader, "has another form", err);
	if (header.checksum != XXH3_64bits(&header, offsetof(FileHeader, checksum)))
		return damaged(reader, "is damaged", err);
	if (header.version != FORMAT_VERSION)
		return damaged(reader, "was written by another version", err);
	return FERRIS_OK;
}

/* In steps: a length that is damaged does not allocate what is not there. */
static Status
read_record(SnapshotReader *reader, size_t len, Error *err)
{
	buffer_reset(&reader->record);
	while (reader->record.len < len) {
		size_t left = len - reader->record.len;
		size_t step = left < READ_STEP ? left : READ_STEP;
		char *to = buffer_reserve(&reader->record, step);

		if (to == NULL)
			return damaged(reader, "is damaged", err);
		TRY(read_bytes(reader, to, step, err));
		buffer_commit(&reader->record, to + step);
	}
	return FERRIS_OK;
}

static Status
read_end(SnapshotReader *reader, const RecordHeader *header, Error *err)
{
	FileEnd end;

	TRY(read_bytes(reader, &end, sizeof end, err));
	if (header->value_len != 0 || header->checksum != 0 || end.count != reader->count ||
	    end.checksum != reader->checksum)
		return damaged(reader, "is damaged", err);
	return FERRIS_OK;
}

bool
snapshot_is_over(SnapshotReader *reader)
{
	int next = fgetc(reader->file);

	if (next != EOF)
		ungetc(next, reader->file);
	return next == EOF && !ferror(reader->file);
}

Status
snapshot_next(SnapshotReader *reader, Str *key, Str *value, bool *got, Error *err)
{
	RecordHeader header;

	*got = false;
	TRY(read_bytes(reader, &header, sizeof header, err));
	if (header.key_len == 0)
		return read_end(reader, &header, err);
	bool gone = header.value_len == GONE;
	uint32_t value_len = gone ? 0 : header.value_len;
	if (header.key_len > KEY_MAX || value_len > VALUE_MAX)
		return damaged(reader, "is damaged", err);
	TRY(read_record(reader, (size_t)header.key_len - 1 + value_len, err));
	*key = (Str){reader->record.data, header.key_len - 1};
	*value = (Str){reader->record.data + key->len, value_len};
	if (header.checksum != record_checksum(&header, *key, *value))
		return damaged(reader, "is damaged", err);
	if (value->len == 0)
		value->data = gone ? NULL : "";
	reader->count++;
	reader->checksum =
		XXH3_64bits_withSeed(&header.checksum, sizeof header.checksum, reader->checksum);
	*got = true;
	return FERRIS_OK;
}

void
snapshot_close(SnapshotReader *reader)
{
	buffer_free(&reader->record);
}
