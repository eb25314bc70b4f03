/* Verbs about the agreement of the mirror with the payment side. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/wallclock.h"
#include "cli.h"
#include "services/reconcile.h"
#include "services/services.h"

#define STATUS_RUNS 10
#define REPORT_DRIFTS 200

/* What the verbs have in common: the account whose mirror it is. */
struct reconcile_verb {
    const char *config;
    const char *account;
    bool json;
    bool full;
    bool open_only;
    const char *run;
    struct cli cli;
};

/* 0: open; otherwise the exit status. */
static int open_account(struct reconcile_verb *verb)
{
    struct cli *cli = &verb->cli;
    int64_t org_id = 0;
    struct status status;

    if (verb->account == NULL) {
        fprintf(stderr, "billingos: the account is needed, --account acct_...\n");
        return 2;
    }
    if (!cli_open(cli, verb->config, true, true)) {
        return 1;
    }
    status = reconciliation_store_find_account(&cli->cx, cli->db, verb->account, &org_id);
    if (status.code == CODE_OK && org_id == 0) {
        status = status_fail(
            &cli->cx, REASON_FIELD_INVALID, "account \"%s\" is not connected", verb->account);
    }
    if (status.code != CODE_OK) {
        return cli_end(cli, status);
    }
    cli->cx.caller.org_id = org_id;
    cli->cx.caller.live = org_id % 2 == 0;
    return 0;
}

static void print_run(const struct reconciliation *run, bool json)
{
    char id[ID_TEXT_SIZE];
    char started[RFC3339_SIZE];
    struct cli_json object;

    id_format(ID_RECONCILIATION, &run->run_id, id);
    wallclock_format(run->started_us, started);
    if (!json) {
        printf(
            "%s  %s  %-7s  %-5s  compared %" PRId64 ", matching %" PRId64 ", repaired %" PRId64
            ", open %" PRId64 ", lost events %" PRId64 ", calls %" PRId64 "  %s\n",
            id,
            started,
            reconciliation_state_name(run->state),
            run->whole ? "full" : "usual",
            run->compared,
            run->matching,
            run->repaired,
            run->unrepaired,
            run->lost_events,
            run->calls,
            run->message);
        return;
    }
    cli_json_open(&object);
    json_put_text(&object.writer, "run", id);
    json_put_text(&object.writer, "state", reconciliation_state_name(run->state));
    json_put_bool(&object.writer, "full", run->whole);
    json_put_i64(&object.writer, "compared", run->compared);
    json_put_i64(&object.writer, "matching", run->matching);
    json_put_i64(&object.writer, "repaired", run->repaired);
    json_put_i64(&object.writer, "open", run->unrepaired);
    json_put_i64(&object.writer, "lost_events", run->lost_events);
    json_put_i64(&object.writer, "calls", run->calls);
    json_put_text(&object.writer, "started", started);
    json_put_text(&object.writer, "reason", run->reason);
    json_put_text(&object.writer, "message", run->message);
    cli_json_print(&object);
}

static void print_drift(struct cli *cli, const struct drift *drift, bool json)
{
    char run[ID_TEXT_SIZE];
    char found[RFC3339_SIZE];
    struct cli_json object;

    id_format(ID_RECONCILIATION, &drift->run_id, run);
    wallclock_format(drift->found_us, found);
    if (!json) {
        printf(
            "%s  %-16s  %s %s  %s  cause %s, age %" PRId64 " s  %s  %s\n",
            found,
            drift_kind_name(drift->kind),
            drift->object_type,
            cli_shown(cli, drift->stripe_id),
            drift->repaired ? "repaired" : "open",
            drift->cause,
            drift->age_us / US_PER_SECOND,
            drift->resource_id,
            cli_shown(cli, drift->changes));
        return;
    }
    cli_json_open(&object);
    json_put_text(&object.writer, "run", run);
    json_put_text(&object.writer, "found", found);
    json_put_text(&object.writer, "kind", drift_kind_name(drift->kind));
    json_put_text(&object.writer, "type", drift->object_type);
    json_put_text(&object.writer, "object", drift->stripe_id);
    json_put_text(&object.writer, "resource", drift->resource_id);
    json_put_text(&object.writer, "cause", drift->cause);
    json_put_i64(&object.writer, "age_seconds", drift->age_us / US_PER_SECOND);
    json_put_bool(&object.writer, "repaired", drift->repaired);
    json_put_raw(&object.writer, "changes", drift->changes);
    cli_json_print(&object);
}

int cli_reconcile_run(int argc, char **argv)
{
    struct reconcile_verb verb = {.config = NULL};
    const struct cli_option options[] = {
        {"--config", &verb.config, NULL},
        {"--account", &verb.account, NULL},
        {"--full", NULL, &verb.full},
        {"--json", NULL, &verb.json},
    };
    struct reconciliation run;
    struct status status;
    bool ran = false;
    int failed = 0;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    failed = open_account(&verb);
    if (failed != 0) {
        return failed;
    }
    status = reconcile_run(&verb.cli.cx, verb.cli.services, verb.full, &ran, &run);
    if (status.code == CODE_OK && !ran) {
        status = status_fail(
            &verb.cli.cx, REASON_RATE_LIMITED, "a server compares this account right now");
    }
    if (status.code == CODE_OK) {
        print_run(&run, verb.json);
    }
    return cli_end(&verb.cli, status);
}

int cli_reconcile_status(int argc, char **argv)
{
    static const struct id from_newest = {{0}};
    struct reconcile_verb verb = {.config = NULL};
    const struct cli_option options[] = {
        {"--config", &verb.config, NULL},
        {"--account", &verb.account, NULL},
        {"--json", NULL, &verb.json},
    };
    struct reconciliation *runs = NULL;
    struct status status;
    size_t count = 0;
    int failed = 0;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    failed = open_account(&verb);
    if (failed != 0) {
        return failed;
    }
    status = reconciliation_store_list(
        &verb.cli.cx, verb.cli.db, &from_newest, STATUS_RUNS, &runs, &count);
    for (size_t i = 0; status.code == CODE_OK && i < count; i++) {
        print_run(&runs[i], verb.json);
    }
    if (status.code == CODE_OK && count == 0 && !verb.json) {
        printf("never compared\n");
    }
    return cli_end(&verb.cli, status);
}

int cli_reconcile_report(int argc, char **argv)
{
    struct reconcile_verb verb = {.config = NULL};
    const struct cli_option options[] = {
        {"--config", &verb.config, NULL},
        {"--account", &verb.account, NULL},
        {"--run", &verb.run, NULL},
        {"--open", NULL, &verb.open_only},
        {"--json", NULL, &verb.json},
    };
    struct drift_filter filter = {.kind = DRIFT_ANY};
    struct drift *drifts = NULL;
    struct status status;
    size_t count = 0;
    int failed = 0;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL) ||
        (verb.run != NULL &&
         !cli_read_id(ID_RECONCILIATION, "a comparison", verb.run, &filter.run_id))) {
        return 2;
    }
    failed = open_account(&verb);
    if (failed != 0) {
        return failed;
    }
    filter.open_only = verb.open_only;
    status = drift_store_list(&verb.cli.cx, verb.cli.db, &filter, REPORT_DRIFTS, &drifts, &count);
    for (size_t i = 0; status.code == CODE_OK && i < count; i++) {
        print_drift(&verb.cli, &drifts[i], verb.json);
    }
    if (status.code == CODE_OK && count == 0 && !verb.json) {
        printf("no differences\n");
    }
    return cli_end(&verb.cli, status);
}
