/*
 * A domain as an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Written from the translation for libxl. What xl has no words for (a network
 * or a pool of libvirt's, a generation ID of one's own) is refused.
 */

#include "stubdom_compat.h"

#include "stubdom_native.h"

#include <libxl_utils.h>

#include "virbitmap.h"

#include "stubdom_libxl_cpu.h"
#include "stubdom_native_display.h"
#include "stubdom_native_pci.h"
#include "stubdom_refusal.h"

#define KIB_PER_MIB 1024

/* A string in the quotes of xl.cfg. */
static char *
quote(const char *text)
{
    g_autoptr(GString) quoted = g_string_new("\"");

    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') {
            g_string_append_c(quoted, '\\');
        }
        g_string_append_c(quoted, *p);
    }
    g_string_append_c(quoted, '"');
    return g_string_free(g_steal_pointer(&quoted), FALSE);
}

void
stubdomNativeWriteString(virBuffer *buf, const char *name, const char *value)
{
    g_autofree char *quoted = value ? quote(value) : NULL;

    if (quoted) {
        virBufferAsprintf(buf, "%s = %s\n", name, quoted);
    }
}

/* A list of strings; nothing if there are none. */
static void
addList(virBuffer *buf, const char *name, const char *const *values)
{
    const char *separator = " ";

    if (!values || !values[0]) {
        return;
    }
    virBufferAsprintf(buf, "%s = [", name);
    for (; *values; values++) {
        g_autofree char *quoted = quote(*values);

        virBufferAsprintf(buf, "%s%s", separator, quoted);
        separator = ", ";
    }
    virBufferAddLit(buf, " ]\n");
}

static void
addBool(virBuffer *buf, const char *name, libxl_defbool value)
{
    if (!libxl_defbool_is_default(value)) {
        virBufferAsprintf(buf, "%s = %d\n", name, libxl_defbool_val(value) ? 1 : 0);
    }
}

static char *
formatMap(const libxl_bitmap *map)
{
    g_autoptr(virBitmap) bits = virBitmapNewData(map->map, (int)map->size);

    return virBitmapFormat(bits);
}

static void
writeProcessors(virBuffer *buf, const StubdomLibxlConfig *config, const virDomainDef *def)
{
    const libxl_domain_build_info *info = &config->b_info;
    g_autoptr(GPtrArray) pins = g_ptr_array_new_with_free_func(g_free);
    g_auto(virBuffer) features = VIR_BUFFER_INITIALIZER;

    virBufferAsprintf(buf, "vcpus = %d\nmaxvcpus = %d\n", libxl_bitmap_count_set(&info->avail_vcpus), info->max_vcpus);
    for (int i = 0; i < info->num_vcpu_hard_affinity; i++) {
        g_ptr_array_add(pins, formatMap(&info->vcpu_hard_affinity[i]));
    }
    g_ptr_array_add(pins, NULL);
    addList(buf, "cpus", (const char *const *)pins->pdata);
    if (def->cputune.sharesSpecified) {
        virBufferAsprintf(buf, "cpu_weight = %d\n", info->sched_params.weight);
    }
    for (size_t i = 0; def->cpu && i < def->cpu->nfeatures; i++) {
        const virCPUFeatureDef *feature = &def->cpu->features[i];

        if (feature->policy != VIR_CPU_FEATURE_OPTIONAL) {
            virBufferAsprintf(
                &features, ",%s=%d", stubdomLibxlCpuFeature(feature->name),
                feature->policy == VIR_CPU_FEATURE_FORCE || feature->policy == VIR_CPU_FEATURE_REQUIRE ? 1 : 0);
        }
    }
    if (virBufferUse(&features) > 0) {
        virBufferAsprintf(buf, "cpuid = \"host%s\"\n", virBufferCurrentContent(&features));
    }
}

