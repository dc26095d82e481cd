/* Is a partition noticed that the group gives to nobody, and only after long? */
#include "checkpoint/leader/unowned.h"

#include "tests/support/ledger_says.h"

enum { LIMIT_US = 100 };

static const struct coord_ends ends[] = {{.id = {"t", 0}}, {.id = {"t", 1}}};

struct scene {
    struct ledger_says ledger; /* member m owns t[0] */
    struct unowned unowned;
};

static void open_scene(struct scene *scene)
{
    *scene = (struct scene){.ledger = {.fold = fold_new(), .timestamp_us = 1000000}};
    unowned_init(&scene->unowned, LIMIT_US);
    ledger_says_progress(&scene->ledger, "m", false, 90);
}

static void close_scene(struct scene *scene)
{
    unowned_done(&scene->unowned);
    fold_free(scene->ledger.fold);
}

static const struct partition_id *look(struct scene *scene, int64_t now_us)
{
    return unowned_look(&scene->unowned, scene->ledger.fold, now_us);
}

Test(unowned, after_the_limit_and_then_after_twice_as_long)
{
    struct scene scene;
    open_scene(&scene);
    cr_assert_null(look(&scene, 1), "nobody has said which partitions there are");
    unowned_hear(&scene.unowned, ends, 2);
    cr_assert_null(look(&scene, 1000));
    unowned_hear(&scene.unowned, ends, 2); /* heard again: nothing begins anew */
    cr_assert_null(look(&scene, 1000 + LIMIT_US));
    const struct partition_id *id = look(&scene, 1001 + LIMIT_US);
    cr_assert_not_null(id);
    cr_assert_str_eq(id->topic, "t");
    cr_assert_eq(id->number, 1);
    cr_assert_null(look(&scene, 1001 + 3 * LIMIT_US));
    cr_assert_not_null(look(&scene, 1002 + 3 * LIMIT_US));
    close_scene(&scene);
}

Test(unowned, owned_partitions_and_short_gaps_are_nothing)
{
    struct scene scene;
    open_scene(&scene);
    unowned_hear(&scene.unowned, ends, 1);
    cr_assert_null(look(&scene, 1000));
    cr_assert_null(look(&scene, 1000000));
    ledger_says_progress(&scene.ledger, "m", true, 90); /* it leaves */
    cr_assert_null(look(&scene, 1000001));
    ledger_says_progress(&scene.ledger, "m", false, 90);
    cr_assert_null(look(&scene, 1000002 + LIMIT_US));
    cr_assert_null(look(&scene, 1000003 + 2 * LIMIT_US));
    close_scene(&scene);
}

Test(unowned, who_does_not_lead_forgets)
{
    struct scene scene;
    open_scene(&scene);
    unowned_hear(&scene.unowned, ends, 2);
    cr_assert_null(look(&scene, 1000));
    unowned_forget(&scene.unowned);
    unowned_hear(&scene.unowned, ends, 2);
    cr_assert_null(look(&scene, 1001 + LIMIT_US), "the time of an earlier term does not count");
    close_scene(&scene);
}
