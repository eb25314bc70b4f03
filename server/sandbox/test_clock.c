#include "sandbox/test_clock.h"

#include "sandbox/render.h"

#define KEPT_S (INT64_C(30) * 86400)

void test_clock_render(struct render *render, const struct object *object)
{
    const struct test_clock *clock = (const struct test_clock *)object;
    struct json_writer *w = &render->writer;

    json_put_i64(w, "created", object->created_s);
    json_put_i64(w, "deletes_after", object->created_s + KEPT_S);
    json_put_i64(w, "frozen_time", clock->frozen_s);
    json_put_bool(w, "livemode", false);
    json_put_text(w, "name", clock->name);
    json_put_text(w, "status", "ready");
    json_open_object(w, "status_details");
    json_close_object(w);
}
