/*
 * QMP client of stubdom-init, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_qmp.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init_error.h"
#include "init_log.h"

struct InitQmp {
    int fd;
    guint source;
    GByteArray *input;
    GHashTable *requests; /* id → QmpRequest */
    gint64 nextId;
    gboolean greeted;
    InitQmpReady ready;
    InitQmpEvent event;
    gpointer data;
};

typedef struct {
    char *command;
    InitQmpReply reply;
    gpointer data;
} QmpRequest;

static void
requestFree(gpointer data)
{
    QmpRequest *request = data;

    g_free(request->command);
    g_free(request);
}

static char *
memberString(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_dup_string(node) : NULL;
}

static void
classify(InitQmpMessage *message, JsonObject *object)
{
    JsonNode *id = json_object_get_member(object, "id");
    JsonNode *node = NULL;

    if (id && json_node_get_value_type(id) == G_TYPE_INT64)
        message->id = json_node_get_int(id);

    if (json_object_has_member(object, "QMP")) {
        message->kind = INIT_QMP_GREETING;
    } else if ((node = json_object_get_member(object, "return"))) {
        message->kind = INIT_QMP_RETURN;
        message->value = json_node_copy(node);
    } else if ((node = json_object_get_member(object, "error"))) {
        message->kind = INIT_QMP_ERROR;
        if (JSON_NODE_HOLDS_OBJECT(node))
            message->text = memberString(json_node_get_object(node), "desc");
    } else if ((message->text = memberString(object, "event"))) {
        message->kind = INIT_QMP_EVENT;
        node = json_object_get_member(object, "data");
        message->value = node ? json_node_copy(node) : NULL;
    }
}

InitQmpMessage *
initQmpMessageParse(const char *line, gsize length)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(InitQmpMessage) message = g_new0(InitQmpMessage, 1);
    JsonNode *root = NULL;

    message->id = -1;
    if (length <= INIT_QMP_LINE_MAX && g_utf8_validate_len(line, length, NULL) &&
        json_parser_load_from_data(parser, line, (gssize)length, NULL))
        root = json_parser_get_root(parser);
    if (root && JSON_NODE_HOLDS_OBJECT(root))
        classify(message, json_node_get_object(root));
    return g_steal_pointer(&message);
}

void
initQmpMessageFree(InitQmpMessage *message)
{
    if (!message)
        return;
    g_free(message->text);
    if (message->value)
        json_node_unref(message->value);
    g_free(message);
}

static void
answer(InitQmp *qmp, const InitQmpMessage *message)
{
    g_autofree gint64 *key = NULL;
    g_autoptr(GError) error = NULL;
    QmpRequest *request = NULL;

    if (!g_hash_table_steal_extended(qmp->requests, &message->id, (gpointer *)&key, (gpointer *)&request)) {
        initLog("QEMU answered something nobody asked");
        return;
    }
    if (message->kind == INIT_QMP_ERROR)
        g_set_error(&error, INIT_ERROR, INIT_ERROR_QMP, "QEMU, %s: %s", request->command,
                    message->text ? message->text : "unspecified error");
    if (request->reply)
        request->reply(message->value, error, request->data);
    requestFree(request);
}

static void
capabilitiesDone(JsonNode *value, const GError *error, gpointer data)
{
    InitQmp *qmp = data;

    if (error)
        initLog("%s", error->message);
    else
        qmp->ready(qmp->data);
}

static void
handleLine(InitQmp *qmp, const char *line, gsize length)
{
    g_autoptr(InitQmpMessage) message = initQmpMessageParse(line, length);

    switch (message->kind) {
    case INIT_QMP_GREETING:
        if (!qmp->greeted)
            initQmpExecute(qmp, "qmp_capabilities", NULL, capabilitiesDone, qmp);
        qmp->greeted = TRUE;
        break;
    case INIT_QMP_RETURN:
    case INIT_QMP_ERROR:
        answer(qmp, message);
        break;
    case INIT_QMP_EVENT:
        qmp->event(message->text, message->value, qmp->data);
        break;
    case INIT_QMP_INVALID:
        initLog("QEMU sent a line of %" G_GSIZE_FORMAT " bytes that is no QMP", length);
        break;
    }
}

