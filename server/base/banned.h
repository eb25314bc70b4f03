#pragma once

/* Functions that must not be called. Force-included; each line names what to use instead. */

#ifndef __cplusplus

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* NOLINTBEGIN(readability-identifier-naming): the names are those of libc. */
#define BANNED(function) banned_call_to_##function

/* base/buf.h, base/str.h */
#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)

/* base/wallclock.h, domain/period.h */
#undef gmtime
#define gmtime(...) BANNED(gmtime)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef ctime
#define ctime(...) BANNED(ctime)

/* getrandom() through base/id.h; a seeded generator in tests */
#undef rand
#define rand(...) BANNED(rand)

/* heap_new(), heap_free() in base/heap.h. A member called free is called as (x->free)(...). */
#undef malloc
#define malloc(...) BANNED(malloc)
#undef calloc
#define calloc(...) BANNED(calloc)
#undef realloc
#define realloc(...) BANNED(realloc)
#undef free
#define free(...) BANNED(free)
/* NOLINTEND(readability-identifier-naming) */

#endif
