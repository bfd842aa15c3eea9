/* func/aggregate_list.h -- every aggregate function, one row per overload.
 *
 * AGGREGATE(name, arguments, result, family, kind, emit, flags, signature, doc)
 *
 *   name       in SQL, in capitals; further names after '|'
 *   arguments  one word per argument, as in func/scalar_list.h
 *   result     rule that gives the result type
 *   family     prefix of the functions over the state: family_open, _add, _merge, _save, _load
 *   kind       which further functions the family has: PLAIN none, RETRACT family_retract, HEAP
 *              family_release, HEAP_RETRACT both
 *   emit       makes the result from the state
 *   flags      AGGREGATE_*
 *   signature  as documented and as shown in errors;  doc: one sentence
 *
 * Of the rows that fit, the one that needs the least conversion wins; of equals, the first. */
#ifndef AGGREGATE
#error "define AGGREGATE before including func/aggregate_list.h"
#endif

#define ORDERED  AGGREGATE_ORDERED
#define NO_NULL  AGGREGATE_NO_NULL
#define DISTINCT AGGREGATE_DISTINCT

/* ---- func/aggregate_sum.c: counts and exact sums ---- */
AGGREGATE("COUNT", "ANY*", result_bigint, count, RETRACT, count_emit, NO_NULL,
          "COUNT(*)", "The number of rows.")
AGGREGATE("COUNT", "ANY*", result_bigint, count, RETRACT, count_emit, NO_NULL,
          "COUNT(x[, ...])", "The number of rows where no argument is NULL.")
AGGREGATE("SUM", "EXACT", aggregate_result_sum, sum, RETRACT, sum_emit, 0,
          "SUM(x)", "The sum, exact: DECIMAL of 38 digits with the scale of x; DOUBLE for doubles.")
AGGREGATE("AVG|MEAN", "EXACT", aggregate_result_average, sum, RETRACT, average_emit, 0,
          "AVG(x)",
          "The mean, exact before one rounding half up to the scale of x and at least 6 digits.")

/* ---- func/aggregate_real.c: sums of doubles ---- */
AGGREGATE("SUM", "DOUBLE", result_double, real_sum, HEAP_RETRACT, real_sum_emit, 0,
          "SUM(x)", "The sum, exact: DECIMAL of 38 digits with the scale of x; DOUBLE for doubles.")
AGGREGATE("AVG|MEAN", "DOUBLE", result_double, real_sum, HEAP_RETRACT, real_average_emit, 0,
          "AVG(x)",
          "The mean, exact before one rounding half up to the scale of x and at least 6 digits.")

/* ---- func/aggregate_extreme.c ---- */
AGGREGATE("MIN", "ANY", aggregate_result_comparable, min, HEAP, extreme_emit, 0,
          "MIN(x)", "The smallest value.")
AGGREGATE("MAX", "ANY", aggregate_result_comparable, max, HEAP, extreme_emit, 0,
          "MAX(x)", "The largest value; NaN is larger than all other numbers.")

#undef ORDERED
#undef NO_NULL
#undef DISTINCT
#undef AGGREGATE
