/*
 * What the programs of the confined processes have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Their messages before they are confined, and xen-stubdom-dm's packets after.
 */

#pragma once

#include <sys/types.h>
#include <xentoollog.h>

/* For Xen's libraries: their own messages have nowhere to go once a process is confined; errno says what is needed. */
extern struct xentoollog_logger workerSilentLogger;

/** Has messages in the user's language, for a program that will not serve. */
void workerUseLocale(void);

/** Ends the process: prints "@program: @what: @detail", @what (a literal marked by gettext_noop()) in the user's
 * language. */
_Noreturn void workerFail(const char *program, const char *what, const char *detail);

/**
 * workerReceive:
 * @socket: of packets, from the parent
 * @data: where to put it
 * @size: of @data
 * @fd: (out) (transfer full): the descriptor that came along, or -1
 *
 * Waits for one packet.
 *
 * Returns: its bytes; 0 when the parent has gone; -1 if it, or what came along, is more than there is room for
 */
ssize_t workerReceive(int socket, void *data, size_t size, int *fd);
