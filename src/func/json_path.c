/* func/json_path.c -- JSON_VALUE, JSON_QUERY, JSON_EXTRACT and JSON_EXISTS.
 *
 * A path is that of SQL/JSON as far as it names one place: $, .name, ."name", ['name'], [0]; the
 * $ may be left out.  A constant path is parsed when the query is planned.  The text must be JSON
 * from end to end; one that is not is a row error, a place that does not exist is NULL.  Of a key
 * that stands twice the first counts.
 *
 * What is found is returned as a view of the argument; only escapes make new bytes. */
#include "codec/json_text.h"
#include "func/text.h"

#define JSON_DEPTH_MAX 128
#define PATH_STEPS_MAX 64

typedef struct PathStep {
	Str name;       /* of a member; data NULL: an element of an array */
	uint32_t index;
} PathStep;

typedef struct JsonPath {
	PathStep steps[PATH_STEPS_MAX];
	uint32_t count;
	bool constant;  /* parsed by the planner */
} JsonPath;

/* ---- the path ---- */

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

/* A quoted name at *at, which moves behind it. */
static bool
quoted_name(Str text, uint32_t *at, Str *name)
{
	char quote = text.data[*at];
	const char *begin = text.data + *at + 1;
	const char *end = memchr(begin, quote, text.len - *at - 1);

	if (end == NULL)
		return false;
	*name = (Str){begin, (uint32_t)(end - begin)};
	*at = (uint32_t)(end + 1 - text.data);
	return true;
}

/* [0], ['name'], ["name"]; *at is behind the bracket. */
static bool
bracket_step(Str text, uint32_t *at, PathStep *step)
{
	uint64_t index = 0;
	uint32_t first = *at;

	if (first < text.len && (text.data[first] == '\'' || text.data[first] == '"')) {
		if (!quoted_name(text, at, &step->name))
			return false;
	} else {
		for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at)
			if ((index = index * 10 + (uint64_t)(text.data[*at] - '0')) > UINT32_MAX)
				return false;
		if (*at == first)
			return false;
		*step = (PathStep){.index = (uint32_t)index};
	}
	return *at < text.len && text.data[(*at)++] == ']';
}

static bool
name_step(Str text, uint32_t *at, PathStep *step)
{
	uint32_t first = *at;

	if (first < text.len && text.data[first] == '"')
		return quoted_name(text, at, &step->name);
	while (*at < text.len && is_name_byte(text.data[*at]))
		++*at;
	step->name = (Str){text.data + first, *at - first};
	return *at > first;
}

/* False, and the byte in *at, if the text is not such a path. */
static bool
path_parse(JsonPath *path, Str text, uint32_t *at)
{
	bool first = true;

	path->count = 0;
	*at = text.len > 0 && text.data[0] == '$';
	while (*at < text.len) {
		PathStep *step = &path->steps[path->count];
		char c = text.data[*at];

		if (path->count == PATH_STEPS_MAX)
			return false;
		*step = (PathStep){0};
		if (c == '[') {
			++*at;
			if (!bracket_step(text, at, step))
				return false;
		} else {
			if (c == '.')
				++*at;
			else if (!first || text.data[0] == '$')
				return false;
			if (!name_step(text, at, step))
				return false;
		}
		path->count++;
		first = false;
	}
	return true;
}

static Status
plan_path(Arena *arena, const BoundExpr *call, Kernel kernel, KernelPlan *plan, Error *err)
{
	JsonPath *path = ARENA_NEW(arena, JsonPath);
	const Value *text = kernel_constant(call, 1);
	uint32_t at;

	*plan = (KernelPlan){.kernel = kernel, .state = path};
	if (text == NULL)
		return FERRIS_OK;
	path->constant = true;
	/* The constant may not live as long as the program. */
	if (path_parse(path, str_copy(arena, text->text), &at))
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_BAD_ARGUMENT, call->args[1]->position,
	             "'%.*s' is not a path that names one place, at byte %u",
	             (int)(text->text.len < 80 ? text->text.len : 80), text->text.data, at + 1);
	return error_hint(err, "a path is written as '$.order.items[0].price'");
}

/* ---- finding the place ---- */

