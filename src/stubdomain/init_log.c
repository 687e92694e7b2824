/*
 * Messages of stubdom-init on console 0, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int logFd = STDERR_FILENO; /* main thread only */

void
initLogOpen(const char *path)
{
    int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0)
        logFd = fd;
}

void
initLog(const char *format, ...)
{
    g_autoptr(GString) line = g_string_new(NULL);
    struct timespec now = {0};
    va_list args;

    clock_gettime(CLOCK_BOOTTIME, &now);
    g_string_printf(line, "stubdom-init [%3ld.%02ld] ", (long)now.tv_sec, now.tv_nsec / 10000000L);
    va_start(args, format);
    g_string_append_vprintf(line, format, args);
    va_end(args);

    for (gsize i = 0; i < line->len; i++) {
        if (!g_ascii_isprint(line->str[i]))
            line->str[i] = '?';
    }
    g_string_append_c(line, '\n');

    /* Nobody could be told that console 0 does not take a line. */
    if (write(logFd, line->str, line->len) < 0)
        return;
}

void
initLogDrain(void)
{
    (void)tcdrain(logFd);
}
