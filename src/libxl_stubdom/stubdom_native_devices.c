/*
 * The devices of an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Their order is kept, as the stubdomain's devices are numbered by it. A disk's
 * specification is libxlutil's to parse, a card's is a list of keys.
 */

#include "stubdom_compat.h"

#include "stubdom_native_devices.h"

#include "virxml.h"

#include "stubdom_native_display.h"
#include "stubdom_native_pci.h"
#include "stubdom_refusal.h"

#define BYTES_PER_KIB 1024

static void
addDisk(virBuffer *buf, const libxl_device_disk *disk)
{
    bool block = disk->pdev_path && g_str_has_prefix(disk->pdev_path, "/dev/");
    const char *bus = g_str_has_prefix(disk->vdev, "hd") ? "ide" : g_str_has_prefix(disk->vdev, "sd") ? "scsi" : "xen";

    virBufferAsprintf(buf, "<disk type='%s' device='%s'>\n", block ? "block" : "file",
                      disk->is_cdrom ? "cdrom" : "disk");
    virBufferAsprintf(buf, "<driver type='%s'",
                      disk->format == LIBXL_DISK_FORMAT_EMPTY ? "raw" : libxl_disk_format_to_string(disk->format));
    if (!libxl_defbool_is_default(disk->discard_enable)) {
        virBufferAsprintf(buf, " discard='%s'", libxl_defbool_val(disk->discard_enable) ? "unmap" : "ignore");
    }
    virBufferAddLit(buf, "/>\n");
    virBufferEscapeString(buf, block ? "<source dev='%s'/>\n" : "<source file='%s'/>\n", disk->pdev_path);
    virBufferEscapeString(buf, "<target dev='%s'", disk->vdev);
    virBufferAsprintf(buf, " bus='%s'/>\n%s</disk>\n", bus, disk->readwrite ? "" : "<readonly/>\n");
}

static int
readDisk(StubdomXlCfg *cfg, virBuffer *buf, const char *spec)
{
    libxl_device_disk disk;
    int result = 0;

    libxl_device_disk_init(&disk);
    if (xlu_disk_parse(cfg->cfg, 1, &spec, &disk) != 0) {
        result = stubdomXlCfgError(cfg, "disk");
    } else if (disk.script || disk.backend_domname || disk.colo_host ||
               (disk.backend != LIBXL_DISK_BACKEND_UNKNOWN && disk.backend != LIBXL_DISK_BACKEND_PHY)) {
        result =
            stubdomRefuse("disk", disk.vdev,
                          _("a script, a backend domain, and a backend other than phy cannot be said in domain XML"));
    } else {
        addDisk(buf, &disk);
    }
    libxl_device_disk_dispose(&disk);
    return result;
}

typedef struct {
    char *mac;
    char *bridge;
    char *model;
    char *script;
    char *name;
    bool pv;
    unsigned long long average; /* KiB a second, 0: no limit */
} Card;

static void
cardClear(Card *card)
{
    g_free(card->mac);
    g_free(card->bridge);
    g_free(card->model);
    g_free(card->script);
    g_free(card->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Card, cardClear)

static int
readRate(StubdomXlCfg *cfg, Card *card, const char *value)
{
    libxl_device_nic nic;
    int result;

    libxl_device_nic_init(&nic);
    result = xlu_vif_parse_rate(cfg->cfg, value, &nic);
    if (result == 0 && nic.rate_interval_usecs) {
        uint64_t bytes = nic.rate_bytes_per_interval * (uint64_t)G_USEC_PER_SEC / nic.rate_interval_usecs;

        card->average = VIR_DIV_UP(bytes, BYTES_PER_KIB);
    }
    libxl_device_nic_dispose(&nic);
    return result == 0 ? 0 : stubdomXlCfgError(cfg, "vif");
}

static int
readCardItem(StubdomXlCfg *cfg, Card *card, const char *key, const char *value)
{
    const struct {
        const char *key;
        char **value;
    } words[] = {{"mac", &card->mac},
                 {"bridge", &card->bridge},
                 {"model", &card->model},
                 {"script", &card->script},
                 {"vifname", &card->name}};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (STREQ(key, words[i].key)) {
            g_free(*words[i].value);
            *words[i].value = g_strdup(value);
            return 0;
        }
    }
    if (STREQ(key, "type") && (STREQ(value, "vif") || STREQ(value, "ioemu"))) {
        card->pv = STREQ(value, "vif");
        return 0;
    }
    if (STREQ(key, "rate")) {
        return readRate(cfg, card, value);
    }
    return stubdomRefuse("vif", key, _("mac, bridge, model, type, script, vifname and rate can be said in domain XML"));
}

static int
readCard(StubdomXlCfg *cfg, virBuffer *buf, const char *spec)
{
    g_auto(Card) card = {.mac = NULL};
    g_auto(GStrv) items = g_strsplit(spec, ",", -1);

    for (char **item = items; *item; item++) {
        g_auto(GStrv) pair = g_strsplit(g_strstrip(*item), "=", 2);

        if (pair[0] && *pair[0] && readCardItem(cfg, &card, pair[0], pair[1] ? pair[1] : "") < 0) {
            return -1;
        }
    }
    virBufferAsprintf(buf, "<interface type='%s'>\n", card.bridge || !card.script ? "bridge" : "ethernet");
    virBufferEscapeString(buf, "<mac address='%s'/>\n", card.mac);
    virBufferEscapeString(buf, "<source bridge='%s'/>\n", card.bridge || card.script ? card.bridge : "xenbr0");
    virBufferEscapeString(buf, "<script path='%s'/>\n", card.script);
    virBufferEscapeString(buf, "<target dev='%s'/>\n", card.name);
    virBufferEscapeString(buf, "<model type='%s'/>\n", card.pv ? "netfront" : card.model);
    if (card.average) {
        virBufferAsprintf(buf, "<bandwidth><outbound average='%llu'/></bandwidth>\n", card.average);
    }
    virBufferAddLit(buf, "</interface>\n");
    return 0;
}

