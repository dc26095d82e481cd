/* Which texts may stand for topics, brokers and addresses. */
#include "consumer/settings/settings_names.h"

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

Test(settings_names, topics)
{
    static const struct name_case topics[] = {
        {"orders", true}, {"a.b_c-1", true}, {"", false},  {".", false},
        {"..", false},    {"a b", false},    {"ä", false}, {"a/b", false},
    };
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
        {"localhost:9092", true}, {"localhost", true},
        {"a:1,b:2", true},        {"a:1, b:2", true},
        {"[::1]:9092", true},     {"10.0.0.1:9092", true},
        {"SSL://a:9093", true},   {"", false},
        {"a:1,", false},          {",a:1", false},
        {"a:1,,b:2", false},      {"a:0", false},
        {"a:65536", false},       {"a:", false},
        {"a:b", false},           {"a b:1", false},
        {":9092", false},         {"[]:1", false},
        {"[::1:1", false},        {"http://a:1/x", false},
    };
    expect(brokers, LENGTH_OF(brokers), settings_names_brokers);
}
