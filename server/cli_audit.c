/* The verb on the audit log: who changed what. */

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/wallclock.h"
#include "cli.h"
#include "services/audit.h"

#define ENTRIES_MAX 1000

/* The organisation as a whole has no mode. */
static const char *mode_of(const struct audit_entry *entry)
{
    if (entry->both_modes) {
        return "both";
    }
    return entry->org_id % 2 == 0 ? "live" : "test";
}

static void print_json(struct cli *cli, const struct audit_entry *entry)
{
    struct cli_json json;
    struct json_writer *w = &json.writer;
    char when[RFC3339_SIZE];

    wallclock_format(entry->created_us, when);
    cli_json_open(&json);
    json_put_text(w, "audit_entry_id", id_text(&cli->arena, ID_AUDIT, &entry->audit_id));
    json_put_text(w, "create_time", when);
    json_put_text(w, "mode", mode_of(entry));
    json_put_text(w, "actor_id", entry->actor);
    json_put_text(w, "actor_name", entry->actor_name);
    json_put_text(w, "action", entry->action);
    json_put_text(w, "resource_type", entry->target_type);
    json_put_text(w, "resource_id", entry->target);
    json_put_text(w, "request_id", entry->request_id);
    json_put_raw(w, "changes", entry->changes);
    cli_json_print(&json);
}

/* role "ADMIN" -> "VIEWER", name "" -> "Bob". The quoted form of JSON has no control characters. */
static void print_changes(struct cli *cli, const struct audit_entry *entry)
{
    struct json *document = NULL;
    json_value changes = NULL;

    if (json_parse(&cli->cx, entry->changes, strlen(entry->changes), &document).code != CODE_OK) {
        return;
    }
    changes = json_root(document);
    for (size_t i = 0; i < json_len(changes); i++) {
        const json_value change = json_item(changes, i);

        printf(
            "%s%s %s -> %s",
            i == 0 ? "" : ", ",
            json_text(&cli->cx, change, "path"),
            json_print(&cli->cx, json_get(change, "old")),
            json_print(&cli->cx, json_get(change, "new")));
    }
    json_free(document);
}

static void print_line(struct cli *cli, const struct audit_entry *entry)
{
    char when[RFC3339_SIZE];

    wallclock_format(entry->created_us, when);
    printf("%s  %s  %s  %s  ", when, entry->actor, entry->action, entry->target);
    print_changes(cli, entry);
    printf("\n");
}

static struct status
list(struct cli *cli, const struct audit_filter *filter, int32_t limit, bool json)
{
    const struct id from_newest = {{0}};
    struct audit_entry *entries = NULL;
    size_t count = 0;

    TRY(audit_list(&cli->cx, cli->services, filter, &from_newest, limit, &entries, &count));
    if (arena_failed(&cli->arena)) {
        return status_of(&cli->cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        if (json) {
            print_json(cli, &entries[i]);
        } else {
            print_line(cli, &entries[i]);
        }
    }
    return STATUS_OK;
}

struct request {
    const char *mode;
    const char *limit;
    const char *since;
    bool live;
    long long count;
    int64_t since_us;
};

static bool read_request(struct request *request)
{
    if (!cli_mode_parse(request->mode, &request->live)) {
        fprintf(stderr, "billingos: --mode is test or live\n");
        return false;
    }
    if (!str_to_i64(str_of(request->limit), &request->count) || request->count < 1 ||
        request->count > ENTRIES_MAX) {
        fprintf(stderr, "billingos: --limit is a number from 1 to %d\n", ENTRIES_MAX);
        return false;
    }
    return request->since == NULL || cli_read_span("--since", request->since, &request->since_us);
}

int cli_audit_list(int argc, char **argv)
{
    struct request request = {.mode = "live", .limit = "50"};
    struct audit_filter filter = {.actor = "", .target = "", .action = ""};
    const char *config = NULL;
    const char *org = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"--config", &config, NULL},
        {"--org", &org, NULL},
        {"--mode", &request.mode, NULL},
        {"--limit", &request.limit, NULL},
        {"--since", &request.since, NULL},
        {"--actor", &filter.actor, NULL},
        {"--action", &filter.action, NULL},
        {"--resource", &filter.target, NULL},
        {"--json", NULL, &json},
    };
    struct cli cli;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    if (org == NULL) {
        fprintf(stderr, "billingos: org audit needs --org ORG\n");
        return 2;
    }
    if (!read_request(&request)) {
        return 2;
    }
    if (!cli_enter(&cli, config, org, request.live)) {
        return 1;
    }
    filter.from_us = request.since == NULL ? 0 : cli.cx.now_us - request.since_us;
    return cli_end(&cli, list(&cli, &filter, (int32_t)request.count, json));
}
