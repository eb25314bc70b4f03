#pragma once

/* A merchant in one mode. The live and the test row share everything but org_id and live. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

#define ORGANIZATION_NAME_BYTES_MAX 400 /* 100 characters of up to 4 bytes */
#define ORGANIZATION_NAME_LETTERS_MAX 100
#define ORGANIZATION_ORIGINS_MAX 50
#define ORGANIZATION_SLUG_SIZE 41 /* 40 characters and a NUL */
#define ORGANIZATION_TIME_ZONE_BYTES_MAX 64

/* 3 days: over a weekend, a failed payment can be seen and mended. */
#define ORGANIZATION_GRACE_DEFAULT_SECONDS INT64_C(259200)
#define ORGANIZATION_GRACE_MAX_SECONDS (INT64_C(60) * 86400)
#define ORGANIZATION_STALENESS_DEFAULT_SECONDS INT64_C(3600)
#define ORGANIZATION_STALENESS_MIN_SECONDS INT64_C(60)
#define ORGANIZATION_STALENESS_MAX_SECONDS INT64_C(86400)

struct organization {
    int64_t org_id;
    struct id organization_id;
    bool live;
    const char *name;
    const char *slug;
    const char *country; /* "" when not told */
    const char *default_currency;
    const char *time_zone; /* IANA name */
    const char *support_email;
    int64_t payment_grace_seconds;
    int64_t max_staleness_seconds;
    const char *const *origins;
    size_t origin_count;
    const char *metadata; /* a JSON object of texts */
    int64_t version;
    int64_t created_us;
    int64_t updated_us;
};

/* The number of the live side, under which lies what belongs to both modes. */
static inline int64_t organization_live_number(int64_t org_id)
{
    return org_id & ~INT64_C(1);
}

/* 1 to 100 characters of UTF-8. */
bool organization_name_valid(const char *name);

/* Lower-case letters, digits and "-", 3 to 40 of them, none of the "-" at an end. */
bool organization_slug_valid(const char *slug);

/* From the name: what is not a letter or digit of ASCII becomes "-". Too short a name is "org".
 * attempt > 0 appends letters of the id, because others have the name too. */
void organization_slug_make(
    const char *name,
    const struct id *organization_id,
    int attempt,
    char ret_slug[ORGANIZATION_SLUG_SIZE]);

/* "https://host" or "http://host" with an optional port and nothing else. */
bool organization_origin_valid(const char *origin);

/* Two upper-case letters. */
bool organization_country_valid(const char *country);
