/*
 * Command line of xen-stubdom-dm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The options of libxl that concern the process in dom0 are rows of a table,
 * and so are our own, which follow `-stubdom` as one list. Everything else is
 * handed on unchanged.
 */

#include "config.h"

#include "dm_options.h"

#include <inttypes.h>
#include <string.h>

#include <glib/gi18n-lib.h>

#include "dm_cpus.h"
#include "dm_error.h"
#include "protocol/stubdom_paths.h"

/* Splits a QEMU option list at single commas. */
static char **
splitList(const char *list)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GString) item = g_string_new(NULL);

    for (const char *p = list; *p; p++) {
        if (*p != ',') {
            g_string_append_c(item, *p);
        } else if (p[1] == ',') {
            g_string_append_c(item, *p++);
        } else {
            g_strv_builder_add(builder, item->str);
            g_string_truncate(item, 0);
        }
    }
    g_strv_builder_add(builder, item->str);
    return g_strv_builder_end(builder);
}

char *
dmOptionListGet(const char *list, const char *key)
{
    g_auto(GStrv) items = splitList(list);
    gsize length = strlen(key);

    for (char **item = items; *item; item++) {
        if (g_str_has_prefix(*item, key) && (*item)[length] == '=') {
            return g_strdup(*item + length + 1);
        }
    }
    return NULL;
}

static gboolean
parseNumber(const char *what, const char *value, guint64 min, guint64 max, guint64 *number, GError **error)
{
    if (value && g_ascii_string_to_unsigned(value, 10, min, max, number, NULL)) {
        return TRUE;
    }
    g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                _("option '%s' has the value '%s'; a number from %" PRIu64 " to %" PRIu64 " is needed"), what,
                value ? value : "", min, max);
    return FALSE;
}

static gboolean
parseGuint(const char *what, const char *value, guint min, guint max, guint *number, GError **error)
{
    guint64 wide = 0;

    if (!parseNumber(what, value, min, max, &wide, error)) {
        return FALSE;
    }
    *number = (guint)wide;
    return TRUE;
}

/* What names a file or an image. */
static gboolean
parseName(DmOptions *options, const char *key, const char *value)
{
    char **target = g_str_equal(key, "image")     ? &options->image
                    : g_str_equal(key, "config")  ? &options->config
                    : g_str_equal(key, "display") ? &options->display
                                                  : NULL;

    if (!target || !value || !*value) {
        return FALSE;
    }
    g_free(*target);
    *target = g_strdup(value);
    return TRUE;
}

/* One item of the list after -stubdom. */
static gboolean
parseOwn(DmOptions *options, const char *item, GError **error)
{
    g_auto(GStrv) pair = g_strsplit(item, "=", 2);
    const char *key = pair[0] ? pair[0] : "";
    const char *value = key[0] != '\0' ? pair[1] : NULL;

    if (g_str_equal(key, "start-timeout")) {
        return parseGuint(key, value, 1, DM_TIMEOUT_MAX, &options->startTimeout, error);
    }
    if (g_str_equal(key, "command-timeout")) {
        return parseGuint(key, value, 1, DM_TIMEOUT_MAX, &options->commandTimeout, error);
    }
    if (g_str_equal(key, "save-limit")) {
        return parseNumber(key, value, 4096, DM_LIMIT_MAX, &options->saveLimit, error);
    }
    if (g_str_equal(key, "log-limit")) {
        return parseNumber(key, value, 4096, DM_LIMIT_MAX, &options->logLimit, error);
    }
    if (g_str_equal(key, "memory")) {
        return parseGuint(key, value, 16, 65536, &options->memory, error);
    }
    if (g_str_equal(key, "cpus") && value) {
        g_free(options->cpus);
        options->cpus = g_strdup(value);
        return dmCpusParse(value, NULL, error);
    }
    if (g_str_equal(key, "pci-reset") && value && (g_str_equal(value, "required") || g_str_equal(value, "optional"))) {
        options->pciResetOptional = g_str_equal(value, "optional");
        return TRUE;
    }
    if (parseName(options, key, value)) {
        return TRUE;
    }
    g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                _("'-stubdom' does not know '%s'; it takes image=, config=, display=, memory=, cpus=, "
                  "start-timeout=, command-timeout=, save-limit=, log-limit= and pci-reset="),
                item);
    return FALSE;
}

