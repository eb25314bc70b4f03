#include "sandbox/product.h"

#include "sandbox/price.h"
#include "sandbox/render.h"

void product_render(struct render *render, const struct object *object)
{
    const struct product *product = (const struct product *)object;
    struct json_writer *w = &render->writer;

    json_put_bool(w, "active", product->active);
    json_put_i64(w, "created", object->created_s);
    render_ref(render, "default_price", product->default_price);
    json_put_text(w, "description", product->description);
    render_empty_arrays(render, "images");
    json_put_bool(w, "livemode", false);
    json_open_array(w, "marketing_features");
    for (size_t i = 0; i < product->feature_count; i++) {
        json_open_object(w, NULL);
        json_put_text(w, "name", product->features[i]);
        json_close_object(w);
    }
    json_close_array(w);
    metadata_render(render, "metadata", &product->metadata);
    json_put_text(w, "name", product->name);
    render_nulls(render, "package_dimensions shippable");
    json_put_text(w, "statement_descriptor", product->statement_descriptor);
    json_put_text(w, "tax_code", product->tax_code);
    render_nulls(render, "tax_details");
    json_put_text(w, "type", "service");
    json_put_text(w, "unit_label", product->unit_label);
    json_put_i64(w, "updated", product->updated_s);
    json_put_text(w, "url", product->url);
}
