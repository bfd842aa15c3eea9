/* codec/json_fast_impl.h -- the fast path, compiled twice: for AVX2 and as plain C.
 *
 * A record is assumed to repeat one of the templates that the general path has learned: between
 * two values stand exactly the bytes that stood there before.  A value of the expected, simple form
 * is read here; one of another form goes through json_read.c, on its own.  When anything else is
 * not as expected the record is left to the general path, which starts over.
 *
 * Nothing here passes a line end: template bytes have none, and no value that is read here has.
 *
 * The includer defines FAST(name), a suffix for the functions. */

#include "codec/json_decode.h"
#include "codec/scan_padded.h"
#include "type/decimal.h"

#ifndef FAST
#define FAST(name) name##_alone
#endif

/* The loop over the steps is one function: its state stays in registers. */
#define FAST_INLINE inline __attribute__((always_inline))

static FAST_INLINE bool
fast_is_delimiter(char c)
{
	return c == ',' || c == '}';
}

/* Where the digits start, or NULL of -0 and -0.5.  A branch, not an addition: that must not wait
 * for the sign. */
static FAST_INLINE const char *
fast_digits(const char *p)
{
	if (__builtin_expect(*p != '-', 1))
		return p;
	return p[1] != '0' ? p + 1 : NULL;
}

/* So many digits before the point are 1 to max_whole, and none is a leading zero. */
static FAST_INLINE bool
fast_whole_fits(uint32_t whole, const char *digits, uint32_t max_whole)
{
	return whole - 1 < (*digits == '0' ? 1 : max_whole);
}

static FAST_INLINE void
fast_store_view(Vector *vector, uint32_t row, const char *data, size_t len, uint32_t flags)
{
	VECTOR_DATA(vector, StringView)[row] = (StringView){data, (uint32_t)len, flags};
	vector_set_valid(vector, row);
}

/* Stores a 64-bit lane and tests the predicates. */
static FAST_INLINE bool
fast_store_lane(const JsonColumn *column, uint32_t row, int64_t value)
{
	uint32_t at = column->stored ? row : 0;

	VECTOR_DATA(column->vector, int64_t)[at] = value;
	vector_set_valid(column->vector, at);
	if (column->predicate_count == 0)
		return true;
	if (column->in_range)
		return (value >= column->low) & (value <= column->high);
	return json_column_passes(column, at);
}

#define FAST_DIGITS 16 /* as many as scan_value takes */

/* Each reader returns one past the value, or NULL if its form is not the simple one; *passes is
 * left as it is or becomes false.  What follows the value is the next step's to compare. */
static FAST_INLINE const char *
fast_integer(const JsonField *field, uint32_t row, const char *p, bool *passes)
{
	const char *digits = fast_digits(p);

	if (digits == NULL)
		return NULL;
	uint32_t whole = scan_digits(digits);
	const char *end = digits + whole;
	if (!fast_whole_fits(whole, digits, field->max_whole))
		return NULL;
	if (field->value != NULL) {
		if (whole > FAST_DIGITS)
			return NULL;
		int64_t value = (int64_t)scan_value(digits, whole, 0);
		if (__builtin_expect(digits != p, 0))
			value = -value;
		*passes = *passes & fast_store_lane(field->value, row, value);
	}
	if (field->text != NULL)
		fast_store_view(field->text->vector, row, p, (size_t)(end - p),
				VIEW_JSON_CLEAN | VIEW_CSV_CLEAN);
	return end;
}

static FAST_INLINE const char *
fast_decimal(const JsonField *field, uint32_t row, const char *p, bool *passes)
{
	const char *digits = fast_digits(p);

	if (digits == NULL)
		return NULL;
	ScanNumber n = scan_number(digits);
	const char *end = digits + n.len;
	if (!fast_whole_fits(n.whole, digits, field->max_whole))
		return NULL;
	/* Behind a point 1 to scale digits. */
	if (n.len > n.whole && n.fraction - 1 >= field->scale)
		return NULL;
	if (field->text != NULL && n.fraction != field->scale)
		return NULL;
	if (field->value != NULL) {
		if (n.whole + n.fraction > FAST_DIGITS)
			return NULL;
		int64_t value = (int64_t)scan_value(digits, n.whole, n.fraction);
		if (n.fraction != field->scale)
			value *= decimal_power64[field->scale - n.fraction];
		if (__builtin_expect(digits != p, 0))
			value = -value;
		*passes = *passes & fast_store_lane(field->value, row, value);
	}
	if (field->text != NULL)
		fast_store_view(field->text->vector, row, p, (size_t)(end - p),
				VIEW_JSON_CLEAN | VIEW_CSV_CLEAN);
	return end;
}

