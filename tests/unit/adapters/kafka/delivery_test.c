/* What does an append say of a producer that gave up as a whole, before or after it took the
 * records? */
#include <criterion/criterion.h>
#include <string.h>

#include "adapters/kafka/client.h"
#include "adapters/kafka/delivery.h"
#include "adapters/os/clock.h"

enum { WAIT_MS = 10 * 1000 };

static struct client *producer;
static struct delivery delivery;

static void open_producer(void)
{
    struct cluster_settings settings = {.brokers = "127.0.0.1:1"}; /* nobody is there */
    struct client_options options = {.role = CLIENT_WRITER, .delivery = delivery_on_report};
    struct err err;
    cr_assert(client_new(&settings, &options, &producer, &err), "%s", err.message);
    delivery = (struct delivery){.last_offset = -1};
}

static void close_producer(void)
{
    producer = client_free(producer);
}

TestSuite(delivery, .init = open_producer, .fini = close_producer);

/* As the answer to its first request does. */
static void give_up(rd_kafka_resp_err_t code)
{
    cr_assert_eq(rd_kafka_test_fatal_error(producer->rk, code, "said by the test"),
                 RD_KAFKA_RESP_ERR_NO_ERROR);
}

static bool send_one(struct err *err)
{
    struct ledger_record record = {.key = bytes_of_text("k"), .value = bytes_of_text("v")};
    return delivery_send(&delivery, producer->rk, "ledger", &record, 1, err);
}

Test(delivery, a_right_that_is_missing_before_the_records_are_taken)
{
    struct err err;
    give_up(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    cr_assert_not(send_one(&err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    cr_expect(strstr(err.message, "Write on the topic ledger") != NULL, "%s", err.message);
    cr_expect_eq(delivery.sent, 0);
}

Test(delivery, a_right_that_is_missing_after_the_records_are_taken)
{
    struct err err;
    cr_assert(send_one(&err));
    give_up(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    cr_assert(delivery_wait(&delivery, producer->rk, clock_mono_us() + WAIT_MS * 1000LL));
    cr_assert_eq(delivery.stored, 0);
    cr_assert_not(delivery_explain(&delivery, producer->rk, "ledger", &err));
    cr_expect_eq(err.kind, ERR_SETTINGS);
    cr_expect(strstr(err.message, "Write on the topic ledger") != NULL, "%s", err.message);
}

Test(delivery, another_reason_asks_for_no_right)
{
    struct err err;
    give_up(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    cr_assert_not(send_one(&err));
    cr_expect_neq(err.kind, ERR_SETTINGS);
    cr_expect(strstr(err.message, "what is needed") == NULL, "%s", err.message);
}
