#include <pthread.h>

#include "base/ctx.h"
#include "base/heap.h"
#include "services/services.h"
#include "stripe/stripe_client.h"

/* The clients of one thread, freed when it ends. A thread serves one set of services all its life.
 */
struct thread_clients {
    struct stripe_client *test;
    struct stripe_client *live;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void free_clients(void *user)
{
    struct thread_clients *clients = user;

    stripe_client_free(clients->test);
    stripe_client_free(clients->live);
    heap_free(clients);
}

static void make_key(void)
{
    pthread_key_create(&key, free_clients);
}

static struct thread_clients *clients_of_thread(void)
{
    struct thread_clients *clients = NULL;

    pthread_once(&once, make_key);
    clients = pthread_getspecific(key);
    if (clients == NULL) {
        clients = heap_new(sizeof *clients);
        if (clients != NULL && pthread_setspecific(key, clients) != 0) {
            heap_free(clients);
            return NULL;
        }
    }
    return clients;
}

static struct stripe_client *new_client(const struct services *services, const char *secret_key)
{
    const struct stripe_client_config config = {
        .base_url = services->settings->stripe_api_base,
        .secret_key = secret_key,
        .budget = services->budget,
    };

    return stripe_client_new(&config);
}

struct status services_payment_client(
    struct ctx *cx, struct services *services, struct stripe_client **ret_client)
{
    const bool live = cx->caller.live;
    const char *secret_key = live ? services->settings->stripe_secret_key_live
                                  : services->settings->stripe_secret_key_test;
    struct thread_clients *clients = NULL;
    struct stripe_client **client = NULL;

    if (secret_key[0] == '\0') {
        return status_pair(
            cx,
            status_fail(
                cx,
                REASON_PAYMENT_ACCOUNT_NOT_CONNECTED,
                "the server has no key of the payment side for %s mode",
                live ? "live" : "test"),
            "mode",
            live ? "LIVE" : "TEST");
    }
    clients = clients_of_thread();
    if (clients == NULL) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    client = live ? &clients->live : &clients->test;
    if (*client == NULL) {
        *client = new_client(services, secret_key);
    }
    if (*client == NULL) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    *ret_client = *client;
    return STATUS_OK;
}
