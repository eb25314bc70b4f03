/* Verbs about the people of an organisation. They belong to both modes. */

#include <stdio.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "cli.h"
#include "services/members.h"

static void print_member(struct cli *cli, const struct member *member, bool as_json)
{
    const char *id = id_text(&cli->arena, ID_MEMBER, &member->member_id);
    struct cli_json json;
    char when[RFC3339_SIZE];

    if (!as_json) {
        printf(
            "%s  %-9s  %s  %s\n",
            id,
            member_role_name(member->role),
            member->email,
            cli_shown(cli, member->name));
        return;
    }
    wallclock_format(member->created_us, when);
    cli_json_open(&json);
    json_put_text(&json.writer, "member_id", id);
    json_put_text(&json.writer, "email", member->email);
    json_put_text(&json.writer, "name", member->name);
    json_put_text(&json.writer, "role", member_role_name(member->role));
    json_put_text(&json.writer, "create_time", when);
    cli_json_print(&json);
}

int cli_members_list(int argc, char **argv)
{
    const char *config = NULL;
    const char *org = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"--config", &config, NULL}, {"--org", &org, NULL}, {"--json", NULL, &json}};
    const struct id from_start = {{0}};
    struct member *members = NULL;
    size_t count = 0;
    struct cli cli;
    struct status status;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    if (org == NULL) {
        fprintf(stderr, "billingos: org members needs --org ORG\n");
        return 2;
    }
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    status = members_list(&cli.cx, cli.services, &from_start, MEMBERS_MAX, &members, &count);
    for (size_t i = 0; status.code == CODE_OK && i < count; i++) {
        print_member(&cli, &members[i], json);
    }
    return cli_end(&cli, status);
}

struct update {
    struct member_change change;
    struct member member;
};

static struct status update_member(struct ctx *cx, struct tx *tx, void *user)
{
    struct update *update = user;

    return members_update(cx, tx, &update->change, &update->member);
}

int cli_members_update(int argc, char **argv)
{
    struct update update = {.change = {.etag = ""}};
    struct member_change *change = &update.change;
    const char *config = NULL;
    const char *org = NULL;
    const char *role = NULL;
    const char *member = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"--config", &config, NULL},
        {"--org", &org, NULL},
        {"--role", &role, NULL},
        {"--name", &change->name, NULL},
        {"--json", NULL, &json},
    };
    struct cli cli;
    struct status status;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), &member, 1, NULL)) {
        return 2;
    }
    if (org == NULL || (role == NULL && change->name == NULL)) {
        fprintf(
            stderr,
            "billingos: org update-member needs --org ORG and --role ROLE or --name NAME\n");
        return 2;
    }
    if (!cli_read_id(ID_MEMBER, "a member", member, &change->member_id) ||
        (role != NULL && !cli_read_role(role, &change->role))) {
        return 2;
    }
    change->fields |= role != NULL ? MEMBER_FIELD_ROLE : 0;
    change->fields |= change->name != NULL ? MEMBER_FIELD_NAME : 0;
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    status = cli_change(&cli, "OrganizationService.UpdateMember", update_member, &update);
    if (status.code == CODE_OK) {
        print_member(&cli, &update.member, json);
    }
    return cli_end(&cli, status);
}

static struct status remove_member(struct ctx *cx, struct tx *tx, void *user)
{
    return members_remove(cx, tx, user);
}

int cli_members_remove(int argc, char **argv)
{
    const char *config = NULL;
    const char *org = NULL;
    const char *member = NULL;
    const struct cli_option options[] = {{"--config", &config, NULL}, {"--org", &org, NULL}};
    struct id member_id;
    struct cli cli;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), &member, 1, NULL)) {
        return 2;
    }
    if (org == NULL) {
        fprintf(stderr, "billingos: org remove-member needs --org ORG\n");
        return 2;
    }
    if (!cli_read_id(ID_MEMBER, "a member", member, &member_id)) {
        return 2;
    }
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    return cli_end(
        &cli, cli_change(&cli, "OrganizationService.RemoveMember", remove_member, &member_id));
}
