#include "runner.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "connection.h"
#include "fail.h"
#include "monotonic.h"
#include "request_head.h"

enum {
    EVENTS_MAX = 256,
};

struct slot {
    struct connection *connection; /* NULL = lost. */
    bool dirty;                    /* In the list of those that have something to write. */
    bool waits_for_write;
};

/* The warm-up and the measurement are phases of the same load. */
struct phase {
    int64_t start_ns;
    int64_t end_ns;      /* No call starts in a closed loop after that. */
    int64_t deadline_ns; /* Calls that are open then stay unanswered. */
    int64_t last_end_ns;
    uint64_t limit; /* Calls to start at most. */
    uint64_t started;
    uint64_t open;
    struct tally *tally;
};

struct runner {
    const struct options *options;
    struct body_set *bodies;
    struct request_head head;
    struct connection_owner owner;
    struct slot *slots;
    unsigned *dirty;
    unsigned dirty_len;
    unsigned alive;
    unsigned next; /* Whose turn it is in an open loop. */
    uint64_t next_number;
    int epoll_fd;
    struct phase phase;
};

static bool is_open_loop(const struct runner *runner)
{
    return runner->options->rate > 0;
}

static int64_t due_ns(const struct runner *runner, uint64_t i)
{
    return runner->phase.start_ns +
           (int64_t)((double)i * ((double)NS_PER_S / runner->options->rate));
}

static void runner_mark_dirty(struct runner *runner, unsigned number)
{
    if (!runner->slots[number].dirty) {
        runner->slots[number].dirty = true;
        runner->dirty[runner->dirty_len++] = number;
    }
}

static void runner_start_call(struct runner *runner, unsigned number, int64_t due)
{
    struct body body = body_set_next(runner->bodies);
    const char *marker = runner->options->number_marker;

    if (marker != NULL) {
        body.data = body_number(body, marker, &runner->next_number);
    }
    connection_call(runner->slots[number].connection, due, body, marker != NULL);
    runner->phase.started++;
    runner->phase.open++;
    runner_mark_dirty(runner, number);
}

static bool runner_can_refill(const struct runner *runner, int64_t now_ns)
{
    return !is_open_loop(runner) && runner->phase.started < runner->phase.limit &&
           now_ns < runner->phase.end_ns;
}

static void on_call_end(void *data, const struct call_end *end)
{
    struct runner *runner = data;
    struct phase *phase = &runner->phase;
    const struct connection *connection = runner->slots[end->connection_number].connection;

    phase->open--;
    phase->last_end_ns = end->end_ns;
    phase->tally->outcomes[end->outcome]++;
    if (end->outcome == OUTCOME_OK || end->outcome == OUTCOME_UNANSWERED) {
        histogram_record(&phase->tally->latency, end->end_ns - end->due_ns);
    }
    if (connection != NULL && connection_can_call(connection) &&
        runner_can_refill(runner, end->end_ns)) {
        runner_start_call(runner, end->connection_number, end->end_ns);
    }
}

/* The slot is emptied first, so that on_call_end() starts nothing on it. */
static void runner_drop(struct runner *runner, unsigned number, enum outcome outcome)
{
    struct connection *connection = runner->slots[number].connection;

    runner->slots[number].connection = NULL;
    runner->alive--;
    connection_lose(connection, outcome);
    connection_free(connection);
}

static void runner_fill(struct runner *runner, int64_t now_ns)
{
    for (unsigned i = 0; i < runner->options->connections; i++) {
        while (runner->slots[i].connection != NULL && runner_can_refill(runner, now_ns) &&
               connection_in_flight(runner->slots[i].connection) < runner->options->in_flight) {
            runner_start_call(runner, i, now_ns);
        }
    }
}

/* The next connection in turn that has room, or the number of connections when none has. */
static unsigned runner_pick(struct runner *runner)
{
    const unsigned len = runner->options->connections;

    for (unsigned i = 0; i < len; i++) {
        const unsigned number = runner->next;
        const struct connection *connection = runner->slots[number].connection;

        runner->next = number + 1 == len ? 0 : number + 1;
        if (connection != NULL && connection_can_call(connection) &&
            connection_in_flight(connection) < runner->options->in_flight) {
            return number;
        }
    }
    return len;
}

/* Starts all calls of an open loop that are due; returns when the next one is, or the deadline when
 * there is none or no room for it. */
