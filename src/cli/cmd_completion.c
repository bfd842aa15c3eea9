/* cli/cmd_completion.c -- ferris-sql completion bash: what the shell can complete, from the lists.
 *
 * Commands, their flags and words come from command_list.h; the names behind --set from the rows of
 * all options and from what connectors pass on to their libraries, also behind "source.", "sink."
 * and a stream's name; and behind a name's '=' the words that it can be. */
#include "cli/command.h"

static const struct {
	const char *name;
	const char *arguments;
} commands[] = {
#define COMMAND(name, function, arguments, doc) {name, arguments},
#include "cli/command_list.h"
};

/* ---------------------------------------------------------------- commands */

/* The flags that stand in the text of a command's arguments. */
static void
print_flags(const char *arguments)
{
	for (const char *p = strstr(arguments, "--"); p != NULL; p = strstr(p + 1, "--")) {
		size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz-");

		printf(" %.*s", (int)len, p);
		p += len;
	}
}

/* "table json csv" of "... --output table|json|csv] ...". */
static void
print_forms(const char *arguments)
{
	const char *forms = strstr(arguments, "--output ");

	if (forms == NULL)
		return;
	for (forms += strlen("--output "); *forms != ']' && *forms != '\0'; forms++)
		putchar(*forms == '|' ? ' ' : *forms);
}

/* "bash", or "configuration|functions": arguments that are nothing but words. */
static void
print_words(const char *arguments)
{
	if (arguments[strspn(arguments, "abcdefghijklmnopqrstuvwxyz|")] != '\0')
		return;
	for (; *arguments != '\0'; arguments++)
		putchar(*arguments == '|' ? ' ' : *arguments);
}

static void
print_commands(void)
{
	fputs("\tlocal commands='", stdout);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		printf("%s%s", i > 0 ? " " : "", commands[i].name);
	puts("' flags='' forms='' words=''\n\tcase \"${COMP_WORDS[1]}\" in");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		printf("\t%s) flags='--help", commands[i].name);
		print_flags(commands[i].arguments);
		fputs("' forms='", stdout);
		print_forms(commands[i].arguments);
		fputs("' words='", stdout);
		print_words(commands[i].arguments);
		puts("' ;;");
	}
	puts("\tesac");
}

/* ---------------------------------------------------------------- options */

/* What can stand behind --set, each once. */
typedef struct Names {
	Str *items;
	const OptionRow **rows; /* NULL: passed on to a library */
	uint32_t count;
	uint32_t capacity;
} Names;

static void
add_name(Arena *arena, Names *names, Str name, const OptionRow *row)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (str_eq_nocase(names->items[i], name))
			return;
	if (names->count == names->capacity) {
		Names more = {.capacity = names->capacity * 2 + 256, .count = names->count};

		more.items = ARENA_ARRAY(arena, Str, more.capacity);
		more.rows = ARENA_ARRAY(arena, const OptionRow *, more.capacity);
		if (names->count > 0) {
			memcpy(more.items, names->items, sizeof *names->items * names->count);
			memcpy(more.rows, names->rows, sizeof *names->rows * names->count);
		}
		*names = more;
	}
	names->items[names->count] = name;
	names->rows[names->count++] = row;
}

static void
add_group(Arena *arena, Names *names, const OptionGroup *group)
{
	for (uint32_t i = 0; i < group->count; i++)
		if (group->rows[i].type != OPTION_PREFIX)
			add_name(arena, names, str_from(group->rows[i].name), &group->rows[i]);
}

static void
add_library(Arena *arena, Names *names, const ConnectorClass *connector)
{
	const LibrarySetting *settings;
	size_t count =
		connector->library_settings != NULL ? connector->library_settings(&settings) : 0;

	for (size_t i = 0; i < count; i++)
		add_name(arena, names,
			 str_format(arena, "%s.%.*s", connector->name, STR_ARG(settings[i].name)),
			 NULL);
}

static Names
all_names(Arena *arena)
{
	const ConnectorClass *const *connectors;
	const OptionGroup **groups;
	size_t connector_count = connector_classes(&connectors);
	size_t group_count = endpoint_groups(arena, &groups);
	Names names = {0};

	add_group(arena, &names, &job_options);
	for (size_t i = 0; i < group_count; i++)
		add_group(arena, &names, groups[i]);
	for (size_t i = 0; i < connector_count; i++)
		add_library(arena, &names, connectors[i]);
	return names;
}

static void
print_values(const OptionRow *row)
{
	const char *words = row->type == OPTION_BOOLEAN ? "true|false" : row->choices;

	if (words == NULL)
		return;
	printf("\t%s) values='", row->name);
	for (; *words != '\0'; words++)
		putchar(*words == '|' ? ' ' : *words);
	puts("' ;;");
}

/* ---------------------------------------------------------------- the script */

int
command_completion(const Arguments *arguments)
{
	Arena arena;

	if (arguments->rest_count != 1 || strcmp(arguments->rest[0], "bash") != 0)
		return usage_error("name the shell: completion bash");
	arena_init(&arena, 0);
	puts("# bash completion for ferris-sql: source <(ferris-sql completion bash)\n"
	     "_ferris_sql() {\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} values=''");
	print_commands();
	Names names = all_names(&arena);
	fputs("\tlocal options='", stdout);
	for (uint32_t i = 0; i < names.count; i++)
		printf(" %.*s=", STR_ARG(names.items[i]));
	puts("'\n"
	     "\tCOMPREPLY=()\n"
	     "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\t[ \"$word\" = '=' ] && before='=' word=''\n"
	     "\tif [ \"$before\" = '=' ]; then # --set name=value, in words of its own\n"
	     "\t\tlocal name=${COMP_WORDS[COMP_CWORD-2]}\n"
	     "\t\t[ \"${COMP_WORDS[COMP_CWORD]}\" = '=' ] && name=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\t\t[[ \" $options\" = *\" $name=\"* ]] || name=${name#*.} # a prefix\n"
	     "\t\tcase \"$name\" in");
	for (uint32_t i = 0; i < names.count; i++)
		if (names.rows[i] != NULL)
			print_values(names.rows[i]);
	puts("\t\tesac\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase \"$before\" in\n"
	     "\t--set)\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
	     "\t\tif [ ${#COMPREPLY[@]} -eq 0 ] && [[ $word == *.* ]]; then # source., sink., a "
	     "name\n"
	     "\t\t\tCOMPREPLY=($(compgen -P \"${word%%.*}.\" -W \"$options\" -- \"${word#*.}\"))\n"
	     "\t\tfi\n"
	     "\t\tcompopt -o nospace 2>/dev/null\n"
	     "\t\treturn ;;\n"
	     "\t--output)\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$forms\" -- \"$word\"))\n"
	     "\t\treturn ;;\n"
	     "\tesac\n"
	     "\tif [[ $word == -* ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
	     "\telif [ -n \"$words\" ]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	     "\telse\n"
	     "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
	     "\tfi\n"
	     "}\n"
	     "complete -F _ferris_sql ferris-sql ferris-sql-multi");
	arena_free(&arena);
	return EXIT_OK;
}
