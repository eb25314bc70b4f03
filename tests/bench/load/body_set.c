#include "body_set.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

enum {
    PREFIX_BYTES = 5,
    MESSAGE_BYTES_MAX = 4 << 20,
    FILE_BYTES_MAX = 1 << 30,
};

struct body_set {
    struct body *bodies;
    size_t len;
    size_t capacity;
    size_t next;
};

struct file {
    uint8_t *data;
    size_t len;
};

static struct file file_read(const char *path)
{
    FILE *stream = fopen(path, "rb");
    struct file file = {0};
    long len = 0;

    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0 || (len = ftell(stream)) < 0) {
        fail(EXIT_NO_RUN, "cannot read \"%s\": %m", path);
    }
    if (len > FILE_BYTES_MAX) {
        fail(EXIT_NO_RUN, "\"%s\" is larger than %d bytes", path, FILE_BYTES_MAX);
    }
    rewind(stream);
    file.len = (size_t)len;
    file.data = fail_or_calloc(1, file.len + 1);
    if (fread(file.data, 1, file.len, stream) != file.len) {
        fail(EXIT_NO_RUN, "cannot read \"%s\" to its end", path);
    }
    fclose(stream);
    return file;
}

static void body_set_add(struct body_set *set, const uint8_t *message, size_t len)
{
    uint8_t *framed = NULL;

    if (set->len == set->capacity) {
        set->capacity = set->capacity == 0 ? 1 : 2 * set->capacity;
        set->bodies = reallocarray(set->bodies, set->capacity, sizeof *set->bodies);
        if (set->bodies == NULL) {
            fail(EXIT_NO_RUN, "out of memory");
        }
    }
    framed = fail_or_calloc(1, PREFIX_BYTES + len);
    for (size_t i = 1; i < PREFIX_BYTES; i++) {
        framed[i] = (uint8_t)(len >> (8 * (PREFIX_BYTES - 1 - i)));
    }
    if (len > 0) {
        memcpy(framed + PREFIX_BYTES, message, len);
    }
    set->bodies[set->len++] = (struct body){framed, PREFIX_BYTES + len};
}

struct body_set *body_set_new_empty(void)
{
    struct body_set *set = fail_or_calloc(1, sizeof *set);

    body_set_add(set, NULL, 0);
    return set;
}

struct body_set *body_set_new_single(const char *path)
{
    struct body_set *set = fail_or_calloc(1, sizeof *set);
    const struct file file = file_read(path);

    if (file.len > MESSAGE_BYTES_MAX) {
        fail(EXIT_NO_RUN, "\"%s\" is larger than %d bytes", path, MESSAGE_BYTES_MAX);
    }
    body_set_add(set, file.data, file.len);
    free(file.data);
    return set;
}

/* Reads a varint at *offset and moves the offset behind it. */
static bool varint_read(const struct file *file, size_t *offset, size_t *ret_value)
{
    size_t value = 0;

    for (unsigned shift = 0; shift < 35 && *offset < file->len; shift += 7) {
        const uint8_t byte = file->data[(*offset)++];

        value |= (size_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

struct body_set *body_set_new_delimited(const char *path)
{
    struct body_set *set = fail_or_calloc(1, sizeof *set);
    const struct file file = file_read(path);
    size_t offset = 0;

    while (offset < file.len) {
        size_t len = 0;

        if (!varint_read(&file, &offset, &len) || len > file.len - offset ||
            len > MESSAGE_BYTES_MAX) {
            fail(
                EXIT_NO_RUN,
                "\"%s\" is not a sequence of length-delimited messages: message %zu is cut short "
                "or "
                "larger than %d bytes",
                path,
                set->len,
                MESSAGE_BYTES_MAX);
        }
        body_set_add(set, file.data + offset, len);
        offset += len;
    }
    free(file.data);
    if (set->len == 0) {
        fail(EXIT_NO_RUN, "\"%s\" holds no message", path);
    }
    return set;
}

void body_set_free(struct body_set *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->len; i++) {
        free((uint8_t *)set->bodies[i].data);
    }
    free(set->bodies);
    free(set);
}

size_t body_set_len(const struct body_set *set)
{
    return set->len;
}

struct body body_set_next(struct body_set *set)
{
    const struct body body = set->bodies[set->next];

    set->next = set->next + 1 == set->len ? 0 : set->next + 1;
    return body;
}

uint8_t *body_number(struct body body, const char *marker, uint64_t *next_number)
{
    uint8_t *copy = fail_or_calloc(1, body.len);
    const size_t marker_len = strlen(marker);
    uint8_t *at = copy;

    memcpy(copy, body.data, body.len);
    while ((at = memmem(at, (size_t)(copy + body.len - at), marker, marker_len)) != NULL) {
        uint64_t number = (*next_number)++;

        for (size_t i = marker_len; i > 0; i--) {
            at[i - 1] = (uint8_t)('0' + number % 10);
            number /= 10;
        }
        at += marker_len;
    }
    return copy;
}
