/* plan/batch_strategy_list.h -- the batch strategies: what each has of parameters, and what it
 * suggests for sources and sinks.  The tables of docs/configuration.md come from here.
 *
 * STRATEGY(id, name, doc)
 * PARAMETER(id, option, type, initial, min, max, choices, field, doc)
 *     field   of BatchPlan, which holds the value
 * SUGGEST(id, connector, role, option, value)
 *     value   "=batch.x": that parameter's
 * SWITCH(id, role, option)
 *     an option of a connector that says whether the strategy acts there; without the strategy it
 *     cannot be set
 * ACTS(id, connector, parameter)
 *     that sink goes by the parameter, beside those that are suggested to it as "=batch.x"
 *
 * The parameters of a strategy stand side by side, as its suggestions do. */
#ifndef STRATEGY
#define STRATEGY(id, name, doc)
#endif
#ifndef PARAMETER
#define PARAMETER(id, option, type, initial, min, max, choices, field, doc)
#endif
#ifndef SUGGEST
#define SUGGEST(id, connector, role, option, value)
#endif
#ifndef SWITCH
#define SWITCH(id, role, option)
#endif
#ifndef ACTS
#define ACTS(id, connector, parameter)
#endif

/* ---------------------------------------------------------------- FixedSize */

STRATEGY(FIXED, "FixedSize", "Batches of so many records: even memory and latency.")

PARAMETER(FIXED, "batch.batch_size", OPTION_INTEGER, "1000", 1, 1000000, NULL, size,
	  "Records of a batch.")
PARAMETER(FIXED, "batch.timeout_ms", OPTION_DURATION, "30000", 0, 3600e3, NULL, timeout_ms,
	  "How long a batch that is not full waits for more records.")
PARAMETER(FIXED, "batch.max_memory_per_batch", OPTION_SIZE, "16777216", 1024, 1 << 30, NULL,
	  max_bytes, "A batch of so many bytes is full, whatever its records.")

SUGGEST(FIXED, "kafka", ROLE_SOURCE, "kafka.fetch.min.bytes", "1024")
SUGGEST(FIXED, "kafka", ROLE_SOURCE, "kafka.fetch.max.bytes", "52428800")
SUGGEST(FIXED, "kafka", ROLE_SOURCE, "kafka.max.poll.records", "=batch.batch_size")
SUGGEST(FIXED, "kafka", ROLE_SOURCE, "kafka.receive.buffer.bytes", "65536")
SUGGEST(FIXED, "file", ROLE_SOURCE, "read_buffer_size", "1048576")
SUGGEST(FIXED, "file", ROLE_SOURCE, "batch_read_lines", "=batch.batch_size")
SUGGEST(FIXED, "file", ROLE_SOURCE, "concurrent_readers", "1")
SUGGEST(FIXED, "kafka", ROLE_SINK, "kafka.batch.size", "32768")
SUGGEST(FIXED, "kafka", ROLE_SINK, "kafka.linger.ms", "10")
SUGGEST(FIXED, "kafka", ROLE_SINK, "kafka.buffer.memory", "67108864")
SUGGEST(FIXED, "kafka", ROLE_SINK, "kafka.compression.type", "lz4")
SUGGEST(FIXED, "kafka", ROLE_SINK, "kafka.acks", "1")
SUGGEST(FIXED, "file", ROLE_SINK, "write_buffer_size", "1048576")
SUGGEST(FIXED, "file", ROLE_SINK, "batch_write_records", "=batch.batch_size")
SUGGEST(FIXED, "file", ROLE_SINK, "sync_frequency", "1000")

/* ---------------------------------------------------------------- TimeWindow */

STRATEGY(WINDOW, "TimeWindow", "Batches of what came within a span of time.")

PARAMETER(WINDOW, "batch.window_duration_ms", OPTION_DURATION, "5000", 1, 3600e3, NULL, window_ms,
	  "The span of time of a batch.")
PARAMETER(WINDOW, "batch.max_batch_size", OPTION_INTEGER, "10000", 1, 1000000, NULL,
	  max_size, "Records of a batch at most.")
PARAMETER(WINDOW, "batch.window_alignment", OPTION_CHOICE, "processing_time", 0, 0,
	  "processing_time|event_time", alignment,
	  "Spans of the clock, or of the stream's WATERMARK column.")

SWITCH(WINDOW, ROLE_SOURCE, "window_processing")

