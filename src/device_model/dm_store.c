/*
 * Xenstore, on the main loop
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxenstore reads the socket in a thread of its own once a watch is set and
 * signals watch events through a pipe, which is a source of the main loop here.
 * Each watch has a number of ours as its token, so a late event of a watch that
 * is gone finds nobody.
 */

#include "config.h"

#include "dm_store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <xenstore.h>
#include <xenstore_lib.h>

#include "dm_error.h"
#include "protocol/stubdom_command.h"

/* How often a transaction is tried again when others were in its way. */
#define TRANSACTION_TRIES 32

struct _DmStoreWatch {
    DmStore *store;        /* immutable */
    char *path;            /* immutable */
    char *token;           /* immutable: key in DmStore.watches */
    DmStoreWatchFunc func; /* immutable */
    gpointer opaque;       /* immutable */
};

/* All members: main loop only. */
struct _DmStore {
    struct xs_handle *xs;
    xs_transaction_t transaction;
    GHashTable *watches; /* token -> DmStoreWatch, not owned */
    guint source;
    int sentinel; /* a connection that only notices the end of xenstored, or -1 */
    guint sentinelSource;
    guint64 nextToken;
    DmStoreLostFunc lost;
    gpointer opaque;
};

static void
setStoreError(GError **error, const char *what, const char *path)
{
    int saved = errno;

    if (saved == ENOENT) {
        g_set_error(error, DM_ERROR, DM_ERROR_NOT_FOUND, _("there is no xenstore node '%s'"), path);
    } else {
        g_set_error(error, DM_ERROR, DM_ERROR_XENSTORE, _("cannot %s xenstore node '%s': %s"), what, path,
                    g_strerror(saved));
    }
}

static void
storeIsLost(DmStore *store)
{
    DmStoreLostFunc lost = store->lost;

    store->lost = NULL;
    if (lost) {
        lost(store->opaque);
    }
}

static gboolean
sentinelReadable(gint fd, GIOCondition condition, gpointer opaque)
{
    DmStore *store = opaque;

    store->sentinelSource = 0;
    storeIsLost(store);
    return G_SOURCE_REMOVE;
}

/*
 * libxenstore does not tell when its connection breaks: its thread closes the
 * socket and nothing becomes readable. A second connection that says nothing
 * hears it. Without a socket (xenstored in a domain of its own) there is none.
 */
static void
openSentinel(DmStore *store)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    store->sentinel = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (store->sentinel < 0) {
        return;
    }
    g_strlcpy(address.sun_path, xs_daemon_socket(), sizeof(address.sun_path));
    if (connect(store->sentinel, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        store->sentinelSource = g_unix_fd_add(store->sentinel, G_IO_IN | G_IO_HUP | G_IO_ERR, sentinelReadable, store);
    }
}

/* One event a turn: a callback may close the store or drop other watches. */
static gboolean
storeReadable(gint fd, GIOCondition condition, gpointer opaque)
{
    DmStore *store = opaque;
    g_autofree char **event = NULL;
    DmStoreWatch *watch;

    errno = 0;
    event = xs_check_watch(store->xs);
    if (!event) {
        if (errno == EAGAIN && !(condition & (G_IO_HUP | G_IO_ERR))) {
            return G_SOURCE_CONTINUE;
        }
        store->source = 0;
        storeIsLost(store);
        return G_SOURCE_REMOVE;
    }
    watch = g_hash_table_lookup(store->watches, event[XS_WATCH_TOKEN]);
    if (watch) {
        watch->func(event[XS_WATCH_PATH], watch->opaque);
    }
    return G_SOURCE_CONTINUE;
}

DmStore *
dmStoreOpen(DmStoreLostFunc lost, gpointer opaque, GError **error)
{
    struct xs_handle *xs = xs_open(0);
    DmStore *store;

    if (!xs) {
        g_set_error(error, DM_ERROR, DM_ERROR_XENSTORE,
                    _("cannot connect to xenstored: %s; is this the Xen toolstack domain and is xenstored running?"),
                    g_strerror(errno));
        return NULL;
    }
    store = g_new0(DmStore, 1);
    store->xs = xs;
    store->transaction = XBT_NULL;
    store->watches = g_hash_table_new(g_str_hash, g_str_equal);
    store->lost = lost;
    store->opaque = opaque;
    store->source = g_unix_fd_add(xs_fileno(xs), G_IO_IN | G_IO_HUP | G_IO_ERR, storeReadable, store);
    openSentinel(store);
    return store;
}

static void
watchFree(DmStoreWatch *watch)
{
    g_free(watch->path);
    g_free(watch->token);
    g_free(watch);
}

void
dmStoreClose(DmStore *store)
{
    if (!store) {
        return;
    }
    /* Owners drop their watches first; one that does not is a programming error. */
    g_warn_if_fail(g_hash_table_size(store->watches) == 0);
    if (store->source) {
        g_source_remove(store->source);
    }
    xs_close(store->xs);
    g_clear_handle_id(&store->sentinelSource, g_source_remove);
    if (store->sentinel >= 0) {
        close(store->sentinel);
    }
    g_hash_table_unref(store->watches);
    g_free(store);
}

char *
dmStoreRead(DmStore *store, const char *path, gsize *length, GError **error)
{
    unsigned int bytes = 0;
    char *value = xs_read(store->xs, store->transaction, path, &bytes);
    char *copy;

    if (!value) {
        setStoreError(error, "read", path);
        return NULL;
    }
    copy = g_malloc0((gsize)bytes + 1);
    memcpy(copy, value, bytes);
    free(value);
    if (length) {
        *length = bytes;
    }
    return copy;
}

