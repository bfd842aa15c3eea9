/* func/aggregate_big.c -- the arithmetic behind exact sums of doubles (func/aggregate_real.h). */
#include "func/aggregate_real.h"

#include <assert.h>
#include <math.h>

void
real_words_add(uint64_t *into, const uint64_t *from, int count)
{
	uint64_t carry = 0;

	for (int i = 0; i < count; i++) {
		Uint128 sum = (Uint128)into[i] + from[i] + carry;

		into[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> 64);
	}
}

static void
trim(Big *v)
{
	while (v->len > 0 && v->word[v->len - 1] == 0)
		v->len--;
	if (v->len == 0)
		v->negative = false;
}

void
real_total(const uint64_t *words, RealKind kind, const uint64_t *far, Big *out)
{
	int count = kind == REAL_SINGLE ? SINGLE_WORDS : PRODUCT_WORDS;
	int low = (kind == REAL_SINGLE ? SINGLE_LOW : PRODUCT_LOW) / 64;

	out->len = count;
	out->low = low;
	memcpy(out->word, words, sizeof *words * (size_t)count);
	if (far != NULL) {
		uint64_t wide[FAR_WORDS] = {0};
		int at = low - FAR_LOW / 64;
		uint64_t sign = words[count - 1] >> 63 ? UINT64_MAX : 0;

		for (int i = at; i < FAR_WORDS; i++)
			wide[i] = i - at < count ? words[i - at] : sign;
		memcpy(out->word, far, sizeof wide);
		real_words_add(out->word, wide, FAR_WORDS);
		out->len = FAR_WORDS;
		out->low = FAR_LOW / 64;
	}
	out->negative = out->word[out->len - 1] >> 63;
	if (out->negative) {
		uint64_t carry = 1;
		for (int i = 0; i < out->len; i++) {
			out->word[i] = ~out->word[i] + carry;
			carry = carry && out->word[i] == 0;
		}
	}
	trim(out);
	/* Words of zero below only make what follows slower. */
	int zeros = 0;
	while (zeros < out->len && out->word[zeros] == 0)
		zeros++;
	memmove(out->word, out->word + zeros, sizeof(uint64_t) * (size_t)(out->len - zeros));
	out->len -= zeros;
	out->low += zeros;
}

/* ---- far sums ---- */

RealFar *
real_far_need(AggregateMemory *memory, RealFar **far, int sums)
{
	if (*far == NULL)
		*far = aggregate_alloc(memory, real_far_size(sums));
	return *far;
}

void
real_far_drop(AggregateMemory *memory, RealFar **far, int sums)
{
	aggregate_free(memory, *far, real_far_size(sums));
	*far = NULL;
}

void
real_far_merge(AggregateMemory *memory, RealFar **into, const RealFar *from, int sums)
{
	if (from == NULL)
		return;
	RealFar *far = real_far_need(memory, into, sums);
	far->nan += from->nan;
	far->plus += from->plus;
	far->minus += from->minus;
	for (int i = 0; i < sums; i++)
		real_words_add(far->words[i], from->words[i], FAR_WORDS);
}

void
real_far_special(RealFar *far, double v, int64_t step)
{
	if (isnan(v))
		far->nan += step;
	else if (v > 0)
		far->plus += step;
	else
		far->minus += step;
}

void
real_far_save(const RealFar *far, int sums, Buffer *out)
{
	state_put64(out, far != NULL);
	if (far != NULL)
		buffer_append(out, far, real_far_size(sums));
}

bool
real_far_load(AggregateMemory *memory, RealFar **far, int sums, StateReader *in)
{
	uint64_t given = state_take64(in);

	if (in->failed || given > 1)
		return false;
	if (given == 0)
		return true;
	const char *p = state_take(in, real_far_size(sums));
	if (p == NULL)
		return false;
	memcpy(real_far_need(memory, far, sums), p, real_far_size(sums));
	return true;
}

/* ---- big numbers ---- */

void
big_multiply(Big *out, const Big *a, const Big *b)
{
	assert(a->len + b->len <= BIG_WORDS);
	out->negative = a->negative != b->negative;
	out->low = a->low + b->low;
	out->len = a->len + b->len;
	memset(out->word, 0, sizeof(uint64_t) * (size_t)out->len);
	for (int i = 0; i < a->len; i++) {
		uint64_t carry = 0;

		for (int k = 0; k < b->len; k++) {
			Uint128 t = (Uint128)a->word[i] * b->word[k] + out->word[i + k] + carry;

			out->word[i + k] = (uint64_t)t;
			carry = (uint64_t)(t >> 64);
		}
		out->word[i + b->len] = carry;
	}
	trim(out);
}

