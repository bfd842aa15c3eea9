/* connector/connector_list.h -- the connectors, one row each: CONNECTOR(class variable). */
#ifndef CONNECTOR
#error "define CONNECTOR(variable) before including connector/connector_list.h"
#endif

CONNECTOR(file_connector)
CONNECTOR(kafka_connector)
CONNECTOR(generator_connector)
CONNECTOR(console_connector)
CONNECTOR(memory_connector)

#undef CONNECTOR
