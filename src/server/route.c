/* server/route.c -- the list of routes and the index that is made of it. */
#include "server/route.h"

static const Route rows[] = {
#define ROUTE(path, function, type, doc) {path, function, type, doc},
#include "server/route_list.h"
};

#define ROW_COUNT (sizeof rows / sizeof *rows)

size_t
routes(const Route **out)
{
	*out = rows;
	return ROW_COUNT;
}

const Route *
route_find(const char *path)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (strcmp(rows[i].path, path) == 0)
			return &rows[i];
	return NULL;
}

int
route_index(const MonitorView *view, Buffer *out)
{
	buffer_append_str(out, STR("{\"service\":\"ferris-sql\",\"application\":"));
	buffer_append_json(out, view->application);
	buffer_append_str(out, STR(",\"status\":\"running\",\"endpoints\":{"));
	for (size_t i = 1; i < ROW_COUNT; i++) { /* but this one */
		buffer_append_str(out, i > 1 ? STR(",") : STR(""));
		buffer_append_json(out, str_from(rows[i].path));
		buffer_append_char(out, ':');
		buffer_append_json(out, str_from(rows[i].doc));
	}
	buffer_append_str(out, STR("},\"monitoring\":\"enabled\"}\n"));
	return 200;
}
