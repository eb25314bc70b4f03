#include "stripe/stripe_event.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "stripe/stripe_signature.h"

/* NOLINTBEGIN(readability-identifier-naming): the name is that of libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* NOLINTEND(readability-identifier-naming) */

static const char *const secrets[] = {"whsec_1", NULL};
static const struct stripe_signature_rule rule = {
    .secrets = secrets, .past_seconds_max = 300, .future_seconds_max = -1};

/* A webhook as anybody can send it: the first line is the header, the rest the body. Nobody here
 * knows the secret, and a body that is an event has an id and a type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = memchr(data, '\n', size);
    const size_t header_len = line == NULL ? 0 : (size_t)(line - data);
    struct arena arena;
    struct ctx cx;
    struct payment_event event;
    const char *header = NULL;

    arena_init(&arena, NULL, 0, (size_t)16 * 1024 * 1024);
    ctx_init(&cx, &arena, "fuzz");
    header = arena_text_n(&arena, (const char *)data, header_len);
    assert(
        stripe_signature_verify(&rule, header, data, size, INT64_C(1700000000000000)) !=
        STRIPE_SIGNATURE_VALID);
    if (stripe_event_parse(&cx, data + header_len, size - header_len, &event).code == CODE_OK) {
        assert(event.id[0] != '\0' && event.type[0] != '\0' && event.object_id != NULL);
    }
    arena_release(&arena);
    return 0;
}
