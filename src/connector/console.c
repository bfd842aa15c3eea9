/* connector/console.c -- the console: encoded records to standard output, each batch at once. */
#include "connector/file_connector.h"

const ConnectorClass console_connector = {
	.name = "console",
	.doc = "Standard output.",
	.default_format = "json",
	.sink_options = {"console sink", NULL, 0},
	.writer_open = file_writer_open_stdout,
	.write = file_writer_write,
	.flush = file_writer_flush,
	.writer_close = file_writer_close,
};
