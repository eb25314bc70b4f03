#include "base/digest.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fixture.h"

static void assert_hex(const uint8_t digest[SHA256_SIZE], const char *expected)
{
    char text[2 * SHA256_SIZE + 1];

    hex_format(digest, SHA256_SIZE, text);
    assert_string_equal(text, expected);
}

/* FIPS 180-2, appendix B, and the empty message. */
static void sha256_agrees_with_its_standard(void **state)
{
    static const struct {
        struct str message;
        const char *digest;
    } cases[] = {
        {STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t digest[SHA256_SIZE];

        sha256(cases[i].message.ptr, cases[i].message.len, digest);
        assert_hex(digest, cases[i].digest);
    }
}

static void pieces_hash_like_the_whole(void **state)
{
    const struct str pieces[] = {STR("a"), STR(""), STR("bc"), {NULL, 0}};
    uint8_t whole[SHA256_SIZE];
    uint8_t digest[SHA256_SIZE];

    (void)state;
    sha256("abc", 3, whole);
    sha256_pieces(pieces, ARRAY_LEN(pieces), digest);
    assert_memory_equal(digest, whole, SHA256_SIZE);
}

static const char repeated_aa[131] = {[0 ... 130] = '\xaa'};
static const char repeated_0b[20] = {[0 ... 19] = '\x0b'};
static const char repeated_dd[50] = {[0 ... 49] = '\xdd'};
static const char repeated_cd[50] = {[0 ... 49] = '\xcd'};

/* RFC 4231, section 4: all test cases with their SHA-256 results (of case 5 the first 128 bits). */
static const struct hmac_case {
    struct str key;
    struct str data;
    const char *digest;
} hmac_cases[] = {
    {{repeated_0b, 20},
     STR("Hi There"),
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {STR("Jefe"),
     STR("what do ya want for nothing?"),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {{repeated_aa, 20},
     {repeated_dd, 50},
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {STR("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15"
         "\x16\x17\x18\x19"),
     {repeated_cd, 50},
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {STR("\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c"),
     STR("Test With Truncation"),
     "a3b6167473100ee06e0c796c2955552b"},
    {{repeated_aa, 131},
     STR("Test Using Larger Than Block-Size Key - Hash Key First"),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {{repeated_aa, 131},
     STR("This is a test using a larger than block-size key and a larger than block-size data. The "
         "key needs to be hashed before being used by the HMAC algorithm."),
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static bool hmac_case_holds(const struct hmac_case *of)
{
    const struct str pieces[] = {{of->data.ptr, 5}, {of->data.ptr + 5, of->data.len - 5}};
    uint8_t digest[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];

    hmac_sha256(of->key, pieces, ARRAY_LEN(pieces), digest);
    hex_format(digest, SHA256_SIZE, text);
    return strncmp(text, of->digest, strlen(of->digest)) == 0;
}

static void hmac_agrees_with_rfc_4231(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hmac_cases); i++) {
        assert_true(hmac_case_holds(&hmac_cases[i]));
    }
}

static void hmac_takes_an_empty_key_and_no_data(void **state)
{
    uint8_t digest[SHA256_SIZE];

    (void)state;
    hmac_sha256((struct str){NULL, 0}, NULL, 0, digest);
    assert_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void *hash_much(void *data)
{
    _Atomic int *failures = data;

    for (size_t i = 0; i < 500; i++) {
        if (!hmac_case_holds(&hmac_cases[i % ARRAY_LEN(hmac_cases)])) {
            (*failures)++;
        }
    }
    return NULL;
}

static void threads_hash_beside_each_other(void **state)
{
    _Atomic int failures = 0;
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i], NULL, hash_much, &failures);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(failures, 0);
}

static void bytes_compare_by_content(void **state)
{
    (void)state;
    assert_true(bytes_equal("abc", "abc", 3));
    assert_false(bytes_equal("abc", "abd", 3));
    assert_false(bytes_equal("xbc", "abc", 3));
    assert_true(bytes_equal("a", "b", 0));
}

/* RFC 4648, section 10, in the alphabet of its section 5. */
static void base64url_reads_back_what_it_writes(void **state)
{
    static const struct {
        struct str bytes;
        const char *text;
    } cases[] = {
        {STR(""), ""},
        {STR("f"), "Zg"},
        {STR("fo"), "Zm8"},
        {STR("foo"), "Zm9v"},
        {STR("foob"), "Zm9vYg"},
        {STR("fooba"), "Zm9vYmE"},
        {STR("foobar"), "Zm9vYmFy"},
        {STR("\xfb\xff\xfe\0"), "-__-AA"},
    };
    const struct ctx *cx = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str bytes = cases[i].bytes;
        const uint8_t *parsed = NULL;
        size_t len = 99;

        assert_string_equal(base64url_text(cx->arena, bytes.ptr, bytes.len), cases[i].text);
        assert_true(base64url_parse(cx->arena, str_of(cases[i].text), &parsed, &len));
        assert_int_equal(len, bytes.len);
        assert_memory_equal(parsed, bytes.ptr, len);
    }
}

static void base64url_accepts_one_text_for_each_value(void **state)
{
    static const struct str cases[] = {
        STR("Z"),
        STR("Zh"),
        STR("Zm9"),
        STR("Zg=="),
        STR("Zm+v"),
        STR("Zm/v"),
        STR("Zm 9"),
        STR("Zm9v\0"),
        STR("Zm9vZ"),
        STR("\xc3\xa9zz"),
    };
    const struct ctx *cx = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const uint8_t *parsed = NULL;
        size_t len = 99;

        assert_false(base64url_parse(cx->arena, cases[i], &parsed, &len));
        assert_null(parsed);
        assert_int_equal(len, 99);
    }
}

static void without_memory_base64url_fails(void **state)
{
    struct ctx *cx = *state;
    const uint8_t *parsed = NULL;
    size_t len = 0;

    heap_fail_after(0);
    assert_string_equal(base64url_text(cx->arena, "foo", 3), "");
    assert_false(base64url_parse(cx->arena, STR("Zm9v"), &parsed, &len));
    heap_fail_after(-1);
    assert_true(arena_failed(cx->arena));
}

static void crc32_is_that_of_zlib(void **state)
{
    (void)state;
    assert_int_equal(crc32_of("", 0), 0);
    assert_int_equal(crc32_of("123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_of("The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_agrees_with_its_standard),
        cmocka_unit_test(pieces_hash_like_the_whole),
        cmocka_unit_test(hmac_agrees_with_rfc_4231),
        cmocka_unit_test(hmac_takes_an_empty_key_and_no_data),
        cmocka_unit_test(threads_hash_beside_each_other),
        cmocka_unit_test(bytes_compare_by_content),
        FIXTURE_TEST(base64url_reads_back_what_it_writes),
        FIXTURE_TEST(base64url_accepts_one_text_for_each_value),
        FIXTURE_TEST(without_memory_base64url_fails),
        cmocka_unit_test(crc32_is_that_of_zlib),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
