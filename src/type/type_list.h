/* type/type_list.h -- the SQL types, one row each.
 *
 * TYPE(kind, name, physical, aliases)
 *   kind      TYPE_<kind> in C
 *   name      canonical SQL name
 *   physical  how a vector holds it, PHYSICAL_<physical>
 *   aliases   further SQL names, separated by '|' */
#ifndef TYPE
#error "define TYPE(kind, name, physical, aliases) before including type/type_list.h"
#endif

TYPE(NULL,      "NULL",      BOOL,     "")
TYPE(BOOLEAN,   "BOOLEAN",   BOOL,     "BOOL")
TYPE(TINYINT,   "TINYINT",   INT64,    "INT1")
TYPE(SMALLINT,  "SMALLINT",  INT64,    "INT2")
TYPE(INTEGER,   "INTEGER",   INT64,    "INT|INT4")
TYPE(BIGINT,    "BIGINT",    INT64,    "INT8|LONG")
TYPE(FLOAT,     "FLOAT",     DOUBLE,   "REAL|FLOAT4")
TYPE(DOUBLE,    "DOUBLE",    DOUBLE,   "FLOAT8|DOUBLE PRECISION")
TYPE(DECIMAL,   "DECIMAL",   INT64,    "NUMERIC|SCALED_INTEGER|DEC")
TYPE(STRING,    "STRING",    VIEW,     "VARCHAR|TEXT|CHAR|CHARACTER VARYING")
TYPE(BYTES,     "BYTES",     VIEW,     "VARBINARY|BINARY|BYTEA|BLOB")
TYPE(JSON,      "JSON",      VIEW,     "JSONB")
TYPE(DATE,      "DATE",      INT64,    "")
TYPE(TIME,      "TIME",      INT64,    "")
TYPE(TIMESTAMP, "TIMESTAMP", INT64,    "TIMESTAMP_LTZ|TIMESTAMPTZ|DATETIME")
TYPE(INTERVAL,  "INTERVAL",  INTERVAL, "")
TYPE(ARRAY,     "ARRAY",     LIST,     "LIST")
TYPE(MAP,       "MAP",       LIST,     "")
TYPE(STRUCT,    "STRUCT",    STRUCT,   "ROW")

#undef TYPE
