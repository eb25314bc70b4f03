#include "domain/payment_attempt.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
    enum payment_attempt_state state;
    const char *name;
} states[] = {
#define X(name, number) {PAYMENT_ATTEMPT_##name, #name},
    PAYMENT_ATTEMPT_STATES(X)
#undef X
};

static const struct {
    const char *word;
    enum payment_attempt_state state;
} intents[] = {
    {"requires_action", PAYMENT_ATTEMPT_ACTION_REQUIRED},
    {"processing", PAYMENT_ATTEMPT_PENDING},
    {"canceled", PAYMENT_ATTEMPT_CANCELED},
};

const char *payment_attempt_state_name(enum payment_attempt_state state)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (states[i].state == state) {
            return states[i].name;
        }
    }
    return "";
}

bool payment_attempt_state_parse(const char *name, enum payment_attempt_state *ret_state)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (strcmp(states[i].name, name) == 0) {
            *ret_state = states[i].state;
            return true;
        }
    }
    return false;
}

bool payment_attempt_state_of_intent(const char *word, enum payment_attempt_state *ret_state)
{
    for (size_t i = 0; i < ARRAY_LEN(intents); i++) {
        if (strcmp(intents[i].word, word) == 0) {
            *ret_state = intents[i].state;
            return true;
        }
    }
    return false;
}
