#pragma once

/* Events of the log as billingos.v1.BillingEvent. The payload of the log is a flat JSON object;
 * each family of events has its typed message. */

#include <billingos/v1/insights_service.pb-c.h>

#include "base/ctx.h"
#include "domain/event.h"

Billingos__V1__BillingEvent *event_pb(struct ctx *cx, const struct event *event);

/* BILLING_EVENT_TYPE_X -> its bit in watch_filter.types; 0 for types that nothing raises yet. */
uint64_t event_type_bit(Billingos__V1__BillingEventType type);
