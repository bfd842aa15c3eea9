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

/* "configuration functions" of "configuration|functions": all that the command takes. */
static void
print_words(const char *arguments)
{
	if (arguments[strspn(arguments, "abcdefghijklmnopqrstuvwxyz|")] != '\0')
		return;
	for (; *arguments != '\0'; arguments++)
		putchar(*arguments == '|' ? ' ' : *arguments);
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

/* The options of all groups, each name once. */
typedef struct OptionList {
	const OptionRow **rows;
	uint32_t count;
} OptionList;

static void
add_group(OptionList *list, const OptionGroup *group)
{
	for (uint32_t i = 0; i < group->count; i++) {
		const OptionRow *row = &group->rows[i];
		bool seen = row->type == OPTION_PREFIX;

		for (uint32_t j = 0; j < list->count && !seen; j++)
			seen = strcmp(list->rows[j]->name, row->name) == 0;
		if (!seen)
			list->rows[list->count++] = row;
	}
}

static OptionList
options_of(Arena *arena, const OptionGroup *const *groups, size_t count)
{
	uint32_t rows = 0;

	for (size_t i = 0; i < count; i++)
		rows += groups[i]->count;
	OptionList list = {.rows = ARENA_ARRAY(arena, const OptionRow *, rows)};
	for (size_t i = 0; i < count; i++)
		add_group(&list, groups[i]);
	return list;
}

static void
print_names(const OptionList *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		printf(" %s=", list->rows[i]->name);
}

static bool
has_name(const OptionList *list, Str prefix, Str name)
{
	for (uint32_t i = 0; i < list->count; i++) {
		Str row = str_from(list->rows[i]->name);

		if (str_starts_with(row, prefix) && str_eq(str_skip(row, prefix.len), name))
			return true;
	}
	return false;
}

/* "kafka.linger.ms": what a row such as "kafka.*" takes. */
static void
print_passed(const OptionList *list)
{
	const ConnectorClass *const *connectors;
	size_t connector_count = connector_classes(&connectors);

	for (size_t i = 0; i < connector_count; i++) {
		const OptionGroup *group = &connectors[i]->source_options;
		Str prefix = {NULL, 0};
		const Str *names;

		for (uint32_t r = 0; r < group->count; r++)
			if (group->rows[r].type == OPTION_PREFIX)
				prefix = str_from(group->rows[r].name);
		if (prefix.len == 0 || connectors[i]->passed_names == NULL)
			continue;
		prefix.len--; /* the star */
		size_t count = connectors[i]->passed_names(&names);
		for (size_t n = 0; n < count; n++)
			if (!has_name(list, prefix, names[n]))
				printf(" %.*s%.*s=", STR_ARG(prefix), STR_ARG(names[n]));
	}
}

static void
print_values(const OptionList *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const OptionRow *row = list->rows[i];
		const char *words = row->type == OPTION_BOOLEAN ? "true|false" : row->choices;

		if (words == NULL)
			continue;
		printf("\t\t%s) values='", row->name);
		for (; *words != '\0'; words++)
			putchar(*words == '|' ? ' ' : *words);
		puts("' ;;");
	}
}

/* ---------------------------------------------------------------- the script */

int
command_completion(const Arguments *arguments)
{
	static const OptionGroup *const job_groups[] = {&job_options};
	const OptionGroup **groups;
	Arena arena;

	if (arguments->rest_count != 1 || strcmp(arguments->rest[0], "bash") != 0)
		return usage_error("name the shell: completion bash");
	arena_init(&arena, 0);
	size_t count = endpoint_groups(&arena, &groups);
	OptionList jobs = options_of(&arena, job_groups, 1);
	OptionList endpoints = options_of(&arena, groups, count);
	puts("# bash completion for ferris-sql: source <(ferris-sql completion bash)\n"
	     "_ferris_sql() {\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} values=''");
	print_commands();
	fputs("\tlocal jobs='", stdout);
	print_names(&jobs);
	fputs(" '\n\tlocal options='", stdout);
	print_names(&endpoints);
	print_passed(&endpoints);
	puts(" ' prefix=''\n"
	     "\tCOMPREPLY=()\n"
	     "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\t[ \"$word\" = '=' ] && before='=' word=''\n"
	     "\tif [ \"$before\" = '=' ]; then # --set name=value, in words of its own\n"
	     "\t\tlocal name=${COMP_WORDS[COMP_CWORD-2]}\n"
	     "\t\t[ \"${COMP_WORDS[COMP_CWORD]}\" = '=' ] && name=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\t\t[[ $options$jobs == *\" $name=\"* ]] || name=${name#*.}\n"
	     "\t\tcase \"$name\" in");
	print_values(&jobs);
	print_values(&endpoints);
	puts("\t\tesac\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase \"$before\" in\n"
	     "\t--set)\n"
	     "\t\t# source., sink. or the name of a stream: no option begins like that\n"
	     "\t\t[[ $word == *.* && $options$jobs != *\" ${word%%.*}.\"* ]] && "
	     "prefix=${word%%.*}.\n"
	     "\t\t[ -z \"$prefix\" ] && options=\"source. sink. $jobs$options\"\n"
	     "\t\tCOMPREPLY=($(compgen -P \"$prefix\" -W \"$options\" -- "
	     "\"${word#\"$prefix\"}\"))\n"
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
