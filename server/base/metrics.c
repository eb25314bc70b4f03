#include "base/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/process_metrics.h"

enum metric_type {
    COUNTER,
    GAUGE,
    HISTOGRAM,
    RATIO /* a gauge that is set in millionths */
};

/* Seconds: from a check answered out of memory (50 us) to the longest call we wait for (10 s). */
static const struct {
    int64_t ns;
    const char *text;
} bounds[] = {
    {INT64_C(50000), "5e-05"},
    {INT64_C(100000), "0.0001"},
    {INT64_C(250000), "0.00025"},
    {INT64_C(500000), "0.0005"},
    {INT64_C(1000000), "0.001"},
    {INT64_C(2500000), "0.0025"},
    {INT64_C(5000000), "0.005"},
    {INT64_C(10000000), "0.01"},
    {INT64_C(25000000), "0.025"},
    {INT64_C(50000000), "0.05"},
    {INT64_C(100000000), "0.1"},
    {INT64_C(250000000), "0.25"},
    {INT64_C(500000000), "0.5"},
    {INT64_C(1000000000), "1"},
    {INT64_C(2500000000), "2.5"},
    {INT64_C(5000000000), "5"},
    {INT64_C(10000000000), "10"},
};

#define BUCKETS (ARRAY_LEN(bounds) + 1) /* the last one has no bound */
#define CHAINS 64

struct metric_series {
    struct metric_series *_Atomic next; /* of its chain */
    const char *labels;                 /* "a=\"x\",b=\"y\"", or "" */
    const char *key;                    /* the values, each with its NUL */
    size_t key_len;
    _Atomic int64_t value; /* of a histogram: the sum, in nanoseconds */
    _Atomic uint64_t buckets[BUCKETS];
};

static const struct {
    enum metric_type type;
    const char *name;
    const char *help;
    const char *labels;
} metrics[METRIC_COUNT] = {
#define METRIC(id, type, name, help, labels) [METRIC_##id] = {type, name, help, labels},
#include "base/metrics.def"
#undef METRIC
};

/* Series are added in front of a chain and never removed, so readers take no lock. */
static struct {
    struct metric_series *_Atomic chains[CHAINS];
    struct metric_series other; /* also the only series of a metric without labels */
    char other_labels[128];
    size_t count; /* under the lock */
} registry[METRIC_COUNT];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* The next name of a list with commas; its length, 0 at the end. */
static size_t next_name(const char **list)
{
    *list += **list == ',' ? 1 : 0;
    return strcspn(*list, ",");
}

static size_t label_count(enum metric metric)
{
    const char *list = metrics[metric].labels;
    size_t count = 0;

    for (size_t len = next_name(&list); len > 0; len = next_name(&list)) {
        list += len;
        count++;
    }
    return count;
}

/* Prometheus wants the backslash, the quote and the end of the line escaped. */
static void write_label_value(struct buf *buf, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            buf_text(buf, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\') {
            buf_char(buf, '\\');
        }
        buf_char(buf, *value);
    }
}

/* values NULL: all are "other". */
static void write_labels(struct buf *buf, enum metric metric, const char *const *values)
{
    const char *list = metrics[metric].labels;
    size_t at = 0;

    for (size_t len = next_name(&list); len > 0; len = next_name(&list)) {
        buf_text(buf, at == 0 ? "" : ",");
        buf_add(buf, list, len);
        buf_text(buf, "=\"");
        write_label_value(buf, values == NULL ? "other" : values[at]);
        buf_text(buf, "\"");
        list += len;
        at++;
    }
}

static void prepare(void)
{
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        char *text = registry[metric].other_labels;
        const char *list = metrics[metric].labels;
        size_t at = 0;

        for (size_t len = next_name(&list); len > 0; len = next_name(&list)) {
            at += (size_t)snprintf(
                text + at,
                sizeof registry[metric].other_labels - at,
                "%s%.*s=\"other\"",
                at == 0 ? "" : ",",
                (int)len,
                list);
            list += len;
        }
        registry[metric].other.labels = text;
    }
}

static struct metric_series *
search(struct metric_series *_Atomic *chain, const char *key, size_t key_len)
{
    struct metric_series *series = atomic_load_explicit(chain, memory_order_acquire);

    while (series != NULL) {
        if (series->key_len == key_len && memcmp(series->key, key, key_len) == 0) {
            return series;
        }
        series = atomic_load_explicit(&series->next, memory_order_acquire);
    }
    return NULL;
}

static struct metric_series *
new_series(enum metric metric, const char *const *values, const char *key, size_t key_len)
{
    AUTO_BUF labels;
    struct metric_series *series = heap_new(sizeof *series);
    char *key_copy = heap_new(key_len);
    char *labels_copy = NULL;

    buf_init(&labels, 4096);
    write_labels(&labels, metric, values);
    labels_copy = heap_text(buf_cstr(&labels));
    if (series == NULL || key_copy == NULL || labels_copy == NULL || buf_failed(&labels)) {
        heap_free(series);
        heap_free(key_copy);
        heap_free(labels_copy);
        return NULL;
    }
    memcpy(key_copy, key, key_len);
    series->key = key_copy;
    series->key_len = key_len;
    series->labels = labels_copy;
    return series;
}

