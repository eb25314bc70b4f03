/* Verbs about invitations to become a member. The token is shown by the one that makes it, once. */

#include <stdio.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "cli.h"
#include "services/invitations.h"

#define PAGE_MAX 200

/* token NULL: not to be shown. */
static void print_json(struct cli *cli, const struct invitation *invitation, const char *token)
{
    struct cli_json json;
    struct json_writer *w = &json.writer;
    char made[RFC3339_SIZE];
    char ends[RFC3339_SIZE];

    wallclock_format(invitation->created_us, made);
    wallclock_format(invitation->expires_us, ends);
    cli_json_open(&json);
    json_put_text(
        w, "invitation_id", id_text(&cli->arena, ID_INVITATION, &invitation->invitation_id));
    json_put_text(w, "email", invitation->email);
    json_put_text(w, "role", member_role_name(invitation->role));
    json_put_text(w, "state", invitation_state_name(invitation_state(invitation, cli->cx.now_us)));
    json_put_text(w, "creator", invitation->created_by);
    json_put_text(w, "expire_time", ends);
    json_put_text(w, "create_time", made);
    if (token != NULL) {
        json_put_text(w, "token", token);
    }
    cli_json_print(&json);
}

static void print_line(struct cli *cli, const struct invitation *invitation)
{
    char ends[RFC3339_SIZE];

    wallclock_format(invitation->expires_us, ends);
    printf(
        "%s  %-9s  %-8s  %s  %s\n",
        id_text(&cli->arena, ID_INVITATION, &invitation->invitation_id),
        member_role_name(invitation->role),
        invitation_state_name(invitation_state(invitation, cli->cx.now_us)),
        ends,
        invitation->email);
}

struct create {
    struct invitation input;
    struct invitation made;
    const char *token;
};

static struct status create_invitation(struct ctx *cx, struct tx *tx, void *user)
{
    struct create *create = user;

    return invitations_create(cx, tx, &create->input, &create->made, &create->token);
}

static int run_create(struct cli *cli, struct create *create, int64_t span_us, bool json)
{
    struct status status;

    create->input.expires_us = cli->cx.now_us + span_us;
    status = cli_change(cli, "OrganizationService.CreateInvitation", create_invitation, create);
    if (status.code == CODE_OK && json) {
        print_json(cli, &create->made, create->token);
    } else if (status.code == CODE_OK) {
        printf(
            "%s  %s\n",
            id_text(&cli->arena, ID_INVITATION, &create->made.invitation_id),
            create->token);
    }
    return cli_end(cli, status);
}

int cli_invitations_create(int argc, char **argv)
{
    const char *config = NULL;
    const char *org = NULL;
    const char *role = NULL;
    const char *expires_in = "7d";
    bool json = false;
    const struct cli_option options[] = {
        {"--config", &config, NULL},
        {"--org", &org, NULL},
        {"--role", &role, NULL},
        {"--expires-in", &expires_in, NULL},
        {"--json", NULL, &json},
    };
    struct create create = {.token = ""};
    int64_t span_us = 0;
    struct cli cli;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), &create.input.email, 1, NULL)) {
        return 2;
    }
    if (org == NULL || role == NULL || create.input.email == NULL) {
        fprintf(
            stderr, "billingos: org invite needs --org ORG, --role ROLE and an e-mail address\n");
        return 2;
    }
    if (!cli_read_role(role, &create.input.role) ||
        !cli_read_span("--expires-in", expires_in, &span_us)) {
        return 2;
    }
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    return run_create(&cli, &create, span_us, json);
}

/* All of them, a page at a time. */
static struct status list(struct cli *cli, bool closed_too, bool json)
{
    struct id before = {{0}};
    struct invitation *invitations = NULL;
    size_t count = PAGE_MAX;

    while (count == PAGE_MAX) {
        TRY(invitations_list(
            &cli->cx, cli->services, closed_too, &before, PAGE_MAX, &invitations, &count));
        for (size_t i = 0; i < count; i++) {
            before = invitations[i].invitation_id;
            if (json) {
                print_json(cli, &invitations[i], NULL);
            } else {
                print_line(cli, &invitations[i]);
            }
        }
    }
    return STATUS_OK;
}

int cli_invitations_list(int argc, char **argv)
{
    const char *config = NULL;
    const char *org = NULL;
    bool all = false;
    bool json = false;
    const struct cli_option options[] = {
        {"--config", &config, NULL},
        {"--org", &org, NULL},
        {"--all", NULL, &all},
        {"--json", NULL, &json},
    };
    struct cli cli;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    if (org == NULL) {
        fprintf(stderr, "billingos: org invitations needs --org ORG\n");
        return 2;
    }
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    return cli_end(&cli, list(&cli, all, json));
}

static struct status revoke_invitation(struct ctx *cx, struct tx *tx, void *user)
{
    struct invitation invitation;

    return invitations_revoke(cx, tx, user, &invitation);
}

int cli_invitations_revoke(int argc, char **argv)
{
    const char *config = NULL;
    const char *org = NULL;
    const char *invitation = NULL;
    const struct cli_option options[] = {{"--config", &config, NULL}, {"--org", &org, NULL}};
    struct id invitation_id;
    struct cli cli;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), &invitation, 1, NULL)) {
        return 2;
    }
    if (org == NULL) {
        fprintf(stderr, "billingos: org revoke-invitation needs --org ORG\n");
        return 2;
    }
    if (!cli_read_id(ID_INVITATION, "an invitation", invitation, &invitation_id)) {
        return 2;
    }
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    return cli_end(
        &cli,
        cli_change(
            &cli, "OrganizationService.RevokeInvitation", revoke_invitation, &invitation_id));
}
