/* Which texts may stand for topics, stores, folders and brokers. */
#include "consumer/settings_names.h"

#include <criterion/criterion.h>

#include "core/base/check.h"

struct name_case {
    const char *text;
    bool right;
};

static void expect(const struct name_case *cases, size_t count, const char *(*rule)(const char *))
{
    for (size_t i = 0; i < count; i++) {
        const char *problem = rule(cases[i].text);
        cr_expect((problem == NULL) == cases[i].right, "\"%s\": %s", cases[i].text,
                  problem == NULL ? "right" : problem);
    }
}

Test(settings_names, stores)
{
    static const struct name_case cases[] = {
        {"s3://bucket/prefix", true},      {"s3://bucket/a/b.c/d_e-f", true},
        {"s3://my.bucket-1/p", true},      {"s3://bucket/prefix/", true},
        {"s3://bucket/größe", true},       {"file:///srv/a", true},
        {"file:///a", true},               {"s3://bucket", false},
        {"s3://bucket/", false},           {"s3://", false},
        {"s3://ab/p", false},              {"s3://buck et/p", false},
        {"s3://bucket//p", false},         {"s3://bucket/a//b", false},
        {"s3://bucket/a?b", false},        {"s3://bucket/a#b", false},
        {"s3://bucket/../b", false},       {"s3://bucket/a..b", false},
        {"s3://bucket/run_id=5", false},   {"s3://bucket/a\nb", false},
        {"s3://bucket/a\x7f", false},      {"s3://bucket/\xff", false},
        {"file://host/a", false},          {"file://a", false},
        {"file:///", false},               {"file:////a", false},
        {"file:///a/../b", false},         {"/srv/a", false},
        {"https://bucket/p", false},       {"S3://bucket/p", false},
        {"", false},
    };
    expect(cases, LENGTH_OF(cases), settings_names_store);
}

Test(settings_names, templates)
{
    static const struct name_case cases[] = {
        {"db={db_id:05d}", true}, {"{db_id}", true},       {"x-{db_id:d}.y", true},
        {"a{db_id:01d}", true},   {"{db_id:09d}", true},   {"", false},
        {"db", false},            {"{db_id", false},       {"{db_id:}", false},
        {"{db_id:5d}", false},    {"{db_id:00d}", false},  {"{db_id:010d}", false},
        {"{db_id:05x}", false},   {"{id}", false},         {"{db_id}{db_id}", false},
        {"a/{db_id}", false},     {"{db_id}/a", false},    {"{{db_id}}", false},
        {"a b{db_id}", false},    {"{db_id}?", false},
    };
    expect(cases, LENGTH_OF(cases), settings_names_template);
}

Test(settings_names, prefixes_and_topics)
{
    static const struct name_case prefixes[] = {
        {"shards", true}, {"a.b_c-1", true}, {"", false}, {"a/b", false},
        {"..", false},    {".a", false},     {"ä", false}, {"a b", false},
    };
    static const struct name_case topics[] = {
        {"orders", true}, {"a.b_c-1", true}, {"", false},  {".", false},
        {"..", false},    {"a b", false},    {"ä", false}, {"a/b", false},
    };
    expect(prefixes, LENGTH_OF(prefixes), settings_names_prefix);
    expect(topics, LENGTH_OF(topics), settings_names_topic);
    char name[251];
    memset(name, 'a', 250);
    name[250] = '\0';
    cr_expect(settings_names_topic(name) != NULL);
    name[249] = '\0';
    cr_expect(settings_names_topic(name) == NULL);
}

Test(settings_names, brokers_and_addresses)
{
    static const struct name_case brokers[] = {
        {"localhost:9092", true},  {"localhost", true},      {"a:1,b:2", true},
        {"a:1, b:2", true},        {"[::1]:9092", true},     {"10.0.0.1:9092", true},
        {"SSL://a:9093", true},    {"", false},              {"a:1,", false},
        {",a:1", false},           {"a:1,,b:2", false},      {"a:0", false},
        {"a:65536", false},        {"a:", false},            {"a:b", false},
        {"a b:1", false},          {":9092", false},         {"[]:1", false},
        {"[::1:1", false},         {"http://a:1/x", false},
    };
    static const struct name_case addresses[] = {
        {"127.0.0.1:9464", true}, {"[::]:9464", true}, {"localhost:0", true}, {"9464", false},
        {"localhost", false},     {":9464", false},    {"a:1,b:2", false},    {"", false},
    };
    expect(brokers, LENGTH_OF(brokers), settings_names_brokers);
    expect(addresses, LENGTH_OF(addresses), settings_names_listen);
}
