/*
 * PV consoles 1… of a stubdomain: the backend
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each console has a phase. Two things move it on: the frontend's state node
 * (followFrontend) and the worker's replies (handleReply). A frontend may come
 * and go: MiniOS closes its save console after each save and opens it anew, and
 * expects to find the backend waiting then. So a console that its frontend
 * closed goes back to InitWait, and only one that broke the rules stays closed.
 */

#include "config.h"

#include "dm_console.h"

#include <inttypes.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "protocol/stubdom_paths.h"

#include "console_worker_message.h"
#include "dm_console_nodes.h"
#include "dm_console_peer.h"
#include "dm_console_worker.h"
#include "dm_error.h"
#include "dm_xenbus.h"

/* A frontend that connects more often than this in a console's life is playing with us. */
#define CONNECTIONS_MAX 1000U

/* Grant references and event channel ports are 32 bits wide (xen/grant_table.h, xen/event_channel.h). */
#define WORD_MAX G_MAXUINT32

typedef enum {
    PHASE_WAITING = 0, /* for a frontend */
    PHASE_CONNECTING,  /* the worker was asked to map the ring */
    PHASE_CONNECTED,
    PHASE_DISCONNECTING, /* the worker was asked to give up the ring */
    PHASE_SHUT,          /* the rules were broken or the worker died */
} Phase;

typedef struct {
    DmConsoles *consoles; /* immutable */
    guint number;         /* immutable */
    char *frontend;       /* immutable: path */
    char *backend;        /* immutable: path */
    Phase phase;
    DmStoreWatch *watch; /* on the frontend's state */
    guint64 limit;       /* immutable */
    guint32 connection;  /* generation of the last CONNECT or DISCONNECT */
    guint connections;
    guint32 peer;               /* generation of the last PEER */
    gboolean limitHit;          /* since the last PEER */
    guint32 drain;              /* generation of the last DRAIN */
    DmConsoleDrainFunc drained; /* NULL: none is waited for */
    gpointer drainOpaque;
} Console;

/* All members, those of Console included: main loop only. */
struct _DmConsoles {
    DmStore *store;   /* immutable */
    guint stubdomain; /* immutable */
    DmConsoleFunc func;
    gpointer opaque;
    DmConsoleWorker *worker;
    gboolean dead; /* the worker is */
    guint32 generation;
    Console *console[CONSOLE_NUMBERS]; /* NULL: not added */
};

static void
consoleFree(Console *console)
{
    dmStoreUnwatch(console->watch);
    g_free(console->frontend);
    g_free(console->backend);
    g_free(console);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Console, consoleFree)

static void
report(Console *console, DmConsoleEvent event, const char *text)
{
    DmConsoles *consoles = console->consoles;

    consoles->func(consoles, console->number, event, text, consoles->opaque);
}

static void
setState(Console *console, DmXenbusState state)
{
    g_autoptr(GError) error = NULL;

    if (!dmXenbusSetState(console->consoles->store, console->backend, state, &error)) {
        g_warning("%s", error->message);
    }
}

/* A request's failure needs no handling of its own: the worker is killed then, and its death is reported. */
static guint32
ask(Console *console, ConsoleRequest *request, int fd)
{
    DmConsoles *consoles = console->consoles;
    g_autoptr(GError) error = NULL;

    request->console = console->number;
    request->generation = ++consoles->generation;
    if (!dmConsoleWorkerSend(consoles->worker, request, fd, &error)) {
        g_warning("%s", error->message);
    }
    return request->generation;
}

static void
unwatch(Console *console)
{
    dmStoreUnwatch(console->watch);
    console->watch = NULL;
}

static void
disconnect(Console *console)
{
    ConsoleRequest request = {.type = CONSOLE_REQUEST_DISCONNECT};

    console->phase = PHASE_DISCONNECTING;
    console->connection = ask(console, &request, -1);
}

/* The stubdomain broke the rules: closed for good. */
static void
shut(Console *console, const char *text)
{
    if (console->phase == PHASE_CONNECTING || console->phase == PHASE_CONNECTED) {
        disconnect(console);
    }
    console->phase = PHASE_SHUT;
    unwatch(console);
    setState(console, DM_XENBUS_CLOSED);
    report(console, DM_CONSOLE_BROKEN, text);
}

static void
connectFrontend(Console *console)
{
    DmStore *store = console->consoles->store;
    ConsoleRequest request = {.type = CONSOLE_REQUEST_CONNECT};
    g_autoptr(GError) error = NULL;
    guint64 ref;
    guint64 port;

    if (++console->connections > CONNECTIONS_MAX) {
        shut(console, _("its frontend connects again and again"));
        return;
    }
    if (!dmXenbusReadNumber(store, console->frontend, "ring-ref", WORD_MAX, &ref, &error) ||
        !dmXenbusReadNumber(store, console->frontend, "port", WORD_MAX, &port, &error)) {
        shut(console, error->message);
        return;
    }
    request.ref = (guint32)ref;
    request.port = (guint32)port;
    console->phase = PHASE_CONNECTING;
    console->connection = ask(console, &request, -1);
}

