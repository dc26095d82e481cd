/* The shared AWS files, found and read. */
#include "adapters/s3/credentials_files.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/os/file.h"

enum { FILE_BYTES_MAX = 1024 * 1024 };

static bool path_of(const char *variable, const char *name, char path[PATH_MAX])
{
    const char *given = getenv(variable);
    if (given != NULL && given[0] != '\0') {
        return snprintf(path, PATH_MAX, "%s", given) < PATH_MAX;
    }
    const char *home = getenv("HOME");
    return home != NULL && snprintf(path, PATH_MAX, "%s/.aws/%s", home, name) < PATH_MAX;
}

static bool read_one(const char *path, enum profile_file kind, const char *name,
                     struct profile *profile, struct err *err)
{
    AUTO(buf) struct buf text;
    buf_init(&text, FILE_BYTES_MAX);
    if (!file_read(path, &text, err)) {
        if (err->kind == ERR_MISSING) {
            return true;
        }
        err->kind = ERR_SETTINGS;
        return false;
    }
    bool ok = profile_parse(buf_bytes(&text), kind, name, profile, err);
    OPENSSL_cleanse(text.data, text.size);
    return ok || err_wrap(err, "%.300s", path);
}

bool credentials_files_read(const char *name, struct profile *ret_profile, struct err *err)
{
    const char *asked = name != NULL && name[0] != '\0' ? name : getenv("AWS_PROFILE");
    bool by_name = asked != NULL && asked[0] != '\0';
    const char *wanted = by_name ? asked : "default";
    struct profile profile = {0};
    char path[PATH_MAX];
    bool ok = true;
    if (path_of("AWS_CONFIG_FILE", "config", path)) {
        ok = read_one(path, PROFILE_CONFIG, wanted, &profile, err);
    }
    if (ok && path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials", path)) {
        ok = read_one(path, PROFILE_CREDENTIALS, wanted, &profile, err);
    }
    if (ok && by_name && !profile.found) {
        ok =
            err_set(err, ERR_SETTINGS,
                    "the profile \"%.100s\" is neither in the shared configuration file nor in the "
                    "credentials file",
                    wanted);
    }
    if (!ok) {
        profile_done(&profile);
        return false;
    }
    *ret_profile = profile;
    return true;
}
