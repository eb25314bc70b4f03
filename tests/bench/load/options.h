#pragma once

/* The command line of bos-load. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cpu_meter.h"

enum {
    OPTIONS_HEADERS_MAX = 16,
    OPTIONS_CONNECTIONS_MAX = 20000,
    OPTIONS_IN_FLIGHT_MAX = 100000,
};

/* The texts belong to argv; a header has been cut in two at its colon. */
struct options {
    char *host;
    const char *port;
    const char *authority; /* HOST:PORT as given. */
    const char *path;
    struct {
        const char *name;
        const char *value;
    } headers[OPTIONS_HEADERS_MAX];
    unsigned headers_len;
    const char *body_file;
    const char *bodies_file;
    const char *number_marker; /* NULL = bodies are sent as they are. */
    uint64_t number_from;
    unsigned connections;
    unsigned in_flight; /* Of one connection. */
    uint64_t requests;  /* 0 = as many as the duration allows. */
    double rate;        /* 0 = closed loop. */
    double duration_s;
    double warmup_s;
    double drain_s;
    unsigned timeout_ms; /* 0 = no grpc-timeout is sent. */
    bool hold;
    bool json;
    struct cpu_meter meter;
};

/* Exits with EXIT_USAGE on what it does not understand, with 0 after --help. */
void options_parse(struct options *options, int argc, char **argv);
