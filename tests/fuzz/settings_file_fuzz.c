/* Settings files: any bytes are either right or have mistakes, and no mistake shows a secret. */
#include <stdlib.h>
#include <string.h>

#include "consumer/settings/settings_file.h"
#include "core/fingerprint.h"

static const char secret[] = "s3cr3t-of-the-environment";

static bool has(const uint8_t *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets a text that stands where a syntax error is. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* no other files, and no libraries, are to be opened by whatever the fuzzer finds */
    if (size > 16384 || has(data, size, "@include") || has(data, size, "file:") ||
        has(data, size, "plugin") || has(data, size, secret)) {
        return 0;
    }
    setenv("S", secret, 1);
    AUTO(settings_mistakes) struct settings_mistakes mistakes;
    settings_mistakes_init(&mistakes);
    AUTO(settings) struct settings *settings = NULL;
    struct err err = {0};
    bool good = settings_parse(bytes_of(data, size), "fuzz.cfg", NULL, &settings, &mistakes, &err);
    CHECK(good == (mistakes.count == 0) && good == (settings != NULL));
    for (size_t i = 0; i < mistakes.count; i++) {
        AUTO(buf) struct buf line;
        buf_init(&line, 1 << 16);
        settings_mistake_print(&mistakes.items[i], &line);
        CHECK(!line.overflowed && bytes_are_utf8(buf_bytes(&line)));
        CHECK(strstr(buf_text(&line), secret) == NULL);
        CHECK(strchr(buf_text(&line), '\n') == NULL);
    }
    CHECK(strstr(err.message, secret) == NULL);
    if (good) {
        char fingerprint[FINGERPRINT_TEXT_SIZE];
        fingerprint_settings(settings, fingerprint);
        CHECK(settings->group != NULL && settings->topic_count > 0);
        CHECK(settings->snapshot.store != NULL && settings->member_id != NULL);
    }
    return 0;
}
