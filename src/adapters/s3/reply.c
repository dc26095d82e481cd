/* The XML that S3 and STS answer with. */
#include "adapters/s3/reply.h"

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utc.h"

/* An element that is being built. */
struct open_node {
    struct reply_node *node;
    struct reply_node **next_child;
    struct buf text;
};

struct parsing {
    XML_Parser parser;
    struct arena *arena;
    struct open_node stack[REPLY_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    struct reply_node *root;
    const char *fault;
};

static void refuse(struct parsing *parsing, const char *fault)
{
    if (parsing->fault == NULL) {
        parsing->fault = fault;
    }
    XML_StopParser(parsing->parser, XML_FALSE);
}

static const char *without_prefix(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon == NULL ? name : colon + 1;
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    struct parsing *parsing = user;
    if (parsing->depth == REPLY_DEPTH_MAX || parsing->nodes == REPLY_NODES_MAX) {
        refuse(parsing, "too deep or too many elements");
        return;
    }
    parsing->nodes++;
    struct reply_node *node = arena_zero(parsing->arena, sizeof *node);
    node->name = arena_text(parsing->arena, bytes_of_text(without_prefix(name)));
    node->text = "";
    if (parsing->depth == 0) {
        parsing->root = node;
    } else {
        struct open_node *parent = &parsing->stack[parsing->depth - 1];
        *parent->next_child = node;
        parent->next_child = (struct reply_node **)&node->next;
    }
    struct open_node *open = &parsing->stack[parsing->depth++];
    open->node = node;
    open->next_child = (struct reply_node **)&node->first_child;
    buf_init(&open->text, REPLY_BYTES_MAX);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    (void)name;
    struct parsing *parsing = user;
    if (parsing->depth == 0) {
        return;
    }
    struct open_node *open = &parsing->stack[--parsing->depth];
    /* Blanks between elements are layout; only a leaf has a text. */
    if (open->node->first_child == NULL && open->text.size > 0) {
        open->node->text = arena_text(parsing->arena, buf_bytes(&open->text));
    }
    buf_done(&open->text);
}

static void XMLCALL on_text(void *user, const XML_Char *text, int length)
{
    struct parsing *parsing = user;
    if (parsing->depth > 0 && length > 0) {
        buf_add(&parsing->stack[parsing->depth - 1].text, text, (size_t)length);
    }
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    refuse(user, "a document type");
}

bool reply_parse(struct bytes xml, struct arena *arena, const struct reply_node **ret_root,
                 struct err *err)
{
    /* S3 keeps a connection alive with blanks while it works on a long request. */
    while (xml.size > 0 && strchr(" \r\n\t", xml.data[0]) != NULL && xml.data[0] != '\0') {
        xml = bytes_of(xml.data + 1, xml.size - 1);
    }
    if (xml.size == 0 || xml.size > REPLY_BYTES_MAX) {
        return err_set(err, ERR_TRANSIENT, "the server's answer is %s",
                       xml.size == 0 ? "empty" : "too long");
    }
    struct parsing parsing = {.arena = arena, .parser = XML_ParserCreate(NULL)};
    CHECK(parsing.parser != NULL);
    XML_SetUserData(parsing.parser, &parsing);
    XML_SetElementHandler(parsing.parser, on_start, on_end);
    XML_SetCharacterDataHandler(parsing.parser, on_text);
    XML_SetStartDoctypeDeclHandler(parsing.parser, on_doctype);
    bool ok =
        XML_Parse(parsing.parser, (const char *)xml.data, (int)xml.size, XML_TRUE) == XML_STATUS_OK;
    while (parsing.depth > 0) {
        buf_done(&parsing.stack[--parsing.depth].text);
    }
    if (!ok || parsing.fault != NULL || parsing.root == NULL) {
        const char *fault = parsing.fault != NULL
                                ? parsing.fault
                                : XML_ErrorString(XML_GetErrorCode(parsing.parser));
        err_set(err, ERR_TRANSIENT, "the server's answer is not the XML expected: %s", fault);
        ok = false;
    }
    XML_ParserFree(parsing.parser);
    if (ok) {
        *ret_root = parsing.root;
    }
    return ok;
}

const struct reply_node *reply_child(const struct reply_node *node, const char *name)
{
    for (const struct reply_node *at = node->first_child; at != NULL; at = at->next) {
        if (strcmp(at->name, name) == 0) {
            return at;
        }
    }
    return NULL;
}

const char *reply_text(const struct reply_node *node, const char *name)
{
    const struct reply_node *child = reply_child(node, name);
    return child == NULL ? "" : child->text;
}

static void error_of_node(const struct reply_node *node, struct reply_error *error)
{
    *error = (struct reply_error){0};
    snprintf(error->code, sizeof error->code, "%s", reply_text(node, "Code"));
    snprintf(error->message, sizeof error->message, "%s", reply_text(node, "Message"));
    snprintf(error->region, sizeof error->region, "%s", reply_text(node, "Region"));
    /* It ends up in one line of a log. */
    for (char *at = error->message; *at != '\0'; at++) {
        *at = (unsigned char)*at < 0x20 ? ' ' : *at;
    }
}

bool reply_error_of(struct bytes xml, struct reply_error *ret_error)
{
    struct arena *arena = arena_new(4096);
    const struct reply_node *root = NULL;
    struct err err = {0};
    bool found = reply_parse(xml, arena, &root, &err);
    if (found && strcmp(root->name, "ErrorResponse") == 0) {
        root = reply_child(root, "Error");
    }
    found = found && root != NULL && strcmp(root->name, "Error") == 0;
    if (found) {
        error_of_node(root, ret_error);
    }
    arena_free(arena);
    return found;
}

static int hex_digit(char at)
{
    if (at >= '0' && at <= '9') {
        return at - '0';
    }
    at = (char)(at | 0x20);
    return at >= 'a' && at <= 'f' ? at - 'a' + 10 : -1;
}

/* Of encoding-type=url: %XX, and '+' for a blank. */
static const char *decode(struct arena *arena, const char *text)
{
    char *to = arena_text(arena, bytes_of_text(text));
    char *out = to;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '%' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
            *out++ = (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
            at += 2;
        } else {
            *out++ = *at == '+' ? ' ' : *at;
        }
    }
    *out = '\0';
    return to;
}

