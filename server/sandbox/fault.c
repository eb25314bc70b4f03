#include "sandbox/fault.h"

#include <regex.h>
#include <string.h>

#include "base/ctx.h"
#include "base/heap.h"
#include "http/http_server.h"
#include "sandbox/account.h"
#include "sandbox/call.h"
#include "sandbox/event.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

struct fault {
    enum fault_action action;
    const char *account; /* "" in each: any */
    const char *method;
    const char *type; /* of an event, "invoice.*" */
    const char *path_regex;
    regex_t path;
    int64_t nth;     /* strikes from the nth match on; 0: from the first */
    int64_t percent; /* of the matches; 0: all */
    int64_t matched;
    int64_t times; /* how often it still strikes */
    int64_t ms;
    int64_t count;
    const char *reason;
};

struct fault_list {
    struct fault items[FAULTS_MAX];
    size_t count;
};

static const char *const words[] = {
#define X(name, word) word,
    FAULT_ACTIONS(X)
#undef X
};

struct fault_list *fault_list_new(void)
{
    return heap_new(sizeof(struct fault_list));
}

static void clear(struct fault_list *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        regfree(&faults->items[i].path);
    }
    faults->count = 0;
}

void fault_list_free(struct fault_list *faults)
{
    if (faults != NULL) {
        clear(faults);
        heap_free(faults);
    }
}

const char *fault_word(enum fault_action action)
{
    return action == FAULT_NONE ? NULL : words[action];
}

static enum fault_action find_action(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) == 0) {
            return (enum fault_action)i;
        }
    }
    return FAULT_NONE;
}

/* A member of the order, kept for ever. */
static const char *text_of(const struct call *call, const char *path)
{
    return sim_text(call->sim, json_text(call->cx, call->json, path));
}

static int64_t number_of(const struct call *call, const char *path, int64_t otherwise)
{
    const json_value value = json_at(call->json, path);

    return json_is_null(value) ? otherwise : json_i64(call->json, path);
}

bool fault_order(struct call *call)
{
    struct fault_list *faults = call->sim->faults;
    struct fault *fault = &faults->items[faults->count];
    const char *word = json_text(call->cx, call->json, "action");
    const enum fault_action action = find_action(word);

    if (action == FAULT_NONE) {
        return call_fail(call, 400, NULL, "action", "There is no fault \"%s\".", word);
    }
    if (faults->count == FAULTS_MAX) {
        return call_fail(call, 400, NULL, NULL, "At most %d faults.", FAULTS_MAX);
    }
    *fault = (struct fault){
        .action = action,
        .account = text_of(call, "match.account"),
        .method = text_of(call, "match.method"),
        .type = text_of(call, "match.type"),
        .path_regex = text_of(call, "match.path_regex"),
        .nth = json_i64(call->json, "match.nth"),
        .percent = json_i64(call->json, "match.percent"),
        .times = number_of(call, "times", 1),
        .ms = number_of(call, "ms", 1000),
        .count = number_of(call, "count", 1),
        .reason = text_of(call, "reason"),
    };
    if (fault->ms < 0 || fault->ms > 600000 || fault->count < 1 || fault->count > 100) {
        return call_fail(call, 400, NULL, "ms", "ms is at most 600000 and count at most 100.");
    }
    if (regcomp(&fault->path, fault->path_regex, REG_EXTENDED | REG_NOSUB) != 0) {
        return call_fail(call, 400, NULL, "match.path_regex", "Invalid regular expression.");
    }
    faults->count++;
    return fault_show(call);
}

bool fault_show(struct call *call)
{
    const struct fault_list *faults = call->sim->faults;
    struct json_writer w;

    buf_clear(&call->body);
    json_begin(&w, &call->body);
    json_open_object(&w, NULL);
    json_open_array(&w, "faults");
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];

        json_open_object(&w, NULL);
        json_put_text(&w, "action", words[fault->action]);
        json_put_text(&w, "account", fault->account);
        json_put_text(&w, "method", fault->method);
        json_put_text(&w, "type", fault->type);
        json_put_text(&w, "path_regex", fault->path_regex);
        json_put_i64(&w, "matched", fault->matched);
        json_put_i64(&w, "times_left", fault->times);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
    call->status = 200;
    return true;
}

bool fault_clear(struct call *call)
{
    clear(call->sim->faults);
    return fault_show(call);
}

/* Counts a match; true when the fault strikes. */
static bool strikes(struct sim *sim, struct fault *fault)
{
    if (fault->times <= 0) {
        return false;
    }
    fault->matched++;
    if (fault->matched < fault->nth ||
        (fault->percent > 0 && (int64_t)(sim_random_fleeting(sim) % 100) >= fault->percent)) {
        return false;
    }
    fault->times--;
    return true;
}

static bool same_or_any(const char *wanted, const char *text)
{
    return wanted[0] == '\0' || strcmp(wanted, text) == 0;
}

static bool type_matches(const char *wanted, const char *type)
{
    const char *star = strchr(wanted, '*');

    return star == NULL ? same_or_any(wanted, type)
                        : strncmp(wanted, type, (size_t)(star - wanted)) == 0;
}

enum fault_action fault_for_call(struct call *call)
{
    struct fault_list *faults = call->sim->faults;

    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->items[i];

        if (fault->action >= FAULT_WEBHOOK_DROP ||
            !same_or_any(fault->method, call->http->method) ||
            !same_or_any(fault->account, call->account->object.id) ||
            regexec(&fault->path, call->http->path, 0, NULL, 0) != 0 ||
            !strikes(call->sim, fault)) {
            continue;
        }
        call->fault = words[fault->action];
        if (fault->action == FAULT_HANG) {
            call->sleep_ms = fault->ms;
        }
        if (fault->action == FAULT_RATE_LIMIT) {
            call->rate_limited = fault->reason[0] == '\0' ? "global-rate" : fault->reason;
        }
        return fault->action;
    }
    return FAULT_NONE;
}

void fault_for_webhook(struct sim *sim, const struct event *event, struct webhook_fault *ret_fault)
{
    struct fault_list *faults = sim->faults;

    *ret_fault = (struct webhook_fault){.drop = false};
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->items[i];

        if (fault->action < FAULT_WEBHOOK_DROP || fault->action >= FAULT_NEVER_GENERATE ||
            !type_matches(fault->type, event->type) ||
            !same_or_any(fault->account, event->object.owner->object.id) || !strikes(sim, fault)) {
            continue;
        }
        ret_fault->drop = ret_fault->drop || fault->action == FAULT_WEBHOOK_DROP;
        ret_fault->bad_signature =
            ret_fault->bad_signature || fault->action == FAULT_WEBHOOK_BAD_SIGNATURE;
        ret_fault->stale = ret_fault->stale || fault->action == FAULT_WEBHOOK_STALE_TIMESTAMP;
        if (fault->action == FAULT_WEBHOOK_DUPLICATE) {
            ret_fault->duplicates = (int)fault->count;
        }
        if (fault->action == FAULT_WEBHOOK_DELAY) {
            ret_fault->delay_ms = fault->ms;
        }
    }
}

bool fault_never_generate(struct sim *sim, const char *type)
{
    struct fault_list *faults = sim->faults;

    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->items[i];

        if (fault->action == FAULT_NEVER_GENERATE && type_matches(fault->type, type) &&
            strikes(sim, fault)) {
            return true;
        }
    }
    return false;
}
