/*
 * Which elements a domain may have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvirt knows hundreds of settings; most other drivers drop in silence what
 * they do not use. Here every setting must be in a table. To leave none out,
 * the definition is looked at as libvirt itself writes it: what it writes was
 * understood, and what is not in the table is refused. An element that comes
 * with a later libvirt is then refused as well, and not overlooked.
 */

#include "stubdom_compat.h"

#include "stubdom_validate.h"

#include "virxml.h"

typedef struct {
    const char *path;       /* of an element, from <domain> on */
    const char *attributes; /* that are mapped, each between spaces */
} Known;

/* In the order of the XML. An element that is not here is refused with all that is in it. */
static const Known known[] = {
    {"domain", " type id "},
    {"domain/name", ""},
    {"domain/uuid", ""},
    {"domain/genid", ""},
    {"domain/title", ""},
    {"domain/description", ""},
    {"domain/memory", " unit "},
    {"domain/currentMemory", " unit "},
    {"domain/vcpu", " placement cpuset current "},
    {"domain/cputune", ""},
    {"domain/cputune/shares", ""},
    {"domain/cputune/vcpupin", " vcpu cpuset "},
    {"domain/cputune/emulatorpin", " cpuset "},
    {"domain/os", ""},
    {"domain/os/type", " arch machine "},
    {"domain/os/loader", " type readonly "},
    {"domain/os/boot", " dev "},
    {"domain/os/acpi", ""},
    {"domain/os/acpi/table", " type "},
    {"domain/features", ""},
    {"domain/features/acpi", ""},
    {"domain/features/apic", ""},
    {"domain/features/pae", ""},
    {"domain/features/hap", " state "},
    {"domain/features/viridian", ""},
    {"domain/features/hyperv", " mode "},
    {"domain/features/hyperv/relaxed", " state "},
    {"domain/features/hyperv/vapic", " state "},
    {"domain/features/hyperv/vpindex", " state "},
    {"domain/features/hyperv/synic", " state "},
    {"domain/features/hyperv/stimer", " state "},
    {"domain/features/hyperv/frequencies", " state "},
    {"domain/features/hyperv/tlbflush", " state "},
    {"domain/features/hyperv/ipi", " state "},
    {"domain/features/msrs", " unknown "},
    {"domain/features/xen", ""},
    {"domain/features/xen/passthrough", " state mode "},
    {"domain/cpu", " mode check migratable "},
    {"domain/cpu/feature", " policy name "},
    {"domain/clock", " offset adjustment basis "},
    {"domain/clock/timer", " name present mode "},
    {"domain/on_poweroff", ""},
    {"domain/on_reboot", ""},
    {"domain/on_crash", ""},
    {"domain/devices", ""},
    {"domain/devices/emulator", ""},
    {"domain/devices/disk", " type device "},
    {"domain/devices/disk/driver", " name type discard "},
    {"domain/devices/disk/source", " file dev pool volume index "},
    {"domain/devices/disk/backingStore", ""},
    {"domain/devices/disk/target", " dev bus "},
    {"domain/devices/disk/readonly", ""},
    {"domain/devices/disk/shareable", ""},
    {"domain/devices/disk/boot", " order "},
    {"domain/devices/disk/alias", " name "},
    {"domain/devices/disk/address", " type controller bus target unit "},
    {"domain/devices/controller", " type index model maxEventChannels maxGrantFrames "},
    {"domain/devices/controller/alias", " name "},
    {"domain/devices/interface", " type managed "},
    {"domain/devices/interface/mac", " address "},
    {"domain/devices/interface/source", " bridge network portgroup "},
    {"domain/devices/interface/source/address", " type domain bus slot function "},
    {"domain/devices/interface/driver", " name "},
    {"domain/devices/interface/bandwidth", ""},
    {"domain/devices/interface/bandwidth/outbound", " average "},
    {"domain/devices/interface/script", " path "},
    {"domain/devices/interface/target", " dev "},
    {"domain/devices/interface/model", " type "},
    {"domain/devices/interface/link", " state "},
    {"domain/devices/interface/boot", " order "},
    {"domain/devices/interface/alias", " name "},
    {"domain/devices/interface/address", " type domain bus slot function "},
    {"domain/devices/serial", " type "},
    {"domain/devices/serial/source", " path mode host service "},
    {"domain/devices/serial/protocol", " type "},
    {"domain/devices/serial/target", " type port "},
    {"domain/devices/serial/target/model", " name "},
    {"domain/devices/serial/alias", " name "},
    {"domain/devices/console", " type "},
    {"domain/devices/console/source", " path mode host service "},
    {"domain/devices/console/protocol", " type "},
    {"domain/devices/console/target", " type port "},
    {"domain/devices/console/alias", " name "},
    {"domain/devices/input", " type bus "},
    {"domain/devices/input/alias", " name "},
    {"domain/devices/input/address", " type bus port "},
    {"domain/devices/graphics",
     " type port autoport websocket listen socket keymap sharePolicy passwd passwdValidTo connected "},
    {"domain/devices/graphics/listen", " type address network socket "},
    {"domain/devices/sound", " model "},
    {"domain/devices/sound/alias", " name "},
    {"domain/devices/video", ""},
    {"domain/devices/video/model", " type vram heads primary "},
    {"domain/devices/video/alias", " name "},
    {"domain/devices/hostdev", " mode type managed "},
    {"domain/devices/hostdev/driver", " name "},
    {"domain/devices/hostdev/source", ""},
    {"domain/devices/hostdev/source/address", " domain bus slot function "},
    {"domain/devices/hostdev/alias", " name "},
    {"domain/devices/hostdev/address", " type domain bus slot function "},
    {"domain/devices/memballoon", " model "},
};

