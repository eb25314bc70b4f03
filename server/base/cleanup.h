#pragma once

/* The attributes that every module uses: cleanup of guarded locals, and results that must be read.
 */

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_argument) \
    __attribute__((format(printf, format_index, first_argument)))
#define AUTO(release_function) __attribute__((cleanup(release_function)))
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Hands the ownership of a guarded pointer on: the local becomes NULL and its cleanup does nothing.
 */
#define TAKE(pointer)                           \
    __extension__({                             \
        __typeof__(pointer) taken_ = (pointer); \
        (pointer) = NULL;                       \
        taken_;                                 \
    })
