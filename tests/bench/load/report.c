#include "report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static const struct {
    const char *name;
    double fraction;
} quantiles[] = {
    {"p50", 0.5},
    {"p90", 0.9},
    {"p99", 0.99},
    {"p99.9", 0.999},
    {"max", 1.0},
};

enum {
    QUANTILES_LEN = sizeof quantiles / sizeof quantiles[0],
};

static uint64_t calls_of(const struct tally *tally)
{
    uint64_t calls = tally->held;

    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        calls += tally->outcomes[i];
    }
    return calls;
}

static double per(double value, double count)
{
    return count > 0 ? value / count : 0;
}

static double quantile_us(const struct histogram *histogram, double fraction)
{
    return (double)histogram_quantile_ns(histogram, fraction) / 1000;
}

static void print_json(const struct options *options, const struct tally *tally)
{
    const double calls = (double)calls_of(tally);
    const char *separator = "";

    printf("{\"requests\": %.0f, \"ok\": %" PRIu64, calls, tally->outcomes[OUTCOME_OK]);
    printf(", \"held\": %" PRIu64 ", \"errors\": {", tally->held);
    for (enum outcome i = OUTCOME_OK + 1; i < OUTCOME_COUNT; i++) {
        if (tally->outcomes[i] > 0) {
            printf("%s\"%s\": %" PRIu64, separator, outcome_name(i), tally->outcomes[i]);
            separator = ", ";
        }
    }
    printf("}, \"seconds\": %.6f", tally->seconds);
    printf(", \"rate\": %.1f", per((double)tally->outcomes[OUTCOME_OK], tally->seconds));
    printf(", \"target_rate\": %.1f, \"latency_us\": {", options->rate);
    for (unsigned i = 0; i < QUANTILES_LEN; i++) {
        printf(
            "%s\"%s\": %.1f",
            i == 0 ? "" : ", ",
            quantiles[i].name,
            quantile_us(&tally->latency, quantiles[i].fraction));
    }
    printf("}, \"start_lag_us\": {\"p99\": %.1f", quantile_us(&tally->lag, 0.99));
    printf(", \"max\": %.1f}", quantile_us(&tally->lag, 1));
    printf(", \"response_bytes\": %" PRIu64, tally->received_bytes);
    printf(", \"response_messages\": %" PRIu64, tally->received_messages);
    printf(", \"client_cpu_us_per_call\": %.3f", per((double)options->meter.own_us, calls));
    printf(", \"cpu_us_per_call\": {");
    for (unsigned i = 0; i < options->meter.len; i++) {
        const double used_us = (double)options->meter.used_us[i];

        printf("%s\"%d\": ", i == 0 ? "" : ", ", (int)options->meter.pids[i]);
        if (used_us < 0) {
            printf("null");
        } else {
            printf("%.3f", per(used_us, calls));
        }
    }
    puts("}}");
}

static void print_text(const struct options *options, const struct tally *tally)
{
    const double calls = (double)calls_of(tally);
    const double own_us = (double)options->meter.own_us;

    printf("calls      %.0f in %.3f s\n", calls, tally->seconds);
    printf(
        "OK         %" PRIu64 ", %.1f/s\n",
        tally->outcomes[OUTCOME_OK],
        per((double)tally->outcomes[OUTCOME_OK], tally->seconds));
    if (options->hold) {
        printf("held open  %" PRIu64 "\n", tally->held);
    }
    for (enum outcome i = OUTCOME_OK + 1; i < OUTCOME_COUNT; i++) {
        if (tally->outcomes[i] > 0) {
            printf("error      %" PRIu64 " %s\n", tally->outcomes[i], outcome_name(i));
        }
    }
    printf("latency   ");
    for (unsigned i = 0; i < QUANTILES_LEN; i++) {
        printf(" %s %.1f", quantiles[i].name, quantile_us(&tally->latency, quantiles[i].fraction));
    }
    printf(" us\n");
    if (options->rate > 0) {
        printf(
            "start lag  p99 %.1f max %.1f us\n",
            quantile_us(&tally->lag, 0.99),
            quantile_us(&tally->lag, 1));
    }
    printf(
        "received   %" PRIu64 " bytes, %" PRIu64 " messages\n",
        tally->received_bytes,
        tally->received_messages);
    printf(
        "own CPU    %.2f us/call, %.0f %% of one core\n",
        per(own_us, calls),
        per(own_us / 1e4, tally->seconds));
    for (unsigned i = 0; i < options->meter.len; i++) {
        const struct cpu_meter *meter = &options->meter;
        const double used_us = (double)meter->used_us[i];

        if (used_us < 0) {
            printf("CPU        process %d has ended\n", (int)meter->pids[i]);
        } else {
            printf(
                "CPU        %.2f us/call, %.0f %% of one core: %s (%d)\n",
                per(used_us, calls),
                per(used_us / 1e4, tally->seconds),
                meter->names[i],
                (int)meter->pids[i]);
        }
    }
}

void report_print(const struct options *options, const struct tally *tally)
{
    if (options->json) {
        print_json(options, tally);
    } else {
        print_text(options, tally);
    }
}

bool report_all_ok(const struct tally *tally)
{
    return calls_of(tally) == tally->outcomes[OUTCOME_OK] + tally->held && calls_of(tally) > 0;
}