/* Why not, for those that are asked for most. The first that is a beginning of the path counts. */
static const struct {
    const char *path;
    const char *reason;
} reasons[] = {
    {"domain/devices/hostdev/boot", N_("the stubdomain's QEMU has no option ROMs of the host's devices")},
    {"domain/devices/hostdev/rom", N_("the stubdomain's QEMU has no option ROMs of the host's devices")},
    {"domain/devices/hostdev/acpi", N_("libxl gives the guest's ACPI no index of a device")},
    {"domain/devices/hostdev/teaming", N_("Xen's network cards are no part of a team")},
    {"domain/devices/hostdev/source", N_("libxl has no such setting; 'permissive' is one of <stubdom:hostdev>")},
    {"domain/devices/disk/iotune", N_("the disk's backend in the kernel has no limits")},
    {"domain/devices/disk/mirror", N_("the disk's backend in the kernel has no block jobs")},
    {"domain/devices/disk/encryption", N_("the disk's backend in the kernel cannot decrypt")},
    {"domain/devices/filesystem", N_("libxl has no shared directories for HVM guests")},
    {"domain/devices/tpm", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/rng", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/channel", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/watchdog", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/redirdev", N_("USB redirection is not implemented")},
    {"domain/devices/interface/filterref", N_("packet filters are not implemented yet")},
    {"domain/devices/interface/vlan", N_("VLAN tags are not implemented yet")},
    {"domain/devices/interface/virtualport", N_("virtual ports are not implemented yet")},
    {"domain/os/kernel", N_("QEMU runs in the stubdomain, which cannot read files of the host")},
    {"domain/os/initrd", N_("QEMU runs in the stubdomain, which cannot read files of the host")},
    {"domain/os/cmdline", N_("QEMU runs in the stubdomain, which cannot read files of the host")},
    {"domain/os/nvram", N_("UEFI is not implemented yet")},
    {"domain/os/bootmenu", N_("libxl has no boot menu")},
    {"domain/os/bios", N_("libxl has no such switch of the BIOS")},
    {"domain/os/smbios", N_("hvmloader writes the SMBIOS tables, and libxl has no words for them")},
    {"domain/sysinfo", N_("hvmloader writes the SMBIOS tables, and libxl has no words for them")},
    {"domain/resource", N_("Xen's domains are in no control group")},
    {"domain/seclabel", N_("labels of Xen's security modules are not implemented yet")},
    {"domain/maxMemory",
     N_("libxl has no memory devices to plug in; memory between currentMemory and memory can be given later")},
    {"domain/iothreads", N_("QEMU in the stubdomain has one thread")},
    {"domain/pm", N_("libxl has no such switch")},
    {"domain/perf", N_("Xen has no such counters for a guest")},
    {"domain/idmap", N_("it is for containers")},
    {"domain/launchSecurity", N_("Xen has no encrypted guests")},
    {"domain/devices/disk/driver", N_("dom0's kernel serves the disk, and has no such setting")},
    {"domain/devices/disk/serial", N_("libxl has no serial numbers of disks")},
    {"domain/devices/disk/wwn", N_("libxl has no names of disks")},
    {"domain/devices/disk/auth", N_("dom0's kernel reads the disk from dom0")},
    {"domain/devices/disk/geometry", N_("the BIOS chooses the geometry")},
    {"domain/devices/disk/blockio", N_("dom0's kernel takes the block size from the disk")},
    {"domain/devices/interface/mtu", N_("the emulated card in the stubdomain has Ethernet's 1500 bytes")},
    {"domain/devices/interface/bandwidth", N_("Xen's backend can limit the average of what a guest sends")},
    {"domain/devices/interface/ip", N_("addresses are not implemented yet")},
    {"domain/devices/interface/driver", N_("Xen's backend has no such setting")},
    {"domain/devices/interface/tune", N_("Xen's backend has no such setting")},
    {"domain/devices/interface/backend", N_("Xen's backend has no such setting")},
    {"domain/devices/interface/port", N_("isolated ports are not implemented yet")},
    {"domain/devices/parallel", N_("libxl has no parallel ports")},
    {"domain/devices/smartcard", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/panic", N_("Xen notices a crash by itself: on_crash")},
    {"domain/devices/vsock", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/iommu", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/memory", N_("libxl has no memory devices")},
    {"domain/devices/shmem", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/hub", N_("libxl has no such device for an HVM guest")},
    {"domain/devices/audio", N_("the stubdomain has no way to the host's audio; a card is there, and silent")},
    {"domain/devices/graphics/audio", N_("the stubdomain has no way to the host's audio; a card is there, and silent")},
    {"domain/devices/graphics/powerControl", N_("viewers cannot end a guest")},
    {"domain/devices/lease", N_("locks are not implemented yet")},
    {"domain/numatune", N_("NUMA placement is left to libxl")},
    {"domain/blkiotune", N_("Xen's block backends are not in a control group of the guest")},
    {"domain/memtune", N_("Xen's guests have their memory for themselves")},
    {"domain/memoryBacking", N_("Xen's guests have their memory for themselves")},
    {"domain/cpu/topology", N_("libxl decides on the guest's CPU topology")},
    {"domain/cpu/numa", N_("virtual NUMA nodes are not implemented yet")},
    {"domain/cpu", N_("the guest has the host's CPU, of which features can be switched")},
    {"domain/features", N_("the hypervisor has no such switch, or the driver not yet")},
};

static const char *
reasonFor(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
        if (g_str_has_prefix(path, reasons[i].path)) {
            return _(reasons[i].reason);
        }
    }
    return _("there is nothing it could be mapped to");
}

static const Known *
findKnown(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_str_equal(known[i].path, path)) {
            return &known[i];
        }
    }
    virReportError(VIR_ERR_CONFIG_UNSUPPORTED, _("element '%s' is not supported with a stubdomain: %s"),
                   path + strlen("domain/"), reasonFor(path));
    return NULL;
}

