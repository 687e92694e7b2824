/*
 * A domain's devices as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The order of the XML is kept: the i-th disk and network card of the guest
 * become the i-th of the stubdomain. Every kind of device has a row in a table;
 * one without a row was refused before.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_devices.h"

#include <sys/un.h>

#include "virutil.h"

#define BYTES_PER_KIB 1024ULL
#define RATE_INTERVAL 50000U /* microseconds, xl-network-configuration(5) */
#define IDE_DISKS 4
#define SERIAL_PORTS 4         /* of a PC; QEMU leaves out the rest */
#define VGA_MEMORY_MIN 16384   /* KiB, libxl's for each card */
#define CIRRUS_MEMORY_MIN 8192 /* KiB */

static int unsupported(const char *element, const char *name, const char *format, ...) G_GNUC_PRINTF(3, 4);

static int
unsupported(const char *element, const char *name, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list args;

    va_start(args, format);
    reason = g_strdup_vprintf(format, args);
    va_end(args);
    virReportError(VIR_ERR_CONFIG_UNSUPPORTED, _("%s '%s' is not supported with a stubdomain: %s"), element, name,
                   reason);
    return -1;
}

/* libxl derives the bus from the name, so they must agree. */
static int
checkDiskTarget(const virDomainDiskDef *disk)
{
    static const char *const prefixes[VIR_DOMAIN_DISK_BUS_LAST] = {
        [VIR_DOMAIN_DISK_BUS_IDE] = "hd",
        [VIR_DOMAIN_DISK_BUS_SCSI] = "sd",
        [VIR_DOMAIN_DISK_BUS_XEN] = "xvd",
    };
    const char *prefix = prefixes[disk->bus];

    if (!prefix) {
        return unsupported("disk", disk->dst, _("libxl has the buses ide, scsi and xen, and not '%s'"),
                           virDomainDiskBusTypeToString(disk->bus));
    }
    if (!g_str_has_prefix(disk->dst, prefix)) {
        return unsupported("disk", disk->dst,
                           _("libxl takes the bus from the name, and '%s' needs one that begins with '%s'"),
                           virDomainDiskBusTypeToString(disk->bus), prefix);
    }
    if (disk->bus == VIR_DOMAIN_DISK_BUS_IDE && virDiskNameToIndex(disk->dst) >= IDE_DISKS) {
        return unsupported("disk", disk->dst, _("there are four places on the bus 'ide', hda to hdd"));
    }
    return 0;
}

static int
checkDiskSource(virDomainDiskDef *disk)
{
    const char *driver = virDomainDiskGetDriver(disk);
    int format = virDomainDiskGetFormat(disk);
    int type = virDomainDiskGetType(disk);

    if (type != VIR_STORAGE_TYPE_FILE && type != VIR_STORAGE_TYPE_BLOCK) {
        return unsupported("disk", disk->dst, _("its type is '%s'; file and block are implemented"),
                           virStorageTypeToString(type));
    }
    if (format != VIR_STORAGE_FILE_RAW) {
        return unsupported("disk", disk->dst, _("its format is '%s'; without a QEMU in dom0 there is only raw"),
                           virStorageFileFormatTypeToString(format));
    }
    if (driver && STRNEQ(driver, "phy") && STRNEQ(driver, "file")) {
        return unsupported("disk", disk->dst,
                           _("its driver is '%s'; without a QEMU in dom0 there are only phy and file"), driver);
    }
    if (disk->device == VIR_DOMAIN_DISK_DEVICE_DISK && virStorageSourceIsEmpty(disk->src)) {
        return unsupported("disk", disk->dst, _("it has no source, which only a CD-ROM may be without"));
    }
    return 0;
}

