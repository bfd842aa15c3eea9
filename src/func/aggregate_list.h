/* func/aggregate_list.h -- every aggregate function, one row per overload.
 *
 * AGGREGATE(name, arguments, result, family, kind, emit, flags, signature, doc)
 *
 *   name       in SQL, in capitals; further names after '|'
 *   arguments  one word per argument, as in func/scalar_list.h
 *   result     rule that gives the result type
 *   family     prefix of the functions over the state: family_open, _add, _merge, _save, _load
 *   kind       which further functions the family has: PLAIN none, SUMS family_retract and _unmerge,
 *              HEAP family_release, HEAP_RETRACT that and family_retract
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
AGGREGATE("COUNT", "ANY*", result_bigint, count, SUMS, count_emit, NO_NULL,
          "COUNT(*)", "The number of rows.")
AGGREGATE("COUNT", "ANY*", result_bigint, count, SUMS, count_emit, NO_NULL,
          "COUNT(x[, ...])", "The number of rows where no argument is NULL.")
AGGREGATE("SUM", "EXACT", aggregate_result_sum, sum, SUMS, sum_emit, 0,
          "SUM(x)", "The sum, exact: DECIMAL of 38 digits with the scale of x; DOUBLE for doubles.")
AGGREGATE("AVG|MEAN", "EXACT", aggregate_result_average, sum, SUMS, average_emit, 0,
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

/* ---- func/aggregate_spread.c: variances and weighted means, exact ---- */
AGGREGATE("VARIANCE|VAR_SAMP", "EXACT", aggregate_result_average, spread, SUMS,
          variance_sample_emit, 0, "VARIANCE(x)",
          "The variance of a sample (over n - 1), exact before one rounding; NULL for one row.")
AGGREGATE("VAR_POP", "EXACT", aggregate_result_average, spread, SUMS, variance_whole_emit, 0,
          "VAR_POP(x)", "The variance of all there is (over n), exact before one rounding.")
AGGREGATE("STDDEV|STDDEV_SAMP", "EXACT", aggregate_result_average, spread, SUMS,
          deviation_sample_emit, 0, "STDDEV(x)",
          "The standard deviation of a sample, exact before one rounding; NULL for one row.")
AGGREGATE("STDDEV_POP", "EXACT", aggregate_result_average, spread, SUMS, deviation_whole_emit, 0,
          "STDDEV_POP(x)", "The standard deviation of all there is, exact before one rounding.")
AGGREGATE("VWAP", "EXACT EXACT", aggregate_result_average, weighted, SUMS, vwap_emit, 0,
          "VWAP(price, quantity)",
          "SUM(price * quantity) / SUM(quantity), exact before one rounding.")

/* ---- func/aggregate_moments.c: the same of doubles; correlation and regression ---- */
AGGREGATE("VARIANCE|VAR_SAMP", "DOUBLE", result_double, moments, HEAP_RETRACT,
          real_variance_sample_emit, 0, "VARIANCE(x)",
          "The variance of a sample (over n - 1), exact before one rounding; NULL for one row.")
AGGREGATE("VAR_POP", "DOUBLE", result_double, moments, HEAP_RETRACT, real_variance_whole_emit, 0,
          "VAR_POP(x)", "The variance of all there is (over n), exact before one rounding.")
AGGREGATE("STDDEV|STDDEV_SAMP", "DOUBLE", result_double, moments, HEAP_RETRACT,
          real_deviation_sample_emit, 0, "STDDEV(x)",
          "The standard deviation of a sample, exact before one rounding; NULL for one row.")
AGGREGATE("STDDEV_POP", "DOUBLE", result_double, moments, HEAP_RETRACT,
          real_deviation_whole_emit, 0, "STDDEV_POP(x)",
          "The standard deviation of all there is, exact before one rounding.")
AGGREGATE("VWAP", "DOUBLE DOUBLE", result_double, moments, HEAP_RETRACT, real_vwap_emit, 0,
          "VWAP(price, quantity)",
          "SUM(price * quantity) / SUM(quantity), exact before one rounding.")
AGGREGATE("CORR", "DOUBLE DOUBLE", result_double, pairs, HEAP_RETRACT, corr_emit, 0,
          "CORR(y, x)", "Pearson's correlation; NULL where one of the two does not vary.")
AGGREGATE("COVAR_POP", "DOUBLE DOUBLE", result_double, pairs, HEAP_RETRACT, covar_pop_emit, 0,
          "COVAR_POP(y, x)", "The covariance of all there is (over n).")
AGGREGATE("COVAR_SAMP", "DOUBLE DOUBLE", result_double, pairs, HEAP_RETRACT, covar_samp_emit, 0,
          "COVAR_SAMP(y, x)", "The covariance of a sample (over n - 1); NULL for one row.")
AGGREGATE("REGR_SLOPE", "DOUBLE DOUBLE", result_double, pairs, HEAP_RETRACT, regr_slope_emit, 0,
          "REGR_SLOPE(y, x)", "The slope of the line of least squares; NULL where x does not vary.")
