-- Set batch strategy for all sources/sinks in the job
CREATE STREAM my_stream AS 
SELECT * FROM source_stream 
WITH (
    'batch.strategy' = 'FixedSize',
    'batch.batch_size' = '1000',
    'batch.enable_batching' = 'true'
);
-- Configure batch settings for specific source
CREATE STREAM orders AS
SELECT * FROM kafka_source
WITH (
    'kafka.bootstrap.servers' = 'localhost:9092',
    'kafka.topic' = 'orders',
    'source.batch.strategy' = 'TimeWindow',
    'source.batch.window_duration_ms' = '5000',
    'source.batch.max_batch_size' = '10000'
);
-- Configure batch settings for specific sink
INSERT INTO kafka_sink
SELECT * FROM processed_orders
WITH (
    'kafka.bootstrap.servers' = 'localhost:9092',
    'kafka.topic' = 'processed_orders',
    'sink.batch.strategy' = 'MemoryBased',
    'sink.batch.target_memory_usage' = '0.8',
    'sink.batch.max_batch_size' = '5000'
);
CREATE STREAM fixed_batch_stream AS
SELECT customer_id, amount, timestamp 
FROM orders
WITH (
    'batch.strategy' = 'FixedSize',
    'batch.batch_size' = '1000',
    'batch.enable_batching' = 'true',
    'batch.timeout_ms' = '30000',
    'kafka.fetch.min.bytes' = '1024',
    'kafka.max.poll.records' = '1000',
    'kafka.batch.size' = '32768',
    'kafka.linger.ms' = '10',
    'kafka.compression.type' = 'lz4'
);
CREATE STREAM time_window_stream AS
SELECT customer_id, COUNT(*) as order_count, 
       TUMBLE_START(timestamp, INTERVAL '5' SECONDS) as window_start
FROM orders
GROUP BY customer_id, TUMBLE(timestamp, INTERVAL '5' SECONDS)
WITH (
    'batch.strategy' = 'TimeWindow',
    'batch.window_duration_ms' = '5000',
    'batch.max_batch_size' = '10000',
    'batch.window_alignment' = 'processing_time',
    'kafka.fetch.max.wait.ms' = '100',
    'kafka.linger.ms' = '5',
    'kafka.compression.type' = 'lz4'
);
CREATE STREAM adaptive_stream AS
SELECT * FROM high_volume_orders
WITH (
    'batch.strategy' = 'AdaptiveSize',
    'batch.initial_batch_size' = '1000',
    'batch.max_batch_size' = '10000',
    'batch.min_batch_size' = '100',
    'batch.adaptation_factor' = '1.5',
    'batch.performance_window_ms' = '10000',
    'kafka.fetch.max.bytes' = '104857600',
    'kafka.batch.size' = '65536',
    'kafka.compression.type' = 'snappy'
);
CREATE STREAM memory_aware_stream AS
SELECT * FROM large_records_stream
WITH (
    'batch.strategy' = 'MemoryBased',
    'batch.target_memory_usage' = '0.8',
    'batch.min_batch_size' = '100',
    'batch.max_batch_size' = '5000',
    'batch.memory_check_frequency_ms' = '5000',
    'kafka.fetch.max.bytes' = '10485760',
    'kafka.batch.size' = '16384',
    'kafka.compression.type' = 'gzip'
);
CREATE STREAM low_latency_stream AS
SELECT alert_id, severity, timestamp 
FROM critical_alerts
WHERE severity = 'CRITICAL'
WITH (
    'batch.strategy' = 'LowLatency',
    'batch.max_latency_ms' = '100',
    'batch.batch_size' = '10',
    'batch.immediate_processing' = 'true',
    'kafka.fetch.max.wait.ms' = '1',
    'kafka.batch.size' = '1024',
    'kafka.linger.ms' = '0',
    'kafka.compression.type' = 'none',
    'kafka.acks' = '0'
);
