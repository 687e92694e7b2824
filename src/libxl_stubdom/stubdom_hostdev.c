/*
 * PCI devices of the host in a domain that runs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device goes from the host to xen-pciback, then libxl gives it to the
 * stubdomain, its QEMU, and the guest (docs/pci.md has the steps). Attaching is
 * written down before it begins: who finds a device half attached undoes it.
 * libxl undoes nothing of a failure, so that is done here.
 */

#include "stubdom_compat.h"

#include "stubdom_hostdev.h"

#include "domain_event.h"
#include "virhostdev.h"

#include "stubdom_guest.h"
#include "stubdom_hostdev_host.h"
#include "stubdom_libxl_pci.h"
#include "stubdom_live.h"
#include "stubdom_method.h"
#include "stubdom_prepare.h"

VIR_LOG_INIT("stubdom.hostdev");

/* Seconds for an answer the device model gives without asking anybody. */
#define QUESTION_TIMEOUT 5
/* Seconds in which the stubdomain answers, or the device model does for it. */
#define UNDO_TIMEOUT 60

/* --- a device ---------------------------------------------------------------------------- */

/* What counts is what the definition says now that the next start will have. */
static const StubdomSettings *
settingsOf(const virDomainObj *vm)
{
    return vm->newDef ? vm->newDef->namespaceData : vm->def->namespaceData;
}

/* libxl's PCI_PT_QDEV_ID. */
static char *
idOf(const virDomainHostdevDef *hostdev)
{
    const virPCIDeviceAddress *address = &hostdev->source.subsys.u.pci.addr;

    return g_strdup_printf("pci-pt-%02x_%02x.%01x", address->bus, address->slot, address->function);
}

int
stubdomHostdevOpInit(StubdomHostdevOp *op, StubdomDriver *driver, virDomainObj *vm, virDomainHostdevDef *hostdev)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);

    libxl_device_pci_init(&op->pci);
    op->driver = driver;
    op->vm = vm;
    op->hostdev = hostdev;
    op->stubdomain = priv->stubdomain;
    if (stubdomLibxlPciBuild(&op->pci, hostdev, settingsOf(vm)) < 0) {
        return -1;
    }
    op->address = virPCIDeviceAddressAsString(&hostdev->source.subsys.u.pci.addr);
    op->settings = stubdomSettingsHostdev(settingsOf(vm), op->address);
    op->id = idOf(hostdev);
    if (!stubdomDomid(vm, &op->domid)) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' is being started"), vm->def->name);
        return -1;
    }
    if (!priv->monitor) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the device model of the domain '%s' is not connected"),
                       vm->def->name);
        return -1;
    }
    op->monitor = stubdomMonitorRef(priv->monitor);
    return 0;
}

void
stubdomHostdevOpClear(StubdomHostdevOp *op)
{
    if (op->monitor) {
        stubdomMonitorUnref(op->monitor);
    }
    libxl_device_pci_dispose(&op->pci);
    g_free(op->address);
    g_free(op->id);
}

/* --- the guest's devices -------------------------------------------------------------------- */

static virJSONValue *
findDevice(virJSONValue *buses, const char *id)
{
    virJSONValue *bus = virJSONValueIsArray(buses) ? virJSONValueArrayGet(buses, 0) : NULL;
    virJSONValue *devices = bus ? virJSONValueObjectGetArray(bus, "devices") : NULL;

    for (size_t i = 0; devices && i < virJSONValueArraySize(devices); i++) {
        virJSONValue *device = virJSONValueArrayGet(devices, i);

        if (STREQ_NULLABLE(virJSONValueObjectGetString(device, "qdev_id"), id)) {
            return device;
        }
    }
    return NULL;
}

int
stubdomHostdevIsInGuest(const StubdomHostdevOp *op)
{
    g_autoptr(virJSONValue) buses = NULL;

    if (stubdomMonitorCommand(op->monitor, "query-pci", NULL, QUESTION_TIMEOUT, &buses) < 0) {
        return -1;
    }
    return findDevice(buses, op->id) ? 1 : 0;
}

