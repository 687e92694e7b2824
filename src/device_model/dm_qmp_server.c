/*
 * QMP server: what libxl and the driver take for a QEMU
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * QMP's words: greeting, negotiation, dispatch over a table, answers, events;
 * texts of errors are QEMU's where a client may compare them. Where bytes come
 * from is dm_qmp_listen.c's and dm_qmp_client.c's, what a command does is the
 * table's. Answers may come after the client, or the server, has gone: a
 * session outlives both for as long as a request holds it.
 */

#include "config.h"

#include "dm_qmp_server.h"

#include <unistd.h>

#include "dm_error.h"
#include "dm_qmp_client.h"
#include "dm_qmp_listen.h"

struct _DmQmpServer {
    DmQmpListener *listener;
    const DmQmpCommand *commands;
    gpointer opaque;
    GPtrArray *sessions; /* of Session, one a client */
    DmQmpGoneFunc gone;
    gpointer goneOpaque;
};

typedef struct {
    DmQmpServer *server; /* NULL: the client or the server is gone */
    DmQmpClient *client;
    gboolean negotiated; /* past qmp_capabilities */
    guint inWork;        /* requests not answered yet */
    guint64 number;      /* of the connection, from 1 */
} Session;

struct _DmQmpRequest {
    Session *session;
    char *name;
    JsonNode *id; /* NULL: none was sent */
};

/* Requests not answered yet, so that a second answer is told from a first. Main loop only. */
static GHashTable *requests;

/* --- sessions ------------------------------------------------------------- */

static void
sessionClear(gpointer data)
{
    Session *session = data;

    dmQmpClientUnref(session->client);
}

static void
sessionUnref(gpointer session)
{
    g_rc_box_release_full(session, sessionClear);
}

static void
sessionError(Session *session, JsonNode *id, const char *errorClass, const char *description)
{
    g_autoptr(JsonObject) reply = json_object_new();
    JsonObject *error = json_object_new();
    g_autofree char *valid = g_utf8_make_valid(description, -1);

    json_object_set_string_member(error, "class", errorClass);
    json_object_set_string_member(error, "desc", valid);
    json_object_set_object_member(reply, "error", error);
    if (id)
        json_object_set_member(reply, "id", json_node_copy(id));
    dmQmpClientSend(session->client, reply);
}

/* @value: (transfer full) */
static void
sessionReturn(Session *session, JsonNode *id, JsonNode *value)
{
    g_autoptr(JsonObject) reply = json_object_new();

    json_object_set_member(reply, "return", value);
    if (id)
        json_object_set_member(reply, "id", json_node_copy(id));
    dmQmpClientSend(session->client, reply);
}

/* --- the server's own commands -------------------------------------------- */

static JsonObject *
serverVersion(void)
{
    JsonObject *qemu = json_object_new();
    JsonObject *version = json_object_new();

    json_object_set_int_member(qemu, "micro", DM_QMP_VERSION_MICRO);
    json_object_set_int_member(qemu, "minor", DM_QMP_VERSION_MINOR);
    json_object_set_int_member(qemu, "major", DM_QMP_VERSION_MAJOR);
    json_object_set_object_member(version, "qemu", qemu);
    json_object_set_string_member(version, "package", "xen-stubdom-dm " PACKAGE_VERSION);
    return version;
}

static JsonNode *
nodeObject(JsonObject *object)
{
    return json_node_init_object(json_node_alloc(), object);
}

static void
serverGreet(Session *session)
{
    g_autoptr(JsonObject) greeting = json_object_new();
    JsonObject *qmp = json_object_new();

    json_object_set_object_member(qmp, "version", serverVersion());
    json_object_set_array_member(qmp, "capabilities", json_array_new());
    json_object_set_object_member(greeting, "QMP", qmp);
    dmQmpClientSend(session->client, greeting);
}

static void
runCapabilities(Session *session, JsonNode *id, JsonObject *arguments)
{
    JsonNode *enable = arguments ? json_object_get_member(arguments, "enable") : NULL;

    if (session->negotiated) {
        sessionError(session, id, "CommandNotFound", "Capabilities negotiation is already complete, command ignored");
    } else if (enable && (!JSON_NODE_HOLDS_ARRAY(enable) || json_array_get_length(json_node_get_array(enable)) > 0)) {
        sessionError(session, id, "GenericError", "Parameter 'enable' names a capability that was not offered");
    } else {
        g_autoptr(JsonObject) nothing = json_object_new();

        session->negotiated = TRUE;
        sessionReturn(session, id, nodeObject(nothing));
    }
}

static void
runVersion(Session *session, JsonNode *id, JsonObject *arguments G_GNUC_UNUSED)
{
    g_autoptr(JsonObject) version = serverVersion();

    sessionReturn(session, id, nodeObject(version));
}

