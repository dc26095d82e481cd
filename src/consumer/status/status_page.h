/* The answers of the status server: /status as JSON, /metrics as text. */
#ifndef TIDEMARK_CONSUMER_STATUS_STATUS_PAGE_H
#define TIDEMARK_CONSUMER_STATUS_STATUS_PAGE_H

#include "consumer/status/status_view.h"

/* Both pure. */
void status_page_json(const struct status_view *view, struct buf *out);
void status_page_metrics(const struct status_view *view, struct buf *out);

#endif
