#include "domain/customer.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "domain/member.h"

static const char *const tax_names[] = {
    [0] = "",
    [TAX_EXEMPTION_NONE] = "NONE",
    [TAX_EXEMPTION_EXEMPT] = "EXEMPT",
    [TAX_EXEMPTION_REVERSE] = "REVERSE",
};

const char *tax_exemption_name(enum tax_exemption tax)
{
    return tax_names[tax];
}

bool tax_exemption_parse(const char *name, enum tax_exemption *ret_tax)
{
    for (size_t i = TAX_EXEMPTION_NONE; i < ARRAY_LEN(tax_names); i++) {
        if (strcmp(tax_names[i], name) == 0) {
            *ret_tax = (enum tax_exemption)i;
            return true;
        }
    }
    return false;
}

/* BCP 47 as far as its letters go: groups of 1 to 8 letters or digits, joined by "-". */
static bool locale_valid(const char *locale)
{
    size_t group = 0;

    for (const char *c = locale; *c != '\0'; c++) {
        const bool alphanumeric =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');

        if (!alphanumeric && (*c != '-' || group == 0)) {
            return false;
        }
        group = alphanumeric ? group + 1 : 0;
        if (group > 8) {
            return false;
        }
    }
    return group > 0 && strlen(locale) >= 2;
}

struct status customer_check(struct ctx *cx, const char *path, const struct customer *customer)
{
    struct status result = STATUS_OK;
    const char *locale = field_path(cx, path, "locale");
    const char *email = field_path(cx, path, "email");

    if (strlen(customer->external_id) > CUSTOMER_EXTERNAL_ID_BYTES_MAX) {
        field_note(
            cx,
            &result,
            status_field(
                cx,
                field_path(cx, path, "external_customer_id"),
                "has more than %d bytes",
                CUSTOMER_EXTERNAL_ID_BYTES_MAX));
    }
    field_note(
        cx, &result, field_check_text(cx, field_path(cx, path, "name"), customer->name, 0, 200));
    field_note(
        cx, &result, field_check_text(cx, field_path(cx, path, "phone"), customer->phone, 0, 40));
    if (strlen(customer->email) > MEMBER_EMAIL_BYTES_MAX) {
        field_note(
            cx, &result, status_field(cx, email, "has more than %d bytes", MEMBER_EMAIL_BYTES_MAX));
    } else if (customer->email[0] != '\0' && !member_email_valid(customer->email)) {
        field_note(cx, &result, status_field(cx, email, "is not an e-mail address"));
    }
    field_note(cx, &result, field_check_text(cx, locale, customer->locale, 0, 35));
    if (customer->locale[0] != '\0' && !locale_valid(customer->locale)) {
        field_note(cx, &result, status_field(cx, locale, "is not a language tag like \"de-AT\""));
    }
    if (customer->currency[0] != '\0') {
        field_note(
            cx,
            &result,
            field_check_currency(cx, field_path(cx, path, "currency_code"), customer->currency));
    }
    return result;
}

struct status customer_check_active(struct ctx *cx, const struct customer *customer)
{
    const char *text = NULL;

    if (customer->archived_us == 0) {
        return STATUS_OK;
    }
    text = id_text(cx->arena, ID_CUSTOMER, &customer->customer_id);
    return status_pair(
        cx,
        status_fail(cx, REASON_CUSTOMER_ARCHIVED, "customer \"%s\" is archived", text),
        "customer_id",
        text);
}
