#pragma once

/* The settings: defaults, then a YAML file, then the environment. An unknown key, a value of the
 * wrong kind or out of range is an error that names file, line, key and what is allowed. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ctx.h"
#include "base/status.h"

struct settings {
#define SETTING_TEXT(field) const char *field;
#define SETTING_SECRET(field) const char *field;
#define SETTING_FLAG(field) int64_t field;
#define SETTING_NUMBER(field) int64_t field;
#define SETTING(kind, key, field, fallback, min, max) SETTING_##kind(field)
#include "settings.def"
#undef SETTING
};

/* file NULL: defaults and environment only. Texts are in the arena of cx, which must live as long
 * as the settings. Fails with FIELD_INVALID. */
struct status
settings_load(struct ctx *cx, const char *file, struct settings *ret_settings) MUST_CHECK;

/* As YAML, secrets as "(set)" or "(not set)". */
void settings_print(const struct settings *settings, FILE *out);
