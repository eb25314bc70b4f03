#include "store/row_words.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

static const char *const none[] = {NULL};

const char *const *
row_words(struct ctx *cx, const struct rows *rows, size_t row, int column, size_t *ret_count)
{
    const char *text = row_text(cx, rows, row, column);
    const char **words = NULL;
    size_t count = 1;

    *ret_count = 0;
    if (text[0] == '\0') {
        return none;
    }
    for (const char *c = text; *c != '\0'; c++) {
        count += *c == ' ' ? 1 : 0;
    }
    words = arena_try_alloc(cx->arena, (count + 1) * sizeof *words);
    if (words == NULL) {
        return none;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t len = strcspn(text, " ");

        words[i] = arena_text_n(cx->arena, text, len);
        text += len + 1;
    }
    *ret_count = count;
    return words;
}
