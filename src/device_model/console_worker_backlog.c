/*
 * Bytes a pty has not taken yet
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A ring buffer of fixed size, in one allocation of its owner.
 */

#include "console_worker_backlog.h"

#include <string.h>

void
consoleBacklogAdd(ConsoleBacklog *backlog, const char *data, size_t length)
{
    size_t end;
    size_t first;

    if (length > CONSOLE_BACKLOG_SIZE) {
        backlog->dropped += length - CONSOLE_BACKLOG_SIZE;
        data += length - CONSOLE_BACKLOG_SIZE;
        length = CONSOLE_BACKLOG_SIZE;
    }
    if (length > CONSOLE_BACKLOG_SIZE - backlog->length) {
        size_t excess = length - (CONSOLE_BACKLOG_SIZE - backlog->length);

        backlog->dropped += excess;
        consoleBacklogConsume(backlog, excess);
    }
    end = (backlog->start + backlog->length) % CONSOLE_BACKLOG_SIZE;
    first = CONSOLE_BACKLOG_SIZE - end;
    if (first > length) {
        first = length;
    }
    memcpy(backlog->data + end, data, first);
    memcpy(backlog->data, data + first, length - first);
    backlog->length += length;
}

const char *
consoleBacklogPeek(const ConsoleBacklog *backlog, size_t *length)
{
    size_t first = CONSOLE_BACKLOG_SIZE - backlog->start;

    *length = backlog->length < first ? backlog->length : first;
    return backlog->data + backlog->start;
}

void
consoleBacklogConsume(ConsoleBacklog *backlog, size_t length)
{
    if (length > backlog->length) {
        length = backlog->length;
    }
    backlog->start = (backlog->start + length) % CONSOLE_BACKLOG_SIZE;
    backlog->length -= length;
}
