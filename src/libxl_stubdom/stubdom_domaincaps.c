/*
 * What a domain can have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Management programs choose devices by this. It says in libvirt's words what
 * stubdom_libxl_config.c and stubdom_validate.c accept, and nothing beyond:
 * test-domaincaps.py defines a domain with each value there is and compares.
 * It does not depend on the host.
 */

#include "stubdom_compat.h"

#include "stubdom_domaincaps.h"

#include "domain_capabilities.h"
#include "viraccessapicheck.h"

#include "stubdom_capabilities.h"
#include "stubdom_conf.h"

static void
fillOs(virDomainCapsOS *os)
{
    os->supported = VIR_TRISTATE_BOOL_YES;
    os->firmware.report = true;
    os->loader.supported = VIR_TRISTATE_BOOL_YES;
    os->loader.type.report = true;
    os->loader.readonly.report = true;
    VIR_DOMAIN_CAPS_ENUM_SET(os->loader.type, VIR_DOMAIN_LOADER_TYPE_ROM);
    VIR_DOMAIN_CAPS_ENUM_SET(os->loader.readonly, VIR_TRISTATE_BOOL_YES);
}

static void
fillCpu(virDomainCapsCPU *cpu)
{
    cpu->hostPassthrough = true;
    cpu->hostPassthroughMigratable.report = true;
    VIR_DOMAIN_CAPS_ENUM_SET(cpu->hostPassthroughMigratable, VIR_TRISTATE_SWITCH_ON, VIR_TRISTATE_SWITCH_OFF);
}

static void
fillDisk(virDomainCapsDeviceDisk *disk)
{
    disk->supported = VIR_TRISTATE_BOOL_YES;
    disk->diskDevice.report = true;
    disk->bus.report = true;
    VIR_DOMAIN_CAPS_ENUM_SET(disk->diskDevice, VIR_DOMAIN_DISK_DEVICE_DISK, VIR_DOMAIN_DISK_DEVICE_CDROM);
    VIR_DOMAIN_CAPS_ENUM_SET(disk->bus, VIR_DOMAIN_DISK_BUS_IDE, VIR_DOMAIN_DISK_BUS_SCSI, VIR_DOMAIN_DISK_BUS_XEN);
}

static void
fillVideo(virDomainCapsDeviceVideo *video)
{
    video->supported = VIR_TRISTATE_BOOL_YES;
    video->modelType.report = true;
    VIR_DOMAIN_CAPS_ENUM_SET(video->modelType, VIR_DOMAIN_VIDEO_TYPE_VGA, VIR_DOMAIN_VIDEO_TYPE_CIRRUS,
                             VIR_DOMAIN_VIDEO_TYPE_NONE);
}

static void
fillGraphics(virDomainCapsDeviceGraphics *graphics)
{
    graphics->supported = VIR_TRISTATE_BOOL_YES;
    graphics->type.report = true;
    VIR_DOMAIN_CAPS_ENUM_SET(graphics->type, VIR_DOMAIN_GRAPHICS_TYPE_VNC);
}

static void
fillHostdev(virDomainCapsDeviceHostdev *hostdev)
{
    hostdev->supported = VIR_TRISTATE_BOOL_YES;
    hostdev->mode.report = true;
    hostdev->startupPolicy.report = true;
    hostdev->subsysType.report = true;
    hostdev->capsType.report = true;
    hostdev->pciBackend.report = true;
    VIR_DOMAIN_CAPS_ENUM_SET(hostdev->mode, VIR_DOMAIN_HOSTDEV_MODE_SUBSYS);
    VIR_DOMAIN_CAPS_ENUM_SET(hostdev->startupPolicy, VIR_DOMAIN_STARTUP_POLICY_DEFAULT);
    VIR_DOMAIN_CAPS_ENUM_SET(hostdev->subsysType, VIR_DOMAIN_HOSTDEV_SUBSYS_TYPE_PCI);
    VIR_DOMAIN_CAPS_ENUM_SET(hostdev->pciBackend, STUBDOM_COMPAT_CAPS_PCI_XEN);
}

