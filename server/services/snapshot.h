#pragma once

/* Answers of operations as they are stored with their intents: the members of a struct of the
 * domain as one JSON object, described by a table. */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "base/str.h"

struct ctx;

enum snapshot_type {
    SNAPSHOT_TEXT,
    SNAPSHOT_NUMBER, /* int64_t */
    SNAPSHOT_FLAG,   /* bool */
    SNAPSHOT_WORD,   /* an enumeration, by its number, which is that of the API */
    SNAPSHOT_ID,
};

struct snapshot_member {
    const char *name;
    size_t offset;
    enum snapshot_type type;
    enum id_kind kind; /* of an ID */
};

#define SNAPSHOT_MEMBER(type_of_struct, member, type_of_member)                               \
    {                                                                                         \
        .name = #member, .offset = offsetof(type_of_struct, member), .type = (type_of_member) \
    }
#define SNAPSHOT_MEMBER_ID(type_of_struct, member, id_kind_of_member)                     \
    {                                                                                     \
        .name = #member, .offset = offsetof(type_of_struct, member), .type = SNAPSHOT_ID, \
        .kind = (id_kind_of_member)                                                       \
    }

struct str snapshot_write(
    struct ctx *cx, const struct snapshot_member *members, size_t count, const void *object);

/* Only the members are set. */
struct status snapshot_read(
    struct ctx *cx,
    struct str text,
    const struct snapshot_member *members,
    size_t count,
    void *ret_object) MUST_CHECK;
