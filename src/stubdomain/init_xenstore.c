/*
 * The stubdomain's connection to xenstore, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_xenstore.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "init_error.h"

typedef struct {
    InitXenstoreChanged changed;
    gpointer data;
} StoreWatch;

struct InitXenstore {
    struct xs_handle *xs;
    guint source;
    GPtrArray *watches; /* of StoreWatch; the index is the token */
};

static void
storeError(GError **error, const char *verb, const char *path)
{
    int number = errno;

    g_set_error(error, INIT_ERROR, INIT_ERROR_XENSTORE, "cannot %s xenstore node %s: %s", verb, path,
                g_strerror(number));
}

static void
storeDispatch(InitXenstore *store, char **event)
{
    guint64 token = 0;

    if (g_ascii_string_to_unsigned(event[XS_WATCH_TOKEN], 10, 0, G_MAXUINT, &token, NULL) &&
        token < store->watches->len) {
        StoreWatch *watch = g_ptr_array_index(store->watches, token);

        watch->changed(watch->data);
    }
    free(event);
}

static gboolean
storeReadable(gint fd, GIOCondition condition, gpointer data)
{
    InitXenstore *store = data;
    char **event = NULL;

    while ((event = xs_check_watch(store->xs)))
        storeDispatch(store, event);
    return G_SOURCE_CONTINUE;
}

InitXenstore *
initXenstoreOpen(GError **error)
{
    g_autoptr(InitXenstore) store = g_new0(InitXenstore, 1);

    store->watches = g_ptr_array_new_with_free_func(g_free);
    store->xs = xs_open(0);
    if (!store->xs) {
        g_set_error(error, INIT_ERROR, INIT_ERROR_XENSTORE, "cannot reach xenstore: %s", g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&store);
}

void
initXenstoreClose(InitXenstore *store)
{
    if (!store)
        return;
    if (store->source != 0)
        g_source_remove(store->source);
    if (store->xs)
        xs_close(store->xs);
    g_ptr_array_unref(store->watches);
    g_free(store);
}

char *
initXenstoreRead(InitXenstore *store, const char *path, gsize *length, GError **error)
{
    unsigned int size = 0;
    char *raw = xs_read(store->xs, XBT_NULL, path, &size);
    char *value = NULL;

    if (!raw) {
        storeError(error, "read", path);
        return NULL;
    }
    value = g_malloc((gsize)size + 1);
    memcpy(value, raw, size);
    value[size] = '\0';
    free(raw);
    if (length)
        *length = size;
    return value;
}

char *
initXenstoreReadOptional(InitXenstore *store, const char *path)
{
    return initXenstoreRead(store, path, NULL, NULL);
}

static gint
compareNames(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
initXenstoreList(InitXenstore *store, const char *path)
{
    unsigned int count = 0;
    char **raw = xs_directory(store->xs, XBT_NULL, path, &count);
    GPtrArray *names = g_ptr_array_new();

    for (unsigned int i = 0; raw && i < count; i++)
        g_ptr_array_add(names, g_strdup(raw[i]));
    free(raw);
    g_ptr_array_sort(names, compareNames);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

gboolean
initXenstoreWrite(InitXenstore *store, const char *path, const char *value, GError **error)
{
    if (!xs_write(store->xs, XBT_NULL, path, value, (unsigned int)strlen(value))) {
        storeError(error, "write", path);
        return FALSE;
    }
    return TRUE;
}

gboolean
initXenstoreRemove(InitXenstore *store, const char *path, GError **error)
{
    if (!xs_rm(store->xs, XBT_NULL, path)) {
        storeError(error, "remove", path);
        return FALSE;
    }
    return TRUE;
}

gboolean
initXenstoreWatch(InitXenstore *store, const char *path, InitXenstoreChanged changed, gpointer data, GError **error)
{
    StoreWatch *watch = g_new0(StoreWatch, 1);
    g_autofree char *token = g_strdup_printf("%u", store->watches->len);

    watch->changed = changed;
    watch->data = data;
    g_ptr_array_add(store->watches, watch);
    if (!xs_watch(store->xs, path, token)) {
        storeError(error, "watch", path);
        return FALSE;
    }
    /* libxenstore starts its reader thread with the first watch; only then has it a descriptor to wait on. */
    if (store->source == 0)
        store->source = g_unix_fd_add(xs_fileno(store->xs), G_IO_IN, storeReadable, store);
    return TRUE;
}
