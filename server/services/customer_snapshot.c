#include "services/customer_snapshot.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"

#define SNAPSHOT_BYTES_MAX ((size_t)128 * 1024) /* metadata alone may have 50 * 500 letters */

struct member {
    const char *name;
    size_t offset;
};

#define MEMBER(member)                             \
    {                                              \
#member, offsetof(struct customer, member) \
    }

static const struct member texts[] = {
    MEMBER(external_id),
    MEMBER(name),
    MEMBER(email),
    MEMBER(phone),
    MEMBER(address),
    MEMBER(locale),
    MEMBER(currency),
    MEMBER(time_zone),
    MEMBER(metadata),
    MEMBER(stripe_customer_id),
    MEMBER(payment_method_id),
};

static const struct member numbers[] = {
    MEMBER(balance_minor),
    MEMBER(blocked_us),
    MEMBER(version),
    MEMBER(created_us),
    MEMBER(updated_us),
    MEMBER(archived_us),
};

static void release_json(struct json **json)
{
    json_free(*json);
}

const char *customer_snapshot_write(struct ctx *cx, const struct customer *customer)
{
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, SNAPSHOT_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "customer_id", id_text(cx->arena, ID_CUSTOMER, &customer->customer_id));
    json_put_text(&w, "tax", tax_exemption_name(customer->tax));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *place = (const char *)customer + texts[i].offset;

        json_put_text(&w, texts[i].name, *(const char *const *)(const void *)place);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const char *place = (const char *)customer + numbers[i].offset;

        json_put_i64(&w, numbers[i].name, *(const int64_t *)(const void *)place);
    }
    json_close_object(&w);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

struct status
customer_snapshot_read(struct ctx *cx, const char *json, struct customer *ret_customer)
{
    AUTO(release_json) struct json *document = NULL;
    struct customer customer = {.tax = TAX_EXEMPTION_NONE};
    json_value root = NULL;

    TRY(json_parse(cx, json, strlen(json), &document));
    root = json_root(document);
    if (!id_parse(ID_CUSTOMER, json_text(cx, root, "customer_id"), &customer.customer_id) ||
        !tax_exemption_parse(json_text(cx, root, "tax"), &customer.tax)) {
        return status_fail(cx, REASON_INTERNAL, "the stored answer is no customer");
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *place = (char *)&customer + texts[i].offset;

        *(const char **)(void *)place = json_text(cx, root, texts[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        char *place = (char *)&customer + numbers[i].offset;

        *(int64_t *)(void *)place = json_i64(root, numbers[i].name);
    }
    *ret_customer = customer;
    return STATUS_OK;
}
