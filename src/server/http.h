/* server/http.h -- the port where a monitor's pages are served.
 *
 * It listens on the loopback address: who should see it from elsewhere puts a proxy before it.
 *
 * Threads: one of its own; open and close by whoever runs the jobs. */
#pragma once

#include "server/monitor.h"

typedef struct HttpServer HttpServer;

/* `monitor` stays as long as the server. */
Status http_server_open(Monitor *monitor, uint16_t port, HttpServer **out, Error *err);
/* After the requests that are being answered.  NULL: nothing. */
void http_server_close(HttpServer *server);
