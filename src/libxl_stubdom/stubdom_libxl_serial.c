/*
 * A domain's serial ports as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl hands the words of QEMU's -serial on to xen-stubdom-dm, which serves
 * that end of the port in dom0. So only kinds that xen-stubdom-dm has are
 * possible (dm_serial_spec.c), which never make a start wait for a client.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_serial.h"

#include <sys/un.h>

#include "stubdom_refusal.h"

#define SERIAL_PORTS 4 /* of a PC; QEMU leaves out the rest */

/* A path that xen-stubdom-dm takes; a socket's is bounded and must not look like an option. */
static bool
isSerialPath(const virDomainChrSourceDef *source, const char *path)
{
    struct sockaddr_un name;

    if (!path || *path != '/') {
        return false;
    }
    return source->type != VIR_DOMAIN_CHR_TYPE_UNIX || (strlen(path) < sizeof(name.sun_path) && !strchr(path, ','));
}

static char *
serialTcp(const virDomainChrSourceDef *source)
{
    const char *host = source->data.tcp.host;
    const char *server = source->data.tcp.listen ? ",server,nowait" : "";

    if (source->data.tcp.protocol != VIR_DOMAIN_CHR_TCP_PROTOCOL_RAW || !host || strpbrk(host, "[]/, ") ||
        !source->data.tcp.service ||
        !g_ascii_string_to_unsigned(source->data.tcp.service, 10, 1, G_MAXUINT16, NULL, NULL)) {
        return NULL;
    }
    if (strchr(host, ':')) {
        return g_strdup_printf("tcp:[%s]:%s%s", host, source->data.tcp.service, server);
    }
    return g_strdup_printf("tcp:%s:%s%s", host, source->data.tcp.service, server);
}

/* In the words of QEMU's -serial, as far as xen-stubdom-dm knows them; NULL: it does not. */
static char *
serialText(const virDomainChrSourceDef *source)
{
    const char *path = source->data.file.path; /* of dev and file; not looked at for others */

    switch ((virDomainChrType)source->type) {
    case VIR_DOMAIN_CHR_TYPE_NULL:
        return g_strdup("null");
    case VIR_DOMAIN_CHR_TYPE_PTY:
        return g_strdup("pty");
    case VIR_DOMAIN_CHR_TYPE_DEV:
        return isSerialPath(source, path) ? g_strdup(path) : NULL;
    case VIR_DOMAIN_CHR_TYPE_FILE:
        return isSerialPath(source, path) ? g_strdup_printf("file:%s", path) : NULL;
    case VIR_DOMAIN_CHR_TYPE_UNIX:
        path = source->data.nix.path;
        if (!isSerialPath(source, path)) {
            return NULL;
        }
        return g_strdup_printf("unix:%s%s", path, source->data.nix.listen ? ",server,nowait" : "");
    case VIR_DOMAIN_CHR_TYPE_TCP:
        return serialTcp(source);
    default:
        return NULL;
    }
}

static int
buildPorts(libxl_domain_build_info *info, const virDomainDef *def)
{
    info->u.hvm.serial_list = g_new0(char *, def->nserials + 1);
    for (size_t i = 0; i < def->nserials; i++) {
        const virDomainChrDef *serial = def->serials[i];
        g_autofree char *name = g_strdup_printf("%d", serial->target.port);
        char **place = NULL;

        if (serial->targetType != VIR_DOMAIN_CHR_SERIAL_TARGET_TYPE_ISA) {
            return stubdomRefuse("serial", name, _("its target is '%s'; it must be isa-serial"),
                                 virDomainChrSerialTargetTypeToString(serial->targetType));
        }
        if (serial->target.port < 0 || (size_t)serial->target.port >= def->nserials ||
            *(place = &info->u.hvm.serial_list[serial->target.port])) {
            return stubdomRefuse("serial", name, _("libxl needs ports from 0 on, without a gap"));
        }
        if (i >= SERIAL_PORTS) {
            return stubdomRefuse("serial", name, _("a guest has %d ports"), SERIAL_PORTS);
        }
        if (!(*place = serialText(serial->source))) {
            return stubdomRefuse(
                "serial", name,
                _("its type is '%s'; possible are null, pty, dev, file and unix with an absolute path, and tcp "
                  "with the protocol raw and a port's number"),
                virDomainChrTypeToString(serial->source->type));
        }
    }
    return 0;
}

/* A console is another name of the serial port with its number; a PV console belongs to a PV guest. */
static int
checkConsoles(const virDomainDef *def)
{
    for (size_t i = 0; i < def->nconsoles; i++) {
        const virDomainChrDef *console = def->consoles[i];
        g_autofree char *name = g_strdup_printf("%d", console->target.port);

        if (console->targetType != VIR_DOMAIN_CHR_CONSOLE_TARGET_TYPE_SERIAL || i >= def->nserials) {
            return stubdomRefuse("console", name, _("it has no serial port to be"));
        }
    }
    return 0;
}

int
stubdomLibxlSerialsBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    return buildPorts(&config->b_info, def) < 0 ? -1 : checkConsoles(def);
}
