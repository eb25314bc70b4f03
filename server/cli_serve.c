#include <string.h>

#include "app.h"
#include "base/log.h"
#include "cli.h"

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

/* The words were checked when the settings were read. */
static void configure_log(const struct settings *settings)
{
    const bool json = strcmp(settings->log_format, "json") == 0;

    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(level_names[i], settings->log_level) == 0) {
            log_configure((enum log_level)i, json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
        }
    }
}

int cli_serve(int argc, char **argv)
{
    const char *config = NULL;
    const struct cli_option options[] = {{"--config", &config, NULL}};
    struct cli cli;
    struct status status;

    if (!cli_options(argc, argv, options, ARRAY_LEN(options), NULL, 0, NULL)) {
        return 2;
    }
    if (!cli_open(&cli, config, false, false)) {
        return 1;
    }
    configure_log(&cli.settings);
    status = app_serve(&cli.cx, &cli.settings);
    if (status.code != CODE_OK) {
        cli_failed(status);
    }
    cli_close(&cli);
    return status.code == CODE_OK ? 0 : 1;
}
