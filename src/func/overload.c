/* func/overload.c -- find the row of a list of functions that a call means.
 *
 * Overload resolution: every row whose pattern the arguments fit has a cost, the sum of the
 * distances of the implicit conversions it would need; the cheapest wins.  Names and patterns are
 * compared as text: this runs once per call in the SQL, never per row. */
#include "func/overload.h"

#include "func/cast.h"

#define ARGUMENTS_MAX 256
#define COST_NONE     UINT32_MAX
#define COST_ANY      12 /* ANY and TEXT lose to every row that names the type */
#define COST_NULL     1
#define COST_LITERAL  6 /* a string literal as a date, time or interval */

/* ---- names ---- */

bool
overload_next_name(const char **list, Str *name)
{
	const char *start = *list;

	if (*start == '\0')
		return false;
	size_t len = strcmp(start, "||") == 0 ? 2 : strcspn(start, "|");
	*name = (Str){start, (uint32_t)len};
	*list = start + len + (start[len] == '|');
	return true;
}

Str
overload_first_name(const char *names)
{
	Str name = {NULL, 0};

	overload_next_name(&names, &name);
	return name;
}

static bool
has_name(const Overload *row, Str wanted)
{
	const char *list = row->name;
	Str name;

	while (overload_next_name(&list, &name))
		if (str_eq_nocase(name, wanted))
			return true;
	return false;
}

bool
overload_exists(const OverloadList *list, Str name)
{
	for (size_t i = 0; i < list->count; i++) {
		Overload row = list->row(i);

		if (!row.is_operator && has_name(&row, name))
			return true;
	}
	return false;
}

/* ---- patterns ---- */

typedef struct Slot {
	Str word;
	bool optional;
	bool repeats;
} Slot;

/* The slot at *pattern, which moves on. */
static bool
next_slot(const char **pattern, Slot *slot)
{
	const char *start = *pattern + strspn(*pattern, " ");
	size_t len = strcspn(start, " ");

	if (len == 0)
		return false;
	char mark = start[len - 1];
	*pattern = start + len;
	slot->optional = mark == '?' || mark == '*';
	slot->repeats = mark == '*' || mark == '+';
	slot->word = (Str){start, (uint32_t)(len - (slot->optional || slot->repeats))};
	return true;
}

/* The slots for `count` arguments; false if the pattern cannot take that many. */
static bool
pattern_slots(const char *pattern, uint32_t count, Slot *slots)
{
	uint32_t used = 0;
	Slot slot;

	while (next_slot(&pattern, &slot)) {
		if (used == count)
			return slot.optional;
		slots[used++] = slot;
		while (slot.repeats && used < count)
			slots[used++] = slot;
	}
	return used == count;
}

/* A call being resolved: what each argument would become. */
typedef struct Match {
	Overload overload;
	uint32_t cost;
	const Type *types[ARGUMENTS_MAX];
} Match;

/* Stands in for a type where a literal string may take that of its partners. */
static bool
is_string_literal(const BoundExpr *expr)
{
	return expr->kind == BOUND_CONSTANT && expr->type->kind == TYPE_STRING;
}

static bool
is_temporal(const Type *type)
{
	return type->kind >= TYPE_DATE && type->kind <= TYPE_INTERVAL;
}

/* The common type of all arguments marked T, or NULL. */
static const Type *
common_of(Arena *arena, const Slot *slots, BoundExpr *const *args, uint32_t count)
{
	const Type *common = NULL;
	bool literals = false;

	for (uint32_t pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < count; i++) {
			bool literal = is_string_literal(args[i]);

			if (!str_eq(slots[i].word, STR("T")) || literal != (pass == 1))
				continue;
			literals |= literal;
			if (common == NULL)
				common = args[i]->type;
			else if (literal && is_temporal(common))
				continue;
			else
				common = type_common(arena, common, args[i]->type);
			if (common == NULL)
				return NULL;
		}
	/* NULL beside nothing but string literals, or nothing but NULLs. */
	return common != NULL && common->kind == TYPE_NULL && literals ? TYPE_OF(STRING) : common;
}

static uint32_t
cost_to(const BoundExpr *arg, const Type *type)
{
	if (type_equal(arg->type, type))
		return 0;
	if (arg->type->kind == TYPE_NULL)
		return COST_NULL;
	if (is_string_literal(arg) && is_temporal(type))
		return COST_LITERAL;
	int distance = cast_distance(arg->type, type);
	return distance < 0 ? COST_NONE : (uint32_t)distance;
}

