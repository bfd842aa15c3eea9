/* server/route.h -- pages that are made of a view of the run.
 *
 * Each appends its page to a buffer and returns the HTTP status.
 *
 * Threads: the HTTP server's. */
#pragma once

#include "server/monitor.h"

typedef int (*RouteFunction)(const MonitorView *view, Buffer *out);

typedef struct Route {
	const char *path;
	RouteFunction page;
	const char *type; /* of the content */
	const char *doc;
} Route;

/* All rows of server/route_list.h; returns how many. */
size_t routes(const Route **out);
/* NULL: there is none. */
const Route *route_find(const char *path);

int route_index(const MonitorView *view, Buffer *out);
int route_metrics(const MonitorView *view, Buffer *out);
int route_health(const MonitorView *view, Buffer *out);
int route_report(const MonitorView *view, Buffer *out);
int route_report_json(const MonitorView *view, Buffer *out);
int route_jobs(const MonitorView *view, Buffer *out);
