#ifdef BOS_FAILPOINTS

#include "base/failpoint.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

/* BILLINGOS_FAILPOINTS="a=crash,b=sleep:250,c=crash@3": the third time that c is reached. */
#define POINTS_MAX 16
#define TEXT_BYTES 1024

struct point {
    const char *name;
    long long sleep_ms; /* -1: crash */
    long long at;       /* the crash happens at this visit */
    _Atomic long long visits;
};

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static char text[TEXT_BYTES];
static struct point points[POINTS_MAX];
static size_t point_count;

/* "name=crash", "name=crash@N", "name=sleep:MS"; changes the text. */
static bool parse_point(char *item, struct point *point)
{
    char *action = strchr(item, '=');

    if (action == NULL || action == item) {
        return false;
    }
    *action++ = '\0';
    point->name = item;
    point->sleep_ms = -1;
    point->at = 1;
    if (strcmp(action, "crash") == 0) {
        return true;
    }
    if (strncmp(action, "crash@", 6) == 0) {
        return str_to_i64(str_of(action + 6), &point->at) && point->at > 0;
    }
    return strncmp(action, "sleep:", 6) == 0 && str_to_i64(str_of(action + 6), &point->sleep_ms) &&
           point->sleep_ms >= 0;
}

/* A name that is misspelt would make a test pass that tests nothing. */
static void refuse(const char *item)
{
    log_error(NULL, "BILLINGOS_FAILPOINTS cannot be read", LOG_TEXT("at", item));
    _exit(2);
}

static void prepare(void)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment. */
    const char *value = getenv("BILLINGOS_FAILPOINTS");
    char *rest = text;
    char *item = NULL;

    if (value == NULL || value[0] == '\0') {
        return;
    }
    if (strlen(value) >= sizeof text) {
        refuse(value);
        return;
    }
    memcpy(text, value, strlen(value) + 1);
    while ((item = strsep(&rest, ",")) != NULL) {
        if (point_count == POINTS_MAX || !parse_point(item, &points[point_count])) {
            refuse(item);
            return;
        }
        point_count++;
    }
}

static void crash(void)
{
    kill(getpid(), SIGKILL); /* no handler, no flush, no farewell to a peer */
    _exit(99);
}

static void visit(struct point *point)
{
    struct timespec pause = {
        .tv_sec = point->sleep_ms / 1000,
        .tv_nsec = point->sleep_ms % 1000 * 1000000,
    };

    if (point->sleep_ms >= 0) {
        nanosleep(&pause, NULL);
    } else if (atomic_fetch_add(&point->visits, 1) + 1 == point->at) {
        crash();
    }
}

void failpoint(const char *name)
{
    pthread_once(&prepared, prepare);
    for (size_t i = 0; i < point_count; i++) {
        if (strcmp(points[i].name, name) == 0) {
            visit(&points[i]);
        }
    }
}

#endif
