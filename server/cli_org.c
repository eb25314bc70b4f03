/* Verbs about organisations and their keys: what the API does, for whoever runs the server. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/wallclock.h"
#include "cli.h"
#include "domain/scope.h"
#include "domain/secret.h"
#include "http/json.h"
#include "services/api_keys.h"
#include "services/organizations.h"
#include "services/services.h"
#include "store/db.h"
#include "store/server_secret_store.h"

#define CREATE_TRIES 3
#define JSON_BYTES_MAX ((size_t)16 * 1024)

struct create {
    struct organization_draft draft;
    struct organization_founding founding;
};

static struct status create_organization(struct ctx *cx, struct tx *tx, void *user)
{
    struct create *create = user;

    return organizations_create(cx, tx, &create->draft, &create->founding);
}

static struct status run_create(struct cli *cli, struct create *create)
{
    struct status status = STATUS_OK;

    for (int i = 0; i < CREATE_TRIES; i++) {
        struct organization place;

        TRY(organizations_reserve(&cli->cx, cli->services, "", &place));
        create->draft.organization.org_id = place.org_id;
        create->draft.organization.organization_id = place.organization_id;
        status = tx_run(&cli->cx, cli->db, create_organization, create);
        if (status.code == CODE_OK || !organizations_raced(status)) {
            break;
        }
    }
    return status;
}

static const char *key_label(const struct api_key *key)
{
    if (key->kind == KEY_SECRET) {
        return key->live ? "live_secret_key" : "test_secret_key";
    }
    return key->live ? "live_publishable_key" : "test_publishable_key";
}

static void print_founding_json(const struct create *create)
{
    char id[ID_TEXT_SIZE];
    AUTO_BUF text;
    struct json_writer w;

    id_format(ID_ORGANIZATION, &create->founding.organization.organization_id, id);
    buf_init(&text, JSON_BYTES_MAX);
    json_begin(&w, &text);
    json_open_object(&w, NULL);
    json_put_text(&w, "organization_id", id);
    json_put_text(&w, "slug", create->founding.organization.slug);
    for (size_t i = 0; i < FIRST_KEYS; i++) {
        json_put_text(
            &w, key_label(&create->founding.keys[i].key), create->founding.keys[i].secret);
    }
    json_close_object(&w);
    printf("%s\n", buf_cstr(&text));
}

static void print_founding(const struct create *create)
{
    char id[ID_TEXT_SIZE];

    id_format(ID_ORGANIZATION, &create->founding.organization.organization_id, id);
    printf("organization  %s  %s\n", id, create->founding.organization.slug);
    for (size_t i = 0; i < FIRST_KEYS; i++) {
        printf(
            "%-20s  %s\n",
            key_label(&create->founding.keys[i].key),
            create->founding.keys[i].secret);
    }
    printf("The keys are shown this once; the database keeps their hashes alone.\n");
}

int cli_org_create(int argc, char **argv)
{
    const char *config = NULL;
    const char *name = NULL;
    const char *owner = NULL;
    const char *currency = "USD";
    const char *slug = "";
    bool json = false;
    const struct cli_option options[] = {
        {"--config", &config, NULL},
        {"--name", &name, NULL},
        {"--owner", &owner, NULL},
        {"--currency", &currency, NULL},
        {"--slug", &slug, NULL},
        {"--json", NULL, &json},
    };
    struct create create = {.draft = {.owner_name = ""}};
    struct cli cli;
    struct status status;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    if (name == NULL || owner == NULL) {
        fprintf(stderr, "billingos: org create needs --name NAME and --owner EMAIL\n");
        return 2;
    }
    if (!cli_open(&cli, config, true, true)) {
        return 1;
    }
    create.draft.owner_email = owner;
    create.draft.organization = (struct organization){
        .live = true,
        .name = name,
        .slug = slug,
        .country = "",
        .default_currency = currency,
        .time_zone = "UTC",
        .support_email = "",
        .payment_grace_seconds = ORGANIZATION_GRACE_DEFAULT_SECONDS,
        .max_staleness_seconds = ORGANIZATION_STALENESS_DEFAULT_SECONDS,
        .metadata = "{}",
    };
    status = run_create(&cli, &create);
    if (status.code != CODE_OK) {
        cli_failed(status);
    } else if (json) {
        print_founding_json(&create);
    } else {
        print_founding(&create);
    }
    cli_close(&cli);
    return status.code == CODE_OK ? 0 : 1;
}

/* The organisation that a verb is about, by its id or slug. */
static struct status enter(struct cli *cli, const char *org, bool live)
{
    const struct status status = organizations_enter(&cli->cx, cli->services, org, live, "cli");

    if (status_reason(status) == REASON_ORGANIZATION_NOT_FOUND) {
        return status_fail(
            &cli->cx, REASON_ORGANIZATION_NOT_FOUND, "organization \"%s\" does not exist", org);
    }
    return status;
}