SUGGEST(WINDOW, "kafka", ROLE_SOURCE, "kafka.fetch.min.bytes", "1")
SUGGEST(WINDOW, "kafka", ROLE_SOURCE, "kafka.fetch.max.wait.ms", "100")
SUGGEST(WINDOW, "kafka", ROLE_SOURCE, "kafka.max.poll.records", "=batch.max_batch_size")
SUGGEST(WINDOW, "kafka", ROLE_SOURCE, "kafka.session.timeout.ms", "30000")
SUGGEST(WINDOW, "file", ROLE_SOURCE, "read_buffer_size", "524288")
SUGGEST(WINDOW, "file", ROLE_SOURCE, "poll_interval_ms", "100")
SUGGEST(WINDOW, "file", ROLE_SOURCE, "window_processing", "true")
SUGGEST(WINDOW, "kafka", ROLE_SINK, "kafka.batch.size", "16384")
SUGGEST(WINDOW, "kafka", ROLE_SINK, "kafka.linger.ms", "5")
SUGGEST(WINDOW, "kafka", ROLE_SINK, "kafka.buffer.memory", "33554432")
SUGGEST(WINDOW, "kafka", ROLE_SINK, "kafka.compression.type", "lz4")
SUGGEST(WINDOW, "kafka", ROLE_SINK, "kafka.acks", "1")
SUGGEST(WINDOW, "file", ROLE_SINK, "write_buffer_size", "524288")
SUGGEST(WINDOW, "file", ROLE_SINK, "flush_frequency_ms", "5000")
SUGGEST(WINDOW, "file", ROLE_SINK, "async_writes", "true")

/* ---------------------------------------------------------------- AdaptiveSize */

STRATEGY(ADAPTIVE, "AdaptiveSize", "Batches that grow and shrink with what is measured.")

PARAMETER(ADAPTIVE, "batch.initial_batch_size", OPTION_INTEGER, "1000", 1, 1000000, NULL,
	  initial_size, "Records of the first batches.")
PARAMETER(ADAPTIVE, "batch.max_batch_size", OPTION_INTEGER, "10000", 1, 1000000, NULL,
	  max_size, "Records of a batch at most.")
PARAMETER(ADAPTIVE, "batch.min_batch_size", OPTION_INTEGER, "100", 1, 1000000, NULL,
	  min_size, "A batch does not shrink below so many records.")
PARAMETER(ADAPTIVE, "batch.adaptation_factor", OPTION_FLOAT, "1.5", 1.01, 10, NULL, factor,
	  "By what the size is multiplied to grow, and divided to shrink.")
PARAMETER(ADAPTIVE, "batch.performance_window_ms", OPTION_DURATION, "10000", 1, 3600e3, NULL,
	  performance_ms, "How long is measured before the size is changed.")

SWITCH(ADAPTIVE, ROLE_SOURCE, "adaptive_reading")

SUGGEST(ADAPTIVE, "kafka", ROLE_SOURCE, "kafka.fetch.min.bytes", "1024")
SUGGEST(ADAPTIVE, "kafka", ROLE_SOURCE, "kafka.fetch.max.bytes", "104857600")
SUGGEST(ADAPTIVE, "kafka", ROLE_SOURCE, "kafka.max.poll.records", "=batch.max_batch_size")
SUGGEST(ADAPTIVE, "kafka", ROLE_SOURCE, "kafka.session.timeout.ms", "45000")
SUGGEST(ADAPTIVE, "file", ROLE_SOURCE, "read_buffer_size", "2097152")
SUGGEST(ADAPTIVE, "file", ROLE_SOURCE, "batch_read_lines", "=batch.initial_batch_size")
SUGGEST(ADAPTIVE, "file", ROLE_SOURCE, "adaptive_reading", "true")
SUGGEST(ADAPTIVE, "kafka", ROLE_SINK, "kafka.batch.size", "65536")
SUGGEST(ADAPTIVE, "kafka", ROLE_SINK, "kafka.linger.ms", "20")
SUGGEST(ADAPTIVE, "kafka", ROLE_SINK, "kafka.buffer.memory", "134217728")
SUGGEST(ADAPTIVE, "kafka", ROLE_SINK, "kafka.compression.type", "snappy")
SUGGEST(ADAPTIVE, "kafka", ROLE_SINK, "kafka.acks", "1")
SUGGEST(ADAPTIVE, "file", ROLE_SINK, "write_buffer_size", "2097152")
SUGGEST(ADAPTIVE, "file", ROLE_SINK, "batch_write_records", "=batch.initial_batch_size")
SUGGEST(ADAPTIVE, "file", ROLE_SINK, "sync_frequency", "5000")

/* ---------------------------------------------------------------- MemoryBased */

STRATEGY(MEMORY, "MemoryBased", "Batches that leave memory free.")

PARAMETER(MEMORY, "batch.target_memory_usage", OPTION_FLOAT, "0.8", 0.01, 1, NULL, memory_target,
	  "Batches grow while less than this share of the memory is in use, and shrink above it.")
PARAMETER(MEMORY, "batch.min_batch_size", OPTION_INTEGER, "100", 1, 1000000, NULL, min_size,
	  "A batch does not shrink below so many records.")
PARAMETER(MEMORY, "batch.max_batch_size", OPTION_INTEGER, "5000", 1, 1000000, NULL, max_size,
	  "Records of a batch at most.")
PARAMETER(MEMORY, "batch.memory_check_frequency_ms", OPTION_DURATION, "5000", 1, 3600e3, NULL,
	  memory_check_ms, "How often memory is looked at.")
PARAMETER(MEMORY, "batch.gc_pressure_threshold", OPTION_FLOAT, "0.9", 0.01, 1, NULL, pressure,
	  "From this share of the memory on batches have their least size at once.")

