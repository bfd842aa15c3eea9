/* state/group_table_test.h -- a door for tests: hashes that collide on demand. */
#pragma once

#include "state/group_table.h"

/* Only the bits of `mask` (of 32) are left of every hash; the table must be empty. */
void group_table_mask_hashes(GroupTable *table, uint32_t mask);
