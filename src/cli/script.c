/* cli/script.c -- load, parse and plan the SQL of a command; print its errors. */
#include <errno.h>

#include "base/memory.h"
#include "cli/command.h"

#define SCRIPT_MAX ((size_t)64 << 20)

static int
read_file(const char *path, Arena *arena, Str *text)
{
	FILE *file = fopen(path, "rb");
	Buffer bytes;
	char block[65536];
	size_t got;

	if (file == NULL) {
		Error err;

		error_set(&err, FERRIS_ERR_FILE_OPEN, "cannot open '%s'", path);
		error_errno(&err, errno);
		error_print(stderr, &err, NULL, NULL);
		return EXIT_ENVIRONMENT;
	}
	buffer_init(&bytes, SCRIPT_MAX);
	while ((got = fread(block, 1, sizeof block, file)) > 0)
		if (!buffer_append(&bytes, block, got))
			break;
	bool failed = ferror(file) != 0 || bytes.overflow;
	fclose(file);
	*text = str_copy(arena, (Str){bytes.data, (uint32_t)bytes.len});
	buffer_free(&bytes);
	if (failed) {
		fprintf(stderr, "error: cannot read '%s', or it is larger than 64 MB\n", path);
		return EXIT_ENVIRONMENT;
	}
	return EXIT_OK;
}

/* "trades" of "apps/trades.sql". */
static Str
file_stem(const char *path)
{
	const char *slash = strrchr(path, '/');
	Str stem = str_from(slash != NULL ? slash + 1 : path);
	const char *dot = memchr(stem.data, '.', stem.len);

	if (dot != NULL && dot != stem.data)
		stem.len = (uint32_t)(dot - stem.data);
	return stem;
}

static void
name_application(LoadedScript *loaded, const char *file)
{
	loaded->application = file != NULL ? file_stem(file) : STR("ferris-sql");
	for (uint32_t i = 0; i < loaded->script->metadata.count; i++) {
		const Annotation *note = &loaded->script->metadata.items[i];

		if (str_eq_nocase(note->key, STR("SQL Application")) ||
		    str_eq_nocase(note->key, STR("@app")) ||
		    str_eq_nocase(note->key, STR("@application")))
			loaded->application = note->value;
	}
}

int
load_script(const Arguments *arguments, Arena *arena, LoadedScript *out)
{
	ErrorList errors = {0};
	Str text;

	*out = (LoadedScript){0};
	if ((arguments->query != NULL) == (arguments->file != NULL))
		return usage_error("give one of --query and --file");
	out->name = arguments->file != NULL ? arguments->file : "query";
	if (arguments->file != NULL) {
		int code = read_file(arguments->file, arena, &text);

		if (code != EXIT_OK)
			return code;
	} else {
		text = str_from(arguments->query);
	}
	out->text = text.data;
	Status status = sql_parse_script(arena, str_from(out->name), text, &out->script, &errors);
	for (uint32_t i = 0; i < errors.count; i++)
		error_print(stderr, &errors.items[i], out->name, out->text);
	out->syntax_errors = errors.count;
	if (out->script != NULL)
		name_application(out, arguments->file);
	return status == FERRIS_OK ? EXIT_OK : EXIT_SQL;
}

int
plan_loaded(Arena *arena, const LoadedScript *loaded, const PlanInput *input, ScriptPlan **plan)
{
	ErrorList errors = {0};
	Status status = plan_script(arena, input, plan, &errors);
	bool usage = false;

	for (uint32_t i = 0; i < errors.count; i++) {
		error_print(stderr, &errors.items[i], loaded->name, loaded->text);
		usage = usage || (errors.items[i].flags & ERROR_COMMAND_LINE) != 0;
	}
	if (usage)
		return EXIT_USAGE;
	return status == FERRIS_OK ? EXIT_OK : error_info(status)->exit_code;
}

int
load_plan(const Arguments *arguments, const char *output_format, bool offline, Arena *arena,
	  LoadedScript *loaded, ScriptPlan **plan)
{
	int code = load_script(arguments, arena, loaded);

	if (code != EXIT_OK)
		return code;
	PlanInput input = {
		.script = loaded->script,
		.application = loaded->application,
		.settings = arguments->settings,
		.output_format = str_from(output_format),
		.offline = offline,
	};
	return plan_loaded(arena, loaded, &input, plan);
}
