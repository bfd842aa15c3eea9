/* cli/cmd_completion.c -- ferris-sql completion bash: what the shell can complete, from the lists.
 *
 * Commands and their flags come from command_list.h, the names behind --set from the rows of all
 * options, and behind a name's '=' the words that it can be. */
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

static void
print_commands(void)
{
	fputs("\tlocal commands='", stdout);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		printf("%s%s", i > 0 ? " " : "", commands[i].name);
	puts("' flags='' forms=''\n\tcase \"${COMP_WORDS[1]}\" in");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		printf("\t%s) flags='--help", commands[i].name);
		print_flags(commands[i].arguments);
		fputs("' forms='", stdout);
		print_forms(commands[i].arguments);
		puts("' ;;");
	}
	puts("\tesac");
}

/* ---------------------------------------------------------------- options */

typedef void (*VisitRow)(const OptionRow *row);

static void
visit_group(const OptionGroup *group, VisitRow visit)
{
	for (uint32_t i = 0; i < group->count; i++)
		if (group->rows[i].type != OPTION_PREFIX)
			visit(&group->rows[i]);
}

/* An option of several groups comes several times. */
static void
visit_options(Arena *arena, VisitRow visit)
{
	const OptionGroup **groups;
	size_t count = endpoint_groups(arena, &groups);

	visit_group(&job_options, visit);
	for (size_t i = 0; i < count; i++)
		visit_group(groups[i], visit);
}

static void
print_name(const OptionRow *row)
{
	printf(" %s=", row->name);
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
	fputs("\tlocal options='", stdout);
	visit_options(&arena, print_name);
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
	     "\t\tname=${name#source.} name=${name#sink.}\n"
	     "\t\tcase \"$name\" in");
	visit_options(&arena, print_values);
	puts("\t\tesac\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase \"$before\" in\n"
	     "\t--set)\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
	     "\t\tcompopt -o nospace 2>/dev/null\n"
	     "\t\treturn ;;\n"
	     "\t--output)\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$forms\" -- \"$word\"))\n"
	     "\t\treturn ;;\n"
	     "\tesac\n"
	     "\tif [[ $word == -* ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
	     "\telse\n"
	     "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
	     "\tfi\n"
	     "}\n"
	     "complete -F _ferris_sql ferris-sql ferris-sql-multi");
	arena_free(&arena);
	return EXIT_OK;
}