SWITCH(MEMORY, ROLE_SOURCE, "memory_monitoring")
SWITCH(MEMORY, ROLE_SOURCE, "gc_aware_reading")
SWITCH(MEMORY, ROLE_SINK, "memory_aware_flushing")
SWITCH(MEMORY, ROLE_SINK, "gc_aware_writing")
ACTS(MEMORY, "file", "batch.target_memory_usage")
ACTS(MEMORY, "file", "batch.memory_check_frequency_ms")
ACTS(MEMORY, "file", "batch.gc_pressure_threshold")

SUGGEST(MEMORY, "kafka", ROLE_SOURCE, "kafka.fetch.min.bytes", "1024")
SUGGEST(MEMORY, "kafka", ROLE_SOURCE, "kafka.fetch.max.bytes", "10485760")
SUGGEST(MEMORY, "kafka", ROLE_SOURCE, "kafka.max.poll.records", "=batch.max_batch_size")
SUGGEST(MEMORY, "kafka", ROLE_SOURCE, "kafka.receive.buffer.bytes", "32768")
SUGGEST(MEMORY, "file", ROLE_SOURCE, "read_buffer_size", "524288")
SUGGEST(MEMORY, "file", ROLE_SOURCE, "memory_monitoring", "true")
SUGGEST(MEMORY, "file", ROLE_SOURCE, "gc_aware_reading", "true")
SUGGEST(MEMORY, "kafka", ROLE_SINK, "kafka.batch.size", "16384")
SUGGEST(MEMORY, "kafka", ROLE_SINK, "kafka.linger.ms", "50")
SUGGEST(MEMORY, "kafka", ROLE_SINK, "kafka.buffer.memory", "33554432")
SUGGEST(MEMORY, "kafka", ROLE_SINK, "kafka.compression.type", "gzip")
SUGGEST(MEMORY, "kafka", ROLE_SINK, "kafka.acks", "1")
SUGGEST(MEMORY, "file", ROLE_SINK, "write_buffer_size", "524288")
SUGGEST(MEMORY, "file", ROLE_SINK, "memory_aware_flushing", "true")
SUGGEST(MEMORY, "file", ROLE_SINK, "gc_aware_writing", "true")

/* ---------------------------------------------------------------- LowLatency */

STRATEGY(LATENCY, "LowLatency", "Small batches that nobody waits for.")

PARAMETER(LATENCY, "batch.max_latency_ms", OPTION_DURATION, "100", 1, 3600e3, NULL, max_latency_ms,
	  "How long a record may take from being read to being written.")
PARAMETER(LATENCY, "batch.batch_size", OPTION_INTEGER, "10", 1, 1000000, NULL, size,
	  "Records of a batch.")
PARAMETER(LATENCY, "batch.immediate_processing", OPTION_BOOLEAN, "true", 0, 0, NULL, immediate,
	  "Whether records are processed as they come; if not, a batch waits for batch_size "
	  "records, half of max_latency_ms at most.")
PARAMETER(LATENCY, "batch.latency_monitoring", OPTION_BOOLEAN, "true", 0, 0, NULL, monitors,
	  "Whether batches above max_latency_ms are counted, and larger ones taken while there "
	  "are such.")

SWITCH(LATENCY, ROLE_SOURCE, "low_latency_mode")

SUGGEST(LATENCY, "kafka", ROLE_SOURCE, "kafka.fetch.min.bytes", "1")
SUGGEST(LATENCY, "kafka", ROLE_SOURCE, "kafka.fetch.max.wait.ms", "1")
SUGGEST(LATENCY, "kafka", ROLE_SOURCE, "kafka.max.poll.records", "=batch.batch_size")
SUGGEST(LATENCY, "kafka", ROLE_SOURCE, "kafka.heartbeat.interval.ms", "1000")
SUGGEST(LATENCY, "kafka", ROLE_SOURCE, "kafka.session.timeout.ms", "10000")
SUGGEST(LATENCY, "file", ROLE_SOURCE, "read_buffer_size", "4096")
SUGGEST(LATENCY, "file", ROLE_SOURCE, "poll_interval_ms", "1")
SUGGEST(LATENCY, "file", ROLE_SOURCE, "low_latency_mode", "true")
SUGGEST(LATENCY, "kafka", ROLE_SINK, "kafka.batch.size", "1024")
SUGGEST(LATENCY, "kafka", ROLE_SINK, "kafka.linger.ms", "0")
SUGGEST(LATENCY, "kafka", ROLE_SINK, "kafka.buffer.memory", "16777216")
SUGGEST(LATENCY, "kafka", ROLE_SINK, "kafka.compression.type", "none")
SUGGEST(LATENCY, "kafka", ROLE_SINK, "kafka.acks", "0")
SUGGEST(LATENCY, "kafka", ROLE_SINK, "kafka.retries", "0")
SUGGEST(LATENCY, "file", ROLE_SINK, "write_buffer_size", "4096")
SUGGEST(LATENCY, "file", ROLE_SINK, "immediate_flush", "true")
SUGGEST(LATENCY, "file", ROLE_SINK, "sync_frequency", "1")

#undef STRATEGY
#undef PARAMETER
#undef SUGGEST
#undef SWITCH
#undef ACTS
