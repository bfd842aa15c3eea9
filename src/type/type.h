/* type/type.h -- SQL types, fields and schemas.
 *
 * A Type is immutable and lives in an arena or in static storage; types are passed as
 * `const Type *` and compared with type_equal, not by pointer.
 *
 * Every integer, date and time type is held in a 64-bit lane: one kernel serves them all, and the
 * range of the narrower types is checked where values are born (decode, cast, arithmetic).
 * DECIMAL is held in 64 bits up to 18 digits and in 128 bits up to 38. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#define DECIMAL_MAX_PRECISION    38
#define DECIMAL_MAX_PRECISION_64 18

typedef enum TypeKind {
#define TYPE(kind, name, physical, aliases) TYPE_##kind,
#include "type/type_list.h"
	TYPE_KIND_COUNT
} TypeKind;

/* How one value of a vector is laid out. */
typedef enum Physical {
	PHYSICAL_BOOL,  /* uint8_t 0 or 1 */
	PHYSICAL_INT64, /* int64_t: integers, DATE (days), TIME and TIMESTAMP (us), DECIMAL to 18 */
	PHYSICAL_INT128,   /* Int128: DECIMAL from 19 to 38 digits */
	PHYSICAL_DOUBLE,   /* double; FLOAT is rounded to float but held as double */
	PHYSICAL_VIEW,     /* StringView */
	PHYSICAL_INTERVAL, /* Interval */
	PHYSICAL_LIST,   /* ListEntry into child vectors: ARRAY has one, MAP has keys and values */
	PHYSICAL_STRUCT, /* nothing of its own; one child vector per field, same rows */
	PHYSICAL_COUNT
} Physical;

typedef struct Type Type;

typedef struct Field {
	Str name;
	const Type *type;
	bool not_null;
} Field;

struct Type {
	TypeKind kind;
	uint8_t precision; /* DECIMAL */
	uint8_t scale;     /* DECIMAL */
	uint32_t field_count;
	const Field *fields; /* STRUCT: its fields; ARRAY: one, the element; MAP: key and value */
};

typedef struct Schema {
	Field *fields;
	uint32_t count;
} Schema;

/* Static types without parameters, by kind: &type_simple[TYPE_BIGINT]. */
extern const Type type_simple[TYPE_KIND_COUNT];
#define TYPE_OF(kind) (&type_simple[TYPE_##kind])

const Type *type_decimal(Arena *arena, int precision, int scale);
const Type *type_array(Arena *arena, const Type *element);
const Type *type_map(Arena *arena, const Type *key, const Type *value);
const Type *type_struct(Arena *arena, const Field *fields, uint32_t count);

bool type_equal(const Type *a, const Type *b);
extern const uint8_t type_physical_of_kind[];

static inline Physical
type_physical(const Type *type)
{
	if (type->kind == TYPE_DECIMAL && type->precision > DECIMAL_MAX_PRECISION_64)
		return PHYSICAL_INT128;
	return (Physical)type_physical_of_kind[type->kind];
}

/* ARRAY, MAP, STRUCT. */
static inline bool
type_is_nested(const Type *type)
{
	Physical physical = type_physical(type);

	return physical == PHYSICAL_LIST || physical == PHYSICAL_STRUCT;
}

/* Bytes of one value of a physical layout; 0 for STRUCT. */
size_t physical_size(Physical physical);
const char *type_kind_name(TypeKind kind);
/* "DECIMAL(18,4)", "ARRAY<STRING>", "STRUCT<a BIGINT, b STRING>". */
Str type_text(Arena *arena, const Type *type);
/* The kind for a name or alias in any case; false if there is none. */
bool type_kind_from_name(Str name, TypeKind *kind);
/* All canonical names, for "did you mean"; returns how many. */
size_t type_names(const Str **names);

static inline bool
type_is_integer(const Type *type)
{
	return type->kind >= TYPE_TINYINT && type->kind <= TYPE_BIGINT;
}

static inline bool
type_is_exact(const Type *type)
{
	return type_is_integer(type) || type->kind == TYPE_DECIMAL;
}

static inline bool
type_is_approximate(const Type *type)
{
	return type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE;
}

static inline bool
type_is_numeric(const Type *type)
{
	return type_is_exact(type) || type_is_approximate(type);
}

static inline bool
type_is_text(const Type *type)
{
	return type->kind == TYPE_STRING;
}

/* Smallest and largest value of an integer type. */
void type_integer_range(TypeKind kind, int64_t *min, int64_t *max);
/* Decimal digits that any value of an integer type fits in: 3, 5, 10, 19. */
int type_integer_digits(TypeKind kind);

/* Index of the field with that name (exact, then ignoring ASCII case), or -1. */
int schema_find(const Schema *schema, Str name);
