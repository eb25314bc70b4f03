#pragma once

/* Where the database is: a libpq URL taken apart into its hosts, so that each host is tried by
 * itself, within a time of its own. libpq's own list of hosts has no such limit when the connection
 * is made without blocking.
 * Private to store/. Thread-safe after db_target_new(). */

#include <stdatomic.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/status.h"

struct ctx;

#define DB_HOSTS_MAX 8

struct db_host {
    const char *name;    /* NULL: libpq's default */
    const char *address; /* hostaddr; NULL: looked up */
    const char *port;    /* NULL: libpq's default */
};

struct db_target {
    PQconninfoOption *options; /* as parsed; val is NULL where nothing was given */
    char *lists[3];            /* host, hostaddr, port; cut at the commas */
    struct db_host hosts[DB_HOSTS_MAX];
    uint32_t host_count;
    _Atomic uint32_t preferred; /* the host that answered last */
    int64_t connect_ms_max;     /* per host */
};

/* What a session is told when it starts; 0: no limit. */
struct db_session {
    const char *application_name;
    int64_t statement_ms_max;
    int64_t lock_ms_max;
    int64_t idle_in_transaction_ms_max;
};

/* Fails with INTERNAL when the text is no conninfo; the message says why. */
struct status
db_target_new(struct ctx *cx, const char *url, struct db_target **ret_target) MUST_CHECK;
void db_target_free(struct db_target *target);

/* Begins to connect to one host; NULL without memory. Free with PQfinish(). */
PGconn *db_target_connect_start(
    const struct db_target *target,
    const struct db_host *host,
    const struct db_session *session) MUST_CHECK;

/* "db1.internal:5432", for messages; the buffer has DB_HOST_TEXT_SIZE bytes. */
#define DB_HOST_TEXT_SIZE 128
void db_target_host_text(const struct db_host *host, char ret_text[DB_HOST_TEXT_SIZE]);