static int
checkAttributes(xmlNodePtr node, const Known *element)
{
    for (xmlAttrPtr attribute = node->properties; attribute; attribute = attribute->next) {
        g_autofree char *word = g_strdup_printf(" %s ", attribute->name);
        g_autofree char *path = g_strdup_printf("%s/%s", element->path, attribute->name);

        if (!strstr(element->attributes, word)) {
            virReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                           _("attribute '%s' of element '%s' is not supported with a stubdomain: %s"), attribute->name,
                           element->path + strlen("domain/"), reasonFor(path));
            return -1;
        }
    }
    return 0;
}

/* Elements with a namespace, and <metadata>, belong to others, who have checked them. */
static bool
isForeign(xmlNodePtr node, const char *path)
{
    return node->type != XML_ELEMENT_NODE || node->ns || g_str_equal(path, "domain/metadata");
}

static int
checkElement(xmlNodePtr node, const char *path)
{
    const Known *element = findKnown(path);

    if (!element || checkAttributes(node, element) < 0) {
        return -1;
    }
    for (xmlNodePtr child = node->children; child; child = child->next) {
        g_autofree char *below = g_strdup_printf("%s/%s", path, child->name);

        if (!isForeign(child, below) && checkElement(child, below) < 0) {
            return -1;
        }
    }
    return 0;
}

int
stubdomValidateElements(const virDomainDef *def, virDomainXMLOption *xmlopt)
{
    g_autofree char *text =
        virDomainDefFormat((virDomainDef *)def, xmlopt, VIR_DOMAIN_DEF_FORMAT_INACTIVE | VIR_DOMAIN_DEF_FORMAT_SECURE);
    g_autoptr(xmlDoc) document = text ? virXMLParseStringCtxt(text, _("(domain_definition)"), NULL) : NULL;

    return document ? checkElement(xmlDocGetRootElement(document), "domain") : -1;
}
