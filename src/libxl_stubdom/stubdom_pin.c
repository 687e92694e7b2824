/*
 * Which processors a domain runs on
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hard affinity of Xen's, of the guest's vCPUs and of the stubdomain's. Xen
 * ignores processors it does not have, as long as one is left.
 */

#include "stubdom_compat.h"

#include "stubdom_pin.h"

#include <libxl_utils.h>

#include "domain_event.h"
#include "viraccessapicheck.h"
#include "virhostcpu.h"
#include "virtypedparam.h"

#include "stubdom_list.h"
#include "stubdom_method.h"

/* --- Xen --------------------------------------------------------------------------------- */

/* As many bits as @mask has, in libxl's shape; to be disposed of with libxl_bitmap_dispose(). */
static int
toLibxl(libxl_ctx *ctx, const virBitmap *mask, libxl_bitmap *map)
{
    ssize_t bit = -1;
    int rc = libxl_cpu_bitmap_alloc(ctx, map, (int)virBitmapLastSetBit((virBitmap *)mask) + 1);

    while (rc == 0 && (bit = virBitmapNextSetBit((virBitmap *)mask, bit)) >= 0) {
        libxl_bitmap_set(map, (int)bit);
    }
    return rc;
}

/* @vcpu: -1: all. A short call. */
static int
pinInXen(StubdomLibxl *libxl, uint32_t domid, int vcpu, const virBitmap *mask)
{
    libxl_bitmap map;
    libxl_dominfo info;
    int rc;

    libxl_bitmap_init(&map);
    libxl_dominfo_init(&info);
    rc = toLibxl(libxl->ctx, mask, &map);
    if (rc == 0 && vcpu >= 0) {
        rc = libxl_set_vcpuaffinity(libxl->ctx, domid, (uint32_t)vcpu, &map, NULL);
    } else if (rc == 0 && (rc = libxl_domain_info(libxl->ctx, &info, domid)) == 0) {
        rc = libxl_set_vcpuaffinity_all(libxl->ctx, domid, info.vcpu_max_id + 1, &map, NULL);
    }
    if (rc != 0) {
        stubdomLibxlError(libxl, rc, _("Xen does not put the vCPU on these processors"));
    }
    libxl_dominfo_dispose(&info);
    libxl_bitmap_dispose(&map);
    return rc == 0 ? 0 : -1;
}

/* --- one change ----------------------------------------------------------------------------- */

/* What is to be pinned: a vCPU of the guest, or the stubdomain. */
typedef struct {
    int vcpu; /* -1: the stubdomain */
    virBitmap *mask;
} Pin;

static int
checkPin(const virDomainDef *def, const Pin *pin)
{
    if (pin->vcpu >= 0 && !virDomainDefGetVcpu((virDomainDef *)def, (unsigned int)pin->vcpu)) {
        virReportError(VIR_ERR_INVALID_ARG, _("the domain '%s' has no vCPU %d"), def->name, pin->vcpu);
        return -1;
    }
    return 0;
}

static int
pinLive(const StubdomDriver *driver, const virDomainObj *vm, const Pin *pin)
{
    uint32_t domid = 0;

    if (!stubdomDomid(vm, &domid) || (pin->vcpu < 0 && !(domid = stubdomPrivate(vm)->stubdomain))) {
        virReportError(VIR_ERR_OPERATION_INVALID, _("the domain '%s' has no stubdomain that runs"), vm->def->name);
        return -1;
    }
    return pinInXen(driver->libxl, domid, pin->vcpu, pin->mask);
}

static void
pinDefinition(virDomainDef *def, const Pin *pin)
{
    virBitmap **place =
        pin->vcpu < 0 ? &def->cputune.emulatorpin : &virDomainDefGetVcpu(def, (unsigned int)pin->vcpu)->cpumask;

    virBitmapFree(*place);
    *place = virBitmapNewCopy(pin->mask);
}

static virObjectEvent *
newEvent(virDomainObj *vm, const Pin *pin)
{
    g_autofree char *text = virBitmapFormat(pin->mask);
    g_autofree char *name = pin->vcpu < 0 ? g_strdup(VIR_DOMAIN_TUNABLE_CPU_EMULATORPIN)
                                          : g_strdup_printf(VIR_DOMAIN_TUNABLE_CPU_VCPUPIN, pin->vcpu);
    virTypedParameterPtr params = NULL;
    int count = 0;
    int size = 0;

    if (virTypedParamsAddString(&params, &count, &size, name, text) < 0) {
        return NULL;
    }
    return virDomainEventTunableNewFromObj(vm, &params, count);
}

