/* One line on a terminal that says how far a long command is. */
#include "cli/commands/output_progress.h"

#include <stdarg.h>
#include <sys/ioctl.h>

#include "adapters/os/clock.h"

enum { BAR_CELLS = 24, REDRAW_US = 100000, COLUMNS_DEFAULT = 80, TEXT_MAX = 256 };

void output_progress_start(struct output_progress *progress, struct output *output)
{
    *progress = (struct output_progress){.borrowed_output = output};
}

static size_t terminal_columns(FILE *stream)
{
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return COLUMNS_DEFAULT;
    }
    return size.ws_col;
}

/* Whole characters only, so that the line does not wrap and stays one line. */
static void cut_to(char *text, size_t columns)
{
    size_t width = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        width += ((uint8_t)text[i] & 0xc0) != 0x80;
        if (width > columns) {
            text[i] = '\0';
            return;
        }
    }
}

void output_progress_show(struct output_progress *progress, uint64_t done, uint64_t total,
                          const char *format, ...)
{
    struct output *output = progress->borrowed_output;
    int64_t now_us = clock_mono_us();
    if (!output->progress ||
        (progress->drawn && now_us - progress->drawn_us < REDRAW_US && done != total)) {
        return;
    }
    progress->drawn_us = now_us;
    progress->drawn = true;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c != '\0'; c++) {
        *c = (uint8_t)*c < 0x20 || *c == 0x7f ? '?' : *c;
    }
    char line[TEXT_MAX + BAR_CELLS * 4 + 32] = "";
    size_t at = 0;
    if (total > 0) {
        double share = done >= total ? 1.0 : (double)done / (double)total;
        int full = (int)(share * BAR_CELLS);
        line[at++] = '[';
        for (int i = 0; i < BAR_CELLS; i++) {
            line[at++] = i < full ? '#' : '-';
        }
        at += (size_t)snprintf(line + at, sizeof line - at, "] %3d%%  ", (int)(share * 100));
    }
    snprintf(line + at, sizeof line - at, "%s", text);
    cut_to(line, terminal_columns(output->messages) - 1);
    fprintf(output->messages, "\r%s\033[K", line);
    fflush(output->messages);
}

void output_progress_clear(struct output_progress *progress)
{
    if (progress->drawn) {
        fprintf(progress->borrowed_output->messages, "\r\033[K");
        fflush(progress->borrowed_output->messages);
        progress->drawn = false;
    }
}
