/*
 * PCI devices are taken from the host, and given back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libvirt's manager of host devices is one for the whole process, so that no
 * other driver gives the same device away. Its lists are used, and its binding
 * to drivers; not its resets, which it does by hand and cannot do for devices
 * the kernel can reset: here the kernel does it, as in libxl. The virtual
 * functions of a network card are left to it altogether, as it knows how to
 * configure them.
 */

#include "stubdom_compat.h"

#include "stubdom_hostdev_host.h"

#include <libxl_utils.h>
#include <unistd.h>

#include "host/host_pci.h"
#include "virfile.h"
#include "virhostdev.h"
#include "virkmod.h"

#include "stubdom_isolation.h"

VIR_LOG_INIT("stubdom.hostdev");

/* Who uses a device, in libvirt's lists. */
#define USER "stubdom"
/* libvirt would load "pciback", which no kernel has under this name any more. */
#define BACKEND_MODULE "xen-pciback"
#define BACKEND_DRIVER "/sys/bus/pci/drivers/" STUBDOM_HOSTDEV_BACKEND

static char *
addressOf(const virDomainHostdevDef *hostdev)
{
    return virPCIDeviceAddressAsString(&hostdev->source.subsys.u.pci.addr);
}

/* --- quarantine ------------------------------------------------------------------------ */

/* A file a device, which holds the reason. */
static char *
quarantineFile(const StubdomDriver *driver, const char *address)
{
    return g_strdup_printf("%s/quarantine-%s", driver->stateDir, address);
}

static void
quarantine(const StubdomDriver *driver, const char *address, const char *reason)
{
    g_autofree char *file = quarantineFile(driver, address);

    VIR_ERROR(_("PCI device %s stays with xen-pciback, in quarantine: %s"), address, reason);
    if (virFileWriteStr(file, reason, S_IRUSR | S_IWUSR) < 0) {
        VIR_ERROR(_("cannot write '%s': %s"), file, g_strerror(errno));
    }
}

int
stubdomHostdevPardon(const StubdomDriver *driver, const char *address, bool reset)
{
    g_autofree char *file = quarantineFile(driver, address);
    g_autofree char *text = NULL;

    if (!virFileExists(file)) {
        return 0;
    }
    if (reset && hostPciReset(driver->sysDir, address, &text) != HOST_PCI_RESET_DONE) {
        virReportError(VIR_ERR_OPERATION_FAILED, "%s", text);
        return -1;
    }
    if (unlink(file) < 0 && errno != ENOENT) {
        virReportSystemError(errno, _("cannot remove '%s'"), file);
        return -1;
    }
    return 0;
}

static int
checkQuarantine(const StubdomDriver *driver, const char *address)
{
    g_autofree char *file = quarantineFile(driver, address);
    g_autofree char *reason = NULL;

    if (!g_file_get_contents(file, &reason, NULL, NULL)) {
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_INVALID,
                   _("PCI device %s is in quarantine since a domain had it: %s. 'virsh nodedev-reset' ends that if the "
                     "device can be reset now, 'virsh nodedev-reattach' in any case"),
                   address, reason);
    return -1;
}

/* --- what is looked at before --------------------------------------------------------------- */

int
stubdomHostdevLoadBackend(void)
{
    g_autofree char *output = NULL;

    if (virFileExists(BACKEND_DRIVER)) {
        return 0;
    }
    output = virKModLoad(BACKEND_MODULE);
    if (virFileExists(BACKEND_DRIVER)) {
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_FAILED, _("the kernel's module '%s' cannot be loaded: %s"), BACKEND_MODULE,
                   output ? output : _("there is no '" BACKEND_DRIVER "' afterwards"));
    return -1;
}

static int
checkIommu(const StubdomDriver *driver)
{
    libxl_physinfo info;
    bool found;

    libxl_physinfo_init(&info);
    found = libxl_get_physinfo(driver->libxl->ctx, &info) == 0 && info.cap_hvm_directio;
    libxl_physinfo_dispose(&info);
    if (found) {
        return 0;
    }
    virReportError(VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                   _("Xen has no IOMMU, without which a device of the host could read and write all of its memory: "
                     "it is switched on in the firmware, and not off with 'iommu=' on Xen's command line"));
    return -1;
}

static bool
isSame(const libxl_device_pci *pci, const virPCIDeviceAddress *address)
{
    return (unsigned int)pci->domain == address->domain && pci->bus == address->bus && pci->dev == address->slot &&
           pci->func == address->function;
}

