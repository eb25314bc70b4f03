#include "domain/secret.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/digest.h"

#define BODY_LETTERS 43 /* 62^43 is just above 2^256 */
#define CHECK_LETTERS 6 /* 62^6 is above 2^32 */
#define SHOWN_LETTERS 4

static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct str prefixes[SECRET_FORM_COUNT] = {
#define X(name, prefix) [SECRET_##name] = {prefix, sizeof(prefix) - 1},
    SECRET_FORMS(X)
#undef X
};

/* Long division of a 256-bit number by 62, most significant byte first. */
static void put_body(const uint8_t random[SECRET_RANDOM_BYTES], char ret_letters[BODY_LETTERS])
{
    uint8_t number[SECRET_RANDOM_BYTES];

    memcpy(number, random, sizeof number);
    for (size_t i = BODY_LETTERS; i > 0; i--) {
        uint32_t rest = 0;

        for (size_t j = 0; j < sizeof number; j++) {
            rest = rest << 8 | number[j];
            number[j] = (uint8_t)(rest / 62);
            rest %= 62;
        }
        ret_letters[i - 1] = letters[rest];
    }
}

static void put_check(struct str text, char ret_letters[CHECK_LETTERS])
{
    uint32_t crc = crc32_of(text.ptr, text.len);

    for (size_t i = CHECK_LETTERS; i > 0; i--) {
        ret_letters[i - 1] = letters[crc % 62];
        crc /= 62;
    }
}

void secret_format(
    enum secret_form form,
    const uint8_t random[SECRET_RANDOM_BYTES],
    char ret_text[SECRET_TEXT_SIZE])
{
    const struct str prefix = prefixes[form];
    const size_t checked_len = prefix.len + BODY_LETTERS;

    memcpy(ret_text, prefix.ptr, prefix.len);
    put_body(random, ret_text + prefix.len);
    put_check((struct str){ret_text, checked_len}, ret_text + checked_len);
    ret_text[checked_len + CHECK_LETTERS] = '\0';
}

bool secret_form_of(struct str text, enum secret_form *ret_form)
{
    for (size_t form = 0; form < SECRET_FORM_COUNT; form++) {
        if (text.len == prefixes[form].len + BODY_LETTERS + CHECK_LETTERS &&
            str_starts(text, prefixes[form])) {
            *ret_form = (enum secret_form)form;
            return true;
        }
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool secret_parse(struct str text, enum secret_form *ret_form)
{
    char check[CHECK_LETTERS];
    enum secret_form form = SECRET_FORM_COUNT;

    if (!secret_form_of(text, &form)) {
        return false;
    }
    for (size_t i = prefixes[form].len; i < text.len; i++) {
        if (!is_letter(text.ptr[i])) {
            return false;
        }
    }
    put_check((struct str){text.ptr, text.len - CHECK_LETTERS}, check);
    if (memcmp(check, text.ptr + text.len - CHECK_LETTERS, CHECK_LETTERS) != 0) {
        return false;
    }
    *ret_form = form;
    return true;
}

void secret_hint(const char *text, char ret_start[SECRET_TEXT_SIZE], char ret_end[SECRET_HINT_SIZE])
{
    enum secret_form form = SECRET_FORM_COUNT;
    const size_t len = strlen(text);
    size_t start_len = 0;

    ret_start[0] = '\0';
    ret_end[0] = '\0';
    if (!secret_form_of((struct str){text, len}, &form)) {
        return;
    }
    start_len = prefixes[form].len + SHOWN_LETTERS;
    memcpy(ret_start, text, start_len);
    ret_start[start_len] = '\0';
    memcpy(ret_end, text + len - SHOWN_LETTERS, SHOWN_LETTERS + 1);
}

bool secret_from_bearer(const char *authorization, struct str *ret_secret)
{
    static const char word[] = "Bearer ";

    if (strncasecmp(authorization, word, sizeof word - 1) != 0) {
        return false;
    }
    *ret_secret = str_of(authorization + sizeof word - 1);
    return ret_secret->len > 0;
}
