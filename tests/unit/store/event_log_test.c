#include "store/event_log.h"

#include <pthread.h>
#include <time.h>

#include "database.h"
#include "domain/event.h"
#include "store/event_tail.h"
#include "store/schema.h"

#define ORGS 5
#define WRITERS 8
#define ROWS_MIN 100000
#define APPEND_MAX 40
#define PAGE 137 /* small, and no divisor of anything: passes end in the middle of appends */

/* Organisation numbers lie far apart, so that paging crosses from one to the next. */
static int64_t org_of(size_t index)
{
    return (int64_t)(index + 1) * 1000 + (int64_t)(index % 2);
}

static int log_create(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(2);
    size_t applied = 0;

    test_schema_create(state);
    test_must(schema_up(&call.cx, db, &SCHEMA, &applied));
    for (size_t i = 0; i < ORGS; i++) {
        test_must(test_try(
            &call.cx,
            db,
            arena_printf(
                &call.arena,
                "INSERT INTO organizations (org_id, organization_id, live, name)"
                " VALUES (%" PRId64 ", gen_random_uuid(), %s, 'test')",
                org_of(i),
                org_of(i) % 2 == 0 ? "true" : "false")));
    }
    db_free(db);
    return 0;
}

static int log_empty(void **state)
{
    (void)state;
    test_sql("DELETE FROM event_log");
    test_sql("DELETE FROM event_heads");
    return 0;
}

static struct event_log_entry entry_of(struct ctx *cx, int64_t org_id, const char *type)
{
    return (struct event_log_entry){
        .org_id = org_id,
        .event_id = id_new(cx->now_us),
        .type = type,
        .payload = "{\"plan\": \"pro\"}",
        .created_us = cx->now_us,
    };
}

static void append_committed(struct db *db, int64_t org_id, size_t count)
{
    TEST_CALL(call);
    struct event_log_entry entries[APPEND_MAX];
    AUTO_TX tx = NULL;

    for (size_t i = 0; i < count; i++) {
        entries[i] = entry_of(&call.cx, org_id, "test.happened");
    }
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(event_log_append(&call.cx, tx, entries, count));
    test_must(tx_commit(&call.cx, tx));
}

static void entries_are_numbered_and_read_back(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct event_log_entry entry = entry_of(&call.cx, org_of(0), "test.first");
    struct event_log_page page;
    struct event_log_range range;
    AUTO_TX tx = NULL;

    (void)state;
    test_must(event_log_floor(&call.cx, db, org_of(0), &range));
    assert_int_equal(range.floor_seq, 1);
    assert_int_equal(range.head_seq, 0);

    entry.customer_id = id_new(call.cx.now_us);
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(event_log_append(&call.cx, tx, &entry, 1));
    test_must(tx_commit(&call.cx, tx));
    tx_end(&tx);
    append_committed(db, org_of(0), 5);
    append_committed(db, org_of(1), 2);

    test_must(event_log_read(&call.cx, db, org_of(0), 0, 4, &page));
    assert_int_equal(page.count, 4);
    assert_int_equal(page.entries[0].seq, 1);
    assert_string_equal(page.entries[0].type, "test.first");
    assert_string_equal(page.entries[0].payload, "{\"plan\": \"pro\"}");
    assert_true(id_equal(&page.entries[0].event_id, &entry.event_id));
    assert_true(id_equal(&page.entries[0].customer_id, &entry.customer_id));
    assert_true(id_is_zero(&page.entries[0].subscription_id));
    assert_true(page.entries[0].created_us == entry.created_us);
    test_must(event_log_read(&call.cx, db, org_of(0), page.entries[3].seq, 10, &page));
    assert_int_equal(page.count, 2);
    assert_int_equal(page.entries[1].seq, 6);

    test_sql("DELETE FROM event_log WHERE seq < 3");
    test_must(event_log_floor(&call.cx, db, org_of(0), &range));
    assert_int_equal(range.floor_seq, 3);
    assert_int_equal(range.head_seq, 6);
    test_must(event_log_floor(&call.cx, db, org_of(1), &range));
    assert_int_equal(range.floor_seq, 3);
    assert_int_equal(range.head_seq, 2);
    db_free(db);
}

