/* server/route_list.h -- what the port of metrics serves, one row each; the index comes from here.
 *
 * ROUTE(path, function, type, doc) */
#ifndef ROUTE
#error "define ROUTE(path, function, type, doc) before including server/route_list.h"
#endif

ROUTE("/", route_index, "application/json", "What there is (JSON)")
ROUTE("/metrics", route_metrics, "text/plain; version=0.0.4; charset=utf-8",
      "Prometheus metrics export")
ROUTE("/health", route_health, "application/json", "System health status (JSON)")
ROUTE("/report", route_report, "text/plain; charset=utf-8", "Detailed performance report (text)")
ROUTE("/report.json", route_report_json, "application/json", "The same (JSON), with every option")
ROUTE("/jobs", route_jobs, "application/json", "List all jobs (JSON)")

#undef ROUTE