static void
handleInput(InitQmp *qmp)
{
    gsize done = 0;

    for (;;) {
        const char *start = (const char *)qmp->input->data + done;
        const char *end = qmp->input->len > done ? memchr(start, '\n', qmp->input->len - done) : NULL;
        gsize length = 0;

        if (!end)
            break;
        length = (gsize)(end - start);
        done += length + 1;
        if (length > 0 && start[length - 1] == '\r')
            length--;
        if (length > 0)
            handleLine(qmp, start, length);
    }
    if (done > 0)
        g_byte_array_remove_range(qmp->input, 0, (guint)done);
    if (qmp->input->len > INIT_QMP_LINE_MAX) {
        initLog("QEMU sent a line of more than %lu bytes, dropped", INIT_QMP_LINE_MAX);
        g_byte_array_set_size(qmp->input, 0);
    }
}

static gboolean
qmpReadable(gint fd, GIOCondition condition, gpointer data)
{
    InitQmp *qmp = data;
    guint8 bytes[8192];
    ssize_t length = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (length > 0) {
        g_byte_array_append(qmp->input, bytes, (guint)length);
        handleInput(qmp);
        return G_SOURCE_CONTINUE;
    }
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;

    /* QEMU's end is told by its process, not by its socket. */
    qmp->source = 0;
    return G_SOURCE_REMOVE;
}

InitQmp *
initQmpNew(int fd, InitQmpReady ready, InitQmpEvent event, gpointer data)
{
    InitQmp *qmp = g_new0(InitQmp, 1);

    qmp->fd = fd;
    qmp->input = g_byte_array_new();
    qmp->requests = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, requestFree);
    qmp->ready = ready;
    qmp->event = event;
    qmp->data = data;
    qmp->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, qmpReadable, qmp);
    return qmp;
}

void
initQmpFree(InitQmp *qmp)
{
    g_autoptr(GError) error = NULL;
    GHashTableIter iter;
    gpointer value = NULL;

    if (!qmp)
        return;
    g_set_error_literal(&error, INIT_ERROR, INIT_ERROR_QMP, "QEMU is gone");
    g_hash_table_iter_init(&iter, qmp->requests);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        QmpRequest *request = value;

        if (request->reply)
            request->reply(NULL, error, request->data);
    }
    g_hash_table_unref(qmp->requests);
    g_byte_array_unref(qmp->input);
    if (qmp->source != 0)
        g_source_remove(qmp->source);
    close(qmp->fd);
    g_free(qmp);
}

static char *
requestText(const char *command, JsonObject *arguments, gint64 id)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "execute", command);
    if (arguments)
        json_object_set_object_member(object, "arguments", arguments);
    json_object_set_int_member(object, "id", id);
    json_node_take_object(root, object);
    return json_to_string(root, FALSE);
}

/* A request is far smaller than the socket's buffer and few are out at a time: a short send is QEMU's death. */
static gboolean
sendLine(InitQmp *qmp, char *line, int fd)
{
    struct iovec vector = {.iov_base = line, .iov_len = strlen(line)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};

    if (fd >= 0) {
        struct cmsghdr *header = &control.header;

        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    return sendmsg(qmp->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)vector.iov_len;
}

void
initQmpExecute(InitQmp *qmp, const char *command, JsonObject *arguments, InitQmpReply reply, gpointer data)
{
    initQmpExecuteWith(qmp, command, arguments, -1, reply, data);
}

void
initQmpExecuteWith(InitQmp *qmp, const char *command, JsonObject *arguments, int fd, InitQmpReply reply, gpointer data)
{
    QmpRequest *request = g_new0(QmpRequest, 1);
    gint64 id = ++qmp->nextId;
    g_autofree char *text = requestText(command, arguments, id);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    request->command = g_strdup(command);
    request->reply = reply;
    request->data = data;
    g_hash_table_insert(qmp->requests, g_memdup2(&id, sizeof(id)), request);

    if (!sendLine(qmp, line, fd)) {
        g_autoptr(GError) error =
            g_error_new(INIT_ERROR, INIT_ERROR_QMP, "cannot send %s to QEMU: %s", command, g_strerror(errno));
        g_autofree gint64 *key = NULL;

        g_hash_table_steal_extended(qmp->requests, &id, (gpointer *)&key, NULL);
        if (reply)
            reply(NULL, error, data);
        requestFree(request);
    }
}