static void entries_of_several_organisations_are_numbered_apart(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct event_log_entry entries[] = {
        entry_of(&call.cx, org_of(2), "test.a"),
        entry_of(&call.cx, org_of(1), "test.b"),
        entry_of(&call.cx, org_of(2), "test.c"),
    };
    struct event_log_page page;
    AUTO_TX tx = NULL;

    (void)state;
    append_committed(db, org_of(2), 3);
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(event_log_append(&call.cx, tx, entries, 3));
    test_must(tx_commit(&call.cx, tx));
    tx_end(&tx);
    test_must(event_log_read(&call.cx, db, org_of(2), 3, 10, &page));
    assert_int_equal(page.count, 2);
    assert_string_equal(page.entries[0].type, "test.a");
    assert_int_equal(page.entries[0].seq, 4);
    assert_string_equal(page.entries[1].type, "test.c");
    assert_int_equal(page.entries[1].seq, 5);
    test_must(event_log_read(&call.cx, db, org_of(1), 0, 10, &page));
    assert_int_equal(page.count, 1);
    assert_string_equal(page.entries[0].type, "test.b");
    db_free(db);
}

static void events_of_a_transaction_are_appended_by_its_commit(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct event_log_page page;

    (void)state;
    call.cx.caller.org_id = org_of(0);
    for (int i = 0; i < 2; i++) {
        AUTO_TX tx = NULL;

        test_must(tx_begin(&call.cx, db, &tx));
        for (int number = 0; number < 20; number++) {
            const struct event event = {
                .type = EVENT_CUSTOMER_CREATED,
                .payload = arena_printf(&call.arena, "{\"number\": %d}", number),
            };

            test_must(event_log_add(&call.cx, tx, &event));
        }
        if (i == 1) {
            test_must(tx_commit(&call.cx, tx)); /* the first is rolled back */
        }
    }
    test_must(event_log_read(&call.cx, db, org_of(0), 0, 100, &page));
    assert_int_equal(page.count, 20);
    assert_int_equal(page.entries[19].seq, 20);
    assert_string_equal(page.entries[19].type, "CUSTOMER_CREATED");
    assert_string_equal(page.entries[19].payload, "{\"number\": 19}");
    db_free(db);
}

static void a_transaction_has_a_limit_of_events(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct event event = {.type = EVENT_CUSTOMER_CREATED};
    struct event_log_range range;
    AUTO_TX tx = NULL;

    (void)state;
    call.cx.caller.org_id = org_of(0);
    test_must(tx_begin(&call.cx, db, &tx));
    for (int i = 0; i < EVENT_LOG_APPEND_MAX; i++) {
        test_must(event_log_add(&call.cx, tx, &event));
    }
    assert_int_equal(status_reason(event_log_add(&call.cx, tx, &event)), REASON_REQUEST_TOO_COSTLY);
    test_must(tx_commit(&call.cx, tx));
    tx_end(&tx);
    test_must(event_log_floor(&call.cx, db, org_of(0), &range));
    assert_int_equal(range.head_seq, EVENT_LOG_APPEND_MAX);
    db_free(db);
}

/* An open transaction that began first holds the horizon back, and nobody up. */
static void an_open_transaction_delays_only_its_own_entries(void **state)
{
    static const struct sql take_xid = {"take_xid", "SELECT pg_current_xact_id()"};
    TEST_CALL(call);
    struct db *db = test_db(3);
    struct event_tail *tail = event_tail_new();
    const struct event_log_entry late = entry_of(&call.cx, org_of(3), "test.late");
    struct event_log_page page;
    AUTO_TX tx = NULL;

    (void)state;
    append_committed(db, org_of(0), 2); /* before the start: not delivered */
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(tx_execute(&call.cx, tx, &take_xid, &NO_PARAMS, NULL));
    append_committed(db, org_of(0), 1); /* newer than the open one, but before the start */
    test_must(event_tail_start(&call.cx, db, tail));
    for (int i = 0; i < 3; i++) {
        append_committed(db, org_of(0), 2);
        test_must(event_tail_read(&call.cx, db, tail, 100, &page));
        assert_int_equal(page.count, 2);
        assert_int_equal(page.entries[0].seq, 4 + 2 * i);
        test_must(event_tail_read(&call.cx, db, tail, 100, &page));
        assert_int_equal(page.count, 0);
    }
    test_must(event_log_append(&call.cx, tx, &late, 1));
    test_must(event_tail_read(&call.cx, db, tail, 100, &page));
    assert_int_equal(page.count, 0);
    test_must(tx_commit(&call.cx, tx));
    test_must(event_tail_read(&call.cx, db, tail, 100, &page));
    assert_int_equal(page.count, 1);
    assert_string_equal(page.entries[0].type, "test.late");
    test_must(event_tail_read(&call.cx, db, tail, 100, &page));
    assert_int_equal(page.count, 0);
    tx_end(&tx);
    event_tail_free(tail);
    db_free(db);
}

