/*
 * How domains are read
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Defaults are filled in here, so that what is shown is what will run. A
 * definition is good if every element in it is one the driver maps
 * (stubdom_validate.c) and its translation for libxl succeeds: the same
 * translation a start uses, so that nothing is accepted that could not be
 * started.
 */

#include "stubdom_compat.h"

#include "stubdom_domain.h"

#include "virclosecallbacks.h"
#include "virhostdev.h"

#include "stubdom_capabilities.h"
#include "stubdom_libxl_config.h"
#include "stubdom_namespace.h"
#include "stubdom_private.h"
#include "stubdom_validate.h"

static int
domainPostParse(virDomainDef *def, unsigned int parseFlags, void *opaque, void *parseOpaque)
{
    const StubdomDriver *driver = opaque;

    if (!virCapabilitiesDomainSupported(driver->caps, def->os.type, def->os.arch, def->virtType)) {
        return -1;
    }
    if (!def->os.machine) {
        def->os.machine = g_strdup(STUBDOM_MACHINE);
    }
    def->features[VIR_DOMAIN_FEATURE_PAE] = VIR_TRISTATE_SWITCH_ON; /* HVM guests always have it */
    return 0;
}

/* virt-install says 'qemu' for each file it knows nothing better for. Raw, the kernel can serve it, and that is shown.
 */
static void
replaceQemu(virDomainDiskDef *disk)
{
    if (STREQ_NULLABLE(virDomainDiskGetDriver(disk), "qemu") && disk->src->format == VIR_STORAGE_FILE_RAW) {
        virDomainDiskSetDriver(disk, disk->src->type == VIR_STORAGE_TYPE_BLOCK ? "phy" : "file");
    }
}

/* libvirt's manager of host devices needs to know, as its own default is KVM's. */
static void
nameDriver(virDomainHostdevDef *hostdev)
{
    if (virHostdevIsPCIDevice(hostdev) && !stubdomCompatPciDriver(hostdev)) {
        stubdomCompatPciUseXen(hostdev);
    }
}

static int
devicePostParse(virDomainDeviceDef *dev, const virDomainDef *def, unsigned int parseFlags, void *opaque,
                void *parseOpaque)
{
    if (dev->type == VIR_DOMAIN_DEVICE_DISK && virDomainDiskGetFormat(dev->data.disk) <= VIR_STORAGE_FILE_NONE) {
        virDomainDiskSetFormat(dev->data.disk, VIR_STORAGE_FILE_RAW);
    }
    if (dev->type == VIR_DOMAIN_DEVICE_DISK) {
        replaceQemu(dev->data.disk);
    }
    if (dev->type == VIR_DOMAIN_DEVICE_CHR && dev->data.chr->deviceType == VIR_DOMAIN_CHR_DEVICE_TYPE_SERIAL &&
        dev->data.chr->targetType == VIR_DOMAIN_CHR_SERIAL_TARGET_TYPE_NONE) {
        dev->data.chr->targetType = VIR_DOMAIN_CHR_SERIAL_TARGET_TYPE_ISA;
    }
    if (dev->type == VIR_DOMAIN_DEVICE_HOSTDEV) {
        nameDriver(dev->data.hostdev);
    }
    if (dev->type == VIR_DOMAIN_DEVICE_NET && dev->data.net->type == VIR_DOMAIN_NET_TYPE_HOSTDEV) {
        nameDriver(&dev->data.net->data.hostdev.def);
    }
    if (dev->type == VIR_DOMAIN_DEVICE_VIDEO && dev->data.video->type == VIR_DOMAIN_VIDEO_TYPE_DEFAULT) {
        dev->data.video->type = VIR_DOMAIN_VIDEO_TYPE_VGA;
    }
    return 0;
}

static int
domainValidate(const virDomainDef *def, void *opaque, void *parseOpaque)
{
    const StubdomDriver *driver = opaque;
    g_auto(StubdomLibxlConfig) config = STUBDOM_LIBXL_CONFIG_INIT;

    /* The translation first: what it says is about the value, and more to the point. */
    if (stubdomLibxlConfigBuild(&config, def, &driver->defaults.stubdomain) < 0) {
        return -1;
    }
    return stubdomValidateElements(def, driver->xmlopt);
}

static const virDomainDefParserConfig parserConfig = {
    .macPrefix = {0x00, 0x16, 0x3e},
    .netPrefix = STUBDOM_NET_PREFIX,
    .defArch = VIR_ARCH_X86_64,
    .features = VIR_DOMAIN_DEF_FEATURE_OFFLINE_VCPUPIN | VIR_DOMAIN_DEF_FEATURE_USER_ALIAS |
                VIR_DOMAIN_DEF_FEATURE_NET_MODEL_STRING, /* which ones: stubdom_libxl_nic.c */
    .domainPostParseCallback = domainPostParse,
    .devicesPostParseCallback = devicePostParse,
    .domainValidateCallback = domainValidate,
};

/* libvirt asks for something to go with the data of an asynchronous job; stubdom_private.h has all there is. */
static void *
allocJobData(void)
{
    return g_new0(char, 1);
}

static void
freeJobData(void *data)
{
    g_free(data);
}

virDomainXMLOption *
stubdomDomainXMLOptionNew(StubdomDriver *driver)
{
    virDomainDefParserConfig config = parserConfig;
    virDomainXMLPrivateDataCallbacks callbacks = stubdomPrivateCallbacks;
    virDomainJobObjConfig jobs = {
        .jobDataPrivateCb = {.allocPrivateData = allocJobData, .freePrivateData = freeJobData},
    };
    virDomainXMLOption *xmlopt;

    config.priv = driver;
    if ((xmlopt = virDomainXMLOptionNew(&config, &callbacks, &stubdomNamespace, NULL, NULL, &jobs))) {
        virDomainXMLOptionSetCloseCallbackAlloc(xmlopt, virCloseCallbacksDomainAlloc);
    }
    return xmlopt;
}
