/* exec/op_port.c -- the last operator of a branch: it hands on to one of several inputs of another.
 *
 * Threads: one operator belongs to one task. */
#include "exec/operator.h"

typedef struct PortOp {
	Operator base; /* `next` is the operator of several inputs */
	uint32_t index;
} PortOp;

static Status
port_push(Operator *op, Batch *batch, Error *err)
{
	op->next->rows_in += batch->sel_count;
	return op->next->class->push_from(op->next, ((PortOp *)op)->index, batch, err);
}

static Status
port_advance(Operator *op, int64_t watermark, Error *err)
{
	return op->next->class->advance_from(op->next, ((PortOp *)op)->index, watermark, err);
}

static Status
port_finish(Operator *op, Error *err)
{
	return op->next->class->finish_from(op->next, ((PortOp *)op)->index, err);
}

/* The clock concerns the sources of each branch by itself. */
static Status
port_tick(Operator *op, const Tick *tick, Error *err)
{
	(void)op;
	(void)tick;
	(void)err;
	return FERRIS_OK;
}

static void
port_close(Operator *op)
{
	(void)op;
}

static const OperatorClass port_class = {
	.name = "Port",
	.size = sizeof(PortOp),
	.push = port_push,
	.advance = port_advance,
	.finish = port_finish,
	.tick = port_tick,
	.close = port_close,
	.stateless = true,
};

Operator *
port_new(Arena *arena, Operator *owner, uint32_t index)
{
	PortOp *port = ARENA_NEW(arena, PortOp);

	port->base.class = &port_class;
	port->base.next = owner;
	port->index = index;
	return &port->base;
}
