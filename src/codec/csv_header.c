/* codec/csv_header.c -- a file's first lines: byte order mark, skipped lines, column names; and
 * types inferred from a sample. */
#include "codec/csv_format.h"

#include <assert.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "codec/text.h"

#define LISTED_NAMES_MAX 300 /* bytes of the header that a message shows */

size_t
csv_skip_start(const CsvFormat *format, const char *data, size_t len, bool last)
{
	size_t p = 0;

	if (len < 3 && !last)
		return HEADER_INCOMPLETE;
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		p = 3;
	for (uint64_t i = 0; i < format->skip_lines; i++) {
		const char *end = p < len ? memchr(data + p, '\n', len - p) : NULL;

		if (end == NULL)
			return last ? len : HEADER_INCOMPLETE;
		p = (size_t)(end - data) + 1;
	}
	return p;
}

/* ---- the names ---- */

typedef struct Header {
	Str *names;
	uint32_t count;
	size_t next; /* the first record */
} Header;

/* The header at data[start..len) into the arena; *complete is false if more bytes are needed. */
static Status
read_header(const CsvFormat *format, const char *data, size_t start, size_t len, bool last,
	    Arena *arena, Header *header, bool *complete, Error *err)
{
	CsvRecord record = {0};
	CsvField *fields;

	csv_scan_record(format, data, start, len, NULL, 0, &record);
	*complete = last || record.ended;
	if (!*complete)
		return FERRIS_OK;
	if (record.problem != CSV_FINE)
		return error_set(err, FERRIS_ERR_BAD_RECORD,
				 "the CSV header is malformed at its field %u",
				 record.problem_field + 1);
	fields = ARENA_ARRAY(arena, CsvField, record.field_count);
	csv_scan_record(format, data, start, len, fields, record.field_count, &record);
	*header = (Header){ARENA_ARRAY(arena, Str, record.field_count), record.field_count,
			   record.next};
	for (uint32_t i = 0; i < record.field_count; i++) {
		header->names[i] = csv_field_text(format, data, fields[i], arena);
		if (!utf8_valid(header->names[i].data, header->names[i].len))
			return error_set(err, FERRIS_ERR_UTF8,
					 "name %u of the CSV header is not valid UTF-8", i + 1);
	}
	return FERRIS_OK;
}

static Str
list_names(Arena *arena, const Header *header)
{
	Str list = {"", 0};

	for (uint32_t i = 0; i < header->count; i++) {
		if (list.len + header->names[i].len > LISTED_NAMES_MAX)
			return str_format(arena, "%.*s, and %u more", STR_ARG(list),
					  header->count - i);
		list = str_format(arena, "%.*s%s%.*s", STR_ARG(list), i > 0 ? ", " : "",
				  STR_ARG(header->names[i]));
	}
	return list;
}

/* Exactly one name must be equal or, failing that, equal but for ASCII case. */
static Status
find_name(const Header *header, Str wanted, Arena *arena, uint32_t *place, Error *err)
{
	for (int nocase = 0; nocase < 2; nocase++) {
		uint32_t hits = 0;

		for (uint32_t i = header->count; i > 0; i--) {
			Str name = header->names[i - 1];
			bool equal = nocase ? str_eq_nocase(name, wanted) : str_eq(name, wanted);

			hits += equal;
			if (equal)
				*place = i - 1;
		}
		if (hits == 1)
			return FERRIS_OK;
		if (hits > 1)
			return error_set(err, FERRIS_ERR_DUPLICATE_NAME,
					 "the CSV header has %u columns named '%.*s'", hits,
					 STR_ARG(wanted));
	}
	Str list = list_names(arena, header);
	Str near = str_nearest(wanted, header->names, header->count);
	error_set(err, FERRIS_ERR_UNKNOWN_COLUMN,
		  "the CSV header has no column '%.*s'; it has: %.*s", STR_ARG(wanted),
		  STR_ARG(list));
	if (near.data != NULL)
		return error_hint(err, "did you mean '%.*s'?", STR_ARG(near));
	return error_hint(err, "if the first line is no header, set 'csv.header' = 'false'");
}

/* ---- the order of the fields ---- */

/* The first header of the scan sets the order, the others must have the same. */
static Status
agree_order(const DecodeSpec *spec, const Header *header, const uint32_t *places, Error *err)
{
	FieldOrder *order = spec->order;
	bool is_first = order == NULL || order->count == 0;

	if (order != NULL && is_first) {
		memcpy(order->places, places, sizeof *places * spec->column_count);
		order->count = header->count;
		return FERRIS_OK;
	}
	uint32_t count = is_first ? spec->schema->count : order->count;
	const char *other = is_first ? "the declared schema" : "the first file's header";
	for (uint32_t i = 0; i < spec->column_count; i++) {
		Str name = spec->columns[i].name;
		uint32_t place =
			is_first ? (uint32_t)schema_find(spec->schema, name) : order->places[i];

		if (place == places[i])
			continue;
		error_set(err, FERRIS_ERR_BAD_RECORD,
			  "column '%.*s' is field %u of this CSV header, but field %u of %s",
			  STR_ARG(name), places[i] + 1, place + 1, other);
		return error_hint(err, "read files with different headers as streams of their own");
	}
	if (count != header->count) {
		error_set(err, FERRIS_ERR_BAD_RECORD,
			  "this CSV header has %u columns, but %s has %u", header->count, other,
			  count);
		return error_hint(err, "read files with different headers as streams of their own");
	}
	return FERRIS_OK;
}

static Status
check_header(const DecodeSpec *spec, const CsvFormat *format, const char *data, size_t len,
	     bool last, Arena *arena, size_t *skip, Error *err)
{
	size_t start = csv_skip_start(format, data, len, last);
	Header header = {0};
	bool complete;

	*skip = start;
	if (start == HEADER_INCOMPLETE || !format->header)
		return FERRIS_OK;
	if (start == len) {
		*skip = last ? len : HEADER_INCOMPLETE; /* an empty file has no header */
		return FERRIS_OK;
	}
	TRY(read_header(format, data, start, len, last, arena, &header, &complete, err));
	if (!complete) {
		*skip = HEADER_INCOMPLETE;
		return FERRIS_OK;
	}
	uint32_t *places = ARENA_ARRAY(arena, uint32_t, spec->column_count);
	for (uint32_t i = 0; i < spec->column_count; i++)
		TRY(find_name(&header, spec->columns[i].name, arena, &places[i], err));
	TRY(agree_order(spec, &header, places, err));
	*skip = header.next;
	return FERRIS_OK;
}

Status
csv_header(const DecodeSpec *spec, const char *data, size_t len, bool last, size_t *skip,
	   Error *err)
{
	CsvFormat format = csv_format_from(spec->settings);
	Arena arena;

	TRY(csv_format_check(&spec->settings[CSV_IN_DELIMITER], &spec->settings[CSV_IN_QUOTE],
			     err));
	arena_init(&arena, 0);
	Status status = check_header(spec, &format, data, len, last, &arena, skip, err);
	arena_free(&arena);
	return status;
}
