#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli.h"

const struct cli_verb CLI_VERBS[] = {
    {"serve", "[--config FILE]", "run the server", cli_serve},
    {"migrate up",
     "[--config FILE]",
     "bring the database to the schema of this program",
     cli_migrate_up},
    {"migrate status",
     "[--config FILE]",
     "what has been applied and what has not",
     cli_migrate_status},
    {"migrate verify",
     "[--config FILE]",
     "fail unless the database fits this program",
     cli_migrate_verify},
    {"org create",
     "--name NAME --owner EMAIL [--currency EUR] [--json]",
     "make an organization with its first keys",
     cli_org_create},
    {"org show", "ORG [--json]", "one organization, by its id or slug", cli_org_show},
    {"org update",
     "ORG [--name NAME] [--currency EUR] [--time-zone ZONE] [--country DE]\n"
     "[--support-email EMAIL] [--payment-grace 3d] [--max-staleness 1h]\n"
     "[--allowed-origins a,b] [--json]",
     "change what is given of an organization",
     cli_org_update},
    {"org members", "--org ORG [--json]", "the members of an organization", cli_members_list},
    {"org update-member",
     "--org ORG [--role owner|admin|developer|viewer] [--name NAME] [--json] MEMBER",
     "give a member another role or name",
     cli_members_update},
    {"org remove-member",
     "--org ORG MEMBER",
     "end a membership; one owner must stay",
     cli_members_remove},
    {"org invite",
     "--org ORG --role owner|admin|developer|viewer [--expires-in 7d] [--json] EMAIL",
     "make an invitation; its token is shown once",
     cli_invitations_create},
    {"org invitations",
     "--org ORG [--all] [--json]",
     "the open invitations, or all, newest first",
     cli_invitations_list},
    {"org revoke-invitation",
     "--org ORG INVITATION",
     "end an open invitation",
     cli_invitations_revoke},
    {"org audit",
     "--org ORG [--mode live|test] [--limit 50] [--since 7d] [--actor ID]\n"
     "[--action METHOD] [--resource ID] [--json]",
     "who changed what, newest first",
     cli_audit_list},
    {"keys create",
     "--org ORG --mode test|live [--kind secret] [--scopes a,b] [--name NAME]",
     "make an API key; it is shown once",
     cli_keys_create},
    {"keys list", "--org ORG --mode test|live", "the keys of an organization", cli_keys_list},
    {"keys rotate",
     "--org ORG --mode test|live [--overlap 24h] KEY",
     "replace a key; the old one works on for the overlap",
     cli_keys_rotate},
    {"keys revoke", "--org ORG --mode test|live KEY", "end a key at once", cli_keys_revoke},
    {"webhooks list",
     "[--state waiting|failed|parked|quarantined|new|done|ignored|all] [--account ACCT] [--max 50] "
     "[--json]",
     "events of the payment side, newest first; without --state those that wait for somebody",
     cli_webhooks_list},
    {"webhooks show",
     "[--account ACCT] [--json] EVENT",
     "one event as it came, and what became of it",
     cli_webhooks_show},
    {"webhooks replay",
     "[--account ACCT] EVENT",
     "handle an event again, whatever became of it",
     cli_webhooks_replay},
    {"webhooks skip",
     "[--account ACCT] EVENT",
     "ignore an event, and no longer set its object aside",
     cli_webhooks_skip},
    {"bootstrap-token",
     "[--config FILE]",
     "make the token that may create organizations over the API",
     cli_bootstrap_token},
    {"config check", "[--config FILE]", "say what is wrong with the settings", cli_config_check},
    {"config print", "[--config FILE]", "the settings in force, without secrets", cli_config_print},
    {"healthcheck", "[--config FILE]", "exit 0 when the server here is ready", cli_healthcheck},
    {"version", "[--json]", "version of this program", cli_version},
    {NULL, NULL, NULL, NULL},
};

/* "migrate" is the family of "migrate up"; "" is that of all verbs. */
static bool is_of_family(const struct cli_verb *verb, const char *family)
{
    const size_t len = strlen(family);

    return len == 0 || (strncmp(verb->name, family, len) == 0 && verb->name[len] == ' ');
}