void
big_multiply64(Big *v, uint64_t factor)
{
	uint64_t carry = 0;

	for (int i = 0; i < v->len; i++) {
		Uint128 t = (Uint128)v->word[i] * factor + carry;

		v->word[i] = (uint64_t)t;
		carry = (uint64_t)(t >> 64);
	}
	if (carry > 0) {
		assert(v->len < BIG_WORDS);
		v->word[v->len++] = carry;
	}
	trim(v);
}

/* The word that stands at 2^(64 * at). */
static uint64_t
word_at(const Big *v, int at)
{
	int i = at - v->low;

	return i >= 0 && i < v->len ? v->word[i] : 0;
}

static int
compare_magnitudes(const Big *a, const Big *b)
{
	int high = a->low + a->len > b->low + b->len ? a->low + a->len : b->low + b->len;
	int low = a->low < b->low ? a->low : b->low;

	for (int at = high - 1; at >= low; at--)
		if (word_at(a, at) != word_at(b, at))
			return word_at(a, at) < word_at(b, at) ? -1 : 1;
	return 0;
}

/* out = |a| + |b|, or |a| - |b| where |a| >= |b| */
static void
combine(Big *out, const Big *a, const Big *b, bool subtract)
{
	int low = a->low < b->low ? a->low : b->low;
	int high = a->low + a->len > b->low + b->len ? a->low + a->len : b->low + b->len;
	uint64_t carry = subtract;

	out->low = low;
	out->len = high - low + !subtract;
	assert(out->len <= BIG_WORDS);
	for (int i = 0; i < out->len; i++) {
		uint64_t other = word_at(b, low + i);
		Uint128 t = (Uint128)word_at(a, low + i) + (subtract ? ~other : other) + carry;

		out->word[i] = (uint64_t)t;
		carry = (uint64_t)(t >> 64);
	}
}

void
big_subtract(Big *out, const Big *a, const Big *b)
{
	Big zero = {.len = 0};

	/* A zero has no place of its own. */
	if (a->len == 0 || b->len == 0) {
		*out = a->len != 0 ? *a : b->len != 0 ? *b : zero;
		out->negative = a->len != 0 ? a->negative : b->len != 0 && !b->negative;
		return;
	}
	if (a->negative != b->negative) {
		combine(out, a, b, false);
		out->negative = a->negative;
	} else if (compare_magnitudes(a, b) >= 0) {
		combine(out, a, b, true);
		out->negative = a->negative;
	} else {
		combine(out, b, a, true);
		out->negative = !a->negative;
	}
	trim(out);
}

Scaled
big_scaled(const Big *v)
{
	int exponent = 0;

	if (v->len == 0)
		return (Scaled){0, 0};
	int zeros = __builtin_clzll(v->word[v->len - 1]);
	uint64_t top = v->word[v->len - 1] << zeros;
	if (zeros > 0 && v->len > 1)
		top |= v->word[v->len - 2] >> (64 - zeros);
	bool rest = v->len > 1 && v->word[v->len - 2] << zeros != 0;
	for (int i = 0; i < v->len - 2; i++)
		rest |= v->word[i] != 0;
	/* Far below the 53 bits of a double, this only says which side of a tie it is. */
	top |= rest;
	double mantissa = frexp((double)top, &exponent);
	exponent += 64 * (v->low + v->len - 1) - zeros;
	return (Scaled){v->negative ? -mantissa : mantissa, exponent};
}

double
scaled_value(Scaled v)
{
	return ldexp(v.mantissa, v.exponent);
}

static Scaled
normal(double mantissa, int exponent)
{
	int shift = 0;

	mantissa = frexp(mantissa, &shift);
	return (Scaled){mantissa, exponent + shift};
}

Scaled
scaled_divide(Scaled a, Scaled b)
{
	return normal(a.mantissa / b.mantissa, a.exponent - b.exponent);
}

Scaled
scaled_multiply(Scaled a, Scaled b)
{
	return normal(a.mantissa * b.mantissa, a.exponent + b.exponent);
}

Scaled
scaled_sqrt(Scaled v)
{
	bool odd = v.exponent & 1;

	return normal(sqrt(odd ? v.mantissa * 2 : v.mantissa), (v.exponent - odd) / 2);
}