static bool
domainHas(const StubdomDriver *driver, uint32_t domid, const virPCIDeviceAddress *address)
{
    int count = 0;
    libxl_device_pci *list = libxl_device_pci_list(driver->libxl->ctx, domid, &count);
    bool found = false;

    for (int i = 0; list && i < count; i++) {
        found |= isSame(&list[i], address);
    }
    libxl_device_pci_list_free(list, count);
    return found;
}

/* libvirt's lists know what libvirt has given away, not what xl has. */
static int
checkDomains(const StubdomDriver *driver, const virPCIDeviceAddress *address, const char *text)
{
    int count = 0;
    libxl_dominfo *list = libxl_list_domain(driver->libxl->ctx, &count);
    uint32_t owner = 0;
    char *name;

    for (int i = 0; list && i < count; i++) {
        owner = !owner && domainHas(driver, list[i].domid, address) ? list[i].domid : owner;
    }
    libxl_dominfo_list_free(list, count);
    if (!owner) {
        return 0;
    }
    name = libxl_domid_to_name(driver->libxl->ctx, owner);
    virReportError(VIR_ERR_OPERATION_INVALID, _("PCI device %s is in use by domain %u, '%s'"), text, owner,
                   NULLSTR(name));
    free(name);
    return -1;
}

static int
checkDevice(const StubdomDriver *driver, const StubdomSettings *settings, const virDomainHostdevDef *hostdev)
{
    const virPCIDeviceAddress *address = &hostdev->source.subsys.u.pci.addr;
    g_autofree char *name = addressOf(hostdev);
    bool optional = stubdomSettingsHostdev(settings, name)->resetOptional;
    g_autofree char *text = NULL;
    HostPciProblem problem =
        hostPciCheck(driver->sysDir, name,
                     (hostdev->managed ? 0U : HOST_PCI_MUST_BE_BOUND) | (optional ? 0U : HOST_PCI_MUST_RESET), &text);

    if (problem == HOST_PCI_NO_RESET) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED,
                       _("%s. <stubdom:hostdev address='%s' reset='optional'/> in <stubdom:stubdomain> allows it"),
                       text, name);
        return -1;
    }
    if (problem != HOST_PCI_USABLE) {
        virReportError(problem == HOST_PCI_ABSENT ? VIR_ERR_DEVICE_MISSING : VIR_ERR_OPERATION_INVALID, "%s", text);
        return -1;
    }
    return checkQuarantine(driver, name) < 0 ? -1 : checkDomains(driver, address, name);
}

/* --- one device ------------------------------------------------------------------------------ */

/* Both lists are locked. */
static int
reportUser(virPCIDevice *device)
{
    const char *driver = NULL;
    const char *domain = NULL;

    virPCIDeviceGetUsedBy(device, &driver, &domain);
    virReportError(VIR_ERR_OPERATION_INVALID, _("PCI device %s is in use by the domain '%s' of the driver '%s'"),
                   virPCIDeviceGetName(device), NULLSTR(domain), NULLSTR(driver));
    return -1;
}

static int
takeLocked(virHostdevManager *manager, const char *name, virDomainHostdevDef *hostdev, virPCIDevice *device)
{
    virPCIDeviceAddress *address = virPCIDeviceGetAddress(device);
    virPCIDevice *actual = virPCIDeviceListFind(manager->activePCIHostdevs, address);
    int header = 0;

    if (actual) {
        return reportUser(actual);
    }
    if (virPCIGetHeaderType(device, &header) < 0) {
        return -1;
    }
    if (header != VIR_PCI_HEADER_ENDPOINT) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, _("PCI device %s is a bridge, which no guest can have"),
                       virPCIDeviceGetName(device));
        return -1;
    }
    if (hostdev->managed ? virPCIDeviceDetach(device, manager->activePCIHostdevs, manager->inactivePCIHostdevs) < 0
                         : !virPCIDeviceListFind(manager->inactivePCIHostdevs, address) &&
                               virPCIDeviceListAddCopy(manager->inactivePCIHostdevs, device) < 0) {
        return -1;
    }
    actual = virPCIDeviceListSteal(manager->inactivePCIHostdevs, address);
    if (!actual || virPCIDeviceSetUsedBy(actual, USER, name) < 0 ||
        virPCIDeviceListAdd(manager->activePCIHostdevs, actual) < 0) {
        virPCIDeviceFree(actual);
        return -1;
    }
    stubdomCompatPciSetUnbind(hostdev, virPCIDeviceGetUnbindFromStub(actual));
    return 0;
}

