#include "services/organizations.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/money.h"
#include "domain/field_check.h"
#include "domain/scope.h"
#include "services/api_keys.h"
#include "services/audit.h"
#include "services/services.h"
#include "store/db.h"
#include "store/member_store.h"
#include "store/organization_store.h"

#define ORIGINS_BYTES_MAX ((size_t)16 * 1024)

/* The id of an organisation that is made under a request_id is a function of it: there is no tenant
 * yet under which the claim could be looked for. */
static struct id id_of_request(struct ctx *cx, const char *request_id)
{
    const char *text = arena_printf(cx->arena, "CreateOrganization\n%s", request_id);

    return id_derived(text, strlen(text));
}

struct status organizations_reserve(
    struct ctx *cx,
    struct services *services,
    const char *request_id,
    struct organization *ret_place)
{
    struct organization place = {.live = true};
    struct status status;

    if (request_id[0] == '\0') {
        place.organization_id = id_new(cx->now_us);
        status = status_of(cx, REASON_ORGANIZATION_NOT_FOUND);
    } else {
        place.organization_id = id_of_request(cx, request_id);
        status = organization_store_find(cx, services->db, &place.organization_id, true, &place);
    }
    if (status_reason(status) == REASON_ORGANIZATION_NOT_FOUND) {
        status = organization_store_reserve(cx, services->db, &place.org_id);
    }
    TRY(status);
    cx->caller.org_id = place.org_id;
    cx->caller.org = place.organization_id;
    cx->caller.live = true;
    *ret_place = place;
    return STATUS_OK;
}

static struct status
check_values(struct ctx *cx, struct tx *tx, uint32_t fields, const struct organization *values)
{
    bool known = true;

    if ((fields & ORGANIZATION_CURRENCY) != 0 && !currency_known(values->default_currency)) {
        return status_pair(
            cx,
            status_fail(
                cx,
                REASON_CURRENCY_UNKNOWN,
                "currency \"%s\" is not in ISO 4217",
                values->default_currency),
            "currency_code",
            values->default_currency);
    }
    if ((fields & ORGANIZATION_TIME_ZONE) != 0 && strcmp(values->time_zone, "UTC") != 0) {
        TRY(organization_store_zone_known(cx, tx, values->time_zone, &known));
    }
    if (!known) {
        return status_pair(
            cx,
            status_fail(
                cx,
                REASON_TIME_ZONE_UNKNOWN,
                "time zone \"%s\" is not in the IANA database",
                values->time_zone),
            "time_zone",
            values->time_zone);
    }
    return STATUS_OK;
}

static struct status choose_slug(struct ctx *cx, struct tx *tx, struct organization *organization)
{
    char slug[ORGANIZATION_SLUG_SIZE];
    bool taken = false;

    if (organization->slug[0] != '\0') {
        return STATUS_OK; /* the unique index decides */
    }
    organization_slug_make(organization->name, &organization->organization_id, 0, slug);
    TRY(organization_store_slug_taken(cx, tx, slug, &taken));
    if (taken) {
        organization_slug_make(organization->name, &organization->organization_id, 1, slug);
    }
    organization->slug = arena_text(cx->arena, slug);
    return STATUS_OK;
}

static struct status
issue_first_keys(struct ctx *cx, struct tx *tx, int64_t live_number, struct issued_key *ret_keys)
{
    static const struct {
        enum key_kind kind;
        bool live;
        const char *name;
    } first[FIRST_KEYS] = {
        {KEY_SECRET, true, "First secret key"},
        {KEY_PUBLISHABLE, true, "First publishable key"},
        {KEY_SECRET, false, "First secret key"},
        {KEY_PUBLISHABLE, false, "First publishable key"},
    };

    for (size_t i = 0; i < FIRST_KEYS; i++) {
        const struct api_key key = {
            .org_id = first[i].live ? live_number : live_number + 1,
            .kind = first[i].kind,
            .live = first[i].live,
            .name = first[i].name,
        };

        TRY(api_keys_issue(cx, tx, &key, &ret_keys[i]));
    }
    return STATUS_OK;
}

static struct status
check_seconds(struct ctx *cx, const char *field, int64_t seconds, int64_t min, int64_t max)
{
    if (seconds >= min && seconds <= max) {
        return STATUS_OK;
    }
    return status_field(cx, field, "must be %" PRId64 " to %" PRId64 " seconds", min, max);
}

