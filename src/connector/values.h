/* connector/values.h -- the source below SELECT without FROM and VALUES.
 *
 * It is no row of connector_list.h: nobody names it in WITH, the planner alone uses it. */
#pragma once

#include "connector/connector.h"

extern const ConnectorClass values_connector;
