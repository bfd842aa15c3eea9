/* connector/connector.c -- the list of connectors. */
#include "connector/connector.h"

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
