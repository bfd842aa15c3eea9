/* cli/cmd_check.c -- ferris-sql check: every error of a script, as it would run with the same
 * --set, without running it. */
#include "cli/command.h"

/* Each file is looked at as if it were the only one: each must take every --set. */
static int
check_file(const Arguments *given, const char *path)
{
	Arguments arguments = *given;
	LoadedScript loaded;
	ScriptPlan *plan;
	Arena arena;

	arguments.file = path;
	for (uint32_t i = 0; i < given->settings.count; i++)
		*given->settings.entries[i].used = false;
	arena_init(&arena, 0);
	int code = load_script(&arguments, &arena, &loaded);
	if (loaded.script != NULL) {
		PlanInput input = {
			.script = loaded.script,
			.application = loaded.application,
			.settings = arguments.settings,
			.output_format = STR("json"),
			.offline = !arguments.live,
		};
		int planned = plan_loaded(&arena, &loaded, &input, &plan);

		if (code == EXIT_OK && planned == EXIT_OK)
			planned = check_settings(&arguments, plan);
		if (code == EXIT_OK)
			code = planned;
	}
	if (code == EXIT_OK)
		printf("%s: ok, %u statement%s\n", path, loaded.script->statement_count,
		       loaded.script->statement_count == 1 ? "" : "s");
	arena_free(&arena);
	return code;
}

int
command_check(const Arguments *arguments)
{
	int code = EXIT_OK;

	if (arguments->rest_count == 0)
		return usage_error("check needs a file");
	for (int i = 0; i < arguments->rest_count; i++) {
		int one = check_file(arguments, arguments->rest[i]);

		if (one > code)
			code = one;
	}
	return code;
}
