/*
 * The log of console 0
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes become lines of printable ASCII, lines go to the file and to a short
 * memory of the latest. A line is written when it is complete, so that two
 * writers of one console never mix within a line. A token bucket bounds what
 * is read from the pty: a stubdomain in a boot prints far less, and one that
 * floods waits in xenconsoled, which drops what it has no room for.
 */

#include "config.h"

#include "dm_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n-lib.h>

#include "dm_error.h"

/* The smallest file that still holds a few lines. */
#define LIMIT_MIN ((gsize)16 * 1024)

/* At most this many bytes are read at a time (a pty holds 4095), and in one dmLogDrain(). */
#define READ_MAX 4096U
#define DRAIN_MAX ((gsize)256 * 1024)

/* All members: main loop only. */
struct _DmLog {
    char *path;
    gsize limit;
    int fd;          /* -1 after it could not be opened anew */
    gsize size;      /* bytes in the file */
    guint64 lost;    /* bytes that could not be written */
    GString *line;   /* sanitised, incomplete, at most DM_LOG_LINE_MAX + one escape */
    guint returns;   /* carriage returns that are perhaps part of a line's end */
    GString *output; /* complete lines on their way to the file */
    GString *tail;   /* complete lines, the latest, at most 2 * DM_LOG_TAIL_MAX */
    int tty;
    guint source;  /* of tty, or the timer while the bucket is empty */
    gint64 tokens; /* bytes that may be read */
    gint64 filled; /* when tokens were last added, in microseconds */
};

static gboolean
openFile(DmLog *log, GError **error)
{
    struct stat status;

    log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    if (log->fd < 0 || fstat(log->fd, &status) != 0) {
        int saved = errno;

        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot open the log '%s': %s"), log->path, g_strerror(saved));
        return FALSE;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot use the log '%s': it is no regular file"), log->path);
        return FALSE;
    }
    log->size = (gsize)status.st_size;
    return TRUE;
}

static void
closeFile(DmLog *log)
{
    if (log->fd >= 0) {
        close(log->fd);
    }
    log->fd = -1;
}

static void
flushOutput(DmLog *log)
{
    gsize done = 0;

    while (log->fd >= 0 && done < log->output->len) {
        gssize count = write(log->fd, log->output->str + done, log->output->len - done);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        done += (gsize)count;
    }
    log->size += done;
    log->lost += log->output->len - done;
    g_string_truncate(log->output, 0);
}

static void
rotate(DmLog *log)
{
    g_autofree char *old = g_strconcat(log->path, ".1", NULL);
    g_autoptr(GError) error = NULL;

    closeFile(log);
    /* If the old one cannot be put away it is cut: bounded before complete. */
    if (rename(log->path, old) != 0 && truncate(log->path, 0) != 0) {
        g_warning("cannot rotate '%s': %s", log->path, g_strerror(errno));
        return;
    }
    if (!openFile(log, &error)) {
        closeFile(log);
        g_warning("%s", error->message);
    }
}

static void
endLine(DmLog *log)
{
    g_string_append_c(log->line, '\n');
    if (log->size + log->output->len + log->line->len > log->limit) {
        flushOutput(log);
        rotate(log);
    }
    g_string_append_len(log->output, log->line->str, (gssize)log->line->len);
    g_string_append_len(log->tail, log->line->str, (gssize)log->line->len);
    if (log->tail->len > 2 * DM_LOG_TAIL_MAX) {
        const char *cut = strchr(log->tail->str + log->tail->len - DM_LOG_TAIL_MAX - 1, '\n');

        g_string_erase(log->tail, 0, cut + 1 - log->tail->str);
    }
    g_string_truncate(log->line, 0);
}

static void
addByte(DmLog *log, guchar byte)
{
    if (byte == '\t' || (byte >= 0x20 && byte < 0x7f)) {
        g_string_append_c(log->line, (char)byte);
    } else {
        g_string_append_printf(log->line, "\\x%02x", byte);
    }
    if (log->line->len >= DM_LOG_LINE_MAX) {
        endLine(log);
    }
}

void
dmLogWrite(DmLog *log, const char *data, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        guchar byte = (guchar)data[i];

        if (byte == '\r') {
            /* A tty makes CR LF of LF, and a second tty CR CR LF; more than that is no line's end. */
            if (log->returns == 2) {
                addByte(log, byte);
            } else {
                log->returns++;
            }
            continue;
        }
        if (byte == '\n') {
            log->returns = 0;
            endLine(log);
            continue;
        }
        for (; log->returns; log->returns--) {
            addByte(log, '\r');
        }
        addByte(log, byte);
    }
    flushOutput(log);
}

static void
refill(DmLog *log)
{
    gint64 now = g_get_monotonic_time();

    log->tokens += (now - log->filled) * DM_LOG_RATE / G_USEC_PER_SEC;
    log->tokens = MIN(log->tokens, (gint64)DM_LOG_BURST);
    log->filled = now;
}

