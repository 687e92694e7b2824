/*
 * QMP server: what libxl and the driver take for a QEMU
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Listens on a unix socket, speaks QMP (greeting, capabilities, one JSON
 * object a line, `id` echoed, events) and hands each command to a row of a
 * table. Clients are dom0's (root); input is bounded all the same. It knows
 * nothing of what a command does. Answers may come later, so a command can
 * wait for the stubdomain while others are served.
 */

#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <json-glib/json-glib.h>

typedef struct _DmQmpServer DmQmpServer;
typedef struct _DmQmpRequest DmQmpRequest;

/* Longest input a client may send without a complete JSON object, in bytes. */
#define DM_QMP_INPUT_MAX 65536U
/* Clients at a time; commands in work for one client; nesting of JSON. */
#define DM_QMP_CLIENTS_MAX 8U
#define DM_QMP_REQUESTS_MAX 16U
#define DM_QMP_DEPTH_MAX 16U
/* Output queued for a client that does not read, in bytes. */
#define DM_QMP_OUTPUT_MAX 262144U
/* File descriptors of one client that no command took yet. */
#define DM_QMP_FDS_MAX 8U
/*
 * The QEMU we say we are. libxl up to 4.22 asks for at least 2.8 ("id" of eject
 * and blockdev-change-medium) and 2.11 ("live" of xen-save-devices-state); this
 * one is Debian 12's. (libxl__qmp_ev_qemu_compare_version() and its callers)
 */
#define DM_QMP_VERSION_MAJOR 7
#define DM_QMP_VERSION_MINOR 2
#define DM_QMP_VERSION_MICRO 0

/*
 * Runs a command. @arguments is (nullable) (transfer none). Exactly one of
 * dmQmpRequestReturn() and dmQmpRequestFail() must be called for @request, now
 * or later, also when the client or the server is gone by then. A second answer
 * is a bug of the caller (g_critical).
 */
typedef void (*DmQmpHandler)(DmQmpRequest *request, JsonObject *arguments, gpointer opaque);

typedef struct {
    const char *name; /* "query-status" */
    DmQmpHandler handler;
} DmQmpCommand;

/*
 * The server itself answers qmp_capabilities, query-version and query-commands.
 * All functions: main loop (default main context) only; none blocks.
 */

/**
 * dmQmpServerNew:
 * @path: socket to listen on; a stale one (nobody listens) is replaced; mode 0600
 * @commands: (transfer none): table that ends with a NULL name and outlives the server
 * @opaque: passed to the handlers
 *
 * Clients must be root or our own user (SO_PEERCRED); others are closed unheard.
 *
 * Returns: (transfer full): free with dmQmpServerFree(); NULL with DM_ERROR_SYSTEM,
 *   or DM_ERROR_BUSY if another process listens there
 */
DmQmpServer *dmQmpServerNew(const char *path, const DmQmpCommand *commands, gpointer opaque, GError **error);

/**
 * dmQmpServerNewForSocket:
 * @fd: (transfer full): a listening unix socket (libxl passes one as "fd=N"); on failure it stays the caller's
 *
 * Otherwise as dmQmpServerNew(); the socket's name is left alone. NULL with
 * DM_ERROR_ARGUMENT if @fd is no such socket.
 */
DmQmpServer *dmQmpServerNewForSocket(int fd, const DmQmpCommand *commands, gpointer opaque, GError **error);

/**
 * dmQmpServerFree:
 *
 * Closes all clients, answers nothing more, removes the socket if it is still
 * its own. Requests still held stay valid until they are answered. NULL is
 * allowed, and so is a call from a handler.
 */
void dmQmpServerFree(DmQmpServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmQmpServer, dmQmpServerFree)

/** (transfer none): the listening socket, to be handed to another process. */
int dmQmpServerSocket(const DmQmpServer *server);

/* A client has gone; @left are still connected. May not free the server. */
typedef void (*DmQmpGoneFunc)(guint left, gpointer opaque);

/** Has @func called whenever a client has gone (not while the server is freed). NULL: no more. */
void dmQmpServerOnGone(DmQmpServer *server, DmQmpGoneFunc func, gpointer opaque);

/** Sends an event to every client past qmp_capabilities. @data: (nullable) (transfer full). */
void dmQmpServerEvent(DmQmpServer *server, const char *name, JsonObject *data);

/** Answers a command. @value: (nullable) (transfer full): NULL is an empty object. Frees @request. */
void dmQmpRequestReturn(DmQmpRequest *request, JsonNode *value);

/** Answers with an error. @errorClass: "GenericError", "CommandNotFound", "DeviceNotFound" … Frees @request. */
void dmQmpRequestFail(DmQmpRequest *request, const char *errorClass, const char *format, ...) G_GNUC_PRINTF(3, 4);

/**
 * dmQmpRequestTakeFd:
 *
 * Takes the oldest file descriptor the client sent along (SCM_RIGHTS) and that
 * nobody took yet, or -1. The caller closes it. To be called before the answer;
 * what is left when all commands are answered is closed.
 */
int dmQmpRequestTakeFd(DmQmpRequest *request);

/** A number no other connection of this process has or had. */
guint64 dmQmpRequestClient(const DmQmpRequest *request);

/** The command's name, for messages. */
const char *dmQmpRequestName(const DmQmpRequest *request);

/* --- the parser alone, for unit tests and the fuzzer (no I/O) ------------ */

typedef struct _DmQmpParser DmQmpParser;

/* One complete object. Returns FALSE to stop parsing. */
typedef gboolean (*DmQmpParserFunc)(JsonObject *object, gpointer opaque);

DmQmpParser *dmQmpParserNew(void);
void dmQmpParserFree(DmQmpParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmQmpParser, dmQmpParserFree)

/** Whether no object has begun. */
gboolean dmQmpParserIsIdle(const DmQmpParser *parser);

/**
 * dmQmpParserFeed:
 *
 * Takes bytes as they come, calls @func for each complete JSON object, in
 * bounded memory and time linear in @length. Integers beyond 64 bits (signed),
 * numbers json-glib could not write again, U+0000 and unpaired surrogates are
 * refused.
 *
 * Returns: FALSE with DM_ERROR_ARGUMENT when the input is no JSON, no object,
 *   too long or too deep; the connection should be closed then, all further
 *   input is refused. TRUE also when @func stopped; the rest of @data is dropped
 */
gboolean dmQmpParserFeed(DmQmpParser *parser, const char *data, gsize length, DmQmpParserFunc func, gpointer opaque,
                         GError **error);
