/* What the threads of a member tell each other: each piece owns its memory and has one owner. */
#include "consumer/intake/mail.h"

#include <stdlib.h>

struct mail *mail_new(enum mail_kind kind)
{
    struct mail *mail = calloc(1, sizeof *mail);
    CHECK(mail != NULL);
    mail->kind = kind;
    mail->arena = kind == MAIL_BATCH ? NULL : arena_new(4096);
    return mail;
}

struct mail *mail_free(struct mail *mail)
{
    if (mail != NULL) {
        if (mail->kind == MAIL_BATCH) {
            source_batch_free(mail->batch);
        } else if (mail->kind == MAIL_SEALED) {
            contribution_drop(mail->sealed.sealed.contribution);
        } else if (mail->kind == MAIL_HANDED_OVER) {
            contribution_drop(mail->handover.rows);
        } else if ((mail->kind == MAIL_ADOPT || mail->kind == MAIL_ADOPTED) &&
                   mail->adopt.set != NULL) {
            row_share_drop(row_share_new(mail->adopt.set, mail->adopt.path)); /* the file, too */
        }
        arena_free(mail->arena);
        free(mail);
    }
    return NULL;
}

void mail_send(struct queue *to, struct mail *take_mail)
{
    if (queue_push(to, take_mail, -1) != QUEUE_DONE) {
        mail_free(take_mail);
    }
}

struct mail *mail_next(struct queue *from, int64_t timeout_us)
{
    void *item = NULL;
    return queue_pop(from, &item, timeout_us) == QUEUE_DONE ? item : NULL;
}

void mail_drain(struct queue *queue)
{
    struct mail *mail;
    while ((mail = mail_next(queue, 0)) != NULL) {
        mail_free(mail);
    }
}