static bool parse_size(const char *text, uint64_t *ret_size)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || errno != 0 || *end != '\0') {
        return false;
    }
    *ret_size = value;
    return true;
}

static bool add_object(const struct reply_node *node, struct arena *arena, bool encoded,
                       struct reply_list *list, struct err *err)
{
    struct reply_object object = {.folder = strcmp(node->name, "CommonPrefixes") == 0};
    const char *key = reply_text(node, object.folder ? "Prefix" : "Key");
    if (key[0] == '\0') {
        return err_set(err, ERR_TRANSIENT, "the server's list has an entry without a name");
    }
    object.key = encoded ? decode(arena, key) : key;
    if (!object.folder) {
        struct bytes modified = bytes_of_text(reply_text(node, "LastModified"));
        if (!parse_size(reply_text(node, "Size"), &object.size) ||
            !utc_parse(modified, &object.modified_us, err)) {
            return err_set(err, ERR_TRANSIENT, "the server's list has no size or time for %.200s",
                           object.key);
        }
    }
    list->objects[list->count++] = object;
    return true;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct reply_object *)a)->key, ((const struct reply_object *)b)->key);
}

bool reply_list_of(struct bytes xml, struct arena *arena, struct reply_list *ret_list,
                   struct err *err)
{
    const struct reply_node *root = NULL;
    TRY(reply_parse(xml, arena, &root, err));
    if (strcmp(root->name, "ListBucketResult") != 0) {
        return err_set(err, ERR_TRANSIENT, "the server's list is a <%.60s>", root->name);
    }
    bool encoded = strcmp(reply_text(root, "EncodingType"), "url") == 0;
    struct reply_list list = {0};
    size_t count = 0;
    for (const struct reply_node *at = root->first_child; at != NULL; at = at->next) {
        count += strcmp(at->name, "Contents") == 0 || strcmp(at->name, "CommonPrefixes") == 0;
    }
    list.objects = arena_alloc(arena, (count + 1) * sizeof *list.objects);
    for (const struct reply_node *at = root->first_child; at != NULL; at = at->next) {
        if (strcmp(at->name, "Contents") == 0 || strcmp(at->name, "CommonPrefixes") == 0) {
            TRY(add_object(at, arena, encoded, &list, err));
        }
    }
    qsort(list.objects, list.count, sizeof *list.objects, by_key);
    if (strcmp(reply_text(root, "IsTruncated"), "true") == 0) {
        list.next = reply_text(root, "NextContinuationToken");
        if (list.next[0] == '\0') {
            /* Taken as the end, it would be a listing that lacks objects. */
            return err_set(err, ERR_TRANSIENT, "the server's list is cut off without a token");
        }
    }
    *ret_list = list;
    return true;
}

bool reply_field_of(struct bytes xml, struct arena *arena, const char *root, const char *field,
                    const char **ret_text, struct err *err)
{
    const struct reply_node *node = NULL;
    TRY(reply_parse(xml, arena, &node, err));
    const char *text = strcmp(node->name, root) == 0 ? reply_text(node, field) : "";
    if (text[0] == '\0') {
        return err_set(err, ERR_TRANSIENT, "the server's answer is a <%.60s> without %s in %s",
                       node->name, field, root);
    }
    *ret_text = text;
    return true;
}

bool reply_deleted_of(struct bytes xml, struct arena *arena, struct reply_error *ret_first_error,
                      const char **ret_failed_key, struct err *err)
{
    const struct reply_node *root = NULL;
    TRY(reply_parse(xml, arena, &root, err));
    if (strcmp(root->name, "DeleteResult") != 0) {
        return err_set(err, ERR_TRANSIENT, "the server's answer is a <%.60s>", root->name);
    }
    const struct reply_node *error = reply_child(root, "Error");
    *ret_first_error = (struct reply_error){0};
    *ret_failed_key = NULL;
    if (error != NULL) {
        error_of_node(error, ret_first_error);
        *ret_failed_key = reply_text(error, "Key");
    }
    return true;
}
