/* cli/cmd_server.c -- ferris-sql server: run an application until a signal comes.
 *
 * A job that fails stops no other one; with --enable-metrics a port of the machine tells how they
 * are. */
#include "cli/command.h"
#include "server/http.h"

#define METRICS_PORT 9080

static int
check_arguments(const Arguments *arguments)
{
	if (arguments->rest_count > 0)
		return usage_error("server does not understand '%s'", arguments->rest[0]);
	if (arguments->metrics_port == 0 || arguments->metrics_port > UINT16_MAX)
		return usage_error("--metrics-port %lld: ports are 1 to 65535",
				   (long long)arguments->metrics_port);
	return EXIT_OK;
}

/* Whether the port is wanted: naming one says so too. */
static Status
open_port(const Arguments *arguments, Monitor *monitor, HttpServer **out, Error *err)
{
	uint16_t port =
		arguments->metrics_port >= 0 ? (uint16_t)arguments->metrics_port : METRICS_PORT;

	*out = NULL;
	if (!arguments->metrics && arguments->metrics_port < 0)
		return FERRIS_OK;
	TRY(http_server_open(monitor, port, out, err));
	fprintf(stderr, "metrics: http://127.0.0.1:%u/metrics, /health, /report, /jobs\n", port);
	return FERRIS_OK;
}

static int
serve(const Arguments *arguments, const LoadedScript *loaded, const ScriptPlan *plan)
{
	Monitor *monitor = monitor_new(plan, loaded->application);
	RunSpec spec = {
		.plan = plan,
		.application = loaded->application,
		.row_limit = INT64_MAX,
		.stays = true,
		.interrupted = is_interrupted,
		.observe = monitor_observe,
		.context = monitor,
	};
	RunSummary summary;
	HttpServer *server;
	Error err;

	catch_signals();
	Status status = open_port(arguments, monitor, &server, &err);
	if (status == FERRIS_OK)
		status = run_script(&spec, &summary, &err);
	http_server_close(server);
	monitor_free(monitor);
	if (status == FERRIS_OK)
		return EXIT_OK;
	error_print(stderr, &err, loaded->name, loaded->text);
	return error_info(status)->exit_code;
}

int
command_server(const Arguments *arguments)
{
	const char *output = arguments->output != NULL ? arguments->output : "json";
	LoadedScript loaded;
	ScriptPlan *plan;
	Arena arena;

	arena_init(&arena, 0);
	int code = check_arguments(arguments);
	if (code == EXIT_OK)
		code = load_plan(arguments, output, false, &arena, &loaded, &plan);
	if (code == EXIT_OK)
		code = check_settings(arguments, plan);
	if (code == EXIT_OK)
		code = serve(arguments, &loaded, plan);
	arena_free(&arena);
	return code;
}
