/* cli/cmd_docs.c -- ferris-sql docs: the reference pages that are made from the program's lists.
 *
 * A page is printed as Markdown; tools/docs writes each to docs/ and checks that the file there is
 * what the program prints.  So a page cannot say anything that the program does not know. */
#include <stdlib.h>

#include "cli/command.h"
#include "func/aggregate.h"
#include "func/function.h"
#include "job/counters.h"
#include "plan/header_calls.h"
#include "server/route.h"

typedef struct DocsPage {
	const char *name;
	void (*print)(void);
} DocsPage;

void
docs_print_origin(const char *lists)
{
	printf("<!-- Printed by the program from %s: change that, then run ./dev docs. -->\n\n",
	       lists);
}

/* Text of a table's cell: | would end it. */
void
docs_print_cell(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

/* ---------------------------------------------------------------- errors */

static int
compare_numbers(const void *a, const void *b)
{
	const ErrorInfo *const *x = a, *const *y = b;

	return (*x)->number - (*y)->number;
}

static const char *
exit_meaning(int code)
{
	switch (code) {
	case EXIT_SQL:
		return "SQL or data";
	case EXIT_USAGE:
		return "command line";
	default:
		return "environment";
	}
}

static void
print_errors(void)
{
	const ErrorInfo *rows[FERRIS_STATUS_COUNT];
	size_t count = 0;

	for (int i = FERRIS_OK + 1; i < FERRIS_STATUS_COUNT; i++)
		rows[count++] = error_info((Status)i);
	qsort(rows, count, sizeof *rows, compare_numbers);
	puts("# Errors\n");
	docs_print_origin("src/base/error_list.h");
	puts("Every error carries a code, the place it happened and, where one is known, the way "
	     "to mend "
	     "it. The code never changes its meaning. "
	     "[sql.md](sql.md#errors) shows the form of a message.\n\n"
	     "| code | name | exit code | retried | meaning |\n|---|---|---|---|---|");
	for (size_t i = 0; i < count; i++)
		printf("| FS%04d | %s | %d (%s) | %s | %s |\n", rows[i]->number, rows[i]->name,
		       rows[i]->exit_code, exit_meaning(rows[i]->exit_code),
		       rows[i]->flags & ERROR_RETRIABLE ? "yes" : "no", rows[i]->summary);
}

/* ---------------------------------------------------------------- functions */

/* The chapters in this order, others after them. */
static const char *const chapters[] = {
	"operators", "conditional", "math", "string",  "regular expressions",
	"time",      "nested",      "json", "headers", "aggregates",
};

#define CHAPTER_COUNT (sizeof chapters / sizeof *chapters)

typedef struct DocsFunction {
	const FunctionDoc *doc;
	size_t chapter;
	size_t place; /* in the list */
} DocsFunction;

static bool
is_operator(const FunctionDoc *doc)
{
	return strcmp(doc->category, chapters[0]) == 0;
}

/* By chapter, then by name; operators stay in the order of the list. */
static int
compare_functions(const void *a, const void *b)
{
	const DocsFunction *x = a, *y = b;
	int order = (x->chapter > y->chapter) - (x->chapter < y->chapter);

	if (order == 0 && x->chapter >= CHAPTER_COUNT)
		order = strcmp(x->doc->category, y->doc->category);
	if (order == 0 && !is_operator(x->doc))
		order = strcmp(x->doc->name, y->doc->name);
	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

/* Overloads with the same words are one line. */
static bool
is_listed(const DocsFunction *list, size_t count, const FunctionDoc *doc)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].doc->name, doc->name) == 0 &&
		    strcmp(list[i].doc->signature, doc->signature) == 0 &&
		    strcmp(list[i].doc->doc, doc->doc) == 0)
			return true;
	return false;
}

/* All rows of the lists; `arena` holds them. */
static size_t
collect_functions(Arena *arena, DocsFunction **out)
{
	const AggregateClass *class;
	size_t scalars = 0, rows = 0, count = 0;

	while (function_doc(scalars) != NULL)
		scalars++;
	rows = scalars;
	while (header_call_doc(rows - scalars) != NULL)
		rows++;
	size_t before = rows;
	while (aggregate_row(rows - before) != NULL)
		rows++;
	FunctionDoc *docs = ARENA_ARRAY(arena, FunctionDoc, rows);
	DocsFunction *list = ARENA_ARRAY(arena, DocsFunction, rows);
	for (size_t i = 0; i < scalars; i++)
		docs[i] = *function_doc(i);
	for (size_t i = scalars; i < before; i++)
		docs[i] = *header_call_doc(i - scalars);
	for (size_t i = 0; (class = aggregate_row(i)) != NULL; i++)
		docs[before + i] =
			(FunctionDoc){class->name, "aggregates", class->signature, class->doc};
	for (size_t i = 0; i < rows; i++) {
		const FunctionDoc *doc = &docs[i];
		size_t chapter = 0;

		if (is_listed(list, count, doc))
			continue;
		while (chapter < CHAPTER_COUNT && strcmp(chapters[chapter], doc->category) != 0)
			chapter++;
		list[count++] = (DocsFunction){doc, chapter, i};
	}
	qsort(list, count, sizeof *list, compare_functions);
	*out = list;
	return count;
}

static void
print_heading(const char *category)
{
	bool all = strcmp(category, "json") == 0;

	fputs("\n## ", stdout);
	for (const char *p = category; *p != '\0'; p++)
		putchar(*p >= 'a' && *p <= 'z' && (all || p == category) ? *p - 'a' + 'A' : *p);
	puts(strcmp(category, chapters[0]) == 0
		     ? "\n\n| call | meaning |\n|---|---|"
		     : "\n\n| call | other names | meaning |\n|---|---|---|");
}