/* The one byte that comes from the stubdomain: xen-stubdom-dm has checked that it is one. */
static void
setPlace(virDomainHostdevDef *hostdev, virJSONValue *buses)
{
    g_autofree char *id = idOf(hostdev);
    virJSONValue *device = findDevice(buses, id);
    unsigned int slot = 0;
    unsigned int function = 0;

    if (device && virJSONValueObjectGetNumberUint(device, "slot", &slot) == 0 &&
        virJSONValueObjectGetNumberUint(device, "function", &function) == 0) {
        hostdev->info->type = VIR_DOMAIN_DEVICE_ADDRESS_TYPE_PCI;
        hostdev->info->addr.pci = (virPCIDeviceAddress){.slot = slot, .function = function};
    }
}

int
stubdomHostdevFill(virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    g_autoptr(StubdomMonitor) monitor = priv->monitor ? stubdomMonitorRef(priv->monitor) : NULL;
    g_autoptr(virJSONValue) buses = NULL;
    int status;

    if (!vm->def->nhostdevs || !monitor) {
        return 0;
    }
    virObjectUnlock(vm);
    status = stubdomMonitorCommand(monitor, "query-pci", NULL, QUESTION_TIMEOUT, &buses);
    virObjectLock(vm);
    for (size_t i = 0; status == 0 && i < vm->def->nhostdevs; i++) {
        setPlace(vm->def->hostdevs[i], buses);
    }
    return status;
}

/* --- start and end ------------------------------------------------------------------------------ */

int
stubdomHostdevPrepare(StubdomDriver *driver, virDomainObj *vm)
{
    virDomainDef *def = vm->def;
    int status;

    if (!def->nhostdevs) {
        return 0;
    }
    for (size_t i = 0; i < def->nhostdevs; i++) {
        stubdomHostdevExpect(driver, def->hostdevs[i]);
    }
    if (stubdomDomainSave(driver, vm, true, false) < 0) {
        return -1;
    }
    virObjectUnlock(vm);
    status = stubdomHostdevTake(driver, def, settingsOf(vm), def->hostdevs, def->nhostdevs);
    virObjectLock(vm);
    if (status == 0) {
        stubdomDomainSaveStatus(driver, vm); /* the original states */
    }
    return status;
}

void
stubdomHostdevRelease(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    virDomainDef *def = vm->def;

    g_hash_table_remove_all(priv->hostdevs);
    priv->passthrough = false;
    if (def->nhostdevs) {
        virObjectUnlock(vm);
        stubdomHostdevGive(driver, def, def->hostdevs, def->nhostdevs);
        virObjectLock(vm);
    }
}

/* --- attach ---------------------------------------------------------------------------------------- */

static virDomainHostdevDef *
hostdevOf(const virDomainDeviceDef *dev)
{
    return dev->type == VIR_DOMAIN_DEVICE_NET ? virDomainNetGetActualHostdev(dev->data.net) : dev->data.hostdev;
}

/* What is known without the host. */
static int
checkAttach(const StubdomHostdevOp *op)
{
    virDomainObj *vm = op->vm;
    virDomainHostdevDef *found = NULL;

    if (!stubdomPrivate(vm)->passthrough) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED,
                       _("PCI device %s cannot be given to the domain '%s' while it runs, as it was started without "
                         "an IOMMU: <xen><passthrough state='on'/></xen> in <features> gives it one"),
                       op->address, vm->def->name);
        return -1;
    }
    if (virDomainHostdevFind(vm->def, op->hostdev, &found) >= 0) {
        virReportError(VIR_ERR_OPERATION_FAILED, _("the domain '%s' has PCI device %s already"), vm->def->name,
                       op->address);
        return -1;
    }
    return 0;
}