static void
followWaiting(Console *console, DmXenbusState frontend)
{
    switch (frontend) {
    case DM_XENBUS_INITIALISING:
    case DM_XENBUS_INIT_WAIT:
    case DM_XENBUS_CLOSED:
        setState(console, DM_XENBUS_INIT_WAIT);
        break;
    case DM_XENBUS_INITIALISED:
    case DM_XENBUS_CONNECTED:
        connectFrontend(console);
        break;
    case DM_XENBUS_CLOSING:
        setState(console, DM_XENBUS_CLOSING);
        break;
    case DM_XENBUS_ABSENT:
    case DM_XENBUS_RECONFIGURED:
    default:
        break;
    }
}

static void
followFrontend(Console *console)
{
    g_autoptr(GError) error = NULL;
    DmXenbusState frontend;

    if (!dmXenbusReadState(console->consoles->store, console->frontend, &frontend, &error)) {
        if (g_error_matches(error, DM_ERROR, DM_ERROR_STUBDOMAIN)) {
            shut(console, error->message);
        } else {
            g_warning("%s", error->message);
        }
        return;
    }
    switch (console->phase) {
    case PHASE_WAITING:
        followWaiting(console, frontend);
        break;
    case PHASE_CONNECTING:
    case PHASE_CONNECTED:
        if (frontend != DM_XENBUS_INITIALISED && frontend != DM_XENBUS_CONNECTED &&
            frontend != DM_XENBUS_RECONFIGURED) {
            disconnect(console);
        }
        break;
    case PHASE_DISCONNECTING: /* looked at again when that is done */
    case PHASE_SHUT:
    default:
        break;
    }
}

static void
frontendChanged(const char *changed, gpointer opaque)
{
    followFrontend(opaque);
}

static void
handleConnected(Console *console, const ConsoleReply *reply)
{
    g_autofree char *text = NULL;

    if (console->phase != PHASE_CONNECTING || reply->generation != console->connection) {
        return;
    }
    if (reply->error) {
        text = g_strdup_printf(_("its ring cannot be mapped or its event channel not be bound: %s"),
                               g_strerror(reply->error));
        console->phase = PHASE_WAITING;
        shut(console, text);
        return;
    }
    console->phase = PHASE_CONNECTED;
    setState(console, DM_XENBUS_CONNECTED);
    report(console, DM_CONSOLE_CONNECTED, "");
}

static void
handleDisconnected(Console *console, const ConsoleReply *reply)
{
    if (console->phase != PHASE_DISCONNECTING || reply->generation != console->connection) {
        return;
    }
    console->phase = PHASE_WAITING;
    report(console, DM_CONSOLE_CLOSED, "");
    followFrontend(console);
}

static void
endDrain(Console *console, guint64 bytes, const GError *error)
{
    DmConsoleDrainFunc drained = g_steal_pointer(&console->drained);

    if (drained) {
        drained(console->consoles, console->number, bytes, error, console->drainOpaque);
    }
}

static void
handleDrained(Console *console, const ConsoleReply *reply)
{
    g_autoptr(GError) error = NULL;

    if (reply->generation != console->drain) {
        return;
    }
    if (reply->error) {
        error = g_error_new(DM_ERROR, DM_ERROR_SYSTEM, _("console %u cannot be written: %s"), console->number,
                            g_strerror(reply->error));
    } else if (console->limitHit) {
        error = g_error_new(DM_ERROR, DM_ERROR_STUBDOMAIN,
                            _("the stubdomain wrote more than the %" PRIu64 " bytes allowed to console %u"),
                            console->limit, console->number);
    }
    endDrain(console, reply->fromStubdomain, error);
}

static void
handleReply(const ConsoleReply *reply, gpointer opaque)
{
    DmConsoles *consoles = opaque;
    Console *console = consoles->console[reply->console];

    if (!console) {
        return;
    }
    switch ((ConsoleReplyType)reply->type) {
    case CONSOLE_REPLY_CONNECTED:
        handleConnected(console, reply);
        break;
    case CONSOLE_REPLY_DISCONNECTED:
        handleDisconnected(console, reply);
        break;
    case CONSOLE_REPLY_DRAINED:
        handleDrained(console, reply);
        break;
    case CONSOLE_REPLY_PEER_CLOSED:
        if (reply->generation == console->peer) {
            report(console, DM_CONSOLE_PEER_CLOSED, reply->error ? g_strerror(reply->error) : "");
        }
        break;
    case CONSOLE_REPLY_LIMIT:
        if (reply->generation == console->peer) {
            console->limitHit = TRUE;
            report(console, DM_CONSOLE_LIMIT, "");
        }
        break;
    case CONSOLE_REPLY_BROKEN:
        if (console->phase == PHASE_CONNECTED && reply->generation == console->connection) {
            console->phase = PHASE_WAITING;
            shut(console, _("its ring indices are out of range"));
        }
        break;
    case CONSOLE_REPLY_LAST:
    default:
        break;
    }
}

