/*
 * QMP's commands about the display: password, picture, keys, viewers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Names, arguments and answers are QEMU 7.2's (qapi/ui.json, qapi/misc.json),
 * but for keys, which come as Linux's codes ("linux"): the driver knows the
 * other sets. libxl sets the password with `change`.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "dm_commands.h"
#include "dm_error.h"

/* Keys pressed together (VIR_DOMAIN_SEND_KEY_MAX_KEYS of libvirt), and for how many milliseconds. */
#define KEYS_MAX 16U
#define HOLD_DEFAULT 100
#define HOLD_MAX 10000

/* Descriptors clients may leave with us. */
#define FDS_MAX 8U

typedef struct {
    DmModel *model;
    DmQmpRequest *request;
    guint codes[KEYS_MAX];
    guint count;
    guint source;
} Hold;

/* All members: main loop only. */
struct _DmCommandsDisplay {
    GHashTable *fds;  /* name → int */
    GPtrArray *holds; /* of Hold: keys that are pressed */
};

static void
closeFd(gpointer fd)
{
    close(*(int *)fd);
    g_free(fd);
}

static DmCommandsDisplay *
getState(DmModel *model)
{
    DmCommandsDisplay **state = dmModelDisplayCommands(model);

    if (!*state) {
        *state = g_new0(DmCommandsDisplay, 1);
        (*state)->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, closeFd);
        (*state)->holds = g_ptr_array_new();
    }
    return *state;
}

static void
fail(DmQmpRequest *request, const GError *error)
{
    dmQmpRequestFail(request, "GenericError", "%s", error->message);
}

/* @error: why not, or NULL when it is done. */
static void
answer(DmQmpRequest *request, const GError *error)
{
    if (error) {
        fail(request, error);
    } else {
        dmQmpRequestReturn(request, NULL);
    }
}

/* The display, or NULL with @request answered. */
static DmDisplay *
findDisplay(DmModel *model, DmQmpRequest *request)
{
    DmDisplay *display = dmModelDisplay(model);

    if (!display) {
        dmQmpRequestFail(request, "DeviceNotActive", _("guest '%s' has no display"), dmModelGuest(model)->name);
    }
    return display;
}

/* The text @name, or NULL with @request answered. */
static const char *
findText(JsonObject *arguments, const char *name, DmQmpRequest *request)
{
    JsonNode *node = arguments ? json_object_get_member(arguments, name) : NULL;

    if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
        return json_node_get_string(node);
    }
    dmQmpRequestFail(request, "GenericError", _("'%s' has no argument '%s'"), dmQmpRequestName(request), name);
    return NULL;
}

/* Whether the argument @name is @value; @request is answered otherwise. */
static gboolean
mustBe(JsonObject *arguments, const char *name, const char *value, DmQmpRequest *request)
{
    const char *text = findText(arguments, name, request);

    if (text && !g_str_equal(text, value)) {
        dmQmpRequestFail(request, "GenericError", _("'%s' of '%s' is '%s'; there is only '%s'"), name,
                         dmQmpRequestName(request), text, value);
        return FALSE;
    }
    return text != NULL;
}

void
dmCommandQueryVnc(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmDisplay *display = dmModelDisplay(opaque);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = display ? dmDisplayDescribe(display) : json_object_new();

    if (!display) {
        json_object_set_boolean_member(object, "enabled", FALSE);
    }
    json_node_take_object(node, object);
    dmQmpRequestReturn(request, node);
}

/* --- the password ------------------------------------------------------------------- */

/* What becomes of viewers that are there: FALSE with @error if the password may not be set. */
static gboolean
treatViewers(DmDisplay *display, const char *connected, GError **error)
{
    if (g_str_equal(connected, "keep")) {
        return TRUE;
    }
    if (g_str_equal(connected, "disconnect")) {
        return dmDisplayCloseViewers(display, error);
    }
    if (!g_str_equal(connected, "fail")) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'connected' is '%s', not 'keep', 'fail' or 'disconnect'"),
                    connected);
        return FALSE;
    }
    if (dmDisplayViewerCount(display) > 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("there are viewers"));
        return FALSE;
    }
    return TRUE;
}

