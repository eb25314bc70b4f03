#include "sandbox/webhook_out.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "http/http_client.h"
#include "sandbox/event.h"
#include "sandbox/fault.h"
#include "sandbox/journal.h"
#include "sandbox/sim.h"
#include "sandbox/webhook_endpoint.h"

#define THREADS 4
#define WAITING_MAX 65536
#define ATTEMPTS_MAX 16
#define RETRY_FIRST_US (US_PER_SECOND / 2)
#define RETRY_LONGEST_US (30 * US_PER_SECOND)
#define TIMEOUT_MS 10000
#define DELIVERY_ARENA_BYTES ((size_t)4 * 1024 * 1024)

struct delivery {
    int64_t due_us; /* monotonic */
    struct event *event;
    struct webhook_endpoint *endpoint;
    int attempts;
    bool counted; /* of event->pending; a duplicate is not */
    struct webhook_fault fault;
};

struct webhook_out {
    struct sim *sim;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct delivery *heap; /* by due_us, the earliest first */
    size_t count;
    int64_t running;
    bool stopping;
    struct canceller canceller; /* ends the deliveries that run when the work is over */
    size_t thread_count;
    pthread_t threads[THREADS];
};

struct webhook_out *webhook_out_new(struct sim *sim)
{
    struct webhook_out *out = heap_new(sizeof *out);
    pthread_condattr_t monotonic;

