/* type/digit_text.c -- scan a number with point and exponent. */
#include "type/digit_text.h"

#include "type/digits.h"

/* Far beyond what any type holds, far below what a sum with a count of digits could overflow. */
#define EXPONENT_LIMIT INT64_C(1000000000000)

/* [e [sign] digits] at the end of a number; false if there is anything else. */
static bool
scan_exponent(const char *p, const char *end, int64_t *exponent)
{
	int64_t value = 0;

	*exponent = 0;
	if (p == end)
		return true;
	if ((*p | 0x20) != 'e')
		return false;
	p++;
	bool negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (!digit_is(*p))
			return false;
		if (value < EXPONENT_LIMIT)
			value = value * 10 + (*p - '0');
	}
	*exponent = negative ? -value : value;
	return true;
}

bool
digit_text_scan(const char *text, size_t len, DigitText *out)
{
	const char *p = text;
	const char *end = text + len;
	int64_t fraction = 0;
	bool any = false;
	bool point = false;

	*out = (DigitText){.negative = p < end && *p == '-', .digits = p};
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (; p < end; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (!digit_is(*p))
			break;
		any = true;
		fraction += point;
		if (out->count == 0 && *p == '0')
			continue;
		if (out->count++ == 0)
			out->digits = p;
		if (out->count <= DIGIT_TEXT_EXACT)
			out->mantissa = out->mantissa * 10 + (uint64_t)(*p - '0');
	}
	out->end = p;
	if (!any || !scan_exponent(p, end, &out->exponent))
		return false;
	out->exponent -= fraction;
	return true;
}