AGGREGATE("REGR_INTERCEPT", "DOUBLE DOUBLE", result_double, pairs, HEAP_RETRACT,
          regr_intercept_emit, 0, "REGR_INTERCEPT(y, x)",
          "Where the line of least squares is at x = 0; NULL where x does not vary.")
AGGREGATE("REGR_R2", "DOUBLE DOUBLE", result_double, pairs, HEAP_RETRACT, regr_r2_emit, 0,
          "REGR_R2(y, x)",
          "The square of the correlation; 1 where only y does not vary, NULL where x does not.")
AGGREGATE("REGR_COUNT", "DOUBLE DOUBLE", result_bigint, count, SUMS, count_emit, NO_NULL,
          "REGR_COUNT(y, x)", "The number of rows where neither is NULL.")

/* ---- func/aggregate_small.c ---- */
AGGREGATE("BOOL_AND|EVERY", "BOOLEAN", result_boolean, truth, SUMS, bool_and_emit, 0,
          "BOOL_AND(x)", "Whether x is true in all rows.")
AGGREGATE("BOOL_OR", "BOOLEAN", result_boolean, truth, SUMS, bool_or_emit, 0,
          "BOOL_OR(x)", "Whether x is true in any row.")
AGGREGATE("DELTA", "NUMBER", aggregate_result_delta, range, PLAIN, delta_emit, 0,
          "DELTA(x)", "The largest value minus the smallest.")

/* ---- func/aggregate_sample.c ---- */
AGGREGATE("MEDIAN", "EXACT", aggregate_result_average, sample, HEAP_RETRACT,
          percentile_cont_emit, 0, "MEDIAN(x)",
          "The value in the middle, or the mean of the two.")
AGGREGATE("MEDIAN", "DOUBLE", result_double, sample, HEAP_RETRACT, percentile_cont_emit, 0,
          "MEDIAN(x)", "The value in the middle, or the mean of the two.")
AGGREGATE("PERCENTILE_CONT", "EXACT NUMBER", aggregate_result_average, sample, HEAP_RETRACT,
          percentile_cont_emit, AGGREGATE_WITHIN,
          "PERCENTILE_CONT(fraction) WITHIN GROUP (ORDER BY x) or PERCENTILE_CONT(x, fraction)",
          "The value below which the fraction of all values lies, interpolated between two.")
AGGREGATE("PERCENTILE_CONT", "DOUBLE NUMBER", result_double, sample, HEAP_RETRACT,
          percentile_cont_emit, AGGREGATE_WITHIN,
          "PERCENTILE_CONT(fraction) WITHIN GROUP (ORDER BY x) or PERCENTILE_CONT(x, fraction)",
          "The value below which the fraction of all values lies, interpolated between two.")
AGGREGATE("PERCENTILE_DISC", "ANY NUMBER", aggregate_result_comparable, sample, HEAP_RETRACT,
          percentile_disc_emit, AGGREGATE_WITHIN,
          "PERCENTILE_DISC(fraction) WITHIN GROUP (ORDER BY x) or PERCENTILE_DISC(x, fraction)",
          "The first value, in order, that at least the fraction of all values does not exceed.")

/* ---- func/aggregate_first.c ---- */
AGGREGATE("FIRST|FIRST_VALUE", "ANY", result_first, first, HEAP, outermost_emit, ORDERED,
          "FIRST(x)", "The first value that is not NULL, by ORDER BY or in the order of the rows.")
AGGREGATE("LAST|LAST_VALUE", "ANY", result_first, last, HEAP, outermost_emit, ORDERED,
          "LAST(x)", "The last value that is not NULL, by ORDER BY or in the order of the rows.")

/* ---- func/aggregate_array.c ---- */
AGGREGATE("ARRAY_AGG|COLLECT|COLLECT_LIST", "ANY", aggregate_result_array, array, HEAP_RETRACT,
          array_emit, ORDERED, "ARRAY_AGG(x [ORDER BY y])",
          "All values that are not NULL as an array, by ORDER BY or in the order of the rows.")
AGGREGATE("STRING_AGG|LISTAGG|GROUP_CONCAT", "TEXT TEXT?", result_string, array, HEAP_RETRACT,
          joined_emit, ORDERED, "STRING_AGG(x[, separator] [ORDER BY y])",
          "All values that are not NULL as one text, with the separator (a comma) between them.")

/* ---- distinct values: func/aggregate_distinct.c, func/aggregate_sketch.c ---- */
AGGREGATE("COUNT_DISTINCT", "ANY", result_bigint, count, SUMS, count_emit, NO_NULL | DISTINCT,
          "COUNT_DISTINCT(x)", "The number of different values; the same as COUNT(DISTINCT x).")
AGGREGATE("APPROX_COUNT_DISTINCT", "ANY", result_bigint, sketch, HEAP, sketch_emit, NO_NULL,
          "APPROX_COUNT_DISTINCT(x)",
          "About how many different values: exact to 1024, then with a standard error of 0.8 %.")

#undef ORDERED
#undef NO_NULL
#undef DISTINCT
#undef AGGREGATE
