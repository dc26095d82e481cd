/* Settings that shape content change the fingerprint, all others do not. */
#include "core/fingerprint.h"

#include <criterion/criterion.h>

static struct value_field fields[2];
static struct topic_settings topics[2];

static struct settings example(void)
{
    fields[0] = (struct value_field){.name = "a", .from = {FIELD_JSON, "/a"}, .required = true};
    fields[1] = (struct value_field){.name = "b", .from = {FIELD_OFFSET, NULL}};
    topics[0] = (struct topic_settings){.name = "orders",
                                        .format = PAYLOAD_JSON,
                                        .key = {FIELD_JSON, "/id"},
                                        .fields = fields,
                                        .field_count = 2,
                                        .event_time = {FIELD_HEADER, "t"}};
    topics[1] = (struct topic_settings){.name = "items", .event_time = {FIELD_TIMESTAMP, NULL}};
    return (struct settings){
        .group = "g",
        .topics = topics,
        .topic_count = 2,
        .window = {.trigger = TRIGGER_EVENT_TIME, .size_us = 5000000},
        .snapshot = {.store = "file:///srv/a",
                     .shards = 8,
                     .key_column = "_key",
                     .shard_prefix = "shards",
                     .db_path_template = "db={db_id:05d}"},
        .limits = {.max_key_bytes = 4096, .max_value_bytes = 65536},
    };
}

static void print(const struct settings *settings, char text[FINGERPRINT_TEXT_SIZE])
{
    fingerprint_settings(settings, text);
}

Test(fingerprint, the_canonical_text_is_what_the_header_says)
{
    struct settings settings = example();
    AUTO(buf) struct buf text;
    buf_init(&text, 65536);
    fingerprint_print(&settings, &text);
    cr_expect_str_eq(
        buf_text(&text),
        "tidemark-fingerprint=1\n"
        "spill=1\n"
        "topic=\"items\" format=raw key=key encoding=u64be time=timestamp unit=ms value=whole\n"
        "topic=\"orders\" format=json key=json:\"/id\" encoding=u64be time=header:\"t\" unit=ms "
        "value=fields\n"
        "  field=\"a\" from=json:\"/a\" required=1\n"
        "  field=\"b\" from=offset required=0\n"
        "limits=4096 65536\n"
        "window=event_time 5000000\n"
        "late=next future=keep\n"
        "contents=window order=offset routing=hash shards=8 max_keys=0\n"
        "key_column=\"_key\" page_size=0 sidecar=0\n"
        "store=\"file:///srv/a\" shard_prefix=\"shards\" db_path_template=\"db={db_id:05d}\"\n",
        "%s", buf_text(&text));
}

/* Each of these is one change of one setting. */
#define SHAPES(change)                                                                             \
    do {                                                                                           \
        struct settings s = example();                                                             \
        char before[FINGERPRINT_TEXT_SIZE];                                                        \
        char after[FINGERPRINT_TEXT_SIZE];                                                         \
        print(&s, before);                                                                         \
        change;                                                                                    \
        print(&s, after);                                                                          \
        cr_expect(strcmp(before, after) != 0, "no other fingerprint after " #change);              \
    } while (0)
#define SHAPES_NOTHING(change)                                                                     \
    do {                                                                                           \
        struct settings s = example();                                                             \
        char before[FINGERPRINT_TEXT_SIZE];                                                        \
        char after[FINGERPRINT_TEXT_SIZE];                                                         \
        print(&s, before);                                                                         \
        change;                                                                                    \
        print(&s, after);                                                                          \
        cr_expect(strcmp(before, after) == 0, "another fingerprint after " #change);               \
    } while (0)

Test(fingerprint, changes_with_all_that_shapes_content)
{
    SHAPES(topics[0].name = "order");
    SHAPES(topics[1].format = PAYLOAD_JSON);
    SHAPES(topics[0].key.name = "/idd");
    SHAPES(topics[0].key.source = FIELD_HEADER);
    SHAPES(topics[0].key_encoding = KEY_ENCODING_UTF8);
    SHAPES(topics[0].event_time.name = "u");
    SHAPES(topics[0].time_unit = TIME_S);
    SHAPES(topics[0].fields = NULL; topics[0].field_count = 0);
    SHAPES(fields[0].required = false);
    SHAPES(fields[1].name = "c");
    SHAPES(topics[0].vector.on = true);
    SHAPES(s.kv.backend = BACKEND_SLATEDB);
    SHAPES(s.vectors.dim = 3);
    SHAPES(s.vectors.dim = 3; s.vectors.metric = VECTOR_L2);
    SHAPES(s.topic_count = 1);
    SHAPES(s.limits.max_key_bytes = 4097);
    SHAPES(s.limits.max_value_bytes = 1);
    SHAPES(s.window.trigger = TRIGGER_MANUAL);
    SHAPES(s.window.size_us = 6000000);
    SHAPES(s.window.late = LATE_DROP);
    SHAPES(s.window.future = FUTURE_DEAD_LETTER);
    SHAPES(s.snapshot.contents = CONTENTS_STATE);
    SHAPES(s.snapshot.order = ROW_ORDER_EVENT_TIME);
    SHAPES(s.snapshot.state_order = STATE_ORDER_EXACT);
    SHAPES(s.snapshot.routing = ROUTING_CEL);
    SHAPES(s.snapshot.shards = 16);
    SHAPES(s.snapshot.shards = 0; s.snapshot.max_keys_per_shard = 8);
    SHAPES(s.snapshot.page_size = 4096);
    SHAPES(s.snapshot.sidecar = true);
    SHAPES(s.snapshot.key_column = "id");
    SHAPES(s.snapshot.store = "file:///srv/b");
    SHAPES(s.snapshot.shard_prefix = "s");
    SHAPES(s.snapshot.db_path_template = "d{db_id}");
}

Test(fingerprint, does_not_change_with_what_only_paces_the_work)
{
    SHAPES_NOTHING(s.group = "h");
    SHAPES_NOTHING(s.member_id = "m");
    SHAPES_NOTHING(s.window.out_of_orderness_us = 5);
    SHAPES_NOTHING(s.window.allowed_lateness_us = 5);
    SHAPES_NOTHING(s.window.idle_after_us = 5);
    SHAPES_NOTHING(s.limits.memory_budget = 5);
    SHAPES_NOTHING(s.snapshot.keep_last = 5);
    SHAPES_NOTHING(s.s3.max_retries = 5);
    SHAPES_NOTHING(s.log_level = 3);
    SHAPES_NOTHING(struct topic_settings t = topics[0]; topics[0] = topics[1]; topics[1] = t);
}

Test(fingerprint, a_name_cannot_look_like_another_line)
{
    struct settings s = example();
    char before[FINGERPRINT_TEXT_SIZE];
    char after[FINGERPRINT_TEXT_SIZE];
    fields[0].name = "a\" from=offset required=0\n  field=\"z";
    print(&s, before);
    fields[0].name = "a";
    print(&s, after);
    cr_expect(strcmp(before, after) != 0);
    cr_expect(strlen(after) == FINGERPRINT_TEXT_SIZE - 1);
}
