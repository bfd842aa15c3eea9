/* codec/json_fast_impl.h -- the fast path, compiled twice: for AVX2 and as plain C.
 *
 * A record is assumed to repeat the template that the general path learned: between two values
 * stand exactly the bytes that stood there before.  A value of the expected, simple form is read
 * here; one of another form goes through json_read.c, on its own.  When anything else is not as
 * expected the record is left to the general path, which starts over.
 *
 * Nothing here passes a line end: template bytes have none, and no value that is read here has.
 *
 * The includer defines FAST(name), a suffix for the functions, and includes codec/scan.h. */

/* A number at p as both paths see it: sign, digits, point, digits, and what ends it. */
typedef struct FastNumber {
	const char *digits;
	const char *end;
	uint32_t whole;
	uint32_t fraction;
	bool negative;
	bool plain; /* JSON's grammar without exponent; at most 16 digits */
} FastNumber;

static inline bool
fast_is_delimiter(char c)
{
	return c == ',' || c == '}';
}

static inline FastNumber
fast_number(const char *p)
{
	FastNumber n;
	bool point;

	n.negative = *p == '-';
	n.digits = p + n.negative;
	scan_number(n.digits, &n.whole, &n.fraction, &point);
	n.end = n.digits + n.whole + point + n.fraction;
	n.plain = n.whole > 0 && n.whole + n.fraction <= 16 && fast_is_delimiter(*n.end) &&
	          (n.whole == 1 || *n.digits != '0') && point == (n.fraction > 0);
	return n;
}

static inline void
fast_store_view(Vector *vector, uint32_t row, const char *data, size_t len, uint32_t flags)
{
	VECTOR_DATA(vector, StringView)[row] = (StringView){data, (uint32_t)len, flags};
	vector_set_valid(vector, row);
}

/* Stores a 64-bit lane if it is wanted and tests the predicates. */
static inline bool
fast_store_lane(const JsonColumn *column, uint32_t row, int64_t value)
{
	if (column->stored) {
		VECTOR_DATA(column->vector, int64_t)[row] = value;
		vector_set_valid(column->vector, row);
		if (column->in_range)
			return value >= column->low && value <= column->high;
		return json_column_passes(column, row);
	}
	if (column->in_range)
		return value >= column->low && value <= column->high;
	VECTOR_DATA(column->vector, int64_t)[0] = value;
	vector_set_valid(column->vector, 0);
	return json_column_passes(column, 0);
}

/* Each reader returns one past the value, or NULL if its form is not the simple one; *passes is
 * left as it is or becomes false. */
static inline const char *
fast_integer(const JsonField *field, uint32_t row, const char *p, bool *passes)
{
	FastNumber n = fast_number(p);

	if (!n.plain || n.fraction > 0 || n.whole > field->max_whole ||
	    (n.negative && *n.digits == '0'))
		return NULL;
	if (field->value != NULL) {
		int64_t value = (int64_t)scan_value(n.digits, n.whole, 0);

		if (!fast_store_lane(field->value, row, n.negative ? -value : value)) {
			*passes = false;
			return n.end;
		}
	}
	if (field->text != NULL)
		fast_store_view(field->text->vector, row, p, (size_t)(n.end - p),
		                VIEW_JSON_CLEAN | VIEW_CSV_CLEAN);
	return n.end;
}

static inline const char *
fast_decimal(const JsonField *field, uint32_t row, const char *p, bool *passes)
{
	FastNumber n = fast_number(p);

	if (!n.plain || n.whole > field->max_whole || n.fraction > field->scale ||
	    (n.negative && *n.digits == '0'))
		return NULL;
	if (field->text != NULL && n.fraction != field->scale)
		return NULL;
	if (field->value != NULL) {
		int64_t value = (int64_t)scan_value(n.digits, n.whole, n.fraction);

		if (n.fraction != field->scale)
			value *= decimal_power64[field->scale - n.fraction];
		if (!fast_store_lane(field->value, row, n.negative ? -value : value)) {
			*passes = false;
			return n.end;
		}
	}
	if (field->text != NULL)
		fast_store_view(field->text->vector, row, p, (size_t)(n.end - p),
		                VIEW_JSON_CLEAN | VIEW_CSV_CLEAN);
	return n.end;
}

static inline const char *
fast_millis(const JsonField *field, uint32_t row, const char *p, bool *passes)
{
	FastNumber n = fast_number(p);

	if (!n.plain || n.fraction > 0 || n.whole > field->max_whole || n.negative)
		return NULL;
	int64_t value = (int64_t)scan_value(n.digits, n.whole, 0) * 1000;
	if (!timestamp_in_range(value))
		return NULL;
	if (!fast_store_lane(field->value, row, value))
		*passes = false;
	return n.end;
}

