/* base/str.c -- trimming and "did you mean". */
#include "base/str.h"

#include <ctype.h>

#define DISTANCE_MAX_LENGTH 64

Str
str_trim(Str s)
{
	while (s.len > 0 && isspace((unsigned char)s.data[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && isspace((unsigned char)s.data[s.len - 1]))
		s.len--;
	return s;
}

unsigned
str_distance(Str a, Str b)
{
	unsigned row[DISTANCE_MAX_LENGTH + 1];

	if (a.len > DISTANCE_MAX_LENGTH || b.len > DISTANCE_MAX_LENGTH)
		return DISTANCE_MAX_LENGTH;
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			bool same = tolower((unsigned char)a.data[i - 1]) ==
				    tolower((unsigned char)b.data[j - 1]);
			unsigned best = diagonal + !same;

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b.len];
}

const char *
str_article(Str word)
{
	return word.len > 0 && strchr("AEIOUaeiou", word.data[0]) != NULL ? "an" : "a";
}

Str
str_nearest(Str wanted, const Str *candidates, size_t count)
{
	Str nearest = {NULL, 0};
	unsigned limit = wanted.len / 3 + 1;

	for (size_t i = 0; i < count; i++) {
		unsigned distance = str_distance(wanted, candidates[i]);

		if (distance < candidates[i].len && distance <= limit) {
			nearest = candidates[i];
			limit = distance > 0 ? distance - 1 : 0;
			if (distance == 0)
				break;
		}
	}
	return nearest;
}
