/* state/backend_list.h -- every state backend.
 *
 * BACKEND(name)   backend_<name> is its class, in state/backend_<name>.c */
#ifndef BACKEND
#error "define BACKEND(name) before including state/backend_list.h"
#endif

BACKEND(rocksdb)
BACKEND(memory)

#undef BACKEND
