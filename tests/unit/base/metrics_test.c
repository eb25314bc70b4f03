#include "base/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/heap.h"

/* The registry is one per process: each test uses metrics of its own. */

static void assert_written(const char *line)
{
    AUTO_BUF buf;

    buf_init(&buf, 1 << 20);
    metrics_write(&buf);
    assert_false(buf_failed(&buf));
    if (strstr(buf_cstr(&buf), line) == NULL) {
        fail_msg("\"%s\" is not in\n%s", line, buf_cstr(&buf));
    }
}

static void a_metric_without_labels_is_there_from_the_start(void **state)
{
    (void)state;
    assert_written("# HELP billingos_rpc_server_inflight Calls being answered now.\n"
                   "# TYPE billingos_rpc_server_inflight gauge\n"
                   "billingos_rpc_server_inflight 0\n");
    metric_gauge(METRIC_RPC_INFLIGHT, 3);
    metric_add(metric_series(METRIC_RPC_INFLIGHT, NULL), -1);
    assert_written("\nbillingos_rpc_server_inflight 2\n");
    metric_count(METRIC_ENTITLEMENT_CACHE_HITS);
    metric_count(METRIC_ENTITLEMENT_CACHE_HITS);
    assert_written("# TYPE billingos_entitlement_cache_hits_total counter\n"
                   "billingos_entitlement_cache_hits_total 2\n");
}

static void one_combination_of_values_is_one_series(void **state)
{
    char first[] = "customer.created";
    const char *const created[] = {first, "stored"};
    const char *const repeated[] = {"customer.created", "duplicate"};
    struct metric_series *series = metric_series(METRIC_WEBHOOK_EVENTS, created);

    (void)state;
    assert_ptr_equal(metric_series(METRIC_WEBHOOK_EVENTS, created), series);
    assert_ptr_not_equal(metric_series(METRIC_WEBHOOK_EVENTS, repeated), series);
    metric_add(series, 5);
    metric_add(metric_series(METRIC_WEBHOOK_EVENTS, repeated), 1);
    first[0] = 'x'; /* the values were copied */
    assert_written(
        "\nbillingos_webhook_events_total{type=\"customer.created\",result=\"stored\"} 5\n");
    assert_written(
        "\nbillingos_webhook_events_total{type=\"customer.created\",result=\"duplicate\"} 1\n");
}

