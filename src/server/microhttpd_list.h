/* server/microhttpd_list.h -- the functions of libmicrohttpd that http.c calls.
 *
 * MICROHTTPD(name)   MHD_<name> of microhttpd.h */
#ifndef MICROHTTPD
#error "define MICROHTTPD(name) before including server/microhttpd_list.h"
#endif

MICROHTTPD(start_daemon)
MICROHTTPD(stop_daemon)
MICROHTTPD(create_response_from_buffer)
MICROHTTPD(add_response_header)
MICROHTTPD(queue_response)
MICROHTTPD(destroy_response)

#undef MICROHTTPD
