/*
 * What stubdom.conf says of displays
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The settings and their names are those of qemu.conf. Some of them promise a
 * viewer protection that the VNC server, libvncserver, does not have: a domain
 * whose administrator believes in it must not be started.
 */

#include "stubdom_compat.h"

#include "stubdom_defaults_display.h"

#include <sys/stat.h>

#include "virsocketaddr.h"

#define LISTEN_DEFAULT "127.0.0.1"

void
stubdomDisplayDefaultsInit(StubdomDisplayDefaults *defaults)
{
    defaults->listen = g_strdup(LISTEN_DEFAULT);
    defaults->portMin = STUBDOM_DISPLAY_PORT_MIN;
    defaults->portMax = STUBDOM_PORT_MAX;
    defaults->websocketMin = STUBDOM_WEBSOCKET_PORT_MIN;
    defaults->websocketMax = STUBDOM_PORT_MAX;
}

void
stubdomDisplayDefaultsClear(StubdomDisplayDefaults *defaults)
{
    g_clear_pointer(&defaults->listen, g_free);
    g_clear_pointer(&defaults->password, g_free);
}

/* A name may mean several addresses, and others tomorrow. */
static int
readListen(virConf *conf, const char *file, char **address)
{
    int found = virConfGetValueString(conf, "vnc_listen", address);

    if (found > 0 && virSocketAddrNumericFamily(*address) < 0) {
        virReportError(VIR_ERR_CONF_SYNTAX, _("%s: '%s' is '%s'; it must be a numeric address, as 127.0.0.1 or ::"),
                       file, "vnc_listen", *address);
        return -1;
    }
    return found < 0 ? -1 : 0;
}

static int
checkPassword(const char *file, const char *password)
{
    struct stat status;

    if (strlen(password) > STUBDOM_VNC_PASSWORD_MAX) {
        virReportError(VIR_ERR_CONF_SYNTAX, _("%s: '%s' has %zu characters; VNC looks at the first %d alone"), file,
                       "vnc_password", strlen(password), STUBDOM_VNC_PASSWORD_MAX);
        return -1;
    }
    if (stat(file, &status) < 0) {
        virReportSystemError(errno, _("cannot look at the file '%s'"), file);
        return -1;
    }
    if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        virReportError(VIR_ERR_CONF_SYNTAX,
                       _("%s: it has a password ('%s') and the mode %o; it must be root's alone: chmod 600 '%s'"), file,
                       "vnc_password", (unsigned int)status.st_mode & 07777U, file);
        return -1;
    }
    return 0;
}

static int
readPassword(virConf *conf, const char *file, char **password)
{
    int found = virConfGetValueString(conf, "vnc_password", password);

    return found > 0 ? checkPassword(file, *password) : found;
}

static int
refuseSwitch(virConf *conf, const char *file, const char *name, const char *reason)
{
    bool value = false;

    if (virConfGetValueBool(conf, name, &value) < 0) {
        return -1;
    }
    if (value) {
        virReportError(VIR_ERR_CONF_SYNTAX, _("%s: '%s' is not supported with a stubdomain: %s"), file, name, reason);
        return -1;
    }
    return 0;
}

static int
refuseText(virConf *conf, const char *file, const char *name, const char *reason)
{
    g_autofree char *value = NULL;

    if (virConfGetValueString(conf, name, &value) < 0) {
        return -1;
    }
    if (value && *value) {
        virReportError(VIR_ERR_CONF_SYNTAX, _("%s: '%s' is not supported with a stubdomain: %s"), file, name, reason);
        return -1;
    }
    return 0;
}

static int
refuseProtection(virConf *conf, const char *file)
{
    const char *tls =
        _("the VNC server is libvncserver, which has no TLS for viewers; leave the display at 127.0.0.1 or a "
          "socket, and let viewers come through ssh (virt-viewer does with xen+ssh://)");
    const char *sasl = _("the VNC server is libvncserver, which has no SASL for viewers; a password can be had "
                         "(vnc_password, or passwd in <graphics>)");

    if (refuseSwitch(conf, file, "vnc_tls", tls) < 0 || refuseText(conf, file, "vnc_tls_x509_cert_dir", tls) < 0 ||
        refuseSwitch(conf, file, "vnc_tls_x509_verify", tls) < 0) {
        return -1;
    }
    return refuseSwitch(conf, file, "vnc_sasl", sasl);
}

/* virPortAllocatorRangeNew() wants at least two. */
static int
readPorts(virConf *conf, const char *file, const char *kind, unsigned int *min, unsigned int *max)
{
    g_autofree char *minName = g_strdup_printf("remote_%s_port_min", kind);
    g_autofree char *maxName = g_strdup_printf("remote_%s_port_max", kind);
    unsigned int least = *min;

    if (virConfGetValueUInt(conf, minName, min) < 0 || virConfGetValueUInt(conf, maxName, max) < 0) {
        return -1;
    }
    if (*min < least || *min >= STUBDOM_PORT_MAX) {
        virReportError(VIR_ERR_CONF_SYNTAX, _("%s: '%s' is %u; it must be from %u to %u"), file, minName, *min, least,
                       STUBDOM_PORT_MAX - 1);
        return -1;
    }
    if (*max <= *min || *max > STUBDOM_PORT_MAX) {
        virReportError(VIR_ERR_CONF_SYNTAX, _("%s: '%s' is %u; it must be from %u to %u"), file, maxName, *max,
                       *min + 1, STUBDOM_PORT_MAX);
        return -1;
    }
    return 0;
}

int
stubdomDisplayDefaultsRead(virConf *conf, const char *file, StubdomDisplayDefaults *defaults)
{
    if (readListen(conf, file, &defaults->listen) < 0 ||
        virConfGetValueBool(conf, "vnc_auto_unix_socket", &defaults->autoSocket) < 0 ||
        refuseProtection(conf, file) < 0 || readPassword(conf, file, &defaults->password) < 0 ||
        readPorts(conf, file, "display", &defaults->portMin, &defaults->portMax) < 0) {
        return -1;
    }
    return readPorts(conf, file, "websocket", &defaults->websocketMin, &defaults->websocketMax);
}
