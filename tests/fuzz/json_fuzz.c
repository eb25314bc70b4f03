#include "http/json.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

/* NOLINTBEGIN(readability-identifier-naming): the name is that of libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* NOLINTEND(readability-identifier-naming) */

/* Writes every string and integer of the value's members again. */
static void visit(struct ctx *cx, json_value value, struct json_writer *w)
{
    void *cursor = NULL;
    const char *name = NULL;
    json_value member = NULL;

    json_open_array(w, NULL);
    while (json_next(value, &cursor, &name, &member)) {
        json_put_text(w, NULL, name);
        json_put_text(w, NULL, json_text(cx, value, name));
        json_put_i64(w, NULL, json_i64(value, name));
        json_put_bool(w, NULL, json_bool(value, name));
    }
    for (size_t i = 0; i < json_len(value); i++) {
        json_put_raw(w, NULL, json_print(cx, json_item(value, i)));
    }
    json_close_array(w);
}

/* What is read prints as text that reads as the same, and the writer's text is readable. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct ctx cx;
    struct json *json = NULL;
    struct json_writer w;
    AUTO_BUF buf = {0};

    arena_init(&arena, NULL, 0, (size_t)16 * 1024 * 1024);
    ctx_init(&cx, &arena, "fuzz");
    if (json_parse(&cx, data, size, &json).code == CODE_OK) {
        const char *printed = json_print(&cx, json_root(json));
        struct json *again = NULL;
        struct json *written = NULL;
        struct status status = json_parse(&cx, printed, strlen(printed), &again);

        assert(status.code == CODE_OK);
        assert(strcmp(json_print(&cx, json_root(again)), printed) == 0);
        json_free(again);
        buf_init(&buf, (size_t)16 * 1024 * 1024);
        json_begin(&w, &buf);
        visit(&cx, json_root(json), &w);
        if (!buf_failed(&buf) && !arena_failed(&arena)) {
            status = json_parse(&cx, buf_cstr(&buf), buf.len, &written);
            assert(status.code == CODE_OK || json_len(json_root(json)) > 0);
            json_free(written);
        }
        json_free(json);
    }
    arena_release(&arena);
    return 0;
}
