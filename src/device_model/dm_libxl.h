/*
 * libxl on the main loop
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A libxl context whose events and asynchronous operations run in the GLib
 * main loop, and whose messages go to our log with the last errors kept, so
 * that a failure can say what libxl said.
 */

#pragma once

#include <glib.h>
#include <libxl.h>

typedef struct _DmLibxl DmLibxl;

/* An operation ended; @error is NULL on success (transfer none). */
typedef void (*DmLibxlFunc)(const GError *error, gpointer opaque);

/**
 * dmLibxlOpen:
 *
 * Returns: (transfer full): free with dmLibxlClose(); NULL with DM_ERROR_XEN
 */
DmLibxl *dmLibxlOpen(GError **error);

/**
 * dmLibxlOpenThread:
 *
 * A context for the calling thread alone, in which libxl's calls block: for
 * those of its operations that wait for a domain before they return, although
 * they are called asynchronous. No dmLibxlBegin() with it.
 *
 * Returns: (transfer full): free with dmLibxlClose(); NULL with DM_ERROR_XEN
 */
DmLibxl *dmLibxlOpenThread(GError **error);
void dmLibxlClose(DmLibxl *libxl);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmLibxl, dmLibxlClose)

libxl_ctx *dmLibxlContext(DmLibxl *libxl);

/** An operation of libxl in work. */
typedef struct _DmLibxlOperation DmLibxlOperation;

/**
 * dmLibxlBegin:
 * @what: for messages: "create the stubdomain"; copied
 * @func: called once from the main loop when the operation ends
 *
 * Prepares an asynchronous call. Pass dmLibxlHow() to libxl and hand what
 * libxl returned to dmLibxlStarted() at once.
 */
DmLibxlOperation *dmLibxlBegin(DmLibxl *libxl, const char *what, DmLibxlFunc func, gpointer opaque);
const libxl_asyncop_how *dmLibxlHow(const DmLibxlOperation *operation);

/** When @rc says that libxl did not even start, @func is called from the main loop with the error. */
void dmLibxlStarted(DmLibxlOperation *operation, int rc);

/**
 * dmLibxlDomainInfo:
 * @info: (out): to be disposed by the caller if TRUE is returned
 *
 * Asks Xen about a domain that may be gone; that it is, is no error to log.
 *
 * Returns: whether it exists, perhaps dying
 */
gboolean dmLibxlDomainInfo(DmLibxl *libxl, guint domid, libxl_dominfo *info);

/** Makes an error from @rc with what libxl logged last. */
void dmLibxlSetError(DmLibxl *libxl, GError **error, const char *what, int rc);