/* What the word of a pattern makes of an argument, and the cost; COST_NONE if it does not fit. */
static uint32_t
slot_cost(Arena *arena, Str word, const Type *common, const BoundExpr *arg, const Type **type)
{
	const Type *given = arg->type;
	bool null = given->kind == TYPE_NULL;
	TypeKind kind;

	*type = given;
	if (str_eq(word, STR("ANY")))
		return COST_ANY;
	if (str_eq(word, STR("T"))) {
		*type = common;
		return common == NULL ? COST_NONE : type_equal(given, common) ? 0 : 1;
	}
	if (str_eq(word, STR("INTEGER"))) {
		*type = null ? TYPE_OF(INTEGER) : given;
		return null ? COST_NULL : type_is_integer(given) ? 0 : COST_NONE;
	}
	if (str_eq(word, STR("EXACT"))) {
		*type = null ? type_decimal(arena, 18, 0) : given;
		return null                          ? 2 * COST_NULL
		       : given->kind == TYPE_DECIMAL ? 0
		       : type_is_integer(given)      ? 1
						     : COST_NONE;
	}
	if (str_eq(word, STR("NUMBER"))) {
		*type = null ? TYPE_OF(INTEGER) : given;
		return null ? COST_NULL : type_is_numeric(given) ? 1 : COST_NONE;
	}
	if (str_eq(word, STR("DECIMAL"))) {
		if (type_is_integer(given))
			*type = type_decimal(arena, type_integer_digits(given->kind), 0);
		else if (null)
			*type = type_decimal(arena, 18, 0);
		return null                          ? 2 * COST_NULL
		       : given->kind == TYPE_DECIMAL ? 0
		       : type_is_integer(given)      ? 2
						     : COST_NONE;
	}
	if (str_eq(word, STR("TEXT"))) {
		*type = TYPE_OF(STRING);
		return given->kind == TYPE_STRING                 ? 0
		       : null                                     ? COST_NULL
		       : cast_exists(given, *type, CAST_EXPLICIT) ? COST_ANY
								  : COST_NONE;
	}
	if (!type_kind_from_name(word, &kind))
		return COST_NONE;
	if (kind == TYPE_ARRAY || kind == TYPE_MAP || kind == TYPE_STRUCT)
		return given->kind == kind ? 0 : COST_NONE;
	*type = &type_simple[kind];
	return cost_to(arg, *type);
}

/* False if the overload does not fit the arguments. */
static bool
match_overload(Arena *arena, const Overload *overload, BoundExpr *const *args, uint32_t count,
	       Match *match)
{
	Slot slots[ARGUMENTS_MAX];

	if (!pattern_slots(overload->arguments, count, slots))
		return false;
	const Type *common = common_of(arena, slots, args, count);
	match->overload = *overload;
	match->cost = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t cost = slot_cost(arena, slots[i].word, common, args[i], &match->types[i]);

		if (cost == COST_NONE)
			return false;
		match->cost += cost;
	}
	return true;
}

/* ---- errors ---- */

#define NAMES_MAX 1024

static Status
unknown_function(Arena *arena, const OverloadList *list, Str name, Position at, Error *err)
{
	Str *candidates = ARENA_ARRAY(arena, Str, NAMES_MAX);
	size_t count = 0;

	const OverloadList *lists[] = {list, list->also};
	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; lists[l] != NULL && i < lists[l]->count; i++) {
			Overload row = lists[l]->row(i);

			while (!row.is_operator && count < NAMES_MAX &&
			       overload_next_name(&row.name, &candidates[count]))
				count++;
		}
	Str nearest = str_nearest(name, candidates, count);
	error_set_at(err, FERRIS_ERR_UNKNOWN_FUNCTION, at, "unknown function '%.*s'",
		     STR_ARG(name));
	if (nearest.len > 0)
		error_hint(err, "did you mean '%.*s'?", STR_ARG(nearest));
	return err->status;
}

static Str
types_text(Arena *arena, BoundExpr *const *args, uint32_t count)
{
	Str text = STR("");

	for (uint32_t i = 0; i < count; i++)
		text = str_format(arena, "%.*s%s%s", STR_ARG(text), i > 0 ? ", " : "",
				  type_text(arena, args[i]->type).data);
	return text;
}