static FAST_INLINE const char *
fast_millis(const JsonField *field, Arena *heap, uint32_t row, const char *p, bool *passes)
{
	uint32_t whole = scan_digits(p);

	if (!fast_whole_fits(whole, p, field->max_whole))
		return NULL;
	int64_t value = (int64_t)scan_value(p, whole, 0) * 1000;
	if (!timestamp_in_range(value))
		return NULL;
	if (field->value != NULL)
		*passes = *passes & fast_store_lane(field->value, row, value);
	if (field->text != NULL) {
		char *text = arena_alloc(heap, TIMESTAMP_TEXT_MAX);

		fast_store_view(field->text->vector, row, text,
				(size_t)(timestamp_print(text, value) - text), VIEW_JSON_CLEAN);
	}
	return p + whole;
}

static FAST_INLINE const char *
fast_string(const JsonField *field, uint32_t row, const char *p, const char *end, bool *passes)
{
	if (*p != '"')
		return NULL;
	const char *start = p + 1;
	const char *close = scan_string(start, end);
	if (close >= end || *close != '"')
		return NULL;
	if (field->value != NULL) {
		const JsonColumn *column = field->value;

		fast_store_view(column->vector, column->stored ? row : 0, start,
				(size_t)(close - start), VIEW_JSON_CLEAN);
		if (column->is_equality)
			*passes = *passes & scan_matches(start, &column->equal);
		else if (column->predicate_count > 0)
			*passes = *passes & json_column_passes(column, column->stored ? row : 0);
	}
	if (field->text != NULL)
		fast_store_view(field->text->vector, row, start, (size_t)(close - start),
				VIEW_JSON_CLEAN);
	return close + 1;
}

/* A value that nobody wants: a simple string, or digits with sign and point. */
static FAST_INLINE const char *
fast_skip(const char *p, const char *end, bool strict)
{
	if (*p == '"') {
		const char *close = scan_string(p + 1, end);

		return close < end && *close == '"' ? close + 1 : NULL;
	}
	const char *digits = fast_digits(p);
	if (digits == NULL)
		return NULL;
	ScanNumber n = scan_number(digits);
	bool plain = fast_whole_fits(n.whole, digits, UINT32_MAX) &
		     ((n.fraction > 0) | (n.len == n.whole));
	if (n.whole == 0 || (strict && !plain) || !fast_is_delimiter(digits[n.len]))
		return NULL;
	return digits + n.len;
}

/* From p on there is no line end before `end`, if there is none from `unchecked` on. */
static FAST_INLINE const char *
FAST(confirm)(const char *end, const char *unchecked, const char *p)
{
	if (p >= unchecked)
		return end;
	const char *newline = scan_line_end_unlikely(p, unchecked);
	if (__builtin_expect(newline < unchecked, 0))
		return newline;
	return end;
}

/* A value of another form, by the general functions, which must know where the record ends.
 * decoder->slow_end and ->slow_passes are results too: the hot loop keeps its own in registers. */
static __attribute__((noinline)) const char *
FAST(slow_value)(JsonDecoder *decoder, JsonRun *run, const JsonField *field, const char *p,
		 const char *end, const char *unchecked)
{
	decoder->slow_passes = true;
	end = FAST(confirm)(end, unchecked, p);
	decoder->slow_end = end;
	json_text_start(&decoder->reader.text, end);
	if (p >= end)
		return NULL;
	const char *next = decoder->full ? json_check_value(&decoder->reader.text, p, 1, true) : p;
	if (next != NULL && field != NULL)
		next = json_field_read(decoder, run, field, p, &decoder->slow_passes);
	else if (!decoder->full)
		next = json_skip_value(&decoder->reader.text, p);
	return next != NULL && next < end && fast_is_delimiter(*next) ? next : NULL;
}

/* What is known of the record at hand. */
typedef struct FastRecord {
	const char *end;       /* a line end, or the end of a record whose bounds are known */
	const char *unchecked; /* before this there may be an earlier line end */
	bool sure;
	bool passes; /* the predicates */
} FastRecord;

/* The object ends at p, and nothing follows it; columns that it has not are NULL. */
static inline bool
fast_close(const JsonTemplate *template, uint32_t row, const char *p, const char *end)
{
	if (*p != '}' || (p + 1 != end && json_skip_blanks(p + 1, end) != end))
		return false;
	for (uint32_t i = 0; i < template->null_count; i++)
		json_set_null(template->nulls[i]->vector, row);
	return true;
}

