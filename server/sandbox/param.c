#include "sandbox/param.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"
#include "sandbox/call.h"

/* Sums and products of what is let in must not overflow. */
#define INTEGER_MAX 1000000000000LL

/* Whether the key is what the pattern means; with `below`, also anything inside of it. */
static bool matches(const char *pattern, const char *key, bool below)
{
    while (*pattern != '\0') {
        if (*pattern == '*') {
            const size_t len = strcspn(key, "[]");

            if (len == 0) {
                return false;
            }
            key += len;
            pattern++;
        } else if (*pattern++ != *key++) {
            return false;
        }
    }
    return *key == '\0' || (below && *key == '[');
}

static const struct param *find(const struct param *params, const char *key)
{
    for (; params->pattern != NULL; params++) {
        if (matches(params->pattern, key, params->type == PARAM_UNSUPPORTED)) {
            return params;
        }
    }
    return NULL;
}

static bool is_choice(const char *choices, const char *value)
{
    const size_t len = strlen(value);

    for (const char *choice = choices; choice != NULL;) {
        const char *bar = strchr(choice, '|');
        const size_t choice_len = bar == NULL ? strlen(choice) : (size_t)(bar - choice);

        if (choice_len == len && strncmp(choice, value, len) == 0) {
            return true;
        }
        choice = bar == NULL ? NULL : bar + 1;
    }
    return false;
}

static bool is_decimal(const char *value)
{
    const size_t digits = strspn(value + (*value == '-'), "0123456789");
    const char *rest = value + (*value == '-') + digits;

    if (*rest == '.') {
        rest += 1 + strspn(rest + 1, "0123456789");
    }
    return digits > 0 && *rest == '\0';
}

static bool check_value(struct call *call, const struct param *param, const struct form_pair *pair)
{
    const char *value = pair->value;
    long long number = 0;

    switch (param->type) {
    case PARAM_TEXT:
        return strlen(value) <= 5000 || call_fail(
                                            call,
                                            400,
                                            "parameter_invalid_string_blank",
                                            pair->key,
                                            "Invalid string: too long");
    case PARAM_TIME:
        if (strcmp(value, "now") == 0) {
            return true;
        }
        __attribute__((fallthrough));
    case PARAM_INT:
        return (str_to_i64(str_of(value), &number) && number >= -INTEGER_MAX &&
                number <= INTEGER_MAX) ||
               call_fail(
                   call, 400, "parameter_invalid_integer", pair->key, "Invalid integer: %s", value);
    case PARAM_BOOL:
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ||
               call_fail(call, 400, NULL, pair->key, "Invalid boolean: %s", value);
    case PARAM_DECIMAL:
        return is_decimal(value) ||
               call_fail(call, 400, NULL, pair->key, "Invalid decimal: %s", value);
    case PARAM_ENUM:
        return is_choice(param->choices, value) || call_fail(
                                                       call,
                                                       400,
                                                       NULL,
                                                       pair->key,
                                                       "Invalid %s: must be one of %s",
                                                       pair->key,
                                                       param->choices);
    case PARAM_NOTHING:
        return call_fail(call, 400, NULL, pair->key, "Invalid object");
    case PARAM_UNSUPPORTED:
        return call_fail_not_implemented(
            call, arena_printf(call->cx->arena, "the parameter %s", pair->key));
    }
    return true;
}

static bool check_pair(struct call *call, const struct param *params, const struct form_pair *pair)
{
    const struct param *param = find(params, pair->key);

    if (param == NULL) {
        return call_fail(
            call, 400, "parameter_unknown", pair->key, "Received unknown parameter: %s", pair->key);
    }
    if (pair->value[0] != '\0') {
        return check_value(call, param, pair);
    }
    return (param->flags & PARAM_UNSET) != 0 || call_fail(
                                                    call,
                                                    400,
                                                    "parameter_invalid_empty",
                                                    pair->key,
                                                    "You passed an empty string for '%s'. We "
                                                    "assume empty values are an attempt to unset a "
                                                    "parameter; however '%s' cannot be unset.",
                                                    pair->key,
                                                    pair->key);
}

static bool check_required(struct call *call, const struct param *param)
{
    const size_t name_len = strcspn(param->pattern, "*");
    const char *name = NULL;

    for (size_t i = 0; i < call->form.count; i++) {
        if (matches(param->pattern, call->form.pairs[i].key, true)) {
            return true;
        }
    }
    name = arena_text_n(
        call->cx->arena, param->pattern, param->pattern[name_len] == '*' ? name_len - 1 : name_len);
    return call_fail(call, 400, "parameter_missing", name, "Missing required param: %s.", name);
}

bool param_check(struct call *call, const struct param *params)
{
    static const struct param only_expand[] = {PARAMS_EXPAND, PARAM_END};
    const struct param *known = params == NULL ? only_expand : params;

    for (size_t i = 0; i < call->form.count; i++) {
        if (!check_pair(call, known, &call->form.pairs[i])) {
            return false;
        }
    }
    for (const struct param *param = known; param->pattern != NULL; param++) {
        if ((param->flags & PARAM_REQUIRED) != 0 && !check_required(call, param)) {
            return false;
        }
    }
    return true;
}