static gboolean
parseStubdom(DmOptions *options, const char *list, GError **error)
{
    g_auto(GStrv) items = splitList(list);

    for (char **item = items; *item; item++) {
        if (!parseOwn(options, *item, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* libxl's two monitor sockets. Other character devices stay for the guest's configuration. */
static gboolean
parseChardev(DmOptions *options, const char *list, gboolean *taken, GError **error)
{
    g_autofree char *id = dmOptionListGet(list, "id");
    g_autofree char *path = dmOptionListGet(list, "path");
    g_autofree char *fd = dmOptionListGet(list, "fd");

    *taken = TRUE;
    if (g_strcmp0(id, "libxl-cmd") == 0 && path) {
        g_free(options->qmpPath);
        options->qmpPath = g_steal_pointer(&path);
    } else if (g_strcmp0(id, "libxl-cmd") == 0 && fd) {
        guint number = 0;

        if (!parseGuint("-chardev …,fd", fd, 3, G_MAXINT, &number, error)) {
            return FALSE;
        }
        options->qmpFd = (int)number;
    } else if (g_strcmp0(id, "libxenstat-cmd") == 0 && path) {
        g_free(options->statPath);
        options->statPath = g_steal_pointer(&path);
    } else {
        *taken = FALSE;
    }
    return TRUE;
}

static gboolean
parseIncoming(DmOptions *options, const char *value, GError **error)
{
    guint number = 0;

    if (!g_str_has_prefix(value, "fd:")) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("'-incoming %s' is not the 'fd:N' that libxl uses"), value);
        return FALSE;
    }
    if (!parseGuint("-incoming", value + 3, 3, G_MAXINT, &number, error)) {
        return FALSE;
    }
    options->incomingFd = (int)number;
    return TRUE;
}

static gboolean
isMonitorOfLibxl(const char *value)
{
    return g_str_has_prefix(value, "chardev=libxl-cmd,") || g_str_has_prefix(value, "chardev=libxenstat-cmd,");
}

/* Takes the option @name if it is one for dom0. */
static gboolean
parsePair(DmOptions *options, const char *name, const char *value, gboolean *taken, GError **error)
{
    *taken = TRUE;
    if (g_str_equal(name, "-xen-domid")) {
        return parseGuint(name, value, 1, STUBDOM_DOMID_MAX, &options->domid, error);
    }
    if (g_str_equal(name, "-stubdom")) {
        return parseStubdom(options, value, error);
    }
    if (g_str_equal(name, "-chardev")) {
        return parseChardev(options, value, taken, error);
    }
    if (g_str_equal(name, "-incoming")) {
        return parseIncoming(options, value, error);
    }
    *taken = g_str_equal(name, "-mon") && isMonitorOfLibxl(value);
    return TRUE;
}

static DmOptions *
optionsNew(void)
{
    DmOptions *options = g_new0(DmOptions, 1);

    options->qmpFd = -1;
    options->incomingFd = -1;
    options->image = g_strdup(DM_IMAGE_DEFAULT);
    options->startTimeout = DM_START_TIMEOUT_DEFAULT;
    options->commandTimeout = DM_COMMAND_TIMEOUT_DEFAULT;
    options->saveLimit = DM_SAVE_LIMIT_DEFAULT;
    options->logLimit = DM_LOG_LIMIT_DEFAULT;
    return options;
}

DmOptions *
dmOptionsParse(int argc, char **argv, GError **error)
{
    g_autoptr(DmOptions) options = optionsNew();
    g_autoptr(GStrvBuilder) rest = g_strv_builder_new();

    for (int i = 1; i < argc; i++) {
        gboolean taken = FALSE;

        if (i + 1 < argc && !parsePair(options, argv[i], argv[i + 1], &taken, error)) {
            return NULL;
        }
        if (taken) {
            i++;
        } else {
            g_strv_builder_add(rest, argv[i]);
        }
    }
    options->arguments = g_strv_builder_end(rest);
    if (options->domid == 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                    _("there is no '-xen-domid'; xen-stubdom-dm is started by libxl as the guest's device model "
                      "(device_model_override in xl.cfg, <emulator> in libvirt), see xen-stubdom-dm(8)"));
        return NULL;
    }
    if (!options->qmpPath && options->qmpFd < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT,
                    _("libxl passed no 'libxl-cmd' socket; device_model_version must be \"qemu-xen\""));
        return NULL;
    }
    return g_steal_pointer(&options);
}

void
dmOptionsFree(DmOptions *options)
{
    if (!options) {
        return;
    }
    g_free(options->qmpPath);
    g_free(options->statPath);
    g_strfreev(options->arguments);
    g_free(options->image);
    g_free(options->config);
    g_free(options->display);
    g_free(options->cpus);
    g_free(options);
}
