/* What a process holds of a partition, put into the store for its next owner. */
#include <stdlib.h>

#include "tests/sim/world.h"

void handover_store(struct world *world, struct sim_process *process, const struct sim_job *job)
{
    int32_t index = job->seal[0].partition;
    const struct sim_reading *reading = &process->readings[index];
    struct member_event event = {.kind = MEMBER_EVENT_HANDED_OVER,
                                 .handed_over = {.ok = true, .error = ""}};
    struct message_handover *given = &event.handed_over.handover;
    *given = (struct message_handover){.id = world->partitions[index].id,
                                       .build = job->build,
                                       .number = job->id,
                                       .from = reading->from,
                                       .to = reading->position,
                                       .leader_epoch = -1,
                                       .event_time_max_us = reading->highest_us,
                                       .head = reading->head,
                                       .digest = "d",
                                       .tally_digest = "t"};
    if (reading->given_up || world_chance(world, world->faults.build_fails)) {
        event.handed_over.ok = false;
        event.handed_over.error = "simulated";
        member_shell_event(world, process, &event);
        return;
    }
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 22);
    buf_add_format(&text, "%s ", process_settings(world, process)->fingerprint);
    buf_add_format(&text, "%lld %lld ", (long long)reading->highest_us,
                   (long long)(reading->has_again ? reading->again_from : -1));
    for (int64_t o = 0; o < SIM_ROWS_MAX; o++) {
        if (reading->held[o] && o < reading->position) {
            buf_add_format(&text, "%lld ", (long long)o);
            given->rows++;
        }
    }
    char url[200];
    snprintf(url, sizeof url, "parts/%llu/%s/%lld-%llu.handover", (unsigned long long)job->build,
             process->name, (long long)world->now_us, (unsigned long long)job->id);
    store_put(&world->store, url, buf_text(&text));
    struct witness ends[WITNESS_ENDS];
    given->url = url;
    given->witnesses = ends;
    given->witness_count = witness_ends(&reading->witnesses, reading->position, ends);
    member_shell_event(world, process, &event);
}

void handover_adopt(struct world *world, struct sim_process *process, const struct sim_job *job)
{
    int32_t index = job->seal[0].partition;
    struct sim_reading *reading = &process->readings[index];
    struct member_event event = {.kind = MEMBER_EVENT_ADOPTED,
                                 .adopted = {.id = world->partitions[index].id,
                                             .offset = (int64_t)job->id,
                                             .ok = true,
                                             .error = ""}};
    const char *text = store_get(&world->store, job->contributions[0].url);
    if (text == NULL || world_chance(world, world->faults.build_fails)) {
        event.adopted.ok = false; /* gone, or its digest is not right */
        event.adopted.error = "simulated";
        member_shell_event(world, process, &event);
        return;
    }
    memset(reading->held, 0, sizeof reading->held);
    const char *fingerprint = process_settings(world, process)->fingerprint;
    size_t size = strcspn(text, " ");
    if (size != strlen(fingerprint) || memcmp(text, fingerprint, size) != 0) {
        world_fail(world, "%s adopts rows that were decoded with other settings", process->name);
    }
    text += size;
    char *end = NULL;
    reading->highest_us = strtoll(text, &end, 10);
    reading->again_from = strtoll(end + 1, &end, 10);
    reading->has_again = reading->again_from >= 0;
    reading->brought = true;
    for (size_t i = 0; i < job->witness_count; i++) { /* what is known already stays */
        (void)witness_add(&reading->witnesses, job->witnesses[i]);
    }
    for (const char *at = end + 1; *at != '\0'; at = end + 1) {
        reading->held[strtoll(at, &end, 10)] = true;
    }
    reading->from = job->seal[0].from;
    reading->position = job->seal[0].to;
    reading->lost_to = 0;
    reading->given_up = false;
    snprintf(reading->head, sizeof reading->head, "%s", job->run_id);
    coverage_chance(CHANCE_ADOPTED);
    world_event(world, "adopted %s/%d up to %lld", world->partitions[index].id.topic,
                world->partitions[index].id.number, (long long)reading->position);
    member_shell_event(world, process, &event);
}