/* From here on it is in the definition, where who comes after us finds it. */
static void
insert(StubdomHostdevOp *op, virDomainDeviceDef *dev)
{
    virDomainObj *vm = op->vm;
    bool pool = dev->type == VIR_DOMAIN_DEVICE_NET && dev->data.net->type == VIR_DOMAIN_NET_TYPE_NETWORK;

    /* None of them ever fails. */
    if (dev->type == VIR_DOMAIN_DEVICE_NET) {
        (void)virDomainNetInsert(vm->def, g_steal_pointer(&dev->data.net));
    } else {
        (void)virDomainHostdevInsert(vm->def, g_steal_pointer(&dev->data.hostdev));
    }
    if (pool) {
        (void)virDomainHostdevInsert(vm->def, op->hostdev);
    }
    stubdomLiveAssign(vm->def);
    stubdomHostdevExpect(op->driver, op->hostdev);
    stubdomSetHostdevState(vm, op->address, STUBDOM_HOSTDEV_ATTACHING);
}

void
stubdomHostdevForget(StubdomHostdevOp *op)
{
    virDomainDef *def = op->vm->def;
    virDomainNetDef *net = op->hostdev->parentnet;

    stubdomSetHostdevState(op->vm, op->address, STUBDOM_HOSTDEV_SETTLED);
    for (size_t i = 0; i < def->nhostdevs; i++) {
        if (def->hostdevs[i] == op->hostdev) {
            virDomainHostdevRemove(def, i);
            break;
        }
    }
    if (net) {
        virDomainNetRemoveByObj(def, net);
        virObjectUnlock(op->vm);
        stubdomReleaseNet(def, net);
        virObjectLock(op->vm);
        virDomainNetDefFree(net);
    } else {
        virDomainHostdevDefFree(op->hostdev);
    }
    op->hostdev = NULL;
}

/* Unlocked. Whether the stubdomain has the device: libxl notes none for a guest that has a stubdomain. */
static bool
stubdomainHas(const StubdomHostdevOp *op, StubdomLibxl *libxl)
{
    int count = 0;
    libxl_device_pci *list = libxl_device_pci_list(libxl->ctx, op->stubdomain, &count);
    bool found = false;

    for (int i = 0; list && i < count; i++) {
        found |= list[i].domain == op->pci.domain && list[i].bus == op->pci.bus && list[i].dev == op->pci.dev &&
                 list[i].func == op->pci.func;
    }
    libxl_device_pci_list_free(list, count);
    return found;
}

int
stubdomHostdevTakeBack(const StubdomHostdevOp *op, StubdomLibxl *libxl)
{
    libxl_device_pci pci;
    int rc = 0;

    libxl_device_pci_init(&pci);
    libxl_device_pci_copy(libxl->ctx, &pci, &op->pci);
    if (stubdomainHas(op, libxl) && (rc = libxl_device_pci_destroy(libxl->ctx, op->domid, &pci, NULL)) != 0) {
        g_autofree char *text = stubdomLibxlErrorText(libxl, rc);

        virReportError(VIR_ERR_OPERATION_FAILED, _("PCI device %s cannot be taken from the guest: %s"), op->address,
                       text);
    }
    libxl_device_pci_dispose(&pci);
    return rc == 0 ? 0 : -1;
}

/* Unlocked. The stubdomain's QEMU first, if it has the device; then libxl's two halves. Keeps the error that is set. */
static void
undoAdd(const StubdomHostdevOp *op, StubdomLibxl *libxl)
{
    virErrorPtr error = NULL;

    virErrorPreserveLast(&error);
    if (stubdomHostdevIsInGuest(op) == 1) {
        g_autoptr(virJSONValue) arguments = virJSONValueNewObject();

        ignore_value(virJSONValueObjectAppendString(arguments, "id", op->id));
        ignore_value(stubdomMonitorCommand(op->monitor, "device_del", &arguments, UNDO_TIMEOUT, NULL));
    }
    virResetLastError();
    if (stubdomHostdevTakeBack(op, libxl) < 0) {
        VIR_ERROR("%s", virGetLastErrorMessage());
    }
    virErrorRestore(&error);
}