static void a_pass_goes_on_over_many_pages(void **state)
{
    struct db *db = test_db(1);
    struct event_tail *tail = event_tail_new();
    int64_t seen[ORGS] = {0};
    size_t total = 0;
    size_t count = 1;

    (void)state;
    {
        TEST_CALL(call);

        test_must(event_tail_start(&call.cx, db, tail));
    }
    for (size_t i = 0; i < ORGS; i++) {
        append_committed(db, org_of(i), 11);
    }
    while (count > 0) {
        TEST_CALL(call);
        struct event_log_page page;

        test_must(event_tail_read(&call.cx, db, tail, 4, &page));
        for (size_t i = 0; i < page.count; i++) {
            const size_t org = (size_t)(page.entries[i].org_id / 1000) - 1;

            assert_int_equal(page.entries[i].seq, ++seen[org]);
        }
        /* What comes in between lies before and behind the place where the pass is. */
        if (total < 20) {
            append_committed(db, org_of(0), 1);
            append_committed(db, org_of(ORGS - 1), 1);
        }
        count = page.count;
        total += count;
    }
    assert_int_equal(total, ORGS * 11 + 2 * 5);
    event_tail_free(tail);
    db_free(db);
}

/* The test of the whole idea: writers that start early and commit late, abort, and hold the numbers
 * for a while; readers that must see every committed entry exactly once and in order. */
struct storm {
    struct db *db;
    _Atomic uint64_t committed;
    _Atomic bool writing;
    _Atomic int failures;
    const char *failure; /* of a reader; written by it alone */
};

struct writer {
    struct storm *storm;
    unsigned seed;
};

static unsigned next_random(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 16) % below;
}

static void nap(unsigned *seed, unsigned us_max)
{
    const struct timespec time = {.tv_nsec = (long)next_random(seed, us_max) * 1000};

    nanosleep(&time, NULL);
}

static struct status write_once(struct ctx *cx, struct writer *writer, uint64_t *ret_count)
{
    static const struct sql take_xid = {"take_xid", "SELECT pg_current_xact_id()"};
    static const struct sql stay = {"stay", "SELECT 1"};
    struct event_log_entry entries[APPEND_MAX];
    const size_t count = 1 + next_random(&writer->seed, APPEND_MAX);
    const int64_t org_id = org_of(next_random(&writer->seed, ORGS));
    const bool mixed = next_random(&writer->seed, 8) == 0;
    AUTO_TX tx = NULL;

    for (size_t i = 0; i < count; i++) {
        entries[i] = entry_of(
            cx, mixed ? org_of(next_random(&writer->seed, ORGS)) : org_id, "test.happened");
    }
    *ret_count = 0;
    TRY(tx_begin(cx, writer->storm->db, &tx));
    if (next_random(&writer->seed, 2) == 0) {
        TRY(tx_execute(cx, tx, &take_xid, &NO_PARAMS, NULL));
        nap(&writer->seed, 20000);
    }
    TRY(event_log_append(cx, tx, entries, count));
    if (next_random(&writer->seed, 4) == 0) {
        TRY(tx_execute(cx, tx, &stay, &NO_PARAMS, NULL)); /* the append goes out; no commit yet */
        nap(&writer->seed, 3000);
    }
    if (next_random(&writer->seed, 6) == 0) {
        return STATUS_OK; /* aborts */
    }
    TRY(tx_commit(cx, tx));
    *ret_count = count;
    return STATUS_OK;
}

static void *write_until_enough(void *user)
{
    struct writer *writer = user;
    struct storm *storm = writer->storm;

    while (atomic_load(&storm->committed) < ROWS_MIN && atomic_load(&storm->failures) == 0) {
        TEST_CALL(call);
        uint64_t count = 0;

        if (write_once(&call.cx, writer, &count).code != CODE_OK) {
            atomic_fetch_add(&storm->failures, 1);
        }
        atomic_fetch_add(&storm->committed, count);
    }
    return NULL;
}

struct reader {
    struct storm *storm;
    unsigned start_after_ms;
    int64_t first_seq[ORGS]; /* 0: none seen */
    int64_t last_seq[ORGS];
    uint64_t seen;
    uint64_t reads;
    const char *failure;
};

