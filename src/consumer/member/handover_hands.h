/* Carries out HAND_OVER and ADOPT: the intake has the rows, a build thread does the work. */
#ifndef TIDEMARK_CONSUMER_MEMBER_HANDOVER_HANDS_H
#define TIDEMARK_CONSUMER_MEMBER_HANDOVER_HANDS_H

#include "consumer/member/handover_job.h"
#include "consumer/member/member_thread.h"

/* The member thread's own. HAND_OVER: ask the intake (MAIL_HAND_OVER), store what it gives
 * (MAIL_HANDED_OVER), tell the machine. ADOPT: fetch the object, give it to the intake
 * (MAIL_ADOPT), tell the machine when it has it (MAIL_ADOPTED). */

void handover_hands_ask(const struct member_thread_settings *settings,
                        const struct member_command *command);
/* True: *ret_event says that the intake cannot give it; else a job stores it. */
MUST_CHECK bool handover_hands_store(struct member_work *work, const struct mail *mail,
                                     struct member_event *ret_event);
/* The event's texts are the job's. */
void handover_hands_stored(const struct handover_job *job, struct member_event *ret_event);

void handover_hands_fetch(const struct member_thread_settings *settings, struct member_work *work,
                          const struct member_command *command);
/* True: *ret_event says that it cannot be used (texts are the job's); else the intake has it now.
 */
MUST_CHECK bool handover_hands_fetched(const struct member_thread_settings *settings,
                                       struct adopt_job *job, struct member_event *ret_event);
void handover_hands_adopted(const struct mail *mail, struct member_event *ret_event);

#endif
