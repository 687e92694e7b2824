/*
 * QMP client: one connection of the QMP server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A client is read only while nothing waits to be sent to it, so one that asks
 * without reading holds up itself; what is sent unasked (events, late answers)
 * is bounded by DM_QMP_OUTPUT_MAX. One read of bounded size a turn of the main
 * loop, so that no client starves the others.
 */

#include "dm_qmp_client.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes taken from a client in one turn of the main loop. */
#define CLIENT_READ_MAX 16384U
/* Bytes already sent that may stay at the head of the queue before it is moved up. */
#define CLIENT_SENT_MAX (DM_QMP_OUTPUT_MAX / 4U)

struct _DmQmpClient {
    int fd;       /* -1: closed */
    guint source; /* waits for input, or, while something waits to be sent, for room */
    gboolean writing;
    const DmQmpClientEvents *events;
    gpointer opaque;
    DmQmpParser *parser;
    GByteArray *output;
    guint sent; /* of the output */
    int fds[DM_QMP_FDS_MAX];
    guint fdCount;
    gboolean busy;    /* commands in work */
    gboolean feeding; /* bytes read are still with the parser */
    gboolean served;  /* an object was seen since the last file descriptor came */
};

static gboolean clientReadable(gint fd, GIOCondition condition, gpointer opaque);
static gboolean clientWritable(gint fd, GIOCondition condition, gpointer opaque);

/* Waits for room while something is to be sent, else for input. */
static void
clientWatch(DmQmpClient *client)
{
    gboolean writing = client->output->len > client->sent;

    if (client->source && writing == client->writing)
        return;
    if (client->source)
        g_source_remove(client->source);
    client->writing = writing;
    client->source =
        g_unix_fd_add(client->fd, writing ? G_IO_OUT : G_IO_IN, writing ? clientWritable : clientReadable, client);
}

DmQmpClient *
dmQmpClientNew(int fd, const DmQmpClientEvents *events, gpointer opaque)
{
    DmQmpClient *client = g_rc_box_new0(DmQmpClient);

    client->fd = fd;
    client->events = events;
    client->opaque = opaque;
    client->parser = dmQmpParserNew();
    client->output = g_byte_array_new();
    clientWatch(client);
    return client;
}

DmQmpClient *
dmQmpClientRef(DmQmpClient *client)
{
    return g_rc_box_acquire(client);
}

static void
clientClear(gpointer data)
{
    DmQmpClient *client = data;

    client->events = NULL;
    dmQmpClientClose(client);
    dmQmpParserFree(client->parser);
    g_byte_array_unref(client->output);
}

void
dmQmpClientUnref(DmQmpClient *client)
{
    g_rc_box_release_full(client, clientClear);
}

static void
clientDropFds(DmQmpClient *client)
{
    while (client->fdCount > 0)
        close(client->fds[--client->fdCount]);
    client->served = FALSE;
}

void
dmQmpClientClose(DmQmpClient *client)
{
    const DmQmpClientEvents *events = client->events;

    if (client->fd < 0)
        return;
    g_clear_handle_id(&client->source, g_source_remove);
    clientDropFds(client);
    close(client->fd);
    client->fd = -1;
    client->events = NULL;
    if (events)
        events->closed(client, client->opaque);
}

gboolean
dmQmpClientIsOpen(const DmQmpClient *client)
{
    return client->fd >= 0;
}

int
dmQmpClientTakeFd(DmQmpClient *client)
{
    int fd;

    if (client->fdCount == 0)
        return -1;
    fd = client->fds[0];
    client->fdCount--;
    memmove(client->fds, client->fds + 1, client->fdCount * sizeof(client->fds[0]));
    return fd;
}

/* See dmQmpClientSetBusy(). Blank bytes are no reason: some clients send file descriptors on one, ahead of the command.
 */
static void
clientDropStaleFds(DmQmpClient *client)
{
    if (client->served && !client->busy && !client->feeding && dmQmpParserIsIdle(client->parser))
        clientDropFds(client);
}

void
dmQmpClientSetBusy(DmQmpClient *client, gboolean busy)
{
    client->busy = busy;
    clientDropStaleFds(client);
}

