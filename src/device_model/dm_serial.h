/*
 * The dom0 ends of a guest's serial ports
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Turns what libxl's `serial` names (QEMU's -serial syntax: null, none, pty,
 * file:PATH, unix:PATH[,server][,nowait|,wait=off|on], tcp:HOST:PORT[,server][,nowait…][,nodelay],
 * and PATH of a character device) into file descriptors. It moves no bytes:
 * that is the console worker's work.
 *
 * The guest's start never waits for a client: "wait" is taken as "nowait" with
 * a warning. A listening end takes numeric addresses and "localhost" only,
 * since looking up a name would wait.
 */

#pragma once

#include <glib.h>

typedef struct _DmSerial DmSerial;

/*
 * Called from the main loop, never from dmSerialStart(), when a peer is there:
 * @fd becomes the callee's; it is -1 for null. For pty, file, null and devices
 * it is called once. Sockets call it for each client or connection, one at a
 * time: a second client waits in the listen queue until dmSerialPeerClosed().
 */
typedef void (*DmSerialPeerFunc)(DmSerial *serial, int fd, gpointer opaque);

/**
 * dmSerialNew:
 * @spec: as libxl names it
 *
 * Only parses. Kinds that need QEMU's own (stdio, vc, mon:, udp:, telnet …) are
 * DM_ERROR_UNSUPPORTED with the kinds that work in the message; an address or
 * path that cannot be used is DM_ERROR_ARGUMENT.
 *
 * Returns: (transfer full): free with dmSerialFree()
 */
DmSerial *dmSerialNew(const char *spec, GError **error);
void dmSerialFree(DmSerial *serial); /* closes, removes a listening socket's file */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmSerial, dmSerialFree)

/** Opens it: makes the pty, opens or creates the file (append, 0600), listens or connects (asynchronously, again after
 * a second when the peer refuses). */
gboolean dmSerialStart(DmSerial *serial, DmSerialPeerFunc func, gpointer opaque, GError **error);

/** Call when the peer's fd was closed by its user (EOF), so that the next client or connection is taken. */
void dmSerialPeerClosed(DmSerial *serial);

/** Path of the pty's other end ("/dev/pts/3") once started, or NULL for other kinds. */
const char *dmSerialTty(const DmSerial *serial);

/** QEMU's name of the chardev, for query-chardev: "pty:/dev/pts/3", "file", "null", "unix:…" … (transfer full). */
char *dmSerialFilename(const DmSerial *serial);
