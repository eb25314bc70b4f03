/* Verbs about webhooks: what waits for somebody, and what to do about it. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/wallclock.h"
#include "cli.h"
#include "services/webhook_ops.h"

#define LIST_DEFAULT "50"
#define LIST_MAX 1000

static void put_event(struct json_writer *w, const struct webhook_row *row)
{
    char when[RFC3339_SIZE] = "";

    json_put_text(w, "event", row->event_id);
    json_put_text(w, "account", row->account_id);
    json_put_text(w, "mode", row->live ? "live" : "test");
    json_put_text(w, "type", row->type);
    json_put_text(w, "object", row->object_id);
    json_put_text(w, "state", row->state);
    json_put_i64(w, "attempts", row->attempts);
    json_put_text(w, "error", row->error);
    json_put_text(w, "api_version", row->api_version);
    json_put_bool(w, "delivered", !row->listed);
    wallclock_format(row->received_us, when);
    json_put_text(w, "received", when);
    if (row->handled_us != 0) {
        wallclock_format(row->handled_us, when);
    }
    json_put_text(w, "handled", row->handled_us == 0 ? NULL : when);
}

static void print_row(struct cli *cli, const struct webhook_row *row, bool json)
{
    char when[RFC3339_SIZE] = "";
    struct cli_json object;

    if (json) {
        cli_json_open(&object);
        put_event(&object.writer, row);
        cli_json_print(&object);
        return;
    }
    wallclock_format(row->received_us, when);
    printf(
        "%s  %-11s  %s  %s  %s  %s  %s\n",
        when,
        row->state,
        cli_shown(cli, row->account_id),
        cli_shown(cli, row->event_id),
        cli_shown(cli, row->type),
        cli_shown(cli, row->object_id),
        cli_shown(cli, row->error));
}

int cli_webhooks_list(int argc, char **argv)
{
    const char *config = NULL;
    const char *account = "";
    const char *state = NULL;
    const char *most = LIST_DEFAULT;
    bool json = false;
    const struct cli_option options[] = {
        {"--config", &config, NULL},
        {"--account", &account, NULL},
        {"--state", &state, NULL},
        {"--max", &most, NULL},
        {"--json", NULL, &json},
    };
    struct webhook_row *rows = NULL;
    struct status status;
    struct cli cli;
    long long max = 0;
    size_t count = 0;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    if (!str_to_i64(str_of(most), &max) || max < 1 || max > LIST_MAX) {
        fprintf(stderr, "billingos: --max is a number from 1 to %d\n", LIST_MAX);
        return 2;
    }
    if (!cli_open(&cli, config, true, true)) {
        return 1;
    }
    status = webhook_ops_list(&cli.cx, cli.services, account, state, (size_t)max, &rows, &count);
    for (size_t i = 0; status.code == CODE_OK && i < count; i++) {
        print_row(&cli, &rows[i], json);
    }
    if (status.code == CODE_OK && count == 0 && !json) {
        printf("none\n");
    }
    return cli_end(&cli, status);
}

/* The verbs about one event. */
struct event_verb {
    const char *config;
    const char *account;
    const char *event;
    bool json;
    struct cli cli;
};

/* 0: open; otherwise the exit status. */
static int open_event(int argc, char **argv, struct event_verb *verb, bool with_json)
{
    const struct cli_option options[] = {
        {"--config", &verb->config, NULL},
        {"--account", &verb->account, NULL},
        {"--json", NULL, &verb->json},
    };
    size_t rest = 0;

    verb->account = "";
    if (!cli_options(
            argc,
            argv,
            options,
            ARRAY_LEN(options) - (with_json ? 0 : 1),
            &verb->event,
            1,
            &rest)) {
        return 2;
    }
    if (rest != 1) {
        fprintf(stderr, "billingos: the id of an event is needed, evt_...\n");
        return 2;
    }
    return cli_open(&verb->cli, verb->config, true, true) ? 0 : 1;
}

/* The event as it came, if it is a text at all. */
static void print_whole(struct cli *cli, const struct webhook_row *row, bool json)
{
    struct cli_json object;

    if (!json) {
        print_row(cli, row, false);
        printf("attempts %" PRId64 ", api version %s\n", row->attempts, row->api_version);
        printf("%s\n", cli_shown(cli, row->payload));
        return;
    }
    cli_json_open(&object);
    put_event(&object.writer, row);
    json_put_raw(&object.writer, "payload", row->payload);
    cli_json_print(&object);
}

int cli_webhooks_show(int argc, char **argv)
{
    struct event_verb verb = {.config = NULL};
    struct webhook_row row;
    struct status status;
    const int failed = open_event(argc, argv, &verb, true);

    if (failed != 0) {
        return failed;
    }
    status = webhook_ops_show(&verb.cli.cx, verb.cli.services, verb.account, verb.event, &row);
    if (status.code == CODE_OK) {
        print_whole(&verb.cli, &row, verb.json);
    }
    return cli_end(&verb.cli, status);
}

int cli_webhooks_replay(int argc, char **argv)
{
    struct event_verb verb = {.config = NULL};
    const int failed = open_event(argc, argv, &verb, false);

    return failed != 0
               ? failed
               : cli_end(
                     &verb.cli,
                     webhook_ops_replay(&verb.cli.cx, verb.cli.services, verb.account, verb.event));
}

int cli_webhooks_skip(int argc, char **argv)
{
    struct event_verb verb = {.config = NULL};
    const int failed = open_event(argc, argv, &verb, false);

    return failed != 0
               ? failed
               : cli_end(
                     &verb.cli,
                     webhook_ops_skip(&verb.cli.cx, verb.cli.services, verb.account, verb.event));
}