/* Sends what the socket takes. FALSE: the connection is broken. */
static gboolean
clientFlush(DmQmpClient *client)
{
    while (client->sent < client->output->len) {
        ssize_t n = send(client->fd, client->output->data + client->sent, client->output->len - client->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return TRUE;
        if (n < 0)
            return FALSE;
        client->sent += (guint)n;
    }
    g_byte_array_set_size(client->output, 0);
    client->sent = 0;
    return TRUE;
}

/* Puts a line into the queue. FALSE: the client has left too much unread. */
static gboolean
clientQueue(DmQmpClient *client, const char *line)
{
    gsize length = strlen(line);

    if (length + 2 > DM_QMP_OUTPUT_MAX - (client->output->len - client->sent))
        return FALSE;
    if (client->sent > CLIENT_SENT_MAX) {
        g_byte_array_remove_range(client->output, 0, client->sent);
        client->sent = 0;
    }
    g_byte_array_append(client->output, (const guint8 *)line, (guint)length);
    g_byte_array_append(client->output, (const guint8 *)"\r\n", 2);
    return TRUE;
}

void
dmQmpClientSend(DmQmpClient *client, JsonObject *object)
{
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *line = NULL;

    if (client->fd < 0)
        return;
    node = json_node_init_object(json_node_alloc(), object);
    line = json_to_string(node, FALSE);
    if (!clientQueue(client, line)) {
        g_message("QMP client closed: more than %u bytes it did not read", DM_QMP_OUTPUT_MAX);
        dmQmpClientClose(client);
    } else if (!clientFlush(client)) {
        dmQmpClientClose(client);
    } else {
        clientWatch(client);
    }
}

static gboolean
clientWritable(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
    DmQmpClient *client = opaque;

    if (!clientFlush(client))
        dmQmpClientClose(client);
    else
        clientWatch(client);
    return G_SOURCE_CONTINUE;
}

static gboolean
clientObject(JsonObject *object, gpointer opaque)
{
    DmQmpClient *client = opaque;

    client->served = TRUE;
    client->events->object(client, object, client->opaque);
    return client->fd >= 0;
}

/* Keeps file descriptors that came along. FALSE: more than may wait. */
static gboolean
clientKeepFds(DmQmpClient *client, struct msghdr *message)
{
    gboolean fit = !(message->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        gsize count;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (gsize i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (client->fdCount < DM_QMP_FDS_MAX) {
                client->fds[client->fdCount++] = fd;
                client->served = FALSE;
            } else {
                close(fd);
                fit = FALSE;
            }
        }
    }
    return fit;
}

/* Reads once. -1: the connection has ended or must. */
static ssize_t
clientRead(DmQmpClient *client, char *buffer, gsize size)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * DM_QMP_FDS_MAX)];
    } control;
    struct iovec vector = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    if (!clientKeepFds(client, &message)) {
        g_message("QMP client closed: more than %u file descriptors nobody took", DM_QMP_FDS_MAX);
        return -1;
    }
    return n == 0 ? -1 : n;
}

/* Gives bytes to the parser; what comes out of it may close the client. */
static void
clientFeed(DmQmpClient *client, const char *data, gsize length)
{
    g_autoptr(GError) error = NULL;
    gboolean valid;

    client->feeding = TRUE;
    valid = dmQmpParserFeed(client->parser, data, length, clientObject, client, &error);
    client->feeding = FALSE;
    if (valid) {
        clientDropStaleFds(client);
        return;
    }
    g_message("QMP client closed: %s", error->message);
    client->events->malformed(client, error, client->opaque);
    dmQmpClientClose(client);
}

static gboolean
clientReadable(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
    DmQmpClient *client = dmQmpClientRef(opaque);
    char buffer[CLIENT_READ_MAX];
    ssize_t n = clientRead(client, buffer, sizeof(buffer));

    if (n < 0)
        dmQmpClientClose(client);
    else
        clientFeed(client, buffer, (gsize)n);
    dmQmpClientUnref(client);
    return G_SOURCE_CONTINUE;
}
