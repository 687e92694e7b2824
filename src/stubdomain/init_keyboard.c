/*
 * Set-up of the PV keyboard and pointer, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The page and the port stay as they are when the backend goes and comes again:
 * Xen lets the next one bind to the port that the last one has left.
 */

#include "init_keyboard.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <stdint.h>

#include <xen/xen.h>

#include <xen/evtchn.h>
#include <xen/gntalloc.h>

#include "init_error.h"
#include "init_log.h"

#define FRONTEND "device/vkbd/0"
#define BACKEND_DOMAIN 0

/* xen/io/xenbus.h */
#define STATE_INIT_WAIT "2"
#define STATE_INITIALISED "3"
#define STATE_CONNECTED "4"
#define STATE_CLOSING "5"
#define STATE_CLOSED "6"

struct InitKeyboard {
    InitXenstore *store;
    char *backendState; /* path */
    int page;
    int ports;
    guint port;
};

static gboolean
openDevice(const char *path, int *fd, GError **error)
{
    *fd = open(path, O_RDWR | O_CLOEXEC);
    if (*fd < 0)
        initErrorSetErrno(error, errno, path);
    return *fd >= 0;
}

static gboolean
writeNumber(InitXenstore *store, const char *path, guint value, GError **error)
{
    g_autofree char *text = g_strdup_printf("%u", value);

    return initXenstoreWrite(store, path, text, error);
}

static gboolean
offer(InitKeyboard *keyboard, GError **error)
{
    struct ioctl_gntalloc_alloc_gref grant = {.domid = BACKEND_DOMAIN, .flags = GNTALLOC_FLAG_WRITABLE, .count = 1};
    struct ioctl_evtchn_bind_unbound_port bind = {.remote_domain = BACKEND_DOMAIN};
    int port;

    if (!openDevice("/dev/xen/gntalloc", &keyboard->page, error) ||
        !openDevice("/dev/xen/evtchn", &keyboard->ports, error))
        return FALSE;
    if (ioctl(keyboard->page, IOCTL_GNTALLOC_ALLOC_GREF, &grant) < 0) {
        initErrorSetErrno(error, errno, "cannot grant a page of the PV keyboard");
        return FALSE;
    }
    port = ioctl(keyboard->ports, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);
    if (port < 0) {
        initErrorSetErrno(error, errno, "cannot make an event channel of the PV keyboard");
        return FALSE;
    }
    keyboard->port = (guint)port;
    return writeNumber(keyboard->store, FRONTEND "/page-gref", grant.gref_ids[0], error) &&
           writeNumber(keyboard->store, FRONTEND "/event-channel", keyboard->port, error) &&
           initXenstoreWrite(keyboard->store, FRONTEND "/request-abs-pointer", "1", error) &&
           initXenstoreWrite(keyboard->store, FRONTEND "/state", STATE_INITIALISED, error);
}

/* The state that is the answer to the backend's, or NULL. */
static const char *
answerTo(const char *state)
{
    if (g_strcmp0(state, STATE_INIT_WAIT) == 0 || g_strcmp0(state, STATE_CONNECTED) == 0)
        return STATE_CONNECTED;
    if (g_strcmp0(state, STATE_CLOSING) == 0 || g_strcmp0(state, STATE_CLOSED) == 0)
        return STATE_CLOSED;
    return NULL;
}

static void
backendChanged(gpointer data)
{
    InitKeyboard *keyboard = data;
    g_autofree char *theirs = initXenstoreReadOptional(keyboard->store, keyboard->backendState);
    g_autofree char *ours = initXenstoreReadOptional(keyboard->store, FRONTEND "/state");
    const char *answer = answerTo(theirs);
    g_autoptr(GError) error = NULL;

    if (answer && ours && !g_str_equal(ours, answer) &&
        !initXenstoreWrite(keyboard->store, FRONTEND "/state", answer, &error))
        initLog("%s", error->message);
}

InitKeyboard *
initKeyboardNew(InitXenstore *store, GError **error)
{
    InitKeyboard *keyboard = g_new0(InitKeyboard, 1);
    g_autofree char *backend = initXenstoreRead(store, FRONTEND "/backend", NULL, error);

    keyboard->store = store;
    keyboard->page = -1;
    keyboard->ports = -1;
    keyboard->backendState = g_strconcat(backend ? backend : "", "/state", NULL);
    if (!backend || !offer(keyboard, error) ||
        !initXenstoreWatch(store, keyboard->backendState, backendChanged, keyboard, error)) {
        if (keyboard->page >= 0)
            close(keyboard->page);
        if (keyboard->ports >= 0)
            close(keyboard->ports);
        g_free(keyboard->backendState);
        g_free(keyboard);
        return NULL;
    }
    return keyboard;
}

int
initKeyboardPage(const InitKeyboard *keyboard)
{
    return keyboard->page;
}

int
initKeyboardPorts(const InitKeyboard *keyboard)
{
    return keyboard->ports;
}

guint
initKeyboardPort(const InitKeyboard *keyboard)
{
    return keyboard->port;
}
