#include "base/failpoint.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/deadline.h"

#define FIVE_POINTS "a=crash,b=crash,c=crash,d=crash,e=crash,"

/* The list is read once per process, so each case has a child of its own; it visits the point three
 * times and then exits with 0. Returns how the child ended. */
static int end_of_child(const char *list)
{
    const pid_t child = fork();
    int end = 0;

    if (child == 0) {
        close(STDERR_FILENO);
        setenv("BILLINGOS_FAILPOINTS", list, 1); /* NOLINT(concurrency-mt-unsafe): one thread. */
        for (int i = 0; i < 3; i++) {
            failpoint("stored");
        }
        _exit(0);
    }
    waitpid(child, &end, 0);
    return end;
}

static void a_process_dies_at_the_visit_that_was_named(void **state)
{
    static const struct {
        const char *list;
        bool dies;
    } cases[] = {
        {"", false},
        {"stored=crash", true},
        {"stored=crash@1", true},
        {"stored=crash@3", true},
        {"stored=crash@4", false},
        {"other=crash", false},
        {"store=crash", false},
        {"other=crash,stored=crash@2", true},
        {"stored=sleep:0", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int end = end_of_child(cases[i].list);

        assert_int_equal(WIFSIGNALED(end), cases[i].dies);
        assert_int_equal(
            cases[i].dies ? WTERMSIG(end) : WEXITSTATUS(end), cases[i].dies ? SIGKILL : 0);
    }
}

static void a_process_sleeps_at_each_visit(void **state)
{
    const int64_t start_us = monotonic_us();

    (void)state;
    assert_int_equal(end_of_child("stored=sleep:30"), 0);
    assert_true(monotonic_us() - start_us >= INT64_C(3) * 30 * 1000);
}

static void a_list_that_cannot_be_read_ends_the_process(void **state)
{
    static const char seventeen[] = FIVE_POINTS FIVE_POINTS FIVE_POINTS "f=crash,g=crash";
    static const char *const lists[] = {
        "stored",
        "=crash",
        "stored=",
        "stored=explode",
        "stored=crash@0",
        "stored=crash@x",
        "stored=sleep:",
        "stored=sleep:-1",
        "stored=crash,",
        ",",
        seventeen,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const int end = end_of_child(lists[i]);

        assert_true(WIFEXITED(end));
        assert_int_equal(WEXITSTATUS(end), 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_dies_at_the_visit_that_was_named),
        cmocka_unit_test(a_process_sleeps_at_each_visit),
        cmocka_unit_test(a_list_that_cannot_be_read_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
