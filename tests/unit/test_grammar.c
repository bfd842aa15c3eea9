/* test_grammar.c -- docs/grammar.md is the grammar that the parser has.
 *
 * The productions of the document are read and (1) compared with those in the comments above the
 * parse functions, (2) checked to be defined and reachable, (3) turned into random sentences, each
 * of which the parser must accept, and print so that it reads its own text again. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "sql/lexer.h"
#include "sql/parser.h"
#include "sql/print.h"

#define SENTENCES       8000
#define PRODUCTIONS_MAX 400
#define UNREACHED       1000000u

typedef enum NodeKind {
	NODE_SEQUENCE,
	NODE_CHOICE,
	NODE_OPTION,
	NODE_REPEAT,
	NODE_TEXT,
	NODE_NAME
} NodeKind;

typedef struct Node Node;
struct Node {
	NodeKind kind;
	Str text;       /* NODE_TEXT: what to write; NODE_NAME: a production or a class of words */
	int production; /* NODE_NAME: its index, or -1 for a class of words */
	Node **items;
	uint32_t count;
	unsigned height; /* productions inside each other, at least */
};

typedef struct Production {
	Str name;
	Str text; /* with single blanks */
	Node *body;
	bool reached;
	unsigned used;
} Production;

typedef struct Grammar {
	Arena arena;
	Production productions[PRODUCTIONS_MAX];
	int count;
	uint64_t random;
	Buffer out;
	unsigned words;
} Grammar;

/* ---------------------------------------------------------------- reading */

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = memory_alloc(1 << 20);

	assert_non_null(file);
	size_t len = fread(text, 1, (1 << 20) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static const Str classes[] = {
	{"word", 4},           {"quoted_name", 11}, {"string", 6},   {"integer", 7},
	{"decimal", 7},        {"double", 6},       {"duration", 8}, {"unit", 4},
	{"interval_text", 13}, {"type_text", 9},    {"keyword", 7},
};

static bool
is_class(Str name)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (str_eq(name, classes[i]))
			return true;
	return false;
}

/* Add "name = ... ;" productions found at line starts of `text`; `prefix` is skipped there. */
static void
add_productions(Grammar *g, char *text, const char *skip)
{
	for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
		char *start = line + strspn(line, skip), *end;
		size_t name = strspn(start, "abcdefghijklmnopqrstuvwxyz_");
		size_t blanks = strspn(start + name, " ");

		next = strchr(line, '\n');
		next = next != NULL ? next + 1 : NULL;
		if (name == 0 || blanks == 0 || strncmp(start + name + blanks, "= ", 2) != 0)
			continue;
		end = strstr(start, " ;");
		if (end == NULL || end > start + 2000)
			continue;
		Production *production = &g->productions[g->count++];
		assert_true(g->count < PRODUCTIONS_MAX);
		production->name = str_copy(&g->arena, (Str){start, (uint32_t)name});
		char *copy = arena_alloc(&g->arena, (size_t)(end - start) + 1);
		size_t len = 0;
		for (const char *c = start + name + blanks + 2; c < end; c++) {
			bool blank = *c == ' ' || *c == '\n' ||
				     (*c == '*' && c[-1] == ' ' && c[-2] == '\n');

			if (!blank)
				copy[len++] = *c;
			else if (len > 0 && copy[len - 1] != ' ')
				copy[len++] = ' ';
		}
		production->text = (Str){copy, (uint32_t)len};
	}
}

static int
production_find(const Grammar *g, Str name)
{
	for (int i = 0; i < g->count; i++)
		if (str_eq(g->productions[i].name, name))
			return i;
	return -1;
}

static Str
next_item(Str *text)
{
	*text = str_trim(*text);
	Str item = {text->data, 0};
	while (item.len < text->len && text->data[item.len] != ' ')
		item.len++;
	*text = str_skip(*text, item.len);
	return item;
}

static Node *
node_new(Grammar *g, NodeKind kind)
{
	Node *node = ARENA_NEW(&g->arena, Node);

	node->kind = kind;
	node->production = -1;
	node->height = UNREACHED;
	return node;
}

static void
node_add(Grammar *g, Node *node, Node *item)
{
	node->items = lexer_grow(&g->arena, node->items, node->count, sizeof *node->items);
	node->items[node->count++] = item;
}

