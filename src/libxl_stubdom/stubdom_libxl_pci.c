/*
 * PCI devices of the host as libxl wants them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A definition is checked for what can be known without the host: the kind of
 * device, its place in the guest. libxl puts a single function at function 0
 * of a slot of its own (libxl_device_pci_add()), whatever it is on the host.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_pci.h"

#include "stubdom_refusal.h"

#define SLOT_SHIFT 3 /* of a devfn */

static int
refuseKind(const virDomainHostdevDef *hostdev)
{
    if (hostdev->mode != VIR_DOMAIN_HOSTDEV_MODE_SUBSYS) {
        return stubdomRefuse("hostdev", "capabilities", _("it is for containers; PCI devices can be given to a guest"));
    }
    switch ((int)hostdev->source.subsys.type) {
    case VIR_DOMAIN_HOSTDEV_SUBSYS_TYPE_USB:
        return stubdomRefuse("hostdev", "usb",
                             _("the stubdomain's QEMU does not see the host's USB devices; the PCI device of a USB "
                               "controller can be given to a guest"));
    case VIR_DOMAIN_HOSTDEV_SUBSYS_TYPE_SCSI:
    case VIR_DOMAIN_HOSTDEV_SUBSYS_TYPE_SCSI_HOST:
        return stubdomRefuse("hostdev", virDomainHostdevSubsysTypeToString(hostdev->source.subsys.type),
                             _("the stubdomain's QEMU does not see the host's SCSI devices; a disk can be given to a "
                               "guest as <disk type='block'>"));
    case VIR_DOMAIN_HOSTDEV_SUBSYS_TYPE_MDEV:
        return stubdomRefuse("hostdev", "mdev", _("Xen has no mediated devices"));
    default:
        return 0;
    }
}

static int
checkSource(const virDomainHostdevDef *hostdev, const char *address)
{
    const char *driver = stubdomCompatPciDriver(hostdev);

    if (driver && STRNEQ(driver, "xen")) {
        return stubdomRefuse("hostdev", address,
                             _("its driver is '%s'; Xen's own, 'xen', is the only one, and need not be named"), driver);
    }
    if (hostdev->parentnet && virDomainNetGetModelString(hostdev->parentnet)) {
        return stubdomRefuse("interface", address, _("it is a device of the host, and has no <model>"));
    }
    if (hostdev->parentnet && (hostdev->parentnet->script || virDomainNetGetActualBandwidth(hostdev->parentnet) ||
                               hostdev->parentnet->linkstate)) {
        return stubdomRefuse("interface", address,
                             _("it is a device of the host, which has no <script>, <bandwidth> and <link>"));
    }
    return 0;
}

/* The guest's address. */
static int
buildPlace(libxl_device_pci *to, const virDomainDeviceInfo *info, const char *address)
{
    const virPCIDeviceAddress *place = &info->addr.pci;

    if (info->type != VIR_DOMAIN_DEVICE_ADDRESS_TYPE_PCI) {
        return 0;
    }
    if (place->domain != 0 || place->bus != 0) {
        return stubdomRefuse("hostdev", address,
                             _("a guest has one PCI bus, 0000:00, so its <address> cannot be on "
                               "another"));
    }
    if (place->function != 0 || place->multi == VIR_TRISTATE_SWITCH_ON) {
        return stubdomRefuse("hostdev", address,
                             _("each function of a device of the host gets a slot of its own in the guest, so the "
                               "function of its <address> must be 0"));
    }
    to->vdevfn = place->slot << SLOT_SHIFT;
    return 0;
}

int
stubdomLibxlPciBuild(libxl_device_pci *to, const virDomainHostdevDef *hostdev, const StubdomSettings *settings)
{
    const virPCIDeviceAddress *source = &hostdev->source.subsys.u.pci.addr;
    g_autofree char *address = NULL;

    if (refuseKind(hostdev) < 0) {
        return -1;
    }
    address = virPCIDeviceAddressAsString(source);
    if (checkSource(hostdev, address) < 0) {
        return -1;
    }
    to->domain = (int)source->domain;
    to->bus = (uint8_t)source->bus;
    to->dev = (uint8_t)source->slot;
    to->func = (uint8_t)source->function;
    to->permissive = stubdomSettingsHostdev(settings, address)->permissive;
    return buildPlace(to, hostdev->info, address);
}

/* Nothing is there twice: neither on the host nor in the guest. */
static int
checkOthers(const StubdomLibxlConfig *config, const libxl_device_pci *pci)
{
    for (int i = 0; i < config->num_pcidevs - 1; i++) {
        const libxl_device_pci *other = &config->pcidevs[i];
        g_autofree char *address =
            g_strdup_printf("%04x:%02x:%02x.%x", (unsigned int)pci->domain, pci->bus, pci->dev, pci->func);

        if (other->domain == pci->domain && other->bus == pci->bus && other->dev == pci->dev &&
            other->func == pci->func) {
            return stubdomRefuse("hostdev", address, _("it is there twice"));
        }
        if (pci->vdevfn && other->vdevfn == pci->vdevfn) {
            return stubdomRefuse("hostdev", address, _("another one has slot 0x%02x of the guest"),
                                 pci->vdevfn >> SLOT_SHIFT);
        }
    }
    return 0;
}

/* libxl refuses it as well, at the start. */
static int
checkDomain(StubdomLibxlConfig *config)
{
    libxl_domain_create_info *info = &config->c_info;

    if (config->num_pcidevs > 0 && info->passthrough == LIBXL_PASSTHROUGH_DISABLED) {
        return stubdomRefuse("feature", "passthrough", _("it is off, and there are devices of the host"));
    }
    if (config->num_pcidevs > 0 && info->passthrough == LIBXL_PASSTHROUGH_DEFAULT) {
        info->passthrough = LIBXL_PASSTHROUGH_ENABLED;
    }
    return 0;
}

int
stubdomLibxlPcisBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    config->pcidevs = g_new0(libxl_device_pci, def->nhostdevs);
    for (size_t i = 0; i < def->nhostdevs; i++) {
        libxl_device_pci *pci = &config->pcidevs[config->num_pcidevs];

        libxl_device_pci_init(pci);
        config->num_pcidevs++;
        if (stubdomLibxlPciBuild(pci, def->hostdevs[i], def->namespaceData) < 0 || checkOthers(config, pci) < 0) {
            return -1;
        }
    }
    return checkDomain(config);
}
