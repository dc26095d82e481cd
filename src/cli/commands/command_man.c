/* Manual pages as roff, from the same tables as the help. */
#include "cli/commands/command_man.h"

#include <ctype.h>

/* Text that is no request: backslashes and hyphens escaped, no dot or quote at a line's start. */
static void add_text(struct buf *out, const char *text)
{
    bool line_start = true;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\'')) {
            buf_add_text(out, "\\&");
        }
        line_start = *text == '\n';
        if (*text == '\\') {
            buf_add_text(out, "\\e");
        } else if (*text == '-') {
            buf_add_text(out, "\\-");
        } else {
            buf_add_byte(out, (uint8_t)*text);
        }
    }
}

static void add_title(struct buf *out, const char *name)
{
    buf_add_text(out, ".TH TIDEMARK");
    if (name != NULL) {
        buf_add_text(out, "\\-");
        for (; *name != '\0'; name++) {
            buf_add_byte(out, (uint8_t)toupper((unsigned char)*name));
        }
    }
    buf_add_text(out, " 1 \"\" \"tidemark " TIDEMARK_VERSION "\" \"Tidemark\"\n");
}

/* Empty lines become paragraphs. */
static void add_paragraphs(struct buf *out, const char *text)
{
    while (*text != '\0') {
        const char *end = strstr(text, "\n\n");
        size_t size = end == NULL ? strlen(text) : (size_t)(end - text);
        AUTO(buf) struct buf paragraph;
        buf_init(&paragraph, SIZE_MAX);
        buf_add(&paragraph, text, size);
        add_text(out, buf_text(&paragraph));
        buf_add_byte(out, '\n');
        text += size;
        if (end != NULL) {
            buf_add_text(out, ".PP\n");
            text += 2;
        }
    }
}

static void add_option(struct buf *out, const struct command_option *option)
{
    buf_add_text(out, ".TP\n");
    if (option->letter != 0) {
        buf_add_format(out, "\\fB\\-%c\\fR, ", option->letter);
    }
    buf_add_text(out, "\\fB\\-\\-");
    add_text(out, option->name);
    buf_add_text(out, "\\fR");
    if (option->argument != NULL) {
        buf_add_text(out, option->argument[0] == '[' ? "\\fI" : "=\\fI");
        add_text(out, option->argument);
        buf_add_text(out, "\\fR");
    }
    buf_add_byte(out, '\n');
    add_text(out, option->doc);
    buf_add_byte(out, '\n');
}

static void add_examples(struct buf *out, const char *examples)
{
    buf_add_text(out, ".SH EXAMPLES\n");
    while (*examples != '\0') {
        size_t size = strcspn(examples, "\n");
        AUTO(buf) struct buf line;
        buf_init(&line, SIZE_MAX);
        buf_add(&line, examples, size);
        char *text = (char *)line.data;
        char *tab = text == NULL ? NULL : strchr(text, '\t');
        if (tab != NULL) {
            *tab = '\0';
        }
        buf_add_text(out, ".TP\n\\fB");
        add_text(out, buf_text(&line));
        buf_add_text(out, "\\fR\n");
        if (tab != NULL) {
            add_text(out, tab + 1);
            buf_add_byte(out, '\n');
        }
        examples += size + (examples[size] == '\n');
    }
}

static void add_exit_codes(struct buf *out)
{
    buf_add_text(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < exit_code_doc_count; i++) {
        buf_add_format(out, ".TP\n\\fB%d\\fR\n", (int)exit_code_docs[i].code);
        add_text(out, exit_code_docs[i].doc);
        buf_add_byte(out, '\n');
    }
}

void command_man_print(struct buf *out, const struct command *command)
{
    add_title(out, command->name);
    buf_add_text(out, ".SH NAME\ntidemark\\-");
    add_text(out, command->name);
    buf_add_text(out, " \\- ");
    add_text(out, command->summary);
    buf_add_text(out, "\n.SH SYNOPSIS\n\\fBtidemark ");
    add_text(out, command->name);
    buf_add_text(out, "\\fR [\\fIOPTION\\fR]…");
    if (command->arguments != NULL) {
        buf_add_text(out, " \\fI");
        add_text(out, command->arguments);
        buf_add_text(out, "\\fR");
    }
    buf_add_byte(out, '\n');
    if (command->help != NULL) {
        buf_add_text(out, ".SH DESCRIPTION\n");
        add_paragraphs(out, command->help);
    }
    buf_add_text(out, ".SH OPTIONS\n");
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        add_option(out, o);
    }
    add_option(out, &command_help_option);
    if (command->examples != NULL) {
        add_examples(out, command->examples);
    }
    buf_add_text(out, ".SH EXIT STATUS\nSee\n.BR tidemark (1).\n");
    buf_add_text(out, ".SH SEE ALSO\n.BR tidemark (1)\n");
}

void command_man_overview(struct buf *out, const struct command *const *commands, size_t count)
{
    add_title(out, NULL);
    buf_add_text(out, ".SH NAME\ntidemark \\- Kafka topics in, published snapshots out\n"
                      ".SH SYNOPSIS\n\\fBtidemark\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]… "
                      "[\\fIARGUMENT\\fR]…\n.br\n\\fBtidemark\\fR \\fB\\-\\-version\\fR | "
                      "\\fB\\-V\\fR\n.SH COMMANDS\n");
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, ".TP\n.BR tidemark\\-");
        add_text(out, commands[i]->name);
        buf_add_text(out, " (1)\n");
        add_text(out, commands[i]->summary);
        buf_add_text(out, ".\n");
    }
    add_exit_codes(out);
    buf_add_text(out, ".SH ENVIRONMENT\n.TP\n.B TIDEMARK_CONFIG\nThe settings file of commands "
                      "that are called without \\-c.\n.TP\n.B NO_COLOR\nNo colours, also on a "
                      "terminal.\n");
}
