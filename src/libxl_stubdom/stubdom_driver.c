/*
 * The driver's tables
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Connections, events and registration. A failure to come up is never one of
 * libvirtd's: it would end, and take every other driver along.
 */

#include "stubdom_compat.h"

#include <libintl.h>

#include "configmake.h"
#include "domain_event.h"
#include "driver.h"
#include "viraccessapicheck.h"
#include "virclosecallbacks.h"
#include "virfile.h"
#include "viruri.h"
#include "virutil.h"

#include "stubdom_abi.h"
#include "stubdom_autostart.h"
#include "stubdom_control.h"
#include "stubdom_cpu.h"
#include "stubdom_define.h"
#include "stubdom_device.h"
#include "stubdom_device_stats.h"
#include "stubdom_domaincaps.h"
#include "stubdom_inside.h"
#include "stubdom_job.h"
#include "stubdom_lifecycle.h"
#include "stubdom_list.h"
#include "stubdom_memory.h"
#include "stubdom_native.h"
#include "stubdom_node.h"
#include "stubdom_nodedev.h"
#include "stubdom_pin.h"
#include "stubdom_query.h"
#include "stubdom_reconnect.h"
#include "stubdom_save_method.h"
#include "stubdom_save_xml.h"
#include "stubdom_scheduler.h"
#include "stubdom_screen.h"
#include "stubdom_stats.h"
#include "stubdom_vcpu.h"

VIR_LOG_INIT("stubdom.driver");

/* Where the kernel says which Xen it runs on. */
#define XEN_VERSION "/sys/hypervisor/version"

__attribute__((visibility("default"))) int stubdomRegister(void);

/* Set and cleared by libvirt's state callbacks, which run one at a time with no connection open. */
static StubdomDriver *stubdomDriver;
static char *embeddedRoot;   /* NULL in a daemon */
static char *inactiveReason; /* why there is no driver, NULL if nobody knows */

static int
stateCleanup(void)
{
    g_clear_pointer(&stubdomDriver, stubdomDriverFree);
    g_clear_pointer(&embeddedRoot, g_free);
    g_clear_pointer(&inactiveReason, g_free);
    return 0;
}

static virDrvStateInitResult
stateInitialize(bool privileged, const char *root, bool monolithic, virStateInhibitCallback callback, void *opaque)
{
    if (!privileged && !root) {
        return VIR_DRV_STATE_INIT_SKIPPED;
    }
    embeddedRoot = g_strdup(root);
    if ((stubdomDriver = stubdomDriverNew(root, callback, opaque))) {
        stubdomReconnectAll(stubdomDriver);
        stubdomAutostart(stubdomDriver);
        return VIR_DRV_STATE_INIT_COMPLETE;
    }
    g_free(inactiveReason);
    inactiveReason = g_strdup(virGetLastErrorMessage());
    VIR_ERROR(_("the stubdom driver is not available: %s"), inactiveReason);
    return root ? VIR_DRV_STATE_INIT_ERROR : VIR_DRV_STATE_INIT_SKIPPED;
}

/* In a process of its own the driver has one directory, which every connection must name. */
static bool
isEmbedded(const virURI *uri)
{
    for (size_t i = 0; i < uri->paramsCount; i++) {
        if (STREQ(uri->params[i].name, "root")) {
            return STREQ_NULLABLE(uri->path, "/embed") && STREQ_NULLABLE(uri->params[i].value, embeddedRoot);
        }
    }
    return false;
}

static virDrvOpenStatus
connectOpen(virConnectPtr conn, virConnectAuthPtr auth, virConf *conf, unsigned int flags)
{
    const char *path = conn->uri->path ? conn->uri->path : "";

    virCheckFlags(VIR_CONNECT_RO, VIR_DRV_OPEN_ERROR);
    if (STREQ(conn->uri->scheme, "xen") && STRNEQ(path, "/stubdom")) {
        return VIR_DRV_OPEN_DECLINED;
    }
    if (STREQ(conn->uri->scheme, "stubdom") && !isEmbedded(conn->uri)) {
        virReportError(VIR_ERR_INVALID_ARG,
                       _("'stubdom:%s' is not where this driver is; it is at xen:///stubdom, and embedded with one "
                         "root a process"),
                       path);
        return VIR_DRV_OPEN_ERROR;
    }
    if (!stubdomDriver) {
        virReportError(VIR_ERR_INTERNAL_ERROR,
                       _("the stubdom driver is not active: %s; it looks again when libvirtd is started again"),
                       inactiveReason ? inactiveReason : _("libvirtd does not run as root"));
        return VIR_DRV_OPEN_ERROR;
    }
    if (virConnectOpenEnsureACL(conn) < 0) {
        return VIR_DRV_OPEN_ERROR;
    }
    conn->privateData = stubdomDriver;
    return VIR_DRV_OPEN_SUCCESS;
}