static void
writeViridian(virBuffer *buf, const libxl_domain_build_info *info)
{
    const char *groups[LIBXL_BUILDINFO_HVM_VIRIDIAN_ENABLE_DISABLE_WIDTH + 2] = {NULL};
    size_t count = 0;

    if (!libxl_defbool_is_default(info->u.hvm.viridian) && libxl_defbool_val(info->u.hvm.viridian)) {
        groups[count++] = "defaults";
    }
    for (int i = 0; i < (int)info->u.hvm.viridian_enable.size * CHAR_BIT; i++) {
        if (libxl_bitmap_test(&info->u.hvm.viridian_enable, i)) {
            groups[count++] = libxl_viridian_enlightenment_to_string((libxl_viridian_enlightenment)i);
        }
    }
    addList(buf, "viridian", groups);
}

static void
writePlatform(virBuffer *buf, const StubdomLibxlConfig *config)
{
    const libxl_domain_build_info *info = &config->b_info;

    stubdomNativeWriteString(buf, "firmware_override", info->u.hvm.firmware);
    stubdomNativeWriteString(buf, "acpi_firmware", info->u.hvm.acpi_firmware);
    stubdomNativeWriteString(buf, "boot", info->u.hvm.boot);
    addBool(buf, "acpi", info->acpi);
    addBool(buf, "apic", info->apic);
    addBool(buf, "pae", info->u.hvm.pae);
    addBool(buf, "hap", config->c_info.hap);
    addBool(buf, "hpet", info->u.hvm.hpet);
    addBool(buf, "localtime", info->localtime);
    addBool(buf, "msr_relaxed", info->arch_x86.msr_relaxed);
    writeViridian(buf, info);
    if (info->rtc_timeoffset) {
        virBufferAsprintf(buf, "rtc_timeoffset = \"%d\"\n", (int)info->rtc_timeoffset); /* only strings have a sign */
    }
    if (info->tsc_mode != LIBXL_TSC_MODE_DEFAULT) {
        stubdomNativeWriteString(buf, "tsc_mode", libxl_tsc_mode_to_string(info->tsc_mode));
    }
}

/* libxl's words have underscores, xl's hyphens. */
static void
writeAction(virBuffer *buf, const char *name, libxl_action_on_shutdown action)
{
    g_autofree char *word = g_strdelimit(g_strdup(libxl_action_on_shutdown_to_string(action)), "_", '-');

    stubdomNativeWriteString(buf, name, g_str_equal(word, "restart-rename") ? "rename-restart" : word);
}

static int
writeDisks(virBuffer *buf, const StubdomLibxlConfig *config)
{
    g_autoptr(GPtrArray) disks = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < config->num_disks; i++) {
        const libxl_device_disk *disk = &config->disks[i];
        const char *discard = "";

        if (!disk->pdev_path && disk->format != LIBXL_DISK_FORMAT_EMPTY) {
            return stubdomRefuse("disk", disk->vdev, _("it is a volume of a pool, which xl does not know"));
        }
        if (!libxl_defbool_is_default(disk->discard_enable)) {
            discard = libxl_defbool_val(disk->discard_enable) ? ",discard" : ",no-discard";
        }
        g_ptr_array_add(disks,
                        g_strdup_printf("vdev=%s,format=%s,access=%s%s%s%s%s", disk->vdev,
                                        libxl_disk_format_to_string(disk->format), disk->readwrite ? "rw" : "ro",
                                        disk->is_cdrom ? ",devtype=cdrom" : "", discard,
                                        disk->pdev_path ? ",target=" : "", disk->pdev_path ? disk->pdev_path : ""));
    }
    g_ptr_array_add(disks, NULL);
    addList(buf, "disk", (const char *const *)disks->pdata);
    return 0;
}

