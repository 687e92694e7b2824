/*
 * PCI devices of the host in an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is managed for libvirt is seized for xl, as near as it comes: xl does not
 * give a device back.
 */

#include "stubdom_compat.h"

#include "stubdom_native_pci.h"

#include "stubdom_refusal.h"

#define SLOT_SHIFT 3 /* of a devfn */

typedef int (*ReadFunc)(virBuffer *buf, const libxl_device_pci *pci, bool reset);

static int
addDevice(virBuffer *buf, const libxl_device_pci *pci, bool reset)
{
    virBufferAsprintf(buf, "<hostdev mode='subsystem' type='pci' managed='%s'>\n<source>\n", pci->seize ? "yes" : "no");
    virBufferAsprintf(buf, "<address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>\n</source>\n",
                      (unsigned int)pci->domain, pci->bus, pci->dev, pci->func);
    if (pci->vdevfn) {
        virBufferAsprintf(buf, "<address type='pci' domain='0' bus='0' slot='0x%02x' function='0'/>\n",
                          pci->vdevfn >> SLOT_SHIFT);
    }
    virBufferAddLit(buf, "</hostdev>\n");
    return 0;
}

static int
addSettings(virBuffer *buf, const libxl_device_pci *pci, bool reset)
{
    if (pci->permissive || reset) {
        virBufferAsprintf(buf, "<stubdom:hostdev address='%04x:%02x:%02x.%x' permissive='%s' reset='%s'/>\n",
                          (unsigned int)pci->domain, pci->bus, pci->dev, pci->func, pci->permissive ? "yes" : "no",
                          reset ? "optional" : "required");
    }
    return 0;
}

static int
readOne(StubdomXlCfg *cfg, virBuffer *buf, const char *spec, ReadFunc func, bool reset)
{
    libxl_device_pci pci;
    int result;

    libxl_device_pci_init(&pci);
    if (xlu_pci_parse_spec_string(cfg->cfg, &pci, spec) != 0) {
        result = stubdomXlCfgError(cfg, "pci");
    } else if (pci.vfunc_mask == LIBXL_PCI_FUNC_ALL || pci.name || pci.msitranslate || pci.power_mgmt ||
               pci.rdm_policy != LIBXL_RDM_RESERVE_POLICY_INVALID) {
        result = stubdomRefuse("pci", spec,
                               _("an address with one function, a slot, permissive and seize can be said in domain "
                                 "XML"));
    } else {
        result = func(buf, &pci, reset);
    }
    libxl_device_pci_dispose(&pci);
    return result;
}

static int
readAll(StubdomXlCfg *cfg, virBuffer *buf, ReadFunc func, bool reset)
{
    g_auto(GStrv) specs = NULL;

    if (stubdomXlCfgStrings(cfg, "pci", &specs) < 0) {
        return -1;
    }
    for (char **spec = specs; *spec; spec++) {
        if (readOne(cfg, buf, *spec, func, reset) < 0) {
            return -1;
        }
    }
    return 0;
}

int
stubdomNativeReadPci(StubdomXlCfg *cfg, virBuffer *devices)
{
    return readAll(cfg, devices, addDevice, false);
}

int
stubdomNativeReadPciSettings(StubdomXlCfg *cfg, virBuffer *settings, bool reset)
{
    return readAll(cfg, settings, addSettings, reset);
}

int
stubdomNativeReadPassthrough(StubdomXlCfg *cfg, virBuffer *features)
{
    const char *text = stubdomXlCfgString(cfg, "passthrough");
    libxl_passthrough mode = LIBXL_PASSTHROUGH_DEFAULT;

    if (text && libxl_passthrough_from_string(text, &mode) != 0) {
        return stubdomXlCfgError(cfg, "passthrough");
    }
    if (mode == LIBXL_PASSTHROUGH_DISABLED) {
        virBufferAddLit(features, "<xen><passthrough state='off'/></xen>\n");
    } else if (mode == LIBXL_PASSTHROUGH_ENABLED) {
        virBufferAddLit(features, "<xen><passthrough state='on'/></xen>\n");
    } else if (mode != LIBXL_PASSTHROUGH_DEFAULT) {
        virBufferAsprintf(features, "<xen><passthrough state='on' mode='%s'/></xen>\n",
                          libxl_passthrough_to_string(mode));
    }
    return 0;
}

char **
stubdomNativePciSpecs(const StubdomLibxlConfig *config, const virDomainDef *def)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (int i = 0; i < config->num_pcidevs; i++) { /* in the order of the definition's */
        const libxl_device_pci *pci = &config->pcidevs[i];
        g_autofree char *address =
            g_strdup_printf("%04x:%02x:%02x.%x", (unsigned int)pci->domain, pci->bus, pci->dev, pci->func);
        g_autofree char *slot = g_strdup_printf("@%02x", pci->vdevfn >> SLOT_SHIFT);
        g_autofree char *spec = NULL;

        if (def->hostdevs[i]->parentnet) {
            stubdomRefuse("interface", address, _("xl does not configure a virtual function of a network card"));
            return NULL;
        }
        spec = g_strdup_printf("%s%s%s%s", address, pci->vdevfn ? slot : "", pci->permissive ? ",permissive=1" : "",
                               def->hostdevs[i]->managed ? ",seize=1" : "");
        g_strv_builder_add(builder, spec);
    }
    return g_strv_builder_end(builder);
}
