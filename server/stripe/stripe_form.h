#pragma once

/* Parameters as the payment side takes them: application/x-www-form-urlencoded with names in
 * brackets, "items[0][price]=price_1". Absent, unset and a value are three things there: an empty
 * value clears the field. So "" and NULL are left out, and clearing has a word of its own.
 *
 *     stripe_form_open_array(&form, "items");
 *     stripe_form_open_element(&form);
 *     stripe_form_text(&form, "price", "price_1");
 *     stripe_form_close(&form);
 *     stripe_form_close(&form);
 *
 * The buffer's buf_failed() says whether it all went in. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define STRIPE_FORM_DEPTH_MAX 6
#define STRIPE_FORM_NAME_MAX 256

struct stripe_form {
    struct buf *buf;
    uint32_t depth;
    size_t name_len;
    size_t name_ends[STRIPE_FORM_DEPTH_MAX]; /* length of the name outside each open one */
    uint32_t elements[STRIPE_FORM_DEPTH_MAX + 1];
    char name[STRIPE_FORM_NAME_MAX]; /* "items[0]" */
};

void stripe_form_begin(struct stripe_form *form, struct buf *buf);

/* What follows until the close stands below this name: "metadata[...". */
void stripe_form_open(struct stripe_form *form, const char *name);

/* The same for a list; its elements are opened one by one and are numbered. */
void stripe_form_open_array(struct stripe_form *form, const char *name);
void stripe_form_open_element(struct stripe_form *form);
void stripe_form_close(struct stripe_form *form);

/* "" and NULL are left out. */
void stripe_form_text(struct stripe_form *form, const char *name, const char *value);

/* An element of the open list that is a text itself: "expand[0]=...". */
void stripe_form_element(struct stripe_form *form, const char *value);
void stripe_form_i64(struct stripe_form *form, const char *name, int64_t value);
void stripe_form_bool(struct stripe_form *form, const char *name, bool value);

/* Seconds; 0 is left out. */
void stripe_form_time(struct stripe_form *form, const char *name, int64_t time_us);

/* Clears the field. */
void stripe_form_unset(struct stripe_form *form, const char *name);

/* The value, or clears the field when it is "". */
void stripe_form_text_or_unset(struct stripe_form *form, const char *name, const char *value);