static struct status check_origins(struct ctx *cx, const struct organization *values)
{
    if (values->origin_count > ORGANIZATION_ORIGINS_MAX) {
        return status_field(
            cx,
            "organization.allowed_origins",
            "has %zu entries, at most %d are allowed",
            values->origin_count,
            ORGANIZATION_ORIGINS_MAX);
    }
    for (size_t i = 0; i < values->origin_count; i++) {
        if (!organization_origin_valid(values->origins[i])) {
            return status_field(
                cx,
                arena_printf(cx->arena, "organization.allowed_origins[%zu]", i),
                "must have the form https://host or https://host:port, in lower case");
        }
    }
    return STATUS_OK;
}

/* The door has asked for more, in more words; this is what every caller is held to. */
static struct status
check_fields(struct ctx *cx, uint32_t fields, const struct organization *values)
{
    if (fields & ORGANIZATION_NAME && !organization_name_valid(values->name)) {
        return status_field(
            cx, "organization.name", "must have 1 to %d characters", ORGANIZATION_NAME_LETTERS_MAX);
    }
    if (fields & ORGANIZATION_COUNTRY && values->country[0] != '\0' &&
        !organization_country_valid(values->country)) {
        return status_field(
            cx, "organization.country_code", "must be two letters of ISO 3166-1, in upper case");
    }
    if (fields & ORGANIZATION_SUPPORT_EMAIL && values->support_email[0] != '\0' &&
        !member_email_valid(values->support_email)) {
        return status_field(cx, "organization.support_email", "is not an e-mail address");
    }
    if (fields & ORGANIZATION_GRACE) {
        TRY(check_seconds(
            cx,
            "organization.payment_grace",
            values->payment_grace_seconds,
            0,
            ORGANIZATION_GRACE_MAX_SECONDS));
    }
    if (fields & ORGANIZATION_STALENESS) {
        TRY(check_seconds(
            cx,
            "organization.max_staleness",
            values->max_staleness_seconds,
            ORGANIZATION_STALENESS_MIN_SECONDS,
            ORGANIZATION_STALENESS_MAX_SECONDS));
    }
    return fields & ORGANIZATION_ORIGINS ? check_origins(cx, values) : STATUS_OK;
}

static struct status check_draft(struct ctx *cx, const struct organization_draft *draft)
{
    TRY(check_fields(cx, UINT32_MAX, &draft->organization));
    if (draft->organization.slug[0] != '\0' && !organization_slug_valid(draft->organization.slug)) {
        return status_field(cx, "organization.slug", "must be 3 to 40 of a-z, 0-9 and \"-\"");
    }
    if (!member_email_valid(draft->owner_email)) {
        return status_field(cx, "owner_email", "is not an e-mail address");
    }
    return STATUS_OK;
}

struct status organizations_create(
    struct ctx *cx,
    struct tx *tx,
    const struct organization_draft *draft,
    struct organization_founding *ret_founding)
{
    struct organization_founding founding = {.organization = draft->organization};
    struct organization *organization = &founding.organization;
    struct audit_changes changes = {0};

    TRY(check_draft(cx, draft));
    TRY(check_values(cx, tx, ORGANIZATION_CURRENCY | ORGANIZATION_TIME_ZONE, organization));
    TRY(choose_slug(cx, tx, organization));
    organization->live = true;
    organization->version = 1;
    organization->created_us = cx->now_us;
    organization->updated_us = cx->now_us;
    TRY(organization_store_insert(cx, tx, organization));
    TRY(issue_first_keys(cx, tx, organization->org_id, founding.keys));
    founding.owner = (struct member){
        .org_id = organization->org_id,
        .member_id = id_new(cx->now_us),
        .email = draft->owner_email,
        .name = draft->owner_name,
        .role = MEMBER_OWNER,
        .version = 1,
        .created_us = cx->now_us,
    };
    TRY(member_store_insert(cx, tx, &founding.owner));
    audit_note(&changes, "name", "", organization->name);
    audit_note(&changes, "slug", "", organization->slug);
    audit_note(&changes, "owner_email", "", draft->owner_email);
    TRY(audit_add_shared(
        cx,
        tx,
        "organization",
        id_text(cx->arena, ID_ORGANIZATION, &organization->organization_id),
        &changes));
    log_info(cx, "organization created");
    *ret_founding = founding;
    return STATUS_OK;
}

bool organizations_raced(struct status status)
{
    return db_unique_violation(status, "organizations_organization_id_live_key");
}