static void runCommands(Session *session, JsonNode *id, JsonObject *arguments);

static const struct {
    const char *name;
    void (*run)(Session *session, JsonNode *id, JsonObject *arguments);
} ownCommands[] = {
    {"qmp_capabilities", runCapabilities},
    {"query-version", runVersion},
    {"query-commands", runCommands},
};

static void
addCommand(JsonArray *names, const char *name)
{
    JsonObject *entry = json_object_new();

    json_object_set_string_member(entry, "name", name);
    json_array_add_object_element(names, entry);
}

static void
runCommands(Session *session, JsonNode *id, JsonObject *arguments G_GNUC_UNUSED)
{
    JsonArray *names = json_array_new();
    JsonNode *value = json_node_new(JSON_NODE_ARRAY);

    for (gsize i = 0; i < G_N_ELEMENTS(ownCommands); i++)
        addCommand(names, ownCommands[i].name);
    for (const DmQmpCommand *c = session->server->commands; c->name; c++)
        addCommand(names, c->name);
    json_node_take_array(value, names);
    sessionReturn(session, id, value);
}

/* --- dispatch ------------------------------------------------------------- */

static gboolean
nodeIsString(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
}

/* What is wrong with a command's form (as QEMU's qmp_dispatch_check_obj()), or NULL. */
static char *
commandFault(JsonObject *object)
{
    JsonObjectIter iter;
    const char *key;
    JsonNode *value;

    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &key, &value)) {
        if (g_str_equal(key, "execute")) {
            if (!nodeIsString(value))
                return g_strdup("QMP input member 'execute' must be a string");
        } else if (g_str_equal(key, "arguments")) {
            if (!JSON_NODE_HOLDS_OBJECT(value))
                return g_strdup("QMP input member 'arguments' must be an object");
        } else if (!g_str_equal(key, "id")) {
            return g_strdup_printf("QMP input member '%s' is unexpected", key);
        }
    }
    return json_object_has_member(object, "execute") ? NULL : g_strdup("QMP input lacks member 'execute'");
}

static void
sessionDispatch(Session *session, const DmQmpCommand *command, JsonNode *id, JsonObject *arguments)
{
    DmQmpRequest *request;

    if (session->inWork >= DM_QMP_REQUESTS_MAX) {
        sessionError(session, id, "GenericError", "Too many commands in work");
        return;
    }
    request = g_new0(DmQmpRequest, 1);
    request->session = g_rc_box_acquire(session);
    request->name = g_strdup(command->name);
    request->id = id ? json_node_copy(id) : NULL;
    if (!requests)
        requests = g_hash_table_new(NULL, NULL);
    g_hash_table_add(requests, request);
    session->inWork++;
    dmQmpClientSetBusy(session->client, TRUE);
    command->handler(request, arguments, session->server->opaque);
}

