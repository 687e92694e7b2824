/*
 * How a guest's display is to be seen
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Members of the driver's file are rows of a table; one that is not there is an
 * error, and so is what libvncserver cannot do.
 */

#include "config.h"

#include "dm_display_config.h"

#include <inttypes.h>
#include <string.h>

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

#include "display_message.h"
#include "dm_error.h"

/* Display number 0 of VNC. */
#define VNC_PORT 5900U

static void
listenFree(gpointer data)
{
    DmDisplayListen *listen = data;

    g_free(listen->address);
    g_free(listen->socket);
    g_free(listen);
}

static DmDisplayConfig *
configNew(void)
{
    DmDisplayConfig *config = g_new0(DmDisplayConfig, 1);

    config->listens = g_ptr_array_new_with_free_func(listenFree);
    config->memory = DISPLAY_MEMORY_DEFAULT;
    return config;
}

void
dmDisplayConfigFree(DmDisplayConfig *config)
{
    if (config) {
        g_ptr_array_unref(config->listens);
        g_free(config);
    }
}

static DmDisplayListen *
addListen(DmDisplayConfig *config)
{
    DmDisplayListen *listen = g_new0(DmDisplayListen, 1);

    g_ptr_array_add(config->listens, listen);
    return listen;
}

G_GNUC_PRINTF(2, 3)
static gboolean
wrong(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (error) {
        *error = g_error_new_valist(DM_ERROR, DM_ERROR_ARGUMENT, format, arguments);
    }
    va_end(arguments);
    return FALSE;
}

/* --- libxl's -vnc ------------------------------------------------------------ */

/* "ADDRESS:DISPLAY" */
static gboolean
parseAddress(DmDisplayListen *listen, const char *value, GError **error)
{
    const char *colon = strrchr(value, ':');
    gsize length = colon ? (gsize)(colon - value) : 0;
    guint64 display = 0;

    if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16 - VNC_PORT, &display, NULL)) {
        return wrong(error, _("'-vnc %s' is not ADDRESS:DISPLAY"), value);
    }
    if (length >= 2 && value[0] == '[' && value[length - 1] == ']') {
        listen->address = g_strndup(value + 1, length - 2);
    } else {
        listen->address = g_strndup(value, length);
    }
    listen->port = (guint16)(VNC_PORT + display);
    listen->lastPort = listen->port;
    return TRUE;
}

static gboolean
parseVncOption(DmDisplayConfig *config, const char *option, GError **error)
{
    DmDisplayListen *listen = g_ptr_array_index(config->listens, 0);
    guint64 last = 0;

    if (g_str_equal(option, "password") || g_str_equal(option, "password=on")) {
        config->password = TRUE;
        return TRUE;
    }
    if (g_str_equal(option, "password=off")) {
        return TRUE;
    }
    if (g_str_has_prefix(option, "to=") &&
        g_ascii_string_to_unsigned(option + 3, 10, 0, G_MAXUINT16 - VNC_PORT, &last, NULL)) {
        listen->lastPort = (guint16)MAX(VNC_PORT + last, listen->port);
        return TRUE;
    }
    return wrong(error, _("'-vnc' has the option '%s'; password and to= are known"), option);
}

