/* plan/config_file.h -- options in YAML files.
 *
 *     'config_file' = 'kafka.yaml'            of the stream that is declared, or as other options
 *     'source_config' = 'kafka.yaml'          'source.config_file'; likewise sink_config
 *     'base_source_config' = 'base.yaml'      the same, and source_config's stand above it
 *     '<name>.config_file' = 'kafka.yaml'     of the source or sink of that name
 *
 * What a file says stands below what is said where it is named.  Nested names are joined by dots;
 * "extends: base.yaml", from the file's own folder, brings in what stands below it again.  The
 * layers datasource and datasink of the first implementation's files are left out, consumer_config
 * and producer_config mean "kafka.". */
#pragma once

#include "base/option.h"

/* Puts the options of the files that `list` names in front of it, and takes their names out.  The
 * position of what a file says is that of its name. */
Status config_files_expand(Arena *arena, Options *list, Error *err);
