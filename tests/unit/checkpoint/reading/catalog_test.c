/* Is the right snapshot opened, and never silently another one? */
#include "checkpoint/reading/catalog.h"

#include "tests/support/folder_store.h"

static void publish_three(struct folder_store *at)
{
    folder_store_publish(at, "one", "one", 1000000);
    folder_store_publish(at, "two", "two", 2000000);
    const char *ref = folder_store_publish(at, "three", "three", 3000000);
    folder_store_point(at, ref, "three", 3000001);
}

static enum err_kind open_kind(struct folder_store *at, const struct catalog_choice *choice,
                               struct catalog_snapshot *snapshot)
{
    struct err err = {0};
    return catalog_open(&at->catalog, choice, at->arena, snapshot, &err) ? ERR_NONE : err.kind;
}

Test(catalog, opens_what_was_chosen)
{
    struct folder_store at;
    folder_store_open(&at);
    publish_three(&at);
    struct catalog_snapshot snapshot = {0};
    struct catalog_choice none = {0};
    cr_assert_eq(open_kind(&at, &none, &snapshot), ERR_NONE);
    cr_assert_str_eq(snapshot.manifest.run_id, "three");
    cr_assert(snapshot.is_current);
    struct catalog_choice by_run = {.run_id = "one"};
    cr_assert_eq(open_kind(&at, &by_run, &snapshot), ERR_NONE);
    cr_assert_str_eq(snapshot.manifest.run_id, "one");
    cr_assert_not(snapshot.is_current);
    struct catalog_choice by_url = {.manifest_ref = snapshot.url};
    cr_assert_eq(open_kind(&at, &by_url, &snapshot), ERR_NONE);
    cr_assert_str_eq(snapshot.manifest.run_id, "one");
    struct catalog_choice by_name = {.manifest_ref = snapshot.name};
    cr_assert_eq(open_kind(&at, &by_name, &snapshot), ERR_NONE);
    struct catalog_choice unknown = {.run_id = "four"};
    cr_assert_eq(open_kind(&at, &unknown, &snapshot), ERR_MISSING);
    struct catalog_choice elsewhere = {.manifest_ref = "file:///elsewhere/manifests/x/manifest"};
    cr_assert_eq(open_kind(&at, &elsewhere, &snapshot), ERR_INPUT);
    struct catalog_choice disagree = {.run_id = "two", .manifest_ref = by_url.manifest_ref};
    cr_assert_eq(open_kind(&at, &disagree, &snapshot), ERR_CORRUPT);
    folder_store_close(&at);
}

/* Other readers fall back to an older manifest here; ours must not. */
Test(catalog, no_silent_fallback)
{
    struct folder_store at;
    folder_store_open(&at);
    struct catalog_snapshot snapshot = {0};
    struct catalog_choice none = {0};
    cr_assert_eq(open_kind(&at, &none, &snapshot), ERR_MISSING);
    publish_three(&at);
    const char *current = names_manifest(3000000, "three", at.arena);
    folder_store_put(&at, current, bytes_of_text("no database"));
    cr_assert_eq(open_kind(&at, &none, &snapshot), ERR_CORRUPT);
    struct err err = {0};
    cr_assert(store_delete(at.store, current, &err));
    cr_assert_eq(open_kind(&at, &none, &snapshot), ERR_CORRUPT);
    /* the pointer names another run than its manifest */
    const char *two = names_url(&at.names, names_manifest(2000000, "two", at.arena), at.arena);
    folder_store_point(&at, two, "three", 4000000);
    cr_assert_eq(open_kind(&at, &none, &snapshot), ERR_CORRUPT);
    folder_store_put(&at, NAMES_POINTER, bytes_of_text("{\"format_version\":1}"));
    cr_assert_eq(open_kind(&at, &none, &snapshot), ERR_CORRUPT);
    /* … but what is chosen by name is opened all the same */
    struct catalog_choice by_run = {.run_id = "one"};
    cr_assert_eq(open_kind(&at, &by_run, &snapshot), ERR_NONE);
    folder_store_close(&at);
}

Test(catalog, lists_newest_first)
{
    struct folder_store at;
    folder_store_open(&at);
    publish_three(&at);
    folder_store_put(&at, "manifests/no-time_run_id=x/manifest", bytes_of_text("x"));
    folder_store_put(&at, "manifests/stray", bytes_of_text("x"));
    struct catalog_entry *entries = NULL;
    size_t count = 0;
    size_t strange = 0;
    struct err err = {0};
    cr_assert(catalog_list(&at.catalog, at.arena, &entries, &count, &strange, &err), "%s",
              err.message);
    cr_assert_eq(count, 3);
    cr_assert_eq(strange, 2);
    cr_assert_str_eq(entries[0].run_id, "three");
    cr_assert_str_eq(entries[2].run_id, "one");
    cr_assert_eq(entries[2].time_us, 1000000);
    folder_store_close(&at);
}

/* Recorded URLs of another place are read below this one only when asked. */
Test(catalog, relocated)
{
    struct folder_store at;
    folder_store_open(&at);
    publish_three(&at);
    struct catalog away = {.borrowed_store = at.store, .relocated = true};
    const char *name = NULL;
    struct err err = {0};
    cr_assert(catalog_name_of(&away, "s3://b/p/shards/run_id=one/db=00000/attempt=01", "s3://b/p",
                              at.arena, &name, &err));
    cr_assert_str_eq(name, "shards/run_id=one/db=00000/attempt=01");
    cr_assert(catalog_name_of(&away, "s3://b/manifests/p/manifests/x/manifest", NULL, at.arena,
                              &name, &err));
    cr_assert_str_eq(name, "manifests/x/manifest");
    cr_assert_not(catalog_name_of(&away, "s3://b/pp/shards", "s3://b/p", at.arena, &name, &err));
    cr_assert_not(catalog_name_of(&away, "s3://b/p/../x", "s3://b/p", at.arena, &name, &err));
    cr_assert_not(
        catalog_name_of(&at.catalog, "s3://b/p/shards", "s3://b/p", at.arena, &name, &err));
    cr_assert_eq(err.kind, ERR_INPUT);
    folder_store_close(&at);
}