static int64_t runner_start_due(struct runner *runner, int64_t now_ns)
{
    struct phase *phase = &runner->phase;

    while (phase->started < phase->limit) {
        const int64_t due = due_ns(runner, phase->started);

        if (due > now_ns) {
            return due;
        }
        const unsigned number = runner_pick(runner);
        if (number == runner->options->connections) {
            break;
        }
        histogram_record(&phase->tally->lag, now_ns - due);
        runner_start_call(runner, number, due);
    }
    return phase->deadline_ns;
}

static void runner_watch(struct runner *runner, unsigned number)
{
    struct slot *slot = &runner->slots[number];
    const bool wants_write = connection_wants_write(slot->connection);
    struct epoll_event event = {
        .events = wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN,
        .data.u32 = number,
    };

    if (wants_write != slot->waits_for_write) {
        slot->waits_for_write = wants_write;
        epoll_ctl(runner->epoll_fd, EPOLL_CTL_MOD, connection_fd(slot->connection), &event);
    }
}

static void runner_flush(struct runner *runner)
{
    /* Dropping a connection ends calls but starts none, so the list does not grow meanwhile. */
    for (unsigned i = 0; i < runner->dirty_len; i++) {
        const unsigned number = runner->dirty[i];
        struct slot *slot = &runner->slots[number];

        slot->dirty = false;
        if (slot->connection == NULL) {
            continue;
        }
        if (connection_flush(slot->connection)) {
            runner_watch(runner, number);
        } else {
            runner_drop(runner, number, OUTCOME_CONNECTION_LOST);
        }
    }
    runner->dirty_len = 0;
}

