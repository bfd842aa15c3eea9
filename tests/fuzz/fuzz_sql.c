/* fuzz_sql.c -- the SQL parser on any bytes.
 *
 * No crash, no hang, and every error has a place inside the text.  What parses is printed, parsed
 * again and printed again: both texts must be equal. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql/parser.h"
#include "sql/print.h"

#define PRINT_LIMIT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
die(const char *what, const Buffer *text, const char *why)
{
	fprintf(stderr, "%s: %.*s\n%s\n", what, (int)text->len, text->data, why);
	abort();
}

static void
check_print(Arena *arena, const Statement *statement)
{
	Buffer first, second;
	Statement *again;
	Error err;

	buffer_init(&first, PRINT_LIMIT);
	buffer_init(&second, PRINT_LIMIT);
	sql_print_statement(&first, statement);
	Str text = {first.data, (uint32_t)first.len};
	if (sql_parse_statement(arena, text, &again, &err) != FERRIS_OK) {
		/* Printed parentheses may nest deeper than the written ones. */
		if (err.status != FERRIS_ERR_NESTING)
			die("does not parse", &first, err.message);
	} else {
		sql_print_statement(&second, again);
		if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
			die("prints differently", &first, "");
	}
	buffer_free(&first);
	buffer_free(&second);
}

static void
check_error(const Error *err, Str text)
{
	uint32_t lines = 1;

	for (uint32_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	assert(err->message[0] != '\0' && err->position.line >= 1 && err->position.line <= lines);
	assert(err->position.column >= 1 && err->position.column <= text.len + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena arena;
	Script *script;
	ErrorList errors;
	Str text = {(const char *)data, (uint32_t)size};

	arena_init(&arena, 0);
	sql_parse_script(&arena, STR("fuzz"), text, &script, &errors);
	for (uint32_t i = 0; i < errors.count; i++)
		check_error(&errors.items[i], text);
	for (uint32_t i = 0; i < script->statement_count; i++)
		check_print(&arena, script->statements[i]);
	arena_free(&arena);
	return 0;
}