static int
connectClose(virConnectPtr conn)
{
    StubdomDriver *driver = conn->privateData;

    virCloseCallbacksDomainRunForConn(driver->domains, conn);
    conn->privateData = NULL;
    return 0;
}

/* One of the types virtproxyd lets pass. */
static const char *
connectGetType(virConnectPtr conn)
{
    return virConnectGetTypeEnsureACL(conn) < 0 ? NULL : "Xen";
}

/* 0, as the API has it for a version that cannot be had, when this is no Xen. */
static int
connectGetVersion(virConnectPtr conn, unsigned long *version)
{
    unsigned int major = 0;
    unsigned int minor = 0;

    if (virConnectGetVersionEnsureACL(conn) < 0) {
        return -1;
    }
    *version = 0;
    if (!virFileExists(XEN_VERSION)) {
        return 0;
    }
    if (virFileReadValueUint(&major, XEN_VERSION "/major") < 0 ||
        virFileReadValueUint(&minor, XEN_VERSION "/minor") < 0) {
        virReportError(VIR_ERR_INTERNAL_ERROR, _("cannot read the version of Xen from %s"), XEN_VERSION);
        return -1;
    }
    *version = major * 1000000UL + minor * 1000UL;
    return 0;
}

static char *
connectGetHostname(virConnectPtr conn)
{
    return virConnectGetHostnameEnsureACL(conn) < 0 ? NULL : virGetHostname();
}

static char *
connectGetCapabilities(virConnectPtr conn)
{
    StubdomDriver *driver = conn->privateData;

    return virConnectGetCapabilitiesEnsureACL(conn) < 0 ? NULL : virCapabilitiesFormatXML(driver->caps);
}

static int
connectIsAlive(virConnectPtr conn)
{
    return 1;
}

/* A connection to this driver stays in its process. */
static int
connectIsSecure(virConnectPtr conn)
{
    return 1;
}

static int
connectIsEncrypted(virConnectPtr conn)
{
    return 0;
}

static int
connectSupportsFeature(virConnectPtr conn, int feature)
{
    int supported = 0;

    if (virConnectSupportsFeatureEnsureACL(conn) < 0) {
        return -1;
    }
    return virDriverFeatureIsGlobal((virDrvFeature)feature, &supported) ? supported : 0;
}

static int
eventRegister(virConnectPtr conn, virConnectDomainEventCallback callback, void *opaque, virFreeCallback freecb)
{
    StubdomDriver *driver = conn->privateData;

    if (virConnectDomainEventRegisterEnsureACL(conn) < 0) {
        return -1;
    }
    return virDomainEventStateRegister(conn, driver->events, callback, opaque, freecb) < 0 ? -1 : 0;
}

static int
eventDeregister(virConnectPtr conn, virConnectDomainEventCallback callback)
{
    StubdomDriver *driver = conn->privateData;

    if (virConnectDomainEventDeregisterEnsureACL(conn) < 0) {
        return -1;
    }
    return virDomainEventStateDeregister(conn, driver->events, callback) < 0 ? -1 : 0;
}

static int
eventRegisterAny(virConnectPtr conn, virDomainPtr dom, int event, virConnectDomainEventGenericCallback callback,
                 void *opaque, virFreeCallback freecb)
{
    StubdomDriver *driver = conn->privateData;
    int id = -1;

    if (virConnectDomainEventRegisterAnyEnsureACL(conn) < 0 ||
        virDomainEventStateRegisterID(conn, driver->events, dom, event, callback, opaque, freecb, &id) < 0) {
        return -1;
    }
    return id;
}

static int
eventDeregisterAny(virConnectPtr conn, int id)
{
    StubdomDriver *driver = conn->privateData;

    if (virConnectDomainEventDeregisterAnyEnsureACL(conn) < 0) {
        return -1;
    }
    return virObjectEventStateDeregisterID(conn, driver->events, id, true) < 0 ? -1 : 0;
}

