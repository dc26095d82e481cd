/* The tag of a file's content. */
#include "adapters/file/file_tag.h"

#include <inttypes.h>
#include <stdio.h>

#include "adapters/crypto/md5.h"

bool file_tag(int fd, const char *path, const struct stat *info, struct store_etag *ret_etag,
              struct err *err)
{
    if (info->st_size > FILE_TAG_MD5_MAX_BYTES) {
        snprintf(ret_etag->text, sizeof ret_etag->text,
                 "\"%" PRIxMAX "-%" PRIxMAX "%09lx-%" PRIxMAX "\"", (uintmax_t)info->st_ino,
                 (uintmax_t)info->st_mtim.tv_sec, (unsigned long)info->st_mtim.tv_nsec,
                 (uintmax_t)info->st_size);
        return true;
    }
    char md5[MD5_TEXT];
    TRY(md5_of_file(fd, path, md5, err));
    snprintf(ret_etag->text, sizeof ret_etag->text, "\"%s\"", md5);
    return true;
}
