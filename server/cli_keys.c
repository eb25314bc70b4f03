/* Verbs about the keys of an organisation: what the API does, for whoever runs the server. */

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "cli.h"
#include "domain/scope.h"
#include "services/api_keys.h"

/* What the verbs on keys have in common: an organisation in one mode. */
struct key_verb {
    const char *config;
    const char *org;
    const char *mode;
    struct cli cli;
};

/* 0: open; otherwise the exit status. */
static int open_keys(struct key_verb *verb)
{
    bool live = false;

    if (verb->org == NULL || verb->mode == NULL || !cli_mode_parse(verb->mode, &live)) {
        fprintf(stderr, "billingos: keys need --org ORG and --mode test or live\n");
        return 2;
    }
    return cli_enter(&verb->cli, verb->config, verb->org, live) ? 0 : 1;
}

static bool read_scopes(const char *list, uint64_t *ret_scopes)
{
    *ret_scopes = 0;
    while (*list != '\0') {
        char name[64];
        uint64_t scope = 0;
        const size_t len = strcspn(list, ",");

        snprintf(name, sizeof name, "%.*s", (int)len, list);
        if (!scope_parse(name, &scope)) {
            fprintf(stderr, "billingos: \"%s\" is not a scope\n", name);
            return false;
        }
        *ret_scopes |= scope;
        list += len + (list[len] == ',' ? 1 : 0);
    }
    return true;
}

struct issue {
    struct api_key input;
    struct id key_id;
    int64_t overlap_us;
    struct issued_key issued;
    struct api_key old;
};

static struct status create_key(struct ctx *cx, struct tx *tx, void *user)
{
    struct issue *issue = user;

    return api_keys_create(cx, tx, &issue->input, &issue->issued);
}

static struct status rotate_key(struct ctx *cx, struct tx *tx, void *user)
{
    struct issue *issue = user;

    return api_keys_rotate(cx, tx, &issue->key_id, issue->overlap_us, &issue->issued, &issue->old);
}

static struct status revoke_key(struct ctx *cx, struct tx *tx, void *user)
{
    struct issue *issue = user;

    return api_keys_revoke(cx, tx, &issue->key_id, "command line", &issue->old);
}

/* Does the work and shows the new key, if one was made. */
static int run_issue(struct key_verb *verb, const char *action, tx_fn work, struct issue *issue)
{
    const struct status status = cli_change(&verb->cli, action, work, issue);
    char id[ID_TEXT_SIZE];

    if (status.code == CODE_OK && issue->issued.secret != NULL) {
        id_format(ID_KEY, &issue->issued.key.key_id, id);
        printf("%s  %s\n", id, issue->issued.secret);
    }
    return cli_end(&verb->cli, status);
}

int cli_keys_create(int argc, char **argv)
{
    struct key_verb verb = {.config = NULL};
    const char *kind = "SECRET";
    const char *scopes = "";
    const char *name = "";
    const struct cli_option options[] = {
        {"--config", &verb.config, NULL},
        {"--org", &verb.org, NULL},
        {"--mode", &verb.mode, NULL},
        {"--kind", &kind, NULL},
        {"--scopes", &scopes, NULL},
        {"--name", &name, NULL},
    };
    struct issue issue = {.overlap_us = 0};
    char upper[16];
    int failed = 0;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL) ||
        !read_scopes(scopes, &issue.input.scopes)) {
        return 2;
    }
    cli_upper(kind, upper, sizeof upper);
    if (!api_key_kind_parse(upper, &issue.input.kind)) {
        fprintf(stderr, "billingos: --kind is secret, publishable or restricted\n");
        return 2;
    }
    failed = open_keys(&verb);
    if (failed != 0) {
        return failed;
    }
    issue.input.name = name;
    issue.input.live = verb.cli.cx.caller.live;
    return run_issue(&verb, "OrganizationService.CreateApiKey", create_key, &issue);
}

int cli_keys_list(int argc, char **argv)
{
    struct key_verb verb = {.config = NULL};
    const struct cli_option options[] = {
        {"--config", &verb.config, NULL}, {"--org", &verb.org, NULL}, {"--mode", &verb.mode, NULL}};
    const struct id from_newest = {{0}};
    struct api_key *keys = NULL;
    struct status status;
    size_t count = 0;
    int failed = 0;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    failed = open_keys(&verb);
    if (failed != 0) {
        return failed;
    }
    status = api_keys_list(
        &verb.cli.cx, verb.cli.services, true, &from_newest, API_KEYS_MAX, &keys, &count);
    for (size_t i = 0; status.code == CODE_OK && i < count; i++) {
        char id[ID_TEXT_SIZE];
        char used[RFC3339_SIZE] = "never used";

        id_format(ID_KEY, &keys[i].key_id, id);
        if (keys[i].last_used_us != 0) {
            wallclock_format(keys[i].last_used_us, used);
        }
        printf(
            "%s  %-11s  %-8s  %s...%s  %s  %s\n",
            id,
            api_key_kind_name(keys[i].kind),
            api_key_state_name(api_key_state(&keys[i], verb.cli.cx.now_us)),
            keys[i].shown_start,
            keys[i].shown_end,
            used,
            keys[i].name);
    }
    return cli_end(&verb.cli, status);
}

static int change_key(int argc, char **argv, bool rotates)
{
    struct key_verb verb = {.config = NULL};
    const char *overlap = "24h";
    const char *key = NULL;
    const struct cli_option options[] = {
        {"--config", &verb.config, NULL},
        {"--org", &verb.org, NULL},
        {"--mode", &verb.mode, NULL},
        {"--overlap", &overlap, NULL},
    };
    const size_t option_count = ARRAY_LEN(options) - (rotates ? 0 : 1);
    struct issue issue = {.overlap_us = 0};
    int failed = 0;

    if (!cli_options(argc, argv, options, option_count, &key, 1, NULL)) {
        return 2;
    }
    if (!cli_read_id(ID_KEY, "a key", key, &issue.key_id) ||
        !cli_read_span("--overlap", overlap, &issue.overlap_us)) {
        return 2;
    }
    failed = open_keys(&verb);
    if (failed != 0) {
        return failed;
    }
    return rotates ? run_issue(&verb, "OrganizationService.RotateApiKey", rotate_key, &issue)
                   : run_issue(&verb, "OrganizationService.RevokeApiKey", revoke_key, &issue);
}

int cli_keys_rotate(int argc, char **argv)
{
    return change_key(argc, argv, true);
}

int cli_keys_revoke(int argc, char **argv)
{
    return change_key(argc, argv, false);
}
