#pragma once

/* The command line: verbs with options, one file per family. A verb returns its exit status: 0
 * done, 1 it failed (one line says why), 2 it was called wrongly. */

#include <stdbool.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "settings.h"

struct db;
struct services;

struct cli_verb {
    const char *name;                  /* "migrate up": a family and a verb, or one word */
    const char *usage;                 /* options and arguments, "" when there are none */
    const char *summary;               /* one line */
    int (*run)(int argc, char **argv); /* what follows the verb */
};

extern const struct cli_verb CLI_VERBS[];

/* One option of a verb: "--name VALUE", or a flag when value is NULL and flag is set. */
struct cli_option {
    const char *name; /* "--config" */
    const char **value;
    bool *flag;
};

/* Reads the options; the rest, at most rest_max words, goes to ret_rest. Prints what is wrong, with
 * a suggestion, and returns false. */
bool cli_options(
    int argc,
    char **argv,
    const struct cli_option *options,
    size_t option_count,
    const char **ret_rest,
    size_t rest_max,
    size_t *ret_rest_count);

/* A context with its arena and the settings. */
struct cli {
    struct arena arena;
    struct ctx cx;
    struct settings settings;
    struct db *db;
    struct services *services;
};

/* Settings of the file (NULL: defaults and environment); then, as asked, the database and services.
 * Prints the reason and returns false when it cannot be done. */
bool cli_open(struct cli *cli, const char *config, bool want_db, bool want_services);
void cli_close(struct cli *cli);

/* Prints "billingos: <message>" and returns 1. */
int cli_failed(struct status status);

int cli_serve(int argc, char **argv);
int cli_migrate_up(int argc, char **argv);
int cli_migrate_status(int argc, char **argv);
int cli_migrate_verify(int argc, char **argv);
int cli_config_check(int argc, char **argv);
int cli_config_print(int argc, char **argv);
int cli_org_create(int argc, char **argv);
int cli_org_show(int argc, char **argv);
int cli_keys_create(int argc, char **argv);
int cli_keys_list(int argc, char **argv);
int cli_keys_rotate(int argc, char **argv);
int cli_keys_revoke(int argc, char **argv);
int cli_bootstrap_token(int argc, char **argv);
int cli_healthcheck(int argc, char **argv);
int cli_version(int argc, char **argv);
