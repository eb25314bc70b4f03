#include "jobs/housekeeping.h"

#include "services/auth.h"
#include "services/entitlement_upkeep.h"
#include "services/payment_methods.h"
#include "services/usage.h"

#define EXPIRED_AT_ONCE 100

struct status access_expiry_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    return entitlements_expire(cx, services, EXPIRED_AT_ONCE, ret_done);
}

struct status access_sweep_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    return entitlements_sweep(cx, services, ret_done);
}

struct status key_use_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    *ret_done = 0;
    return auth_write_last_used(cx, services);
}

struct status usage_period_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    return usage_roll(cx, services, ret_done);
}

struct status card_expiry_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    return payment_methods_tell_expiring(cx, services, EXPIRED_AT_ONCE, ret_done);
}
