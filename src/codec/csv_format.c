/* codec/csv_format.c -- the options of CSV, the scanner that is its grammar, and framing. */
#include "codec/csv_format.h"

#include "codec/timestamp_style.h"

const OptionRow csv_decode_rows[CSV_IN_COUNT] = {
	[CSV_IN_HEADER] = {"csv.header", OPTION_BOOLEAN, "true",
			   .aliases = "header|has_headers|csv.has_header|csv_has_header",
			   .doc = "Whether a file's first line names its columns; they are then "
				  "found by name."},
	[CSV_IN_DELIMITER] = {"csv.delimiter", OPTION_CHARACTER, ",",
			      .aliases = "delimiter|csv_delimiter",
			      .doc = "The byte between two fields."},
	[CSV_IN_QUOTE] =
		{"csv.quote", OPTION_CHARACTER, "\"", .aliases = "quote|csv_quote",
		 .doc = "The byte around a field that holds delimiters, line ends or quotes."},
	[CSV_IN_NULL] = {"csv.null", OPTION_STRING, "",
			 .doc = "The text of an unquoted field that is NULL."},
	[CSV_IN_TRIM] = {"csv.trim", OPTION_BOOLEAN, "false",
			 .doc = "Whether blanks around a field are left out."},
	[CSV_IN_SKIP_LINES] = {"csv.skip.lines", OPTION_INTEGER, "0", .max = 1e9,
			       .aliases = "skip_lines",
			       .doc = "Lines at the start of a file to skip, before the header."},
	[CSV_IN_TIMESTAMP_FORMAT] = TIMESTAMP_STYLE_OPTION("read"),
	[CSV_IN_SIMD] = {"csv.simd", OPTION_CHOICE, "auto", .choices = "auto|portable",
			 .doc = "Which scanner reads CSV: the best for this processor, or the "
				"portable one."},
};

const OptionRow csv_encode_rows[CSV_OUT_COUNT] = {
	[CSV_OUT_HEADER] = {"csv.header", OPTION_BOOLEAN, "true",
			    .aliases = "header|has_headers|csv.has_header|csv_has_header",
			    .doc = "Whether a file's first line names its columns."},
	[CSV_OUT_DELIMITER] = {"csv.delimiter", OPTION_CHARACTER, ",",
			       .aliases = "delimiter|csv_delimiter",
			       .doc = "The byte between two fields."},
	[CSV_OUT_QUOTE] =
		{"csv.quote", OPTION_CHARACTER, "\"", .aliases = "quote|csv_quote",
		 .doc = "The byte around a field that holds delimiters, line ends or quotes."},
	[CSV_OUT_NULL] = {"csv.null", OPTION_STRING, "",
			  .doc = "What is written, unquoted, for NULL."},
	[CSV_OUT_LINE_END] = {"csv.line.end", OPTION_CHOICE, "lf", .choices = "lf|crlf",
			      .doc = "The line end behind each record."},
	[CSV_OUT_TIMESTAMP_FORMAT] = TIMESTAMP_STYLE_OPTION("written"),
};

CsvFormat
csv_format_from(const Setting *settings)
{
	return (CsvFormat){
		.delimiter = settings[CSV_IN_DELIMITER].text.data[0],
		.quote = settings[CSV_IN_QUOTE].text.data[0],
		.trim = settings[CSV_IN_TRIM].flag,
		.header = settings[CSV_IN_HEADER].flag,
		.skip_lines = (uint64_t)settings[CSV_IN_SKIP_LINES].integer,
		.null = settings[CSV_IN_NULL].text,
	};
}

Status
csv_format_check(const Setting *delimiter, const Setting *quote, Error *err)
{
	const Setting *both[] = {delimiter, quote};

	for (int i = 0; i < 2; i++) {
		char c = both[i]->text.data[0];

		if (c == '\n' || c == '\r') {
			error_set(err, FERRIS_ERR_OPTION_VALUE, "option '%s' cannot be a line end",
				  both[i]->row->name);
			return option_error(both[i], err);
		}
	}
	if (delimiter->text.data[0] == quote->text.data[0]) {
		error_set(err, FERRIS_ERR_OPTION_CONFLICT, "options '%s' and '%s' are both '%c'",
			  delimiter->row->name, quote->row->name, quote->text.data[0]);
		error_hint(err, "a field could not be told from its quotes; change one of them");
		return option_error(quote->entry != NULL ? quote : delimiter, err);
	}
	return FERRIS_OK;
}

