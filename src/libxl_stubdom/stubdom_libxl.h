/*
 * A context of libxl, with what it logs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl holds its context's lock while it builds, saves or destroys a domain.
 * So there is one context for questions, which the driver has open all the
 * time, one for events (stubdom_events.h), and one of its own for each call
 * that may take long.
 */

#pragma once

#include <libxl.h>
#include <libxl_event.h>

#include "internal.h"

typedef struct {
    libxl_ctx *ctx;            /* immutable pointer, self-locking */
    xentoollog_logger *logger; /* immutable pointer, self-locking */
} StubdomLibxl;

/**
 * stubdomLibxlOpen: a new context.
 *
 * Its children are reaped as those of the stock driver's in the same process
 * (libxl_sigchld_owner_libxl_always_selective_reap, libxl_event.h).
 *
 * Returns it, to be freed with stubdomLibxlClose(), or NULL with an error reported: this is no Xen host, or we are not
 * root, or xenstored does not run.
 */
StubdomLibxl *stubdomLibxlOpen(void);

/**
 * stubdomLibxlOpenInLoop: the same for a context that is driven by an event loop.
 * @hooks: what libxl calls to have something waited for; must outlive the context
 * @opaque: passed to @hooks
 */
StubdomLibxl *stubdomLibxlOpenInLoop(const libxl_osevent_hooks *hooks, void *opaque);

/**
 * stubdomLibxlClose: frees @libxl, which may be NULL. No call may be under way.
 */
void stubdomLibxlClose(StubdomLibxl *libxl);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StubdomLibxl, stubdomLibxlClose)

/**
 * stubdomLibxlError: reports the failure of a call of libxl.
 * @libxl: the context it was made with
 * @rc: what it returned
 * @what: what could not be done, as a translated sentence without a full stop
 *
 * The report has what libxl logged as errors on this context since it was opened or last reported on, bounded. On a
 * context others use too, their errors may be among it.
 */
void stubdomLibxlError(StubdomLibxl *libxl, int rc, const char *what);

/**
 * stubdomLibxlErrorText: the same text for a message that is put together elsewhere.
 *
 * Returns a string to be freed with g_free().
 */
char *stubdomLibxlErrorText(StubdomLibxl *libxl, int rc);

/**
 * stubdomLibxlFindNic: a domain's network card with a MAC.
 * @nic: initialised; to be disposed of in any case
 *
 * libxl_mac_to_device_nic() does the same, and keeps what it has read of all cards for good (libxl_nic.c of 4.17).
 *
 * Returns whether there is one.
 */
bool stubdomLibxlFindNic(StubdomLibxl *libxl, uint32_t domid, const char *mac, libxl_device_nic *nic);
