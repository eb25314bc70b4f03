#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/str.h"
#include "store/db_target_internal.h"

#define OPTIONS_MAX 64
#define SESSION_OPTIONS_SIZE 1024
#define CONNECT_MS_MAX 2000

/* What holds unless the URL says otherwise. A host that stops answering is given up after two
 * seconds, whether it was idle (keepalives) or owed us an acknowledgement (tcp_user_timeout). */
static const struct {
    const char *keyword;
    const char *value;
} defaults[] = {
    {"target_session_attrs", "read-write"},
    {"tcp_user_timeout", "2000"},
    {"keepalives", "1"},
    {"keepalives_idle", "2"},
    {"keepalives_interval", "1"},
    {"keepalives_count", "2"},
};

static const char *option(const struct db_target *target, const char *keyword)
{
    for (const PQconninfoOption *o = target->options; o->keyword != NULL; o++) {
        if (strcmp(o->keyword, keyword) == 0) {
            return o->val;
        }
    }
    return NULL;
}

/* Cuts a list at its commas. Returns how many parts there are; 0 for no list. */
static uint32_t cut(char *list, const char *parts[DB_HOSTS_MAX])
{
    uint32_t count = 0;
    char *next = list;

    while (next != NULL && count < DB_HOSTS_MAX) {
        char *comma = strchr(next, ',');

        if (comma != NULL) {
            *comma = '\0';
        }
        parts[count++] = next[0] == '\0' ? NULL : next;
        next = comma == NULL ? NULL : comma + 1;
    }
    return next == NULL ? count : DB_HOSTS_MAX + 1;
}

/* As libpq has it: as many ports as hosts, or one for all, or none. */
static bool fill_hosts(struct db_target *target)
{
    const char *names[DB_HOSTS_MAX] = {NULL};
    const char *addresses[DB_HOSTS_MAX] = {NULL};
    const char *ports[DB_HOSTS_MAX] = {NULL};
    const uint32_t name_count = cut(target->lists[0], names);
    const uint32_t address_count = cut(target->lists[1], addresses);
    const uint32_t port_count = cut(target->lists[2], ports);

    target->host_count = address_count > 0 ? address_count : name_count > 0 ? name_count : 1;
    if (target->host_count > DB_HOSTS_MAX || name_count > DB_HOSTS_MAX) {
        return false;
    }
    if (name_count > 0 && address_count > 0 && name_count != address_count) {
        return false;
    }
    if (port_count > 1 && port_count != target->host_count) {
        return false;
    }
    for (uint32_t i = 0; i < target->host_count; i++) {
        target->hosts[i] = (struct db_host){
            .name = names[i],
            .address = addresses[i],
            .port = port_count > 1 ? ports[i] : ports[0],
        };
    }
    return true;
}

static bool copy_lists(struct db_target *target)
{
    static const char *const keywords[3] = {"host", "hostaddr", "port"};

    for (size_t i = 0; i < 3; i++) {
        const char *list = option(target, keywords[i]);

        if (list == NULL || list[0] == '\0') {
            continue;
        }
        target->lists[i] = heap_text(list);
        if (target->lists[i] == NULL) {
            return false;
        }
    }
    return true;
}

static void read_connect_timeout(struct db_target *target)
{
    const char *text = option(target, "connect_timeout");
    long long seconds = 0;

    target->connect_ms_max = CONNECT_MS_MAX;
    if (text != NULL && str_to_i64(str_of(text), &seconds) && seconds > 0 && seconds < 3600) {
        target->connect_ms_max = seconds * 1000;
    }
}

/* What libpq says may quote any part of the URL, the password too; of options it quotes the name.
 */
static const char *harmless(const char *message)
{
    static const char *const starts[] = {
        "invalid URI query parameter", "invalid connection option"};

    for (size_t i = 0; message != NULL && i < sizeof starts / sizeof starts[0]; i++) {
        if (strncmp(message, starts[i], strlen(starts[i])) == 0) {
            return message;
        }
    }
    return "it must be postgresql://user:password@host:port/database, where letters such as @ and %"
           " in a password are written %40 and %25";
}

