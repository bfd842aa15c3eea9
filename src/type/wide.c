/* type/wide.c -- schoolbook arithmetic on 64-bit words; division is Knuth's algorithm D. */
#include "type/wide.h"

#include <assert.h>

static void
wide_trim(Wide *v)
{
	while (v->len > 0 && v->word[v->len - 1] == 0)
		v->len--;
}

void
wide_from128(Wide *out, Uint128 v)
{
	out->word[0] = (uint64_t)v;
	out->word[1] = (uint64_t)(v >> 64);
	out->len = 2;
	wide_trim(out);
}

void
wide_from_words(Wide *out, const uint64_t *words, int count)
{
	assert(count <= WIDE_WORDS);
	for (int i = 0; i < count; i++)
		out->word[i] = words[i];
	out->len = count;
	wide_trim(out);
}

bool
wide_to128(const Wide *v, Uint128 *out)
{
	if (v->len > 2)
		return false;
	*out = 0;
	if (v->len > 0)
		*out = v->word[0];
	if (v->len > 1)
		*out |= (Uint128)v->word[1] << 64;
	return true;
}

int
wide_bits(const Wide *v)
{
	return v->len == 0 ? 0 : v->len * 64 - __builtin_clzll(v->word[v->len - 1]);
}

int
wide_compare(const Wide *a, const Wide *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	for (int i = a->len - 1; i >= 0; i--)
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i] ? -1 : 1;
	return 0;
}

void
wide_add(Wide *a, const Wide *b)
{
	uint64_t carry = 0;
	int len = a->len > b->len ? a->len : b->len;

	for (int i = 0; i < len; i++) {
		Uint128 sum = (Uint128)(i < a->len ? a->word[i] : 0) +
		              (i < b->len ? b->word[i] : 0) + carry;
		a->word[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> 64);
	}
	a->len = len;
	if (carry > 0) {
		assert(len < WIDE_WORDS);
		a->word[a->len++] = carry;
	}
}

void
wide_sub(Wide *a, const Wide *b)
{
	uint64_t borrow = 0;

	assert(wide_compare(a, b) >= 0);
	for (int i = 0; i < a->len; i++) {
		Uint128 difference = (Uint128)a->word[i] - (i < b->len ? b->word[i] : 0) - borrow;
		a->word[i] = (uint64_t)difference;
		borrow = (uint64_t)(difference >> 64) & 1;
	}
	wide_trim(a);
}

void
wide_shift_right1(Wide *v)
{
	for (int i = 0; i < v->len; i++) {
		uint64_t above = i + 1 < v->len ? v->word[i + 1] : 0;
		v->word[i] = v->word[i] >> 1 | above << 63;
	}
	wide_trim(v);
}

void
wide_mul64(Wide *v, uint64_t factor)
{
	uint64_t carry = 0;

	for (int i = 0; i < v->len; i++) {
		Uint128 product = (Uint128)v->word[i] * factor + carry;
		v->word[i] = (uint64_t)product;
		carry = (uint64_t)(product >> 64);
	}
	if (carry > 0) {
		assert(v->len < WIDE_WORDS);
		v->word[v->len++] = carry;
	}
	wide_trim(v);
}

void
wide_mul(Wide *out, const Wide *a, const Wide *b)
{
	assert(a->len + b->len <= WIDE_WORDS);
	out->len = a->len + b->len;
	for (int i = 0; i < out->len; i++)
		out->word[i] = 0;
	for (int i = 0; i < a->len; i++) {
		uint64_t carry = 0;

		for (int j = 0; j < b->len; j++) {
			Uint128 t = (Uint128)a->word[i] * b->word[j] + out->word[i + j] + carry;
			out->word[i + j] = (uint64_t)t;
			carry = (uint64_t)(t >> 64);
		}
		out->word[i + b->len] = carry;
	}
	wide_trim(out);
}

void
wide_mul_power10(Wide *v, int exponent)
{
	for (; exponent > DECIMAL_PRECISION64_MAX; exponent -= DECIMAL_PRECISION64_MAX)
		wide_mul64(v, (uint64_t)decimal_power64[DECIMAL_PRECISION64_MAX]);
	wide_mul64(v, (uint64_t)decimal_power64[exponent]);
}

static void
divide_by_word(const Wide *numerator, uint64_t divisor, Wide *quotient, Wide *remainder)
{
	uint64_t rest = 0;

	quotient->len = numerator->len;
	for (int i = numerator->len - 1; i >= 0; i--) {
		Uint128 t = (Uint128)rest << 64 | numerator->word[i];
		quotient->word[i] = (uint64_t)(t / divisor);
		rest = (uint64_t)(t % divisor);
	}
	wide_trim(quotient);
	wide_from128(remainder, rest);
}

/* Shift `count` words of `in` left by `shift` (0..63) bits into `out`; returns what falls out. */
static uint64_t
shift_left(uint64_t *out, const uint64_t *in, int count, int shift)
{
	uint64_t carry = 0;

	for (int i = 0; i < count; i++) {
		out[i] = in[i] << shift | carry;
		carry = shift > 0 ? in[i] >> (64 - shift) : 0;
	}
	return carry;
}

