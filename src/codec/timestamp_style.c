/* codec/timestamp_style.c -- epoch numbers, ISO 8601 and patterns. */
#include "codec/timestamp_style.h"

#include "type/decimal.h"

/* Fractional digits of the style's unit down to the microsecond. */
static int
style_scale(const TimestampStyle *style)
{
	switch (style->kind) {
	case TIMESTAMP_EPOCH_MICROS:
		return 0;
	case TIMESTAMP_EPOCH_SECONDS:
		return 6;
	default:
		return 3;
	}
}

Status
timestamp_style_open(const Setting *setting, TimestampStyle *style, Error *err)
{
	static const Str words[] = {
		[TIMESTAMP_ISO8601] = STR_INIT("iso8601"),
		[TIMESTAMP_EPOCH_MILLIS] = STR_INIT("epoch_millis"),
		[TIMESTAMP_EPOCH_MICROS] = STR_INIT("epoch_micros"),
		[TIMESTAMP_EPOCH_SECONDS] = STR_INIT("epoch_seconds"),
	};
	Str text = setting->text;
	size_t bad = 0;

	*style = (TimestampStyle){.kind = TIMESTAMP_PATTERN, .pattern = text};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq_nocase(text, words[i])) {
			style->kind = (TimestampStyleKind)i;
			return FERRIS_OK;
		}
	if (memchr(text.data, '%', text.len) != NULL &&
	    temporal_pattern_check(text.data, text.len, &bad) == TEMPORAL_OK)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_OPTION_VALUE,
		  "option 'timestamp.format' cannot be '%.*s': unknown at byte %zu", STR_ARG(text),
		  bad + 1);
	error_hint(err, "write iso8601, epoch_millis, epoch_micros, epoch_seconds or a strftime "
			"pattern such as '%%Y-%%m-%%d %%H:%%M:%%S'");
	return option_error(setting, err);
}

TemporalResult
timestamp_style_read_number(const TimestampStyle *style, Str text, int64_t *micros)
{
	int64_t value;

	switch (decimal_parse64(text.data, text.len, DECIMAL_PRECISION64_MAX, style_scale(style),
				ROUND_EXACT, &value)) {
	case DECIMAL_OK:
		return timestamp_from_micros(value, micros);
	case DECIMAL_SYNTAX:
		return TEMPORAL_SYNTAX;
	case DECIMAL_LOST_DIGITS:
		return TEMPORAL_LOST_DIGITS;
	default:
		return TEMPORAL_RANGE;
	}
}

TemporalResult
timestamp_style_read_text(const TimestampStyle *style, Str text, int64_t *micros)
{
	if (style->kind == TIMESTAMP_PATTERN)
		return timestamp_scan(text.data, text.len, style->pattern.data, style->pattern.len,
				      micros);
	if (style->kind != TIMESTAMP_ISO8601) {
		TemporalResult result = timestamp_style_read_number(style, text, micros);

		if (result != TEMPORAL_SYNTAX)
			return result;
	}
	return timestamp_parse(text.data, text.len, micros);
}

bool
timestamp_style_is_number(const TimestampStyle *style)
{
	return style->kind != TIMESTAMP_ISO8601 && style->kind != TIMESTAMP_PATTERN;
}

char *
timestamp_style_print(const TimestampStyle *style, int64_t micros, char *out)
{
	size_t len;

	if (style->kind == TIMESTAMP_ISO8601)
		return timestamp_print(out, micros);
	if (style->kind == TIMESTAMP_PATTERN) {
		TemporalResult result =
			timestamp_format(micros, 0, STR("UTC"), style->pattern.data,
					 style->pattern.len, out, TIMESTAMP_STYLE_MAX, &len);
		return result == TEMPORAL_OK ? out + len : NULL;
	}
	int scale = style_scale(style);
	char *end = decimal_print64(out, micros, scale);
	/* A fraction is written only where there is one. */
	if (scale > 0 && micros % decimal_power64[scale] == 0)
		end -= scale + 1;
	return end;
}