static void label_values_are_escaped(void **state)
{
    const char *const values[] = {"a\"b\\c\nd"};

    (void)state;
    metric_add(metric_series(METRIC_DB_RETRIES, values), 1);
    assert_written("\nbillingos_db_retries_total{reason=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void observations_fall_into_buckets_that_add_up(void **state)
{
    const char *const values[] = {"e"};
    struct metric_series *series = metric_series(METRIC_STRIPE_REQUEST_DURATION, values);

    (void)state;
    metric_observe(series, 0.00001);
    metric_observe(series, 0.00005);
    metric_observe(series, 0.00006);
    metric_observe(series, 0.3);
    metric_observe(series, 12);
    metric_observe(series, -1); /* a clock that went back counts as no time */
    metric_observe(series, 0.0);
    assert_written("# TYPE billingos_stripe_request_duration_seconds histogram\n");
    assert_written("{endpoint=\"e\",le=\"5e-05\"} 4\n");
    assert_written("{endpoint=\"e\",le=\"0.0001\"} 5\n");
    assert_written("{endpoint=\"e\",le=\"0.25\"} 5\n");
    assert_written("{endpoint=\"e\",le=\"0.5\"} 6\n");
    assert_written("{endpoint=\"e\",le=\"10\"} 6\n");
    assert_written("{endpoint=\"e\",le=\"+Inf\"} 7\n");
    assert_written("_duration_seconds_sum{endpoint=\"e\"} 12.300120000\n");
    assert_written("_duration_seconds_count{endpoint=\"e\"} 7\n");
}

static void a_histogram_without_labels_has_only_bounds(void **state)
{
    (void)state;
    metric_observe(metric_series(METRIC_WEBHOOK_LAG, NULL), 1);
    assert_written("\nbillingos_webhook_lag_seconds_bucket{le=\"0.5\"} 0\n");
    assert_written("\nbillingos_webhook_lag_seconds_bucket{le=\"1\"} 1\n");
    assert_written("\nbillingos_webhook_lag_seconds_sum 1.000000000\n");
    assert_written("\nbillingos_webhook_lag_seconds_count 1\n");
}

static void too_many_combinations_are_counted_as_other(void **state)
{
    char name[32];
    const char *const values[] = {name, "merged"};

    (void)state;
    for (int i = 0; i < METRIC_SERIES_MAX + 10; i++) {
        snprintf(name, sizeof name, "object_%d", i);
        metric_add(metric_series(METRIC_RECONCILE_DRIFT, values), 1);
    }
    assert_written("{object=\"object_511\",action=\"merged\"} 1\n");
    assert_written("\nbillingos_reconcile_drift_total{object=\"other\",action=\"other\"} 10\n");
    snprintf(name, sizeof name, "object_%d", 7);
    metric_add(metric_series(METRIC_RECONCILE_DRIFT, values), 1);
    assert_written("{object=\"object_7\",action=\"merged\"} 2\n");
}

static void a_value_that_is_too_long_is_counted_as_other(void **state)
{
    static char name[2000];
    const char *const values[] = {name, "failed"};

    (void)state;
    memset(name, 'x', sizeof name - 1);
    metric_add(metric_series(METRIC_JOB_RUNS, values), 1);
    assert_written("\nbillingos_job_runs_total{job=\"other\",result=\"other\"} 1\n");
}

static void without_memory_a_new_combination_is_counted_as_other(void **state)
{
    const char *const values[] = {"accepted"};

    (void)state;
    for (long allowed = 0; allowed < 4; allowed++) {
        heap_fail_after(allowed);
        metric_add(metric_series(METRIC_USAGE_EVENTS, values), 1);
        heap_fail_after(-1);
    }
    assert_written("\nbillingos_usage_events_total{result=\"other\"} 4\n");
    metric_add(metric_series(METRIC_USAGE_EVENTS, values), 1);
    assert_written("\nbillingos_usage_events_total{result=\"accepted\"} 1\n");
}

static void the_process_and_the_build_are_described(void **state)
{
    (void)state;
    assert_written("\nbillingos_build_info{version=\"" BOS_VERSION "\"} 1\n");
    assert_written("# TYPE process_cpu_seconds_total counter\n");
    assert_written("\nprocess_resident_memory_bytes ");
    assert_written("\nprocess_virtual_memory_bytes ");
    assert_written("\nprocess_open_fds ");
    assert_written("\nprocess_max_fds ");
    assert_written("\nprocess_threads 1\n");
    assert_written("\nprocess_start_time_seconds 1");
}

static void *count_much(void *data)
{
    char method[32];
    const char *const values[] = {"Service", method, "OK", "grpc"};

    (void)data;
    for (int i = 0; i < 2000; i++) {
        snprintf(method, sizeof method, "Method%d", i % 40);
        metric_add(metric_series(METRIC_RPC_HANDLED, values), 1);
    }
    return NULL;
}

static void threads_count_beside_each_other(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i], NULL, count_much, NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 40; i++) {
        char line[128];

        snprintf(
            line,
            sizeof line,
            "{service=\"Service\",method=\"Method%d\",code=\"OK\",protocol=\"grpc\"} 200\n",
            i);
        assert_written(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_without_labels_is_there_from_the_start),
        cmocka_unit_test(one_combination_of_values_is_one_series),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(observations_fall_into_buckets_that_add_up),
        cmocka_unit_test(a_histogram_without_labels_has_only_bounds),
        cmocka_unit_test(too_many_combinations_are_counted_as_other),
        cmocka_unit_test(a_value_that_is_too_long_is_counted_as_other),
        cmocka_unit_test(without_memory_a_new_combination_is_counted_as_other),
        cmocka_unit_test(the_process_and_the_build_are_described),
        cmocka_unit_test(threads_count_beside_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
