/*
 * What the driver offers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * HVM guests of x86 only: a PV or PVH guest has no device model that could be
 * put into a stubdomain. Nothing here asks Xen, so that it works without.
 */

#include "stubdom_compat.h"

#include "stubdom_capabilities.h"

#include "cpu.h"
#include "viruuid.h"

VIR_LOG_INIT("stubdom.capabilities");

static void
addGuest(virCaps *caps, virArch arch)
{
    static const char *const machines[] = {STUBDOM_MACHINE};
    virCapsGuest *guest =
        virCapabilitiesAddGuest(caps, VIR_DOMAIN_OSTYPE_HVM, arch, STUBDOM_DEVICE_MODEL, NULL, G_N_ELEMENTS(machines),
                                virCapabilitiesAllocMachines(machines, G_N_ELEMENTS(machines)));

    virCapabilitiesAddGuestDomain(guest, VIR_DOMAIN_VIRT_XEN, NULL, NULL, 0, NULL);
    virCapabilitiesAddGuestFeatureWithToggle(guest, VIR_CAPS_GUEST_FEATURE_TYPE_ACPI, true, true);
    virCapabilitiesAddGuestFeatureWithToggle(guest, VIR_CAPS_GUEST_FEATURE_TYPE_APIC, true, true);
    virCapabilitiesAddGuestFeatureWithToggle(guest, VIR_CAPS_GUEST_FEATURE_TYPE_HAP, true, true);
    virCapabilitiesAddGuestFeature(guest, VIR_CAPS_GUEST_FEATURE_TYPE_PAE);
}

virCaps *
stubdomCapabilitiesNew(void)
{
    g_autoptr(virCaps) caps = virCapabilitiesNew(virArchFromHost(), false, false);

    if (!caps) {
        return NULL;
    }
    if (!(caps->host.cpu = virCPUProbeHost(caps->host.arch))) {
        VIR_WARN("libvirt cannot name the host's CPU");
        virResetLastError();
    }
    if (virGetHostUUID(caps->host.host_uuid) < 0) {
        virResetLastError();
    }
    addGuest(caps, VIR_ARCH_X86_64);
    addGuest(caps, VIR_ARCH_I686);
    return g_steal_pointer(&caps);
}