DmDisplayConfig *
dmDisplayConfigFromVnc(const char *value, GError **error)
{
    g_autoptr(DmDisplayConfig) config = configNew();
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    if (!parseAddress(addListen(config), parts[0] ? parts[0] : "", error)) {
        return NULL;
    }
    for (char **option = parts + 1; parts[0] && *option; option++) {
        if (!parseVncOption(config, *option, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&config);
}

/* --- the driver's file ---------------------------------------------------------- */

static gboolean
readNumber(JsonNode *node, const char *name, gint64 min, gint64 max, gint64 *value, GError **error)
{
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64) {
        *value = json_node_get_int(node);
        if (*value >= min && *value <= max) {
            return TRUE;
        }
    }
    return wrong(error, _("'%s' is no number from %" PRIi64 " to %" PRIi64), name, min, max);
}

static gboolean
isString(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
}

static gboolean
readListen(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *address = object ? json_object_get_member(object, "address") : NULL;
    JsonNode *port = object ? json_object_get_member(object, "port") : NULL;
    JsonNode *path = object ? json_object_get_member(object, "socket") : NULL;
    DmDisplayListen *listen = addListen(config);
    gint64 number = 0;

    if (path && isString(path) && json_object_get_size(object) == 1) {
        listen->socket = g_strdup(json_node_get_string(path));
        return TRUE;
    }
    if (!address || !isString(address) || !port || json_object_get_size(object) != 2) {
        return wrong(error, _("an entry of 'listen' has 'address' and 'port', or 'socket'"));
    }
    if (!readNumber(port, "port", 1, G_MAXUINT16, &number, error)) {
        return FALSE;
    }
    listen->address = g_strdup(json_node_get_string(address));
    listen->port = (guint16)number;
    listen->lastPort = listen->port;
    return TRUE;
}

static gboolean
readListens(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    if (!array || json_array_get_length(array) == 0 || json_array_get_length(array) > DISPLAY_LISTENERS_MAX / 2) {
        return wrong(error, _("'listen' is no list of 1 to %u entries"), DISPLAY_LISTENERS_MAX / 2);
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        if (!readListen(config, json_array_get_element(array, i), error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
readShare(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    static const char *const names[] = {"allow-exclusive", "force-shared", "ignore"};
    const char *name = isString(node) ? json_node_get_string(node) : "";

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(name, names[i])) {
            config->share = (DmDisplayShare)i;
            return TRUE;
        }
    }
    return wrong(error, _("'share' is not 'allow-exclusive', 'force-shared' or 'ignore'"));
}

static gboolean
readPassword(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
        return wrong(error, _("'password' is neither true nor false"));
    }
    config->password = json_node_get_boolean(node);
    return TRUE;
}

static gboolean
readMemory(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    gint64 kib = 0;

    if (!readNumber(node, "video-memory", 1, DISPLAY_MEMORY_MAX / 1024, &kib, error)) {
        return FALSE;
    }
    config->memory = MAX((guint64)kib * 1024, DISPLAY_MEMORY_DEFAULT);
    return TRUE;
}

/* Browsers come in at the addresses of the others. */
static gboolean
readWebsocket(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    guint count = config->listens->len;
    gint64 port = 0;

    if (!readNumber(node, "websocket", 1, G_MAXUINT16, &port, error)) {
        return FALSE;
    }
    for (guint i = 0; i < count; i++) {
        const DmDisplayListen *other = g_ptr_array_index(config->listens, i);
        DmDisplayListen *listen = other->address ? addListen(config) : NULL;

        if (listen) {
            listen->address = g_strdup(other->address);
            listen->port = (guint16)port;
            listen->lastPort = listen->port;
            listen->websocket = TRUE;
        }
    }
    return config->listens->len > count ||
           wrong(error, _("'websocket' needs an entry of 'listen' that has an address"));
}

/* Keys come as keysyms, of which only an American keyboard is known, or as scancodes, which need no layout. */
static gboolean
readKeymap(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    return isString(node) || wrong(error, _("'keymap' is no text"));
}

static gboolean
readTls(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    g_set_error(error, DM_ERROR, DM_ERROR_UNSUPPORTED,
                _("TLS was asked for, and libvncserver has none for servers: use a tunnel, or no TLS"));
    return FALSE;
}

static gboolean
readWidth(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    gint64 side = 0;
    gboolean right = readNumber(node, "width", 1, G_MAXUINT16, &side, error);

    config->width = (guint)side;
    return right;
}

static gboolean
readHeight(DmDisplayConfig *config, JsonNode *node, GError **error)
{
    gint64 side = 0;
    gboolean right = readNumber(node, "height", 1, G_MAXUINT16, &side, error);

    config->height = (guint)side;
    return right;
}

static const struct {
    const char *name;
    gboolean (*read)(DmDisplayConfig *config, JsonNode *node, GError **error);
} members[] = {
    {"listen", readListens},    {"websocket", readWebsocket}, {"share", readShare},
    {"password", readPassword}, {"keymap", readKeymap},       {"tls", readTls},
    {"width", readWidth},       {"height", readHeight},       {"video-memory", readMemory},
};

static gboolean
memberKnown(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        if (g_str_equal(name, members[i].name)) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
readMembers(DmDisplayConfig *config, JsonObject *object, GError **error)
{
    g_autoptr(GList) names = json_object_get_members(object);

    for (GList *name = names; name; name = name->next) {
        if (!memberKnown(name->data)) {
            return wrong(error, _("'%s' is not known"), (const char *)name->data);
        }
    }
    /* In the table's order: what is read later may need what is read before. */
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        JsonNode *node = json_object_get_member(object, members[i].name);

        if (node && !members[i].read(config, node, error)) {
            return FALSE;
        }
    }
    return config->listens->len > 0 || wrong(error, _("there is no 'listen'"));
}

DmDisplayConfig *
dmDisplayConfigFromJson(const char *text, GError **error)
{
    g_autoptr(DmDisplayConfig) config = configNew();
    g_autoptr(GError) cause = NULL;
    g_autoptr(JsonNode) root = json_from_string(text, &cause);

    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        wrong(error, _("it is no JSON object: %s"), cause ? cause->message : "");
        return NULL;
    }
    return readMembers(config, json_node_get_object(root), error) ? g_steal_pointer(&config) : NULL;
}

static const char *
findVnc(const DmOptions *options)
{
    for (char **argument = options->arguments; *argument; argument++) {
        if (g_str_equal(*argument, "-vnc") && argument[1]) {
            return argument[1];
        }
    }
    return "none";
}

DmDisplayConfig *
dmDisplayConfigRead(const DmOptions *options, GError **error)
{
    const char *vnc = findVnc(options);
    g_autofree char *text = NULL;
    DmDisplayConfig *config;

    if (g_str_equal(vnc, "none")) {
        return NULL;
    }
    if (!options->display) {
        return dmDisplayConfigFromVnc(vnc, error);
    }
    if (!g_file_get_contents(options->display, &text, NULL, error)) {
        return NULL;
    }
    config = dmDisplayConfigFromJson(text, error);
    if (!config) {
        g_prefix_error(error, _("display file '%s': "), options->display);
    }
    return config;
}
