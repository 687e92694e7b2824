/*
 * Client of xen-stubdom-dm's socket
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * /run/xen-stubdom/DOMID/qmp speaks QMP: what the driver needs of a device
 * model beyond what libxl does, and events. The table of commands is
 * dmCommandsDriver of src/device_model/dm_commands.c. The process at the other
 * end is trusted, and bounded all the same.
 */

#pragma once

#include "internal.h"
#include "virjson.h"

typedef struct _StubdomMonitor StubdomMonitor;

/* Both are called in the thread of the context's loop, with nothing locked, and may not wait. */
typedef struct {
    /* @data: or NULL; only valid during the call. */
    void (*event)(StubdomMonitor *monitor, const char *name, virJSONValue *data, void *opaque);
    /* The other end closed the connection, or broke the protocol. Not called after stubdomMonitorClose(). */
    void (*end)(StubdomMonitor *monitor, void *opaque);
} StubdomMonitorCallbacks;

/**
 * stubdomMonitorOpen: connects to @path.
 * @context: whose loop reads and writes
 * @opaque: passed to @callbacks, and freed with @destroy with the last reference
 *
 * Never waits: a socket nobody listens on is an error at once.
 *
 * Returns it, to be ended with stubdomMonitorClose(), or NULL with an error reported; then @opaque is freed already.
 */
StubdomMonitor *stubdomMonitorOpen(const char *path, GMainContext *context, const StubdomMonitorCallbacks *callbacks,
                                   void *opaque, GDestroyNotify destroy);

/**
 * stubdomMonitorClose: closes the connection and drops the caller's reference. Commands under way fail. NULL is
 * allowed.
 */
void stubdomMonitorClose(StubdomMonitor *monitor);

/**
 * stubdomMonitorRef, stubdomMonitorUnref: a reference for a thread that uses it with the domain unlocked.
 */
StubdomMonitor *stubdomMonitorRef(StubdomMonitor *monitor);
void stubdomMonitorUnref(StubdomMonitor *monitor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomMonitor, stubdomMonitorUnref)

/**
 * stubdomMonitorCommand: sends a command and waits for its answer.
 * @arguments: an object, taken and cleared in any case; or NULL
 * @seconds: until an answer must be there
 * @result: set to what was returned, to be freed with virJSONValueFree(); or NULL
 *
 * Waits, so never with a domain object locked: the domain is protected by a job. An answer that comes later is dropped.
 * Several threads may have commands under way.
 *
 * Returns 0, or -1 with an error reported: VIR_ERR_OPERATION_TIMEOUT, VIR_ERR_OPERATION_FAILED with the device model's
 * reason, or VIR_ERR_OPERATION_ABORTED when the connection ended.
 */
int stubdomMonitorCommand(StubdomMonitor *monitor, const char *command, virJSONValue **arguments, unsigned int seconds,
                          virJSONValue **result);

/**
 * stubdomMonitorCommandFd: the same, with a file descriptor for the device model (SCM_RIGHTS).
 * @fd: stays the caller's; or -1
 */
int stubdomMonitorCommandFd(StubdomMonitor *monitor, const char *command, virJSONValue **arguments, int fd,
                            unsigned int seconds, virJSONValue **result);