static void
fillFeatures(virDomainCaps *caps)
{
    for (size_t i = 0; i < G_N_ELEMENTS(caps->features); i++) {
        caps->features[i] = VIR_TRISTATE_BOOL_NO;
    }
    caps->features[VIR_DOMAIN_CAPS_FEATURE_GENID] = VIR_TRISTATE_BOOL_YES;
    caps->hyperv = g_new0(virDomainCapsFeatureHyperv, 1);
    caps->hyperv->supported = VIR_TRISTATE_BOOL_YES;
    caps->hyperv->features.report = true;
    VIR_DOMAIN_CAPS_ENUM_SET(caps->hyperv->features, VIR_DOMAIN_HYPERV_RELAXED, VIR_DOMAIN_HYPERV_VAPIC,
                             VIR_DOMAIN_HYPERV_VPINDEX, VIR_DOMAIN_HYPERV_SYNIC, VIR_DOMAIN_HYPERV_STIMER,
                             VIR_DOMAIN_HYPERV_FREQUENCIES, VIR_DOMAIN_HYPERV_TLBFLUSH, VIR_DOMAIN_HYPERV_IPI);
}

/* Said in so many words: a program that finds nothing about them may assume the best. */
static void
fillUnsupported(virDomainCaps *caps)
{
    caps->memoryBacking.supported = VIR_TRISTATE_BOOL_NO;
    caps->rng.supported = VIR_TRISTATE_BOOL_NO;
    caps->filesystem.supported = VIR_TRISTATE_BOOL_NO;
    caps->tpm.supported = VIR_TRISTATE_BOOL_NO;
    caps->redirdev.supported = VIR_TRISTATE_BOOL_NO;
    caps->channel.supported = VIR_TRISTATE_BOOL_NO;
    caps->gic.supported = VIR_TRISTATE_BOOL_NO;
}

static bool
isOffered(const char *name, const char *value, const char *offered)
{
    if (value && STRNEQ(value, offered)) {
        virReportError(VIR_ERR_INVALID_ARG, _("there is no %s '%s' for a domain; there is '%s'"), name, value, offered);
        return false;
    }
    return true;
}

/* VIR_ARCH_NONE: refused, and reported. */
static virArch
chooseArch(const char *name)
{
    virArch arch = name ? virArchFromString(name) : VIR_ARCH_X86_64;

    if (arch == VIR_ARCH_X86_64 || arch == VIR_ARCH_I686) {
        return arch;
    }
    virReportError(VIR_ERR_INVALID_ARG, _("there is no architecture '%s' for a domain; there are x86_64 and i686"),
                   name);
    return VIR_ARCH_NONE;
}

char *
stubdomConnectGetDomainCapabilities(virConnectPtr conn, const char *emulator, const char *arch, const char *machine,
                                    const char *virttype, unsigned int flags)
{
    g_autoptr(virDomainCaps) caps = NULL;
    virArch chosen = VIR_ARCH_NONE;

    virCheckFlags(0, NULL);
    if (virConnectGetDomainCapabilitiesEnsureACL(conn) < 0 || !isOffered("emulator", emulator, STUBDOM_DEVICE_MODEL) ||
        !isOffered("machine", machine, STUBDOM_MACHINE) ||
        !isOffered("virttype", virttype, virDomainVirtTypeToString(VIR_DOMAIN_VIRT_XEN)) ||
        (chosen = chooseArch(arch)) == VIR_ARCH_NONE ||
        !(caps = virDomainCapsNew(STUBDOM_DEVICE_MODEL, STUBDOM_MACHINE, chosen, VIR_DOMAIN_VIRT_XEN))) {
        return NULL;
    }
    caps->maxvcpus = STUBDOM_VCPUS_MAX;
    fillOs(&caps->os);
    fillCpu(&caps->cpu);
    fillDisk(&caps->disk);
    fillVideo(&caps->video);
    fillGraphics(&caps->graphics);
    fillHostdev(&caps->hostdev);
    fillFeatures(caps);
    fillUnsupported(caps);
    return virDomainCapsFormat(caps);
}
