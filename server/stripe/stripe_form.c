#include "stripe/stripe_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/wallclock.h"

void stripe_form_begin(struct stripe_form *form, struct buf *buf)
{
    *form = (struct stripe_form){.buf = buf};
}

/* RFC 3986 leaves these alone; the official client also escapes "!*()'", as this does. */
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static size_t escape(char c, char ret_text[4])
{
    static const char digits[] = "0123456789ABCDEF";

    if (is_unreserved(c)) {
        ret_text[0] = c;
        return 1;
    }
    ret_text[0] = '%';
    ret_text[1] = digits[(unsigned char)c >> 4];
    ret_text[2] = digits[(unsigned char)c & 15];
    return 3;
}

static void put_escaped(struct buf *buf, const char *text)
{
    char escaped[4];

    for (; *text != '\0'; text++) {
        buf_add(buf, escaped, escape(*text, escaped));
    }
}

/* The outermost name stands bare, those below it in brackets. */
static void push_name(struct stripe_form *form, const char *name)
{
    const bool inner = form->name_len > 0;
    size_t len = form->name_len;
    char escaped[4];

    if (form->depth == STRIPE_FORM_DEPTH_MAX || len + 3 * strlen(name) + 3 > sizeof form->name) {
        form->buf->failed = true;
        return;
    }
    form->name_ends[form->depth++] = len;
    form->elements[form->depth] = 0;
    if (inner) {
        form->name[len++] = '[';
    }
    for (; *name != '\0'; name++) {
        const size_t count = escape(*name, escaped);

        memcpy(form->name + len, escaped, count);
        len += count;
    }
    if (inner) {
        form->name[len++] = ']';
    }
    form->name[len] = '\0';
    form->name_len = len;
}

void stripe_form_open(struct stripe_form *form, const char *name)
{
    push_name(form, name);
}

void stripe_form_open_array(struct stripe_form *form, const char *name)
{
    push_name(form, name);
}

void stripe_form_open_element(struct stripe_form *form)
{
    char number[16];

    snprintf(number, sizeof number, "%" PRIu32, form->elements[form->depth]++);
    push_name(form, number);
}

void stripe_form_close(struct stripe_form *form)
{
    if (form->depth == 0) {
        form->buf->failed = true;
        return;
    }
    form->name_len = form->name_ends[--form->depth];
    form->name[form->name_len] = '\0';
}

static void put(struct stripe_form *form, const char *name, const char *value)
{
    struct buf *buf = form->buf;

    if (buf->len > 0) {
        buf_char(buf, '&');
    }
    if (form->name_len == 0) {
        put_escaped(buf, name);
    } else {
        buf_add(buf, form->name, form->name_len);
        buf_char(buf, '[');
        put_escaped(buf, name);
        buf_char(buf, ']');
    }
    buf_char(buf, '=');
    put_escaped(buf, value);
}

void stripe_form_text(struct stripe_form *form, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        put(form, name, value);
    }
}

void stripe_form_element(struct stripe_form *form, const char *value)
{
    char number[16];

    snprintf(number, sizeof number, "%" PRIu32, form->elements[form->depth]++);
    put(form, number, value);
}

void stripe_form_i64(struct stripe_form *form, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, value);
    put(form, name, text);
}

void stripe_form_bool(struct stripe_form *form, const char *name, bool value)
{
    put(form, name, value ? "true" : "false");
}

void stripe_form_time(struct stripe_form *form, const char *name, int64_t time_us)
{
    if (time_us != 0) {
        stripe_form_i64(form, name, time_us / US_PER_SECOND);
    }
}

void stripe_form_unset(struct stripe_form *form, const char *name)
{
    put(form, name, "");
}

void stripe_form_text_or_unset(struct stripe_form *form, const char *name, const char *value)
{
    put(form, name, value == NULL ? "" : value);
}
