/*
 * The stubdomain's connection to xenstore
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxenstore over /dev/xen/xenbus in the main loop. Relative paths are below
 * the stubdomain's own /local/domain/S, as everywhere in xenstore. Reads and
 * writes block for one round trip to xenstored, which the whole stubdomain
 * depends on anyway; watches are events of the main loop.
 */

#pragma once

#include <glib.h>

typedef struct InitXenstore InitXenstore;

/* Something at or below a watched path may have changed. */
typedef void (*InitXenstoreChanged)(gpointer data);

/**
 * initXenstoreOpen:
 * @error: where to store INIT_ERROR_XENSTORE
 *
 * Returns: (transfer full): free with initXenstoreClose(), or NULL
 */
InitXenstore *initXenstoreOpen(GError **error);

/** Closes the connection; its watches end with it. */
void initXenstoreClose(InitXenstore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitXenstore, initXenstoreClose)

/**
 * initXenstoreRead:
 * @path: the node
 * @length: (out) (optional): bytes in the value
 * @error: where to store INIT_ERROR_XENSTORE; its message has the path
 *
 * Returns: (transfer full): the value, NUL-terminated, or NULL
 */
char *initXenstoreRead(InitXenstore *store, const char *path, gsize *length, GError **error);

/**
 * initXenstoreReadOptional:
 *
 * As initXenstoreRead() for a node that need not be there: a missing one is no error.
 *
 * Returns: (transfer full) (nullable): the value or NULL
 */
char *initXenstoreReadOptional(InitXenstore *store, const char *path);

/**
 * initXenstoreList:
 * @path: a directory
 *
 * Returns: (transfer full): names of its children, sorted by strcmp(), empty
 *   if it has none or does not exist
 */
char **initXenstoreList(InitXenstore *store, const char *path);

/** Writes @value to @path; FALSE with INIT_ERROR_XENSTORE if refused. */
gboolean initXenstoreWrite(InitXenstore *store, const char *path, const char *value, GError **error);

/** Removes @path; FALSE with INIT_ERROR_XENSTORE if refused. */
gboolean initXenstoreRemove(InitXenstore *store, const char *path, GError **error);

/**
 * initXenstoreWatch:
 * @path: what to watch
 * @changed: called once soon after this call and then at each change
 * @data: for @changed; must live as long as @store
 * @error: where to store INIT_ERROR_XENSTORE
 *
 * Returns: TRUE if the watch is set
 */
gboolean initXenstoreWatch(InitXenstore *store, const char *path, InitXenstoreChanged changed, gpointer data,
                           GError **error);