struct status
organizations_get(struct ctx *cx, struct services *services, struct organization *ret_organization)
{
    return organization_store_load(cx, services->db, ret_organization);
}

static const char *number_text(struct ctx *cx, int64_t number)
{
    return arena_printf(cx->arena, "%" PRId64, number);
}

static const char *origins_text(struct ctx *cx, const struct organization *organization)
{
    AUTO_BUF text;

    buf_init(&text, ORIGINS_BYTES_MAX);
    for (size_t i = 0; i < organization->origin_count; i++) {
        buf_printf(&text, "%s%s", i == 0 ? "" : " ", organization->origins[i]);
    }
    return arena_text(cx->arena, buf_cstr(&text));
}

static void note_changes(
    struct ctx *cx,
    const struct organization *before,
    const struct organization *after,
    struct audit_changes *changes)
{
    audit_note(changes, "name", before->name, after->name);
    audit_note(changes, "default_currency_code", before->default_currency, after->default_currency);
    audit_note(changes, "time_zone", before->time_zone, after->time_zone);
    audit_note(changes, "country_code", before->country, after->country);
    audit_note(changes, "support_email", before->support_email, after->support_email);
    audit_note(
        changes,
        "payment_grace",
        number_text(cx, before->payment_grace_seconds),
        number_text(cx, after->payment_grace_seconds));
    audit_note(
        changes,
        "max_staleness",
        number_text(cx, before->max_staleness_seconds),
        number_text(cx, after->max_staleness_seconds));
    audit_note(changes, "allowed_origins", origins_text(cx, before), origins_text(cx, after));
    audit_note(changes, "metadata", before->metadata, after->metadata);
}

static void apply(const struct organization_change *change, struct organization *organization)
{
    const struct organization *values = &change->values;
    const uint32_t fields = change->fields;

    organization->name = fields & ORGANIZATION_NAME ? values->name : organization->name;
    organization->default_currency =
        fields & ORGANIZATION_CURRENCY ? values->default_currency : organization->default_currency;
    organization->time_zone =
        fields & ORGANIZATION_TIME_ZONE ? values->time_zone : organization->time_zone;
    organization->country = fields & ORGANIZATION_COUNTRY ? values->country : organization->country;
    organization->support_email =
        fields & ORGANIZATION_SUPPORT_EMAIL ? values->support_email : organization->support_email;
    organization->metadata =
        fields & ORGANIZATION_METADATA ? values->metadata : organization->metadata;
    if (fields & ORGANIZATION_GRACE) {
        organization->payment_grace_seconds = values->payment_grace_seconds;
    }
    if (fields & ORGANIZATION_STALENESS) {
        organization->max_staleness_seconds = values->max_staleness_seconds;
    }
    if (fields & ORGANIZATION_ORIGINS) {
        organization->origins = values->origins;
        organization->origin_count = values->origin_count;
    }
}

struct status organizations_update(
    struct ctx *cx,
    struct tx *tx,
    const struct organization_change *change,
    struct organization *ret_organization)
{
    struct audit_changes changes = {0};
    struct organization before;
    struct organization after;

    TRY(check_fields(cx, change->fields, &change->values));
    TRY(check_values(cx, tx, change->fields, &change->values));
    TRY(organization_store_lock(cx, tx, &before));
    TRY(field_check_etag(cx, change->etag, before.version));
    after = before;
    apply(change, &after);
    note_changes(cx, &before, &after, &changes);
    if (changes.count > 0) {
        after.version++;
        after.updated_us = cx->now_us;
        TRY(organization_store_update(cx, tx, &after));
        TRY(audit_add_shared(
            cx,
            tx,
            "organization",
            id_text(cx->arena, ID_ORGANIZATION, &after.organization_id),
            &changes));
    }
    *ret_organization = after;
    return STATUS_OK;
}

struct status organizations_enter(
    struct ctx *cx, struct services *services, const char *name, bool live, const char *actor)
{
    struct organization organization;
    struct id id;

    if (id_parse(ID_ORGANIZATION, name, &id)) {
        TRY(organization_store_find(cx, services->db, &id, live, &organization));
    } else {
        TRY(organization_store_find_slug(cx, services->db, name, live, &organization));
    }
    cx->caller = (struct caller){
        .org_id = organization.org_id,
        .org = organization.organization_id,
        .live = live,
        .scopes = SCOPES_ALL,
        .actor = actor,
    };
    return STATUS_OK;
}