static int
buildDisk(StubdomLibxlConfig *config, const virDomainDef *def, size_t i)
{
    virDomainDiskDef *disk = def->disks[i];
    libxl_device_disk *to = &config->disks[i];
    bool cdrom = disk->device == VIR_DOMAIN_DISK_DEVICE_CDROM;

    if (!cdrom && disk->device != VIR_DOMAIN_DISK_DEVICE_DISK) {
        return unsupported("disk", disk->dst, _("libxl has no device '%s' for HVM guests"),
                           virDomainDiskDeviceTypeToString(disk->device));
    }
    if (checkDiskTarget(disk) < 0 || checkDiskSource(disk) < 0) {
        return -1;
    }
    if (cdrom && disk->bus != VIR_DOMAIN_DISK_BUS_IDE) {
        return unsupported("disk", disk->dst, _("a CD-ROM can be on the bus 'ide' only"));
    }
    to->vdev = g_strdup(disk->dst);
    to->pdev_path = g_strdup(virDomainDiskGetSource(disk));
    to->format = virStorageSourceIsEmpty(disk->src) ? LIBXL_DISK_FORMAT_EMPTY : LIBXL_DISK_FORMAT_RAW;
    to->backend = cdrom ? LIBXL_DISK_BACKEND_UNKNOWN : LIBXL_DISK_BACKEND_PHY;
    to->is_cdrom = cdrom;
    to->removable = cdrom;
    to->readwrite = !cdrom && !disk->src->readonly;
    if (disk->discard != VIR_DOMAIN_DISK_DISCARD_DEFAULT) {
        libxl_defbool_set(&to->discard_enable, disk->discard == VIR_DOMAIN_DISK_DISCARD_UNMAP);
    }
    return 0;
}

static int
buildNicModel(libxl_device_nic *to, const virDomainNetDef *net, const char *mac)
{
    to->nictype = LIBXL_NIC_TYPE_VIF_IOEMU;
    switch (net->model) {
    case VIR_DOMAIN_NET_MODEL_NETFRONT:
        to->nictype = LIBXL_NIC_TYPE_VIF;
        return 0;
    case VIR_DOMAIN_NET_MODEL_RTL8139:
    case VIR_DOMAIN_NET_MODEL_E1000:
        to->model = g_strdup(virDomainNetModelTypeToString(net->model));
        return 0;
    case VIR_DOMAIN_NET_MODEL_UNKNOWN:
        if (!net->modelstr) {
            return 0;
        }
        break;
    default:
        break;
    }
    return unsupported("interface", mac, _("its model is '%s'; rtl8139, e1000 and netfront are implemented"),
                       NULLSTR(virDomainNetGetModelString(net)));
}

