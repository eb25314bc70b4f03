/* Verbs about an organisation itself: what the API does, for whoever runs the server. */

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "cli.h"
#include "services/organizations.h"

static void print_json(const struct organization *organization, const char *id)
{
    struct cli_json json;
    struct json_writer *w = &json.writer;

    cli_json_open(&json);
    json_put_text(w, "organization_id", id);
    json_put_text(w, "slug", organization->slug);
    json_put_text(w, "name", organization->name);
    json_put_text(w, "default_currency_code", organization->default_currency);
    json_put_text(w, "time_zone", organization->time_zone);
    json_put_text(w, "country_code", organization->country);
    json_put_text(w, "support_email", organization->support_email);
    json_put_i64(w, "payment_grace_seconds", organization->payment_grace_seconds);
    json_put_i64(w, "max_staleness_seconds", organization->max_staleness_seconds);
    json_open_array(w, "allowed_origins");
    for (size_t i = 0; i < organization->origin_count; i++) {
        json_put_text(w, NULL, organization->origins[i]);
    }
    json_close_array(w);
    json_put_raw(w, "metadata", organization->metadata);
    cli_json_print(&json);
}

static void print_organization(struct cli *cli, const struct organization *organization, bool json)
{
    const char *id = id_text(&cli->arena, ID_ORGANIZATION, &organization->organization_id);

    if (json) {
        print_json(organization, id);
        return;
    }
    printf(
        "id        %s\nslug      %s\nname      %s\ncurrency  %s\nzone      %s\n",
        id,
        organization->slug,
        cli_shown(cli, organization->name),
        organization->default_currency,
        organization->time_zone);
    printf(
        "country   %s\nsupport   %s\ngrace     %s\nstaleness %s\n",
        organization->country,
        organization->support_email,
        cli_span_text(cli, organization->payment_grace_seconds),
        cli_span_text(cli, organization->max_staleness_seconds));
    for (size_t i = 0; i < organization->origin_count; i++) {
        printf("origin    %s\n", organization->origins[i]);
    }
}

int cli_org_show(int argc, char **argv)
{
    const char *config = NULL;
    const char *org = NULL;
    bool json = false;
    const struct cli_option options[] = {{"--config", &config, NULL}, {"--json", NULL, &json}};
    struct organization organization;
    struct cli cli;
    struct status status;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), &org, 1, NULL)) {
        return 2;
    }
    if (org == NULL) {
        fprintf(stderr, "billingos: org show needs an organization: its id or slug\n");
        return 2;
    }
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    status = organizations_get(&cli.cx, cli.services, &organization);
    if (status.code == CODE_OK) {
        print_organization(&cli, &organization, json);
    }
    return cli_end(&cli, status);
}

/* The options of the verb as they were given; NULL: not. */
struct update {
    const char *grace;
    const char *staleness;
    const char *origins;
    struct organization_change change;
    struct organization organization;
};

static bool read_seconds(const char *option, const char *text, int64_t *ret_seconds)
{
    int64_t span_us = 0;

    if (text == NULL) {
        return true;
    }
    if (!cli_read_span(option, text, &span_us)) {
        return false;
    }
    *ret_seconds = span_us / US_PER_SECOND;
    return true;
}

static bool read_update(struct update *update)
{
    struct organization *values = &update->change.values;
    const struct {
        const char *given;
        enum organization_field field;
    } fields[] = {
        {values->name, ORGANIZATION_NAME},
        {values->default_currency, ORGANIZATION_CURRENCY},
        {values->time_zone, ORGANIZATION_TIME_ZONE},
        {values->country, ORGANIZATION_COUNTRY},
        {values->support_email, ORGANIZATION_SUPPORT_EMAIL},
        {update->grace, ORGANIZATION_GRACE},
        {update->staleness, ORGANIZATION_STALENESS},
        {update->origins, ORGANIZATION_ORIGINS},
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        update->change.fields |= fields[i].given != NULL ? fields[i].field : 0;
    }
    if (update->change.fields == 0) {
        fprintf(stderr, "billingos: org update needs something to change, such as --name NAME\n");
        return false;
    }
    return read_seconds("--payment-grace", update->grace, &values->payment_grace_seconds) &&
           read_seconds("--max-staleness", update->staleness, &values->max_staleness_seconds);
}

/* "a,b" -> two origins, "" -> none. */
static void split_origins(struct cli *cli, struct update *update)
{
    struct organization *values = &update->change.values;
    char *next = arena_text(&cli->arena, update->origins == NULL ? "" : update->origins);
    /* one more than the most, so that the service sees when there are too many */
    const char **origins =
        arena_alloc(&cli->arena, (ORGANIZATION_ORIGINS_MAX + 1) * sizeof *origins);

    while (next != NULL && *next != '\0' && values->origin_count <= ORGANIZATION_ORIGINS_MAX) {
        origins[values->origin_count++] = strsep(&next, ",");
    }
    values->origins = origins;
}

static struct status update_organization(struct ctx *cx, struct tx *tx, void *user)
{
    struct update *update = user;

    return organizations_update(cx, tx, &update->change, &update->organization);
}

int cli_org_update(int argc, char **argv)
{
    struct update update = {.change = {.etag = ""}};
    struct organization *values = &update.change.values;
    const char *config = NULL;
    const char *org = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"--config", &config, NULL},
        {"--name", &values->name, NULL},
        {"--currency", &values->default_currency, NULL},
        {"--time-zone", &values->time_zone, NULL},
        {"--country", &values->country, NULL},
        {"--support-email", &values->support_email, NULL},
        {"--payment-grace", &update.grace, NULL},
        {"--max-staleness", &update.staleness, NULL},
        {"--allowed-origins", &update.origins, NULL},
        {"--json", NULL, &json},
    };
    struct cli cli;
    struct status status;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), &org, 1, NULL)) {
        return 2;
    }
    if (org == NULL) {
        fprintf(stderr, "billingos: org update needs an organization: its id or slug\n");
        return 2;
    }
    if (!read_update(&update)) {
        return 2;
    }
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    split_origins(&cli, &update);
    status =
        cli_change(&cli, "OrganizationService.UpdateOrganization", update_organization, &update);
    if (status.code == CODE_OK) {
        print_organization(&cli, &update.organization, json);
    }
    return cli_end(&cli, status);
}
