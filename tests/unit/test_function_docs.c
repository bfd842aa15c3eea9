/* tests/unit/test_function_docs.c -- the list of scalar functions as a whole.
 *
 * Every row is in docs/functions.md word for word, has the form that the documentation and the
 * error messages rely on, and, if it says STRICT, gives NULL for NULL arguments. */
#include "function_test.h"

static char *
read_page(Arena *arena)
{
	FILE *in = fopen(SOURCE_DIR "/docs/functions.md", "r");
	char *text = arena_zero(arena, 1 << 20);

	assert_non_null(in);
	size_t len = fread(text, 1, (1 << 20) - 1, in);
	assert_true(len > 1000);
	fclose(in);
	return text;
}

/* A cell as ferris-sql docs prints it: | and, in a sentence, \ have a backslash before them. */
static const char *
as_cell(Arena *arena, const char *text, bool sentence)
{
	char *out = arena_zero(arena, 2 * strlen(text) + 1);
	size_t used = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '|' || (*p == '\\' && sentence))
			out[used++] = '\\';
		out[used++] = *p;
	}
	return out;
}

static void
test_page_has_every_row(void **state)
{
	Arena arena;
	const FunctionDoc *doc;
	int missing = 0;

	(void)state;
	arena_init(&arena, 0);
	const char *page = read_page(&arena);
	for (size_t i = 0; (doc = function_doc(i)) != NULL; i++) {
		const char *cell = as_cell(&arena, doc->signature, false);
		const char *call = str_format(&arena, "| `%s` |", cell).data;
		cell = as_cell(&arena, doc->doc, true);
		const char *sentence = str_format(&arena, "| %s |", cell).data;
		if (strstr(page, call) == NULL || strstr(page, sentence) == NULL) {
			printf("not in docs/functions.md, run ./dev docs: %s: %s\n", doc->signature,
			       doc->doc);
			missing++;
		}
	}
	arena_free(&arena);
	assert_int_equal(missing, 0);
}

static void
test_form_of_rows(void **state)
{
	const ScalarFunction *row;

	(void)state;
	for (size_t i = 0; (row = function_row(i)) != NULL; i++) {
		size_t len = strlen(row->doc);
		Str name = function_name(row);

		assert_true(len > 2 && row->doc[len - 1] == '.');
		assert_true(strlen(row->category) > 0);
		if (row->flags & SCALAR_OPERATOR)
			continue;
		assert_true(function_exists(name));
		/* The signature starts with one of the names. */
		Str call = {row->signature, (uint32_t)strcspn(row->signature, "(")};
		bool named = false;
		for (const char *p = row->name; *p != '\0'; p += strcspn(p, "|"), p += *p == '|')
			named |= str_eq((Str){p, (uint32_t)strcspn(p, "|")}, call);
		if (!named)
			fail_msg("%s is documented as %s", row->name, row->signature);
	}
}

/* How many arguments a pattern wants at least. */
static uint32_t
least_arguments(const char *pattern)
{
	uint32_t count = 0;

	while (*(pattern += strspn(pattern, " ")) != '\0') {
		size_t len = strcspn(pattern, " ");
		count += pattern[len - 1] != '?' && pattern[len - 1] != '*';
		pattern += len;
	}
	return count;
}

static void
test_null_arguments(void **state)
{
	const ScalarFunction *row;
	int tried = 0;

	(void)state;
	for (size_t i = 0; (row = function_row(i)) != NULL; i++) {
		Arena arena;
		BoundExpr *args[16];
		BoundExpr *call;
		Error err = {0};
		uint32_t count = least_arguments(row->arguments);

		if (count == 0 || count > 16)
			continue;
		arena_init(&arena, 0);
		for (uint32_t k = 0; k < count; k++)
			args[k] = bound_constant(&arena, value_null(TYPE_OF(NULL)), (Position){0});
		/* ARRAY and MAP do not take an untyped NULL, and an array is not a constant. */
		if (function_bind(&arena, function_name(row), args, count, (Position){0}, &call,
		                  &err) == FERRIS_OK &&
		    call->kind == BOUND_CALL && call->type->field_count == 0 &&
		    (call->function->flags & SCALAR_STRICT)) {
			assert_int_equal(bound_fold(&arena, call, &call, &err), FERRIS_OK);
			assert_int_equal(call->kind, BOUND_CONSTANT);
			assert_true(call->constant.is_null);
			tried++;
		}
		arena_free(&arena);
	}
	printf("%d functions of NULL\n", tried);
	assert_true(tried > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_has_every_row),
		cmocka_unit_test(test_form_of_rows),
		cmocka_unit_test(test_null_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
