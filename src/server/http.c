/* server/http.c -- libmicrohttpd around the list of routes.
 *
 * The library is loaded when a server begins: linked, it would add 1.2 ms to the 3 ms in which
 * every other command starts.
 *
 * Owns:    the listening socket and the library's thread.
 * Threads: answer() runs on the library's; it touches nothing but the monitor. */
#include "server/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>

#include "base/library.h"
#include "base/memory.h"
#include "server/route.h"

#define PAGE_LIMIT      ((size_t)64 << 20)
#define CONNECTIONS_MAX 64
#define IDLE_SECONDS    30

struct HttpServer {
	Monitor *monitor;
	struct MHD_Daemon *daemon;
};

/* ---------------------------------------------------------------- the library */

/* The functions, once for the process; read-only after pthread_once. */
static struct MicrohttpdCalls {
#define MICROHTTPD(name) __typeof__(&MHD_##name) name;
#include "server/microhttpd_list.h"
	bool loaded;
	char why[200];
} mhd;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;

static void
load_library(void)
{
	const LibraryCall calls[] = {
#define MICROHTTPD(name) {"MHD_" #name, &mhd.name},
#include "server/microhttpd_list.h"
	};

	mhd.loaded = library_load(MICROHTTPD_LIBRARY, calls, sizeof calls / sizeof *calls, mhd.why,
				  sizeof mhd.why);
}

/* ---------------------------------------------------------------- answering */

/* Sends the page; `text` is copied. */
static enum MHD_Result
send_page(struct MHD_Connection *connection, int status, const char *type, const char *text,
	  size_t len)
{
	/* The copy is made before it returns; the parameter is not const for other modes' sake. */
	struct MHD_Response *response = mhd.create_response_from_buffer(
		len, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

	if (response == NULL)
		return MHD_NO;
	mhd.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		mhd.add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result result = mhd.queue_response(connection, (unsigned)status, response);
	mhd.destroy_response(response);
	return result;
}

static enum MHD_Result
send_text(struct MHD_Connection *connection, int status, const char *text)
{
	return send_page(connection, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result
send_route(struct MHD_Connection *connection, Monitor *monitor, const Route *route)
{
	MonitorView view;
	Buffer page;

	buffer_init(&page, PAGE_LIMIT);
	monitor_read(monitor, &view);
	int status = route->page(&view, &page);
	monitor_view_free(&view);
	enum MHD_Result result =
		page.overflow ? send_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
					  "the page would be larger than 64 MB\n")
			      : send_page(connection, status, route->type, page.data, page.len);
	buffer_free(&page);
	return result;
}

/* Called once for the head of a request, and again when it is complete. */
static enum MHD_Result
answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
       const char *version, const char *body, size_t *body_len, void **state)
{
	static const char begun;
	HttpServer *server = context;
	const Route *route = route_find(path);

	(void)version;
	(void)body;
	if (*state == NULL) {
		*state = (void *)(uintptr_t)&begun;
		return MHD_YES;
	}
	if (*body_len > 0) { /* nothing here takes one */
		*body_len = 0;
		return MHD_YES;
	}
	if (route == NULL)
		return send_text(connection, MHD_HTTP_NOT_FOUND,
				 "Endpoint not found; / lists what there is\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				 "only GET and HEAD are answered here\n");
	return send_route(connection, server->monitor, route);
}

/* ---------------------------------------------------------------- opening */

Status
http_server_open(Monitor *monitor, uint16_t port, HttpServer **out, Error *err)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	pthread_once(&load_once, load_library);
	if (!mhd.loaded) {
		error_set(err, FERRIS_ERR_SYSTEM, "cannot load %s: %s", MICROHTTPD_LIBRARY,
			  mhd.why);
		return error_hint(err, "install the package libmicrohttpd12");
	}
	HttpServer *server = memory_zero(sizeof *server);
	server->monitor = monitor;
	errno = 0;
	server->daemon = mhd.start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, port,
					  NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR,
					  (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT,
					  (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
					  (unsigned)IDLE_SECONDS, MHD_OPTION_END);
	if (server->daemon == NULL) {
		int code = errno;

		memory_free(server);
		error_set(err, FERRIS_ERR_SYSTEM, "cannot listen on 127.0.0.1:%u", port);
		error_errno(err, code);
		return error_hint(err, "choose another port with --metrics-port");
	}
	*out = server;
	return FERRIS_OK;
}

void
http_server_close(HttpServer *server)
{
	if (server == NULL)
		return;
	mhd.stop_daemon(server->daemon);
	memory_free(server);
}
