/* cli/cmd_savepoint.c -- ferris-sql savepoint: copy the state of statements that are stopped. */
#include "cli/command.h"
#include "job/savepoint.h"

int
make_savepoint(const LoadedScript *loaded, const ScriptPlan *plan, const char *name)
{
	Arena arena;
	Error err;

	arena_init(&arena, 0);
	const char *folder = savepoint_folder(plan, name, &arena);
	Status status = savepoint_make(plan, loaded->application, NULL, folder, &err);
	if (status == FERRIS_OK)
		fprintf(stderr, "savepoint '%s' is in %s\n", name, folder);
	else
		error_print(stderr, &err, loaded->name, loaded->text);
	arena_free(&arena);
	return status == FERRIS_OK ? EXIT_OK : error_info(status)->exit_code;
}

int
command_savepoint(const Arguments *arguments)
{
	LoadedScript loaded;
	ScriptPlan *plan;
	Arena arena;

	if (arguments->rest_count != 1)
		return usage_error("savepoint needs a name");
	arena_init(&arena, 0);
	int code = load_plan(arguments, "table", false, &arena, &loaded, &plan);
	if (code == EXIT_OK)
		code = check_settings(arguments, plan);
	if (code == EXIT_OK)
		code = make_savepoint(&loaded, plan, arguments->rest[0]);
	arena_free(&arena);
	return code;
}
