/*
 * Xenstore nodes of a PV console
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Permissions: the frontend directory and what the frontend may change belong
 * to the stubdomain, what it may only read belongs to dom0, as does the backend
 * directory. Nodes without permissions of their own have their directory's.
 */

#include "config.h"

#include "dm_console_nodes.h"

#include "protocol/stubdom_paths.h"

/* libxl's LIBXL_XENCONSOLE_LIMIT and LIBXL_XENCONSOLE_PROTOCOL. */
#define CONSOLE_LIMIT "1048576"
#define CONSOLE_PROTOCOL "vt100"

/* immutable */
typedef struct {
    guint stubdomain;
    const char *frontend;
    const char *backend;
    const char *record;
    const char *output;
    const char *tty;
} Nodes;

static gboolean
writeBelow(DmStore *store, const char *directory, const char *name, const char *value, GError **error)
{
    g_autofree char *path = g_strconcat(directory, "/", name, NULL);

    return dmStoreWrite(store, path, value, error);
}

static gboolean
makeBelow(DmStore *store, const char *directory, const char *name, const char *value, guint owner, guint reader,
          GError **error)
{
    g_autofree char *path = g_strconcat(directory, "/", name, NULL);

    return dmStoreMake(store, path, value, owner, (int)reader, error);
}

static gboolean
writeFrontend(DmStore *store, const Nodes *nodes, GError **error)
{
    const guint owner = nodes->stubdomain;

    return dmStoreRemove(store, nodes->frontend, error) && dmStoreMake(store, nodes->frontend, NULL, owner, 0, error) &&
           writeBelow(store, nodes->frontend, "backend", nodes->backend, error) &&
           makeBelow(store, nodes->frontend, "backend-id", "0", owner, 0, error) &&
           makeBelow(store, nodes->frontend, "state", "1", owner, 0, error) &&
           makeBelow(store, nodes->frontend, "protocol", CONSOLE_PROTOCOL, owner, 0, error) &&
           makeBelow(store, nodes->frontend, "limit", CONSOLE_LIMIT, 0, owner, error) &&
           makeBelow(store, nodes->frontend, "type", "ioemu", 0, owner, error) &&
           makeBelow(store, nodes->frontend, "output", nodes->output, 0, owner, error) &&
           makeBelow(store, nodes->frontend, "tty", nodes->tty, 0, owner, error);
}

/* The same keys in the backend's directory and in libxl's record. */
static gboolean
writeBackendKeys(DmStore *store, const Nodes *nodes, const char *directory, GError **error)
{
    g_autofree char *domid = g_strdup_printf("%u", nodes->stubdomain);

    return writeBelow(store, directory, "frontend", nodes->frontend, error) &&
           writeBelow(store, directory, "frontend-id", domid, error) &&
           writeBelow(store, directory, "online", "1", error) && writeBelow(store, directory, "state", "1", error) &&
           writeBelow(store, directory, "protocol", CONSOLE_PROTOCOL, error);
}

static gboolean
writeNodes(DmStore *store, gpointer opaque, GError **error)
{
    const Nodes *nodes = opaque;

    return dmStoreRemove(store, nodes->record, error) &&
           writeBelow(store, nodes->record, "backend", nodes->backend, error) && writeFrontend(store, nodes, error) &&
           dmStoreRemove(store, nodes->backend, error) &&
           dmStoreMake(store, nodes->backend, NULL, 0, (int)nodes->stubdomain, error) &&
           writeBackendKeys(store, nodes, nodes->backend, error) &&
           writeBackendKeys(store, nodes, nodes->record, error);
}

gboolean
dmConsoleNodesWrite(DmStore *store, guint stubdomain, guint number, const char *output, const char *tty, GError **error)
{
    g_autofree char *frontend = stubdomPathConsoleFrontend(stubdomain, number);
    g_autofree char *backend = stubdomPathConsoleBackend(stubdomain, number);
    g_autofree char *record = stubdomPathConsoleLibxl(stubdomain, number);
    Nodes nodes = {stubdomain, frontend, backend, record, output, tty};

    return dmStoreTransaction(store, writeNodes, &nodes, error);
}
