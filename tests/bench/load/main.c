/* bos-load: see --help. Options, bodies, run, report. */

#include <stdlib.h>

#include "body_set.h"
#include "fail.h"
#include "options.h"
#include "report.h"
#include "runner.h"

static struct body_set *bodies_of(const struct options *options)
{
    if (options->body_file != NULL) {
        return body_set_new_single(options->body_file);
    }
    if (options->bodies_file != NULL) {
        return body_set_new_delimited(options->bodies_file);
    }
    return body_set_new_empty();
}

int main(int argc, char **argv)
{
    struct options options;
    struct tally *tally = fail_or_calloc(1, sizeof *tally);
    struct body_set *bodies = NULL;
    int exit_code = 0;

    options_parse(&options, argc, argv);
    bodies = bodies_of(&options);
    runner_run(&options, bodies, tally);
    report_print(&options, tally);
    exit_code = report_all_ok(tally) ? 0 : EXIT_CALLS_FAILED;
    body_set_free(bodies);
    free(options.host);
    free(tally);
    return exit_code;
}
