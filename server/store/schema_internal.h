#pragma once

/* What schema.c (reading) and schema_up.c (changing) share.
 * Private to store/. */

#include "base/digest.h"
#include "store/schema.h"

void schema_checksum(const struct migration *migration, uint8_t ret_digest[SHA256_SIZE]);

/* Fails as schema_verify() does, except for pending migrations; those must follow all applied ones.
 */
struct status schema_check(struct ctx *cx, const struct schema_report *report) MUST_CHECK;
