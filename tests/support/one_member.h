/* One member machine, "m1", of a group that reads topic "a", and its clock. For tests of what it
 * says and does; a program has one. */
#ifndef TIDEMARK_TESTS_SUPPORT_ONE_MEMBER_H
#define TIDEMARK_TESTS_SUPPORT_ONE_MEMBER_H

#include "core/coord/member.h"

static const struct partition_id a0 = {"a", 0};
static struct coord_settings settings; /* the member's: a test may change them */
static struct member *member;
static struct member_out out; /* of the last step */
static int64_t now_us = INT64_C(1767225600000000);
static int64_t next_offset; /* of the ledger */

static inline void one_member_open(void)
{
    static const struct message_topic topics[] = {{"a", "t"}};
    coord_settings_init(&settings);
    settings.fingerprint = "f";
    settings.topics = topics;
    settings.topic_count = 1;
    settings.trigger = TRIGGER_MANUAL;
    member = member_new(&settings, "m1", 7, 1);
    member_out_init(&out);
}

static inline void one_member_close(void)
{
    member_free(member);
    member_out_done(&out);
}

static inline void step(struct member_event event)
{
    now_us += 1000;
    event.now_us = now_us;
    member_step(member, &event, &out);
}

/* The ledger says it. */
static inline void record(const char *key, const char *value)
{
    step((struct member_event){
        .kind = MEMBER_EVENT_RECORD,
        .record = {next_offset++, now_us, bytes_of_text(key), bytes_of_text(value)}});
}

/* a0 is given to it. */
static inline void assign(void)
{
    step((struct member_event){.kind = MEMBER_EVENT_ASSIGNED,
                               .assignment = {.generation = 1, .partitions = &a0, .count = 1}});
}

#endif