static int
writeNics(virBuffer *buf, const StubdomLibxlConfig *config)
{
    g_autoptr(GPtrArray) nics = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < config->num_nics; i++) {
        const libxl_device_nic *nic = &config->nics[i];
        g_autofree char *mac = g_strdup_printf(LIBXL_MAC_FMT, LIBXL_MAC_BYTES(nic->mac));
        g_auto(virBuffer) spec = VIR_BUFFER_INITIALIZER;

        if (!nic->bridge && !nic->script) {
            return stubdomRefuse("interface", mac, _("it is on a network of libvirt's, which xl does not know"));
        }
        virBufferAsprintf(&spec, "mac=%s,type=%s", mac, nic->nictype == LIBXL_NIC_TYPE_VIF ? "vif" : "ioemu");
        if (nic->bridge) {
            virBufferAsprintf(&spec, ",bridge=%s", nic->bridge);
        }
        if (nic->model) {
            virBufferAsprintf(&spec, ",model=%s", nic->model);
        }
        if (nic->script) {
            virBufferAsprintf(&spec, ",script=%s", nic->script);
        }
        if (nic->ifname) {
            virBufferAsprintf(&spec, ",vifname=%s", nic->ifname);
        }
        if (nic->rate_interval_usecs) {
            virBufferAsprintf(&spec, ",rate=%lluB/s@%uus",
                              (unsigned long long)(nic->rate_bytes_per_interval * (uint64_t)G_USEC_PER_SEC /
                                                   nic->rate_interval_usecs),
                              nic->rate_interval_usecs);
        }
        g_ptr_array_add(nics, virBufferContentAndReset(&spec));
    }
    g_ptr_array_add(nics, NULL);
    addList(buf, "vif", (const char *const *)nics->pdata);
    return 0;
}

static int
writePci(virBuffer *buf, const StubdomLibxlConfig *config, const virDomainDef *def)
{
    g_auto(GStrv) specs = stubdomNativePciSpecs(config, def);

    if (!specs) {
        return -1;
    }
    addList(buf, "pci", (const char *const *)specs);
    if (config->c_info.passthrough != LIBXL_PASSTHROUGH_DEFAULT) {
        stubdomNativeWriteString(buf, "passthrough", libxl_passthrough_to_string(config->c_info.passthrough));
    }
    return 0;
}

static int
writeOthers(virBuffer *buf, const libxl_domain_build_info *info, const virDomainDef *def)
{
    addList(buf, "serial", (const char *const *)info->u.hvm.serial_list);
    if (stubdomNativeWriteDisplay(buf, info, def) < 0) {
        return -1;
    }
    addBool(buf, "usb", info->u.hvm.usb);
    addList(buf, "usbdevice", (const char *const *)info->u.hvm.usbdevice_list);
    if (info->u.hvm.usbversion) {
        virBufferAsprintf(buf, "usbversion = %d\n", info->u.hvm.usbversion);
    }
    stubdomNativeWriteString(buf, "soundhw", info->u.hvm.soundhw);
    if (info->event_channels) {
        virBufferAsprintf(buf, "max_event_channels = %u\n", info->event_channels);
    }
    if (info->max_grant_frames != LIBXL_MAX_GRANT_DEFAULT) {
        virBufferAsprintf(buf, "max_grant_frames = %u\n", info->max_grant_frames);
    }
    stubdomNativeWriteString(buf, "device_model_version", "qemu-xen");
    stubdomNativeWriteString(buf, "device_model_override", info->device_model);
    addList(buf, "device_model_args", (const char *const *)info->extra);
    return 0;
}

char *
stubdomNativeWrite(const StubdomLibxlConfig *config, const virDomainDef *def)
{
    g_auto(virBuffer) buf = VIR_BUFFER_INITIALIZER;
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (def->genidRequested) {
        stubdomRefuse("genid", def->name, _("xl can only have a new one made at each start"));
        return NULL;
    }
    stubdomNativeWriteString(&buf, "name", def->name);
    stubdomNativeWriteString(&buf, "uuid", virUUIDFormat(def->uuid, uuid));
    stubdomNativeWriteString(&buf, "type", "hvm");
    virBufferAsprintf(&buf, "memory = %llu\nmaxmem = %llu\n",
                      (unsigned long long)config->b_info.target_memkb / KIB_PER_MIB,
                      (unsigned long long)config->b_info.max_memkb / KIB_PER_MIB);
    writeProcessors(&buf, config, def);
    writePlatform(&buf, config);
    writeAction(&buf, "on_poweroff", config->on_poweroff);
    writeAction(&buf, "on_reboot", config->on_reboot);
    writeAction(&buf, "on_crash", config->on_crash);
    if (writeDisks(&buf, config) < 0 || writeNics(&buf, config) < 0 || writePci(&buf, config, def) < 0 ||
        writeOthers(&buf, &config->b_info, def) < 0) {
        return NULL;
    }
    return virBufferContentAndReset(&buf);
}
