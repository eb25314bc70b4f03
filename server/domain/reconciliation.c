#include "domain/reconciliation.h"

#include <string.h>

#include "base/cleanup.h"

static const char *const kinds[DRIFT_KINDS] = {
    [DRIFT_ANY] = "",
    [DRIFT_MISSING_HERE] = "MISSING_HERE",
    [DRIFT_MISSING_THERE] = "MISSING_THERE",
    [DRIFT_DIFFERENT] = "DIFFERENT",
    [DRIFT_ORPHAN_OPERATION] = "ORPHAN_OPERATION",
    [DRIFT_USAGE_DIFFERENCE] = "USAGE_DIFFERENCE",
};

const char *drift_kind_name(enum drift_kind kind)
{
    return kinds[kind];
}

enum drift_kind drift_kind_parse(const char *name)
{
    for (int kind = 1; kind < DRIFT_KINDS; kind++) {
        if (strcmp(kinds[kind], name) == 0) {
            return (enum drift_kind)kind;
        }
    }
    return DRIFT_ANY;
}

const char *reconciliation_state_name(enum reconciliation_state state)
{
    static const char *const names[] = {
        [RECONCILIATION_RUNNING] = "RUNNING",
        [RECONCILIATION_DONE] = "DONE",
        [RECONCILIATION_FAILED] = "FAILED",
    };

    return names[state];
}
