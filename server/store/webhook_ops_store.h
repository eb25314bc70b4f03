#pragma once

/* The inbox of webhooks as an operator sees it: what waits for somebody, one event with all that is
 * known of it, another try, or never again. Over all organisations. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ctx;
struct db;

struct webhook_row {
    const char *account_id; /* "" for the platform's own */
    const char *event_id;
    bool live;
    const char *type;
    const char *object_type;
    const char *object_id;
    const char *api_version;
    const char *state; /* of the event; QUARANTINED: handled, but its object is set aside */
    int64_t attempts;
    const char *error;
    int64_t event_us;
    int64_t received_us;
    int64_t handled_us;  /* 0: not yet */
    bool listed;         /* it never came, a comparison found it */
    const char *payload; /* of one event only */
};

struct webhook_filter {
    const char *account_id; /* "": of all */
    const char *const *states;
    size_t state_count;
    bool quarantined; /* also those whose object is set aside */
};

/* Newest first. */
struct status webhook_ops_store_list(
    struct ctx *cx,
    struct db *db,
    const struct webhook_filter *filter,
    size_t max,
    struct webhook_row **ret_rows,
    size_t *ret_count) MUST_CHECK;

/* *ret_count 0: there is no such event; more than one: the accounts have to be told apart.
 * account_id "" = of any. */
struct status webhook_ops_store_find(
    struct ctx *cx,
    struct db *db,
    const char *account_id,
    const char *event_id,
    struct webhook_row *ret_row,
    size_t *ret_count) MUST_CHECK;

/* NEW again, as if it had just come. */
struct status
webhook_ops_store_replay(struct ctx *cx, struct db *db, const struct webhook_row *row) MUST_CHECK;

/* IGNORED, and its object is no longer set aside. */
struct status
webhook_ops_store_skip(struct ctx *cx, struct db *db, const struct webhook_row *row) MUST_CHECK;

struct webhook_totals {
    int64_t failed_events;
    int64_t quarantined_objects;
    int64_t parked_events;
};
struct status webhook_ops_store_totals(
    struct ctx *cx, struct db *db, struct webhook_totals *ret_totals) MUST_CHECK;
