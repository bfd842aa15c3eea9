/* connector/connector.c -- the list of connectors. */
#include "connector/connector.h"

#include <stdlib.h>

#define CONNECTOR(variable) extern const ConnectorClass variable;
#include "connector/connector_list.h"

static const ConnectorClass *const classes[] = {
#define CONNECTOR(variable) &variable,
#include "connector/connector_list.h"
};

size_t
connector_classes(const ConnectorClass *const **out)
{
	*out = classes;
	return sizeof classes / sizeof *classes;
}

const ConnectorClass *
connector_find(Str name)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (str_eq_nocase(name, str_from(classes[i]->name)))
			return classes[i];
	return NULL;
}

static int
compare_place(const void *key, const void *element)
{
	return str_compare(*(const Str *)key, ((const SplitPlace *)element)->split);
}

const SplitPlace *
split_place_find(const SplitPlace *places, uint32_t count, Str split)
{
	return count > 0 ? bsearch(&split, places, count, sizeof *places, compare_place) : NULL;
}