gboolean
dmStoreReadNumber(DmStore *store, const char *path, guint64 max, guint64 *value, GError **error)
{
    gsize length;
    g_autofree char *text = dmStoreRead(store, path, &length, error);
    g_autofree char *shown = NULL;

    if (!text) {
        return FALSE;
    }
    if (strlen(text) == length && g_ascii_string_to_unsigned(text, 10, 0, max, value, NULL)) {
        return TRUE;
    }
    shown = stubdomTextSanitize(text, length, STUBDOM_VALUE_MAX);
    g_set_error(error, DM_ERROR, DM_ERROR_STUBDOMAIN,
                _("xenstore node '%s' has the value '%s' where a number up to %" PRIu64 " belongs"), path, shown, max);
    return FALSE;
}

gboolean
dmStoreWrite(DmStore *store, const char *path, const char *value, GError **error)
{
    if (!xs_write(store->xs, store->transaction, path, value, (unsigned int)strlen(value))) {
        setStoreError(error, "write", path);
        return FALSE;
    }
    return TRUE;
}

gboolean
dmStoreMake(DmStore *store, const char *path, const char *value, guint owner, int reader, GError **error)
{
    struct xs_permissions perms[2] = {
        {.id = owner, .perms = XS_PERM_NONE},
        {.id = (unsigned int)MAX(reader, 0), .perms = XS_PERM_READ},
    };

    if (value ? !xs_write(store->xs, store->transaction, path, value, (unsigned int)strlen(value))
              : !xs_mkdir(store->xs, store->transaction, path)) {
        setStoreError(error, "make", path);
        return FALSE;
    }
    if (!xs_set_permissions(store->xs, store->transaction, path, perms, reader < 0 ? 1 : 2)) {
        setStoreError(error, "set the permissions of", path);
        return FALSE;
    }
    return TRUE;
}

gboolean
dmStoreRemove(DmStore *store, const char *path, GError **error)
{
    if (!xs_rm(store->xs, store->transaction, path) && errno != ENOENT) {
        setStoreError(error, "remove", path);
        return FALSE;
    }
    return TRUE;
}

static int
compareNames(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **
dmStoreList(DmStore *store, const char *path, GError **error)
{
    unsigned int count = 0;
    char **list;
    char **raw = xs_directory(store->xs, store->transaction, path, &count);

    if (!raw && errno != ENOENT) {
        setStoreError(error, "list", path);
        return NULL;
    }
    list = g_new0(char *, (gsize)count + 1);
    for (unsigned int i = 0; raw && i < count; i++) {
        list[i] = g_strdup(raw[i]);
    }
    free(raw);
    if (count > 1) {
        qsort(list, count, sizeof(*list), compareNames);
    }
    return list;
}

/* xenstored makes a node's parents with it, but does not remove them. */
gboolean
dmStoreRemoveBackend(DmStore *store, const char *path, GError **error)
{
    g_autofree char *parent = g_strdup(path);

    if (!dmStoreRemove(store, path, error)) {
        return FALSE;
    }
    for (int i = 0; i < 3; i++) { /* the domain, the type, "backend" */
        g_auto(GStrv) names = NULL;

        *strrchr(parent, '/') = '\0';
        names = dmStoreList(store, parent, error);
        if (!names) {
            return FALSE;
        }
        if (*names) {
            return TRUE;
        }
        if (!dmStoreRemove(store, parent, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
dmStoreTransaction(DmStore *store, DmStoreBody body, gpointer opaque, GError **error)
{
    g_return_val_if_fail(store->transaction == XBT_NULL, FALSE);

    for (int i = 0; i < TRANSACTION_TRIES; i++) {
        xs_transaction_t transaction;
        gboolean ok;

        store->transaction = xs_transaction_start(store->xs);
        if (store->transaction == XBT_NULL) {
            break;
        }
        ok = body(store, opaque, error);
        transaction = store->transaction;
        store->transaction = XBT_NULL;
        if (xs_transaction_end(store->xs, transaction, !ok) || !ok) {
            return ok;
        }
        if (errno != EAGAIN) {
            break;
        }
    }
    g_set_error(error, DM_ERROR, DM_ERROR_XENSTORE, _("a xenstore transaction failed: %s"), g_strerror(errno));
    return FALSE;
}

DmStoreWatch *
dmStoreWatch(DmStore *store, const char *path, DmStoreWatchFunc func, gpointer opaque, GError **error)
{
    DmStoreWatch *watch = g_new0(DmStoreWatch, 1);

    watch->store = store;
    watch->path = g_strdup(path);
    watch->token = g_strdup_printf("xen-stubdom-%" G_GUINT64_FORMAT, store->nextToken++);
    watch->func = func;
    watch->opaque = opaque;
    g_hash_table_insert(store->watches, watch->token, watch);
    if (!xs_watch(store->xs, path, watch->token)) {
        setStoreError(error, "watch", path);
        g_hash_table_remove(store->watches, watch->token);
        watchFree(watch);
        return NULL;
    }
    return watch;
}

void
dmStoreUnwatch(DmStoreWatch *watch)
{
    if (!watch) {
        return;
    }
    (void)xs_unwatch(watch->store->xs, watch->path, watch->token);
    g_hash_table_remove(watch->store->watches, watch->token);
    watchFree(watch);
}

gboolean
dmStoreSetTarget(DmStore *store, guint stubdomain, guint guest, GError **error)
{
    if (!xs_set_target(store->xs, stubdomain, guest)) {
        g_set_error(error, DM_ERROR, DM_ERROR_XENSTORE,
                    _("xenstored refused to give stubdomain %u the rights of guest %u: %s"), stubdomain, guest,
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}
