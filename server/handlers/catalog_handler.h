#pragma once

/* The methods of billingos.v1.CatalogService that are live. */

#include <protobuf-c/protobuf-c.h>

#include "base/ctx.h"
#include "base/status.h"

#define HANDLER(name)                \
    struct status name(              \
        struct ctx *cx,              \
        void *services,              \
        const ProtobufCMessage *req, \
        ProtobufCMessage **ret_response)

HANDLER(feature_create);
HANDLER(feature_get);
HANDLER(feature_list);
HANDLER(feature_update);
HANDLER(feature_archive);

HANDLER(meter_create);
HANDLER(meter_get);
HANDLER(meter_list);
HANDLER(meter_update);
HANDLER(meter_archive);

HANDLER(plan_create);
HANDLER(plan_get);
HANDLER(plan_list);
HANDLER(plan_update);
HANDLER(plan_archive);

HANDLER(plan_version_create);
HANDLER(plan_version_list);
HANDLER(plan_version_update);
HANDLER(plan_version_delete);
HANDLER(plan_publish);
HANDLER(plan_feature_set);
HANDLER(plan_feature_remove);

HANDLER(price_create);
HANDLER(price_get);
HANDLER(price_list);
HANDLER(price_update);
HANDLER(price_archive);

#undef HANDLER
