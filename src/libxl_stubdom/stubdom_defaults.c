/*
 * What stubdom.conf says
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvirt's form of configuration file. Strict, unlike libvirt's own: a
 * misspelt setting would otherwise be none, and the limit somebody believes in
 * not be there. Values have the ranges they have in domain XML. A setting is
 * also documented in stubdom.conf and known to libvirtd_stubdom.aug; a test
 * compares the three.
 */

#include "stubdom_compat.h"

#include "stubdom_defaults.h"

#include "virconf.h"
#include "virfile.h"

#define KIB_PER_MIB 1024ULL

static const char *const known[] = {
    "image",
    "memory",
    "start_timeout",
    "command_timeout",
    "save_limit",
    "log_limit",
    "auto_dump_path",
    "save_image_format",
    "restore_other_image",
    "vnc_listen",
    "vnc_auto_unix_socket",
    "vnc_password",
    "vnc_tls",
    "vnc_tls_x509_cert_dir",
    "vnc_tls_x509_verify",
    "vnc_sasl",
    "remote_display_port_min",
    "remote_display_port_max",
    "remote_websocket_port_min",
    "remote_websocket_port_max",
    NULL,
};

static int
checkName(const char *name, virConfValue *value, void *opaque)
{
    g_autofree char *names = NULL;

    if (g_strv_contains(known, name)) {
        return 0;
    }
    names = g_strjoinv(", ", (char **)known);
    virReportError(VIR_ERR_CONF_SYNTAX, _("%s: there is no setting '%s'; there are %s"), (const char *)opaque, name,
                   names);
    return -1;
}

static int
readNumber(virConf *conf, const char *file, const char *name, unsigned long long min, unsigned long long max,
           unsigned long long *value)
{
    int found = virConfGetValueULLong(conf, name, value);

    if (found > 0 && (*value < min || *value > max)) {
        virReportError(VIR_ERR_CONF_SYNTAX, _("%s: '%s' is %llu; it must be from %llu to %llu"), file, name, *value,
                       min, max);
        return -1;
    }
    return found < 0 ? -1 : 0;
}

static int
readTimeout(virConf *conf, const char *file, const char *name, unsigned int *seconds)
{
    unsigned long long value = 0;

    if (readNumber(conf, file, name, 1, STUBDOM_TIMEOUT_MAX, &value) < 0) {
        return -1;
    }
    *seconds = (unsigned int)value;
    return 0;
}

/* The file has MiB, as nobody counts in less for all domains at once. */
static int
readSize(virConf *conf, const char *file, const char *name, unsigned long long min, unsigned long long max,
         unsigned long long *kib)
{
    unsigned long long value = 0;

    if (readNumber(conf, file, name, VIR_DIV_UP(min, KIB_PER_MIB), max / KIB_PER_MIB, &value) < 0) {
        return -1;
    }
    *kib = value * KIB_PER_MIB;
    return 0;
}

static int
readImage(virConf *conf, const char *file, char **image)
{
    int found = virConfGetValueString(conf, "image", image);

    if (found > 0 && !stubdomSettingsImageIsValid(*image)) {
        virReportError(VIR_ERR_CONF_SYNTAX,
                       _("%s: 'image' is '%s'; it must be the name of an image, or the absolute path of a descriptor"),
                       file, *image);
        return -1;
    }
    return found < 0 ? -1 : 0;
}

static int
readPath(virConf *conf, const char *file, const char *name, char **path)
{
    int found = virConfGetValueString(conf, name, path);

    if (found > 0 && !g_path_is_absolute(*path)) {
        virReportError(VIR_ERR_CONF_SYNTAX, _("%s: '%s' is '%s'; it must be an absolute path"), file, name, *path);
        return -1;
    }
    return found < 0 ? -1 : 0;
}

static int
readFormat(virConf *conf, const char *file, StubdomSaveFormat *format)
{
    g_autofree char *text = NULL;
    int found = virConfGetValueString(conf, "save_image_format", &text);
    int value = found > 0 ? stubdomSaveFormatTypeFromString(text) : STUBDOM_SAVE_FORMAT_RAW;

    if (found < 0) {
        return -1;
    }
    if (value < 0) {
        virReportError(VIR_ERR_CONF_SYNTAX,
                       _("%s: 'save_image_format' is '%s'; it must be one of raw, gzip, bzip2, xz, zstd"), file, text);
        return -1;
    }
    *format = (StubdomSaveFormat)value;
    return 0;
}

int
stubdomDefaultsRead(const char *file, StubdomDefaults *defaults)
{
    StubdomSettings *stubdomain = &defaults->stubdomain;
    g_autoptr(virConf) conf = NULL;

    stubdomDisplayDefaultsInit(&defaults->display);
    if (!virFileExists(file)) {
        return 0;
    }
    if (!(conf = virConfReadFile(file, 0)) || virConfWalk(conf, checkName, (void *)file) < 0 ||
        readImage(conf, file, &stubdomain->image) < 0 ||
        readSize(conf, file, "memory", STUBDOM_MEMORY_MIN, STUBDOM_MEMORY_MAX, &stubdomain->memory) < 0 ||
        readTimeout(conf, file, "start_timeout", &stubdomain->startTimeout) < 0 ||
        readTimeout(conf, file, "command_timeout", &stubdomain->commandTimeout) < 0 ||
        readSize(conf, file, "save_limit", STUBDOM_LIMIT_MIN, STUBDOM_LIMIT_MAX, &stubdomain->saveLimit) < 0 ||
        readSize(conf, file, "log_limit", STUBDOM_LIMIT_MIN, STUBDOM_LIMIT_MAX, &stubdomain->logLimit) < 0 ||
        readPath(conf, file, "auto_dump_path", &defaults->autoDumpPath) < 0 ||
        readFormat(conf, file, &defaults->saveFormat) < 0 ||
        virConfGetValueBool(conf, "restore_other_image", &defaults->restoreOtherImage) < 0 ||
        stubdomDisplayDefaultsRead(conf, file, &defaults->display) < 0) {
        return -1;
    }
    return 0;
}

void
stubdomDefaultsClear(StubdomDefaults *defaults)
{
    g_clear_pointer(&defaults->stubdomain.image, g_free);
    g_clear_pointer(&defaults->autoDumpPath, g_free);
    stubdomDisplayDefaultsClear(&defaults->display);
}
