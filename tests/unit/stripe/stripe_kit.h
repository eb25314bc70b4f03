#pragma once

/* A stand-in for the payment side that answers what it was told and remembers what it was asked:
 * for the tests of the adapter. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/heap.h"
#include "http/http_client.h"
#include "http/http_server.h"
#include "stripe/stripe_client.h"

#define ANSWERS_MAX 8
#define TEXT_MAX 4096

struct answer {
    int status;
    const char *body;
    const char *header_name;
    const char *header_value;
    bool drop;
};

struct stub {
    struct arena arena;
    struct ctx cx;
    struct http_server *server;
    struct stripe_client *client;
    struct answer answers[ANSWERS_MAX]; /* the last one again and again */
    _Atomic int calls;
    char line[TEXT_MAX]; /* of the last call: "GET /v1/accounts/acct_1?limit=1" */
    char body[TEXT_MAX];
    char account[64];
    char key[300];
    char version[64];
    char authorization[64];
};

static struct stub stub;

static inline void keep(char *text, size_t size, const char *value)
{
    const size_t len = value == NULL ? 0 : strlen(value);

    assert_true(len < size);
    memcpy(text, value == NULL ? "" : value, len);
    text[len] = '\0';
}

static inline void answer_call(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    const int call = atomic_load(&stub.calls);
    const struct answer *answer = &stub.answers[call];

    (void)user;
    while (answer > stub.answers && answer->status == 0 && !answer->drop) {
        answer--;
    }
    keep(
        stub.line,
        sizeof stub.line,
        arena_printf(
            cx->arena,
            "%s %s%s%s",
            request->method,
            request->path,
            request->query[0] == '\0' ? "" : "?",
            request->query));
    keep(stub.body, sizeof stub.body, (const char *)request->body);
    keep(stub.account, sizeof stub.account, http_header(request, "Stripe-Account"));
    keep(stub.key, sizeof stub.key, http_header(request, "Idempotency-Key"));
    keep(stub.version, sizeof stub.version, http_header(request, "Stripe-Version"));
    keep(stub.authorization, sizeof stub.authorization, http_header(request, "Authorization"));
    response->status = answer->status;
    response->content_type = "application/json";
    response->body = answer->body == NULL ? "" : answer->body;
    response->body_len = strlen(response->body);
    response->drop = answer->drop;
    response->headers[0].name = "Request-Id";
    response->headers[0].value = "req_1";
    response->header_count = 1;
    if (answer->header_name != NULL) {
        response->headers[1].name = answer->header_name;
        response->headers[1].value = answer->header_value;
        response->header_count = 2;
    }
    atomic_fetch_add(&stub.calls, call < ANSWERS_MAX - 1);
}

static const struct http_route stub_routes[] = {
    {"*", "/*", (size_t)1024 * 1024, answer_call, NULL}};

static inline struct stripe_client *new_client(struct stripe_client_config config)
{
    config.base_url = arena_printf(&stub.arena, "http://%s", http_server_address(stub.server));
    config.secret_key = "sk_test_1";
    config.backoff_ms = config.backoff_ms == 0 ? 1 : config.backoff_ms;
    return stripe_client_new(&config);
}

static inline int set_up(void **state)
{
    const struct http_server_config config = {
        .listen = "127.0.0.1:0", .threads = 1, .connections_max = 8};

    (void)state;
    http_client_global_init();
    memset(&stub, 0, sizeof stub);
    arena_init(&stub.arena, NULL, 0, (size_t)8 * 1024 * 1024);
    ctx_init(&stub.cx, &stub.arena, "test");
    assert_int_equal(
        http_server_new(&stub.cx, &config, stub_routes, 1, &stub.server).code, CODE_OK);
    assert_int_equal(http_server_start(&stub.cx, stub.server).code, CODE_OK);
    stub.client = new_client((struct stripe_client_config){0});
    assert_non_null(stub.client);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    stripe_client_free(stub.client);
    http_server_free(stub.server);
    arena_release(&stub.arena);
    return 0;
}

static inline void answer_with(int status, const char *body)
{
    memset(stub.answers, 0, sizeof stub.answers);
    stub.answers[0] = (struct answer){.status = status, .body = body};
    atomic_store(&stub.calls, 0);
}

static inline void assert_ok(struct status status)
{
    if (status.code != CODE_OK) {
        fail_msg("%s: %s", reason_name(status_reason(status)), status_message(status));
    }
}

static inline const char *pair_of(struct status status, const char *key)
{
    for (size_t i = 0; status.error != NULL && i < status.error->pair_count; i++) {
        if (strcmp(status.error->pairs[i].key, key) == 0) {
            return status.error->pairs[i].value;
        }
    }
    return "";
}

#define WITH_STUB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
