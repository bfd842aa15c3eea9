/* plan/header_calls.h -- what the reference says of HEADER, SET_HEADER and their kin. */
#pragma once

#include "func/function.h"

/* Of plan/header_list.h; NULL behind the last. */
const FunctionDoc *header_call_doc(size_t i);