void
dmCommandSetPassword(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmDisplay *display = findDisplay(opaque, request);
    const char *password;
    const char *connected;
    g_autoptr(GError) error = NULL;

    if (!display || !mustBe(arguments, "protocol", "vnc", request)) {
        return;
    }
    password = findText(arguments, "password", request);
    if (!password) {
        return;
    }
    connected = json_object_get_string_member_with_default(arguments, "connected", "keep");
    if (treatViewers(display, connected, &error)) {
        (void)dmDisplaySetPassword(display, password, &error);
    }
    answer(request, error);
}

void
dmCommandChange(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmDisplay *display = findDisplay(opaque, request);
    const char *password;
    g_autoptr(GError) error = NULL;

    if (!display || !mustBe(arguments, "device", "vnc", request) || !mustBe(arguments, "target", "password", request)) {
        return;
    }
    password = findText(arguments, "arg", request);
    if (password) {
        (void)dmDisplaySetPassword(display, password, &error);
        answer(request, error);
    }
}

/* "now", "never", "+SECONDS" or seconds since 1970. */
static gboolean
parseTime(const char *text, gint64 *end)
{
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    gboolean relative = *text == '+';
    guint64 number = 0;

    if (g_str_equal(text, "never")) {
        *end = 0;
        return TRUE;
    }
    if (g_str_equal(text, "now")) {
        *end = 1;
        return TRUE;
    }
    if (!g_ascii_string_to_unsigned(text + relative, 10, 0, G_MAXINT64 / 2, &number, NULL)) {
        return FALSE;
    }
    *end = (gint64)number + (relative ? now : 0);
    *end = MAX(*end, 1);
    return TRUE;
}

void
dmCommandExpirePassword(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmDisplay *display = findDisplay(opaque, request);
    const char *text;
    gint64 end = 0;
    g_autoptr(GError) error = NULL;

    if (!display || !mustBe(arguments, "protocol", "vnc", request)) {
        return;
    }
    text = findText(arguments, "time", request);
    if (text && !parseTime(text, &end)) {
        dmQmpRequestFail(request, "GenericError", _("'%s' is no time: 'now', 'never', '+SECONDS' or SECONDS"), text);
    } else if (text) {
        (void)dmDisplaySetExpiry(display, end, &error);
        answer(request, error);
    }
}

/* --- the picture ---------------------------------------------------------------------- */

static void
dumped(const GError *error, gpointer opaque)
{
    answer(opaque, error);
}

/* Nothing but a file: the display must not be made to wait for whoever reads a pipe. */
static int
openPicture(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR);
    struct stat status;

    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        return fd;
    }
    g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("file '%s' cannot be written: %s"), path,
                fd < 0 ? g_strerror(errno) : _("it is no file"));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

void
dmCommandScreendump(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmDisplay *display = findDisplay(opaque, request);
    const char *path = display ? findText(arguments, "filename", request) : NULL;
    g_autoptr(GError) error = NULL;
    int fd;

    if (!path) {
        return;
    }
    if (!g_str_equal(json_object_get_string_member_with_default(arguments, "format", "ppm"), "ppm")) {
        dmQmpRequestFail(request, "GenericError", "%s", _("'format' of 'screendump' can only be 'ppm'"));
        return;
    }
    fd = openPicture(path, &error);
    if (fd < 0 || !dmDisplayDump(display, fd, dumped, request, &error)) {
        fail(request, error);
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* --- keys --------------------------------------------------------------------------------- */

static gboolean
readKeys(Hold *hold, JsonObject *arguments, GError **error)
{
    JsonNode *node = arguments ? json_object_get_member(arguments, "keys") : NULL;
    JsonArray *keys = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    hold->count = keys ? json_array_get_length(keys) : 0;
    if (hold->count == 0 || hold->count > KEYS_MAX) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'keys' is no list of 1 to %u keys"), KEYS_MAX);
        return FALSE;
    }
    for (guint i = 0; i < hold->count; i++) {
        JsonNode *key = json_array_get_element(keys, i);
        JsonObject *object = JSON_NODE_HOLDS_OBJECT(key) ? json_node_get_object(key) : NULL;
        gint64 code = object ? json_object_get_int_member_with_default(object, "data", 0) : 0;

        if (!object || code <= 0 || code >= DISPLAY_KEYS ||
            !g_str_equal(json_object_get_string_member_with_default(object, "type", ""), "linux")) {
            g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                        _("a key is {\"type\":\"linux\",\"data\":CODE}, with a code from 1 to %u"), DISPLAY_KEYS - 1);
            return FALSE;
        }
        hold->codes[i] = (guint)code;
    }
    return TRUE;
}

