/* Digests of bytes, by OpenSSL's libcrypto. */
#include "adapters/crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "adapters/os/file.h"

static void finish(EVP_MD_CTX *context, char ret_text[DIGEST_SHA256_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(EVP_DigestFinal_ex(context, digest, &size) == 1 && size == 32);
    for (unsigned i = 0; i < size; i++) {
        ret_text[2 * i] = digits[digest[i] >> 4];
        ret_text[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_text[2 * size] = '\0';
    EVP_MD_CTX_free(context);
}

static EVP_MD_CTX *start(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    return context;
}

void digest_sha256(struct bytes bytes, char ret_text[DIGEST_SHA256_TEXT])
{
    EVP_MD_CTX *context = start();
    CHECK(EVP_DigestUpdate(context, bytes.data, bytes.size) == 1);
    finish(context, ret_text);
}

bool digest_sha256_file(const char *path, char ret_text[DIGEST_SHA256_TEXT], struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_err(err, errno, "open", path);
    }
    EVP_MD_CTX *context = start();
    uint8_t block[64 * 1024];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0) {
        CHECK(EVP_DigestUpdate(context, block, (size_t)got) == 1);
    }
    int number = errno;
    close(fd);
    finish(context, ret_text);
    return got == 0 ? true : file_err(err, number, "read", path);
}
