/* Does the digest agree with the published test values (FIPS 180-4 examples)? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "adapters/crypto/digest.h"

static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char EMPTY[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Test(digest, of_bytes)
{
    char text[DIGEST_SHA256_TEXT];
    digest_sha256(bytes_of_text("abc"), text);
    cr_assert_str_eq(text, ABC);
    digest_sha256(bytes_of(NULL, 0), text);
    cr_assert_str_eq(text, EMPTY);
}

Test(digest, of_a_file)
{
    char path[] = "/tmp/digest-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_eq(write(fd, "abc", 3), 3);
    close(fd);
    char text[DIGEST_SHA256_TEXT];
    struct err err;
    cr_assert(digest_sha256_file(path, text, &err));
    cr_assert_str_eq(text, ABC);
    unlink(path);
    cr_assert_not(digest_sha256_file(path, text, &err));
    cr_assert_eq(err.kind, ERR_MISSING);
}
