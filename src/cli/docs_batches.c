/* cli/docs_batches.c -- the chapter about batches of docs/configuration.md, from the lists. */
#include "cli/command.h"
#include "plan/batch_strategy.h"

static const char introduction[] =
	"\n## Batches\n"
	"\n"
	"Without any option that begins with `batch.` the engine reads what it can get at once and "
	"writes what\n"
	"comes out: high throughput, and a record waits for nothing. A strategy changes speed, "
	"latency and memory,\n"
	"never the answer.\n"
	"\n"
	"```sql\n"
	"CREATE STREAM trades (symbol STRING, price DECIMAL(18,4))\n"
	"WITH ('connector' = 'file', 'path' = 'trades.jsonl', 'format' = 'json',\n"
	"      'batch.strategy' = 'FixedSize', 'batch.batch_size' = '500');\n"
	"\n"
	"CREATE STREAM big AS SELECT symbol, price FROM trades WHERE price > 500\n"
	"WITH ('sink.path' = 'big.csv', 'sink.batch.strategy' = 'LowLatency');\n"
	"```\n"
	"\n"
	"In a declaration the options concern that source or sink, in a trailing `WITH` all of the "
	"statement,\n"
	"behind `source.`, `sink.` or a name that one. `batch.strategy` may be left out where "
	"another option of\n"
	"FixedSize is given.\n"
	"\n"
	"Which one fits is measured in [performance.md](performance.md#batch-strategies); "
	"`ferris-sql advise`\n"
	"runs a query on a sample and names one.\n"
	"\n"
	"### What a strategy suggests\n"
	"\n"
	"A strategy has parameters, and it suggests values for options of the connector. What "
	"counts "
	"is\n"
	"\n"
	"1. what the **guarantee** needs: `acks` is `all` with exactly-once, whatever a strategy "
	"suggests;\n"
	"2. what the **user** says, by whatever name (`kafka.linger.ms` or "
	"`kafka.queue.buffering.max.ms`);\n"
	"3. what the **strategy** suggests;\n"
	"4. the **default**, which gives way to what the user says of another parameter: with "
	"nothing but\n"
	"   `'batch.max_batch_size' = '400'` AdaptiveSize begins with 400 records too. Two words "
	"of the user\n"
	"   that contradict each other are an error.\n"
	"\n"
	"A word of the user that contradicts a guarantee that he asks for is an error; without "
	"such "
	"a word,\n"
	"`acks=1` makes the statement at-least-once and `acks=0` at-most-once, with a warning. A "
	"suggestion\n"
	"lowers nothing: it is withheld. So LowLatency's `acks=0` comes true with "
	"`'delivery.guarantee' = 'at-most-once'`\n"
	"only, its `retries=0` and the others' `acks=1` with `at-least-once` too.\n"
	"\n"
	"Each decision is written to stderr when the statement begins, one line each (`config: "
	"...`), and\n"
	"counted by `SHOW METRICS`: `config_user`, `config_precedence` (the user has said two "
	"things),\n"
	"`config_strategy`, `config_guarantee`. `explain --output json` shows the `reason` beside "
	"the `origin`, of\n"
	"Kafka's properties also those that the engine sets or librdkafka has of its own.\n"
	"\n"
	"### How a source is read in batches\n"
	"\n"
	"Nothing lies between source and engine: until a batch is full, or its time has come, the "
	"source is not\n"
	"read (a topic's records wait in the client's queue, a file's in the file). Then the batch "
	"is read without\n"
	"another wait. Records of several partitions are one batch, in chunks of each. A file that "
	"is not watched,\n"
	"a pipe and a generator are never waited for: a batch of theirs is what is read at once, "
	"up "
	"to its size.\n"
	"In files a record counts as a line.\n"
	"\n"
	"* **FixedSize** waits for `batch_size` records or `max_memory_per_batch` bytes, "
	"`timeout_ms` at most.\n"
	"* **TimeWindow** reads what came within a span of the clock when the span is over, or "
	"`max_batch_size`\n"
	"  records sooner. Spans begin with 1970. By `event_time` it waits for nothing; the rows "
	"go "
	"through the\n"
	"  query by spans of the time that the stream's `WATERMARK` is for.\n"
	"* **AdaptiveSize** begins with `initial_batch_size`. Once a `performance_window_ms` it "
	"multiplies the size\n"
	"  by `adaptation_factor`, or divides it: the other way round if the throughput has become "
	"worse by the\n"
	"  last step, and smaller if batches do not fill.\n"
	"* **MemoryBased** begins with `max_batch_size` and looks every "
	"`memory_check_frequency_ms` at the memory\n"
	"  in use: what the process's cgroup, or one around it, has of its limit, without the "
	"cache "
	"of files;\n"
	"  without a limit, what the machine has. Above `target_memory_usage` the size shrinks by "
	"1.5, below it\n"
	"  grows; from `gc_pressure_threshold` on it is `min_batch_size` at once. There is no "
	"garbage collector:\n"
	"  the pressure is that of memory.\n"
	"* **LowLatency** reads what there is, `batch_size` records at most. From the read to the "
	"sink's having them\n"
	"  `max_latency_ms` may pass; chunks above count as `latency_breaches`, and the size "
	"doubles, up to 4096,\n"
	"  while there are such: records that come faster than small batches can take them would "
	"all be late. A\n"
	"  second without one, and it halves.\n"
	"\n"
	"`SHOW METRICS` counts `batches`, `batch_rows`, `batches_full`, `batches_grown`, "
	"`batches_shrunk`, and shows what\n"
	"they do: `batch_size_p50`, `_p95`, `_p99` in records, `latency_us_p50` ... from "
	"reading a record until the sink\n"
	"has its result, `records_per_second`. A sink's\n"
	"strategy acts by what it suggests: Kafka's client and the file sink gather by those "
	"options.\n";

static void
print_cell_value(const char *value)
{
	if (value[0] == '=')
		printf("that of `%s`", value + 1);
	else
		printf("`%s`", value);
}

static void
print_suggestions(BatchStrategy strategy, const char *connector, EndpointRole role)
{
	printf("\n| %s %s | suggested |\n|---|---|\n",
	       strcmp(connector, "kafka") == 0 ? "Kafka" : connector,
	       role == ROLE_SOURCE ? "source" : "sink");
	for (const BatchSuggestion *s = batch_suggestions; s->connector != NULL; s++) {
		if (s->strategy != strategy || s->role != role ||
		    strcmp(s->connector, connector) != 0)
			continue;
		printf("| `%s` | ", s->option);
		print_cell_value(s->value);
		puts(" |");
	}
}

void
docs_print_batches(void (*print_group)(const OptionGroup *group))
{
	fputs(introduction, stdout);
	puts("\n### Options");
	OptionGroup common = batch_group(BATCH_NONE);
	print_group(&common);
	for (BatchStrategy i = BATCH_NONE + 1; i < BATCH_STRATEGY_COUNT; i++) {
		OptionGroup group = batch_group(i);

		printf("\n### %s\n\n%s\n", batch_strategy_name(i), batch_strategy_doc(i));
		print_group(&group);
		print_suggestions(i, "kafka", ROLE_SOURCE);
		print_suggestions(i, "file", ROLE_SOURCE);
		print_suggestions(i, "kafka", ROLE_SINK);
		print_suggestions(i, "file", ROLE_SINK);
	}
}
