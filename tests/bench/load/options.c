#include "options.h"

#include <ctype.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

enum {
    DURATION_DEFAULT_S = 10,
    DURATION_MAX_S = 3600,
    RATE_MAX = 1000000,
    OPEN_LOOP_IN_FLIGHT = 4096,
    NUMBER_MARKER_MIN = 8,
};

static const char help[] =
    "bos-load measures a gRPC server: how many calls it answers, how fast, and what they cost.\n"
    "\n"
    "usage: bos-load [options] HOST:PORT\n"
    "\n"
    "What is called\n"
    "  --path /pkg.Service/Method   the method (required)\n"
    "  --header 'name: value'       a header of every call; repeatable, up to 16\n"
    "  --timeout-ms N               send grpc-timeout with every call\n"
    "  --body-file FILE             the request: one serialized message, without gRPC's prefix\n"
    "  --bodies-file FILE           many messages, each behind its length as a varint, used in "
    "turn\n"
    "  --number TEXT                replace each TEXT (8 characters or more) in a body by the "
    "next\n"
    "                               number, zero padded to the same length, so that every request\n"
    "                               carries new identifiers\n"
    "  --number-from N              the first such number (default 1)\n"
    "\n"
    "How much\n"
    "  --connections C              TCP connections (default 1)\n"
    "  --in-flight K                calls that one connection holds open at once (default 1; with\n"
    "                               --rate 4096)\n"
    "  --duration S                 seconds (default 10; the limit when --requests is given: 600)\n"
    "  --requests N                 stop after N calls\n"
    "  --rate R                     open loop: R calls a second at even distances, whatever the\n"
    "                               server does. A call's latency counts from the moment at which "
    "it\n"
    "                               was due, so a stall is seen by every call that it held up.\n"
    "                               Without --rate the loop is closed: an answer starts a new "
    "call.\n"
    "  --warmup S                   seconds of the same load before the measurement (default 0)\n"
    "  --drain S                    how long to wait for the last answers (default 10)\n"
    "  --hold                       open C x K server streams, leave them open for the duration "
    "and\n"
    "                               count what arrives\n"
    "\n"
    "What is reported\n"
    "  --cpu-of PID                 CPU microseconds per call of that process; repeatable, up to "
    "32\n"
    "  --json                       one JSON object instead of text\n"
    "  --help                       this text\n"
    "\n"
    "A call counts as OK when :status is 200, grpc-status is 0 and the body is exactly one "
    "message;\n"
    "everything else is counted as an error by name. Latencies are those of the calls that are OK "
    "and\n"
    "of those that were never answered. Plain-text HTTP/2 only. One thread.\n"
    "\n"
    "Exit codes: 0 all calls OK, 1 some were not, 2 the command line is wrong, 3 nothing was "
    "measured.\n"
    "\n"
    "  bos-load --path /grpc.health.v1.Health/Check --connections 8 --in-flight 32 \\\n"
    "      --duration 5 --warmup 1 --cpu-of $(cat .run/billingos.pid) 127.0.0.1:8443\n";

enum name {
    NAME_PATH = 1,
    NAME_HEADER,
    NAME_TIMEOUT,
    NAME_BODY,
    NAME_BODIES,
    NAME_NUMBER,
    NAME_NUMBER_FROM,
    NAME_CONNECTIONS,
    NAME_IN_FLIGHT,
    NAME_DURATION,
    NAME_REQUESTS,
    NAME_RATE,
    NAME_WARMUP,
    NAME_DRAIN,
    NAME_HOLD,
    NAME_CPU_OF,
    NAME_JSON,
    NAME_HELP,
};

static const struct option names[] = {
    {"path", required_argument, NULL, NAME_PATH},
    {"header", required_argument, NULL, NAME_HEADER},
    {"timeout-ms", required_argument, NULL, NAME_TIMEOUT},
    {"body-file", required_argument, NULL, NAME_BODY},
    {"bodies-file", required_argument, NULL, NAME_BODIES},
    {"number", required_argument, NULL, NAME_NUMBER},
    {"number-from", required_argument, NULL, NAME_NUMBER_FROM},
    {"connections", required_argument, NULL, NAME_CONNECTIONS},
    {"in-flight", required_argument, NULL, NAME_IN_FLIGHT},
    {"duration", required_argument, NULL, NAME_DURATION},
    {"requests", required_argument, NULL, NAME_REQUESTS},
    {"rate", required_argument, NULL, NAME_RATE},
    {"warmup", required_argument, NULL, NAME_WARMUP},
    {"drain", required_argument, NULL, NAME_DRAIN},
    {"hold", no_argument, NULL, NAME_HOLD},
    {"cpu-of", required_argument, NULL, NAME_CPU_OF},
    {"json", no_argument, NULL, NAME_JSON},
    {"help", no_argument, NULL, NAME_HELP},
    {NULL, 0, NULL, 0},
};

static const char *name_text(int name)
{
    return names[name - 1].name;
}

static uint64_t parse_count(int name, const char *text, uint64_t min, uint64_t max)
{
    char *end = NULL;
    const unsigned long long value = strtoull(text, &end, 10);

    if (end == text || *end != '\0' || !isdigit((unsigned char)*text) || value < min ||
        value > max) {
        fail(
            EXIT_USAGE,
            "--%s \"%s\" is not a whole number from %llu to %llu",
            name_text(name),
            text,
            (unsigned long long)min,
            (unsigned long long)max);
    }
    return value;
}

