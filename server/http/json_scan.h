#pragma once

/* The grammar of RFC 8259, to the letter, before json-c sees a text: json-c also takes comments,
 * NaN and lone surrogates, and needs hundreds of bytes for every "[]". Looks only, copies nothing.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 64
/* A page of 100 objects of the payment side has some 20,000 objects and arrays. */
#define JSON_CONTAINERS_MAX ((size_t)64 * 1024)
#define JSON_VALUES_MAX ((size_t)512 * 1024)

/* NULL when the text is one value, else what is wrong with it, in static words. *ret_members is the
 * number of members of all its objects. */
const char *json_scan(struct str text, size_t *ret_members) MUST_CHECK;
