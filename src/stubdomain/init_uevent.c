/*
 * Waiting for devices of the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_uevent.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init_error.h"

/* The kernel's own multicast group; udev's, which does not exist here, is 2. */
#define UEVENT_GROUP_KERNEL 1U

/* Enough for the devices of a large guest at once; more only costs another look. */
#define UEVENT_RECEIVE_BUFFER (256 * 1024)

struct InitUevents {
    int fd;
    guint source;
    GList *waits; /* of UeventWait, main loop only */
};

typedef struct {
    InitUevents *uevents;
    InitUeventCheck check;
    InitUeventDone done;
    gpointer data;
    guint timer;
} UeventWait;

static void
waitEnd(UeventWait *wait, gboolean present)
{
    wait->uevents->waits = g_list_remove(wait->uevents->waits, wait);
    if (wait->timer != 0)
        g_source_remove(wait->timer);
    wait->done(present, wait->data);
    g_free(wait);
}

static gboolean
waitExpired(gpointer data)
{
    UeventWait *wait = data;

    wait->timer = 0;
    waitEnd(wait, wait->check(wait->data));
    return G_SOURCE_REMOVE;
}

void
initUeventsRecheck(InitUevents *uevents)
{
    /* done() may add and end waits: start over after each one that ended. */
    for (GList *l = uevents->waits; l;) {
        UeventWait *wait = l->data;

        if (wait->check(wait->data)) {
            waitEnd(wait, TRUE);
            l = uevents->waits;
        } else {
            l = l->next;
        }
    }
}

static gboolean
ueventReadable(gint fd, GIOCondition condition, gpointer data)
{
    char message[8192];
    ssize_t length = 0;

    do {
        length = recv(fd, message, sizeof(message), MSG_DONTWAIT);
    } while (length >= 0 || errno == EINTR || errno == ENOBUFS);

    initUeventsRecheck(data);
    return G_SOURCE_CONTINUE;
}

InitUevents *
initUeventsNew(GError **error)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = UEVENT_GROUP_KERNEL};
    int size = UEVENT_RECEIVE_BUFFER;
    g_autoptr(InitUevents) uevents = g_new0(InitUevents, 1);

    uevents->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (uevents->fd < 0 || bind(uevents->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        initErrorSetErrno(error, errno, "cannot listen to uevents");
        return NULL;
    }
    (void)setsockopt(uevents->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    uevents->source = g_unix_fd_add(uevents->fd, G_IO_IN, ueventReadable, uevents);
    return g_steal_pointer(&uevents);
}

void
initUeventsFree(InitUevents *uevents)
{
    if (!uevents)
        return;
    for (GList *l = uevents->waits; l; l = l->next) {
        UeventWait *wait = l->data;

        if (wait->timer != 0)
            g_source_remove(wait->timer);
    }
    g_list_free_full(uevents->waits, g_free);
    if (uevents->source != 0)
        g_source_remove(uevents->source);
    if (uevents->fd >= 0)
        close(uevents->fd);
    g_free(uevents);
}

void
initUeventsAwait(InitUevents *uevents, guint seconds, InitUeventCheck check, InitUeventDone done, gpointer data)
{
    UeventWait *wait = NULL;

    if (check(data)) {
        done(TRUE, data);
        return;
    }
    wait = g_new0(UeventWait, 1);
    wait->uevents = uevents;
    wait->check = check;
    wait->done = done;
    wait->data = data;
    wait->timer = g_timeout_add_seconds(seconds, waitExpired, wait);
    uevents->waits = g_list_append(uevents->waits, wait);
}
