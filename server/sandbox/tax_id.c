#include "sandbox/tax_id.h"

#include "sandbox/customer.h"
#include "sandbox/render.h"

static void put_country(struct render *render, const struct tax_id *tax_id)
{
    const char country[3] = {tax_id->value[0], tax_id->value[1], '\0'};

    json_put_text(&render->writer, "country", country);
}

void tax_id_render(struct render *render, const struct object *object)
{
    const struct tax_id *tax_id = (const struct tax_id *)object;
    struct json_writer *w = &render->writer;

    put_country(render, tax_id);
    json_put_i64(w, "created", object->created_s);
    render_ref(render, "customer", tax_id->customer);
    render_nulls(render, "customer_account");
    json_put_bool(w, "livemode", false);
    json_open_object(w, "owner");
    json_put_text(w, "customer", tax_id->customer->object.id);
    json_put_text(w, "type", "customer");
    json_close_object(w);
    json_put_text(w, "type", tax_id->type);
    json_put_text(w, "value", tax_id->value);
    json_open_object(w, "verification");
    json_put_text(w, "status", tax_id->verification);
    render_nulls(render, "verified_address verified_name");
    json_close_object(w);
}
