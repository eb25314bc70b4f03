#include "stripe/stripe_value.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/money.h"
#include "base/wallclock.h"

#define ID_LEN_MAX 255
#define METADATA_BYTES_MAX ((size_t)128 * 1024)

void stripe_value_free_json(struct json **json)
{
    json_free(*json);
}

int64_t stripe_value_time(json_value object, const char *path)
{
    const int64_t seconds = json_i64(object, path);

    return seconds > TIME_MIN_US / US_PER_SECOND && seconds < TIME_MAX_US / US_PER_SECOND
               ? seconds * US_PER_SECOND
               : 0;
}

static const char *in_case(struct ctx *cx, const char *text, char from, char to)
{
    char *copy = arena_text(cx->arena, text);

    for (char *at = copy; *at != '\0'; at++) {
        if (*at >= from && *at <= from + ('z' - 'a')) {
            *at = (char)(*at - from + to);
        }
    }
    return copy;
}

const char *stripe_value_currency(struct ctx *cx, json_value object, const char *path)
{
    return in_case(cx, json_text(cx, object, path), 'a', 'A');
}

const char *stripe_value_reference(struct ctx *cx, json_value object, const char *path)
{
    const char *text = json_text(cx, object, path);

    return text[0] != '\0' ? text : json_text(cx, json_at(object, path), "id");
}

/* How many more digits an amount has there than by ISO 4217. */
static int more_digits(const char *currency)
{
    return currency_known(currency)
               ? currency_payment_exponent(currency) - currency_exponent(currency)
               : 0;
}

int64_t stripe_value_minor(json_value object, const char *path, const char *currency)
{
    int64_t minor = json_i64(object, path);
    int more = more_digits(currency);

    for (; more > 0; more--) {
        minor /= 10;
    }
    for (; more < 0; more++) {
        if (__builtin_mul_overflow(minor, 10, &minor)) {
            return 0;
        }
    }
    return minor;
}

struct payment_marks stripe_value_marks(struct ctx *cx, json_value object, const char *path)
{
    const json_value metadata = json_at(object, path);

    return (struct payment_marks){
        .org_id = json_text(cx, metadata, PAYMENT_MARK_ORG),
        .object_id = json_text(cx, metadata, PAYMENT_MARK_ID),
        .operation_id = json_text(cx, metadata, PAYMENT_MARK_OPERATION),
    };
}

static bool is_mark(const char *name)
{
    return strcmp(name, PAYMENT_MARK_ORG) == 0 || strcmp(name, PAYMENT_MARK_ID) == 0 ||
           strcmp(name, PAYMENT_MARK_OPERATION) == 0;
}

const char *stripe_value_metadata(struct ctx *cx, json_value object, const char *path)
{
    AUTO_BUF buf;
    struct json_writer writer;
    const char *name = NULL;
    json_value value = NULL;
    void *cursor = NULL;

    buf_init(&buf, METADATA_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    while (json_next(json_at(object, path), &cursor, &name, &value)) {
        if (!is_mark(name)) {
            json_put_text(&writer, name, json_text(cx, value, ""));
        }
    }
    json_close_object(&writer);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

struct status stripe_value_put_minor(
    struct ctx *cx, struct stripe_form *form, const char *name, int64_t minor, const char *currency)
{
    int more = more_digits(currency);

    for (; more > 0; more--) {
        if (__builtin_mul_overflow(minor, 10, &minor)) {
            return status_of(cx, REASON_QUANTITY_OVERFLOW);
        }
    }
    for (; more < 0; more++) {
        if (minor % 10 != 0) {
            return status_field(cx, name, "amounts in %s must be of whole units", currency);
        }
        minor /= 10;
    }
    stripe_form_i64(form, name, minor);
    return STATUS_OK;
}

/* Moves the point by that many digits, to the right when positive: the digits with zeros on both
 * sides, cut at the new place, without the zeros that are not needed. */
static const char *shifted(struct ctx *cx, const char *decimal, int more)
{
    static const char zeros[] = "000000";
    const size_t whole_len = strcspn(decimal, ".");
    const char *rest = decimal + whole_len + (decimal[whole_len] == '.' ? 1 : 0);
    char *digits =
        arena_printf(cx->arena, "%s%.*s%s%s", zeros, (int)whole_len, decimal, rest, zeros);
    const size_t origin = sizeof zeros - 1 + whole_len;
    size_t point = more < 0 ? origin - (size_t)-more : origin + (size_t)more;
    size_t end = strlen(digits);

    while (point > 1 && digits[0] == '0') {
        digits++;
        point--;
        end--;
    }
    while (end > point && digits[end - 1] == '0') {
        end--;
    }
    return arena_printf(
        cx->arena,
        "%.*s%s%.*s",
        (int)point,
        digits,
        end > point ? "." : "",
        (int)(end - point),
        digits + point);
}

void stripe_value_put_decimal(
    struct ctx *cx,
    struct stripe_form *form,
    const char *name,
    const char *decimal,
    const char *currency)
{
    const int more = more_digits(currency);

    stripe_form_text(form, name, more == 0 ? decimal : shifted(cx, decimal, more));
}

void stripe_value_put_currency(struct ctx *cx, struct stripe_form *form, const char *currency)
{
    stripe_form_text(form, "currency", in_case(cx, currency, 'A', 'a'));
}

void stripe_value_put_marks(struct stripe_form *form, const struct payment_marks *marks)
{
    stripe_form_open(form, "metadata");
    stripe_form_text(form, PAYMENT_MARK_ORG, marks->org_id);
    stripe_form_text(form, PAYMENT_MARK_ID, marks->object_id);
    stripe_form_text(form, PAYMENT_MARK_OPERATION, marks->operation_id);
    stripe_form_close(form);
}

static bool is_id(const char *id)
{
    const size_t len =
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return len > 0 && len <= ID_LEN_MAX && id[len] == '\0';
}

struct status stripe_value_path(
    struct ctx *cx, const char *start, const char *id, const char *end, const char **ret_path)
{
    if (!is_id(id)) {
        return status_fail(cx, REASON_INTERNAL, "\"%s\" cannot be an id of the payment side", id);
    }
    *ret_path = arena_printf(cx->arena, "%s%s%s", start, id, end);
    return STATUS_OK;
}
