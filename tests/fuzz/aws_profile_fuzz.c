/* The shared AWS files, and the JSON of the metadata services: the first byte chooses which. */
#include <stdint.h>
#include <string.h>

#include "adapters/s3/credentials_remote.h"
#include "adapters/s3/profile.h"
#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_profile(struct bytes text, enum profile_file file, const char *name)
{
    struct profile profile = {0};
    struct err err = {0};
    if (profile_parse(text, file, name, &profile, &err)) {
        CHECK(memchr(profile.region, '\0', sizeof profile.region) != NULL);
        bool any = profile.access_key[0] != '\0' || profile.region[0] != '\0' ||
                   secret_is_set(&profile.secret_key);
        CHECK(profile.found || !any);
    } else {
        CHECK(err.kind == ERR_SETTINGS && strncmp(err.message, "line ", 5) == 0);
    }
    profile_done(&profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct bytes text = bytes_of(data + 1, size - 1);
    if (data[0] == 'j') {
        struct credentials_keys keys;
        struct err err = {0};
        if (credentials_remote_parse_json(text, &keys, &err)) {
            CHECK(keys.keys.access_key[0] != '\0' && secret_is_set(&keys.keys.secret_key));
            sign_keys_done(&keys.keys);
        } else {
            CHECK(err.kind == ERR_TRANSIENT);
        }
        return 0;
    }
    read_profile(text, data[0] == 'c' ? PROFILE_CONFIG : PROFILE_CREDENTIALS, "default");
    read_profile(text, data[0] == 'c' ? PROFILE_CONFIG : PROFILE_CREDENTIALS, "work");
    return 0;
}
