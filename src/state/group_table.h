/* state/group_table.h -- groups by key: a hash table from key columns to a payload of fixed size.
 *
 * The key of a group is one value of each key column; NULL is a key like any other and equals
 * itself.  A group's payload (aggregate states, or whatever its owner keeps) never moves while the
 * group lives, so that pointers to it stay good.  Groups are numbered in the order of their birth,
 * which is also the order of iteration: results do not depend on hash values.
 *
 * Keys are compared by value: decimals of one column have one scale, doubles by their bits with
 * one NaN and one zero, texts by their bytes.
 *
 * Owner: one operator of one task; bytes are counted against a limit. */
#pragma once

#include "base/error.h"
#include "state/byte_store.h"
#include "type/value.h"

typedef struct GroupTable GroupTable;

typedef struct GroupTableSpec {
	const Type *const *key_types;
	uint32_t key_count;  /* 0: everything is one group */
	size_t payload_size; /* a multiple of 16 */
	size_t byte_limit;   /* of keys, payloads and the table itself */
	Budget *budget;      /* that several tables share, in place of the limit; or NULL */
	uint32_t expected;   /* groups, roughly: a small table has slots for them from the start */
	bool tailed;         /* a GroupTail stands behind each payload */
} GroupTableSpec;

/* For owners that must know which groups have changed. */
typedef struct GroupTail {
	uint32_t group; /* its number */
	uint32_t mark;  /* the owner's; 0 at first */
	uint64_t unused;
} GroupTail;

GroupTable *group_table_new(const GroupTableSpec *spec);
void group_table_destroy(GroupTable *table);
/* Forget all groups, keep the memory. */
void group_table_clear(GroupTable *table);

/* For the rows sel[0..count) of the key vectors (VALUE form, any may be constant): payloads[k] is
 * the payload of row sel[k]'s group, made if it is new.  The numbers of the groups that are new are
 * first_new .. group_table_count - 1 after the call; their payloads are zero.  FERRIS_ERR_LIMIT
 * when the byte limit does not allow a new group. */
Status group_table_find(GroupTable *table, const Vector *const *keys, const uint16_t *sel,
			uint32_t count, char **payloads, uint32_t *first_new, Error *err);
/* After a search that ended at the limit: so many rows, from the first on, have their payload. */
uint32_t group_table_settled(const GroupTable *table);
/* The group of a row without making one, or NULL. */
char *group_table_get(const GroupTable *table, const Vector *const *keys, uint32_t row);
/* The same for the rows sel[0..count). */
void group_table_get_many(const GroupTable *table, const Vector *const *keys, const uint16_t *sel,
			  uint32_t count, char **payloads);
/* For the groups first .. of another table with the same kinds of keys: the numbers, here, of the
 * groups of their keys, made if they are new, with payloads of zero.  False when the byte limit
 * does not allow a new group; then `groups` is of no use. */
bool group_table_match(GroupTable *table, const GroupTable *from, uint32_t first, uint32_t *groups);

uint32_t group_table_count(const GroupTable *table);
char *group_table_payload(const GroupTable *table, uint32_t group);
/* Writes the keys of groups first .. first+count-1 to rows 0.. of one vector per key column; texts
 * are views into the table and live as long as the groups. */
void group_table_keys(const GroupTable *table, uint32_t first, uint32_t count, Vector *const *out);
/* The same for groups[0..count). */
void group_table_keys_of(const GroupTable *table, const uint32_t *groups, uint32_t count,
			 Vector *const *out);
/* The key of one group, to row `row` of the vectors, which are not emptied. */
void group_table_key(const GroupTable *table, uint32_t group, Vector *const *out, uint32_t row);
/* Bytes held. */
size_t group_table_bytes(const GroupTable *table);