/* ---- one record ---- */

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What the scan of one field leaves. */
typedef struct FieldScan {
	CsvField field;
	size_t end;        /* of the field with its quotes: at a delimiter, LF or the end */
	uint32_t newlines; /* inside quotes */
	CsvProblem problem;
} FieldScan;

/* The delimiter, line end or end of data from `p` on; *stray tells of a quote before it. */
static size_t
find_field_end(const CsvFormat *format, const char *data, size_t p, size_t len, bool *stray)
{
	bool seen = false;

	for (; p < len && data[p] != format->delimiter && data[p] != '\n'; p++)
		seen |= data[p] == format->quote;
	*stray = seen;
	return p;
}

/* Past the closing quote of a field whose text begins at `p`, or SIZE_MAX if there is none. */
static size_t
find_closing_quote(char quote, const char *data, size_t p, size_t len, bool *escaped)
{
	for (;;) {
		const char *found = memchr(data + p, quote, len - p);

		if (found == NULL)
			return SIZE_MAX;
		p = (size_t)(found - data) + 1;
		if (p == len || data[p] != quote)
			return p;
		*escaped = true;
		p++;
	}
}

static uint32_t
count_newlines(const char *data, size_t start, size_t end)
{
	uint32_t count = 0;

	for (; start < end; start++)
		count += data[start] == '\n';
	return count;
}

static bool
is_line_end(const char *data, size_t p, size_t len)
{
	return p == len || data[p] == '\n';
}

/* The end of a field's text in [start, end), without the CR of a line end. */
static size_t
drop_carriage_return(const char *data, size_t start, size_t end, size_t len)
{
	return end > start && is_line_end(data, end, len) && data[end - 1] == '\r' ? end - 1 : end;
}

/* `start` is behind the opening quote. */
static void
scan_quoted(const CsvFormat *format, const char *data, size_t start, size_t len, FieldScan *scan)
{
	bool escaped = false, stray;
	size_t close = find_closing_quote(format->quote, data, start, len, &escaped);
	size_t text_end = close == SIZE_MAX ? len : close - 1;

	scan->newlines = count_newlines(data, start, text_end);
	scan->field.start = (uint32_t)start;
	if (text_end - start > CSV_FIELD_LEN)
		scan->problem = CSV_TOO_LONG;
	scan->field.len = (uint32_t)((text_end - start) & CSV_FIELD_LEN) | CSV_FIELD_VALUE |
			  (escaped ? CSV_FIELD_ESCAPED : 0);
	if (close == SIZE_MAX) {
		scan->problem = CSV_UNCLOSED;
		scan->end = len;
		return;
	}
	scan->end = find_field_end(format, data, close, len, &stray);
	size_t behind = drop_carriage_return(data, close, scan->end, len);
	for (size_t p = close; p < behind; p++)
		if (!format->trim || !is_blank(data[p]))
			scan->problem = CSV_TEXT_BEHIND;
}

static void
scan_unquoted(const CsvFormat *format, const char *data, size_t start, size_t len, FieldScan *scan)
{
	bool stray;

	scan->end = find_field_end(format, data, start, len, &stray);
	size_t end = drop_carriage_return(data, start, scan->end, len);
	while (format->trim && end > start && is_blank(data[end - 1]))
		end--;
	Str text = {data + start, (uint32_t)((end - start) & CSV_FIELD_LEN)};
	if (stray)
		scan->problem = CSV_STRAY_QUOTE;
	if (end - start > CSV_FIELD_LEN)
		scan->problem = CSV_TOO_LONG;
	scan->newlines = 0;
	scan->field.start = (uint32_t)start;
	if (str_eq(text, format->null))
		scan->field.len = 0;
	else
		scan->field.len = text.len > 0 ? text.len : CSV_FIELD_VALUE;
}

void
csv_scan_record(const CsvFormat *format, const char *data, size_t start, size_t len,
		CsvField *fields, uint32_t room, CsvRecord *record)
{
	size_t p = start;

	*record = (CsvRecord){0};
	for (;;) {
		FieldScan scan = {0};

		while (format->trim && p < len && is_blank(data[p]) && data[p] != format->delimiter)
			p++;
		if (p < len && data[p] == format->quote)
			scan_quoted(format, data, p + 1, len, &scan);
		else
			scan_unquoted(format, data, p, len, &scan);
		if (scan.problem != CSV_FINE && record->problem == CSV_FINE) {
			record->problem = scan.problem;
			record->problem_field = record->field_count;
		}
		if (record->field_count < room)
			fields[record->field_count] = scan.field;
		record->field_count++;
		record->lines += scan.newlines;
		p = scan.end;
		if (is_line_end(data, p, len)) {
			bool unclosed = scan.problem == CSV_UNCLOSED;

			record->end = unclosed ? p : drop_carriage_return(data, start, p, len);
			break;
		}
		p++;
	}
	record->ended = p < len;
	record->next = p + record->ended;
	record->lines += record->ended;
}

