/*
 * A worker process, seen from xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The workers handle what a stubdomain says: consoles, the display. Each is
 * started with one end of a socket pair as descriptor 3, sent requests and
 * listened to, a packet at a time. One that ends, or says what it may not say,
 * is dead: it is killed and reported once. Nothing here waits for it, but for
 * its end, and nothing knows what the packets mean.
 */

#pragma once

#include <glib.h>

/* The worker's end of the socket pair. */
#define DM_WORKER_FD 3

/* Longest packet of a worker, in bytes. */
#define DM_WORKER_PACKET_MAX 1024U

typedef struct _DmWorker DmWorker;

/* A packet. FALSE: it may not say that. May not free the worker. */
typedef gboolean (*DmWorkerPacketFunc)(gconstpointer data, gsize length, gpointer opaque);

/* The worker is dead; @reason is a sentence for people. May not free the worker. */
typedef void (*DmWorkerDiedFunc)(const char *reason, gpointer opaque);

/**
 * dmWorkerStart:
 * @what: what it is called in messages: "the console worker"
 * @argv: program and arguments
 * @alone: if we are root, it is process 1 of a PID namespace of its own; of signals that are sent to it only SIGKILL
 *         ends it then
 *
 * Returns: (transfer full): free with dmWorkerFree(); NULL with DM_ERROR_SYSTEM
 */
DmWorker *dmWorkerStart(const char *what, const char *const *argv, gboolean alone, DmWorkerPacketFunc packet,
                        DmWorkerDiedFunc died, gpointer opaque, GError **error);

/** Closes the socket, gives it half a second to end, and ends it. NULL is allowed. */
void dmWorkerFree(DmWorker *worker);

/**
 * dmWorkerSend:
 * @fd: (transfer none): sent along, -1: none
 *
 * Returns: FALSE with DM_ERROR_SYSTEM if it is dead or does not take requests any more
 */
gboolean dmWorkerSend(DmWorker *worker, gconstpointer data, gsize length, int fd, GError **error);

/**
 * dmWorkerSocket:
 *
 * A worker that may outlive us lives as long as this socket is open in any
 * process, or until dmWorkerFree().
 *
 * Returns: (transfer none): -1 when it is dead
 */
int dmWorkerSocket(const DmWorker *worker);

/** Its process id, or 0 when it is dead; for people and tests. */
GPid dmWorkerPid(const DmWorker *worker);
