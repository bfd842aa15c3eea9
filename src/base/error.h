/* base/error.h -- Status, Error, and how a function fails.
 *
 * A function that can fail returns Status and takes an Error that its caller owns:
 *
 *     Status decoder_open(..., Error *err);
 *     TRY(decoder_open(..., err));                                  forwards a failure
 *     return error_set(err, FERRIS_ERR_SYNTAX, "expected %s", what); creates one
 *
 * The Error holds what went wrong, where, and how to mend it; it has a fixed size and is never
 * allocated.  Bad *data* in a record is not a Status: it is a row error (type/batch.h) that the
 * job's failure strategy decides on.  A programmer's error is an assert.
 *
 * Threads: an Error belongs to one thread at a time. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ERROR_RETRIABLE      1u /* the same call may succeed later */
#define ERROR_REQUIRES_ABORT 2u /* roll back to the last epoch, then go on */
#define ERROR_FATAL          4u /* this handle is of no use any more */
#define ERROR_COMMAND_LINE   8u /* about an argument of the command line, not about the SQL */

typedef enum Status {
	FERRIS_OK = 0,
#define ERROR(name, number, exit, flags, summary) FERRIS_ERR_##name,
#include "base/error_list.h"
	FERRIS_STATUS_COUNT
} Status;

/* One row of base/error_list.h, indexed by Status. */
typedef struct ErrorInfo {
	const char *name;
	int number;
	int exit_code;
	unsigned flags;
	const char *summary;
} ErrorInfo;

/* Where in a source text: 1-based line and column (bytes), length in bytes; line 0 = nowhere. */
typedef struct Position {
	uint32_t line;
	uint32_t column;
	uint32_t length;
} Position;

typedef struct Error {
	Status status;
	unsigned flags;    /* ERROR_RETRIABLE | ..., from the list unless the place knows better */
	Position position; /* in the SQL text, if it is about SQL */
	char message[480]; /* what is wrong, one line, no final dot */
	char label[240];   /* a note under the caret; may be empty */
	char hint[320];    /* how to mend it; may be empty */
} Error;

#define FERRIS_MUST_CHECK __attribute__((warn_unused_result))
#define TRY(call)                                                                                  \
	do {                                                                                       \
		Status try_status_ = (call);                                                       \
		if (try_status_ != FERRIS_OK)                                                      \
			return try_status_;                                                        \
	} while (0)

/* Set a new error with no position; returns `status` so that a caller can return it at once. */
Status error_set(Error *err, Status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with a position in the SQL text. */
Status error_set_at(Error *err, Status status, Position position, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Add to an error that is set; each returns err->status. */
Status error_hint(Error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
Status error_label(Error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Append ": " and the text of errno `code` to the message. */
Status error_errno(Error *err, int code);

const ErrorInfo *error_info(Status status);

/* Print "error[FS1204]: ..." with the source line and a caret.  `name` and `text` are the SQL's
 * file name and whole text; either may be NULL, then no excerpt is printed. */
void error_print(FILE *out, const Error *err, const char *name, const char *text);
