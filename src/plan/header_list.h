/* plan/header_list.h -- the calls that read and change the headers of records, one row each.
 *
 * HEADER_CALL(name, arguments, bind, signature, doc)
 *   arguments  how many it takes
 *   bind       makes an expression of it; NULL: it is an item of a select list */
#ifndef HEADER_CALL
#error "define HEADER_CALL(name, arguments, bind, signature, doc) before including this"
#endif

HEADER_CALL("HEADER", 1, bind_header, "HEADER('name')",
	    "The value of the last header of that name of the source's record, as STRING; NULL if "
	    "it has none.")
HEADER_CALL("HAS_HEADER", 1, bind_has_header, "HAS_HEADER('name')",
	    "Whether the source's record has such a header.")
HEADER_CALL("HEADER_KEYS", 0, bind_header_keys, "HEADER_KEYS()",
	    "The names of its headers as an array, in their order; NULL where the source has none.")
HEADER_CALL("SET_HEADER", 2, NULL, "SET_HEADER('name', x)",
	    "An item of the select list: the record that is written has that header, with the text "
	    "of x; NULL: it has none. A column only with AS.")
HEADER_CALL("REMOVE_HEADER", 1, NULL, "REMOVE_HEADER('name')",
	    "An item of the select list: the source's header of that name does not go through. "
	    "With AS, a column of what it was.")

#undef HEADER_CALL
