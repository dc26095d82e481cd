/* The tag of a file's content. */
#include "adapters/file/file_tag.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
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

bool file_tag(int fd, const char *path, const struct stat *info, struct store_etag *ret_etag,
              struct err *err)
{
    if (info->st_size > FILE_TAG_MD5_MAX_BYTES) {
        snprintf(ret_etag->text, sizeof ret_etag->text, "\"%" PRIxMAX "-%" PRIxMAX "%09lx-%" PRIxMAX "\"",
                 (uintmax_t)info->st_ino, (uintmax_t)info->st_mtim.tv_sec,
                 (unsigned long)info->st_mtim.tv_nsec, (uintmax_t)info->st_size);
        return true;
    }
    EVP_MD_CTX *md5 = EVP_MD_CTX_new();
    CHECK(md5 != NULL && EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1);
    uint8_t digest[16];
    bool ok = add_content(fd, path, md5, err);
    if (ok) {
        CHECK(EVP_DigestFinal_ex(md5, digest, NULL) == 1);
        AUTO(buf) struct buf hex;
        buf_init(&hex, 64);
        buf_add_hex(&hex, bytes_of(digest, sizeof digest));
        snprintf(ret_etag->text, sizeof ret_etag->text, "\"%s\"", buf_text(&hex));
    }
    EVP_MD_CTX_free(md5);
    return ok;
}
