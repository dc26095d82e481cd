/* Is this member alive, and is it ready? */
#ifndef TIDEMARK_CONSUMER_STATUS_STATUS_HEALTH_H
#define TIDEMARK_CONSUMER_STATUS_STATUS_HEALTH_H

#include "consumer/status/status_view.h"
#include "core/base/buf.h"

/* Each adds its reasons why not, one a line, and returns whether there was none. Pure. */

/* All threads make progress. False: only a restart helps. */
bool status_health_live(const struct status_view *view, struct buf *reasons);

/* It has joined, reads the ledger, is not refused, and what is closed is published in time. */
bool status_health_ready(const struct status_view *view, struct buf *reasons);

#endif