/* The kinds stubdom_libxl_serial.c writes. */
static int
readSerial(StubdomXlCfg *cfg, virBuffer *buf, const char *spec)
{
    g_auto(GStrv) parts = g_strsplit(spec, ",", 2);
    const char *mode = parts[0] && parts[1] ? "bind" : "connect";
    const char *port = parts[0] ? strrchr(parts[0], ':') : NULL;

    if (!parts[0] || (parts[1] && STRNEQ(parts[1], "server,nowait"))) {
        return stubdomXlCfgError(cfg, "serial");
    }
    if (STREQ(spec, "pty") || STREQ(spec, "null")) {
        virBufferAsprintf(buf, "<serial type='%s'/>\n", spec);
    } else if (*spec == '/') {
        virBufferEscapeString(buf, "<serial type='dev'><source path='%s'/></serial>\n", spec);
    } else if (g_str_has_prefix(spec, "file:")) {
        virBufferEscapeString(buf, "<serial type='file'><source path='%s'/></serial>\n", spec + strlen("file:"));
    } else if (g_str_has_prefix(spec, "unix:")) {
        virBufferAsprintf(buf, "<serial type='unix'><source mode='%s'", mode);
        virBufferEscapeString(buf, " path='%s'/></serial>\n", parts[0] + strlen("unix:"));
    } else if (g_str_has_prefix(spec, "tcp:") && port > parts[0] + strlen("tcp")) {
        g_autofree char *host = g_strndup(parts[0] + strlen("tcp:"), (gsize)(port - parts[0] - strlen("tcp:")));
        const char *bare = g_strdelimit(host, "[]", ' ');

        virBufferAsprintf(buf, "<serial type='tcp'><source mode='%s'", mode);
        virBufferEscapeString(buf, " host='%s'", g_strstrip((char *)bare));
        virBufferEscapeString(buf, " service='%s'/><protocol type='raw'/></serial>\n", port + 1);
    } else {
        return stubdomXlCfgError(cfg, "serial");
    }
    return 0;
}

static int
readUsb(StubdomXlCfg *cfg, virBuffer *buf)
{
    g_auto(GStrv) devices = NULL;
    long usb = 0;
    long version = 0;

    if (stubdomXlCfgNumber(cfg, "usb", &usb) < 0 || stubdomXlCfgNumber(cfg, "usbversion", &version) < 0 ||
        stubdomXlCfgStrings(cfg, "usbdevice", &devices) < 0) {
        return -1;
    }
    if (version != 0 && version != 3) {
        return stubdomXlCfgError(cfg, "usbversion");
    }
    if (usb || version) {
        virBufferAsprintf(buf, "<controller type='usb' index='0' model='%s'/>\n", version ? "nec-xhci" : "piix3-uhci");
    }
    for (char **device = devices; *device; device++) {
        virBufferEscapeString(buf, "<input type='%s' bus='usb'/>\n", *device);
    }
    return 0;
}

static int
readXenbus(StubdomXlCfg *cfg, virBuffer *buf)
{
    long channels = 0;
    long frames = 0;

    if (stubdomXlCfgNumber(cfg, "max_event_channels", &channels) < 0 ||
        stubdomXlCfgNumber(cfg, "max_grant_frames", &frames) < 0) {
        return -1;
    }
    if (channels > 0 || frames > 0) {
        virBufferAddLit(buf, "<controller type='xenbus'");
        if (channels > 0) {
            virBufferAsprintf(buf, " maxEventChannels='%ld'", channels);
        }
        if (frames > 0) {
            virBufferAsprintf(buf, " maxGrantFrames='%ld'", frames);
        }
        virBufferAddLit(buf, "/>\n");
    }
    return 0;
}

typedef int (*ReadFunc)(StubdomXlCfg *cfg, virBuffer *buf, const char *spec);

static int
readAll(StubdomXlCfg *cfg, virBuffer *buf, const char *name, ReadFunc read)
{
    g_auto(GStrv) specs = NULL;

    if (stubdomXlCfgStrings(cfg, name, &specs) < 0) {
        return -1;
    }
    for (char **spec = specs; *spec; spec++) {
        if (read(cfg, buf, *spec) < 0) {
            return -1;
        }
    }
    return 0;
}

int
stubdomNativeReadDevices(StubdomXlCfg *cfg, virBuffer *buf)
{
    g_auto(virBuffer) devices = VIR_BUFFER_INIT_CHILD(buf);
    const char *sound = stubdomXlCfgString(cfg, "soundhw");

    virBufferEscapeString(&devices, "<emulator>%s</emulator>\n", stubdomXlCfgString(cfg, "device_model_override"));
    if (readAll(cfg, &devices, "disk", readDisk) < 0 || readAll(cfg, &devices, "vif", readCard) < 0 ||
        readAll(cfg, &devices, "serial", readSerial) < 0 || stubdomNativeReadDisplay(cfg, &devices) < 0 ||
        readUsb(cfg, &devices) < 0 || readXenbus(cfg, &devices) < 0 || stubdomNativeReadPci(cfg, &devices) < 0) {
        return -1;
    }
    virBufferEscapeString(&devices, "<sound model='%s'/>\n", sound && STREQ(sound, "hda") ? "ich6" : sound);
    virXMLFormatElement(buf, "devices", NULL, &devices);
    return 0;
}
