/* connector/kafka_property_list.h -- names of the Java clients and what they are in librdkafka.
 *
 * PROPERTY(java, librdkafka, divisor)
 *   divisor  the Java value is divided by it (bytes to kilobytes); 1 for most
 *
 * Names that both have alike are not listed.  Properties that the engine must own are in
 * OWNED(name, reason): giving them is an error. */
#ifndef PROPERTY
#error "define PROPERTY and OWNED before including connector/kafka_property_list.h"
#endif

PROPERTY("fetch.max.wait.ms", "fetch.wait.max.ms", 1)
PROPERTY("receive.buffer.bytes", "socket.receive.buffer.bytes", 1)
PROPERTY("send.buffer.bytes", "socket.send.buffer.bytes", 1)
PROPERTY("buffer.memory", "queue.buffering.max.kbytes", 1024)
PROPERTY("max.request.size", "message.max.bytes", 1)
PROPERTY("request.timeout.ms", "socket.timeout.ms", 1)
PROPERTY("metadata.max.age.ms", "topic.metadata.refresh.interval.ms", 1)
PROPERTY("reconnect.backoff.max.ms", "reconnect.backoff.max.ms", 1)

OWNED("enable.auto.commit", "positions are committed when the output is safe")
OWNED("enable.auto.offset.store", "positions are committed when the output is safe")
OWNED("enable.partition.eof", "the reader needs it as it is")

#undef PROPERTY
#undef OWNED