static virHypervisorDriver hypervisorDriver = {
    .name = "stubdom",
    .connectOpen = connectOpen,
    .connectClose = connectClose,
    .connectGetType = connectGetType,
    .connectGetVersion = connectGetVersion,
    .connectGetHostname = connectGetHostname,
    .connectGetSysinfo = stubdomConnectGetSysinfo,
    .connectGetMaxVcpus = stubdomConnectGetMaxVcpus,
    .connectGetCapabilities = connectGetCapabilities,
    .connectGetDomainCapabilities = stubdomConnectGetDomainCapabilities,
    .connectGetCPUModelNames = stubdomConnectGetCPUModelNames,
    .connectCompareCPU = stubdomConnectCompareCPU,
    .connectBaselineCPU = stubdomConnectBaselineCPU,
    .connectGetAllDomainStats = stubdomConnectGetAllDomainStats,
    .nodeGetInfo = stubdomNodeGetInfo,
    .nodeGetCPUMap = stubdomNodeGetCPUMap,
    .nodeGetCPUStats = stubdomNodeGetCPUStats,
    .nodeGetFreeMemory = stubdomNodeGetFreeMemory,
    .nodeGetCellsFreeMemory = stubdomNodeGetCellsFreeMemory,
    .nodeGetFreePages = stubdomNodeGetFreePages,
    .nodeGetMemoryStats = stubdomNodeGetMemoryStats,
    .nodeGetSecurityModel = stubdomNodeGetSecurityModel,
    .nodeDeviceDettach = stubdomNodeDeviceDettach,
    .nodeDeviceDetachFlags = stubdomNodeDeviceDetachFlags,
    .nodeDeviceReAttach = stubdomNodeDeviceReAttach,
    .nodeDeviceReset = stubdomNodeDeviceReset,
    .connectIsAlive = connectIsAlive,
    .connectIsSecure = connectIsSecure,
    .connectIsEncrypted = connectIsEncrypted,
    .connectSupportsFeature = connectSupportsFeature,
    .connectDomainEventRegister = eventRegister,
    .connectDomainEventDeregister = eventDeregister,
    .connectDomainEventRegisterAny = eventRegisterAny,
    .connectDomainEventDeregisterAny = eventDeregisterAny,
    .connectDomainXMLFromNative = stubdomConnectDomainXMLFromNative,
    .connectDomainXMLToNative = stubdomConnectDomainXMLToNative,
    .connectListDomains = stubdomConnectListDomains,
    .connectNumOfDomains = stubdomConnectNumOfDomains,
    .connectListDefinedDomains = stubdomConnectListDefinedDomains,
    .connectNumOfDefinedDomains = stubdomConnectNumOfDefinedDomains,
    .connectListAllDomains = stubdomConnectListAllDomains,
    .domainLookupByID = stubdomDomainLookupByID,
    .domainLookupByUUID = stubdomDomainLookupByUUID,
    .domainLookupByName = stubdomDomainLookupByName,
    .domainCreateXML = stubdomDomainCreateXML,
    .domainCreate = stubdomDomainCreate,
    .domainCreateWithFlags = stubdomDomainCreateWithFlags,
    .domainDestroy = stubdomDomainDestroy,
    .domainDestroyFlags = stubdomDomainDestroyFlags,
    .domainSuspend = stubdomDomainSuspend,
    .domainResume = stubdomDomainResume,
    .domainShutdown = stubdomDomainShutdown,
    .domainShutdownFlags = stubdomDomainShutdownFlags,
    .domainReboot = stubdomDomainReboot,
    .domainReset = stubdomDomainReset,
    .domainSave = stubdomDomainSaveTo,
    .domainSaveFlags = stubdomDomainSaveFlags,
    .domainSaveParams = stubdomDomainSaveParams,
    .domainRestore = stubdomDomainRestore,
    .domainRestoreFlags = stubdomDomainRestoreFlags,
    .domainRestoreParams = stubdomDomainRestoreParams,
    .domainSaveImageGetXMLDesc = stubdomDomainSaveImageGetXMLDesc,
    .domainSaveImageDefineXML = stubdomDomainSaveImageDefineXML,
    .domainManagedSave = stubdomDomainManagedSave,
    .domainHasManagedSaveImage = stubdomDomainHasManagedSaveImage,
    .domainManagedSaveRemove = stubdomDomainManagedSaveRemove,
    .domainManagedSaveGetXMLDesc = stubdomDomainManagedSaveGetXMLDesc,
    .domainManagedSaveDefineXML = stubdomDomainManagedSaveDefineXML,
    .domainCoreDump = stubdomDomainCoreDump,
    .domainCoreDumpWithFormat = stubdomDomainCoreDumpWithFormat,
    .domainSetLifecycleAction = stubdomDomainSetLifecycleAction,
    .domainAttachDevice = stubdomDomainAttachDevice,
    .domainAttachDeviceFlags = stubdomDomainAttachDeviceFlags,
    .domainDetachDevice = stubdomDomainDetachDevice,
    .domainDetachDeviceFlags = stubdomDomainDetachDeviceFlags,
    .domainDetachDeviceAlias = stubdomDomainDetachDeviceAlias,
    .domainUpdateDeviceFlags = stubdomDomainUpdateDeviceFlags,
    .domainOpenConsole = stubdomDomainOpenConsole,
    .domainOpenGraphics = stubdomDomainOpenGraphics,
    .domainOpenGraphicsFD = stubdomDomainOpenGraphicsFD,
    .domainScreenshot = stubdomDomainScreenshot,
    .domainSendKey = stubdomDomainSendKey,
    .domainGetMessages = stubdomDomainGetMessages,
    .domainGetControlInfo = stubdomDomainGetControlInfo,
    .domainDefineXML = stubdomDomainDefineXML,
    .domainDefineXMLFlags = stubdomDomainDefineXMLFlags,
    .domainUndefine = stubdomDomainUndefine,
    .domainUndefineFlags = stubdomDomainUndefineFlags,
    .domainRename = stubdomDomainRename,
    .domainGetAutostart = stubdomDomainGetAutostart,
    .domainSetAutostart = stubdomDomainSetAutostart,
    .domainGetMetadata = stubdomDomainGetMetadata,
    .domainSetMetadata = stubdomDomainSetMetadata,
    .domainGetXMLDesc = stubdomDomainGetXMLDesc,
    .domainGetOSType = stubdomDomainGetOSType,
    .domainGetInfo = stubdomDomainGetInfo,
    .domainGetState = stubdomDomainGetState,
    .domainGetMaxMemory = stubdomDomainGetMaxMemory,
    .domainSetMaxMemory = stubdomDomainSetMaxMemory,
    .domainSetMemory = stubdomDomainSetMemory,
    .domainSetMemoryFlags = stubdomDomainSetMemoryFlags,
    .domainMemoryStats = stubdomDomainMemoryStats,
    .domainGetNumaParameters = stubdomDomainGetNumaParameters,
    .domainSetVcpus = stubdomDomainSetVcpus,
    .domainSetVcpusFlags = stubdomDomainSetVcpusFlags,
    .domainSetVcpu = stubdomDomainSetVcpu,
    .domainGetVcpusFlags = stubdomDomainGetVcpusFlags,
    .domainGetMaxVcpus = stubdomDomainGetMaxVcpus,
    .domainGetVcpus = stubdomDomainGetVcpus,
    .domainGetCPUStats = stubdomDomainGetCPUStats,
    .domainPinVcpu = stubdomDomainPinVcpu,
    .domainPinVcpuFlags = stubdomDomainPinVcpuFlags,
    .domainGetVcpuPinInfo = stubdomDomainGetVcpuPinInfo,
    .domainPinEmulator = stubdomDomainPinEmulator,
    .domainGetEmulatorPinInfo = stubdomDomainGetEmulatorPinInfo,
    .domainGetSchedulerType = stubdomDomainGetSchedulerType,
    .domainGetSchedulerParameters = stubdomDomainGetSchedulerParameters,
    .domainGetSchedulerParametersFlags = stubdomDomainGetSchedulerParametersFlags,
    .domainSetSchedulerParameters = stubdomDomainSetSchedulerParameters,
    .domainSetSchedulerParametersFlags = stubdomDomainSetSchedulerParametersFlags,
    .domainBlockStats = stubdomDomainBlockStats,
    .domainBlockStatsFlags = stubdomDomainBlockStatsFlags,
    .domainGetBlockInfo = stubdomDomainGetBlockInfo,
    .domainInterfaceStats = stubdomDomainInterfaceStats,
    .domainInterfaceAddresses = stubdomDomainInterfaceAddresses,
    .domainGetJobInfo = stubdomDomainGetJobInfo,
    .domainGetJobStats = stubdomDomainGetJobStats,
    .domainAbortJob = stubdomDomainAbortJob,
    .domainAbortJobFlags = stubdomDomainAbortJobFlags,
    .domainGetHostname = stubdomDomainGetHostname,
    .domainGetTime = stubdomDomainGetTime,
    .domainSetTime = stubdomDomainSetTime,
    .domainInjectNMI = stubdomDomainInjectNMI,
    .domainGetSecurityLabel = stubdomDomainGetSecurityLabel,
    .domainIsActive = stubdomDomainIsActive,
    .domainIsPersistent = stubdomDomainIsPersistent,
    .domainIsUpdated = stubdomDomainIsUpdated,
};

static virConnectDriver connectDriver = {
    .localOnly = true,
    .embeddable = true,
    .uriSchemes = (const char *[]){"xen", "stubdom", NULL},
    .hypervisorDriver = &hypervisorDriver,
};

static virStateDriver stateDriver = {
    .name = "stubdom",
    .stateInitialize = stateInitialize,
    .stateCleanup = stateCleanup,
};

/**
 * stubdomRegister: what libvirt, or the slot library, calls after loading the module; a second time is harmless.
 *
 * Returns 0, or -1 if the driver is of no use here; the reason is on stderr.
 */
int
stubdomRegister(void)
{
    static bool registered;

    if (registered) {
        return 0;
    }
    if (!stubdomAbiMatches()) {
        return -1;
    }
    bindtextdomain(PACKAGE, LOCALEDIR);
    if (virRegisterConnectDriver(&connectDriver, true) < 0 || virRegisterStateDriver(&stateDriver) < 0) {
        return -1;
    }
    registered = true;
    return 0;
}