    if (out == NULL) {
        return NULL;
    }
    out->sim = sim;
    atomic_init(&out->canceller.wake_fd, -1);
    out->heap = heap_new(WAITING_MAX * sizeof *out->heap);
    pthread_mutex_init(&out->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&out->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (out->heap == NULL) {
        webhook_out_free(out);
        return NULL;
    }
    return out;
}

void webhook_out_free(struct webhook_out *out)
{
    if (out == NULL) {
        return;
    }
    webhook_out_stop(out);
    pthread_cond_destroy(&out->wake);
    pthread_mutex_destroy(&out->lock);
    heap_free(out->heap);
    heap_free(out);
}

static void swap(struct delivery *a, struct delivery *b)
{
    const struct delivery other = *a;

    *a = *b;
    *b = other;
}

/* False when too much waits already. Called with out->lock held. */
static bool heap_push(struct webhook_out *out, const struct delivery *delivery)
{
    size_t at = out->count;

    if (out->count == WAITING_MAX) {
        return false;
    }
    out->heap[out->count++] = *delivery;
    while (at > 0 && out->heap[at].due_us < out->heap[(at - 1) / 2].due_us) {
        swap(&out->heap[at], &out->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return true;
}

static struct delivery heap_pop(struct webhook_out *out)
{
    const struct delivery first = out->heap[0];
    size_t at = 0;

    out->heap[0] = out->heap[--out->count];
    for (;;) {
        size_t least = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < out->count; child++) {
            if (out->heap[child].due_us < out->heap[least].due_us) {
                least = child;
            }
        }
        if (least == at) {
            return first;
        }
        swap(&out->heap[at], &out->heap[least]);
        at = least;
    }
}

static void enqueue(struct webhook_out *out, const struct delivery *delivery)
{
    bool taken = false;

    pthread_mutex_lock(&out->lock);
    taken = heap_push(out, delivery);
    pthread_cond_signal(&out->wake);
    pthread_mutex_unlock(&out->lock);
    if (!taken) {
        log_warn(NULL, "too many webhook deliveries wait, ignoring one");
    }
}

void webhook_out_deliver(
    struct webhook_out *out, struct event *event, struct webhook_endpoint *endpoint)
{
    struct delivery delivery = {.event = event, .endpoint = endpoint, .counted = true};

    if (out->sim->replaying) {
        return;
    }
    fault_for_webhook(out->sim, event, &delivery.fault);
    if (delivery.fault.drop) {
        return;
    }
    delivery.due_us = monotonic_us() + delivery.fault.delay_ms * 1000;
    enqueue(out, &delivery);
    for (int i = 0; i < delivery.fault.duplicates; i++) {
        delivery.counted = false;
        enqueue(out, &delivery);
    }
}

/* Waits for a due delivery; false when the work is over. */
static bool take(struct webhook_out *out, struct delivery *ret_delivery)
{
    bool found = false;

    pthread_mutex_lock(&out->lock);
    while (!out->stopping && !found) {
        const int64_t now_us = monotonic_us();

        if (out->count == 0) {
            pthread_cond_wait(&out->wake, &out->lock);
        } else if (out->heap[0].due_us > now_us) {
            const int64_t due_us = out->heap[0].due_us;
            const struct timespec until = {
                .tv_sec = due_us / US_PER_SECOND, .tv_nsec = due_us % US_PER_SECOND * 1000};

            pthread_cond_timedwait(&out->wake, &out->lock, &until);
        } else {
            *ret_delivery = heap_pop(out);
            out->running++;
            found = true;
        }
    }
    pthread_mutex_unlock(&out->lock);
    return found;
}

/* The scheme of the provider: HMAC over "<seconds>.<body>", keyed with the whole secret text. Each
 * attempt is signed anew, by the wall clock and never by a simulated one. */
static const char *
sign(struct ctx *cx, const struct delivery *delivery, const char *secret, const char *body)
{
    const int64_t now_s = wallclock_us() / US_PER_SECOND - (delivery->fault.stale ? 3600 : 0);
    const char *time = arena_printf(cx->arena, "%lld", (long long)now_s);
    const struct str pieces[] = {str_of(time), STR("."), str_of(body)};
    uint8_t digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    hmac_sha256(
        str_of(delivery->fault.bad_signature ? "whsec_wrong" : secret),
        pieces,
        ARRAY_LEN(pieces),
        digest);
    hex_format(digest, sizeof digest, hex);
    return arena_printf(cx->arena, "Stripe-Signature: t=%s,v1=%s", time, hex);
}

/* Sends one attempt; true when the endpoint took it. The texts of the endpoint live for ever, but
 * may be replaced: they are read under the lock. */
static bool attempt(
    struct webhook_out *out, struct ctx *cx, struct http_client *client, struct delivery *delivery)
{
    const char *url = NULL;
    const char *secret = NULL;
    const char *body = NULL;
    const char *headers[] = {
        "Content-Type: application/json; charset=utf-8",
        "User-Agent: billingos-sandbox (simulated payment provider)",
        NULL,
        NULL,
    };
    struct http_answer answer = {.status = 0};
    struct http_call call = {
        .method = "POST",
        .timeout_ms = TIMEOUT_MS,
        .response_max = 65536,
    };

    sim_lock(out->sim, cx);
    url = delivery->endpoint->object.deleted ? NULL : delivery->endpoint->url;
    secret = delivery->endpoint->secret;
    body = event_text(out->sim, delivery->event);
    sim_unlock(out->sim);
    if (url == NULL) {
        return true;
    }
    headers[2] = sign(cx, delivery, secret, body);
    call.body = body;
    call.body_len = strlen(body);
    call.url = url;
    call.headers = headers;
    http_client_send(cx, client, &call, &answer);
    log_debug(
        cx,
        "webhook delivery",
        LOG_TEXT("event", delivery->event->object.id),
        LOG_TEXT("type", delivery->event->type),
        LOG_I64("attempt", delivery->attempts + 1),
        LOG_I64("status", answer.outcome == HTTP_ANSWERED ? answer.status : 0));
    return answer.outcome == HTTP_ANSWERED && answer.status >= 200 && answer.status < 300;
}

static void retry_later(struct webhook_out *out, struct delivery *delivery)
{
    int64_t wait_us = RETRY_FIRST_US;

    for (int i = 0; i < delivery->attempts && wait_us < RETRY_LONGEST_US; i++) {
        wait_us *= 2;
    }
    delivery->attempts++;
    if (delivery->attempts == ATTEMPTS_MAX) {
        log_warn(
            NULL,
            "webhook delivery given up",
            LOG_TEXT("event", delivery->event->object.id),
            LOG_TEXT("type", delivery->event->type));
        return;
    }
    delivery->due_us = monotonic_us() + (wait_us < RETRY_LONGEST_US ? wait_us : RETRY_LONGEST_US);
    enqueue(out, delivery);
}

static void run(struct webhook_out *out, struct http_client *client, struct delivery *delivery)
{
    struct arena arena;
    struct ctx cx;

    arena_init(&arena, NULL, 0, DELIVERY_ARENA_BYTES);
    ctx_init(&cx, &arena, "sandbox/webhook");
    cx.canceller = &out->canceller;
    if (!attempt(out, &cx, client, delivery)) {
        retry_later(out, delivery);
    } else if (delivery->counted) {
        sim_lock(out->sim, &cx);
        delivery->event->pending -= delivery->event->pending > 0;
        journal_add_delivery(out->sim->journal, delivery->event);
        sim_unlock(out->sim);
    }
    arena_release(&arena);
    pthread_mutex_lock(&out->lock);
    out->running--;
    pthread_mutex_unlock(&out->lock);
}

static void *work(void *argument)
{
    struct webhook_out *out = argument;
    struct http_client *client = http_client_new();
    struct delivery delivery;

    while (client != NULL && take(out, &delivery)) {
        run(out, client, &delivery);
    }
    http_client_free(client);
    return NULL;
}

bool webhook_out_start(struct webhook_out *out)
{
    for (size_t i = 0; i < THREADS; i++) {
        if (pthread_create(&out->threads[i], NULL, work, out) != 0) {
            return false;
        }
        out->thread_count++;
    }
    return true;
}

void webhook_out_stop(struct webhook_out *out)
{
    pthread_mutex_lock(&out->lock);
    out->stopping = true;
    atomic_store(&out->canceller.gone, true);
    pthread_cond_broadcast(&out->wake);
    pthread_mutex_unlock(&out->lock);
    for (size_t i = 0; i < out->thread_count; i++) {
        pthread_join(out->threads[i], NULL);
    }
    out->thread_count = 0;
}

int64_t webhook_out_waiting(struct webhook_out *out)
{
    int64_t waiting = 0;

    pthread_mutex_lock(&out->lock);
    waiting = (int64_t)out->count + out->running;
    pthread_mutex_unlock(&out->lock);
    return waiting;
}
