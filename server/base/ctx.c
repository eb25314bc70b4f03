#include "base/ctx.h"

#include <stddef.h>

#include "base/deadline.h"
#include "base/wallclock.h"

void ctx_init(struct ctx *cx, struct arena *arena, const char *method)
{
    *cx = (struct ctx){
        .arena = arena,
        .now_us = wallclock_us(),
        .deadline_us = INT64_MAX,
        .may_block = true,
        .request_id = "",
        .method = method,
        .idempotency_key = "",
        .caller = {.actor = "job"},
    };
}

int64_t ctx_left_ms(const struct ctx *cx, int64_t max_ms)
{
    return deadline_left_ms(cx->deadline_us, max_ms);
}

bool ctx_gone(const struct ctx *cx)
{
    if (cx->canceller != NULL && atomic_load_explicit(&cx->canceller->gone, memory_order_acquire)) {
        return true;
    }
    return cx->deadline_us != INT64_MAX && deadline_left_ms(cx->deadline_us, INT64_MAX) == 0;
}