static double parse_real(int name, const char *text, double max)
{
    char *end = NULL;
    const double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= 0 && value <= max)) {
        fail(EXIT_USAGE, "--%s \"%s\" is not a number from 0 to %g", name_text(name), text, max);
    }
    return value;
}

/* HTTP/2 header names are lower case; the name is changed in place. */
static void parse_header(struct options *options, char *text)
{
    char *colon = strchr(text, ':');

    if (colon == NULL || colon == text) {
        fail(EXIT_USAGE, "--header \"%s\" is not \"name: value\"", text);
    }
    if (options->headers_len == OPTIONS_HEADERS_MAX) {
        fail(EXIT_USAGE, "more than %d headers", OPTIONS_HEADERS_MAX);
    }
    *colon = '\0';
    for (char *at = text; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z') {
            *at = (char)(*at - 'A' + 'a');
        }
    }
    colon++;
    colon += strspn(colon, " \t");
    options->headers[options->headers_len].name = text;
    options->headers[options->headers_len].value = colon;
    options->headers_len++;
}

static void parse_pid(struct options *options, const char *text)
{
    const pid_t pid = (pid_t)parse_count(NAME_CPU_OF, text, 1, INT32_MAX);

    if (!cpu_meter_add(&options->meter, pid)) {
        fail(EXIT_USAGE, "--cpu-of %s: no such process, or more than %d", text, CPU_METER_PIDS_MAX);
    }
}

static void parse_load_option(struct options *options, int name, const char *text)
{
    switch (name) {
    case NAME_CONNECTIONS:
        options->connections = (unsigned)parse_count(name, text, 1, OPTIONS_CONNECTIONS_MAX);
        break;
    case NAME_IN_FLIGHT:
        options->in_flight = (unsigned)parse_count(name, text, 1, OPTIONS_IN_FLIGHT_MAX);
        break;
    case NAME_DURATION:
        options->duration_s = parse_real(name, text, DURATION_MAX_S);
        break;
    case NAME_REQUESTS:
        options->requests = parse_count(name, text, 1, UINT64_C(1000000000));
        break;
    case NAME_RATE:
        options->rate = parse_real(name, text, RATE_MAX);
        break;
    case NAME_WARMUP:
        options->warmup_s = parse_real(name, text, DURATION_MAX_S);
        break;
    case NAME_DRAIN:
        options->drain_s = parse_real(name, text, DURATION_MAX_S);
        break;
    default:
        options->hold = true;
        break;
    }
}

static void parse_option(struct options *options, int name, char *text)
{
    switch (name) {
    case NAME_PATH:
        options->path = text;
        break;
    case NAME_HEADER:
        parse_header(options, text);
        break;
    case NAME_TIMEOUT:
        options->timeout_ms = (unsigned)parse_count(name, text, 1, 99999999);
        break;
    case NAME_BODY:
        options->body_file = text;
        break;
    case NAME_BODIES:
        options->bodies_file = text;
        break;
    case NAME_NUMBER:
        options->number_marker = text;
        break;
    case NAME_NUMBER_FROM:
        options->number_from = parse_count(name, text, 0, UINT64_MAX / 2);
        break;
    case NAME_CPU_OF:
        parse_pid(options, text);
        break;
    case NAME_JSON:
        options->json = true;
        break;
    case NAME_HELP:
        fputs(help, stdout);
        exit(0);
    case '?':
        fail(EXIT_USAGE, "try --help");
    default:
        parse_load_option(options, name, text);
        break;
    }
}

static void options_parse_target(struct options *options, const char *target)
{
    char *colon = NULL;

    options->authority = target;
    options->host = strdup(target);
    colon = options->host == NULL ? NULL : strrchr(options->host, ':');
    if (colon == NULL || colon == options->host || colon[1] == '\0') {
        fail(EXIT_USAGE, "\"%s\" is not HOST:PORT", target);
    }
    *colon = '\0';
    options->port = colon + 1;
}

static void options_check(const struct options *options)
{
    if (options->path == NULL || options->path[0] != '/') {
        fail(EXIT_USAGE, "--path /pkg.Service/Method is missing; try --help");
    }
    if (options->body_file != NULL && options->bodies_file != NULL) {
        fail(EXIT_USAGE, "--body-file and --bodies-file exclude each other");
    }
    if (options->number_marker != NULL && strlen(options->number_marker) < NUMBER_MARKER_MIN) {
        fail(EXIT_USAGE, "--number needs a text of %d characters or more", NUMBER_MARKER_MIN);
    }
    if (options->hold && (options->rate > 0 || options->requests > 0 || options->warmup_s > 0)) {
        fail(
            EXIT_USAGE,
            "--hold goes with --duration only, not with --rate, --requests or --warmup");
    }
    if (options->duration_s <= 0) {
        fail(EXIT_USAGE, "--duration must be more than 0");
    }
}

void options_parse(struct options *options, int argc, char **argv)
{
    int name = 0;

    *options = (struct options){
        .connections = 1,
        .number_from = 1,
        .duration_s = -1,
        .drain_s = 10,
    };
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        parse_option(options, name, optarg);
    }
    if (optind != argc - 1) {
        fail(EXIT_USAGE, "expected exactly one HOST:PORT; try --help");
    }
    options_parse_target(options, argv[optind]);
    if (options->in_flight == 0) {
        options->in_flight = options->rate > 0 ? OPEN_LOOP_IN_FLIGHT : 1;
    }
    if (options->duration_s < 0) {
        options->duration_s = options->requests > 0 ? 600 : DURATION_DEFAULT_S;
    }
    options_check(options);
}