static void
workerDied(const char *reason, gpointer opaque)
{
    DmConsoles *consoles = opaque;

    consoles->dead = TRUE;
    for (guint number = 1; number < CONSOLE_NUMBERS; number++) {
        Console *console = consoles->console[number];
        g_autoptr(GError) error = NULL;

        if (console) {
            console->phase = PHASE_SHUT;
            unwatch(console);
            setState(console, DM_XENBUS_CLOSED);
            error = g_error_new_literal(DM_ERROR, DM_ERROR_SYSTEM, reason);
            endDrain(console, 0, error);
            report(console, DM_CONSOLE_WORKER_DIED, reason);
        }
    }
}

DmConsoles *
dmConsolesNew(DmStore *store, guint stubdomain, DmConsoleFunc func, gpointer opaque, GError **error)
{
    g_autoptr(DmConsoles) consoles = g_new0(DmConsoles, 1);

    consoles->store = store;
    consoles->stubdomain = stubdomain;
    consoles->func = func;
    consoles->opaque = opaque;
    consoles->worker = dmConsoleWorkerStart(stubdomain, handleReply, workerDied, consoles, error);
    return consoles->worker ? g_steal_pointer(&consoles) : NULL;
}

void
dmConsolesFree(DmConsoles *consoles)
{
    if (!consoles) {
        return;
    }
    for (guint number = 1; number < CONSOLE_NUMBERS; number++) {
        g_clear_pointer(&consoles->console[number], consoleFree);
    }
    dmConsoleWorkerFree(consoles->worker);
    g_free(consoles);
}

static Console *
findConsole(DmConsoles *consoles, guint number, GError **error)
{
    if (number >= CONSOLE_NUMBERS || !consoles->console[number]) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("there is no console %u"), number);
        return NULL;
    }
    if (consoles->dead) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the console worker is dead"));
        return NULL;
    }
    return consoles->console[number];
}

gboolean
dmConsolesAdd(DmConsoles *consoles, guint number, const char *output, const char *tty, guint64 limit, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(Console) console = NULL;

    if (number < 1 || number > CONSOLE_NUMBER_MAX) {
        g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                    _("a stubdomain has consoles 1 to %u; there cannot be a console %u"), CONSOLE_NUMBER_MAX, number);
        return FALSE;
    }
    if (consoles->console[number]) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("there is a console %u already"), number);
        return FALSE;
    }
    if (!dmConsoleNodesWrite(consoles->store, consoles->stubdomain, number, output ? output : "", tty ? tty : "",
                             error)) {
        return FALSE;
    }
    console = g_new0(Console, 1);
    console->consoles = consoles;
    console->number = number;
    console->limit = limit;
    console->frontend = stubdomPathConsoleFrontend(consoles->stubdomain, number);
    console->backend = stubdomPathConsoleBackend(consoles->stubdomain, number);
    path = g_strconcat(console->frontend, "/state", NULL);
    console->watch = dmStoreWatch(consoles->store, path, frontendChanged, console, error);
    if (!console->watch) {
        return FALSE;
    }
    consoles->console[number] = g_steal_pointer(&console);
    return TRUE;
}

gboolean
dmConsolesSetPeer(DmConsoles *consoles, guint number, int fd, GError **error)
{
    Console *console = findConsole(consoles, number, error);
    ConsoleRequest request = {.type = CONSOLE_REQUEST_PEER, .console = number};
    gboolean sent;

    if (!console || (fd >= 0 && !dmConsolePeerDescribe(fd, &request.flags, error))) {
        if (fd >= 0) {
            close(fd);
        }
        return FALSE;
    }
    request.generation = ++consoles->generation;
    request.limit = console->limit;
    console->peer = request.generation;
    console->limitHit = FALSE;
    sent = dmConsoleWorkerSend(consoles->worker, &request, fd, error);
    if (fd >= 0) {
        close(fd);
    }
    return sent;
}

gboolean
dmConsolesDrain(DmConsoles *consoles, guint number, DmConsoleDrainFunc func, gpointer opaque, GError **error)
{
    Console *console = findConsole(consoles, number, error);
    ConsoleRequest request = {.type = CONSOLE_REQUEST_DRAIN, .console = number};

    if (!console) {
        return FALSE;
    }
    if (console->drained) {
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("console %u is being drained already"), number);
        return FALSE;
    }
    request.generation = ++consoles->generation;
    if (!dmConsoleWorkerSend(consoles->worker, &request, -1, error)) {
        return FALSE;
    }
    console->drain = request.generation;
    console->drained = func;
    console->drainOpaque = opaque;
    return TRUE;
}

void
dmConsolesForgetDrain(DmConsoles *consoles, guint number)
{
    if (number < CONSOLE_NUMBERS && consoles->console[number]) {
        consoles->console[number]->drained = NULL;
    }
}

gboolean
dmConsolesLimitHit(const DmConsoles *consoles, guint number)
{
    return number < CONSOLE_NUMBERS && consoles->console[number] && consoles->console[number]->limitHit;
}

int
dmConsolesSocket(const DmConsoles *consoles)
{
    return dmConsoleWorkerSocket(consoles->worker);
}

GPid
dmConsolesWorkerPid(const DmConsoles *consoles)
{
    return dmConsoleWorkerPid(consoles->worker);
}
