#pragma once

/* Counters, gauges and histograms, written as Prometheus text. All names stand in metrics.def, with
 * help text and label names; no label value comes from user input. Thread-safe: values are atomics,
 * a new label combination takes a lock. Bounded: at most METRIC_SERIES_MAX combinations a metric,
 * the rest is counted under the label values "other". */

#include <stddef.h>
#include <stdint.h>

struct buf;

/* METRIC(ID, type, "billingos_name", "help", "label1,label2"). A RATIO has no labels and is set
 * in millionths. */
enum metric {
#define METRIC(id, type, name, help, labels) METRIC_##id,
#include "base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

#define METRIC_SERIES_MAX 512
#define METRIC_LABELS_MAX 4

/* One combination of label values, kept by callers on hot paths. Never NULL, never freed. */
struct metric_series;

/* values has as many texts as the metric has labels, in their order; they are copied. */
struct metric_series *metric_series(enum metric metric, const char *const *values);

void metric_add(struct metric_series *series, int64_t n);          /* counter, gauge */
void metric_set(struct metric_series *series, int64_t value);      /* gauge */
void metric_observe(struct metric_series *series, double seconds); /* histogram */

/* For metrics without labels. */
void metric_count(enum metric metric);
void metric_gauge(enum metric metric, int64_t value);

/* Appends everything, with the process_* metrics and build info. */
void metrics_write(struct buf *buf);
