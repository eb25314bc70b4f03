#pragma once

/* Comparisons and differences as billingos.v1 messages. */

#include <billingos/v1/insights_service.pb-c.h>

#include "domain/reconciliation.h"
#include "http/json.h"

struct ctx;

Billingos__V1__Reconciliation *reconcile_pb(struct ctx *cx, const struct reconciliation *run);
Billingos__V1__Drift *drift_pb(struct ctx *cx, const struct drift *drift);

/* From the payload of the event DRIFT_FOUND. */
Billingos__V1__Drift *drift_pb_of_payload(struct ctx *cx, json_value payload);