static void
print_aggregates_rules(void)
{
	puts("\nAn aggregate makes one value of the rows of a group. Rows where its argument is "
	     "NULL "
	     "do not count; a group without any other gives NULL, a count 0. `f(DISTINCT x)` takes "
	     "each value once, `f(x) FILTER (WHERE condition)` only some rows, `f(x ORDER BY y)` "
	     "matters for those that follow an order; there NULL is the largest y.\n\n"
	     "Sums, means, variances and percentiles are exact: integers and decimals are never "
	     "rounded on the way, doubles only at the end. No result depends on the order of the "
	     "rows unless it says so. A result that its type cannot hold is an error of the row.");
}

/* The names of the row but the one that the signature begins with. */
static void
print_other_names(const FunctionDoc *doc)
{
	Str shown = {doc->signature, (uint32_t)strcspn(doc->signature, "(")};
	const char *blank = "";

	for (const char *p = doc->name; *p != '\0'; p += strcspn(p, "|"), p += *p == '|') {
		Str name = {p, (uint32_t)strcspn(p, "|")};

		if (str_eq(name, shown))
			continue;
		printf("%s`%.*s`", blank, STR_ARG(name));
		blank = " ";
	}
}

static void
print_function(const FunctionDoc *doc)
{
	fputs("| `", stdout);
	docs_print_cell(doc->signature);
	fputs("` | ", stdout);
	if (!is_operator(doc)) {
		print_other_names(doc);
		fputs(" | ", stdout);
	}
	for (const char *p = doc->doc; *p != '\0'; p++) {
		if (*p == '|' || *p == '\\')
			putchar('\\');
		putchar(*p);
	}
	puts(" |");
}

static void
print_functions(void)
{
	DocsFunction *list;
	Arena arena;

	arena_init(&arena, 0);
	size_t count = collect_functions(&arena, &list);
	puts("# Functions and operators\n");
	docs_print_origin("src/func/scalar_list.h, src/plan/header_list.h and "
			  "src/func/aggregate_list.h");
	puts("NULL goes in, NULL comes out, unless it says otherwise. A row for which a function "
	     "has no "
	     "result is an error of that row, never NULL: `TRY(...)` makes it NULL. Positions and "
	     "lengths of "
	     "text count characters (Unicode code points) from 1. An integer is taken where a "
	     "DECIMAL or a "
	     "DOUBLE is wanted, a DATE where a TIMESTAMP is.");
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(list[i].doc->category, list[i - 1].doc->category) != 0)
			print_heading(list[i].doc->category);
		print_function(list[i].doc);
	}
	print_aggregates_rules();
	arena_free(&arena);
}

/* ---------------------------------------------------------------- metrics */

static void
print_metric(const char *name, const char *kind, const char *labels, const char *doc)
{
	printf("| `ferrisstreams_%s` | %s | ", name, kind);
	docs_print_cell(labels);
	fputs(" | ", stdout);
	docs_print_cell(doc);
	puts(" |");
}

static void
print_labelled(const char *name, const char *kind, const char *labels, const char *more,
	       const char *doc)
{
	char all[128];

	snprintf(all, sizeof all, "%s%s%s", labels, *more != '\0' ? ", " : "", more);
	print_metric(name, kind, all, doc);
}

static void
print_job_metrics(void)
{
	const CounterInfo *counters;
	const HistogramInfo *histograms;
	size_t count = counter_infos(&counters);

	for (size_t i = 0; i < count; i++)
		print_labelled(counters[i].metric, "counter", "job", counters[i].label,
			       counters[i].doc);
	count = histogram_infos(&histograms);
	for (size_t i = 0; i < count; i++)
		print_labelled(histograms[i].metric, "histogram", "job, strategy",
			       histograms[i].label, histograms[i].doc);
}

static void
print_metrics(void)
{
	const Route *rows;
	size_t count = routes(&rows);

	puts("# Metrics\n");
	docs_print_origin("src/server/route_list.h, src/server/metric_list.h, "
			  "src/job/counter_list.h and src/job/histogram_list.h");
	puts("`ferris-sql server --enable-metrics` serves these on `--metrics-port` (9080) of the "
	     "loopback address;\n`ferris-sql server` in [operations.md](operations.md#a-server) "
	     "says "
	     "how they hang together.\n\n| path | what |\n|---|---|");
	for (size_t i = 0; i < count; i++)
		printf("| `%s` | %s |\n", rows[i].path, rows[i].doc);
	puts("\n`SHOW METRICS` has the counters of a job by shorter names.\n\n"
	     "| metric | kind | labels | meaning |\n|---|---|---|---|");
#define PROCESS(name, kind, value, help) print_metric(name, kind, "", help);
#define JOB(name, kind, value, help)
#include "server/metric_list.h"
#define PROCESS(name, kind, value, help)
#define JOB(name, kind, value, help) print_metric(name, kind, "job", help);
#include "server/metric_list.h"
	print_job_metrics();
}

/* ---------------------------------------------------------------- pages */

static const DocsPage pages[] = {
	{"configuration", docs_print_configuration},
	{"functions", print_functions},
	{"errors", print_errors},
	{"metrics", print_metrics},
};

#define PAGE_NAMES "configuration, functions, errors, metrics"

int
command_docs(const Arguments *arguments)
{
	if (arguments->rest_count != 1)
		return usage_error("docs needs one page: " PAGE_NAMES);
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		if (strcmp(arguments->rest[0], pages[i].name) == 0) {
			pages[i].print();
			return EXIT_OK;
		}
	return usage_error("docs has no page '%s'; there is: " PAGE_NAMES, arguments->rest[0]);
}