int cli_org_show(int argc, char **argv)
{
    const char *config = NULL;
    const char *org = NULL;
    const struct cli_option options[] = {{"--config", &config, NULL}};
    struct organization organization;
    struct cli cli;
    struct status status;
    char id[ID_TEXT_SIZE];
    size_t rest = 0;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), &org, 1, &rest)) {
        return 2;
    }
    if (rest != 1) {
        fprintf(stderr, "billingos: org show needs an organization: its id or slug\n");
        return 2;
    }
    if (!cli_open(&cli, config, true, true)) {
        return 1;
    }
    status = enter(&cli, org, true);
    if (status.code == CODE_OK) {
        status = organizations_get(&cli.cx, cli.services, &organization);
    }
    if (status.code != CODE_OK) {
        cli_failed(status);
    } else {
        id_format(ID_ORGANIZATION, &organization.organization_id, id);
        printf(
            "id        %s\nslug      %s\nname      %s\ncurrency  %s\nzone      %s\n",
            id,
            organization.slug,
            organization.name,
            organization.default_currency,
            organization.time_zone);
    }
    cli_close(&cli);
    return status.code == CODE_OK ? 0 : 1;
}

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
    struct status status;

    if (verb->org == NULL || verb->mode == NULL ||
        (strcmp(verb->mode, "live") != 0 && strcmp(verb->mode, "test") != 0)) {
        fprintf(stderr, "billingos: keys need --org ORG and --mode test or live\n");
        return 2;
    }
    if (!cli_open(&verb->cli, verb->config, true, true)) {
        return 1;
    }
    status = enter(&verb->cli, verb->org, strcmp(verb->mode, "live") == 0);
    if (status.code != CODE_OK) {
        cli_failed(status);
        cli_close(&verb->cli);
        return 1;
    }
    return 0;
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

static int finish(struct key_verb *verb, struct status status, const struct issue *issue)
{
    char id[ID_TEXT_SIZE];

    if (status.code != CODE_OK) {
        cli_failed(status);
    } else if (issue->issued.secret != NULL) {
        id_format(ID_KEY, &issue->issued.key.key_id, id);
        printf("%s  %s\n", id, issue->issued.secret);
    }
    cli_close(&verb->cli);
    return status.code == CODE_OK ? 0 : 1;
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
    size_t len = 0;
    int failed = 0;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL) ||
        !read_scopes(scopes, &issue.input.scopes)) {
        return 2;
    }
    for (; kind[len] != '\0' && len + 1 < sizeof upper; len++) {
        upper[len] = (char)toupper((unsigned char)kind[len]);
    }
    upper[len] = '\0';
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
    return finish(&verb, tx_run(&verb.cli.cx, verb.cli.db, create_key, &issue), &issue);
}

int cli_keys_list(int argc, char **argv)
{
    struct key_verb verb = {.config = NULL};
    const struct cli_option options[] = {
        {"--config", &verb.config, NULL}, {"--org", &verb.org, NULL}, {"--mode", &verb.mode, NULL}};
    const struct issue none = {.overlap_us = 0};
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
    return finish(&verb, status, &none);
}

/* "24h", "90m", "7d" -> microseconds. */
static bool read_span(const char *text, int64_t *ret_us)
{
    const size_t len = strlen(text);
    long long number = 0;

    if (len < 2 || !str_to_i64((struct str){text, len - 1}, &number) || number < 0 ||
        number > 10000) {
        return false;
    }
    *ret_us = number * (text[len - 1] == 'd'   ? US_PER_DAY
                        : text[len - 1] == 'h' ? US_PER_HOUR
                        : text[len - 1] == 'm' ? US_PER_MINUTE
                                               : 0);
    return strchr("dhm", text[len - 1]) != NULL;
}

static int change_key(int argc, char **argv, tx_fn change, bool rotates)
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
    size_t rest = 0;
    int failed = 0;

    if (!cli_options(argc, argv, options, option_count, &key, 1, &rest)) {
        return 2;
    }
    if (rest != 1 || !id_parse(ID_KEY, key, &issue.key_id)) {
        fprintf(stderr, "billingos: the id of a key is needed, key_...\n");
        return 2;
    }
    if (!read_span(overlap, &issue.overlap_us)) {
        fprintf(stderr, "billingos: --overlap is a span such as 90m, 24h or 7d\n");
        return 2;
    }
    failed = open_keys(&verb);
    if (failed != 0) {
        return failed;
    }
    return finish(&verb, tx_run(&verb.cli.cx, verb.cli.db, change, &issue), &issue);
}

int cli_keys_rotate(int argc, char **argv)
{
    return change_key(argc, argv, rotate_key, true);
}

int cli_keys_revoke(int argc, char **argv)
{
    return change_key(argc, argv, revoke_key, false);
}

int cli_bootstrap_token(int argc, char **argv)
{
    const char *config = NULL;
    const struct cli_option options[] = {{"--config", &config, NULL}};
    uint8_t random[SECRET_RANDOM_BYTES];
    uint8_t digest[SHA256_SIZE];
    char token[SECRET_TEXT_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct cli cli;
    struct status status;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    if (!cli_open(&cli, config, true, false)) {
        return 1;
    }
    random_bytes(random, sizeof random);
    secret_format(SECRET_BOOTSTRAP_TOKEN, random, token);
    sha256(token, strlen(token), digest);
    hex_format(digest, sizeof digest, hex);
    status = server_secret_store_set(&cli.cx, cli.db, "bootstrap_token_hash", hex);
    if (status.code != CODE_OK) {
        cli_failed(status);
    } else {
        printf("%s\n", token);
        fprintf(stderr, "An earlier token no longer works. Servers read it when they start.\n");
    }
    cli_close(&cli);
    return status.code == CODE_OK ? 0 : 1;
}
