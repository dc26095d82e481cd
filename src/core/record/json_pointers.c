/* RFC 6901 pointers as one tree, to be walked while a document is scanned. */
#include "core/record/json_pointers.h"

enum { NO_POINTER = -1, NO_INDEX = -1 };

struct node {
    struct bytes name; /* a step, unescaped */
    int64_t index;     /* the same step as an array index; NO_INDEX: it is none */
    int first_child;
    int next_sibling;
    int first_pointer; /* that ends here */
};

struct json_pointers {
    struct node *nodes; /* room for JSON_POINTERS_STEPS_MAX + 1 */
    int node_count;
    size_t pointer_count;
    int next_pointer[JSON_POINTERS_MAX]; /* that ends at the same place */
};

/* ---- compiling ---- */

/* "0", "17": RFC 6901 section 4 allows no leading zeros. */
static int64_t step_index(struct bytes step)
{
    if (step.size == 0 || step.size > 18 || (step.size > 1 && step.data[0] == '0')) {
        return NO_INDEX;
    }
    int64_t index = 0;
    for (size_t i = 0; i < step.size; i++) {
        if (step.data[i] < '0' || step.data[i] > '9') {
            return NO_INDEX;
        }
        index = index * 10 + (step.data[i] - '0');
    }
    return index;
}

static int new_node(struct json_pointers *pointers, struct bytes name)
{
    pointers->nodes[pointers->node_count] = (struct node){
        .name = name,
        .index = step_index(name),
        .first_child = JSON_POINTERS_NONE,
        .next_sibling = JSON_POINTERS_NONE,
        .first_pointer = NO_POINTER,
    };
    return pointers->node_count++;
}

static int find_child(const struct json_pointers *pointers, int node, struct bytes name)
{
    int child = pointers->nodes[node].first_child;
    while (child != JSON_POINTERS_NONE && !bytes_equal(pointers->nodes[child].name, name)) {
        child = pointers->nodes[child].next_sibling;
    }
    return child;
}

/* The step at *at, which is behind a "/": unescaped into the arena, *at moved to the next "/". */
static bool take_step(const char **at, struct arena *arena, struct bytes *ret_step)
{
    size_t size = strcspn(*at, "/");
    uint8_t *step = arena_alloc(arena, size + 1);
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        char c = (*at)[i];
        if (c == '~') {
            i++;
            if (i == size || ((*at)[i] != '0' && (*at)[i] != '1')) {
                return false;
            }
            c = (*at)[i] == '0' ? '~' : '/';
        }
        step[used++] = (uint8_t)c;
    }
    *at += size;
    *ret_step = bytes_of(step, used);
    return true;
}

static bool add_pointer(struct json_pointers *pointers, const char *pointer, struct arena *arena,
                        int *ret_node, struct err *err)
{
    if ((pointer[0] != '\0' && pointer[0] != '/') || !bytes_are_utf8(bytes_of_text(pointer))) {
        return err_set(err, ERR_SETTINGS, "\"%.100s\" is not a JSON pointer: it starts with /",
                       pointer);
    }
    int node = JSON_POINTERS_ROOT;
    size_t steps = 0;
    for (const char *at = pointer; *at == '/';) {
        at++;
        steps++;
        struct bytes step;
        if (!take_step(&at, arena, &step)) {
            return err_set(err, ERR_SETTINGS,
                           "\"%.100s\" is not a JSON pointer: ~ is followed by 0 or 1", pointer);
        }
        int child = find_child(pointers, node, step);
        if (child == JSON_POINTERS_NONE) {
            if (pointers->node_count > JSON_POINTERS_STEPS_MAX || steps > JSON_POINTERS_DEPTH_MAX) {
                return err_set(err, ERR_SETTINGS, "JSON pointers with too many steps");
            }
            child = new_node(pointers, step);
            pointers->nodes[child].next_sibling = pointers->nodes[node].first_child;
            pointers->nodes[node].first_child = child;
        }
        node = child;
    }
    *ret_node = node;
    return true;
}

bool json_pointers_compile(const char *const *texts, size_t count, struct arena *arena,
                           struct json_pointers **ret_pointers, struct err *err)
{
    if (count > JSON_POINTERS_MAX) {
        return err_set(err, ERR_SETTINGS, "%zu JSON pointers, at most %d are possible", count,
                       JSON_POINTERS_MAX);
    }
    struct json_pointers *pointers = arena_zero(arena, sizeof *pointers);
    pointers->nodes = arena_zero(arena, (JSON_POINTERS_STEPS_MAX + 1) * sizeof *pointers->nodes);
    pointers->pointer_count = count;
    new_node(pointers, bytes_of_text(""));
    for (size_t i = 0; i < count; i++) {
        int node = 0;
        TRY(add_pointer(pointers, texts[i], arena, &node, err));
        pointers->next_pointer[i] = pointers->nodes[node].first_pointer;
        pointers->nodes[node].first_pointer = (int)i;
    }
    *ret_pointers = pointers;
    return true;
}

/* ---- walking ---- */

int json_pointers_member(const struct json_pointers *pointers, int node, struct bytes name,
                         bool escaped)
{
    if (!escaped) {
        return find_child(pointers, node, name);
    }
    int child = pointers->nodes[node].first_child;
    while (child != JSON_POINTERS_NONE && !json_view_equals(name, pointers->nodes[child].name)) {
        child = pointers->nodes[child].next_sibling;
    }
    return child;
}

int json_pointers_item(const struct json_pointers *pointers, int node, size_t index)
{
    int child = pointers->nodes[node].first_child;
    while (child != JSON_POINTERS_NONE && pointers->nodes[child].index != (int64_t)index) {
        child = pointers->nodes[child].next_sibling;
    }
    return child;
}

void json_pointers_set(const struct json_pointers *pointers, int node,
                       const struct json_view *value, struct json_view *values)
{
    for (int i = pointers->nodes[node].first_pointer; i != NO_POINTER;
         i = pointers->next_pointer[i]) {
        values[i] = *value;
    }
}

void json_pointers_forget(const struct json_pointers *pointers, int node, struct json_view *values)
{
    if (node == JSON_POINTERS_ROOT) {
        for (size_t i = 0; i < pointers->pointer_count; i++) {
            values[i] = (struct json_view){0};
        }
        return;
    }
    static const struct json_view absent = {0};
    json_pointers_set(pointers, node, &absent, values);
    int child = pointers->nodes[node].first_child;
    for (; child != JSON_POINTERS_NONE; child = pointers->nodes[child].next_sibling) {
        json_pointers_forget(pointers, child, values);
    }
}