/* One quotient word for the top words u2 u1 u0 over d1 d0: right or one too large (Knuth D3). */
static uint64_t
estimate_word(uint64_t u2, uint64_t u1, uint64_t u0, uint64_t d1, uint64_t d0)
{
	Uint128 top = (Uint128)u2 << 64 | u1;
	Uint128 guess = u2 >= d1 ? (Uint128)UINT64_MAX : top / d1;
	Uint128 rest = top - guess * d1;

	while (rest >> 64 == 0 && guess * d0 > (rest << 64 | u0)) {
		guess--;
		rest += d1;
	}
	return (uint64_t)guess;
}

/* u[0..n] -= q * d[0..n); if that goes below zero q was one too large: add d back. */
static uint64_t
subtract_multiple(uint64_t *u, const uint64_t *d, int n, uint64_t q)
{
	uint64_t carry = 0;
	uint64_t borrow = 0;

	for (int i = 0; i < n; i++) {
		Uint128 product = (Uint128)q * d[i] + carry;
		carry = (uint64_t)(product >> 64);
		Uint128 t = (Uint128)u[i] - (uint64_t)product - borrow;
		u[i] = (uint64_t)t;
		borrow = (uint64_t)(t >> 64) & 1;
	}
	Uint128 t = (Uint128)u[n] - carry - borrow;
	u[n] = (uint64_t)t;
	if ((uint64_t)(t >> 64) == 0)
		return q;
	carry = 0;
	for (int i = 0; i < n; i++) {
		Uint128 sum = (Uint128)u[i] + d[i] + carry;
		u[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> 64);
	}
	u[n] += carry;
	return q - 1;
}

void
wide_divide(const Wide *numerator, const Wide *divisor, Wide *quotient, Wide *remainder)
{
	uint64_t u[WIDE_WORDS + 1];
	uint64_t d[WIDE_WORDS];
	int n = divisor->len;

	assert(n > 0);
	if (n == 1) {
		divide_by_word(numerator, divisor->word[0], quotient, remainder);
		return;
	}
	if (wide_compare(numerator, divisor) < 0) {
		quotient->len = 0;
		*remainder = *numerator;
		return;
	}
	int shift = __builtin_clzll(divisor->word[n - 1]);
	shift_left(d, divisor->word, n, shift);
	u[numerator->len] = shift_left(u, numerator->word, numerator->len, shift);

	quotient->len = numerator->len - n + 1;
	for (int j = numerator->len - n; j >= 0; j--) {
		const uint64_t *top = u + j + n;
		uint64_t q = estimate_word(top[0], top[-1], top[-2], d[n - 1], d[n - 2]);
		quotient->word[j] = subtract_multiple(u + j, d, n, q);
	}
	wide_trim(quotient);
	remainder->len = n;
	for (int i = 0; i < n; i++)
		remainder->word[i] = u[i] >> shift | (shift > 0 ? u[i + 1] << (64 - shift) : 0);
	wide_trim(remainder);
}

/* Newton's iteration from above: it falls until it has reached the root. */
void
wide_sqrt(const Wide *v, Wide *out)
{
	Wide quotient;
	Wide remainder;
	int bit = (wide_bits(v) + 1) / 2;

	out->len = 0;
	if (v->len == 0)
		return;
	for (out->len = 0; out->len <= bit / 64; out->len++)
		out->word[out->len] = 0;
	out->word[bit / 64] = UINT64_C(1) << bit % 64;
	for (;;) {
		wide_divide(v, out, &quotient, &remainder);
		if (wide_compare(&quotient, out) >= 0)
			return;
		wide_add(out, &quotient);
		wide_shift_right1(out);
	}
}

DecimalResult
wide_round_quotient(const Wide *numerator, const Wide *divisor, bool negative, int precision,
                    DecimalRounding rounding, Int128 *out)
{
	Wide quotient;
	Wide remainder;
	Uint128 magnitude;

	wide_divide(numerator, divisor, &quotient, &remainder);
	if (!wide_to128(&quotient, &magnitude) ||
	    magnitude >= (Uint128)decimal_power128[precision])
		return DECIMAL_OVERFLOW;
	if (remainder.len > 0) {
		if (rounding == ROUND_EXACT)
			return DECIMAL_LOST_DIGITS;
		/* Half or more?  Compare with what is left of the divisor: no doubling. */
		Wide gap = *divisor;
		wide_sub(&gap, &remainder);
		magnitude += decimal_rounds_away(rounding, negative, magnitude & 1,
		                                 wide_compare(&remainder, &gap));
		if (magnitude >= (Uint128)decimal_power128[precision])
			return DECIMAL_OVERFLOW;
	}
	*out = negative ? -(Int128)magnitude : (Int128)magnitude;
	return DECIMAL_OK;
}
