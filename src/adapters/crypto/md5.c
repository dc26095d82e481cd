/* MD5 of an open file: not for safety, but because it is what S3 names content by. */
#include "adapters/crypto/md5.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <unistd.h>

#include "adapters/os/file.h"

static bool add_content(int fd, const char *path, EVP_MD_CTX *md5, struct err *err)
{
    off_t at = 0;
    for (;;) {
        uint8_t chunk[16384];
        ssize_t got = pread(fd, chunk, sizeof chunk, at);
        if (got < 0 && errno != EINTR) {
            return file_err(err, errno, "read", path);
        }
        if (got == 0) {
            return true;
        }
        if (got > 0) {
            CHECK(EVP_DigestUpdate(md5, chunk, (size_t)got) == 1);
            at += got;
        }
    }
}

bool md5_of_file(int fd, const char *path, char ret_text[MD5_TEXT], struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    EVP_MD_CTX *md5 = EVP_MD_CTX_new();
    CHECK(md5 != NULL && EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1);
    bool ok = add_content(fd, path, md5, err);
    if (ok) {
        uint8_t digest[16];
        CHECK(EVP_DigestFinal_ex(md5, digest, NULL) == 1);
        for (unsigned i = 0; i < sizeof digest; i++) {
            ret_text[2 * i] = digits[digest[i] >> 4];
            ret_text[2 * i + 1] = digits[digest[i] & 15];
        }
        ret_text[MD5_TEXT - 1] = '\0';
    }
    EVP_MD_CTX_free(md5);
    return ok;
}
