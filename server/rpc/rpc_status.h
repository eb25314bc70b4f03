#pragma once

/* A failure in the form that clients of every language decode: google.rpc.Status with ErrorInfo
 * always, BadRequest for field violations, RetryInfo when a repeat can help, RequestInfo with the
 * request id. Any thread. */

#include "base/status.h"
#include "base/str.h"

struct arena;
struct ctx;

#define RPC_STATUS_DOMAIN "billingos.dev"

/* Clients accept 8 KiB of trailing metadata by default, and ours travels as base64. */
#define RPC_STATUS_DETAILS_MAX 4096
#define RPC_STATUS_MESSAGE_MAX 512

/* The serialized google.rpc.Status, in the arena; empty when there is no memory, and for OK.
 * What does not fit into RPC_STATUS_DETAILS_MAX is left out: first the violations, then the pairs.
 */
struct str rpc_status_details(struct arena *arena, struct status status, const char *request_id);

/* What callers are told: the text of INTERNAL is for our log, they get the id under which it is
 * found there. Of all failures the pairs that are ours alone ("sqlstate", "constraint") stay here.
 */
struct status rpc_status_public(struct ctx *cx, struct status status) MUST_CHECK;

/* The message, cut to RPC_STATUS_MESSAGE_MAX bytes between characters; borrowed from status. */
struct str rpc_status_text(struct status status);
