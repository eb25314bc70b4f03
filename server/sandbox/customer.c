#include "sandbox/customer.h"

#include "sandbox/render.h"
#include "sandbox/sim.h"
#include "sandbox/test_clock.h"

int64_t customer_now_s(const struct sim *sim, const struct customer *customer)
{
    return customer->test_clock == NULL ? sim->now_s : customer->test_clock->frozen_s;
}

static void render_address(struct render *render, const struct customer *customer)
{
    static const char *const parts[ADDRESS_PARTS] = {
        "city", "country", "line1", "line2", "postal_code", "state"};

    if (!customer->has_address) {
        json_put_null(&render->writer, "address");
        return;
    }
    json_open_object(&render->writer, "address");
    for (size_t i = 0; i < ADDRESS_PARTS; i++) {
        json_put_text(&render->writer, parts[i], customer->address[i]);
    }
    json_close_object(&render->writer);
}

void customer_render(struct render *render, const struct object *object)
{
    const struct customer *customer = (const struct customer *)object;
    struct json_writer *w = &render->writer;

    render_address(render, customer);
    json_put_i64(w, "balance", customer->balance);
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", customer->currency);
    render_nulls(render, "customer_account default_source");
    json_put_bool(w, "delinquent", customer->delinquent);
    json_put_text(w, "description", customer->description);
    render_nulls(render, "discount");
    json_put_text(w, "email", customer->email);
    json_put_text(w, "invoice_prefix", customer->invoice_prefix);
    json_open_object(w, "invoice_settings");
    render_enter(render, "invoice_settings");
    render_nulls(render, "custom_fields");
    render_ref(render, "default_payment_method", customer->default_payment_method);
    render_nulls(render, "footer rendering_options");
    render_leave(render);
    json_close_object(w);
    json_put_bool(w, "livemode", false);
    metadata_render(render, "metadata", &customer->metadata);
    json_put_text(w, "name", customer->name);
    json_put_i64(w, "next_invoice_sequence", customer->invoice_count + 1);
    json_put_text(w, "phone", customer->phone);
    render_empty_arrays(render, "preferred_locales");
    render_nulls(render, "shipping");
    json_put_text(w, "tax_exempt", customer->tax_exempt);
    render_ref(render, "test_clock", customer->test_clock);
}
