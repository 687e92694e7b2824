/*
 * Bytes a pty has not taken yet
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bounded queue whose oldest bytes give way to new ones, so that a guest
 * goes on when nobody looks at its serial port and whoever looks later sees
 * the latest output (what xenconsoled does for console 0). No I/O.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#define CONSOLE_BACKLOG_SIZE 65536U

typedef struct {
    size_t start;     /* index of the oldest byte, below CONSOLE_BACKLOG_SIZE */
    size_t length;    /* bytes held */
    uint64_t dropped; /* bytes that gave way */
    char data[CONSOLE_BACKLOG_SIZE];
} ConsoleBacklog;

/** Adds bytes; the oldest give way. */
void consoleBacklogAdd(ConsoleBacklog *backlog, const char *data, size_t length);

/**
 * consoleBacklogPeek:
 * @length: (out): bytes in one piece from the oldest on, 0 if there are none
 *
 * Returns: (transfer none): where they are
 */
const char *consoleBacklogPeek(const ConsoleBacklog *backlog, size_t *length);

/** Removes the @length oldest bytes, at most what is held. */
void consoleBacklogConsume(ConsoleBacklog *backlog, size_t length);
