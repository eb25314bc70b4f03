/* Verbs about organisations: what the API does, for whoever runs the server. */

#include <stdio.h>

#include "cli.h"
#include "services/organizations.h"

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
    if (!cli_enter(&cli, config, org, true)) {
        return 1;
    }
    status = organizations_get(&cli.cx, cli.services, &organization);
    if (status.code == CODE_OK) {
        id_format(ID_ORGANIZATION, &organization.organization_id, id);
        printf(
            "id        %s\nslug      %s\nname      %s\ncurrency  %s\nzone      %s\n",
            id,
            organization.slug,
            organization.name,
            organization.default_currency,
            organization.time_zone);
    }
    return cli_end(&cli, status);
}