struct metric_series *metric_series(enum metric metric, const char *const *values)
{
    const size_t count = label_count(metric);
    char key[512];
    size_t key_len = 0;
    struct metric_series *_Atomic *chain = NULL;
    struct metric_series *series = NULL;

    assert(values != NULL || count == 0);
    pthread_once(&prepared, prepare);
    for (size_t i = 0; i < count; i++) {
        const size_t size = strlen(values[i]) + 1;

        if (size > sizeof key - key_len) {
            return &registry[metric].other;
        }
        memcpy(key + key_len, values[i], size);
        key_len += size;
    }
    if (count == 0) {
        return &registry[metric].other;
    }
    chain = &registry[metric].chains[hash_bytes(key, key_len) % CHAINS];
    series = search(chain, key, key_len);
    if (series != NULL) {
        return series;
    }
    pthread_mutex_lock(&lock);
    series = search(chain, key, key_len);
    if (series == NULL && registry[metric].count < METRIC_SERIES_MAX) {
        series = new_series(metric, values, key, key_len);
        if (series != NULL) {
            registry[metric].count++;
            atomic_store(&series->next, atomic_load(chain));
            atomic_store_explicit(chain, series, memory_order_release);
        }
    }
    pthread_mutex_unlock(&lock);
    return series == NULL ? &registry[metric].other : series;
}

void metric_add(struct metric_series *series, int64_t n)
{
    atomic_fetch_add_explicit(&series->value, n, memory_order_relaxed);
}

void metric_set(struct metric_series *series, int64_t value)
{
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void metric_observe(struct metric_series *series, double seconds)
{
    const int64_t ns = seconds > 0 && seconds < 9e9 ? (int64_t)(seconds * 1e9) : 0;
    size_t bucket = 0;

    while (bucket < ARRAY_LEN(bounds) && ns > bounds[bucket].ns) {
        bucket++;
    }
    atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&series->value, ns, memory_order_relaxed);
}

void metric_count(enum metric metric)
{
    metric_add(metric_series(metric, NULL), 1);
}

void metric_gauge(enum metric metric, int64_t value)
{
    metric_set(metric_series(metric, NULL), value);
}

static uint64_t bucket_sum(const struct metric_series *series)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        sum += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
    }
    return sum;
}

/* The count is the sum of the buckets that were written, so that one scrape is true in itself. */
static void write_histogram(struct buf *buf, const char *name, const struct metric_series *series)
{
    const int64_t sum_ns = atomic_load_explicit(&series->value, memory_order_relaxed);
    const char *comma = series->labels[0] == '\0' ? "" : ",";
    const char *open = series->labels[0] == '\0' ? "" : "{";
    const char *close = series->labels[0] == '\0' ? "" : "}";
    uint64_t count = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        buf_printf(
            buf,
            "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n",
            name,
            series->labels,
            comma,
            i < ARRAY_LEN(bounds) ? bounds[i].text : "+Inf",
            count);
    }
    buf_printf(
        buf,
        "%s_sum%s%s%s %" PRId64 ".%09" PRId64 "\n",
        name,
        open,
        series->labels,
        close,
        sum_ns / 1000000000,
        sum_ns % 1000000000);
    buf_printf(buf, "%s_count%s%s%s %" PRIu64 "\n", name, open, series->labels, close, count);
}

static void write_ratio(struct buf *buf, const char *name, const struct metric_series *series)
{
    const int64_t value = atomic_load_explicit(&series->value, memory_order_relaxed);

    buf_printf(buf, "%s %" PRId64 ".%06" PRId64 "\n", name, value / 1000000, value % 1000000);
}

static void write_series(struct buf *buf, enum metric metric, const struct metric_series *series)
{
    const bool labelled = series->labels[0] != '\0';

    if (metrics[metric].type == HISTOGRAM) {
        write_histogram(buf, metrics[metric].name, series);
        return;
    }
    if (metrics[metric].type == RATIO) {
        write_ratio(buf, metrics[metric].name, series);
        return;
    }
    buf_printf(
        buf,
        "%s%s%s%s %" PRId64 "\n",
        metrics[metric].name,
        labelled ? "{" : "",
        series->labels,
        labelled ? "}" : "",
        atomic_load_explicit(&series->value, memory_order_relaxed));
}

static void write_metric(struct buf *buf, enum metric metric)
{
    static const char *const type_names[] = {"counter", "gauge", "histogram", "gauge"};
    const struct metric_series *other = &registry[metric].other;

    buf_printf(
        buf,
        "# HELP %s %s\n# TYPE %s %s\n",
        metrics[metric].name,
        metrics[metric].help,
        metrics[metric].name,
        type_names[metrics[metric].type]);
    for (size_t i = 0; i < CHAINS; i++) {
        const struct metric_series *series = atomic_load(&registry[metric].chains[i]);

        for (; series != NULL; series = atomic_load(&series->next)) {
            write_series(buf, metric, series);
        }
    }
    if (metrics[metric].labels[0] == '\0' || other->value != 0 || bucket_sum(other) != 0) {
        write_series(buf, metric, other);
    }
}

void metrics_write(struct buf *buf)
{
    pthread_once(&prepared, prepare);
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        write_metric(buf, metric);
    }
    process_metrics_write(buf);
}