static void
detachTty(DmLog *log)
{
    g_clear_handle_id(&log->source, g_source_remove);
    if (log->tty >= 0) {
        close(log->tty);
    }
    log->tty = -1;
}

/* Returns how many bytes were read, 0 if there are none now, -1 if the pty hung up. */
static gssize
readTty(DmLog *log, gsize max)
{
    char data[READ_MAX];
    gssize count;

    do {
        count = read(log->tty, data, MIN(max, sizeof(data)));
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        dmLogWrite(log, data, (gsize)count);
        return count;
    }
    return count < 0 && errno == EAGAIN ? 0 : -1;
}

static gboolean ttyReadable(gint fd, GIOCondition condition, gpointer opaque);

static gboolean
bucketFilled(gpointer opaque)
{
    DmLog *log = opaque;

    log->source = g_unix_fd_add(log->tty, G_IO_IN | G_IO_HUP | G_IO_ERR, ttyReadable, log);
    return G_SOURCE_REMOVE;
}

static gboolean
ttyReadable(gint fd, GIOCondition condition, gpointer opaque)
{
    DmLog *log = opaque;
    gssize count;

    refill(log);
    if (log->tokens < (gint64)READ_MAX) {
        gint64 missing = (gint64)READ_MAX - log->tokens;

        log->source = g_timeout_add((guint)(missing * 1000 / DM_LOG_RATE + 1), bucketFilled, log);
        return G_SOURCE_REMOVE;
    }
    count = readTty(log, READ_MAX);
    if (count < 0) {
        log->source = 0;
        detachTty(log);
        return G_SOURCE_REMOVE;
    }
    log->tokens -= count;
    return G_SOURCE_CONTINUE;
}

/* xenconsoled's name, but from xenstore: "/dev/pts/" and a number. */
static gboolean
ttyNameValid(const char *tty)
{
    return g_regex_match_simple("^/dev/pts/[0-9]{1,9}$", tty, G_REGEX_DOLLAR_ENDONLY, 0);
}

gboolean
dmLogAttachTty(DmLog *log, const char *tty, GError **error)
{
    struct termios settings;

    detachTty(log);
    if (!ttyNameValid(tty)) {
        g_autofree char *shown = g_strescape(tty, NULL);

        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'%s' is no pty of xenconsoled"), shown);
        return FALSE;
    }
    log->tty = open(tty, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (log->tty < 0 || tcgetattr(log->tty, &settings) != 0) {
        int saved = errno;

        detachTty(log);
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("cannot open console 0 at '%s': %s"), tty, g_strerror(saved));
        return FALSE;
    }
    cfmakeraw(&settings);
    if (tcsetattr(log->tty, TCSANOW, &settings) != 0) {
        g_warning("cannot make '%s' raw: %s", tty, g_strerror(errno));
    }
    log->tokens = DM_LOG_BURST;
    log->filled = g_get_monotonic_time();
    log->source = g_unix_fd_add(log->tty, G_IO_IN | G_IO_HUP | G_IO_ERR, ttyReadable, log);
    return TRUE;
}

void
dmLogDrain(DmLog *log)
{
    gsize left = DRAIN_MAX;
    gssize count = 0;

    while (log->tty >= 0 && left > 0 && (count = readTty(log, left)) > 0) {
        left -= (gsize)count;
    }
    if (count < 0) {
        detachTty(log);
    }
}

char *
dmLogTail(DmLog *log, guint lines)
{
    g_autoptr(GString) text = g_string_new_len(log->tail->str, (gssize)log->tail->len);
    const char *start;

    if (log->line->len) {
        g_string_append_printf(text, "%s\n", log->line->str);
    }
    if (lines == 0 || text->len == 0) {
        return g_strdup("");
    }
    start = text->str + text->len - 1;
    while (start > text->str && !(start[-1] == '\n' && --lines == 0)) {
        start--;
    }
    /* Whole lines only. */
    if (text->str + text->len - start > (gssize)DM_LOG_TAIL_MAX) {
        start = strchr(text->str + text->len - DM_LOG_TAIL_MAX, '\n') + 1;
    }
    return g_strdup(start);
}

guint64
dmLogLost(const DmLog *log)
{
    return log->lost;
}

DmLog *
dmLogOpen(const char *path, gsize limit, GError **error)
{
    DmLog *log = g_new0(DmLog, 1);

    log->path = g_strdup(path);
    log->limit = MAX(limit, LIMIT_MIN);
    log->tty = -1;
    log->line = g_string_new(NULL);
    log->output = g_string_new(NULL);
    log->tail = g_string_new(NULL);
    if (!openFile(log, error)) {
        dmLogClose(log);
        return NULL;
    }
    return log;
}

void
dmLogClose(DmLog *log)
{
    if (!log) {
        return;
    }
    detachTty(log);
    if (log->line->len) {
        endLine(log);
        flushOutput(log);
    }
    closeFile(log);
    g_string_free(log->line, TRUE);
    g_string_free(log->output, TRUE);
    g_string_free(log->tail, TRUE);
    g_free(log->path);
    g_free(log);
}
