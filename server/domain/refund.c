#include "domain/refund.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
    enum refund_state state;
    const char *name;
    const char *word;
} states[] = {
#define X(name, number, word) {REFUND_##name, #name, word},
    REFUND_STATES(X)
#undef X
};

static const struct {
    int64_t number;
    const char *name;
    const char *word;
} reasons[] = {
#define X(name, number, word) {number, #name, word},
    REFUND_REASONS(X)
#undef X
};

const char *refund_state_name(enum refund_state state)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (states[i].state == state) {
            return states[i].name;
        }
    }
    return "";
}

bool refund_state_parse(const char *name, enum refund_state *ret_state)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (strcmp(states[i].name, name) == 0) {
            *ret_state = states[i].state;
            return true;
        }
    }
    return false;
}

enum refund_state refund_state_of_payment(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (strcmp(states[i].word, word) == 0) {
            return states[i].state;
        }
    }
    return REFUND_PENDING;
}

const char *refund_reason_name(int64_t reason)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].number == reason) {
            return reasons[i].name;
        }
    }
    return "";
}

const char *refund_reason_word(int64_t reason)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].number == reason) {
            return reasons[i].word;
        }
    }
    return "";
}

int64_t refund_reason_parse(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (strcmp(reasons[i].name, name) == 0) {
            return reasons[i].number;
        }
    }
    return 0;
}

int64_t refund_reason_of_payment(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (strcmp(reasons[i].word, word) == 0) {
            return reasons[i].number;
        }
    }
    return 0;
}