/* A choice of sequences, up to `close`. */
static Node *
read_choice(Grammar *g, Str *text, char close)
{
	Node *choice = node_new(g, NODE_CHOICE);
	Node *sequence = node_new(g, NODE_SEQUENCE);

	node_add(g, choice, sequence);
	for (;;) {
		Str item = next_item(text);
		Node *node;

		if (item.len == 0 || (item.len == 1 && item.data[0] == close && close != '\0')) {
			assert_true(item.len > 0 || close == '\0');
			return choice;
		}
		if (str_eq(item, STR("|"))) {
			sequence = node_new(g, NODE_SEQUENCE);
			node_add(g, choice, sequence);
			continue;
		}
		if (str_eq(item, STR("["))) {
			node = node_new(g, NODE_OPTION);
			node_add(g, node, read_choice(g, text, ']'));
		} else if (str_eq(item, STR("{"))) {
			node = node_new(g, NODE_REPEAT);
			node_add(g, node, read_choice(g, text, '}'));
		} else if (str_eq(item, STR("("))) {
			node = read_choice(g, text, ')');
		} else if (item.data[0] == '"') {
			node = node_new(g, NODE_TEXT);
			node->text = (Str){item.data + 1, item.len - 2};
		} else if (item.data[0] >= 'A' && item.data[0] <= 'Z') {
			if (keyword_find(item) == KEYWORD_NONE)
				fail_msg("%.*s is no keyword", STR_ARG(item));
			node = node_new(g, NODE_TEXT);
			node->text = item;
		} else {
			node = node_new(g, NODE_NAME);
			node->text = item;
			node->production = production_find(g, item);
			if (node->production < 0 && !is_class(item))
				fail_msg("'%.*s' is not defined", STR_ARG(item));
		}
		node_add(g, sequence, node);
	}
}

/* ---------------------------------------------------------------- heights and reach */

static unsigned
node_height(const Grammar *g, Node *node)
{
	unsigned height = node->kind == NODE_CHOICE ? UNREACHED : 0;

	for (uint32_t i = 0; i < node->count; i++) {
		unsigned h = node_height(g, node->items[i]);

		if (node->kind == NODE_CHOICE ? h < height : h > height)
			height = h;
	}
	if (node->kind == NODE_OPTION || node->kind == NODE_REPEAT)
		height = 0;
	if (node->kind == NODE_NAME && node->production >= 0)
		height = g->productions[node->production].body->height + 1;
	node->height = height < UNREACHED ? height : UNREACHED;
	return node->height;
}

static void
mark_reached(Grammar *g, const Node *node)
{
	if (node->production >= 0 && !g->productions[node->production].reached) {
		g->productions[node->production].reached = true;
		mark_reached(g, g->productions[node->production].body);
	}
	for (uint32_t i = 0; i < node->count; i++)
		mark_reached(g, node->items[i]);
}

static int
setup(void **state)
{
	Grammar *g = memory_zero(sizeof *g);

	arena_init(&g->arena, 0);
	buffer_init(&g->out, (size_t)64 << 20);
	char *text = read_file(SOURCE_DIR "/docs/grammar.md");
	add_productions(g, text, "");
	memory_free(text);
	for (int i = 0; i < g->count; i++) {
		Str rest = g->productions[i].text;

		g->productions[i].body = read_choice(g, &rest, '\0');
	}
	for (int round = 0; round < g->count; round++)
		for (int i = 0; i < g->count; i++)
			node_height(g, g->productions[i].body);
	*state = g;
	return 0;
}

static int
teardown(void **state)
{
	Grammar *g = *state;

	buffer_free(&g->out);
	arena_free(&g->arena);
	memory_free(g);
	return 0;
}

/* ---------------------------------------------------------------- tests of the document */

static void
test_document_is_complete(void **state)
{
	Grammar *g = *state;
	int script = production_find(g, STR("script"));

	assert_true(g->count > 100);
	assert_true(script >= 0);
	g->productions[script].reached = true;
	mark_reached(g, g->productions[script].body);
	for (int i = 0; i < g->count; i++) {
		const Production *production = &g->productions[i];

		if (production_find(g, production->name) != i)
			fail_msg("'%.*s' is defined twice", STR_ARG(production->name));
		if (!production->reached)
			fail_msg("'%.*s' is not used", STR_ARG(production->name));
		if (production->body->height >= UNREACHED)
			fail_msg("'%.*s' never ends", STR_ARG(production->name));
	}
}