static void
lockLists(virHostdevManager *manager)
{
    virObjectLock(manager->activePCIHostdevs); /* the order of libvirt's */
    virObjectLock(manager->inactivePCIHostdevs);
}

static void
unlockLists(virHostdevManager *manager)
{
    virObjectUnlock(manager->inactivePCIHostdevs);
    virObjectUnlock(manager->activePCIHostdevs);
}

static int
takeOne(virHostdevManager *manager, const virDomainDef *def, virDomainHostdevDef *hostdev)
{
    g_autoptr(virPCIDevice) device = NULL;
    int status;

    if (hostdev->parentnet) {
        return virHostdevPreparePCIDevices(manager, USER, def->name, def->uuid, &hostdev, 1, 0);
    }
    if (!(device = virPCIDeviceNew(&hostdev->source.subsys.u.pci.addr))) {
        return -1;
    }
    virPCIDeviceSetManaged(device, hostdev->managed);
    virPCIDeviceSetStubDriver(device, VIR_PCI_STUB_DRIVER_XEN);
    lockLists(manager);
    status = takeLocked(manager, def->name, hostdev, device);
    unlockLists(manager);
    return status;
}

/* The device in the list of those in use, if @name uses it. Both lists are locked. */
static virPCIDevice *
findOwn(virHostdevManager *manager, const char *name, virDomainHostdevDef *hostdev)
{
    virPCIDevice *actual = virPCIDeviceListFind(manager->activePCIHostdevs, &hostdev->source.subsys.u.pci.addr);
    const char *user = NULL;
    const char *domain = NULL;

    if (actual) {
        virPCIDeviceGetUsedBy(actual, &user, &domain);
    }
    return STREQ_NULLABLE(user, USER) && STREQ_NULLABLE(domain, name) ? actual : NULL;
}

/* Whether it may go back to a driver of the host's. */
static bool
resetDevice(const StubdomDriver *driver, const char *address)
{
    g_autofree char *text = NULL;

    switch (hostPciReset(driver->sysDir, address, &text)) {
    case HOST_PCI_RESET_FAILED:
        quarantine(driver, address, text);
        return false;
    case HOST_PCI_RESET_NONE: /* which the domain's definition allows */
        VIR_INFO("%s", text);
        return true;
    case HOST_PCI_RESET_DONE:
    default:
        return true;
    }
}

/* An end of libvirtd left it with its driver, and with the word that the next one should be xen-pciback. */
static void
clearOverride(const char *address)
{
    g_autofree char *file = g_strdup_printf("/sys/bus/pci/devices/%s/driver_override", address);

    if (virFileWriteStr(file, "\n", 0) < 0) {
        VIR_WARN("cannot write '%s': %s", file, g_strerror(errno));
    }
}

/*
 * A device that xen-pciback was given by its driver_override stays in its list
 * of devices to take, and when nobody else wants it xen-pciback takes it again
 * (pcistub_probe() of Linux 6.1). One that is not in the list is no error.
 */
static void
unlist(const char *address)
{
    const char *file = BACKEND_DRIVER "/remove_slot";

    if (virFileWriteStr(file, address, 0) < 0 && errno != ENOENT) {
        VIR_WARN("cannot write '%s' to '%s': %s", address, file, g_strerror(errno));
    }
}

/* Whether it is to be bound to a driver of the host's, having seen to it that it can be. */
static bool
readyDevice(const StubdomDriver *driver, const virDomainHostdevDef *hostdev)
{
    g_autofree char *address = addressOf(hostdev);
    g_autofree char *bound = hostPciDriver(driver->sysDir, address);

    if (!bound) {
        return hostdev->managed; /* not any more, or not yet */
    }
    if (STREQ(bound, STUBDOM_HOSTDEV_BACKEND)) {
        return resetDevice(driver, address) && hostdev->managed;
    }
    clearOverride(address);
    return false;
}

/* Both lists are locked. Unless it stays with xen-pciback, where it was before. */
static void
endIsolation(const StubdomDriver *driver, virPCIDevice *device)
{
    if (virPCIDeviceGetUnbindFromStub(device)) {
        stubdomIsolationEnd(driver, virPCIDeviceGetAddress(device));
    }
}