/* With a job. */
static int
setPin(const StubdomDriver *driver, virDomainObj *vm, const Pin *pin, unsigned int flags, virObjectEvent **event)
{
    virDomainDef *live = NULL;
    virDomainDef *config = NULL;

    if (virDomainObjGetDefs(vm, flags, &live, &config) < 0 || (live && checkPin(live, pin) < 0) ||
        (config && checkPin(config, pin) < 0) || (live && pinLive(driver, vm, pin) < 0)) {
        return -1;
    }
    if (live) {
        pinDefinition(live, pin);
        stubdomDomainSaveStatus(driver, vm);
        *event = newEvent(vm, pin);
    }
    if (config) {
        pinDefinition(config, pin);
    }
    return stubdomDomainSave(driver, vm, false, config != NULL);
}

/* Takes the locked @vm over. */
static int
changePin(StubdomDriver *driver, virDomainObj *vm, int vcpu, const unsigned char *map, int length, unsigned int flags)
{
    g_autoptr(virBitmap) mask = virBitmapNewData(map, length);
    const Pin pin = {.vcpu = vcpu, .mask = mask};
    virObjectEvent *event = NULL;
    int result = -1;

    if (!mask || virBitmapIsAllClear(mask)) {
        virReportError(VIR_ERR_INVALID_ARG, "%s", _("there must be at least one processor to run on"));
    } else if (stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, false) == 0) {
        result = setPin(driver, vm, &pin, flags, &event);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    virObjectEventStateQueue(driver->events, event);
    return result;
}

/* --- methods ------------------------------------------------------------------------------- */

int
stubdomDomainPinVcpuFlags(virDomainPtr dom, unsigned int vcpu, unsigned char *map, int length, unsigned int flags)
{
    virDomainObj *vm = NULL;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainPinVcpuFlagsEnsureACL(dom->conn, vm->def, flags) < 0 || vcpu > G_MAXUINT16) {
        virDomainObjEndAPI(&vm);
        return -1;
    }
    return changePin(dom->conn->privateData, vm, (int)vcpu, map, length, flags);
}

int
stubdomDomainPinVcpu(virDomainPtr dom, unsigned int vcpu, unsigned char *map, int length)
{
    return stubdomDomainPinVcpuFlags(dom, vcpu, map, length, VIR_DOMAIN_AFFECT_LIVE);
}

int
stubdomDomainPinEmulator(virDomainPtr dom, unsigned char *map, int length, unsigned int flags)
{
    virDomainObj *vm = NULL;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainPinEmulatorEnsureACL(dom->conn, vm->def, flags) < 0) {
        virDomainObjEndAPI(&vm);
        return -1;
    }
    return changePin(dom->conn->privateData, vm, -1, map, length, flags);
}

/* All processors there are, for what is not pinned. */
static virBitmap *
allProcessors(const StubdomDriver *driver)
{
    int count = driver->libxl ? libxl_get_max_cpus(driver->libxl->ctx) : virHostCPUGetCount();
    virBitmap *all = NULL;

    if (count <= 0) {
        virReportError(VIR_ERR_INTERNAL_ERROR, "%s", _("the number of the host's processors cannot be found out"));
        return NULL;
    }
    all = virBitmapNew((size_t)count);
    virBitmapSetAll(all);
    return all;
}

int
stubdomDomainGetVcpuPinInfo(virDomainPtr dom, int count, unsigned char *maps, int length, unsigned int flags)
{
    g_autoptr(virBitmap) all = NULL;
    virDomainDef *def = NULL;
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetVcpuPinInfoEnsureACL(dom->conn, vm->def) == 0 && (def = virDomainObjGetOneDef(vm, flags)) &&
        (all = allProcessors(dom->conn->privateData))) {
        result = virDomainDefGetVcpuPinInfoHelper(def, length, count, maps, all, NULL);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* <vcpu cpuset='…'/> is the guest's alone; libvirt lets it count for emulators too, but nobody applies it to this one.
 */
int
stubdomDomainGetEmulatorPinInfo(virDomainPtr dom, unsigned char *map, int length, unsigned int flags)
{
    g_autoptr(virBitmap) all = NULL;
    const virDomainDef *def = NULL;
    virDomainObj *vm = NULL;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainGetEmulatorPinInfoEnsureACL(dom->conn, vm->def) == 0 && (def = virDomainObjGetOneDef(vm, flags)) &&
        (all = allProcessors(dom->conn->privateData))) {
        virBitmapToDataBuf(def->cputune.emulatorpin ? def->cputune.emulatorpin : all, map, (size_t)length);
        result = 1;
    }
    virDomainObjEndAPI(&vm);
    return result;
}
