#include "outcome.h"

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[OUTCOME_COUNT] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
        "HTTP_STATUS",
        "NO_STATUS",
        "UNKNOWN_STATUS",
        "BAD_BODY",
        "RESET",
        "CONNECTION_LOST",
        "UNANSWERED",
    };

    return names[outcome];
}

enum outcome outcome_of(const struct answer *answer)
{
    if (answer->http_status == 0) {
        return OUTCOME_RESET;
    }
    if (answer->http_status != 200) {
        return OUTCOME_HTTP_STATUS;
    }
    if (answer->grpc_status < 0) {
        return OUTCOME_NO_STATUS;
    }
    if (answer->grpc_status > OUTCOME_GRPC_LAST) {
        return OUTCOME_UNKNOWN_STATUS;
    }
    if (answer->grpc_status == OUTCOME_OK) {
        const int right_count = answer->streaming || answer->messages == 1;

        return answer->body_whole && right_count ? OUTCOME_OK : OUTCOME_BAD_BODY;
    }
    return (enum outcome)answer->grpc_status;
}