static void
test_document_equals_source_comments(void **state)
{
	const Grammar *document = *state;
	Grammar *source = memory_zero(sizeof *source);
	glob_t files;

	arena_init(&source->arena, 0);
	assert_int_equal(glob(SOURCE_DIR "/src/sql/parse*.c", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *text = read_file(files.gl_pathv[i]);

		add_productions(source, text, "/* ");
		memory_free(text);
	}
	globfree(&files);
	for (int i = 0; i < source->count; i++) {
		const Production *production = &source->productions[i];
		int same = production_find(document, production->name);

		if (same < 0)
			fail_msg("'%.*s' is missing in docs/grammar.md", STR_ARG(production->name));
		if (!str_eq(production->text, document->productions[same].text))
			fail_msg("'%.*s' differs:\n  %.*s\n  %.*s", STR_ARG(production->name),
				 STR_ARG(production->text),
				 STR_ARG(document->productions[same].text));
	}
	assert_int_equal(source->count, document->count);
	arena_free(&source->arena);
	memory_free(source);
}

/* ---------------------------------------------------------------- sentences */

static unsigned
pick(Grammar *g, unsigned bound)
{
	/* xorshift64* */
	g->random ^= g->random >> 12;
	g->random ^= g->random << 25;
	g->random ^= g->random >> 27;
	return (unsigned)((g->random * UINT64_C(2685821657736338717)) >> 33) % bound;
}

#define PICK_TEXT(g, ...)                                                                          \
	do {                                                                                       \
		static const char *const texts[] = {__VA_ARGS__};                                  \
		write_word((g), str_from(texts[pick((g), sizeof texts / sizeof *texts)]));         \
	} while (0)

static void
write_word(Grammar *g, Str word)
{
	static const Str blanks[] = {{" ", 1}, {" ", 1}, {"\n\t", 2}, {" /* x */ ", 9}};

	buffer_append_str(&g->out, blanks[pick(g, 4)]);
	if (pick(g, 8) == 0 && keyword_find(word) != KEYWORD_NONE)
		for (uint32_t i = 0; i < word.len; i++)
			buffer_append_char(&g->out,
					   (char)(word.data[i] | 0x20 * (word.data[i] != '_')));
	else
		buffer_append_str(&g->out, word);
	g->words++;
}

static void
write_class(Grammar *g, Str name)
{
	if (str_eq(name, STR("word")))
		PICK_TEXT(g, "a", "b", "t1", "price", "größe", "_offset", "timestamp", "status",
			  "version", "start", "metrics", "x$y");
	else if (str_eq(name, STR("quoted_name")))
		PICK_TEXT(g, "\"a\"", "\"order\"", "`x y`", "\"a\"\"b\"", "\"SELECT\"");
	else if (str_eq(name, STR("string")))
		PICK_TEXT(g, "''", "'abc'", "'it''s'", "'file://x.csv'", "'a\n;b'", "'2020-01-01'");
	else if (str_eq(name, STR("integer")))
		PICK_TEXT(g, "0", "1", "42", "1000");
	else if (str_eq(name, STR("decimal")))
		PICK_TEXT(g, "1.5", ".5", "0.000001", "12.");
	else if (str_eq(name, STR("double")))
		PICK_TEXT(g, "1e3", "1.5E-7");
	else if (str_eq(name, STR("duration")))
		PICK_TEXT(g, "5m", "1h", "250ms", "1.5h", "7d", "2w", "9us", "1000ns");
	else if (str_eq(name, STR("unit")))
		PICK_TEXT(g, "SECOND", "minutes", "Hour", "DAYS", "MONTH", "YEAR", "QUARTERS");
	else if (str_eq(name, STR("interval_text")))
		PICK_TEXT(g, "'1 day'", "'2 hours -3 seconds'", "'5m'", "'1 year 1us'");
	else if (str_eq(name, STR("type_text")))
		PICK_TEXT(g, "'INTEGER'", "'DECIMAL(10, 2)'", "'ARRAY<STRUCT<a INT>>'");
	else /* a keyword directly behind a dot */
		buffer_append_str(&g->out, keyword_name((Keyword)(1 + pick(g, KEYWORD_COUNT - 1))));
}

static void
write_node(Grammar *g, const Node *node, unsigned depth)
{
	bool small = g->words > 150;
	uint32_t chosen = 0;

	switch (node->kind) {
	case NODE_TEXT:
		write_word(g, node->text);
		return;
	case NODE_NAME:
		if (node->production < 0) {
			write_class(g, node->text);
			return;
		}
		g->productions[node->production].used++;
		write_node(g, g->productions[node->production].body, depth > 0 ? depth - 1 : 0);
		return;
	case NODE_SEQUENCE:
		for (uint32_t i = 0; i < node->count; i++)
			write_node(g, node->items[i], depth);
		return;
	case NODE_CHOICE:
		chosen = pick(g, node->count);
		if (small || node->items[chosen]->height > depth)
			for (uint32_t i = 0; i < node->count; i++)
				if (node->items[i]->height < node->items[chosen]->height)
					chosen = i;
		write_node(g, node->items[chosen], depth);
		return;
	case NODE_OPTION:
	case NODE_REPEAT:
		if (small || node->items[0]->height > depth || pick(g, 3) != 0)
			return;
		write_node(g, node->items[0], depth);
		if (node->kind == NODE_REPEAT && pick(g, 3) == 0)
			write_node(g, node->items[0], depth);
		return;
	}
}

/* What the grammar leaves to a check: the words fit, their sense does not. */
static bool
is_beyond_grammar(const Error *err)
{
	return strcmp(err->message, "GRACE PERIOD belongs to one SELECT") == 0 ||
	       strcmp(err->message, "GRACE PERIOD stands twice") == 0 ||
	       strstr(err->message, "is not a whole number of") != NULL; /* half a month */
}

static void
check_print(Grammar *g, Arena *arena, const Statement *statement)
{
	Buffer first, second;
	Statement *again;
	Error err;

	buffer_init(&first, (size_t)64 << 20);
	buffer_init(&second, (size_t)64 << 20);
	sql_print_statement(&first, statement);
	if (sql_parse_statement(arena, (Str){first.data, (uint32_t)first.len}, &again, &err) != 0)
		fail_msg("%s\nprinted: %.*s\nfrom: %.*s", err.message, (int)first.len, first.data,
			 (int)g->out.len, g->out.data);
	sql_print_statement(&second, again);
	if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
		fail_msg("printed twice:\n%.*s\n%.*s", (int)first.len, first.data, (int)second.len,
			 second.data);
	buffer_free(&first);
	buffer_free(&second);
}

static void
test_parser_accepts_sentences(void **state)
{
	Grammar *g = *state;
	Arena arena;
	unsigned beyond = 0;
	const char *given = getenv("TEST_SEED");
	unsigned long long seed =
		given != NULL ? strtoull(given, NULL, 0) : (unsigned long long)time(NULL);
	const Node *statement = g->productions[production_find(g, STR("statement"))].body;

	print_message("seed %llu (set TEST_SEED to repeat)\n", seed);
	g->random = (uint64_t)seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	arena_init(&arena, 0);
	for (int i = 0; i < SENTENCES; i++) {
		Statement *parsed;
		Error err;

		buffer_reset(&g->out);
		g->words = 0;
		/* Every production in turn gets sentences of its own statement kinds. */
		write_node(g,
			   i % 2 == 0 ? statement
				      : statement->items[(uint32_t)i / 2 % statement->count],
			   25 + pick(g, 40));
		Str text = {g->out.data, (uint32_t)g->out.len};
		if (sql_parse_statement(&arena, text, &parsed, &err) != FERRIS_OK) {
			if (!is_beyond_grammar(&err))
				fail_msg("line %u, column %u: %s\n%.*s", err.position.line,
					 err.position.column, err.message, STR_ARG(text));
			beyond++;
			continue;
		}
		check_print(g, &arena, parsed);
		buffer_append_str(&g->out, STR(" )"));
		text = (Str){g->out.data, (uint32_t)g->out.len};
		assert_int_not_equal(sql_parse_statement(&arena, text, &parsed, &err), FERRIS_OK);
		arena_reset(&arena);
	}
	arena_free(&arena);
	print_message("%d sentences, %u refused by a check beyond the grammar\n", SENTENCES,
		      beyond);
	assert_true(beyond < SENTENCES / 5);
	unsigned unused = 0;
	for (int i = 0; i < g->count; i++) {
		if (g->productions[i].used > 0)
			continue;
		print_message("not used: %.*s\n", STR_ARG(g->productions[i].name));
		unused++;
	}
	assert_true(unused < 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_is_complete),
		cmocka_unit_test(test_document_equals_source_comments),
		cmocka_unit_test(test_parser_accepts_sentences),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
