#include "domain/subscription_operation.h"

#include <string.h>

/* The letters of the columns; their order is that of the numbers of the states, from 1. */
static const char columns[] = "PFTAIEDUZC";

static const struct {
    const char *name;
    enum reason reason;
    const char *cells;
} table[] = {
#define X(cells, name, reason) {#name, (reason), (cells)},
    SUBSCRIPTION_OPERATIONS(X)
#undef X
};

struct subscription_verdict
subscription_verdict(enum subscription_operation operation, enum subscription_status status)
{
    const char cell = table[operation].cells[(int)status - SUBSCRIPTION_PENDING];
    const char *letter = strchr(columns, cell);
    struct subscription_verdict verdict = {
        .allowed = cell != '-', .nothing = cell == '=', .reason = REASON_NONE, .next = status};

    if (cell == '-') {
        verdict.reason = table[operation].reason;
    } else if (letter != NULL) {
        verdict.next = (enum subscription_status)(SUBSCRIPTION_PENDING + (letter - columns));
    }
    return verdict;
}

const char *subscription_operation_name(enum subscription_operation operation)
{
    return table[operation].name;
}
