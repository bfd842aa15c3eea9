/* cli/cmd_explain.c -- ferris-sql explain: the plan and the options in effect. */
#include "cli/command.h"
#include "plan/upgrade.h"

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

static int
plan_offline(const Arguments *arguments, Arena *arena, ScriptPlan **plan)
{
	LoadedScript loaded;

	return load_plan(arguments, "json", true, arena, &loaded, plan);
}

/* EXIT_SQL if state would be lost. */
static int
explain_upgrade(const Arguments *arguments, Arena *arena, bool json)
{
	Arguments old = *arguments, new = *arguments;
	ScriptPlan *before, *now;
	bool loses;

	if (arguments->rest_count != 3 || arguments->file != NULL || arguments->query != NULL)
		return usage_error("explain upgrade needs the old and the new file");
	old.file = arguments->rest[1];
	new.file = arguments->rest[2];
	int code = plan_offline(&old, arena, &before);
	if (code == EXIT_OK)
		code = plan_offline(&new, arena, &now);
	if (code != EXIT_OK)
		return code;
	Str text = plan_explain_upgrade(arena, before, now, json, &loses);
	printf("%.*s%s", STR_ARG(text), json ? "\n" : "");
	return loses ? EXIT_SQL : EXIT_OK;
}

int
command_explain(const Arguments *arguments)
{
	bool json = arguments->output != NULL && strcmp(arguments->output, "json") == 0;
	bool upgrade = arguments->rest_count > 0 && strcmp(arguments->rest[0], "upgrade") == 0;
	ScriptPlan *plan;
	Arena arena;

	if (arguments->output != NULL && !json && strcmp(arguments->output, "text") != 0)
		return usage_error("--output is text or json, not '%s'", arguments->output);
	if (arguments->rest_count > 0 && !upgrade)
		return usage_error("explain does not understand '%s'", arguments->rest[0]);
	arena_init(&arena, 0);
	int code = upgrade ? explain_upgrade(arguments, &arena, json)
			   : plan_offline(arguments, &arena, &plan);
	if (code == EXIT_OK && !upgrade)
		code = check_settings(arguments, plan);
	if (code == EXIT_OK && !upgrade)
		code = print_plans(&arena, plan, json);
	arena_free(&arena);
	return code;
}
