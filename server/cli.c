#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "app.h"
#include "base/str.h"
#include "http/http_client.h"
#include "services/organizations.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

static void unknown_option(const char *given, const struct cli_option *options, size_t option_count)
{
    const struct str name = {given, strcspn(given, "=")}; /* a value may be a secret */
    const char *nearest = NULL;
    size_t best = 4;

    for (size_t i = 0; i < option_count; i++) {
        const size_t distance = str_distance(name, str_of(options[i].name), best);

        if (distance < best) {
            best = distance;
            nearest = options[i].name;
        }
    }
    fprintf(stderr, "billingos: unknown option \"%.*s\"", STR_ARG(name));
    if (nearest != NULL) {
        fprintf(stderr, ", did you mean \"%s\"?", nearest);
    }
    fprintf(stderr, "\nTry \"billingos --help\".\n");
}

static const struct cli_option *
find_option(const char *given, const struct cli_option *options, size_t option_count)
{
    const size_t len = strcspn(given, "=");

    for (size_t i = 0; i < option_count; i++) {
        if (strlen(options[i].name) == len && strncmp(options[i].name, given, len) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

bool cli_options(
    int argc,
    char **argv,
    const struct cli_option *options,
    size_t option_count,
    const char **ret_rest,
    size_t rest_max,
    size_t *ret_rest_count)
{
    size_t rest = 0;

    for (int i = 0; i < argc; i++) {
        const struct cli_option *option = NULL;
        const char *equals = strchr(argv[i], '=');

        if (argv[i][0] != '-') {
            if (rest == rest_max) {
                fprintf(stderr, "billingos: unexpected argument \"%s\"\n", argv[i]);
                return false;
            }
            ret_rest[rest++] = argv[i];
            continue;
        }
        option = find_option(argv[i], options, option_count);
        if (option == NULL) {
            unknown_option(argv[i], options, option_count);
            return false;
        }
        if (option->flag != NULL) {
            *option->flag = true;
        } else if (equals != NULL) {
            *option->value = equals + 1;
        } else if (i + 1 < argc) {
            *option->value = argv[++i];
        } else {
            fprintf(stderr, "billingos: option \"%s\" needs a value\n", argv[i]);
            return false;
        }
    }
    if (ret_rest_count != NULL) {
        *ret_rest_count = rest;
    }
    return true;
}

int cli_failed(struct status status)
{
    fprintf(stderr, "billingos: %s\n", status_message(status));
    return 1;
}

bool cli_open(struct cli *cli, const char *config, bool want_db, bool want_services)
{
    struct status status;

    memset(cli, 0, sizeof *cli);
    arena_init(&cli->arena, NULL, 0, ARENA_BYTES_MAX);
    ctx_init(&cli->cx, &cli->arena, "cli");
    cli->cx.caller.actor = "cli";
    status = settings_load(&cli->cx, config, &cli->settings);
    if (status.code == CODE_OK && (want_db || want_services)) {
        http_client_global_init();
        status = app_database(&cli->cx, &cli->settings, "billingos cli", &cli->db);
    }
    if (status.code == CODE_OK && want_services) {
        status = app_services(&cli->cx, &cli->settings, cli->db, &cli->services);
    }
    if (status.code != CODE_OK) {
        cli_failed(status);
        cli_close(cli);
        return false;
    }
    return true;
}

bool cli_enter(struct cli *cli, const char *config, const char *org, bool live)
{
    struct status status;

    if (!cli_open(cli, config, true, true)) {
        return false;
    }
    status = organizations_enter(&cli->cx, cli->services, org, live, "cli");
    if (status_reason(status) == REASON_ORGANIZATION_NOT_FOUND) {
        status = status_fail(
            &cli->cx, REASON_ORGANIZATION_NOT_FOUND, "organization \"%s\" does not exist", org);
    }
    if (status.code != CODE_OK) {
        cli_end(cli, status);
        return false;
    }
    return true;
}

struct status cli_change(struct cli *cli, const char *action, tx_fn work, void *user)
{
    cli->cx.method = action;
    return tx_run(&cli->cx, cli->db, work, user);
}

int cli_end(struct cli *cli, struct status status)
{
    if (status.code != CODE_OK) {
        cli_failed(status);
    }
    cli_close(cli);
    return status.code == CODE_OK ? 0 : 1;
}

void cli_close(struct cli *cli)
{
    app_services_free(cli->services);
    db_free(cli->db);
    arena_release(&cli->arena);
}
