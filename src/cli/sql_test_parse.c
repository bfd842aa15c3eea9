/* cli/sql_test_parse.c -- .test files to tests. */
#include "cli/sql_test.h"
#include "connector/memory.h"

typedef struct Lines {
	const char *next;
	const char *end;
	uint32_t number; /* of the line read last */
} Lines;

typedef struct Directive {
	Str word;
	BlockKind kind;
	bool named;
	bool has_block;
} Directive;

static const Directive directives[] = {
	{STR_INIT("input"), BLOCK_INPUT, true, true},
	{STR_INIT("file"), BLOCK_FILE, true, true},
	{STR_INIT("output"), BLOCK_OUTPUT, true, true},
	{STR_INIT("rows"), BLOCK_ROWS, false, true},
	{STR_INIT("expect-file"), BLOCK_EXPECT_FILE, true, true},
	{STR_INIT("no-file"), BLOCK_NO_FILE, false, false},
	{STR_INIT("explain"), BLOCK_EXPLAIN, false, true},
	{STR_INIT("counters"), BLOCK_COUNTERS, false, false},
	{STR_INIT("error"), BLOCK_ERROR, false, false},
};

static bool
next_line(Lines *lines, Str *line)
{
	if (lines->next >= lines->end)
		return false;
	const char *newline = memchr(lines->next, '\n', (size_t)(lines->end - lines->next));
	const char *stop = newline != NULL ? newline : lines->end;

	*line = (Str){lines->next, (uint32_t)(stop - lines->next)};
	lines->next = stop + (newline != NULL);
	lines->number++;
	return true;
}

/* The first word of *rest, which then begins behind it. */
static Str
next_word(Str *rest)
{
	*rest = str_trim(*rest);
	uint32_t len = 0;

	while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t')
		len++;
	Str word = {rest->data, len};
	*rest = str_trim(str_skip(*rest, len));
	return word;
}

/* Lines up to an empty one. */
static void
read_block(Lines *lines, Arena *arena, Str **out, uint32_t *count)
{
	Lines ahead = *lines;
	uint32_t n = 0;
	Str line;

	while (next_line(&ahead, &line) && line.len > 0)
		n++;
	*out = ARENA_ARRAY(arena, Str, n);
	*count = n;
	for (uint32_t i = 0; i < n; i++)
		next_line(lines, &(*out)[i]);
}

static Status
syntax(Error *err, const char *path, uint32_t line, const char *what, Str got)
{
	return error_set(err, FERRIS_ERR_SYNTAX, "%s:%u: %s '%.*s'", path, line, what,
			 STR_ARG(got));
}

/* Room for one more element of an array that is filled one by one. */
static void *
grow(Arena *arena, void *items, uint32_t count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	char *more = arena_zero(arena, size * (count == 0 ? 1 : count * 2));
	if (count > 0)
		memcpy(more, items, size * count);
	return more;
}

static Status
read_flags(TestBlock *block, Str rest, const char *path, Error *err)
{
	while (rest.len > 0) {
		Str word = next_word(&rest);

		if (str_eq(word, STR("keyed")))
			block->keyed = true;
		else if (str_eq(word, STR("unordered")))
			block->unordered = true;
		else if (word.len == strlen("partition=") + 1 && word.data[word.len - 1] >= '0' &&
			 word.data[word.len - 1] < '0' + MEMORY_PARTITIONS &&
			 str_starts_with(word, STR("partition=")))
			block->partition = (uint32_t)(word.data[word.len - 1] - '0');
		else
			return syntax(err, path, block->at, "unknown word", word);
	}
	return FERRIS_OK;
}

static Status
read_directive(Lines *lines, Arena *arena, const char *path, Str word, Str rest, SqlTest *test,
	       Error *err)
{
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
		const Directive *directive = &directives[i];

		if (!str_eq(word, directive->word))
			continue;
		test->blocks = grow(arena, test->blocks, test->block_count, sizeof *test->blocks);
		TestBlock *block = &test->blocks[test->block_count++];
		*block = (TestBlock){.kind = directive->kind, .at = lines->number};
		if (!directive->has_block) {
			block->lines = ARENA_ARRAY(arena, Str, 1);
			block->lines[0] = rest;
			block->line_count = 1;
			return FERRIS_OK;
		}
		if (directive->named)
			block->name = str_copy(arena, next_word(&rest));
		TRY(read_flags(block, rest, path, err));
		if (block->kind == BLOCK_INPUT && block->partition >= test->partitions)
			test->partitions = block->partition + 1;
		read_block(lines, arena, &block->lines, &block->line_count);
		return FERRIS_OK;
	}
	return syntax(err, path, lines->number, "unknown directive", word);
}

static Status
read_setting(Arena *arena, const char *path, uint32_t line, Str rest, SqlTest *test, Error *err)
{
	const char *equals = memchr(rest.data, '=', rest.len);

	if (equals == NULL)
		return syntax(err, path, line, "set needs KEY=VALUE, not", rest);
	uint32_t key = (uint32_t)(equals - rest.data);
	test->settings = grow(arena, test->settings, test->setting_count, sizeof *test->settings);
	test->settings[test->setting_count++] = (OptionEntry){.key = {rest.data, key},
							      .value = str_skip(rest, key + 1),
							      .origin = ORIGIN_COMMAND_LINE};
	return FERRIS_OK;
}

static void
read_sql(Lines *lines, Arena *arena, SqlTest *test)
{
	const char *start = lines->next;
	Str *parts;
	uint32_t count;

	read_block(lines, arena, &parts, &count);
	uint32_t len =
		count > 0 ? (uint32_t)(parts[count - 1].data + parts[count - 1].len - start) : 0;
	test->sql = str_copy(arena, (Str){start, len});
}

Status
sql_test_parse(Arena *arena, const char *path, Str text, TestFile *out, Error *err)
{
	Lines lines = {text.data, text.data + text.len, 0};
	SqlTest *test = NULL;
	Str line;

	*out = (TestFile){.path = path};
	while (next_line(&lines, &line)) {
		Str rest = line;

		if (str_trim(line).len == 0 || line.data[0] == '#')
			continue;
		Str word = next_word(&rest);
		if (str_eq(word, STR("test"))) {
			out->tests = grow(arena, out->tests, out->count, sizeof *out->tests);
			test = &out->tests[out->count++];
			*test = (SqlTest){.name = rest, .at = lines.number};
			continue;
		}
		if (test == NULL)
			return syntax(err, path, lines.number, "expected 'test NAME' before", word);
		if (str_eq(word, STR("sql")))
			read_sql(&lines, arena, test);
		else if (str_eq(word, STR("set")))
			TRY(read_setting(arena, path, lines.number, rest, test, err));
		else
			TRY(read_directive(&lines, arena, path, word, rest, test, err));
	}
	return FERRIS_OK;
}
