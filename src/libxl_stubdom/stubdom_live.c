/*
 * What a running domain's definition says beyond what was written
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only xen-stubdom-dm knows which terminal a serial port has; libxl knows of
 * none where the device model is no QEMU of its own.
 */

#include "stubdom_compat.h"

#include "stubdom_live.h"

#include "virstring.h"

#include "stubdom_libxl_nic.h"
#include "stubdom_method.h"

VIR_LOG_INIT("stubdom.live");

/* Seconds for an answer the device model gives without asking anybody. */
#define QUESTION_TIMEOUT 5

/* --- aliases ----------------------------------------------------------------------------- */

static void
assign(virDomainDeviceInfo *info, const char *kind, size_t number)
{
    if (!info->alias) {
        info->alias = g_strdup_printf("%s%zu", kind, number);
    }
}

static bool
hasHostdev(const virDomainDef *def, const char *alias)
{
    for (size_t i = 0; i < def->nhostdevs; i++) {
        if (STREQ_NULLABLE(def->hostdevs[i]->info->alias, alias)) {
            return true;
        }
    }
    return false;
}

/* Others may have gone before this one came. */
static void
assignHostdev(virDomainDef *def, size_t index)
{
    virDomainDeviceInfo *info = def->hostdevs[index]->info;

    for (size_t number = 0; !info->alias; number++) {
        g_autofree char *alias = g_strdup_printf("hostdev%zu", number);

        if (!hasHostdev(def, alias)) {
            info->alias = g_steal_pointer(&alias);
        }
    }
}

void
stubdomLiveAssign(virDomainDef *def)
{
    for (size_t i = 0; i < def->ndisks; i++) {
        if (!def->disks[i]->info.alias) {
            def->disks[i]->info.alias = g_strdup_printf("disk-%s", def->disks[i]->dst);
        }
    }
    for (size_t i = 0; i < def->nnets; i++) {
        assign(&def->nets[i]->info, "net", i);
    }
    for (size_t i = 0; i < def->nserials; i++) {
        assign(&def->serials[i]->info, "serial", i);
    }
    for (size_t i = 0; i < def->nconsoles; i++) {
        assign(&def->consoles[i]->info, "console", i);
    }
    for (size_t i = 0; i < def->nvideos; i++) {
        assign(&def->videos[i]->info, "video", i);
    }
    for (size_t i = 0; i < def->ninputs; i++) {
        assign(&def->inputs[i]->info, "input", i);
    }
    for (size_t i = 0; i < def->nhostdevs; i++) {
        assignHostdev(def, i);
    }
}

/* --- terminals ---------------------------------------------------------------------------- */

static void
setTerminal(virDomainChrDef *device, const char *path)
{
    if (device->source->type == VIR_DOMAIN_CHR_TYPE_PTY) {
        g_free(device->source->data.file.path);
        device->source->data.file.path = g_strdup(path);
    }
}

/* @name: "pty:/dev/pts/3" of a label "serial0". The first serial port is the console, too. */
static void
takeTerminal(virDomainDef *def, const char *label, const char *name)
{
    unsigned int port = 0;

    if (!STRPREFIX(label, "serial") || !STRPREFIX(name, "pty:") ||
        virStrToLong_ui(label + strlen("serial"), NULL, 10, &port) < 0) {
        return;
    }
    name += strlen("pty:");
    for (size_t i = 0; i < def->nserials; i++) {
        if (def->serials[i]->target.port == (int)port) {
            setTerminal(def->serials[i], name);
        }
    }
    for (size_t i = 0; i < def->nconsoles; i++) {
        if (def->consoles[i]->target.port == (int)port &&
            def->consoles[i]->targetType == VIR_DOMAIN_CHR_CONSOLE_TARGET_TYPE_SERIAL) {
            setTerminal(def->consoles[i], name);
        }
    }
}

static void
takeTerminals(virDomainDef *def, virJSONValue *list)
{
    for (size_t i = 0; list && virJSONValueIsArray(list) && i < virJSONValueArraySize(list); i++) {
        virJSONValue *item = virJSONValueArrayGet(list, i);
        const char *label = virJSONValueObjectGetString(item, "label");
        const char *name = virJSONValueObjectGetString(item, "filename");

        if (label && name) {
            takeTerminal(def, label, name);
        }
    }
}

int
stubdomLiveFill(StubdomDriver *driver, virDomainObj *vm)
{
    StubdomDomainPrivate *priv = stubdomPrivate(vm);
    g_autoptr(StubdomMonitor) monitor = priv->monitor ? stubdomMonitorRef(priv->monitor) : NULL;
    g_autoptr(virJSONValue) list = NULL;
    int status;

    for (size_t i = 0; i < vm->def->nnets; i++) {
        if (!vm->def->nets[i]->ifname && virDomainNetGetActualType(vm->def->nets[i]) != VIR_DOMAIN_NET_TYPE_HOSTDEV) {
            vm->def->nets[i]->ifname = g_strdup_printf("vif%d.%d", vm->def->id, stubdomLibxlNicNumber(vm->def, i));
        }
    }
    if (!monitor) {
        return 0;
    }
    virObjectUnlock(vm);
    status = stubdomMonitorCommand(monitor, "query-chardev", NULL, QUESTION_TIMEOUT, &list);
    virObjectLock(vm);
    if (status < 0) {
        return -1;
    }
    takeTerminals(vm->def, list);
    return 0;
}
