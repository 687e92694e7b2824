/*
 * The argument list of QEMU in the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_arguments.h"

#include <string.h>

#include "init_error.h"

#define INCOMING_PREFIX "fd:/dev/hvc"
#define TAP_PREFIX "tap"

typedef struct {
    InitNodeKind kind;
    const char *prefix;
    gboolean (*isName)(char c);
} NodePattern;

static gboolean
isLetter(char c)
{
    return g_ascii_islower(c);
}

static gboolean
isDigit(char c)
{
    return g_ascii_isdigit(c);
}

static const NodePattern patterns[] = {
    {INIT_NODE_DISK, "/dev/xvd", isLetter},
    {INIT_NODE_CONSOLE, "/dev/hvc", isDigit},
};

/* Options whose value may name a device. A guest's name may look like one, too. */
static const char *const nodeOptions[] = {"-blockdev", "-chardev", "-drive", "-incoming", "-serial", NULL};

/* QEMU refuses these beside fd= (net/tap.c of QEMU 7.2 and 10.0). */
static const char *const refusedWithFd[] = {
    "ifname", "script", "downscript", "br", "helper", "queues", "vnet_hdr", "sndbuf",
};

static void
nodeFree(gpointer data)
{
    InitNode *node = data;

    g_free(node->path);
    g_free(node);
}

static void
nodeAdd(InitArguments *arguments, InitNodeKind kind, const char *path, gsize length)
{
    g_autofree char *copy = g_strndup(path, length);
    InitNode *node = NULL;

    for (guint i = 0; i < arguments->nodes->len; i++) {
        const InitNode *known = g_ptr_array_index(arguments->nodes, i);

        if (g_str_equal(known->path, copy))
            return;
    }
    node = g_new0(InitNode, 1);
    node->kind = kind;
    node->path = g_steal_pointer(&copy);
    g_ptr_array_add(arguments->nodes, node);
}

static void
findNodes(InitArguments *arguments, const char *argument)
{
    for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++) {
        const NodePattern *pattern = &patterns[i];
        gsize prefix = strlen(pattern->prefix);

        for (const char *p = strstr(argument, pattern->prefix); p; p = strstr(p + prefix, pattern->prefix)) {
            gsize length = prefix;

            while (pattern->isName(p[length]))
                length++;
            if (length > prefix)
                nodeAdd(arguments, pattern->kind, p, length);
        }
    }
}

/* Splits QEMU's "a=b,c=d"; a doubled comma is a comma in a value and stays doubled. */
static char **
splitOptions(const char *text)
{
    GPtrArray *options = g_ptr_array_new();
    const char *start = text;

    for (const char *p = text;; p++) {
        if (p[0] == ',' && p[1] == ',') {
            p++;
        } else if (*p == ',' || *p == '\0') {
            g_ptr_array_add(options, g_strndup(start, (gsize)(p - start)));
            start = p + 1;
            if (*p == '\0')
                break;
        }
    }
    g_ptr_array_add(options, NULL);
    return (char **)g_ptr_array_free(options, FALSE);
}

static gboolean
isTap(char **options)
{
    return options[0] && (g_str_equal(options[0], "tap") || g_strv_contains((const char *const *)options, "type=tap"));
}

static const char *
findOption(char **options, const char *key)
{
    gsize length = strlen(key);

    for (char **o = options; *o; o++) {
        if (strncmp(*o, key, length) == 0 && (*o)[length] == '=')
            return *o + length + 1;
    }
    return NULL;
}

static gboolean
findNic(InitArguments *arguments, guint position, GError **error)
{
    const char *argument = g_ptr_array_index(arguments->argv, position);
    g_auto(GStrv) options = splitOptions(argument);
    const char *interface = findOption(options, "ifname");
    guint64 number = 0;
    InitNic nic = {.position = position};

    if (!isTap(options) || findOption(options, "fd"))
        return TRUE;
    if (!interface || !g_str_has_prefix(interface, TAP_PREFIX) ||
        !g_ascii_string_to_unsigned(interface + strlen(TAP_PREFIX), 10, 0, G_MAXUINT16, &number, NULL)) {
        g_set_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT,
                    "-netdev %s: ifname must be tapN, with N the number of a PV network card", argument);
        return FALSE;
    }
    for (guint i = 0; i < arguments->nics->len; i++) {
        if (g_array_index(arguments->nics, InitNic, i).number == number) {
            g_set_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT, "-netdev %s: PV network card %u is in use already",
                        argument, (guint)number);
            return FALSE;
        }
    }
    nic.number = (guint)number;
    g_array_append_val(arguments->nics, nic);
    return TRUE;
}

InitArguments *
initArgumentsParse(const char *const *argv, GError **error)
{
    g_autoptr(InitArguments) arguments = g_new0(InitArguments, 1);

    arguments->argv = g_ptr_array_new_with_free_func(g_free);
    arguments->nodes = g_ptr_array_new_with_free_func(nodeFree);
    arguments->nics = g_array_new(FALSE, FALSE, sizeof(InitNic));

    for (guint i = 0; argv[i]; i++) {
        const char *option = i > 0 ? argv[i - 1] : "";

        g_ptr_array_add(arguments->argv, g_strdup(argv[i]));
        if (g_strv_contains(nodeOptions, option))
            findNodes(arguments, argv[i]);
        if (g_str_equal(option, "-netdev") && !findNic(arguments, i, error))
            return NULL;
        if (g_str_equal(option, "-incoming") && g_str_has_prefix(argv[i], INCOMING_PREFIX)) {
            g_free(arguments->incoming);
            arguments->incoming = g_strdup(argv[i] + strlen("fd:"));
            arguments->incomingPosition = i;
        }
    }
    return g_steal_pointer(&arguments);
}

void
initArgumentsFree(InitArguments *arguments)
{
    if (!arguments)
        return;
    g_ptr_array_unref(arguments->argv);
    g_ptr_array_unref(arguments->nodes);
    g_array_unref(arguments->nics);
    g_free(arguments->incoming);
    g_free(arguments);
}

static void
replace(InitArguments *arguments, guint position, char *argument)
{
    g_free(g_ptr_array_index(arguments->argv, position));
    g_ptr_array_index(arguments->argv, position) = argument;
}

void
initArgumentsSetTap(InitArguments *arguments, guint index, int fd)
{
    const InitNic *nic = &g_array_index(arguments->nics, InitNic, index);
    g_auto(GStrv) options = splitOptions(g_ptr_array_index(arguments->argv, nic->position));
    g_autoptr(GString) kept = g_string_new(NULL);

    for (char **option = options; *option; option++) {
        gboolean refused = FALSE;

        for (gsize i = 0; i < G_N_ELEMENTS(refusedWithFd); i++) {
            gsize length = strlen(refusedWithFd[i]);

            refused |= strncmp(*option, refusedWithFd[i], length) == 0 && (*option)[length] == '=';
        }
        if (!refused)
            g_string_append_printf(kept, "%s%s", kept->len > 0 ? "," : "", *option);
    }
    g_string_append_printf(kept, ",fd=%d", fd);
    replace(arguments, nic->position, g_string_free(g_steal_pointer(&kept), FALSE));
}

void
initArgumentsSetIncoming(InitArguments *arguments, int fd)
{
    replace(arguments, arguments->incomingPosition, g_strdup_printf("fd:%d", fd));
}

gboolean
initArgumentsHas(const InitArguments *arguments, InitNodeKind kind)
{
    for (guint i = 0; i < arguments->nodes->len; i++) {
        if (((const InitNode *)g_ptr_array_index(arguments->nodes, i))->kind == kind)
            return TRUE;
    }
    return FALSE;
}