Str
csv_field_text(const CsvFormat *format, const char *data, CsvField field, Arena *arena)
{
	Str text = {data + field.start, csv_field_len(field)};

	if ((field.len & CSV_FIELD_ESCAPED) == 0)
		return text;
	char *copy = arena_alloc(arena, text.len + CHUNK_PADDING);
	uint32_t used = 0;
	for (uint32_t i = 0; i < text.len; i++) {
		copy[used++] = text.data[i];
		if (text.data[i] == format->quote)
			i++;
	}
	memset(copy + used, 0, CHUNK_PADDING);
	return (Str){copy, used};
}

/* ---- framing ---- */

/* Whether a quote at `p` opens a field.  `floor` is behind whatever closed last. */
static bool
opens_field(const CsvFormat *format, const char *data, size_t p, size_t floor)
{
	while (format->trim && p > floor && is_blank(data[p - 1]) &&
	       data[p - 1] != format->delimiter)
		p--;
	if (p == 0)
		return true;
	return data[p - 1] == format->delimiter || data[p - 1] == '\n';
}

/* One past the last LF in [start, end), or `otherwise`. */
static size_t
behind_last_newline(const char *data, size_t start, size_t end, size_t otherwise)
{
	const char *found = end > start ? memrchr(data + start, '\n', end - start) : NULL;

	return found != NULL ? (size_t)(found - data) + 1 : otherwise;
}

static const Str byte_order_mark = STR_INIT("\xEF\xBB\xBF");

size_t
csv_frame(const Setting *settings, const char *data, size_t len, bool last)
{
	CsvFormat format = csv_format_from(settings);
	size_t p = 0;     /* not inside quotes at p */
	size_t plain = 0; /* since there */
	size_t whole = 0; /* records end here */

	if (last)
		return len;
	if (str_starts_with((Str){data, len < 3 ? (uint32_t)len : 3}, byte_order_mark)) {
		size_t framed = csv_frame(settings, data + 3, len - 3, false);
		return framed > 0 ? framed + 3 : 0;
	}
	for (;;) {
		const char *found = memchr(data + p, format.quote, len - p);
		bool escaped;

		if (found == NULL)
			return behind_last_newline(data, plain, len, whole);
		size_t quote = (size_t)(found - data);
		if (!opens_field(&format, data, quote, plain)) {
			p = quote + 1;
			continue;
		}
		whole = behind_last_newline(data, plain, quote, whole);
		p = find_closing_quote(format.quote, data, quote + 1, len, &escaped);
		if (p == SIZE_MAX)
			return whole;
		plain = p;
	}
}

/* The LF of the line that goes on at `p`, or the end. */
static size_t
find_newline(const char *data, size_t p, size_t len)
{
	const char *found = memchr(data + p, '\n', len - p);

	return found != NULL ? (size_t)(found - data) : len;
}

/* Where the record that begins at `start` ends, behind its line end. */
static size_t
record_end(const CsvFormat *format, const char *data, size_t start, size_t len)
{
	size_t newline = find_newline(data, start, len);
	size_t p = start;     /* not inside quotes at p */
	size_t plain = start; /* since there */

	for (;;) {
		const char *found = memchr(data + p, format->quote, newline - p);
		bool escaped;

		if (found == NULL)
			return newline < len ? newline + 1 : len;
		size_t quote = (size_t)(found - data);
		p = quote + 1;
		if (!opens_field(format, data, quote, plain))
			continue;
		p = find_closing_quote(format->quote, data, quote + 1, len, &escaped);
		if (p == SIZE_MAX)
			return len;
		plain = p;
		if (p > newline)
			newline = find_newline(data, p, len);
	}
}

size_t
csv_cut(const Setting *settings, const char *data, size_t len, size_t most, uint32_t *count)
{
	CsvFormat format = csv_format_from(settings);
	uint32_t limit = *count, n = 0;
	size_t end = 0;

	for (; end < len && (limit == 0 || n < limit); n++) {
		size_t next = record_end(&format, data, end, len);

		if (next > most && n > 0)
			break;
		end = next;
	}
	*count = n;
	return end;
}
