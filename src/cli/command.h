/* cli/command.h -- what the commands share: arguments, the script, signals, exit codes. */
#pragma once

#include "job/runner.h"
#include "plan/plan.h"

typedef enum ExitCode {
	EXIT_OK = 0,
	EXIT_SQL = 1,           /* the SQL or the data is wrong */
	EXIT_USAGE = 2,         /* the command line is wrong */
	EXIT_ENVIRONMENT = 3,   /* broker, disk */
	EXIT_INTERRUPTED = 130, /* SIGINT in execute */
} ExitCode;

/* The arguments that a command understands, as given. */
typedef struct Arguments {
	const char *query;
	const char *file;
	const char *output;
	int64_t limit;   /* INT64_MAX: none */
	int64_t seconds; /* -1: none were given */
	int64_t seed;    /* of crashes in tests; 0: none was given */
	int64_t seeds;
	const char *keep;      /* a folder for those of tests; NULL: they are removed */
	const char *savepoint; /* to make when the run is stopped; or NULL */
	const char *from;      /* the savepoint to start from; or NULL */
	bool drop_state;       /* of it that finds no place */
	bool live;
	bool metrics;         /* --enable-metrics */
	int64_t metrics_port; /* -1: none was given */
	Options settings;     /* --set */
	char **rest;          /* what is not an option */
	int rest_count;
} Arguments;

/* A script with its text kept for messages. */
typedef struct LoadedScript {
	const char *name; /* "trades.sql", or "query" */
	const char *text;
	Str application;
	Script *script;
	uint32_t syntax_errors;
} LoadedScript;

typedef int (*CommandFunction)(const Arguments *arguments);

int command_execute(const Arguments *arguments);
int command_server(const Arguments *arguments);
int command_check(const Arguments *arguments);
int command_explain(const Arguments *arguments);
int command_advise(const Arguments *arguments);
int command_savepoint(const Arguments *arguments);
int command_test(const Arguments *arguments);
int command_demo(const Arguments *arguments);
int command_docs(const Arguments *arguments);
int command_completion(const Arguments *arguments);

/* Print "error: ..." and how to get help; returns EXIT_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Read --query or --file and parse it; syntax errors are printed.  EXIT_OK if it can be planned. */
int load_script(const Arguments *arguments, Arena *arena, LoadedScript *out);
/* Every --set was understood by some statement of the plan, or an error is printed. */
int check_settings(const Arguments *arguments, const ScriptPlan *plan);
/* Of statements that have ended; prints where it is, or why there is none. */
int make_savepoint(const LoadedScript *loaded, const ScriptPlan *plan, const char *name);
/* Plan it; errors are printed.  EXIT_OK if every statement is planned. */
int plan_loaded(Arena *arena, const LoadedScript *loaded, const PlanInput *input,
		ScriptPlan **plan);
/* Both: what the arguments name, planned with their settings; `offline` as in PlanInput. */
int load_plan(const Arguments *arguments, const char *output_format, bool offline, Arena *arena,
	      LoadedScript *loaded, ScriptPlan **plan);

/* SIGINT and SIGTERM set a flag instead of ending the process; a second one ends it. */
void catch_signals(void);
/* The signal that came, or 0. */
int caught_signal(void);
/* Whether one came: RunSpec's interrupted. */
bool is_interrupted(void *context);

/* The page docs/configuration.md on stdout (cli/docs_configuration.c). */
void docs_print_configuration(void);
/* Its chapter about batches (cli/docs_batches.c); print_group prints the rows of options. */
void docs_print_batches(void (*print_group)(const OptionGroup *group));
/* The comment that says from which lists a page is made; text of a table's cell. */
void docs_print_origin(const char *lists);
void docs_print_cell(const char *text);
