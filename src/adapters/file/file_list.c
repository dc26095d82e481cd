/* Listing a folder the way S3 lists a bucket.
 *
 * S3 orders whole keys by their bytes. A folder's name with its '/' behind it sorts among the files
 * beside it exactly as all keys below it do, so a walk in that order gives that of the keys. */
#include "adapters/file/file_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/os/file.h"

struct walk {
    const char *prefix;
    bool folders;
    const char *from;
    size_t entries_max;
    struct store_page *page;
    struct buf path;  /* root and key together */
    size_t root_size; /* of "root/" in path */
    bool full;
};

struct names {
    char **items; /* a folder's name ends with '/' */
    size_t count;
    size_t capacity;
};

static void names_done(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i]);
    }
    free(names->items);
}

static void names_add(struct names *names, const char *name, bool folder)
{
    if (names->count == names->capacity) {
        names->capacity = names->capacity == 0 ? 64 : 2 * names->capacity;
        names->items = realloc(names->items, names->capacity * sizeof *names->items);
        CHECK(names->items != NULL);
    }
    size_t length = strlen(name);
    char *copy = malloc(length + 2);
    CHECK(copy != NULL);
    memcpy(copy, name, length + 1);
    if (folder) {
        memcpy(copy + length, "/", 2);
    }
    names->items[names->count++] = copy;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_own(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           begins_with(name, FILE_LIST_OWN_NAMES);
}

/* The entries of the folder in walk->path, sorted. One that is gone meanwhile is empty. */
static bool read_names(struct walk *walk, struct names *names, struct err *err)
{
    const char *path = buf_text(&walk->path);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return errno == ENOENT || errno == ENOTDIR || file_err(err, errno, "list", path);
    }
    errno = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL; errno = 0) {
        if (is_own(entry->d_name)) {
            continue;
        }
        bool is_folder = entry->d_type == DT_DIR;
        if (entry->d_type != DT_DIR && entry->d_type != DT_REG) {
            struct stat info;
            if (fstatat(dirfd(folder), entry->d_name, &info, 0) != 0 ||
                (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode))) {
                continue;
            }
            is_folder = S_ISDIR(info.st_mode);
        }
        names_add(names, entry->d_name, is_folder);
    }
    int number = errno;
    bool ok = number == 0 || file_err(err, number, "list", path);
    closedir(folder);
    if (names->count > 1) {
        qsort(names->items, names->count, sizeof *names->items, by_bytes);
    }
    return ok;
}

static void set_size(struct buf *path, size_t size)
{
    path->size = size;
    path->data[size] = '\0';
}

/* Whether an object lies somewhere below the folder in walk->path: S3 has no empty folders. */
static bool has_object(struct walk *walk, bool *ret_found, struct err *err)
{
    struct names names = {0};
    bool ok = read_names(walk, &names, err);
    bool found = false;
    size_t size = walk->path.size;
    for (size_t i = 0; i < names.count && ok && !found; i++) {
        if (strchr(names.items[i], '/') == NULL) {
            found = true;
        } else {
            buf_add_text(&walk->path, names.items[i]);
            ok = has_object(walk, &found, err);
            set_size(&walk->path, size);
        }
    }
    names_done(&names);
    *ret_found = found;
    return ok;
}

static void add_entry(struct walk *walk, const char *key, bool folder, const struct stat *info)
{
    struct store_page *page = walk->page;
    if (page->count == walk->entries_max) {
        walk->full = true;
        page->next = page->entries[page->count - 1].key;
        return;
    }
    struct store_entry *entry = &page->entries[page->count++];
    *entry =
        (struct store_entry){.key = arena_text(page->arena, bytes_of_text(key)), .folder = folder};
    if (info != NULL) {
        entry->size = (uint64_t)info->st_size;
        entry->modified_us = (int64_t)info->st_mtim.tv_sec * 1000000 + info->st_mtim.tv_nsec / 1000;
    }
}

static bool visit_folder(struct walk *walk, struct err *err);

static bool visit_sub_folder(struct walk *walk, const char *key, struct err *err)
{
    bool inside = begins_with(key, walk->prefix);
    if (!inside && !begins_with(walk->prefix, key)) {
        return true;
    }
    if (walk->from != NULL && strcmp(key, walk->from) <= 0 && !begins_with(walk->from, key)) {
        return true; /* all below comes before `from` */
    }
    if (!walk->folders || !inside || strcmp(key, walk->prefix) == 0) {
        return visit_folder(walk, err);
    }
    if (walk->from != NULL && strcmp(key, walk->from) == 0) {
        return true;
    }
    bool found = false;
    TRY(has_object(walk, &found, err));
    if (found) {
        add_entry(walk, key, true, NULL);
    }
    return true;
}

static bool visit(struct walk *walk, const char *name, struct err *err)
{
    buf_add_text(&walk->path, name);
    if (walk->path.overflowed) {
        return err_set(err, ERR_INPUT, "the path of a file in the store is too long");
    }
    const char *key = buf_text(&walk->path) + walk->root_size;
    if (name[strlen(name) - 1] == '/') {
        return visit_sub_folder(walk, key, err);
    }
    struct stat info;
    if (!begins_with(key, walk->prefix) || (walk->from != NULL && strcmp(key, walk->from) <= 0) ||
        stat(buf_text(&walk->path), &info) != 0) {
        return true; /* the last: deleted meanwhile */
    }
    add_entry(walk, key, false, &info);
    return true;
}

static bool visit_folder(struct walk *walk, struct err *err)
{
    struct names names = {0};
    bool ok = read_names(walk, &names, err);
    size_t size = walk->path.size;
    for (size_t i = 0; i < names.count && ok && !walk->full; i++) {
        ok = visit(walk, names.items[i], err);
        set_size(&walk->path, size);
    }
    names_done(&names);
    return ok;
}

bool file_list(const char *root, const char *prefix, bool folders, const char *from,
               size_t entries_max, struct store_page *page, struct err *err)
{
    struct walk walk = {.prefix = prefix,
                        .folders = folders,
                        .from = from,
                        .entries_max = entries_max,
                        .page = page};
    buf_init(&walk.path, 16384);
    buf_add_format(&walk.path, "%s/", root);
    walk.root_size = walk.path.size;
    page->entries = arena_alloc(page->arena, entries_max * sizeof *page->entries);
    bool ok = visit_folder(&walk, err);
    buf_done(&walk.path);
    return ok;
}
