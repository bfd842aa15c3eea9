/* cli/cmd_explain.c -- ferris-sql explain: the plan and the options in effect. */
#include "cli/command.h"

static int
print_plans(Arena *arena, const ScriptPlan *plan, bool json)
{
	if (json) {
		Str text = plan_explain_json(arena, plan);

		printf("%.*s\n", STR_ARG(text));
		return EXIT_OK;
	}
	for (uint32_t i = 0; i < plan->count; i++) {
		Str text = plan_explain(arena, plan->items[i]);

		printf("%s%.*s", i > 0 ? "\n" : "", STR_ARG(text));
	}
	return EXIT_OK;
}

int
command_explain(const Arguments *arguments)
{
	bool json = arguments->output != NULL && strcmp(arguments->output, "json") == 0;
	LoadedScript loaded;
	ScriptPlan *plan;
	Arena arena;

	if (arguments->output != NULL && !json && strcmp(arguments->output, "text") != 0)
		return usage_error("--output is text or json, not '%s'", arguments->output);
	arena_init(&arena, 0);
	int code = load_script(arguments, &arena, &loaded);
	if (code == EXIT_OK) {
		PlanInput input = {
			.script = loaded.script,
			.application = loaded.application,
			.settings = arguments->settings,
			.output_format = STR("json"),
			.offline = true,
		};

		code = plan_loaded(&arena, &loaded, &input, &plan);
	}
	if (code == EXIT_OK)
		code = print_plans(&arena, plan, json);
	arena_free(&arena);
	return code;
}
