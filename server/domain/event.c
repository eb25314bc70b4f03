#include "domain/event.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    bool internal;
    enum event_severity severity;
} types[EVENT_TYPE_COUNT] = {
#define X(name, internal, severity) [EVENT_##name] = {#name, internal, SEVERITY_##severity},
    EVENT_TYPES(X)
#undef X
};

const char *event_type_name(enum event_type type)
{
    return types[type].name;
}

bool event_type_parse(const char *name, enum event_type *ret_type)
{
    for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *ret_type = (enum event_type)i;
            return true;
        }
    }
    return false;
}

bool event_type_internal(enum event_type type)
{
    return types[type].internal;
}

enum event_severity event_type_severity(enum event_type type)
{
    return types[type].severity;
}
