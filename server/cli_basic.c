/* Verbs about the program itself: migrate, config, version, healthcheck. */

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "cli.h"
#include "http/http_client.h"
#include "store/db.h"
#include "store/schema.h"

static const char *const state_names[] = {
    [MIGRATION_APPLIED] = "applied",
    [MIGRATION_PENDING] = "pending",
    [MIGRATION_CHANGED] = "CHANGED",
    [MIGRATION_UNKNOWN] = "NEWER",
};

static bool read_config(int argc, char **argv, const char **ret_config)
{
    const struct cli_option options[] = {{"--config", ret_config, NULL}};

    return cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL);
}

int cli_migrate_up(int argc, char **argv)
{
    const char *config = NULL;
    struct cli cli;
    struct status status;
    size_t applied = 0;

    if (!read_config(argc, argv, &config)) {
        return 2;
    }
    if (!cli_open(&cli, config, true, false)) {
        return 1;
    }
    status = schema_up(&cli.cx, cli.db, &SCHEMA, &applied);
    if (status.code != CODE_OK) {
        cli_failed(status);
    } else if (applied == 0) {
        printf("the schema is up to date\n");
    } else {
        printf("%zu migration%s applied\n", applied, applied == 1 ? "" : "s");
    }
    cli_close(&cli);
    return status.code == CODE_OK ? 0 : 1;
}

int cli_migrate_status(int argc, char **argv)
{
    const char *config = NULL;
    struct cli cli;
    struct schema_report report;
    struct status status;

    if (!read_config(argc, argv, &config)) {
        return 2;
    }
    if (!cli_open(&cli, config, true, false)) {
        return 1;
    }
    status = schema_status(&cli.cx, cli.db, &SCHEMA, &report);
    if (status.code != CODE_OK) {
        cli_failed(status);
    }
    for (size_t i = 0; status.code == CODE_OK && i < report.count; i++) {
        char when[RFC3339_SIZE] = "";

        if (report.migrations[i].applied_us != 0) {
            wallclock_format(report.migrations[i].applied_us, when);
        }
        printf(
            "%04d  %-24s %-8s %s\n",
            (int)report.migrations[i].version,
            report.migrations[i].name,
            state_names[report.migrations[i].state],
            when);
    }
    cli_close(&cli);
    return status.code == CODE_OK ? 0 : 1;
}

int cli_migrate_verify(int argc, char **argv)
{
    const char *config = NULL;
    struct cli cli;
    struct status status;

    if (!read_config(argc, argv, &config)) {
        return 2;
    }
    if (!cli_open(&cli, config, true, false)) {
        return 1;
    }
    status = schema_verify(&cli.cx, cli.db, &SCHEMA);
    if (status.code != CODE_OK) {
        cli_failed(status);
    } else {
        printf("the schema fits this program\n");
    }
    cli_close(&cli);
    return status.code == CODE_OK ? 0 : 1;
}

int cli_config_check(int argc, char **argv)
{
    const char *config = NULL;
    struct cli cli;

    if (!read_config(argc, argv, &config)) {
        return 2;
    }
    if (!cli_open(&cli, config, false, false)) {
        return 1;
    }
    printf("the settings are valid\n");
    cli_close(&cli);
    return 0;
}

int cli_config_print(int argc, char **argv)
{
    const char *config = NULL;
    struct cli cli;

    if (!read_config(argc, argv, &config)) {
        return 2;
    }
    if (!cli_open(&cli, config, false, false)) {
        return 1;
    }
    settings_print(&cli.settings, stdout);
    cli_close(&cli);
    return 0;
}

int cli_version(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {{"--json", NULL, &json}};

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    printf(json ? "{\"version\":\"%s\"}\n" : "billingos %s\n", BOS_VERSION);
    return 0;
}

int cli_healthcheck(int argc, char **argv)
{
    const char *config = NULL;
    struct cli cli;
    struct http_client *client = NULL;
    struct http_answer answer = {.status = 0};
    struct http_call call = {.method = "GET", .timeout_ms = 2000, .response_max = 4096};
    bool ready = false;

    if (!read_config(argc, argv, &config)) {
        return 2;
    }
    if (!cli_open(&cli, config, false, false)) {
        return 1;
    }
    http_client_global_init();
    client = http_client_new();
    if (client != NULL) {
        call.url = arena_printf(&cli.arena, "http://%s/readyz", cli.settings.http_ops_listen);
        http_client_send(&cli.cx, client, &call, &answer);
        ready = answer.outcome == HTTP_ANSWERED && answer.status == 200;
        printf(ready ? "ready\n" : "not ready\n");
        http_client_free(client);
    }
    cli_close(&cli);
    return ready ? 0 : 1;
}
