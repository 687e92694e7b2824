/*
 * The libvirt this driver is compiled against
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * First include of every file of the driver, which is written against libvirt
 * 9.0 (Debian 12). Where 11.3 (Debian 13) differs it is given the shape of 9.0
 * here and nowhere else. A version nobody has compiled is an error, not a guess.
 */

#pragma once

#include <config.h>

#include "internal.h"

#define STUBDOM_LIBVIRT_IS(major, minor) (LIBVIR_VERSION_NUMBER / 1000 == (major)*1000 + (minor))

#if !STUBDOM_LIBVIRT_IS(9, 0) && !STUBDOM_LIBVIRT_IS(11, 3)
#error "this libvirt is not known to stubdom_compat.h; 9.0 and 11.3 are"
#endif

#include "virerror.h"
#include "virlog.h"

/* The headers that declare what is redefined below come first. */
#include "capabilities.h"
#include "domain_conf.h"
#include "domain_driver.h"
#include "virbitmap.h"
#include "virpidfile.h"
#include "virtypedparam.h"

#if STUBDOM_LIBVIRT_IS(9, 0)

/* What every libvirt has in a form of its own, under one name. */
#define virTypedParamListNew() g_new0(virTypedParamList, 1)

static inline bool
stubdomCompatAcpiTable(const virDomainDef *def, const char **file)
{
    *file = def->os.slic_table;
    return true;
}

/**
 * stubdomCompatPciDriver: the name of the driver a PCI device of the host is to be bound to, NULL if none was said.
 * stubdomCompatPciUseXen: says xen-pciback.
 */
static inline const char *
stubdomCompatPciDriver(const virDomainHostdevDef *hostdev)
{
    int backend = (int)hostdev->source.subsys.u.pci.backend;

    return backend == VIR_DOMAIN_HOSTDEV_PCI_BACKEND_DEFAULT ? NULL
                                                             : virDomainHostdevSubsysPCIBackendTypeToString(backend);
}

#define STUBDOM_COMPAT_CAPS_PCI_XEN VIR_DOMAIN_HOSTDEV_PCI_BACKEND_XEN

/** stubdomCompatPciSetUnbind: notes whether the device is to be unbound from xen-pciback when it is given back. */
static inline void
stubdomCompatPciSetUnbind(virDomainHostdevDef *hostdev, bool unbind)
{
    hostdev->origstates.states.pci.unbind_from_stub = unbind;
}

static inline void
stubdomCompatPciUseXen(virDomainHostdevDef *hostdev)
{
    hostdev->source.subsys.u.pci.backend = VIR_DOMAIN_HOSTDEV_PCI_BACKEND_XEN;
}

#endif /* 9.0 */

#if STUBDOM_LIBVIRT_IS(11, 3)

/**
 * stubdomCompatAcpiTable: the file of the only ACPI table the guest is given, NULL if there is none.
 *
 * Returns false if there is a table of another type than slic, or more than one.
 */
static inline bool
stubdomCompatAcpiTable(const virDomainDef *def, const char **file)
{
    *file = def->os.nacpiTables ? def->os.acpiTables[0]->path : NULL;
    return def->os.nacpiTables == 0 ||
           (def->os.nacpiTables == 1 && def->os.acpiTables[0]->type == VIR_DOMAIN_OS_ACPI_TABLE_TYPE_SLIC);
}

static inline const char *
stubdomCompatPciDriver(const virDomainHostdevDef *hostdev)
{
    int name = (int)hostdev->source.subsys.u.pci.driver.name;

    return name == VIR_DEVICE_HOSTDEV_PCI_DRIVER_NAME_DEFAULT ? NULL : virDeviceHostdevPCIDriverNameTypeToString(name);
}

#define STUBDOM_COMPAT_CAPS_PCI_XEN VIR_DEVICE_HOSTDEV_PCI_DRIVER_NAME_XEN

static inline void
stubdomCompatPciSetUnbind(virDomainHostdevDef *hostdev, bool unbind)
{
    virBitmap **states = &hostdev->source.subsys.u.pci.origstates;

    if (!*states) {
        *states = virBitmapNew(VIR_DOMAIN_HOSTDEV_PCI_ORIGSTATE_LAST);
    }
    ignore_value(unbind ? virBitmapSetBit(*states, VIR_DOMAIN_HOSTDEV_PCI_ORIGSTATE_UNBIND)
                        : virBitmapClearBit(*states, VIR_DOMAIN_HOSTDEV_PCI_ORIGSTATE_UNBIND));
}

