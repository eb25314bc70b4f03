#include "sandbox/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char help[] =
    "billingos-sandbox - a stateful simulator of the payment provider; no money, no network.\n"
    "\n"
    "usage: billingos-sandbox [options]\n"
    "\n"
    "  --listen HOST:PORT          where the API listens; port 0 picks a free one "
    "(127.0.0.1:12111)\n"
    "  --port-file FILE            writes the address that was bound\n"
    "  --webhook-url URL           delivers the events of connected accounts; repeatable,\n"
    "  --webhook-secret SECRET     each followed by its secret, whsec_...\n"
    "  --platform-webhook-url URL  delivers the events of the platform itself, likewise followed "
    "by\n"
    "                              its --webhook-secret\n"
    "  --secret-key KEY            the only key that is right (any that begins with sk_test_)\n"
    "  --state-file FILE           keeps the simulated world in this file and goes on with it\n"
    "  --seed N                    the same ids for the same requests (0: drawn)\n"
    "  --clock-offset SECONDS      how far the simulated time is ahead (0)\n"
    "  --log-level LEVEL           debug, info, warn or error (info)\n"
    "  --help                      this text\n"
    "\n"
    "Without --state-file everything is gone at the end. GET /_sim shows what can be done to the\n"
    "simulated world; the README says more.\n";

enum option {
    OPTION_LISTEN,
    OPTION_PORT_FILE,
    OPTION_STATE_FILE,
    OPTION_WEBHOOK_URL,
    OPTION_WEBHOOK_SECRET,
    OPTION_PLATFORM_WEBHOOK_URL,
    OPTION_SECRET_KEY,
    OPTION_SEED,
    OPTION_CLOCK_OFFSET,
    OPTION_LOG_LEVEL,
    OPTION_HELP,
    OPTION_COUNT,
};

static const char *const names[OPTION_COUNT] = {
    [OPTION_LISTEN] = "--listen",
    [OPTION_PORT_FILE] = "--port-file",
    [OPTION_STATE_FILE] = "--state-file",
    [OPTION_WEBHOOK_URL] = "--webhook-url",
    [OPTION_WEBHOOK_SECRET] = "--webhook-secret",
    [OPTION_PLATFORM_WEBHOOK_URL] = "--platform-webhook-url",
    [OPTION_SECRET_KEY] = "--secret-key",
    [OPTION_SEED] = "--seed",
    [OPTION_CLOCK_OFFSET] = "--clock-offset",
    [OPTION_LOG_LEVEL] = "--log-level",
    [OPTION_HELP] = "--help",
};

/* Always false, for the caller to pass on. */
static bool PRINTF_LIKE(2, 3) wrong(const char *name, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "billingos-sandbox: %s ", name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("; see --help\n", stderr);
    return false;
}

static enum option find(struct str name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (str_equal(str_of(names[i]), name)) {
            return (enum option)i;
        }
    }
    return OPTION_COUNT;
}

static void say_unknown(struct str name)
{
    const char *nearest = NULL;
    size_t least = 5;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const size_t distance = str_distance(name, str_of(names[i]), 4);

        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    fprintf(stderr, "billingos-sandbox: unknown option \"%.*s\"", STR_ARG(name));
    if (nearest != NULL) {
        fprintf(stderr, ", did you mean %s?", nearest);
    }
    fputs("; see --help\n", stderr);
}

static bool add_webhook(struct options *options, const char *name, const char *url, bool connect)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        return wrong(name, "wants an URL that begins with http:// or https://");
    }
    if (options->webhook_count == OPTIONS_WEBHOOKS_MAX) {
        return wrong(name, "may be given %d times", OPTIONS_WEBHOOKS_MAX);
    }
    options->webhooks[options->webhook_count++] =
        (struct options_webhook){.url = url, .connect = connect};
    return true;
}

static bool add_secret(struct options *options, const char *secret)
{
    struct options_webhook *last = &options->webhooks[options->webhook_count - 1];

    if (options->webhook_count == 0 || last->secret != NULL) {
        return wrong(names[OPTION_WEBHOOK_SECRET], "follows the URL that it belongs to");
    }
    if (strncmp(secret, "whsec_", 6) != 0 || secret[6] == '\0') {
        return wrong(names[OPTION_WEBHOOK_SECRET], "wants a secret that begins with whsec_");
    }
    last->secret = secret;
    return true;
}

static bool read_number(const char *name, const char *text, int64_t *ret_number)
{
    long long number = 0;

    if (!str_to_i64(str_of(text), &number) || number < 0) {
        return wrong(name, "wants a number, not \"%s\"", text);
    }
    *ret_number = number;
    return true;
}

static bool read_level(const char *text, enum log_level *ret_level)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};

    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (strcmp(levels[i], text) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return wrong(names[OPTION_LOG_LEVEL], "wants debug, info, warn or error, not \"%s\"", text);
}

static bool apply(struct options *options, enum option option, const char *value)
{
    int64_t number = 0;

    switch (option) {
    case OPTION_LISTEN:
        options->listen = value;
        return true;
    case OPTION_PORT_FILE:
        options->port_file = value;
        return true;
    case OPTION_STATE_FILE:
        options->state_file = value;
        return true;
    case OPTION_WEBHOOK_URL:
        return add_webhook(options, names[option], value, /* connect= */ true);
    case OPTION_PLATFORM_WEBHOOK_URL:
        return add_webhook(options, names[option], value, /* connect= */ false);
    case OPTION_WEBHOOK_SECRET:
        return add_secret(options, value);
    case OPTION_SECRET_KEY:
        options->secret_key = value;
        return strncmp(value, "sk_test_", 8) == 0 ||
               wrong(names[option], "wants a key that begins with sk_test_");
    case OPTION_SEED:
        if (!read_number(names[option], value, &number)) {
            return false;
        }
        options->seed = (uint64_t)number;
        return true;
    case OPTION_CLOCK_OFFSET:
        return read_number(names[option], value, &options->clock_offset_s);
    case OPTION_LOG_LEVEL:
        return read_level(value, &options->log_level);
    case OPTION_HELP:
    case OPTION_COUNT:
        break;
    }
    return true;
}

static bool check_whole(const struct options *options)
{
    for (size_t i = 0; i < options->webhook_count; i++) {
        /* An empty key would sign what anybody can sign. */
        if (options->webhooks[i].secret == NULL) {
            return wrong(
                names[OPTION_WEBHOOK_SECRET], "is missing for %s", options->webhooks[i].url);
        }
    }
    return true;
}

enum options_outcome options_read(int argc, char **argv, struct options *ret_options)
{
    *ret_options = (struct options){.listen = "127.0.0.1:12111", .log_level = LOG_LEVEL_INFO};
    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        const struct str name = {
            argv[i], equals == NULL ? strlen(argv[i]) : (size_t)(equals - argv[i])};
        const enum option option = find(name);
        const char *value = equals == NULL ? NULL : equals + 1;

        if (option == OPTION_COUNT) {
            say_unknown(name);
            return OPTIONS_WRONG;
        }
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            return OPTIONS_SHOWN;
        }
        if (value == NULL) {
            value = argv[++i];
        }
        if (value == NULL) {
            wrong(names[option], "wants a value");
            return OPTIONS_WRONG;
        }
        if (!apply(ret_options, option, value)) {
            return OPTIONS_WRONG;
        }
    }
    return check_whole(ret_options) ? OPTIONS_RUN : OPTIONS_WRONG;
}