static inline const char *
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
		if (column->predicate_count > 0 &&
		    !json_column_passes(column, column->stored ? row : 0)) {
			*passes = false;
			return close + 1;
		}
	}
	if (field->text != NULL)
		fast_store_view(field->text->vector, row, start, (size_t)(close - start),
		                VIEW_JSON_CLEAN);
	return close + 1;
}

/* A value that nobody wants: a simple string, or digits with sign and point. */
static inline const char *
fast_skip(const char *p, const char *end)
{
	if (*p == '"') {
		const char *close = scan_string(p + 1, end);

		return close < end && *close == '"' ? close + 1 : NULL;
	}
	FastNumber n = fast_number(p);
	return n.whole > 0 && fast_is_delimiter(*n.end) ? n.end : NULL;
}

/* A value of another form, by the general functions, which must know where the record ends. */
static const char *
FAST(slow_value)(JsonDecoder *decoder, JsonRun *run, const JsonField *field, const char *p,
                 const char **line_end, bool *passes)
{
	if (*line_end == NULL)
		*line_end = scan_line_end(p, run->end);
	json_text_start(&decoder->reader.text, *line_end);
	if (p >= *line_end)
		return NULL;
	p = field != NULL ? json_field_read(decoder, run, field, p, passes)
	                  : json_skip_value(&decoder->reader.text, p);
	/* The last template bytes may have been padding. */
	return p != NULL && p < *line_end && fast_is_delimiter(*p) ? p : NULL;
}

static inline const char *
FAST(value)(JsonDecoder *decoder, JsonRun *run, const JsonField *field, const char *p,
            const char **line_end, bool *passes)
{
	const char *end = *line_end != NULL ? *line_end : run->end;
	const char *next = NULL;

	if (field == NULL)
		next = fast_skip(p, end);
	else if (field->action == JSON_READ_STRING)
		next = fast_string(field, run->row, p, end, passes);
	else if (field->action == JSON_READ_DECIMAL)
		next = fast_decimal(field, run->row, p, passes);
	else if (field->action == JSON_READ_INTEGER)
		next = fast_integer(field, run->row, p, passes);
	else if (field->action == JSON_READ_MILLIS)
		next = fast_millis(field, run->row, p, passes);
	if (__builtin_expect(next != NULL, 1))
		return next;
	return FAST(slow_value)(decoder, run, field, p, line_end, passes);
}

static inline bool
FAST(record)(JsonDecoder *decoder, JsonRun *run, const char *start, const char **line_end,
             JsonOutcome *outcome)
{
	const JsonTemplate *template = decoder->template;
	const JsonStep *step = template->steps;
	const JsonStep *last = step + template->count;
	const char *limit = *line_end != NULL ? *line_end : run->end;
	const char *p = start;
	bool passes = true;

	if (template->count == 0)
		return false;
	for (; step < last && passes; step++) {
		/* Loads go up to 32 bytes beyond what is compared. */
		if (p >= limit || !scan_matches(p, &step->prefix))
			return false;
		p = FAST(value)(decoder, run, step->field, p + step->prefix.len, line_end, &passes);
		if (p == NULL)
			return false;
	}
	if (p >= limit || !fast_is_delimiter(*p))
		return false;
	if (*line_end == NULL)
		*line_end = scan_line_end(p, run->end);
	if (__builtin_expect((*line_end)[-1] != '}', 0) && !json_frame_closed(p, *line_end))
		return false;
	*outcome = passes ? JSON_ROW_KEPT : JSON_ROW_FILTERED;
	return true;
}

bool
FAST(json_fast)(JsonDecoder *decoder, JsonRun *run, const char *start, const char **line_end,
                JsonOutcome *outcome)
{
	return FAST(record)(decoder, run, start, line_end, outcome);
}

const char *
FAST(json_fast_lines)(JsonDecoder *decoder, JsonRun *run, const char *next, uint32_t *line)
{
	Batch *batch = run->batch;
	uint64_t filtered = 0;
	uint32_t first = *line;
	uint32_t at = first;
	uint32_t limit = BATCH_CAPACITY - batch->error_count;

	while (next < run->end && run->row < limit) {
		const char *line_end = NULL;
		JsonOutcome outcome;

		if (!FAST(record)(decoder, run, next, &line_end, &outcome))
			break;
		if (outcome == JSON_ROW_KEPT) {
			const char *end = line_end - (line_end[-1] == '\r');

			batch->records[run->row++] = (RecordRange){
				(uint32_t)(next - run->base), (uint32_t)(end - next), at};
		} else {
			filtered++;
		}
		at++;
		next = line_end + (line_end < run->end);
	}
	batch->records_in += at - first;
	batch->filtered += filtered;
	*line = at;
	return next;
}
