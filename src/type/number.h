/* type/number.h -- integers and floating point numbers as text, in both directions.
 *
 * Text is read and written the same in every locale.  Printers return one past the last byte and
 * write no NUL.  Parsers want the whole text to be the number, without blanks, and leave *out as
 * it was unless they return NUMBER_OK.
 *
 * NaN and the infinities: double_print writes "NaN", "Infinity" and "-Infinity"; double_parse
 * reads these, "inf" and "+inf", in any case.  JSON has no such numbers: a JSON encoder asks
 * isfinite() first, and number_scan_json refuses them.  A finite text that is too large for the
 * type is NUMBER_OVERFLOW, never infinity; one that is too small becomes the nearest subnormal
 * or zero.
 *
 * Owns nothing, allocates nothing.  Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INT64_TEXT_MAX 20
#define DOUBLE_TEXT_MAX 32

typedef enum NumberResult {
	NUMBER_OK = 0,
	NUMBER_SYNTAX,
	NUMBER_OVERFLOW,
} NumberResult;

/* [sign] digits. */
NumberResult int64_parse(const char *text, size_t len, int64_t *out);
char *int64_print(char *out, int64_t v);
char *uint64_print(char *out, uint64_t v);
/* The low `count` (1..19) decimal digits of v, with leading zeros: 7 in three digits is "007". */
char *digits_print(char *out, uint64_t v, int count);

/* [sign] digits [. digits] [e [sign] digits], at least one digit; correctly rounded. */
NumberResult double_parse(const char *text, size_t len, double *out);
NumberResult float_parse(const char *text, size_t len, float *out);
/* The fewest digits that read back as the same value, and of those the nearest: "0.1", "5.0",
 * "-0.0", "1e16", "1.5e-7".  Plain from 0.0001 up to (not with) 1e16, always with a point;
 * otherwise with an exponent.  At most DOUBLE_TEXT_MAX bytes. */
char *double_print(char *out, double v);
char *float_print(char *out, float v);

typedef enum NumberKind {
	NUMBER_INTEGER, /* -12 */
	NUMBER_DECIMAL, /* 1.50 */
	NUMBER_EXPONENT /* 1e3, 1.5E-7 */
} NumberKind;

typedef struct NumberScan {
	NumberKind kind;
	bool negative;
	uint32_t integer_digits;  /* as written; 1 for "0" */
	uint32_t fraction_digits; /* as written, trailing zeros included */
	int32_t exponent;         /* clamped to +-1000000 */
} NumberScan;

/* Scan a number by JSON's grammar at `text`.  Returns one past its last byte, or NULL if there is
 * none; what follows it is the caller's to judge. */
const char *number_scan_json(const char *text, const char *end, NumberScan *scan);
