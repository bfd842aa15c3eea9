/* cli/main.c -- ferris-sql and ferris-sql-multi: find the command, read its arguments, run it. */
#include <getopt.h>
#include <libgen.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/command.h"
#include "connector/connector.h"
#include "ferris.h"
#include "type/number.h"

typedef struct CommandRow {
	const char *name;
	CommandFunction run;
	const char *arguments;
	const char *doc;
} CommandRow;

static const CommandRow commands[] = {
#define COMMAND(name, function, arguments, doc) {name, function, arguments, doc},
#include "cli/command_list.h"
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)
#define SETTINGS_MAX  256

static const struct option long_options[] = {
	{"query", required_argument, NULL, 'q'},
	{"file", required_argument, NULL, 'f'},
	{"output", required_argument, NULL, 'o'},
	{"limit", required_argument, NULL, 'l'},
	{"set", required_argument, NULL, 's'},
	{"seconds", required_argument, NULL, 't'},
	{"seed", required_argument, NULL, 'S'},
	{"seeds", required_argument, NULL, 'N'},
	{"keep", required_argument, NULL, 'K'},
	{"savepoint", required_argument, NULL, 'P'},
	{"from-savepoint", required_argument, NULL, 'F'},
	{"drop-state", no_argument, NULL, 'D'},
	{"live", no_argument, NULL, 'L'},
	{"enable-metrics", no_argument, NULL, 'M'},
	{"metrics-port", required_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void
print_help(FILE *out, const char *program)
{
	fprintf(out, "usage: %s COMMAND [arguments]\n\n", program);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %s %s\n      %s\n", commands[i].name, commands[i].arguments,
			commands[i].doc);
	fprintf(out, "\n  --version prints the version, --help this text\n");
}

/* With the libraries that were loaded, which need not be those that it was built with. */
static void
print_version(const char *program)
{
	const ConnectorClass *const *classes;
	size_t count = connector_classes(&classes);

	printf("%s %s\n", program, FERRIS_VERSION);
	for (size_t i = 0; i < count; i++) {
		char library[64];

		if (classes[i]->library == NULL)
			continue;
		classes[i]->library(library, sizeof library);
		printf("%s\n", library);
	}
}

int
usage_error(const char *format, ...)
{
	va_list args;

	fputs("error[FS4001]: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n = help: ferris-sql --help lists the commands and their arguments\n", stderr);
	return EXIT_USAGE;
}

static int
parse_count(const char *text, const char *name, int64_t *out)
{
	if (int64_parse(text, strlen(text), out) != NUMBER_OK || *out < 0)
		return usage_error("--%s needs a whole number, not '%s'", name, text);
	return EXIT_OK;
}

static int
add_setting(Arguments *arguments, char *text)
{
	char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return usage_error("--set needs key=value, not '%s'", text);
	if (arguments->settings.count == SETTINGS_MAX)
		return usage_error("more than %d --set", SETTINGS_MAX);
	arguments->settings.entries[arguments->settings.count++] = (OptionEntry){
		.key = {text, (uint32_t)(equals - text)},
		.value = str_from(equals + 1),
		.origin = ORIGIN_COMMAND_LINE,
		.used = memory_zero(sizeof(bool)),
	};
	return EXIT_OK;
}

/* `argv` begins with the command's name. */
static int
parse_arguments(int argc, char **argv, const char *program, const CommandRow *command,
		Arguments *arguments)
{
	int code = EXIT_OK;
	int option;

	arguments->limit = INT64_MAX;
	arguments->metrics_port = -1;
	arguments->seconds = -1;
	while (code == EXIT_OK &&
	       (option = getopt_long(argc, argv, "q:f:o:l:s:t:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'q':
			arguments->query = optarg;
			break;
		case 'f':
			arguments->file = optarg;
			break;
		case 'o':
			arguments->output = optarg;
			break;
		case 'l':
			code = parse_count(optarg, "limit", &arguments->limit);
			break;
		case 't':
			code = parse_count(optarg, "seconds", &arguments->seconds);
			break;
		case 'S':
			code = parse_count(optarg, "seed", &arguments->seed);
			break;
		case 'N':
			code = parse_count(optarg, "seeds", &arguments->seeds);
			break;
		case 's':
			code = add_setting(arguments, optarg);
			break;
		case 'K':
			arguments->keep = optarg;
			break;
		case 'P':
			arguments->savepoint = optarg;
			break;
		case 'F':
			arguments->from = optarg;
			break;
		case 'D':
			arguments->drop_state = true;
			break;
		case 'L':
			arguments->live = true;
			break;
		case 'M':
			arguments->metrics = true;
			break;
		case 'p':
			code = parse_count(optarg, "metrics-port", &arguments->metrics_port);
			break;
		case 'h':
			printf("usage: %s %s %s\n%s\n", program, command->name, command->arguments,
			       command->doc);
			exit(EXIT_OK);
		default:
			code = usage_error("%s understands: %s", command->name, command->arguments);
			break;
		}
	}
	arguments->rest = argv + optind;
	arguments->rest_count = argc - optind;
	return code;
}

static const CommandRow *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
unknown_command(const char *name)
{
	Str names[COMMAND_COUNT];

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = str_from(commands[i].name);
	Str near = str_nearest(str_from(name), names, COMMAND_COUNT);
	if (near.data != NULL)
		return usage_error("unknown command '%s'; did you mean '%.*s'?", name,
				   STR_ARG(near));
	return usage_error("unknown command '%s'", name);
}

int
main(int argc, char **argv)
{
	OptionEntry entries[SETTINGS_MAX];
	Arguments arguments = {.settings = {.entries = entries}};
	const char *program = basename(argv[0]);

	if (argc < 2) {
		print_help(stderr, program);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(stdout, program);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		print_version(program);
		return EXIT_OK;
	}
	const CommandRow *command = find_command(argv[1]);
	if (command == NULL)
		return unknown_command(argv[1]);
	int code = parse_arguments(argc - 1, argv + 1, program, command, &arguments);
	if (code == EXIT_OK)
		code = command->run(&arguments);
	for (uint32_t i = 0; i < arguments.settings.count; i++)
		memory_free(entries[i].used);
	return code;
}