static int
buildNic(StubdomLibxlConfig *config, const virDomainDef *def, size_t i)
{
    virDomainNetDef *net = def->nets[i];
    libxl_device_nic *to = &config->nics[i];
    char mac[VIR_MAC_STRING_BUFLEN];

    virMacAddrFormat(&net->mac, mac);
    if (net->type != VIR_DOMAIN_NET_TYPE_BRIDGE) {
        return unsupported("interface", mac, _("its type is '%s'; only bridge is implemented yet"),
                           virDomainNetTypeToString(net->type));
    }
    to->devid = (int)i;
    virMacAddrGetRaw(&net->mac, to->mac);
    to->bridge = g_strdup(net->data.bridge.brname);
    to->ifname = g_strdup(net->ifname);
    to->script = g_strdup(net->script);
    if (net->bandwidth && net->bandwidth->out) {
        to->rate_interval_usecs = RATE_INTERVAL;
        to->rate_bytes_per_interval =
            net->bandwidth->out->average * BYTES_PER_KIB * RATE_INTERVAL / (uint64_t)G_USEC_PER_SEC;
    }
    return buildNicModel(to, net, mac);
}

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
buildSerials(libxl_domain_build_info *info, const virDomainDef *def)
{
    info->u.hvm.serial_list = g_new0(char *, def->nserials + 1);
    for (size_t i = 0; i < def->nserials; i++) {
        const virDomainChrDef *serial = def->serials[i];
        g_autofree char *name = g_strdup_printf("%d", serial->target.port);
        char **place = NULL;

        if (serial->targetType != VIR_DOMAIN_CHR_SERIAL_TARGET_TYPE_ISA) {
            return unsupported("serial", name, _("its target is '%s'; it must be isa-serial"),
                               virDomainChrSerialTargetTypeToString(serial->targetType));
        }
        if (serial->target.port < 0 || (size_t)serial->target.port >= def->nserials ||
            *(place = &info->u.hvm.serial_list[serial->target.port])) {
            return unsupported("serial", name, _("libxl needs ports from 0 on, without a gap"));
        }
        if (i >= SERIAL_PORTS) {
            return unsupported("serial", name, _("a guest has %d ports"), SERIAL_PORTS);
        }
        if (!(*place = serialText(serial->source))) {
            return unsupported(
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
            return unsupported("console", name, _("it has no serial port to be"));
        }
    }
    return 0;
}

static int
buildVideo(libxl_domain_build_info *info, const virDomainDef *def)
{
    const virDomainVideoDef *video = def->nvideos ? def->videos[0] : NULL;
    unsigned int minimum = VGA_MEMORY_MIN;

    libxl_defbool_set(&info->u.hvm.vnc.enable, false);
    libxl_defbool_set(&info->u.hvm.sdl.enable, false);
    libxl_defbool_set(&info->u.hvm.spice.enable, false);
    info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_STD; /* a BIOS and most guests want one, though nobody sees it */
    if (def->nvideos > 1) {
        return unsupported("video", virDomainVideoTypeToString(def->videos[1]->type), _("libxl has one card a guest"));
    }
    if (!video || video->type == VIR_DOMAIN_VIDEO_TYPE_DEFAULT) {
        return 0;
    }
    if (video->type == VIR_DOMAIN_VIDEO_TYPE_NONE) {
        info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_NONE;
        return 0;
    }
    if (video->type == VIR_DOMAIN_VIDEO_TYPE_CIRRUS) {
        info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_CIRRUS;
        minimum = CIRRUS_MEMORY_MIN;
    } else if (video->type != VIR_DOMAIN_VIDEO_TYPE_VGA) {
        return unsupported("video", virDomainVideoTypeToString(video->type), _("vga, cirrus and none are possible"));
    }
    if (video->vram && video->vram < minimum) {
        return unsupported("video", virDomainVideoTypeToString(video->type),
                           _("libxl needs at least %u KiB of memory for it"), minimum);
    }
    if (video->vram) {
        info->video_memkb = video->vram;
    }
    return 0;
}

/* Devices that need no word to libxl, but must be of the kind that is there. */
static int
checkOthers(const virDomainDef *def)
{
    for (size_t i = 0; i < def->ninputs; i++) {
        if (def->inputs[i]->bus != VIR_DOMAIN_INPUT_BUS_PS2) {
            return unsupported("input", virDomainInputTypeToString(def->inputs[i]->type),
                               _("without a display there are only the mouse and keyboard of the bus 'ps2'"));
        }
    }
    for (size_t i = 0; i < def->ncontrollers; i++) {
        int type = def->controllers[i]->type;

        if ((type != VIR_DOMAIN_CONTROLLER_TYPE_IDE && type != VIR_DOMAIN_CONTROLLER_TYPE_SCSI &&
             type != VIR_DOMAIN_CONTROLLER_TYPE_XENBUS) ||
            def->controllers[i]->idx != 0 || def->controllers[i]->model > 0) {
            return unsupported("controller", virDomainControllerTypeToString(type),
                               _("there is one each of ide, scsi and xenbus, without a model"));
        }
    }
    if (def->memballoon && def->memballoon->model != VIR_DOMAIN_MEMBALLOON_MODEL_XEN &&
        def->memballoon->model != VIR_DOMAIN_MEMBALLOON_MODEL_NONE) {
        return unsupported("memballoon", virDomainMemballoonModelTypeToString(def->memballoon->model),
                           _("Xen has its own"));
    }
    return 0;
}

int
stubdomLibxlDevicesBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    config->disks = g_new0(libxl_device_disk, def->ndisks);
    for (size_t i = 0; i < def->ndisks; i++) {
        libxl_device_disk_init(&config->disks[i]);
        config->num_disks++;
        if (buildDisk(config, def, i) < 0) {
            return -1;
        }
    }
    config->nics = g_new0(libxl_device_nic, def->nnets);
    for (size_t i = 0; i < def->nnets; i++) {
        libxl_device_nic_init(&config->nics[i]);
        config->num_nics++;
        if (buildNic(config, def, i) < 0) {
            return -1;
        }
    }
    if (buildSerials(&config->b_info, def) < 0 || checkConsoles(def) < 0 || buildVideo(&config->b_info, def) < 0) {
        return -1;
    }
    return checkOthers(def);
}