/* Both lists are locked. @managed: whether it goes back to a driver of the host's */
static void
giveLocked(const StubdomDriver *driver, virHostdevManager *manager, virDomainHostdevDef *hostdev, bool managed)
{
    virPCIDeviceAddress *address = &hostdev->source.subsys.u.pci.addr;
    virPCIDevice *actual = virPCIDeviceListSteal(manager->activePCIHostdevs, address);

    if (!actual || virPCIDeviceListAdd(manager->inactivePCIHostdevs, actual) < 0) {
        virPCIDeviceFree(actual);
        return;
    }
    if (managed) {
        endIsolation(driver, actual);
        unlist(virPCIDeviceGetName(actual));
    }
    if (managed && virPCIDeviceReattach(actual, manager->activePCIHostdevs, manager->inactivePCIHostdevs) < 0) {
        VIR_ERROR(_("PCI device %s stays with xen-pciback: %s"), virPCIDeviceGetName(actual), virGetLastErrorMessage());
        virResetLastError();
    }
}

static void
giveOne(const StubdomDriver *driver, virHostdevManager *manager, const virDomainDef *def, virDomainHostdevDef *hostdev)
{
    virPCIDevice *actual;
    bool managed;

    lockLists(manager);
    if (!(actual = findOwn(manager, def->name, hostdev))) {
        unlockLists(manager);
        return;
    }
    managed = readyDevice(driver, hostdev);
    if (hostdev->parentnet) {
        virPCIDeviceSetManaged(actual, managed);
        if (managed) {
            endIsolation(driver, actual);
        }
    } else {
        giveLocked(driver, manager, hostdev, managed);
    }
    unlockLists(manager);
    if (hostdev->parentnet) {
        virHostdevReAttachPCIDevices(manager, USER, def->name, &hostdev, 1);
    }
}

void
stubdomHostdevLeave(const StubdomDriver *driver, const virPCIDeviceAddress *address)
{
    g_autofree char *name = virPCIDeviceAddressAsString(address);
    g_autoptr(virHostdevManager) manager = virHostdevManagerGetDefault();

    if (!manager || !virPCIDeviceExists(address)) {
        return;
    }
    lockLists(manager);
    if (!virPCIDeviceListFind(manager->activePCIHostdevs, (virPCIDeviceAddress *)address)) {
        stubdomIsolationEnd(driver, address);
        unlist(name);
    }
    unlockLists(manager);
}

/* --- all of them -------------------------------------------------------------------------------- */

void
stubdomHostdevExpect(const StubdomDriver *driver, virDomainHostdevDef *hostdev)
{
    g_autofree char *address = addressOf(hostdev);
    g_autofree char *bound = hostPciDriver(driver->sysDir, address);

    stubdomCompatPciSetUnbind(hostdev, hostdev->managed && STRNEQ_NULLABLE(bound, STUBDOM_HOSTDEV_BACKEND));
}

int
stubdomHostdevTake(StubdomDriver *driver, const virDomainDef *def, const StubdomSettings *settings,
                   virDomainHostdevDef **hostdevs, size_t count)
{
    g_autoptr(virHostdevManager) manager = virHostdevManagerGetDefault();

    if (!manager || stubdomHostdevLoadBackend() < 0 || checkIommu(driver) < 0) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (checkDevice(driver, settings, hostdevs[i]) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (takeOne(manager, def, hostdevs[i]) < 0 ||
            stubdomIsolate(driver, &hostdevs[i]->source.subsys.u.pci.addr) < 0) {
            stubdomHostdevGive(driver, def, hostdevs, i + 1);
            return -1;
        }
    }
    return 0;
}

void
stubdomHostdevGive(StubdomDriver *driver, const virDomainDef *def, virDomainHostdevDef **hostdevs, size_t count)
{
    g_autoptr(virHostdevManager) manager = NULL;
    virErrorPtr error = NULL;

    virErrorPreserveLast(&error);
    if (count && (manager = virHostdevManagerGetDefault())) {
        for (size_t i = 0; i < count; i++) {
            giveOne(driver, manager, def, hostdevs[i]);
        }
    }
    virErrorRestore(&error);
}

void
stubdomHostdevReclaim(const virDomainDef *def)
{
    g_autoptr(virHostdevManager) manager = def->nhostdevs ? virHostdevManagerGetDefault() : NULL;

    if (manager && virHostdevUpdateActivePCIDevices(manager, def->hostdevs, (int)def->nhostdevs, USER, def->name) < 0) {
        VIR_ERROR(_("the domain '%s' has devices of the host that might be given away again: %s"), def->name,
                  virGetLastErrorMessage());
        virResetLastError();
    }
}