static gboolean
press(Hold *hold, GError **error)
{
    for (guint i = 0; i < hold->count; i++) {
        if (!dmDisplaySendKey(dmModelDisplay(hold->model), hold->codes[i], TRUE, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
release(gpointer opaque)
{
    Hold *hold = opaque;
    gboolean sent = TRUE;
    g_autoptr(GError) error = NULL;

    for (guint i = hold->count; i-- > 0 && sent;) {
        sent = dmDisplaySendKey(dmModelDisplay(hold->model), hold->codes[i], FALSE, &error);
    }
    answer(hold->request, error);
    g_ptr_array_remove(getState(hold->model)->holds, hold);
    g_free(hold);
    return G_SOURCE_REMOVE;
}

/* Answered when the keys are up again, so that what comes next is a new stroke. */
void
dmCommandSendKey(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    g_autofree Hold *hold = g_new0(Hold, 1);
    g_autoptr(GError) error = NULL;
    gint64 time;

    hold->model = opaque;
    hold->request = request;
    if (!findDisplay(opaque, request)) {
        return;
    }
    if (!readKeys(hold, arguments, &error) || !press(hold, &error)) {
        fail(request, error);
        return;
    }
    time = json_object_get_int_member_with_default(arguments, "hold-time", HOLD_DEFAULT);
    hold->source = g_timeout_add((guint)CLAMP(time, 1, HOLD_MAX), release, hold);
    g_ptr_array_add(getState(opaque)->holds, g_steal_pointer(&hold));
}

/* --- viewers that are handed in -------------------------------------------------------------- */

void
dmCommandGetFd(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmCommandsDisplay *state = getState(opaque);
    const char *name = findText(arguments, "fdname", request);
    int fd;

    if (!name) {
        return;
    }
    fd = dmQmpRequestTakeFd(request);
    if (fd < 0) {
        dmQmpRequestFail(request, "GenericError", "%s", _("no file descriptor came along"));
    } else if (g_hash_table_size(state->fds) >= FDS_MAX && !g_hash_table_contains(state->fds, name)) {
        close(fd);
        dmQmpRequestFail(request, "GenericError", _("%u file descriptors wait to be used already"), FDS_MAX);
    } else {
        g_hash_table_replace(state->fds, g_strdup(name), g_memdup2(&fd, sizeof(fd)));
        dmQmpRequestReturn(request, NULL);
    }
}

void
dmCommandAddClient(DmQmpRequest *request, JsonObject *arguments, gpointer opaque)
{
    DmDisplay *display = findDisplay(opaque, request);
    DmCommandsDisplay *state = getState(opaque);
    const char *name;
    const int *fd;
    gboolean skip;
    g_autoptr(GError) error = NULL;

    if (!display || !mustBe(arguments, "protocol", "vnc", request)) {
        return;
    }
    name = findText(arguments, "fdname", request);
    fd = name ? g_hash_table_lookup(state->fds, name) : NULL;
    if (name && !fd) {
        dmQmpRequestFail(request, "GenericError", _("there is no file descriptor '%s'"), name);
    } else if (name) {
        skip = json_object_get_boolean_member_with_default(arguments, "skipauth", FALSE);
        (void)dmDisplayAddViewer(display, *fd, skip, &error);
        answer(request, error);
        g_hash_table_remove(state->fds, name);
    }
}

void
dmCommandsDisplayFree(DmModel *model)
{
    DmCommandsDisplay **state = dmModelDisplayCommands(model);

    if (!*state) {
        return;
    }
    for (guint i = 0; i < (*state)->holds->len; i++) {
        Hold *hold = g_ptr_array_index((*state)->holds, i);

        g_source_remove(hold->source);
        dmQmpRequestFail(hold->request, "GenericError", "%s", _("the stubdomain is gone"));
        g_free(hold);
    }
    g_ptr_array_unref((*state)->holds);
    g_hash_table_unref((*state)->fds);
    g_clear_pointer(state, g_free);
}
