/* What a member says of itself for people, in its PROGRESS. */
#ifndef TIDEMARK_CONSUMER_MEMBER_MEMBER_SAYS_H
#define TIDEMARK_CONSUMER_MEMBER_MEMBER_SAYS_H

#include "consumer/member/member_thread.h"
#include "core/coord/member.h"

/* Tells the machine why nothing is read, and what the leader of this process is at. */
void member_says(const struct member_thread_settings *settings, const struct pause_moment *moment,
                 struct member *member);

#endif