/* Reads the record's columns into run->row. */
static FAST_INLINE FastRecord
FAST(record)(JsonDecoder *decoder, const JsonTemplate *template, JsonRun *run, const char *p,
	     const char *end, const char *unchecked)
{
	const JsonStep *step = template->steps;
	const JsonStep *last = step + template->count;
	const uint32_t row = run->row;
	bool patient = decoder->patient;
	FastRecord record = {end, unchecked, false, true};

	for (; step < last; step++) {
		if (!record.passes && !patient)
			break;
		const JsonField *field = step->field;
		const char *next = NULL;

		/* Whether p is still in the record is asked once, at the end. */
		if (!scan_matches(p, &step->prefix))
			return record;
		p += step->prefix.len;
		switch (step->action) {
		case JSON_READ_SKIP:
			next = fast_skip(p, record.end, decoder->full);
			break;
		case JSON_READ_STRING:
			next = fast_string(field, row, p, record.end, &record.passes);
			break;
		case JSON_READ_DECIMAL:
			next = fast_decimal(field, row, p, &record.passes);
			break;
		case JSON_READ_INTEGER:
			next = fast_integer(field, row, p, &record.passes);
			break;
		case JSON_READ_MILLIS:
			next = fast_millis(field, decoder->reader.heap, row, p, &record.passes);
			break;
		case JSON_READ_ANY:
			break;
		default:
			__builtin_unreachable();
		}
		if (__builtin_expect(next == NULL, 0)) {
			next = FAST(slow_value)(decoder, run, field, p, record.end,
						record.unchecked);
			record.end = decoder->slow_end;
			record.unchecked = p;
			record.passes &= decoder->slow_passes;
			if (next == NULL)
				return record;
		}
		p = next;
	}
	if (p >= record.end || !fast_is_delimiter(*p))
		return record;
	record.end = FAST(confirm)(record.end, record.unchecked, p);
	record.sure =
		__builtin_expect(record.end[-1] == '}', 1) || json_frame_closed(p, record.end);
	if (__builtin_expect(template->closed, 0) && step == last)
		record.sure = fast_close(template, row, p, record.end);
	return record;
}

/* The template has fitted: it is tried first from now on. */
static inline void
fast_prefer(JsonDecoder *decoder, uint32_t index)
{
	JsonTemplate *template = decoder->templates[index];

	for (; index > 0; index--)
		decoder->templates[index] = decoder->templates[index - 1];
	decoder->templates[0] = template;
}

bool
FAST(json_fast)(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end,
		JsonOutcome *outcome)
{
	for (uint32_t i = 0; i < decoder->template_count; i++) {
		FastRecord record =
			FAST(record)(decoder, decoder->templates[i], run, start, end, start);

		if (record.sure) {
			fast_prefer(decoder, i);
			*outcome = record.passes ? JSON_ROW_KEPT : JSON_ROW_FILTERED;
			return true;
		}
	}
	return false;
}

/* A branch that goes either way about as often costs more than reading the rest of the values. */
static inline void
fast_choose_patience(JsonDecoder *decoder, uint32_t records, uint32_t kept)
{
	if (records >= 64 && !decoder->full)
		decoder->patient = decoder->templates[0]->simple && kept > records / 8 &&
				   kept < records - records / 8;
}

/* Lines are much of one length.  So the line end is looked for where it is likely to be, before
 * anything of the line is read: then the next line can start while this one is being read.  That
 * there is no earlier line end is confirmed when the values have been read, which passed none. */
const char *
FAST(json_fast_lines)(JsonDecoder *decoder, JsonRun *run, const char *next, uint32_t *line)
{
	Batch *batch = run->batch;
	size_t skip = decoder->line_skip;
	uint32_t first = *line;
	uint32_t at = first;
	uint32_t first_row = run->row;
	uint32_t limit = BATCH_CAPACITY - batch->error_count;

	if (decoder->template_count == 0)
		return next;
	while (next < run->end && run->row < limit) {
		const char *guess = (size_t)(run->end - next) > skip ? next + skip : next;
		const char *likely = scan_line_end(guess, run->end);

		if (__builtin_expect((size_t)(likely - guess) >= 64, 0))
			skip = (size_t)(likely - next) - 40;
		FastRecord record;
		uint32_t i = 0;
		do
			record = FAST(record)(decoder, decoder->templates[i], run, next, likely,
					      guess);
		while (__builtin_expect(!record.sure, 0) && ++i < decoder->template_count);
		if (__builtin_expect(!record.sure, 0))
			break;
		if (__builtin_expect(i > 0, 0))
			fast_prefer(decoder, i);
		size_t len = (size_t)(record.end - next);
		if (__builtin_expect(record.end != likely, 0))
			skip = len > 8 ? len - 8 : 0;
		batch->records[run->row] =
			(RecordRange){(uint32_t)(next - run->base),
				      (uint32_t)(len - (record.end[-1] == '\r')), at};
		run->row += record.passes;
		at++;
		next = record.end + (record.end < run->end);
	}
	decoder->line_skip = skip;
	fast_choose_patience(decoder, at - first, run->row - first_row);
	batch->records_in += at - first;
	batch->filtered += at - first - (run->row - first_row);
	*line = at;
	return next;
}
