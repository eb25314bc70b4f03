#include "services/mirror_lag.h"

#include <stdatomic.h>

#include "base/heap.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "services/services.h"
#include "store/dirty_object_store.h"

#define ORGS_MAX 10000

/* The job reads the backlog every second even when nothing wakes it. */
#define READING_AGE_US_MAX (30 * US_PER_SECOND)

/* Sorted by org_id. The writer makes `turn` odd, replaces the list and makes it even again; a
 * reader that saw it odd, or another one afterwards, looks again. */
struct mirror_lag {
    _Atomic int64_t read_us; /* 0: never, so that a server without the job claims nothing else */
    _Atomic uint64_t turn;
    _Atomic size_t count;
    struct {
        _Atomic int64_t org_id;
        _Atomic int64_t oldest_us;
    } waiting[ORGS_MAX];
};

struct mirror_lag *mirror_lag_new(void)
{
    return heap_new(sizeof(struct mirror_lag));
}

void mirror_lag_free(struct mirror_lag *lag)
{
    heap_free(lag);
}

/* Of two writers one is enough: both have just read the same backlog. */
static void
replace(struct mirror_lag *lag, const struct mirror_backlog *backlog, size_t count, int64_t read_us)
{
    uint64_t turn = atomic_load(&lag->turn);

    if (turn % 2 != 0 || !atomic_compare_exchange_strong(&lag->turn, &turn, turn + 1)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        atomic_store(&lag->waiting[i].org_id, backlog[i].org_id);
        atomic_store(&lag->waiting[i].oldest_us, backlog[i].oldest_us);
    }
    atomic_store(&lag->count, count);
    atomic_store(&lag->read_us, read_us);
    atomic_store(&lag->turn, turn + 2);
}

static int64_t oldest_in(const struct mirror_backlog *backlog, size_t count, int64_t otherwise)
{
    int64_t oldest_us = otherwise;

    for (size_t i = 0; i < count; i++) {
        oldest_us = backlog[i].oldest_us < oldest_us ? backlog[i].oldest_us : oldest_us;
    }
    return oldest_us;
}

struct status mirror_lag_refresh(struct ctx *cx, struct services *services)
{
    struct mirror_backlog *backlog = NULL;
    const int64_t read_us = wallclock_us();
    int64_t inbox_depth = 0;
    size_t count = 0;

    TRY(dirty_object_store_backlog(cx, services->db, ORGS_MAX, &backlog, &count, &inbox_depth));
    metric_gauge(METRIC_INBOX_DEPTH, inbox_depth);
    metric_gauge(
        METRIC_INBOX_OLDEST_AGE, (read_us - oldest_in(backlog, count, read_us)) / US_PER_SECOND);
    replace(services->mirror, backlog, count, read_us);
    return STATUS_OK;
}

static int64_t find_oldest(struct mirror_lag *lag, int64_t org_id)
{
    const size_t count = atomic_load(&lag->count);
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (atomic_load(&lag->waiting[middle].org_id) < org_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && atomic_load(&lag->waiting[low].org_id) == org_id
               ? atomic_load(&lag->waiting[low].oldest_us)
               : INT64_MAX;
}

static int64_t oldest_of(struct mirror_lag *lag, int64_t org_id)
{
    int64_t oldest_us = INT64_MAX;
    uint64_t turn = 0;

    do {
        turn = atomic_load(&lag->turn);
        oldest_us = find_oldest(lag, org_id);
    } while (turn % 2 != 0 || atomic_load(&lag->turn) != turn);
    return oldest_us;
}

int64_t mirror_complete_until(const struct services *services, int64_t org_id, int64_t now_us)
{
    struct mirror_lag *lag = services->mirror;
    int64_t until_us = now_us;
    int64_t read_us = 0;

    if (lag == NULL) {
        return now_us;
    }
    read_us = atomic_load_explicit(&lag->read_us, memory_order_acquire);
    if (read_us != 0 && now_us - read_us > READING_AGE_US_MAX) {
        until_us = read_us;
    }
    if (atomic_load_explicit(&lag->count, memory_order_acquire) != 0) {
        const int64_t oldest_us = oldest_of(lag, org_id);

        until_us = oldest_us < until_us ? oldest_us : until_us;
    }
    return until_us;
}