/* Unlocked. libxl does not pass on what its device model said when it has been waiting for that too long. */
static void
reportAddFailure(const StubdomHostdevOp *op, StubdomLibxl *libxl, int rc)
{
    g_autofree char *text = stubdomLibxlErrorText(libxl, rc);
    g_autofree char *tail = stubdomGuestLogTail(op->driver->xenLogDir, op->vm->def->name);

    virReportError(VIR_ERR_OPERATION_FAILED,
                   _("PCI device %s cannot be given to the guest: %s. Its device model said last: %s"), op->address,
                   text, tail ? tail : _("nothing"));
}

/* Unlocked. */
static int
add(const StubdomHostdevOp *op, StubdomLibxl *libxl)
{
    libxl_device_pci pci;
    int rc;

    libxl_device_pci_init(&pci);
    libxl_device_pci_copy(libxl->ctx, &pci, &op->pci);
    if ((rc = libxl_device_pci_add(libxl->ctx, op->domid, &pci, NULL)) != 0) {
        reportAddFailure(op, libxl, rc);
        undoAdd(op, libxl);
    }
    libxl_device_pci_dispose(&pci);
    return rc == 0 ? 0 : -1;
}

/* Unlocked. */
static int
give(const StubdomHostdevOp *op, StubdomLibxl *libxl)
{
    virDomainHostdevDef *hostdev = op->hostdev;

    if (stubdomHostdevTake(op->driver, op->vm->def, settingsOf(op->vm), &hostdev, 1) < 0) {
        return -1;
    }
    if (add(op, libxl) < 0) {
        stubdomHostdevGive(op->driver, op->vm->def, &hostdev, 1);
        return -1;
    }
    return 0;
}

int
stubdomHostdevAttach(StubdomDriver *driver, virDomainObj *vm, virDomainDeviceDef *dev)
{
    g_auto(StubdomHostdevOp) op = {.driver = NULL};
    StubdomLibxl *libxl;
    int status;

    if (stubdomHostdevOpInit(&op, driver, vm, hostdevOf(dev)) < 0 || checkAttach(&op) < 0) {
        return -1;
    }
    insert(&op, dev);
    if (stubdomDomainSave(driver, vm, true, false) < 0 || !(libxl = stubdomDomainEnter(driver, vm))) {
        stubdomHostdevForget(&op);
        return -1;
    }
    status = give(&op, libxl);
    stubdomDomainLeave(vm, libxl);
    if (status < 0) {
        stubdomHostdevForget(&op);
        stubdomDomainSaveStatus(driver, vm);
        return -1;
    }
    stubdomSetHostdevState(vm, op.address, STUBDOM_HOSTDEV_SETTLED);
    if (stubdomHostdevFill(vm) < 0) {
        VIR_WARN("where in the guest PCI device %s is will not be shown: %s", op.address, virGetLastErrorMessage());
        virResetLastError();
    }
    virObjectEventStateQueue(driver->events, virDomainEventDeviceAddedNewFromObj(vm, op.hostdev->info->alias));
    return 0;
}

void
stubdomHostdevCancel(StubdomHostdevOp *op)
{
    virDomainHostdevDef *hostdev = op->hostdev;
    StubdomLibxl *libxl = stubdomDomainEnter(op->driver, op->vm);

    if (!libxl) {
        return;
    }
    VIR_WARN("PCI device %s was being given to the domain '%s' when libvirtd ended; that is undone", op->address,
             op->vm->def->name);
    undoAdd(op, libxl);
    stubdomHostdevGive(op->driver, op->vm->def, &hostdev, 1);
    stubdomDomainLeave(op->vm, libxl);
    stubdomHostdevForget(op);
    stubdomDomainSaveStatus(op->driver, op->vm);
}