static inline void
stubdomCompatPciUseXen(virDomainHostdevDef *hostdev)
{
    hostdev->source.subsys.u.pci.driver.name = VIR_DEVICE_HOSTDEV_PCI_DRIVER_NAME_XEN;
}

/* The type of a stub driver is not its name any more. */
#define virPCIDeviceSetStubDriver(device, type) virPCIDeviceSetStubDriverType(device, type)

/* Nobody waits for a lock any more. */
#define virPidFileAcquire(dir, name, wait, pid) (virPidFileAcquire)(dir, name, pid)

/* It may now say nothing when there is no such guest. */
#define virCapabilitiesDomainSupported(caps, ostype, arch, virttype)                                                   \
    (virCapabilitiesDomainSupported)(caps, ostype, arch, virttype, true)

/* It counts the names itself. */
static inline virCapsGuestMachine **
stubdomCompatAllocMachines(const char *const *names, int count)
{
    g_autofree const char **list = g_new0(const char *, count + 1);
    int counted = 0;

    memcpy(list, names, (size_t)count * sizeof(*list));
    return (virCapabilitiesAllocMachines)(list, &counted);
}
#define virCapabilitiesAllocMachines(names, count) stubdomCompatAllocMachines(names, count)

/* It adds to an array, instead of making a list that ends with NULL. */
static inline int
stubdomCompatGetMessages(virDomainObj *vm, char ***messages, unsigned int flags)
{
    GPtrArray *array = g_ptr_array_new();
    int count;

    (virDomainObjGetMessages)(vm, array, flags);
    count = (int)array->len;
    g_ptr_array_add(array, NULL);
    *messages = (char **)g_ptr_array_free(array, FALSE);
    return count;
}
#define virDomainObjGetMessages(vm, messages, flags) stubdomCompatGetMessages(vm, messages, flags)

/* They cannot fail any more. */
#define virBitmapToData(...) ((virBitmapToData)(__VA_ARGS__), 0)
#define virDomainNetInsert(...) ((virDomainNetInsert)(__VA_ARGS__), 0)
#define virDomainHostdevInsert(...) ((virDomainHostdevInsert)(__VA_ARGS__), 0)
#define virPCIDeviceSetUsedBy(...) ((virPCIDeviceSetUsedBy)(__VA_ARGS__), 0)
#define virTypedParamListAddInt(...) ((virTypedParamListAddInt)(__VA_ARGS__), 0)
#define virTypedParamListAddUInt(...) ((virTypedParamListAddUInt)(__VA_ARGS__), 0)
#define virTypedParamListAddLLong(...) ((virTypedParamListAddLLong)(__VA_ARGS__), 0)
#define virTypedParamListAddULLong(...) ((virTypedParamListAddULLong)(__VA_ARGS__), 0)
#define virTypedParamListAddString(...) ((virTypedParamListAddString)(__VA_ARGS__), 0)
#define virTypedParamListAddBoolean(...) ((virTypedParamListAddBoolean)(__VA_ARGS__), 0)
#define virTypedParamListAddDouble(...) ((virTypedParamListAddDouble)(__VA_ARGS__), 0)

/* A list with a name that is too long is only found out here; it is as good as empty, with the error reported. */
static inline size_t
virTypedParamListStealParams(virTypedParamList *list, virTypedParameterPtr *params)
{
    int count = 0;

    return virTypedParamListSteal(list, params, &count) < 0 ? 0 : (size_t)count;
}

/* It finds the domain by itself. */
#define virDomainNetReleaseActualDevice(conn, def, net) (virDomainNetReleaseActualDevice)(conn, net)

/* Its stub driver is no longer named by a text, of which "xen" was the only one here. */
#define virDomainDriverNodeDeviceDetachFlags(device, manager, name)                                                    \
    (virDomainDriverNodeDeviceDetachFlags)(device, manager, VIR_PCI_STUB_DRIVER_XEN, NULL)

#endif /* 11.3 */

/* Messages of this driver show up where those of the stock Xen driver do. */
#define VIR_FROM_THIS VIR_FROM_XEN