static void
sessionObject(DmQmpClient *client G_GNUC_UNUSED, JsonObject *object, gpointer opaque)
{
    Session *session = opaque;
    JsonNode *id = json_object_get_member(object, "id");
    g_autofree char *fault = commandFault(object);
    g_autofree char *unknown = NULL;
    JsonObject *arguments = NULL;
    const char *name;

    if (fault) {
        sessionError(session, id, "GenericError", fault);
        return;
    }
    name = json_object_get_string_member(object, "execute");
    if (json_object_has_member(object, "arguments"))
        arguments = json_object_get_object_member(object, "arguments");
    if (!session->negotiated && !g_str_equal(name, "qmp_capabilities")) {
        sessionError(session, id, "CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(ownCommands); i++) {
        if (g_str_equal(ownCommands[i].name, name)) {
            ownCommands[i].run(session, id, arguments);
            return;
        }
    }
    for (const DmQmpCommand *c = session->server->commands; c->name; c++) {
        if (g_str_equal(c->name, name)) {
            sessionDispatch(session, c, id, arguments);
            return;
        }
    }
    unknown = g_strdup_printf("The command %s has not been found", name);
    sessionError(session, id, "CommandNotFound", unknown);
}

static void
sessionMalformed(DmQmpClient *client G_GNUC_UNUSED, const GError *error, gpointer opaque)
{
    sessionError(opaque, NULL, "GenericError", error->message);
}

static void
sessionClosed(DmQmpClient *client G_GNUC_UNUSED, gpointer opaque)
{
    Session *session = opaque;
    DmQmpServer *server = session->server;

    if (!server)
        return;
    session->server = NULL;
    g_ptr_array_remove(server->sessions, session);
    if (server->gone)
        server->gone(server->sessions->len, server->goneOpaque);
}

/* --- requests ------------------------------------------------------------- */

/* TRUE for a request that is not answered yet; it is then. */
static gboolean
requestBegin(DmQmpRequest *request)
{
    if (requests && g_hash_table_remove(requests, request))
        return TRUE;
    g_critical("a QMP command was answered twice");
    return FALSE;
}

static void
requestEnd(DmQmpRequest *request)
{
    Session *session = request->session;

    session->inWork--;
    dmQmpClientSetBusy(session->client, session->inWork > 0);
    if (request->id)
        json_node_unref(request->id);
    g_free(request->name);
    g_free(request);
    sessionUnref(session);
}

void
dmQmpRequestReturn(DmQmpRequest *request, JsonNode *value)
{
    if (!requestBegin(request)) {
        if (value)
            json_node_unref(value);
        return;
    }
    if (!value) {
        value = json_node_new(JSON_NODE_OBJECT);
        json_node_take_object(value, json_object_new());
    }
    sessionReturn(request->session, request->id, value);
    requestEnd(request);
}

void
dmQmpRequestFail(DmQmpRequest *request, const char *errorClass, const char *format, ...)
{
    g_autofree char *description = NULL;
    va_list args;

    if (!requestBegin(request))
        return;
    va_start(args, format);
    description = g_strdup_vprintf(format, args);
    va_end(args);
    sessionError(request->session, request->id, errorClass, description);
    requestEnd(request);
}

int
dmQmpRequestTakeFd(DmQmpRequest *request)
{
    return dmQmpClientTakeFd(request->session->client);
}

guint64
dmQmpRequestClient(const DmQmpRequest *request)
{
    return request->session->number;
}

const char *
dmQmpRequestName(const DmQmpRequest *request)
{
    return request->name;
}

/* --- the server ----------------------------------------------------------- */

static void
serverAccept(int fd, gpointer opaque)
{
    static const DmQmpClientEvents events = {sessionObject, sessionMalformed, sessionClosed};
    static guint64 connections;
    DmQmpServer *server = opaque;
    Session *session;

    if (server->sessions->len >= DM_QMP_CLIENTS_MAX) {
        g_message("QMP client refused: %u are connected", DM_QMP_CLIENTS_MAX);
        close(fd);
        return;
    }
    session = g_rc_box_new0(Session);
    session->server = server;
    session->number = ++connections;
    session->client = dmQmpClientNew(fd, &events, session);
    g_ptr_array_add(server->sessions, session);
    serverGreet(session);
}

static DmQmpServer *
serverNew(DmQmpListener *listener, const DmQmpCommand *commands, gpointer opaque)
{
    DmQmpServer *server;

    if (!listener)
        return NULL;
    server = g_new0(DmQmpServer, 1);
    server->listener = listener;
    server->commands = commands;
    server->opaque = opaque;
    server->sessions = g_ptr_array_new_with_free_func(sessionUnref);
    dmQmpListenerStart(listener, serverAccept, server);
    return server;
}

DmQmpServer *
dmQmpServerNew(const char *path, const DmQmpCommand *commands, gpointer opaque, GError **error)
{
    return serverNew(dmQmpListenerNew(path, error), commands, opaque);
}

DmQmpServer *
dmQmpServerNewForSocket(int fd, const DmQmpCommand *commands, gpointer opaque, GError **error)
{
    return serverNew(dmQmpListenerNewForSocket(fd, error), commands, opaque);
}

void
dmQmpServerFree(DmQmpServer *server)
{
    if (!server)
        return;
    dmQmpListenerFree(server->listener);
    for (guint i = 0; i < server->sessions->len; i++) {
        Session *session = g_ptr_array_index(server->sessions, i);

        session->server = NULL;
        dmQmpClientClose(session->client);
    }
    g_ptr_array_unref(server->sessions);
    g_free(server);
}

int
dmQmpServerSocket(const DmQmpServer *server)
{
    return dmQmpListenerSocket(server->listener);
}

void
dmQmpServerOnGone(DmQmpServer *server, DmQmpGoneFunc func, gpointer opaque)
{
    server->gone = func;
    server->goneOpaque = opaque;
}

void
dmQmpServerEvent(DmQmpServer *server, const char *name, JsonObject *data)
{
    g_autoptr(JsonObject) event = json_object_new();
    JsonObject *timestamp = json_object_new();
    gint64 now = g_get_real_time();

    json_object_set_int_member(timestamp, "seconds", now / G_USEC_PER_SEC);
    json_object_set_int_member(timestamp, "microseconds", now % G_USEC_PER_SEC);
    json_object_set_object_member(event, "timestamp", timestamp);
    json_object_set_string_member(event, "event", name);
    if (data)
        json_object_set_object_member(event, "data", data);
    /* Backwards: a client that cannot take it is closed and leaves the array. */
    for (guint i = server->sessions->len; i-- > 0;) {
        Session *session = g_ptr_array_index(server->sessions, i);

        if (session->negotiated)
            dmQmpClientSend(session->client, event);
    }
}
