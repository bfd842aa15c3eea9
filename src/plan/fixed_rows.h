/* plan/fixed_rows.h -- rows that the program itself gives: what SHOW, DESCRIBE and EXPLAIN answer.
 *
 * The rows are JSON records that a source inside the process (connector/values.c) reads, so that an
 * answer is a relation like any other and every output format can write it.
 *
 * Threads: one. */
#pragma once

#include "base/buffer.h"
#include "type/type.h"

typedef struct FixedRows {
	const Field *fields;
	uint32_t count;
	uint32_t at; /* the next value's column */
	Buffer out;
} FixedRows;

void fixed_rows_init(FixedRows *rows, const Field *fields, uint32_t count);
/* The values of a row, one after the other; a text without data is NULL. */
void fixed_text(FixedRows *rows, Str text);
void fixed_number(FixedRows *rows, int64_t number);
void fixed_flag(FixedRows *rows, bool flag);
void fixed_null(FixedRows *rows);
/* All rows as one text in the arena; frees the rest. */
Str fixed_rows_end(FixedRows *rows, Arena *arena);
