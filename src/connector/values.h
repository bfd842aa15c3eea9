/* connector/values.h -- the source below SELECT without FROM, VALUES, SHOW and its kin.
 *
 * It is no row of connector_list.h: nobody names it in WITH, the planner alone uses it. */
#pragma once

#include "connector/connector.h"

extern const ConnectorClass values_connector;

/* The records that a reader opened with these settings of the source will give. */
void values_give(Setting *settings, Str records);
