#include "domain/feature.h"

#include <string.h>

#include "domain/field_check.h"

static const char *const kind_names[] = {
    [FEATURE_BOOLEAN] = "BOOLEAN",
    [FEATURE_CONFIG] = "CONFIG",
    [FEATURE_METERED] = "METERED",
    [FEATURE_CREDITS] = "CREDITS",
};

const char *feature_kind_name(enum feature_kind kind)
{
    return kind_names[kind];
}

bool feature_kind_parse(const char *name, enum feature_kind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kind_names); i++) {
        if (strcmp(kind_names[i], name) == 0) {
            *ret_kind = (enum feature_kind)i;
            return true;
        }
    }
    return false;
}

struct status feature_mismatch(struct ctx *cx, const struct feature *feature, const char *field)
{
    struct status status = status_fail(
        cx,
        REASON_FEATURE_KIND_MISMATCH,
        "%s does not go with feature \"%s\", which is %s",
        field,
        feature->key,
        kind_names[feature->kind]);

    status = status_violation(cx, status, field, "does not go with the kind of the feature");
    status = status_pair(cx, status, "feature_key", feature->key);
    status = status_pair(cx, status, "kind", kind_names[feature->kind]);
    return status_pair(cx, status, "field", field);
}

static struct status feature_check_kind(
    struct ctx *cx, const char *path, const struct feature *feature, struct status result)
{
    const enum feature_kind kind = feature->kind;
    const bool counted = kind == FEATURE_METERED || kind == FEATURE_CREDITS;

    if (kind == FEATURE_METERED && feature->meter_key[0] == '\0') {
        field_note(
            cx,
            &result,
            status_field(cx, field_path(cx, path, "meter_key"), "is required for METERED"));
    }
    if (kind != FEATURE_METERED && feature->meter_key[0] != '\0') {
        field_note(cx, &result, feature_mismatch(cx, feature, field_path(cx, path, "meter_key")));
    }
    if (!counted && feature->unit[0] != '\0') {
        field_note(cx, &result, feature_mismatch(cx, feature, field_path(cx, path, "unit_name")));
    }
    if (kind != FEATURE_CONFIG && feature->permitted_count > 0) {
        field_note(
            cx, &result, feature_mismatch(cx, feature, field_path(cx, path, "permitted_values")));
    }
    if (feature->credit_currency[0] != '\0') {
        const char *field = field_path(cx, path, "credit_currency_code");

        field_note(
            cx,
            &result,
            kind == FEATURE_CREDITS ? field_check_currency(cx, field, feature->credit_currency)
                                    : feature_mismatch(cx, feature, field));
    }
    return result;
}

struct status feature_check(struct ctx *cx, const char *path, const struct feature *feature)
{
    struct status result = STATUS_OK;

    field_note(cx, &result, field_check_key(cx, field_path(cx, path, "feature_key"), feature->key));
    field_note(
        cx, &result, field_check_text(cx, field_path(cx, path, "name"), feature->name, 1, 100));
    field_note(
        cx,
        &result,
        field_check_text(cx, field_path(cx, path, "description"), feature->description, 0, 1000));
    field_note(
        cx, &result, field_check_text(cx, field_path(cx, path, "unit_name"), feature->unit, 0, 40));
    field_note(
        cx,
        &result,
        field_check_texts(
            cx,
            field_path(cx, path, "permitted_values"),
            feature->permitted_values,
            feature->permitted_count,
            FEATURE_VALUES_MAX,
            FEATURE_VALUE_LETTERS_MAX));
    return feature_check_kind(cx, path, feature, result);
}
