/* cli/advice.c -- the rules; docs/performance.md has what each strategy was measured to do. */
#include "cli/advice.h"

#define MEMORY_TIGHT 0.7   /* of the memory in use: little is left for batches */
#define UNEVEN       0.5   /* the rate's variation */
#define LATENCY_RATE 50000 /* records/s that batches of ten can take, with room to spare */

Advice
advise(const Sample *sample)
{
	double rate = sample->seconds > 0 ? (double)sample->records / sample->seconds : 0;

	if (sample->memory >= MEMORY_TIGHT)
		return (Advice){
			BATCH_MEMORY, NULL, NULL,
			"little memory is left: batches that shrink with it keep the process "
			"alive"};
	if (sample->behind && sample->variation >= UNEVEN)
		return (Advice){
			BATCH_ADAPTIVE, NULL, NULL,
			"the source has more than the query takes, at an uneven rate: the size "
			"that is fastest has to be found, and found again"};
	if (sample->behind)
		return (Advice){
			BATCH_FIXED, "batch.batch_size", "10000",
			"the source always has more: large batches of one size cost least, and "
			"no record waits for a batch to fill"};
	if (sample->variation >= UNEVEN)
		return (Advice){
			BATCH_ADAPTIVE, NULL, NULL,
			"records come in bursts: small batches between them, large ones in them"};
	if (sample->grouped)
		return (Advice){
			BATCH_WINDOW, "batch.window_duration_ms", "1000",
			"results come when windows close: reading once a second costs less and "
			"delays them little"};
	if (rate <= LATENCY_RATE)
		return (Advice){
			BATCH_LATENCY, NULL, NULL,
			"records come evenly, and slowly enough for small batches: none need "
			"wait"};
	return (Advice){BATCH_FIXED, NULL, NULL,
			"records come evenly and fast: batches fill in no time, and cost less than "
			"single records"};
}