/* The first verb of the family, NULL when it is none. */
static const struct cli_verb *find_family(const char *family)
{
    for (const struct cli_verb *verb = CLI_VERBS; verb->name != NULL; verb++) {
        if (is_of_family(verb, family)) {
            return verb;
        }
    }
    return NULL;
}

/* Its lines, those after the first indented. */
static void print_usage(FILE *out, const char *usage, int indent)
{
    for (const char *c = usage; *c != '\0'; c++) {
        fputc(*c, out);
        if (*c == '\n') {
            fprintf(out, "%*s", indent, "");
        }
    }
    fputc('\n', out);
}

static void print_verbs(FILE *out, const char *family)
{
    for (const struct cli_verb *verb = CLI_VERBS; verb->name != NULL; verb++) {
        if (!is_of_family(verb, family)) {
            continue;
        }
        fprintf(out, "  %-22s %s\n", verb->name, verb->summary);
        if (verb->usage[0] != '\0') {
            fprintf(out, "%27s", "");
            print_usage(out, verb->usage, 27);
        }
    }
}

static void print_help(FILE *out)
{
    fprintf(
        out,
        "billingos: subscriptions, entitlements and usage over gRPC, on PostgreSQL\n\n"
        "usage: billingos VERB [options]\n\n");
    print_verbs(out, "");
    fprintf(
        out,
        "\nSettings come from --config FILE (all keys with their reasons: config/default.yaml) and "
        "from\nthe environment, where database.url is BILLINGOS_DATABASE_URL.\n"
        "Exit status: 0 done, 1 failed, 2 called wrongly.\n");
}

/* How many words of the command line name the verb; 0: none does. */
static int matches(const struct cli_verb *verb, int argc, char **argv)
{
    char two_words[64];

    if (argc > 1) {
        snprintf(two_words, sizeof two_words, "%s %s", argv[0], argv[1]);
        if (strcmp(two_words, verb->name) == 0) {
            return 2;
        }
    }
    return argc > 0 && strcmp(argv[0], verb->name) == 0 ? 1 : 0;
}

/* A word alone that begins verbs means one of those; otherwise at most a third may be mistyped. */
static const struct cli_verb *nearest_verb(const char *given)
{
    const struct cli_verb *nearest = find_family(given);
    size_t best = strlen(given) / 3 + 1;

    if (nearest != NULL) {
        return nearest;
    }
    for (const struct cli_verb *verb = CLI_VERBS; verb->name != NULL; verb++) {
        const size_t distance = str_distance(str_of(given), str_of(verb->name), best);

        if (distance < best) {
            best = distance;
            nearest = verb;
        }
    }
    return nearest;
}

static int unknown_verb(int argc, char **argv)
{
    const struct cli_verb *nearest = NULL;
    char given[64];

    snprintf(
        given,
        sizeof given,
        "%s%s%s",
        argv[0],
        argc > 1 && argv[1][0] != '-' ? " " : "",
        argc > 1 && argv[1][0] != '-' ? argv[1] : "");
    nearest = nearest_verb(given);
    fprintf(stderr, "billingos: unknown verb \"%s\"", given);
    if (nearest != NULL) {
        fprintf(stderr, ", did you mean \"%s\"?", nearest->name);
    }
    fprintf(stderr, "\nTry \"billingos --help\".\n");
    return 2;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return cli_version(0, NULL);
    }
    for (const struct cli_verb *verb = CLI_VERBS; verb->name != NULL; verb++) {
        const int words = matches(verb, argc - 1, argv + 1);

        if (words > 0) {
            if (asks_for_help(argc - 1 - words, argv + 1 + words)) {
                printf("usage: billingos %s ", verb->name);
                print_usage(stdout, verb->usage, 4);
                printf("\n  %s\n", verb->summary);
                return 0;
            }
            return verb->run(argc - 1 - words, argv + 1 + words);
        }
    }
    if (asks_for_help(argc - 2, argv + 2) && find_family(argv[1]) != NULL) {
        print_verbs(stdout, argv[1]);
        return 0;
    }
    return unknown_verb(argc - 1, argv + 1);
}
