/* type/value.h -- one value outside a vector: constants in the SQL, options, tests. */
#pragma once

#include "type/decimal.h"
#include "type/temporal.h"
#include "type/vector.h"

typedef struct Value {
	const Type *type;
	bool is_null;
	union {
		bool boolean;
		int64_t int64; /* integers, DATE, TIME, TIMESTAMP, DECIMAL to 18 digits */
		Int128 int128; /* DECIMAL from 19 digits */
		double real;
		Str text; /* STRING, BYTES, JSON */
		Interval interval;
	};
} Value;

static inline Value
value_null(const Type *type)
{
	return (Value){.type = type, .is_null = true};
}

/* The value at `row` of a VALUE-form vector of a scalar type; text is not copied. */
Value value_from_vector(const Vector *vector, uint32_t row);
/* Stores it at `row`; the vector has the value's type.  Text is not copied. */
void value_to_vector(const Value *value, Vector *vector, uint32_t row);
/* As a person reads it in a message: 12.50, 'text', TIMESTAMP '2023-11-14T22:13:20.049Z', NULL. */
Str value_text(Arena *arena, const Value *value);
