/* Carries out HAND_OVER and ADOPT: the intake has the rows, a build thread does the work. */
#include "consumer/member/handover_hands.h"

#include "adapters/os/log.h"

void handover_hands_ask(const struct member_thread_settings *settings,
                        const struct member_command *command)
{
    struct mail *mail = mail_new(MAIL_HAND_OVER);
    mail->handover.given = (struct message_handover){
        .id = {arena_text(mail->arena, bytes_of_text(command->hand_over.id.topic)),
               command->hand_over.id.number},
        .build = command->hand_over.build,
        .number = command->hand_over.number,
        .leader_epoch = -1,
        .head = "",
        .url = "",
        .digest = "",
        .tally_digest = "",
    };
    mail_send(settings->intake, mail);
}

bool handover_hands_store(struct member_work *work, const struct mail *mail,
                          struct member_event *ret_event)
{
    if (mail->handover.rows == NULL) {
        *ret_event = (struct member_event){.kind = MEMBER_EVENT_HANDED_OVER};
        ret_event->handed_over.error = mail->handover.error;
        ret_event->handed_over.handover = mail->handover.given;
        return true;
    }
    struct handover_job *job =
        handover_job_new(&work->part, &mail->handover.given, mail->handover.tally,
                         mail->handover.rows, work->parts++);
    build_threads_add(work->threads, &job->work);
    return false;
}

void handover_hands_stored(const struct handover_job *job, struct member_event *ret_event)
{
    *ret_event = (struct member_event){.kind = MEMBER_EVENT_HANDED_OVER};
    ret_event->handed_over.ok = job->ok;
    ret_event->handed_over.error = job->ok ? "" : job->err.message;
    ret_event->handed_over.handover = job->given;
    if (job->ok) {
        log_info("member", "handed over %s[%d] from %lld to %lld, %llu rows", job->given.id.topic,
                 (int)job->given.id.number, (long long)job->given.from, (long long)job->given.to,
                 (unsigned long long)job->given.rows);
    }
}

void handover_hands_fetch(const struct member_thread_settings *settings, struct member_work *work,
                          const struct member_command *command)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    const char *path =
        arena_format(arena, "%s/adopted-%llu-%lld.spill", settings->spills,
                     (unsigned long long)work->part.incarnation, (long long)command->adopt.offset);
    struct adopt_job *job =
        adopt_job_new(work->part.store, command->adopt.offset, command->adopt.handover, path);
    build_threads_add(work->threads, &job->work);
}

bool handover_hands_fetched(const struct member_thread_settings *settings, struct adopt_job *job,
                            struct member_event *ret_event)
{
    if (!job->ok) {
        *ret_event = (struct member_event){.kind = MEMBER_EVENT_ADOPTED};
        ret_event->adopted.id = job->handover.id;
        ret_event->adopted.offset = job->offset;
        ret_event->adopted.error = job->err.message;
        return true;
    }
    struct mail *mail = mail_new(MAIL_ADOPT);
    const struct message_handover *handover = &job->handover;
    mail->adopt.offset = job->offset;
    mail->adopt.path = arena_text(mail->arena, bytes_of_text(job->path));
    mail->adopt.bytes = handover->bytes;
    mail->adopt.set = TAKE(job->set);
    mail->adopt.partition = (struct checkpoint_partition){
        .topic = arena_text(mail->arena, bytes_of_text(handover->id.topic)),
        .number = handover->id.number,
        .from = handover->from,
        .position = handover->to,
        .leader_epoch = handover->leader_epoch,
        .event_time_max_us = handover->event_time_max_us,
        .head_run = arena_text(mail->arena, bytes_of_text(handover->head)),
        .bytes = handover->bytes,
        .tally = arena_copy(mail->arena, job->tally),
    };
    for (size_t i = 0; i < handover->witness_count && i < WITNESS_ENDS; i++) {
        mail->adopt.partition.witnesses[mail->adopt.partition.witness_count++] =
            handover->witnesses[i];
    }
    mail_send(settings->intake, mail);
    return false;
}

void handover_hands_adopted(const struct mail *mail, struct member_event *ret_event)
{
    const struct checkpoint_partition *partition = &mail->adopt.partition;
    *ret_event = (struct member_event){.kind = MEMBER_EVENT_ADOPTED};
    ret_event->adopted.id = (struct partition_id){partition->topic, partition->number};
    ret_event->adopted.offset = mail->adopt.offset;
    ret_event->adopted.ok = mail->adopt.error == NULL;
    ret_event->adopted.error = mail->adopt.error == NULL ? "" : mail->adopt.error;
    if (mail->adopt.error == NULL) {
        log_info("member", "adopted %s[%d] from %lld to %lld, as another member has read it",
                 partition->topic, (int)partition->number, (long long)partition->from,
                 (long long)partition->position);
    }
}
