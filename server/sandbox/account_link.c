#include "sandbox/account_link.h"

#include <string.h>

#include "sandbox/account.h"
#include "sandbox/param.h"
#include "sandbox/sim.h"

/* "Account Links are short-lived": the provider says minutes and not how many. */
#define LIFETIME_S 300

struct account_link *account_link_new(
    struct sim *sim, struct account *account, const char *refresh_url, const char *return_url)
{
    struct account_link *link = sim_alloc(sim, sizeof *link);

    link->token = sim_draw_id(sim, "");
    link->account = account;
    link->refresh_url = sim_text(sim, refresh_url);
    link->return_url = sim_text(sim, return_url);
    link->expires_s = sim->now_s + LIFETIME_S;
    link->older = sim->account_links;
    sim->account_links = link;
    return link;
}

static struct account_link *find(const struct call *call)
{
    struct account_link *link = call->sim->account_links;

    while (link != NULL && strcmp(link->token, call->ids[0]) != 0) {
        link = link->older;
    }
    return link;
}

static bool redirect(struct call *call, const char *url)
{
    buf_clear(&call->body);
    call->status = 303;
    call->location = url;
    call->content_type = "text/plain; charset=utf-8";
    return true;
}

/* Merchant-chosen text goes into the page as text only. */
static void put_escaped(struct buf *page, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            buf_text(page, "&lt;");
            break;
        case '>':
            buf_text(page, "&gt;");
            break;
        case '&':
            buf_text(page, "&amp;");
            break;
        case '"':
            buf_text(page, "&quot;");
            break;
        default:
            buf_char(page, *text);
        }
    }
}

static void put_button(struct buf *page, const char *action, const char *label)
{
    buf_printf(page, "<button name=\"action\" value=\"%s\">%s</button>\n", action, label);
}

static bool page_show(struct call *call)
{
    struct account_link *link = find(call);
    const struct account *account = NULL;
    struct buf *page = &call->body;

    if (link == NULL) {
        return call_fail(call, 404, NULL, NULL, "There is no such onboarding page.");
    }
    if (link->used || link->expires_s < call->sim->now_s) {
        return redirect(call, link->refresh_url);
    }
    link->used = true;
    account = link->account;
    call->status = 200;
    call->content_type = "text/html; charset=utf-8";
    buf_text(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" SIM_BANNER
        "</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:4em auto;"
        "padding:0 1em}button{font:inherit;padding:.5em 1em;margin:0 .5em .5em 0}"
        "p.b{background:#fff3cd;padding:.5em 1em}</style><p class=\"b\">" SIM_BANNER "</p><h1>");
    put_escaped(page, account->business_name == NULL ? "Your business" : account->business_name);
    buf_text(page, "</h1><p>Account <code>");
    put_escaped(page, account->object.id);
    buf_text(
        page,
        "</code> gives its details here. The simulator asks for none: choose how the verification "
        "ends.</p><form method=\"post\">\n");
    put_button(page, "onboard", "Everything is in order");
    put_button(page, "pending", "Verification takes a while");
    put_button(page, "restrict", "A document is missing");
    put_button(page, "reject", "Rejected");
    put_button(page, "leave", "Come back later");
    buf_text(page, "</form></html>\n");
    return true;
}

static bool page_submit(struct call *call)
{
    struct account_link *link = find(call);
    const char *action = call_text(call, "action");

    if (link == NULL || link->account->object.deleted) {
        return call_fail(call, 404, NULL, NULL, "There is no such onboarding page.");
    }
    if (link->expires_s < call->sim->now_s) {
        return redirect(call, link->refresh_url);
    }
    link->used = true;
    if (strcmp(action, "onboard") == 0) {
        account_change_state(call->sim, link->account, ACCOUNT_ENABLED);
    } else if (strcmp(action, "pending") == 0) {
        account_change_state(call->sim, link->account, ACCOUNT_PENDING);
    } else if (strcmp(action, "restrict") == 0) {
        account_change_state(call->sim, link->account, ACCOUNT_RESTRICTED);
    } else if (strcmp(action, "reject") == 0) {
        account_change_state(call->sim, link->account, ACCOUNT_REJECTED);
    }
    return redirect(call, link->return_url);
}

/* Where login links lead: the dashboard of the merchant. */
static bool dashboard_show(struct call *call)
{
    call->status = 200;
    call->content_type = "text/html; charset=utf-8";
    buf_text(
        &call->body,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" SIM_BANNER
        "</title><p>" SIM_BANNER "</p><p>The dashboard of the account <code>");
    put_escaped(&call->body, call->ids[0]);
    buf_text(&call->body, "</code> would be here.</p></html>\n");
    return true;
}

static const struct param submit_params[] = {
    {"action", PARAM_ENUM, PARAM_REQUIRED, "onboard|pending|restrict|reject|leave"},
    PARAM_END,
};

const struct endpoint account_link_pages[] = {
    {"GET", "/_sim/onboarding/{}", page_show, NULL, KIND_NONE, ENDPOINT_PAGE},
    {"POST", "/_sim/onboarding/{}", page_submit, submit_params, KIND_NONE, ENDPOINT_PAGE},
    {"GET", "/_sim/express/{}/{}", dashboard_show, NULL, KIND_NONE, ENDPOINT_PAGE},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