/* From the value at `p` to its member or element; NULL if there is none.  The text is valid. */
static const char *
take_step(JsonText *text, const char *p, const PathStep *step)
{
	bool is_object = *p == '{';
	char close = is_object ? '}' : ']';
	uint32_t index = 0;

	if (step->name.data != NULL ? *p != '{' : *p != '[')
		return NULL;
	p = json_skip_blanks(p + 1, text->end);
	while (*p != close) {
		bool found = index++ == step->index;
		if (is_object) {
			JsonString key;
			p = json_check_string(text, p, &key);
			found = str_eq(json_string_text(text->heap, &key), step->name);
			p = json_skip_blanks(p, text->end);
			p = json_skip_blanks(p + 1, text->end); /* the colon */
		}
		if (found)
			return p;
		p = json_skip_blanks(json_skip_value(text, p), text->end);
		if (*p == ',')
			p = json_skip_blanks(p + 1, text->end);
	}
	return NULL;
}

typedef enum Found { FOUND_VALUE, FOUND_NOTHING, FOUND_FAILURE } Found;

/* The value at the path of this row: its first byte and one past its last. */
static Found
find_place(KernelCall *call, uint32_t row, const char **begin, const char **end)
{
	JsonPath *path = call->state;
	Str json = kernel_text(call, 0, row);
	JsonText text = {.max_depth = JSON_DEPTH_MAX, .heap = call->heap};
	char what[KERNEL_WHAT_MAX];
	uint32_t at;

	if (!path->constant && !path_parse(path, kernel_text(call, 1, row), &at)) {
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
		            "%s: the path is not one that names one place, at byte %u",
		            kernel_what(call, what), at + 1);
		return FOUND_FAILURE;
	}
	const char *stop = json.data + json.len;
	json_text_start(&text, stop);
	const char *p = json_skip_blanks(json.data, stop);
	const char *last = p < stop ? json_check_value(&text, p, 0, false) : NULL;
	if (last == NULL || json_skip_blanks(last, stop) != stop) {
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT, "%s of a text that is not JSON: %s",
		            kernel_what(call, what),
		            p == stop        ? "it is empty"
		            : last == NULL   ? text.fault
		                             : "something follows the value");
		return FOUND_FAILURE;
	}
	for (uint32_t i = 0; i < path->count; i++)
		if ((p = take_step(&text, p, &path->steps[i])) == NULL)
			return FOUND_NOTHING;
	*begin = p;
	*end = json_skip_value(&text, p);
	return FOUND_VALUE;
}

/* ---- the functions ---- */

static void
json_exists_rows(KernelCall *call)
{
	const char *begin, *end;

	KERNEL_EACH_VALID(call, row) {
		Found found = find_place(call, row, &begin, &end);
		if (found != FOUND_FAILURE)
			kernel_set_bool(call, row, found == FOUND_VALUE);
	}
}

/* The value as JSON text; JSON's null is a value. */
static void
json_extract_rows(KernelCall *call)
{
	const char *begin, *end;

	KERNEL_EACH_VALID(call, row) {
		Found found = find_place(call, row, &begin, &end);
		if (found == FOUND_VALUE)
			kernel_set_view(call, row, begin, (size_t)(end - begin), 0);
		else if (found == FOUND_NOTHING)
			vector_set_null(call->out, row);
	}
}

/* Objects and arrays only. */
static void
json_query_rows(KernelCall *call)
{
	const char *begin, *end;

	KERNEL_EACH_VALID(call, row) {
		Found found = find_place(call, row, &begin, &end);
		if (found == FOUND_VALUE && (*begin == '{' || *begin == '['))
			kernel_set_view(call, row, begin, (size_t)(end - begin), 0);
		else if (found != FOUND_FAILURE)
			vector_set_null(call->out, row);
	}
}

/* A string, number, true or false as text. */
static void
json_value_rows(KernelCall *call)
{
	const char *begin, *end;

	KERNEL_EACH_VALID(call, row) {
		Found found = find_place(call, row, &begin, &end);
		if (found == FOUND_FAILURE)
			continue;
		if (found == FOUND_NOTHING || *begin == '{' || *begin == '[' || *begin == 'n') {
			vector_set_null(call->out, row);
		} else if (*begin == '"') {
			JsonText text = {.max_depth = JSON_DEPTH_MAX, .heap = call->heap};
			JsonString string;
			json_text_start(&text, end);
			json_check_string(&text, begin, &string);
			kernel_set_text(call, row, json_string_text(call->heap, &string));
		} else {
			kernel_set_view(call, row, begin, (size_t)(end - begin), 0);
		}
	}
}

Status
plan_json_exists(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_path(arena, call, json_exists_rows, plan, err);
}

Status
plan_json_extract(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_path(arena, call, json_extract_rows, plan, err);
}

Status
plan_json_query(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_path(arena, call, json_query_rows, plan, err);
}

Status
plan_json_value(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_path(arena, call, json_value_rows, plan, err);
}
