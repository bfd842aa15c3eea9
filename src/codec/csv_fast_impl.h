/* codec/csv_fast_impl.h -- the body of the fast scanner; see codec/csv_fast.h.
 *
 * The including file defines CSV_FAST_SCAN (the function's name), CSV_TARGET (an attribute) and
 * CsvClasses with csv_classes_make and csv_classify: 64 bytes to three masks, bit i for byte i. */

/* The bounds of the wanted fields of record `i`, whose fields end at `ends`. */
CSV_TARGET static inline void
store_slots(CsvScan *scan, uint32_t i, uint32_t start, const uint32_t *ends)
{
	for (uint32_t s = 0; s < scan->slot_count; s++) {
		uint32_t place = scan->slots[s].place;
		uint32_t from = place > 0 ? ends[place - 1] + 1 : start;

		scan->slots[s].fields[i] = (CsvField){from, ends[place] - from};
	}
}

/* A record whose line end is not among its first 64 bytes.  False if it is not plain. */
CSV_TARGET static bool
scan_long(CsvScan *scan, const CsvClasses *classes)
{
	uint32_t *ends = scan->ends;
	uint32_t found = 0, count = 1;
	size_t p = scan->next;
	CsvMasks masks;

	for (;; p += 64) {
		if (p + 64 > scan->len)
			return false;
		masks = csv_classify(classes, scan->data + p);
		uint64_t inside =
			masks.newline != 0 ? (masks.newline & -masks.newline) - 1 : UINT64_MAX;
		if ((masks.quote & inside) != 0)
			return false;
		uint64_t delimiters = masks.delimiter & inside;
		count += (uint32_t)__builtin_popcountll(delimiters);
		for (; delimiters != 0 && found <= scan->last_place; delimiters &= delimiters - 1)
			ends[found++] = (uint32_t)p + (uint32_t)__builtin_ctzll(delimiters);
		if (masks.newline != 0)
			break;
	}
	p += (size_t)__builtin_ctzll(masks.newline);
	if (count != scan->field_count)
		return false;
	size_t end = p - (scan->data[p - 1] == '\r');
	if (found <= scan->last_place)
		ends[found] = (uint32_t)end;
	if (end < scan->next || end - scan->next > CSV_FIELD_LEN)
		return false;
	uint32_t start = (uint32_t)scan->next;
	scan->ranges[scan->count] = (RecordRange){start, (uint32_t)end - start, scan->line++};
	store_slots(scan, scan->count++, start, ends);
	scan->next = p + 1;
	return true;
}

CSV_TARGET void
CSV_FAST_SCAN(CsvScan *scan)
{
	const CsvClasses classes = csv_classes_make(scan->delimiter, scan->quote);
	const uint32_t last_place = scan->last_place;
	const uint32_t delimiter_count = scan->field_count - 1;
	uint32_t ends[64];

	while (scan->count < scan->room && scan->next + 64 <= scan->len) {
		const char *data = scan->data + scan->next;
		uint32_t start = (uint32_t)scan->next;
		CsvMasks masks = csv_classify(&classes, data);

		if (masks.newline == 0) {
			if (!scan_long(scan, &classes))
				return;
			continue;
		}
		uint64_t newline = masks.newline & -masks.newline;
		uint64_t delimiters = masks.delimiter & (newline - 1);
		if ((masks.quote & (newline - 1)) != 0 ||
		    (uint32_t)__builtin_popcountll(delimiters) != delimiter_count || newline == 1)
			return;
		uint32_t len = (uint32_t)__builtin_ctzll(newline);
		uint32_t end = len - (data[len - 1] == '\r');
		uint64_t stops = delimiters | UINT64_C(1) << end;
		for (uint32_t f = 0; f <= last_place; f++, stops &= stops - 1)
			ends[f] = start + (uint32_t)__builtin_ctzll(stops);
		scan->ranges[scan->count] = (RecordRange){start, end, scan->line++};
		store_slots(scan, scan->count++, start, ends);
		scan->next += len + 1;
	}
}