static struct status parse(struct ctx *cx, const char *url, PQconninfoOption **ret_options)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &message);
    struct status status = STATUS_OK;

    if (options == NULL) {
        status = status_fail(
            cx,
            REASON_FIELD_INVALID,
            "cannot read the database URL: %.*s",
            (int)strcspn(harmless(message), "\n"),
            harmless(message));
    }
    PQfreemem(message);
    *ret_options = options;
    return status;
}

struct status db_target_new(struct ctx *cx, const char *url, struct db_target **ret_target)
{
    PQconninfoOption *options = NULL;
    struct db_target *target = NULL;

    TRY(parse(cx, url, &options));
    target = heap_new(sizeof *target);
    if (target == NULL) {
        PQconninfoFree(options);
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    target->options = options;
    read_connect_timeout(target);
    if (!copy_lists(target)) {
        db_target_free(target);
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    if (!fill_hosts(target)) {
        db_target_free(target);
        return status_fail(
            cx,
            REASON_FIELD_INVALID,
            "cannot read the database URL: its hosts, addresses and ports do not match, "
            "or are more than %d",
            DB_HOSTS_MAX);
    }
    *ret_target = target;
    return STATUS_OK;
}

void db_target_free(struct db_target *target)
{
    if (target == NULL) {
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        heap_free(target->lists[i]);
    }
    PQconninfoFree(target->options);
    heap_free(target);
}

/* Given to the server as command line options; those of the URL come last and win. */
static void session_options(
    const struct db_target *target, const struct db_session *session, char *text, size_t size)
{
    const char *more = option(target, "options");

    snprintf(
        text,
        size,
        "-c statement_timeout=%" PRId64 " -c lock_timeout=%" PRId64
        " -c idle_in_transaction_session_timeout=%" PRId64
        " -c client_connection_check_interval=2000 -c TimeZone=UTC -c jit=off %s",
        session->statement_ms_max,
        session->lock_ms_max,
        session->idle_in_transaction_ms_max,
        more == NULL ? "" : more);
}

struct keywords {
    const char *names[OPTIONS_MAX + 1];
    const char *values[OPTIONS_MAX + 1];
    size_t count;
};

/* Of a keyword that is given twice libpq takes the last, and empty values it skips. */
static void add(struct keywords *keywords, const char *name, const char *value)
{
    if (value != NULL && keywords->count < OPTIONS_MAX) {
        keywords->names[keywords->count] = name;
        keywords->values[keywords->count++] = value;
    }
}

PGconn *db_target_connect_start(
    const struct db_target *target, const struct db_host *host, const struct db_session *session)
{
    static const char *const ours[] = {"host", "hostaddr", "port", "options", "client_encoding"};
    char options[SESSION_OPTIONS_SIZE];
    struct keywords keywords = {.count = 0};

    session_options(target, session, options, sizeof options);
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        add(&keywords, defaults[i].keyword, defaults[i].value);
    }
    add(&keywords, "application_name", session->application_name);
    for (const PQconninfoOption *o = target->options; o->keyword != NULL; o++) {
        bool skip = false;

        for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
            skip = skip || strcmp(o->keyword, ours[i]) == 0;
        }
        add(&keywords, o->keyword, skip ? NULL : o->val);
    }
    add(&keywords, "host", host->name);
    add(&keywords, "hostaddr", host->address);
    add(&keywords, "port", host->port);
    add(&keywords, "options", options);
    add(&keywords, "client_encoding", "UTF8");
    return PQconnectStartParams(keywords.names, keywords.values, /* expand_dbname= */ 0);
}

void db_target_host_text(const struct db_host *host, char ret_text[DB_HOST_TEXT_SIZE])
{
    const char *name = host->name != NULL ? host->name : host->address;

    snprintf(
        ret_text,
        DB_HOST_TEXT_SIZE,
        "%s%s%s",
        name == NULL ? "the default host" : name,
        host->port == NULL ? "" : ":",
        host->port == NULL ? "" : host->port);
}
