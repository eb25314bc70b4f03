#include "stripe/stripe_signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/str.h"
#include "base/wallclock.h"

/* The vector that the official client produces. */
#define SECRET "whsec_test_secret"
#define BODY "{\"id\":\"evt_test\",\"object\":\"event\"}"
#define TIME_S INT64_C(1700000000)
#define GOOD "8042376f6ca064adbe037642a718227dfd59047137eb49497a54c49eb0cfb724"
#define WRONG "0042376f6ca064adbe037642a718227dfd59047137eb49497a54c49eb0cfb724"
#define UPPER "8042376F6CA064ADBE037642A718227DFD59047137EB49497A54C49EB0CFB724"

static const char *const one_secret[] = {SECRET, NULL};
static const struct stripe_signature_rule rule = {
    .secrets = one_secret, .past_seconds_max = 300, .future_seconds_max = 300};

static enum stripe_signature verify_at(const char *header, int64_t now_s)
{
    return stripe_signature_verify(&rule, header, BODY, sizeof BODY - 1, now_s * US_PER_SECOND);
}

static void the_table_of_the_official_client(void **state)
{
    static const struct {
        const char *header;
        int64_t age_s;
        enum stripe_signature result;
    } cases[] = {
        {"t=1700000000,v1=" GOOD, 0, STRIPE_SIGNATURE_VALID},
        {"t=1700000000,v1=" WRONG ",v1=" GOOD, 0, STRIPE_SIGNATURE_VALID},
        {"t=1700000000,v1=" GOOD ",v0=deadbeef", 0, STRIPE_SIGNATURE_VALID},
        {"v0=deadbeef,v1=" GOOD ",t=1700000000", 0, STRIPE_SIGNATURE_VALID},
        {"t=1700000000,v1=" GOOD, 300, STRIPE_SIGNATURE_VALID},
        {"t=1700000000,v1=" GOOD, 301, STRIPE_SIGNATURE_TOO_OLD},
        {"t=1700000000,v1=" GOOD, -300, STRIPE_SIGNATURE_VALID},
        {"t=1700000000,v1=" GOOD, -301, STRIPE_SIGNATURE_TOO_NEW}, /* ours is stricter */
        {"t=1700000000,v1=" WRONG, 0, STRIPE_SIGNATURE_WRONG},
        {"t=1700000000,v1=" WRONG, 301, STRIPE_SIGNATURE_WRONG},
        {"t=1700000001,v1=" GOOD, 0, STRIPE_SIGNATURE_WRONG},
        {"t=1700000000,v0=" GOOD, 0, STRIPE_SIGNATURE_MISSING},
        {"t=1700000000, v1=" GOOD, 0, STRIPE_SIGNATURE_MISSING},
        {"t=1700000000,v1=" UPPER, 0, STRIPE_SIGNATURE_WRONG},
        {"t=1700000000,v1=", 0, STRIPE_SIGNATURE_WRONG},
        {"t=1700000000,v1=" GOOD "0", 0, STRIPE_SIGNATURE_WRONG},
        {"t=1700000000", 0, STRIPE_SIGNATURE_MISSING},
        {"t=1700000000,", 0, STRIPE_SIGNATURE_MISSING},
        {"v1=" GOOD, 0, STRIPE_SIGNATURE_MALFORMED},
        {"t=,v1=" GOOD, 0, STRIPE_SIGNATURE_MALFORMED},
        {"t=x,v1=" GOOD, 0, STRIPE_SIGNATURE_MALFORMED},
        {"t=-1700000000,v1=" GOOD, 0, STRIPE_SIGNATURE_MALFORMED},
        {"t=1700000000x,v1=" GOOD, 0, STRIPE_SIGNATURE_MALFORMED},
        {"t=99999999999999999999,v1=" GOOD, 0, STRIPE_SIGNATURE_MALFORMED},
        {"t=9223372036854775807,v1=" GOOD, 0, STRIPE_SIGNATURE_WRONG},
        {"", 0, STRIPE_SIGNATURE_MALFORMED},
        {",,,", 0, STRIPE_SIGNATURE_MALFORMED},
        {NULL, 0, STRIPE_SIGNATURE_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (verify_at(cases[i].header, TIME_S + cases[i].age_s) != cases[i].result) {
            fail_msg("case %zu: %s", i, cases[i].header);
        }
    }
}

static void another_body_is_not_signed(void **state)
{
    (void)state;
    assert_int_equal(
        stripe_signature_verify(
            &rule, "t=1700000000,v1=" GOOD, BODY " ", sizeof BODY, TIME_S * US_PER_SECOND),
        STRIPE_SIGNATURE_WRONG);
    assert_int_equal(
        stripe_signature_verify(&rule, "t=1700000000,v1=" GOOD, "", 0, TIME_S * US_PER_SECOND),
        STRIPE_SIGNATURE_WRONG);
}

static void each_secret_is_tried(void **state)
{
    static const char *const secrets[] = {"whsec_old", SECRET, "whsec_new", NULL};
    struct stripe_signature_rule rolling = rule;

    (void)state;
    rolling.secrets = secrets;
    assert_int_equal(
        stripe_signature_verify(
            &rolling,
            "t=1700000000,v1=" WRONG ",v1=" GOOD,
            BODY,
            sizeof BODY - 1,
            TIME_S * US_PER_SECOND),
        STRIPE_SIGNATURE_VALID);
}

/* HMAC with an empty key: anybody can make that. */
static void a_blank_secret_fits_nothing(void **state)
{
    static const char *const blanks[] = {"", " \t", NULL};
    static const char *const mixed[] = {"", "whsec_other", NULL};
    static const char *const none[] = {NULL};
    struct stripe_signature_rule blank = rule;
    uint8_t digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    char header[120];

    (void)state;
    hmac_sha256(STR(""), (const struct str[]){STR("1700000000." BODY)}, 1, digest);
    hex_format(digest, sizeof digest, hex);
    snprintf(header, sizeof header, "t=1700000000,v1=%s", hex);
    blank.secrets = blanks;
    assert_int_equal(
        stripe_signature_verify(&blank, header, BODY, sizeof BODY - 1, TIME_S * US_PER_SECOND),
        STRIPE_SIGNATURE_NO_SECRET);
    blank.secrets = none;
    assert_int_equal(
        stripe_signature_verify(&blank, header, BODY, sizeof BODY - 1, TIME_S * US_PER_SECOND),
        STRIPE_SIGNATURE_NO_SECRET);
    blank.secrets = mixed;
    assert_int_equal(
        stripe_signature_verify(&blank, header, BODY, sizeof BODY - 1, TIME_S * US_PER_SECOND),
        STRIPE_SIGNATURE_WRONG);
}

static void the_future_can_be_allowed(void **state)
{
    struct stripe_signature_rule lenient = rule;

    (void)state;
    lenient.future_seconds_max = -1;
    assert_int_equal(
        stripe_signature_verify(
            &lenient,
            "t=1700000000,v1=" GOOD,
            BODY,
            sizeof BODY - 1,
            (TIME_S - 3600) * US_PER_SECOND),
        STRIPE_SIGNATURE_VALID);
}

static void headers_are_bounded(void **state)
{
    char header[5000];

    (void)state;
    memset(header, ',', sizeof header - 1);
    header[sizeof header - 1] = '\0';
    memcpy(header, "t=1700000000,v1=" GOOD, sizeof "t=1700000000,v1=" GOOD - 1);
    assert_int_equal(verify_at(header, TIME_S), STRIPE_SIGNATURE_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_the_official_client),
        cmocka_unit_test(another_body_is_not_signed),
        cmocka_unit_test(each_secret_is_tried),
        cmocka_unit_test(a_blank_secret_fits_nothing),
        cmocka_unit_test(the_future_can_be_allowed),
        cmocka_unit_test(headers_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
