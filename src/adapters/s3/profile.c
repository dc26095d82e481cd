/* The shared configuration and credentials files of the AWS tools. Pure. */
#include "adapters/s3/profile.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

void profile_done(struct profile *profile)
{
    OPENSSL_cleanse(profile->access_key, sizeof profile->access_key);
    secret_done(&profile->secret_key);
    secret_done(&profile->token);
    *profile = (struct profile){0};
}

static bool is_blank(uint8_t at)
{
    return at == ' ' || at == '\t' || at == '\r';
}

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text = bytes_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

static bool is(struct bytes text, const char *word)
{
    return bytes_equal(text, bytes_of_text(word));
}

/* Cuts the first line off `rest`. */
static struct bytes take_line(struct bytes *rest)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    struct bytes line = bytes_of(rest->data, size);
    size_t used = end == NULL ? size : size + 1;
    *rest = bytes_of(rest->data + used, rest->size - used);
    return line;
}

/* A comment begins a line, or follows a blank. */
static struct bytes without_comment(struct bytes line)
{
    for (size_t i = 0; i < line.size; i++) {
        if ((line.data[i] == '#' || line.data[i] == ';') &&
            (i == 0 || is_blank(line.data[i - 1]))) {
            return bytes_of(line.data, i);
        }
    }
    return line;
}

static bool is_section_of(struct bytes section, enum profile_file file, const char *name)
{
    static const char word[] = "profile";
    size_t length = sizeof word - 1;
    if (file == PROFILE_CONFIG && section.size > length &&
        memcmp(section.data, word, length) == 0 && is_blank(section.data[length])) {
        return is(trim(bytes_of(section.data + length, section.size - length)), name);
    }
    bool bare = file == PROFILE_CREDENTIALS || strcmp(name, "default") == 0;
    return bare && is(section, name);
}

struct field {
    const char *name;
    size_t offset;
    size_t size;
};

#define FIELD(name, member)                                                                        \
    {                                                                                              \
        name, offsetof(struct profile, member), sizeof(((struct profile *)0)->member)              \
    }

static const struct field fields[] = {
    FIELD("aws_access_key_id", access_key),
    FIELD("region", region),
    FIELD("endpoint_url", endpoint_url),
    FIELD("role_arn", role_arn),
    FIELD("role_session_name", role_session_name),
    FIELD("web_identity_token_file", web_identity_token_file),
};

static const char *const unsupported_names[] = {
    "credential_process", "sso_session", "sso_start_url", "source_profile", "credential_source"};

static bool set_text(struct profile *profile, const struct field *field, struct bytes value,
                     enum profile_file file, unsigned line, struct err *err)
{
    char *to = (char *)profile + field->offset;
    if (value.size >= field->size || memchr(value.data, '\0', value.size) != NULL) {
        return err_set(err, ERR_SETTINGS, "line %u: the value of %s is too long", line,
                       field->name);
    }
    bool keep = file == PROFILE_CONFIG && to == profile->access_key && to[0] != '\0';
    if (!keep && value.size > 0) {
        memcpy(to, value.data, value.size);
        to[value.size] = '\0';
    }
    return true;
}

static bool set_value(struct profile *profile, struct bytes name, struct bytes value,
                      enum profile_file file, unsigned line, struct err *err)
{
    for (size_t i = 0; i < LENGTH_OF(fields); i++) {
        if (is(name, fields[i].name)) {
            return set_text(profile, &fields[i], value, file, line, err);
        }
    }
    for (size_t i = 0; i < LENGTH_OF(unsupported_names); i++) {
        if (is(name, unsupported_names[i])) {
            snprintf(profile->unsupported, sizeof profile->unsupported, "%s", unsupported_names[i]);
        }
    }
    bool is_secret = is(name, "aws_secret_access_key");
    if (is_secret || is(name, "aws_session_token")) {
        struct secret *secret = is_secret ? &profile->secret_key : &profile->token;
        if (memchr(value.data, '\0', value.size) != NULL) {
            return err_set(err, ERR_SETTINGS, "line %u: a NUL byte in a secret", line);
        }
        if (file == PROFILE_CREDENTIALS || !secret_is_set(secret)) {
            secret_set(secret, value);
        }
    }
    return true;
}

bool profile_parse(struct bytes text, enum profile_file file, const char *name,
                   struct profile *profile, struct err *err)
{
    bool inside = false;
    unsigned number = 0;
    while (text.size > 0) {
        struct bytes line = take_line(&text);
        number++;
        bool indented = line.size > 0 && is_blank(line.data[0]) && line.data[0] != '\r';
        line = trim(without_comment(line));
        if (line.size == 0) {
            continue;
        }
        if (line.data[0] == '[' && !indented) {
            if (line.data[line.size - 1] != ']') {
                return err_set(err, ERR_SETTINGS, "line %u: the section has no ']'", number);
            }
            inside = is_section_of(trim(bytes_of(line.data + 1, line.size - 2)), file, name);
            profile->found |= inside;
            continue;
        }
        if (!inside || indented) {
            continue;
        }
        const uint8_t *equals = memchr(line.data, '=', line.size);
        if (equals == NULL) {
            return err_set(err, ERR_SETTINGS, "line %u: neither a section nor name = value",
                           number);
        }
        size_t length = (size_t)(equals - line.data);
        TRY(set_value(profile, trim(bytes_of(line.data, length)),
                      trim(bytes_of(equals + 1, line.size - length - 1)), file, number, err));
    }
    return true;
}
