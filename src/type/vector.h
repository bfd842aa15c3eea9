/* type/vector.h -- one column of a batch: values, validity, children.
 *
 * A vector owns its arrays (vector_init, vector_free) and keeps them from batch to batch; only
 * the bytes that string views point to live elsewhere: in the pinned input chunk, in the batch's
 * heap, or in the plan's arena.
 *
 * Form.  A VALUE vector holds typed values.  A TEXT vector holds, whatever its type, string views
 * of the value's canonical output text ("12.5000" for a DECIMAL(18,4)): a column that is only
 * passed from input to output never becomes a number.  The planner asks for TEXT only where no
 * expression reads the column.  Text is canonical for both JSON and CSV; a STRING's text is the
 * unescaped string itself, exactly as in VALUE form.
 *
 * Threads: a vector belongs to the task that owns its batch. */
#pragma once

#include "base/bitmap.h"
#include "type/type.h"

#define BATCH_CAPACITY 2048

/* Bytes that somebody else owns, for as long as the batch lives. */
typedef struct StringView {
	const char *data;
	uint32_t len;
	uint32_t flags; /* VIEW_* */
} StringView;

/* Known facts that spare the encoder a scan; not set means not known. */
#define VIEW_JSON_CLEAN 1u /* valid UTF-8 and no byte needs an escape inside a JSON string */
#define VIEW_CSV_CLEAN  2u /* needs no quotes in CSV with the default delimiter and quote */

typedef struct ListEntry {
	uint32_t offset; /* first element in the child vectors */
	uint32_t len;
} ListEntry;

typedef enum VectorForm {
	FORM_VALUE,
	FORM_TEXT,
} VectorForm;

typedef struct Vector Vector;
struct Vector {
	const Type *type;
	VectorForm form;
	bool constant;     /* row 0 stands for every row */
	bool has_null;     /* false: every row is valid and `valid` need not be read */
	uint32_t capacity; /* rows that data and valid have room for */
	void *data;        /* array of the physical type; StringView when form is TEXT */
	uint64_t *valid;   /* bit 1 = not NULL; maintained only while has_null is true */
	Vector *children;  /* LIST: element vector(s); STRUCT: field vectors */
	uint32_t child_count;
	uint32_t child_len; /* LIST: elements used in the children */
};

/* Allocates arrays (not cleared) for `capacity` rows, children included; has_null is false. */
void vector_init(Vector *vector, const Type *type, VectorForm form, uint32_t capacity);
void vector_free(Vector *vector);
/* Before a batch is filled: no NULLs, no list elements. */
void vector_reset(Vector *vector);
/* Room for `rows` rows, keeping what is there; for the children of lists. */
void vector_reserve(Vector *vector, uint32_t rows);
/* Room for `count` more elements in a LIST's children; returns the index of the first. */
uint32_t vector_list_append(Vector *vector, uint32_t count);

/* Copies one value (or NULL) between VALUE vectors of one type.  Bytes that views point to are
 * copied to `bytes`; NULL leaves them where they are.  Both rows are below the capacities. */
void vector_copy(Vector *to, uint32_t to_row, const Vector *from, uint32_t from_row, Arena *bytes);

/* Copies values from[from_rows[k]] to rows to_rows[k], k < count, as vector_copy without `bytes`.
 */
void vector_gather(Vector *to, const uint16_t *to_rows, const Vector *from,
		   const uint32_t *from_rows, uint32_t count);

/* The first NULL makes all other rows valid. */
void vector_first_null(Vector *vector);

static inline void
vector_set_null(Vector *vector, uint32_t row)
{
	if (!vector->has_null)
		vector_first_null(vector);
	bitmap_clear(vector->valid, row);
}

static inline void
vector_set_valid(Vector *vector, uint32_t row)
{
	if (vector->has_null)
		bitmap_set(vector->valid, row);
}

/* `row` is any selected row, also of a constant vector. */
static inline bool
vector_is_null(const Vector *vector, uint32_t row)
{
	return vector->has_null && !bitmap_get(vector->valid, vector->constant ? 0 : row);
}

/* How the values are laid out, whatever the form. */
static inline Physical
vector_physical(const Vector *vector)
{
	return vector->form == FORM_TEXT ? PHYSICAL_VIEW : type_physical(vector->type);
}

#define VECTOR_DATA(vector, CType) ((CType *)(vector)->data)
