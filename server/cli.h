#pragma once

/* The command line: verbs with options, one file per family. A verb returns its exit status: 0
 * done, 1 it failed (one line says why), 2 it was called wrongly. */

#include <stdbool.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/member.h"
#include "http/json.h"
#include "settings.h"
#include "store/db.h"

struct services;

struct cli_verb {
    const char *name;                  /* "migrate up": a family and a verb, or one word */
    const char *usage;                 /* options and arguments in lines, "" when there are none */
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

/* cli_open() with all of it, acting for one side of an organisation, named by its id or slug. */
bool cli_enter(struct cli *cli, const char *config, const char *org, bool live);

/* Does the work of a verb in a transaction. action is the method of the API that does the same,
 * "OrganizationService.RemoveMember": under this name the audit log has it. */
struct status cli_change(struct cli *cli, const char *action, tx_fn work, void *user) MUST_CHECK;

/* Prints "billingos: <message>" and returns 1. */
int cli_failed(struct status status);

/* The end of a verb that was opened: prints what failed, if anything did, closes, and returns the
 * exit status. */
int cli_end(struct cli *cli, struct status status);

/* cli_values.c: what verbs are given and what they show. Those that read say what is wrong. */
bool cli_read_span(const char *option, const char *text, int64_t *ret_us); /* "90m", "24h", "7d" */
bool cli_read_role(const char *text, enum member_role *ret_role); /* in any case of letters */
bool cli_read_id(enum id_kind kind, const char *what, const char *text, struct id *ret_id);
bool cli_mode_parse(const char *text, bool *ret_live); /* silent */
void cli_upper(const char *text, char *ret_text, size_t size);

/* "3d", the way cli_read_span() reads it, in the arena. */
const char *cli_span_text(struct cli *cli, int64_t seconds);
/* What others wrote, fit for a terminal: without control characters. In the arena. */
const char *cli_shown(struct cli *cli, const char *text);

/* An object on a line of its own, built with json_put_*() between the two. */
struct cli_json {
    struct buf text;
    struct json_writer writer;
};
void cli_json_open(struct cli_json *json);
void cli_json_print(struct cli_json *json); /* and releases it */

int cli_serve(int argc, char **argv);
int cli_migrate_up(int argc, char **argv);
int cli_migrate_status(int argc, char **argv);
int cli_migrate_verify(int argc, char **argv);
int cli_config_check(int argc, char **argv);
int cli_config_print(int argc, char **argv);
int cli_org_create(int argc, char **argv);
int cli_org_show(int argc, char **argv);
int cli_org_update(int argc, char **argv);
int cli_members_list(int argc, char **argv);
int cli_members_update(int argc, char **argv);
int cli_members_remove(int argc, char **argv);
int cli_invitations_create(int argc, char **argv);
int cli_invitations_list(int argc, char **argv);
int cli_invitations_revoke(int argc, char **argv);
int cli_audit_list(int argc, char **argv);
int cli_keys_create(int argc, char **argv);
int cli_keys_list(int argc, char **argv);
int cli_keys_rotate(int argc, char **argv);
int cli_keys_revoke(int argc, char **argv);
int cli_webhooks_list(int argc, char **argv);
int cli_webhooks_show(int argc, char **argv);
int cli_webhooks_replay(int argc, char **argv);
int cli_webhooks_skip(int argc, char **argv);
int cli_bootstrap_token(int argc, char **argv);
int cli_healthcheck(int argc, char **argv);
int cli_version(int argc, char **argv);
