/* cli/cmd_check.c -- ferris-sql check: every error of a script, without running it. */
#include "cli/command.h"

static int
check_file(const char *path, bool live)
{
	Arguments arguments = {.file = path};
	LoadedScript loaded;
	ScriptPlan *plan;
	Arena arena;

	arena_init(&arena, 0);
	int code = load_script(&arguments, &arena, &loaded);
	if (loaded.script != NULL) {
		PlanInput input = {
			.script = loaded.script,
			.application = loaded.application,
			.output_format = STR("json"),
			.offline = !live,
		};
		int planned = plan_loaded(&arena, &loaded, &input, &plan);

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
		int one = check_file(arguments->rest[i], arguments->live);

		if (one > code)
			code = one;
	}
	return code;
}