/* The distinct signatures of a name, "a; b". */
static Str
signatures(Arena *arena, const OverloadList *list, Str name)
{
	Str text = STR("");
	const char *last = "";

	for (size_t i = 0; i < list->count; i++) {
		Overload row = list->row(i);

		if (!has_name(&row, name) || strcmp(last, row.signature) == 0)
			continue;
		last = row.signature;
		text = str_format(arena, "%.*s%s%s", STR_ARG(text), text.len > 0 ? "; " : "", last);
	}
	return text;
}

static Status
wrong_arguments(Arena *arena, const OverloadList *list, Str name, BoundExpr *const *args,
		uint32_t count, Position at, Error *err)
{
	Slot slots[ARGUMENTS_MAX];
	bool is_operator = false;
	bool count_fits = false;

	for (size_t i = 0; i < list->count; i++) {
		Overload row = list->row(i);

		if (!has_name(&row, name))
			continue;
		count_fits |= pattern_slots(row.arguments, count, slots);
		is_operator |= row.is_operator;
	}
	if (!count_fits)
		error_set_at(err, FERRIS_ERR_ARGUMENTS, at, "%.*s cannot take %u argument%s",
			     STR_ARG(name), count, count == 1 ? "" : "s");
	else if (is_operator)
		error_set_at(err, FERRIS_ERR_TYPE, at, "the operator %.*s does not exist for %s",
			     STR_ARG(name), types_text(arena, args, count).data);
	else
		error_set_at(err, FERRIS_ERR_TYPE, at, "%.*s does not exist for (%s)",
			     STR_ARG(name), types_text(arena, args, count).data);
	if (!is_operator || !count_fits)
		error_hint(err, "it is called as %s", signatures(arena, list, name).data);
	else
		error_hint(err, "convert an operand with CAST(... AS type)");
	return err->status;
}

/* ---- choosing ---- */

/* Casts the arguments; out->type stays NULL if the result rule declines. */
static Status
convert(Arena *arena, const Match *match, BoundExpr *const *given, uint32_t count, Position at,
	OverloadCall *out, Error *err)
{
	out->args = ARENA_ARRAY(arena, BoundExpr *, count);
	out->type = NULL;
	for (uint32_t i = 0; i < count; i++) {
		/* TEXT takes what elsewhere cannot be converted implicitly. */
		bool to_text = match->types[i]->kind == TYPE_STRING;

		TRY(bound_cast(arena, given[i], match->types[i],
			       to_text ? CAST_EXPLICIT : CAST_IMPLICIT, &out->args[i], err));
		if (to_text && out->args[i] != given[i])
			out->args[i]->cast = CAST_IMPLICIT;
	}
	Status status = match->overload.result(arena, out->args, count, &out->type, err);
	if (status != FERRIS_OK && err->position.line == 0)
		err->position = at;
	return status;
}

Status
overload_resolve(Arena *arena, const OverloadList *list, Str name, BoundExpr *const *args,
		 uint32_t count, Position at, OverloadCall *out, Error *err)
{
	Match *match = ARENA_NEW(arena, Match);
	Match *best = ARENA_NEW(arena, Match);
	uint32_t floor = 0; /* rows up to here, in order of cost and place, have declined */
	size_t floor_row = 0;
	bool known = false;

	if (count > ARGUMENTS_MAX)
		return error_set_at(err, FERRIS_ERR_ARGUMENTS, at,
				    "%.*s takes at most %d arguments", STR_ARG(name),
				    ARGUMENTS_MAX);
	for (;;) {
		bool found = false;

		for (size_t i = 0; i < list->count; i++) {
			Overload row = list->row(i);

			if (!has_name(&row, name))
				continue;
			known = true;
			if (!match_overload(arena, &row, args, count, match) ||
			    match->cost < floor || (match->cost == floor && i < floor_row) ||
			    (found && match->cost >= best->cost))
				continue;
			*best = *match;
			out->row = i;
			found = true;
		}
		if (!known)
			return unknown_function(arena, list, name, at, err);
		if (!found)
			return wrong_arguments(arena, list, name, args, count, at, err);
		TRY(convert(arena, best, args, count, at, out, err));
		if (out->type != NULL)
			return FERRIS_OK;
		floor = best->cost;
		floor_row = out->row + 1;
	}
}
