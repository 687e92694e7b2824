/*
 * Xenstore, on the main loop
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thin layer over libxenstore: GError, watches as callbacks from the GLib
 * main loop, transactions that are retried. It knows no path. Calls wait for
 * xenstored, which dom0 trusts, and never for a stubdomain.
 */

#pragma once

#include <glib.h>

typedef struct _DmStore DmStore;
typedef struct _DmStoreWatch DmStoreWatch;

/* Called from the main loop when something at or below the watched @path changed; @changed is the node that did. */
typedef void (*DmStoreWatchFunc)(const char *changed, gpointer opaque);

/* Called once when xenstored went away: nothing of the store works from then on. */
typedef void (*DmStoreLostFunc)(gpointer opaque);

/* The body of a transaction; may run more than once, so it has no other effects. */
typedef gboolean (*DmStoreBody)(DmStore *store, gpointer opaque, GError **error);

/**
 * dmStoreOpen:
 * @lost: called from the main loop when the connection breaks, may be NULL
 *
 * Connects to xenstored ($XENSTORED_PATH or its usual socket).
 *
 * Returns: (transfer full): free with dmStoreClose(); NULL with DM_ERROR_XENSTORE
 */
DmStore *dmStoreOpen(DmStoreLostFunc lost, gpointer opaque, GError **error);

/** Removes all watches and closes. NULL is allowed. */
void dmStoreClose(DmStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmStore, dmStoreClose)

/**
 * dmStoreRead:
 * @length: (out) (optional): bytes of the value; it may have NUL bytes inside
 *
 * Returns: (transfer full): the value with a NUL added; NULL with
 *   DM_ERROR_NOT_FOUND or DM_ERROR_XENSTORE. At most 4096 bytes long
 *   (XENSTORE_PAYLOAD_MAX).
 */
char *dmStoreRead(DmStore *store, const char *path, gsize *length, GError **error);

/**
 * dmStoreReadNumber:
 * @max: largest value accepted
 *
 * Reads a decimal number, digits only. Anything else is DM_ERROR_STUBDOMAIN,
 * with the sanitised value in the message.
 */
gboolean dmStoreReadNumber(DmStore *store, const char *path, guint64 max, guint64 *value, GError **error);

gboolean dmStoreWrite(DmStore *store, const char *path, const char *value, GError **error);

/**
 * dmStoreMake:
 * @owner: domain that owns the node and has all rights
 * @reader: domain that may read it, or -1
 *
 * Writes @value (NULL: only makes the node) and sets the permissions, which
 * nodes below inherit when dom0 makes them.
 */
gboolean dmStoreMake(DmStore *store, const char *path, const char *value, guint owner, int reader, GError **error);

/** Removes @path and all below; TRUE too when it was not there. */
gboolean dmStoreRemove(DmStore *store, const char *path, GError **error);

/** Removes …/backend/TYPE/DOMID/DEVID, and those of its parents that are empty then. In a transaction. */
gboolean dmStoreRemoveBackend(DmStore *store, const char *path, GError **error);

/** The names right below @path, NULL-terminated and sorted; empty if there is no such node. */
char **dmStoreList(DmStore *store, const char *path, GError **error);

/** Runs @body in a transaction, again as long as xenstored asks for it (at most 32 times). Nesting is an error. */
gboolean dmStoreTransaction(DmStore *store, DmStoreBody body, gpointer opaque, GError **error);

/**
 * dmStoreWatch:
 *
 * Watches @path ("@releaseDomain" too). @func is called from the main loop,
 * first once without a change, as xenstored does.
 *
 * Returns: (transfer full): free with dmStoreUnwatch()
 */
DmStoreWatch *dmStoreWatch(DmStore *store, const char *path, DmStoreWatchFunc func, gpointer opaque, GError **error);

/** Ends a watch; its callback is not called any more. NULL is allowed. May be called from the callback. */
void dmStoreUnwatch(DmStoreWatch *watch);

/** Tells xenstored that @stubdomain has the rights of @guest (xs_set_target). Both must be introduced. */
gboolean dmStoreSetTarget(DmStore *store, guint stubdomain, guint guest, GError **error);
