/* type/type.c -- the type table, names, equality. */
#include "type/type.h"

#include <assert.h>

#include "base/buffer.h"
#include "type/decimal.h"
#include "type/temporal.h"
#include "type/vector.h"

typedef struct TypeRow {
	Str name;
	const char *aliases;
} TypeRow;

static const TypeRow rows[TYPE_KIND_COUNT] = {
#define TYPE(kind, name, physical, aliases) {STR_INIT(name), aliases},
#include "type/type_list.h"
};

static const Str names[TYPE_KIND_COUNT] = {
#define TYPE(kind, name, physical, aliases) STR_INIT(name),
#include "type/type_list.h"
};

const Type type_simple[TYPE_KIND_COUNT] = {
#define TYPE(k, name, physical, aliases) {.kind = TYPE_##k},
#include "type/type_list.h"
};

const Type *
type_decimal(Arena *arena, int precision, int scale)
{
	Type *type = ARENA_NEW(arena, Type);

	assert(precision >= 1 && precision <= DECIMAL_MAX_PRECISION);
	assert(scale >= 0 && scale <= precision);
	type->kind = TYPE_DECIMAL;
	type->precision = (uint8_t)precision;
	type->scale = (uint8_t)scale;
	return type;
}

const Type *
type_struct(Arena *arena, const Field *fields, uint32_t count)
{
	Type *type = ARENA_NEW(arena, Type);
	Field *copy = ARENA_ARRAY(arena, Field, count);

	memcpy(copy, fields, count * sizeof *copy);
	type->kind = TYPE_STRUCT;
	type->fields = copy;
	type->field_count = count;
	return type;
}

/* A STRUCT in all but its kind. */
static const Type *
type_container(Arena *arena, TypeKind kind, const Field *fields, uint32_t count)
{
	Type *type = ARENA_NEW(arena, Type);

	*type = *type_struct(arena, fields, count);
	type->kind = kind;
	return type;
}

const Type *
type_array(Arena *arena, const Type *element)
{
	return type_container(arena, TYPE_ARRAY, &(Field){.name = STR("element"), .type = element},
			      1);
}

const Type *
type_map(Arena *arena, const Type *key, const Type *value)
{
	const Field fields[] = {{.name = STR("key"), .type = key},
				{.name = STR("value"), .type = value}};

	return type_container(arena, TYPE_MAP, fields, 2);
}

bool
type_equal(const Type *a, const Type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale ||
	    a->field_count != b->field_count)
		return false;
	for (uint32_t i = 0; i < a->field_count; i++)
		if (!str_eq(a->fields[i].name, b->fields[i].name) ||
		    !type_equal(a->fields[i].type, b->fields[i].type))
			return false;
	return true;
}

const uint8_t type_physical_of_kind[] = {
#define TYPE(kind, name, physical, aliases) [TYPE_##kind] = PHYSICAL_##physical,
#include "type/type_list.h"
#undef TYPE
};

size_t
physical_size(Physical physical)
{
	static const size_t sizes[PHYSICAL_COUNT] = {
		[PHYSICAL_BOOL] = 1,
		[PHYSICAL_INT64] = 8,
		[PHYSICAL_INT128] = 16,
		[PHYSICAL_DOUBLE] = 8,
		[PHYSICAL_VIEW] = sizeof(StringView),
		[PHYSICAL_INTERVAL] = sizeof(Interval),
		[PHYSICAL_LIST] = sizeof(ListEntry),
		[PHYSICAL_STRUCT] = 0,
	};

	return sizes[physical];
}

const char *
type_kind_name(TypeKind kind)
{
	return rows[kind].name.data;
}

static void
type_print(Buffer *out, const Type *type)
{
	buffer_append_str(out, rows[type->kind].name);
	if (type->kind == TYPE_DECIMAL)
		buffer_printf(out, "(%d,%d)", type->precision, type->scale);
	if (type->field_count == 0)
		return;
	buffer_append_char(out, '<');
	for (uint32_t i = 0; i < type->field_count; i++) {
		if (i > 0)
			buffer_append_str(out, STR(", "));
		if (type->kind == TYPE_STRUCT)
			buffer_printf(out, "%.*s ", STR_ARG(type->fields[i].name));
		type_print(out, type->fields[i].type);
	}
	buffer_append_char(out, '>');
}

Str
type_text(Arena *arena, const Type *type)
{
	Buffer out;

	buffer_init(&out, 1 << 20);
	type_print(&out, type);
	Str text = str_copy(arena, (Str){out.data, (uint32_t)out.len});
	buffer_free(&out);
	return text;
}

/* Whether `name` is one of the '|'-separated words. */
static bool
is_alias(const char *aliases, Str name)
{
	while (*aliases != '\0') {
		size_t len = strcspn(aliases, "|");

		if (str_eq_nocase(name, (Str){aliases, (uint32_t)len}))
			return true;
		aliases += len + (aliases[len] == '|');
	}
	return false;
}

bool
type_kind_from_name(Str name, TypeKind *kind)
{
	for (TypeKind k = TYPE_BOOLEAN; k < TYPE_KIND_COUNT; k++)
		if (str_eq_nocase(name, rows[k].name) || is_alias(rows[k].aliases, name)) {
			*kind = k;
			return true;
		}
	return false;
}

size_t
type_names(const Str **out)
{
	*out = names + TYPE_BOOLEAN;
	return TYPE_KIND_COUNT - TYPE_BOOLEAN;
}

void
type_integer_range(TypeKind kind, int64_t *min, int64_t *max)
{
	int bits = kind == TYPE_TINYINT    ? 7
		   : kind == TYPE_SMALLINT ? 15
		   : kind == TYPE_INTEGER  ? 31
					   : 63;

	*max = (int64_t)((UINT64_C(1) << bits) - 1);
	*min = -*max - 1;
}

int
type_integer_digits(TypeKind kind)
{
	return kind == TYPE_TINYINT    ? 3
	       : kind == TYPE_SMALLINT ? 5
	       : kind == TYPE_INTEGER  ? 10
				       : 19;
}

int
schema_find(const Schema *schema, Str name)
{
	for (uint32_t i = 0; i < schema->count; i++)
		if (str_eq(schema->fields[i].name, name))
			return (int)i;
	for (uint32_t i = 0; i < schema->count; i++)
		if (str_eq_nocase(schema->fields[i].name, name))
			return (int)i;
	return -1;
}