/* Returns how many were read. */
static size_t read_once(struct reader *reader, struct event_tail *tail)
{
    TEST_CALL(call);
    struct event_log_page page = {.count = 0};

    if (event_tail_read(&call.cx, reader->storm->db, tail, PAGE, &page).code != CODE_OK) {
        reader->failure = "a read failed";
        return 0;
    }
    for (size_t i = 0; i < page.count; i++) {
        const size_t org = (size_t)(page.entries[i].org_id / 1000) - 1;
        const int64_t seq = page.entries[i].seq;

        if (reader->first_seq[org] == 0) {
            reader->first_seq[org] = seq;
        } else if (seq <= reader->last_seq[org]) {
            reader->failure = "an entry came twice or late";
        } else if (seq != reader->last_seq[org] + 1) {
            reader->failure = "an entry was left out";
        }
        reader->last_seq[org] = seq;
    }
    reader->reads++;
    reader->seen += page.count;
    return page.count;
}

static void *read_until_quiet(void *user)
{
    struct reader *reader = user;
    struct event_tail *tail = event_tail_new();
    bool last = false;

    usleep(reader->start_after_ms * 1000);
    {
        TEST_CALL(call);

        if (event_tail_start(&call.cx, reader->storm->db, tail).code != CODE_OK) {
            reader->failure = "the start failed";
        }
    }
    while (reader->failure == NULL) {
        const bool writing = atomic_load(&reader->storm->writing);

        if (read_once(reader, tail) == 0) {
            if (!writing && last) {
                break;
            }
            last = !writing;
            usleep(1000);
        }
    }
    event_tail_free(tail);
    return NULL;
}

static void check_reader(const struct reader *reader, bool from_the_start)
{
    for (size_t i = 0; i < ORGS; i++) {
        TEST_CALL(call);
        const int64_t head = test_number(arena_printf(
            &call.arena, "SELECT seq FROM event_heads WHERE org_id = %" PRId64, org_of(i)));

        assert_true(reader->last_seq[i] == head);
        if (from_the_start) {
            assert_int_equal(reader->first_seq[i], 1);
        }
    }
}

static void every_committed_entry_is_seen_exactly_once_and_in_order(void **state)
{
    struct storm storm = {.db = test_db(WRITERS + 3)};
    struct writer writers[WRITERS];
    struct reader readers[] = {
        {.storm = &storm, .start_after_ms = 0},
        {.storm = &storm, .start_after_ms = 1000},
    };
    pthread_t writer_threads[WRITERS];
    pthread_t reader_threads[ARRAY_LEN(readers)];
    const int64_t started_us = monotonic_us();

    (void)state;
    atomic_store(&storm.writing, true);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        pthread_create(&reader_threads[i], NULL, read_until_quiet, &readers[i]);
    }
    usleep(200000); /* the first reader has started */
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.storm = &storm, .seed = (unsigned)i + 1};
        pthread_create(&writer_threads[i], NULL, write_until_enough, &writers[i]);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writer_threads[i], NULL);
    }
    atomic_store(&storm.writing, false);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        pthread_join(reader_threads[i], NULL);
    }
    print_message(
        "%" PRIu64 " entries committed in %.1f s, read in %" PRIu64 " pages\n",
        atomic_load(&storm.committed),
        (double)(monotonic_us() - started_us) / 1e6,
        readers[0].reads);
    assert_int_equal(atomic_load(&storm.failures), 0);
    assert_true(atomic_load(&storm.committed) >= ROWS_MIN);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        if (readers[i].failure != NULL) {
            fail_msg("reader %zu: %s", i, readers[i].failure);
        }
        check_reader(&readers[i], i == 0);
    }
    assert_true(readers[0].seen == atomic_load(&storm.committed));
    assert_true(readers[1].seen > 0);
    db_free(storm.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(entries_are_numbered_and_read_back, log_empty),
        cmocka_unit_test_setup(entries_of_several_organisations_are_numbered_apart, log_empty),
        cmocka_unit_test_setup(events_of_a_transaction_are_appended_by_its_commit, log_empty),
        cmocka_unit_test_setup(a_transaction_has_a_limit_of_events, log_empty),
        cmocka_unit_test_setup(an_open_transaction_delays_only_its_own_entries, log_empty),
        cmocka_unit_test_setup(a_pass_goes_on_over_many_pages, log_empty),
        cmocka_unit_test_setup(every_committed_entry_is_seen_exactly_once_and_in_order, log_empty),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, log_create, test_schema_drop);
}