static void runner_wait(struct runner *runner, int64_t until_ns)
{
    struct epoll_event events[EVENTS_MAX];
    const int64_t left_ns = until_ns - monotonic_ns();
    struct timespec timeout = {0};

    if (left_ns > 0) {
        timeout = (struct timespec){left_ns / NS_PER_S, left_ns % NS_PER_S};
    }
    const int len = epoll_pwait2(runner->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
    if (len < 0 && errno != EINTR) {
        fail(EXIT_NO_RUN, "cannot wait for events: %m");
    }
    for (int i = 0; i < len; i++) {
        const unsigned number = events[i].data.u32;

        if (runner->slots[number].connection == NULL) {
            continue;
        }
        if (connection_read(runner->slots[number].connection)) {
            /* Answers to pings and settings are to be written as well. */
            runner_mark_dirty(runner, number);
        } else {
            runner_drop(runner, number, OUTCOME_CONNECTION_LOST);
        }
    }
}

static bool phase_is_over(const struct runner *runner, int64_t now_ns)
{
    const struct phase *phase = &runner->phase;
    const bool starts_more =
        phase->started < phase->limit && (is_open_loop(runner) || now_ns < phase->end_ns);

    return now_ns >= phase->deadline_ns || runner->alive == 0 ||
           (!starts_more && phase->open == 0 && !runner->options->hold);
}

static void phase_init(struct runner *runner, double seconds, struct tally *tally)
{
    const struct options *options = runner->options;
    const int64_t now_ns = monotonic_ns();
    struct phase *phase = &runner->phase;

    *phase = (struct phase){.start_ns = now_ns, .last_end_ns = now_ns, .tally = tally};
    phase->end_ns = now_ns + (int64_t)(seconds * (double)NS_PER_S);
    phase->deadline_ns = phase->end_ns;
    phase->limit = options->requests > 0 ? options->requests : UINT64_MAX;
    if (options->hold) {
        phase->limit = (uint64_t)options->connections * options->in_flight;
    } else {
        phase->deadline_ns += (int64_t)(options->drain_s * (double)NS_PER_S);
    }
    if (is_open_loop(runner)) {
        const uint64_t due = (uint64_t)(options->rate * seconds);

        phase->limit = due < phase->limit ? due : phase->limit;
    }
}

static void phase_run(struct runner *runner, double seconds, struct tally *tally)
{
    int64_t now_ns = 0;

    phase_init(runner, seconds, tally);
    runner->owner.received_bytes = 0;
    runner->owner.received_messages = 0;
    now_ns = runner->phase.start_ns;
    runner_fill(runner, now_ns);
    while (!phase_is_over(runner, now_ns)) {
        int64_t wake_ns =
            now_ns < runner->phase.end_ns ? runner->phase.end_ns : runner->phase.deadline_ns;

        if (is_open_loop(runner)) {
            wake_ns = runner_start_due(runner, now_ns);
        }
        runner_flush(runner);
        runner_wait(runner, wake_ns);
        now_ns = monotonic_ns();
    }
    tally->received_bytes = runner->owner.received_bytes;
    tally->received_messages = runner->owner.received_messages;
}

/* What is still open, and what was due in an open loop and never started, is unanswered. */
static void phase_close(struct runner *runner)
{
    struct phase *phase = &runner->phase;
    const int64_t now_ns = monotonic_ns();

    if (runner->options->hold) {
        phase->tally->held = phase->open;
        phase->last_end_ns = now_ns;
        return;
    }
    phase->end_ns = phase->start_ns; /* No refill any more. */
    for (unsigned i = 0; i < runner->options->connections; i++) {
        if (runner->slots[i].connection != NULL && phase->open > 0) {
            runner_drop(runner, i, OUTCOME_UNANSWERED);
        }
    }
    while (is_open_loop(runner) && phase->started < phase->limit) {
        const int64_t due = due_ns(runner, phase->started++);

        phase->tally->outcomes[OUTCOME_UNANSWERED]++;
        if (due < now_ns) { /* Else the run has ended early, without connections. */
            histogram_record(&phase->tally->latency, now_ns - due);
        }
    }
}

static void runner_connect(struct runner *runner)
{
    const struct options *options = runner->options;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *address = NULL;
    const int error = getaddrinfo(options->host, options->port, &hints, &address);

    if (error != 0) {
        fail(EXIT_NO_RUN, "cannot resolve %s: %s", options->authority, gai_strerror(error));
    }
    for (unsigned i = 0; i < options->connections; i++) {
        struct slot *slot = &runner->slots[i];
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

        slot->connection = connection_new(&runner->owner, address, i);
        epoll_ctl(runner->epoll_fd, EPOLL_CTL_ADD, connection_fd(slot->connection), &event);
        runner_mark_dirty(runner, i);
    }
    runner->alive = options->connections;
    freeaddrinfo(address);
}

static void runner_init(struct runner *runner, struct options *options, struct body_set *bodies)
{
    *runner = (struct runner){
        .options = options,
        .bodies = bodies,
        .next_number = options->number_from,
        .owner =
            {
                .head = &runner->head,
                .on_end = on_call_end,
                .data = runner,
                .streaming = options->hold,
            },
    };
    request_head_init(&runner->head, options);
    runner->slots = fail_or_calloc(options->connections, sizeof *runner->slots);
    runner->dirty = fail_or_calloc(options->connections, sizeof *runner->dirty);
    runner->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (runner->epoll_fd < 0) {
        fail(EXIT_NO_RUN, "cannot wait for events: %m");
    }
    /* The kernel may wake a sleeper 50 us late to save power; an open loop would be late by that.
     */
    prctl(PR_SET_TIMERSLACK, 1);
}

static void runner_warm_up(struct runner *runner)
{
    struct tally *scrap = fail_or_calloc(1, sizeof *scrap);

    phase_run(runner, runner->options->warmup_s, scrap);
    if (runner->alive < runner->options->connections || runner->phase.open > 0) {
        fail(
            EXIT_NO_RUN,
            "the warm-up left %llu calls open and lost %u connections",
            (unsigned long long)runner->phase.open,
            runner->options->connections - runner->alive);
    }
    free(scrap);
}

void runner_run(struct options *options, struct body_set *bodies, struct tally *ret_tally)
{
    struct runner *runner = fail_or_calloc(1, sizeof *runner);

    runner_init(runner, options, bodies);
    runner_connect(runner);
    if (options->warmup_s > 0) {
        runner_warm_up(runner);
    }
    cpu_meter_start(&options->meter);
    phase_run(runner, options->duration_s, ret_tally);
    cpu_meter_stop(&options->meter);
    phase_close(runner);
    ret_tally->seconds =
        (double)(runner->phase.last_end_ns - runner->phase.start_ns) / (double)NS_PER_S;
    for (unsigned i = 0; i < options->connections; i++) {
        connection_free(runner->slots[i].connection);
    }
    close(runner->epoll_fd);
    free(runner->slots);
    free(runner->dirty);
    free(runner);
}
