/* cli/cmd_demo.c -- ferris-sql demo: the main job on one screen, with no broker to install.
 *
 *     generated trades -> Kafka -> SQL -> Kafka -> console
 *
 * The Kafka is librdkafka's own cluster inside the process.  Three statements run side by side;
 * the last one prints what comes out of the second topic. */
#include "base/clock.h"
#include "cli/command.h"

#define DEFAULT_SECONDS 5

static const char demo_sql[] =
	"CREATE STREAM generated WITH ('connector' = 'generator', 'kind' = 'trades', 'rate' = "
	"'2000');\n"
	"\n"
	"CREATE STREAM trades AS SELECT * FROM generated\n"
	"WITH ('connector' = 'kafka', 'kafka.topic' = 'trades',\n"
	"      'kafka.bootstrap.servers' = 'embedded', 'format' = 'json');\n"
	"\n"
	"CREATE STREAM trades_topic (trade_id BIGINT, symbol STRING, price DECIMAL(18,4),\n"
	"                            quantity INTEGER, side STRING)\n"
	"WITH ('connector' = 'kafka', 'kafka.topic' = 'trades',\n"
	"      'kafka.bootstrap.servers' = 'embedded', 'format' = 'json');\n"
	"\n"
	"CREATE STREAM big AS SELECT trade_id, symbol, side, price * quantity AS notional\n"
	"FROM trades_topic WHERE price > 900 AND quantity > 900\n"
	"WITH ('connector' = 'kafka', 'kafka.topic' = 'big',\n"
	"      'kafka.bootstrap.servers' = 'embedded', 'format' = 'json');\n"
	"\n"
	"CREATE STREAM big_topic (trade_id BIGINT, symbol STRING, side STRING, notional "
	"DECIMAL(38,4))\n"
	"WITH ('connector' = 'kafka', 'kafka.topic' = 'big',\n"
	"      'kafka.bootstrap.servers' = 'embedded', 'format' = 'json');\n"
	"\n"
	"SELECT trade_id, symbol, side, notional FROM big_topic;\n";

typedef struct DemoClock {
	int64_t end_ms;
} DemoClock;

static bool
demo_is_over(void *context)
{
	const DemoClock *demo = context;

	return caught_signal() != 0 || clock_ms() >= demo->end_ms;
}

static int
run_demo(const LoadedScript *loaded, const ScriptPlan *plan, int64_t seconds)
{
	DemoClock demo = {.end_ms = clock_ms() + seconds * 1000};
	RunSpec spec = {
		.plan = plan,
		.application = STR("demo"),
		.row_limit = INT64_MAX,
		.interrupted = demo_is_over,
		.context = &demo,
	};
	RunSummary summary;
	Error err;

	catch_signals();
	Status status = run_script(&spec, &summary, &err);
	if (status != FERRIS_OK) {
		error_print(stderr, &err, loaded->name, loaded->text);
		return error_info(status)->exit_code;
	}
	printf("\n%llu records read, %llu written, %llu filtered, by three statements in %.1f s\n",
	       (unsigned long long)summary.sum.records_in, (unsigned long long)summary.sum.rows_out,
	       (unsigned long long)summary.sum.filtered, summary.seconds);
	return EXIT_OK;
}

int
command_demo(const Arguments *arguments)
{
	Arguments query = {.query = demo_sql};
	int64_t seconds = arguments->seconds > 0 ? arguments->seconds : DEFAULT_SECONDS;
	LoadedScript loaded;
	ScriptPlan *plan;
	Arena arena;

	if (arguments->seconds == 0)
		return usage_error("--seconds is 1 or more, not 0");
	arena_init(&arena, 0);
	int code = load_script(&query, &arena, &loaded);
	if (code == EXIT_OK) {
		PlanInput input = {
			.script = loaded.script,
			.application = STR("demo"),
			.output_format = STR("json"),
		};

		code = plan_loaded(&arena, &loaded, &input, &plan);
	}
	if (code == EXIT_OK) {
		printf("%s\n", demo_sql);
		fflush(stdout);
		code = run_demo(&loaded, plan, seconds);
	}
	arena_free(&arena);
	return code;
}
