/* How organisations come into being: by the command line, or over the API with a token from it. */

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "cli.h"
#include "domain/secret.h"
#include "services/organizations.h"
#include "store/server_secret_store.h"

#define CREATE_TRIES 3

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
        status =
            cli_change(cli, "OrganizationService.CreateOrganization", create_organization, create);
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
    struct cli_json json;

    id_format(ID_ORGANIZATION, &create->founding.organization.organization_id, id);
    cli_json_open(&json);
    json_put_text(&json.writer, "organization_id", id);
    json_put_text(&json.writer, "slug", create->founding.organization.slug);
    for (size_t i = 0; i < FIRST_KEYS; i++) {
        json_put_text(
            &json.writer,
            key_label(&create->founding.keys[i].key),
            create->founding.keys[i].secret);
    }
    cli_json_print(&json);
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
    if (status.code == CODE_OK && json) {
        print_founding_json(&create);
    } else if (status.code == CODE_OK) {
        print_founding(&create);
    }
    return cli_end(&cli, status);
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
    if (status.code == CODE_OK) {
        printf("%s\n", token);
        fprintf(stderr, "An earlier token no longer works. Servers read it when they start.\n");
    }
    return cli_end(&cli, status);
}
