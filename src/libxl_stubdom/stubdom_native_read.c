/*
 * A domain from an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each setting becomes the domain XML a person would write for it; xl's
 * defaults are written out where libvirt's differ. The devices are in
 * stubdom_native_devices.c.
 */

#include "stubdom_compat.h"

#include "stubdom_native.h"

#include "virbuffer.h"

#include "stubdom_native_devices.h"
#include "stubdom_native_options.h"
#include "stubdom_native_pci.h"
#include "stubdom_xl_cfg.h"

static const char *const known[] = {
    "acpi",
    "acpi_firmware",
    "apic",
    "bios",
    "boot",
    "builder",
    "cpu_weight",
    "cpuid",
    "cpus",
    "device_model_args",
    "device_model_args_hvm",
    "device_model_override",
    "device_model_stubdomain_override",
    "device_model_version",
    "disk",
    "firmware_override",
    "hap",
    "hpet",
    "keymap",
    "localtime",
    "max_event_channels",
    "max_grant_frames",
    "maxmem",
    "maxvcpus",
    "memory",
    "msr_relaxed",
    "name",
    "on_crash",
    "on_poweroff",
    "on_reboot",
    "pae",
    "passthrough",
    "pci",
    "rtc_timeoffset",
    "sdl",
    "serial",
    "soundhw",
    "spice",
    "stdvga",
    "tsc_mode",
    "type",
    "usb",
    "usbdevice",
    "usbversion",
    "uuid",
    "vcpus",
    "vga",
    "videoram",
    "vif",
    "viridian",
    "vnc",
    "vncdisplay",
    "vnclisten",
    "vncpasswd",
    "vncunused",
    "xen_platform_pci",
    NULL,
};

/* Those of them that can be lists. */
static const char *const lists[] = {
    "cpus", "device_model_args", "device_model_args_hvm", "disk", "pci", "serial", "usbdevice", "vif", "viridian", NULL,
};

/* Settings that can have one value only, with it. */
static const struct {
    const char *name;
    const char *value;
} fixed[] = {
    {"builder", "hvm"},
    {"type", "hvm"},
    {"bios", "seabios"},
    {"device_model_version", "qemu-xen"},
};
static const struct {
    const char *name;
    long value;
} fixedNumbers[] = {
    {"xen_platform_pci", 1}, {"device_model_stubdomain_override", 0}, {"sdl", 0}, {"spice", 0}, {"pae", 1},
};

static int
checkLists(StubdomXlCfg *cfg)
{
    for (size_t i = 0; known[i]; i++) {
        if (stubdomXlCfgIsList(cfg, known[i]) && !g_strv_contains(lists, known[i])) {
            return stubdomXlCfgError(cfg, known[i]);
        }
    }
    return 0;
}

static int
checkFixed(StubdomXlCfg *cfg)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++) {
        const char *value = stubdomXlCfgString(cfg, fixed[i].name);

        if (value && STRNEQ(value, fixed[i].value)) {
            return stubdomXlCfgError(cfg, fixed[i].name);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fixedNumbers); i++) {
        long value = fixedNumbers[i].value;

        if (stubdomXlCfgNumber(cfg, fixedNumbers[i].name, &value) < 0) {
            return -1;
        }
        if (value != fixedNumbers[i].value) {
            return stubdomXlCfgError(cfg, fixedNumbers[i].name);
        }
    }
    if (!stubdomXlCfgString(cfg, "type") && !stubdomXlCfgString(cfg, "builder")) {
        virReportError(VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                       _("the xl.cfg is not of an HVM guest (type = \"hvm\"), which a stubdomain is for"));
        return -1;
    }
    return 0;
}

static int
readSizes(StubdomXlCfg *cfg, virBuffer *buf)
{
    const char *name = stubdomXlCfgString(cfg, "name");
    long memory = 0;
    long maximum;
    long vcpus = 1;
    long vcpusMaximum;

    if (!name || stubdomXlCfgNumber(cfg, "memory", &memory) < 0 || memory <= 0) {
        return stubdomXlCfgError(cfg, name ? "memory" : "name");
    }
    maximum = memory;
    if (stubdomXlCfgNumber(cfg, "maxmem", &maximum) < 0 || stubdomXlCfgNumber(cfg, "vcpus", &vcpus) < 0) {
        return -1;
    }
    vcpusMaximum = vcpus;
    if (stubdomXlCfgNumber(cfg, "maxvcpus", &vcpusMaximum) < 0) {
        return -1;
    }
    virBufferEscapeString(buf, "<name>%s</name>\n", name);
    virBufferEscapeString(buf, "<uuid>%s</uuid>\n", stubdomXlCfgString(cfg, "uuid"));
    virBufferAsprintf(buf, "<memory unit='MiB'>%ld</memory>\n<currentMemory unit='MiB'>%ld</currentMemory>\n", maximum,
                      memory);
    virBufferAsprintf(buf, "<vcpu current='%ld'>%ld</vcpu>\n", vcpus, vcpusMaximum);
    return 0;
}

/* One list of CPUs is for all of the guest's, several are for one each. */
static int
readTuning(StubdomXlCfg *cfg, virBuffer *buf, const char *stubdomain)
{
    g_auto(virBuffer) tune = VIR_BUFFER_INIT_CHILD(buf);
    g_auto(GStrv) cpus = NULL;
    long weight = 0;
    long vcpus = 1;

    if (stubdomXlCfgStrings(cfg, "cpus", &cpus) < 0 || stubdomXlCfgNumber(cfg, "cpu_weight", &weight) < 0 ||
        stubdomXlCfgNumber(cfg, "vcpus", &vcpus) < 0 || stubdomXlCfgNumber(cfg, "maxvcpus", &vcpus) < 0) {
        return -1;
    }
    if (weight) {
        virBufferAsprintf(&tune, "<shares>%ld</shares>\n", weight);
    }
    if (stubdomXlCfgString(cfg, "cpus")) {
        for (long i = 0; i < MIN(vcpus, 128) && STRNEQ(cpus[0], "all"); i++) {
            virBufferEscapeString(&tune, "<vcpupin cpuset='%s'", cpus[0]);
            virBufferAsprintf(&tune, " vcpu='%ld'/>\n", i);
        }
    } else {
        for (size_t i = 0; cpus[i]; i++) {
            virBufferEscapeString(&tune, "<vcpupin cpuset='%s'", cpus[i]);
            virBufferAsprintf(&tune, " vcpu='%zu'/>\n", i);
        }
    }
    virBufferEscapeString(&tune, "<emulatorpin cpuset='%s'/>\n", stubdomain);
    virXMLFormatElement(buf, "cputune", NULL, &tune);
    return 0;
}

static int
readOs(StubdomXlCfg *cfg, virBuffer *buf)
{
    static const char *const devices[] = {['c'] = "hd", ['d'] = "cdrom", ['n'] = "network", ['a'] = "fd"};
    g_auto(virBuffer) os = VIR_BUFFER_INIT_CHILD(buf);
    const char *boot = stubdomXlCfgString(cfg, "boot");

    virBufferAddLit(&os, "<type>hvm</type>\n");
    virBufferEscapeString(&os, "<loader>%s</loader>\n", stubdomXlCfgString(cfg, "firmware_override"));
    for (const char *letter = boot ? boot : "cda"; *letter; letter++) {
        if ((size_t)*letter >= G_N_ELEMENTS(devices) || !devices[(size_t)*letter]) {
            return stubdomXlCfgError(cfg, "boot");
        }
        if (boot || *letter != 'a') { /* xl's default has a floppy disk, which there is not */
            virBufferAsprintf(&os, "<boot dev='%s'/>\n", devices[(size_t)*letter]);
        }
    }
    virBufferEscapeString(&os, "<acpi><table type='slic'>%s</table></acpi>\n",
                          stubdomXlCfgString(cfg, "acpi_firmware"));
    virXMLFormatElement(buf, "os", NULL, &os);
    return 0;
}

static const struct {
    const char *group;
    const char *feature;
} viridianGroups[] = {
    {"apic_assist", "vapic"},
    {"base", "relaxed"},
    {"freq", "frequencies"},
    {"hcall_ipi", "ipi"},
    {"stimer", "stimer"},
    {"synic", "synic"},
    {"hcall_remote_tlb_flush", "tlbflush"},
};

/* A number, or a list of groups of which some are a timer of libvirt's. */
static int
readViridian(StubdomXlCfg *cfg, virBuffer *features, bool *clock)
{
    g_auto(virBuffer) hyperv = VIR_BUFFER_INITIALIZER;
    g_auto(GStrv) groups = NULL;

    *clock = false;
    if (stubdomXlCfgStrings(cfg, "viridian", &groups) < 0) {
        return -1;
    }
    for (char **group = groups; *group; group++) {
        size_t i = 0;

        while (i < G_N_ELEMENTS(viridianGroups) && STRNEQ(*group, viridianGroups[i].group)) {
            i++;
        }
        if (i < G_N_ELEMENTS(viridianGroups)) {
            virBufferAsprintf(&hyperv, "<%s state='on'/>\n", viridianGroups[i].feature);
        } else if (STREQ(*group, "defaults") || STREQ(*group, "1")) {
            virBufferAddLit(features, "<viridian/>\n");
        } else if (STREQ(*group, "time_ref_count") && g_strv_contains((const char *const *)groups, "reference_tsc")) {
            *clock = true;
        } else if (STRNEQ(*group, "0") && !(*clock && STREQ(*group, "reference_tsc"))) {
            return stubdomXlCfgError(cfg, "viridian");
        }
    }
    virXMLFormatElement(features, "hyperv", NULL, &hyperv);
    return 0;
}

static int
readFeatures(StubdomXlCfg *cfg, virBuffer *buf, bool *clock)
{
    g_auto(virBuffer) features = VIR_BUFFER_INIT_CHILD(buf);
    long acpi = 1;
    long apic = 1;
    long hap = -1;
    long relaxed = -1;

    if (stubdomXlCfgNumber(cfg, "acpi", &acpi) < 0 || stubdomXlCfgNumber(cfg, "apic", &apic) < 0 ||
        stubdomXlCfgNumber(cfg, "hap", &hap) < 0 || stubdomXlCfgNumber(cfg, "msr_relaxed", &relaxed) < 0 ||
        readViridian(cfg, &features, clock) < 0 || stubdomNativeReadPassthrough(cfg, &features) < 0) {
        return -1;
    }
    virBufferAdd(&features, acpi ? "<acpi/>\n" : "", -1);
    virBufferAdd(&features, apic ? "<apic/>\n" : "", -1);
    if (hap >= 0) {
        virBufferAsprintf(&features, "<hap state='%s'/>\n", hap ? "on" : "off");
    }
    if (relaxed >= 0) {
        virBufferAsprintf(&features, "<msrs unknown='%s'/>\n", relaxed ? "ignore" : "fault");
    }
    virXMLFormatElement(buf, "features", NULL, &features);
    return 0;
}

/* "host,name=value,…"; whether libxl knows the names is seen later. */
static int
readCpu(StubdomXlCfg *cfg, virBuffer *buf)
{
    g_auto(virBuffer) cpu = VIR_BUFFER_INIT_CHILD(buf);
    const char *text = stubdomXlCfgString(cfg, "cpuid");
    g_auto(GStrv) items = g_strsplit(text ? text : "host", ",", -1);

    if (!items[0] || STRNEQ(items[0], "host")) {
        return stubdomXlCfgError(cfg, "cpuid");
    }
    for (char **item = items + 1; *item; item++) {
        g_auto(GStrv) pair = g_strsplit(*item, "=", 2);

        if (!pair[0] || !pair[1] || (STRNEQ(pair[1], "0") && STRNEQ(pair[1], "1"))) {
            return stubdomXlCfgError(cfg, "cpuid");
        }
        virBufferEscapeString(&cpu, "<feature name='%s'", pair[0]);
        virBufferAsprintf(&cpu, " policy='%s'/>\n", STREQ(pair[1], "1") ? "require" : "disable");
    }
    if (text) {
        g_auto(virBuffer) mode = VIR_BUFFER_INITIALIZER;

        virBufferAddLit(&mode, " mode='host-passthrough'");
        virXMLFormatElement(buf, "cpu", &mode, &cpu);
    }
    return 0;
}

static int
readClock(StubdomXlCfg *cfg, virBuffer *buf, bool hyperv)
{
    static const struct {
        const char *xl;
        const char *libvirt;
    } modes[] = {
        {"default", "auto"}, {"always_emulate", "emulate"}, {"native", "native"}, {"native_paravirt", "paravirt"}};
    g_auto(virBuffer) timers = VIR_BUFFER_INIT_CHILD(buf);
    g_auto(virBuffer) offset = VIR_BUFFER_INITIALIZER;
    const char *mode = stubdomXlCfgString(cfg, "tsc_mode");
    long localtime = 0;
    long adjustment = 0;
    long hpet = -1;
    size_t i = 0;

    if (stubdomXlCfgNumber(cfg, "localtime", &localtime) < 0 ||
        stubdomXlCfgNumber(cfg, "rtc_timeoffset", &adjustment) < 0 || stubdomXlCfgNumber(cfg, "hpet", &hpet) < 0) {
        return -1;
    }
    if (adjustment) {
        virBufferAsprintf(&offset, " offset='variable' adjustment='%ld' basis='%s'", adjustment,
                          localtime ? "localtime" : "utc");
    } else {
        virBufferAsprintf(&offset, " offset='%s'", localtime ? "localtime" : "utc");
    }
    if (hpet >= 0) {
        virBufferAsprintf(&timers, "<timer name='hpet' present='%s'/>\n", hpet ? "yes" : "no");
    }
    if (hyperv) {
        virBufferAddLit(&timers, "<timer name='hypervclock' present='yes'/>\n");
    }
    while (mode && i < G_N_ELEMENTS(modes) && STRNEQ(mode, modes[i].xl)) {
        i++;
    }
    if (mode && i == G_N_ELEMENTS(modes)) {
        return stubdomXlCfgError(cfg, "tsc_mode");
    }
    if (mode) {
        virBufferAsprintf(&timers, "<timer name='tsc' mode='%s'/>\n", modes[i].libvirt);
    }
    virXMLFormatElement(buf, "clock", &offset, &timers);
    return 0;
}

static void
readActions(StubdomXlCfg *cfg, virBuffer *buf)
{
    static const char *const names[] = {"on_poweroff", "on_reboot", "on_crash"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *action = stubdomXlCfgString(cfg, names[i]);
        g_autofree char *format = g_strdup_printf("<%s>%%s</%s>\n", names[i], names[i]);

        virBufferEscapeString(buf, format, action);
    }
}

char *
stubdomNativeRead(const char *text)
{
    g_autoptr(StubdomXlCfg) cfg = stubdomXlCfgNew(text, known);
    g_auto(virBuffer) buf = VIR_BUFFER_INITIALIZER;
    g_auto(virBuffer) domain = VIR_BUFFER_INIT_CHILD(&buf);
    g_auto(virBuffer) attributes = VIR_BUFFER_INITIALIZER;
    g_autofree char *cpus = NULL;
    bool clock = false;

    if (!cfg || checkLists(cfg) < 0 || checkFixed(cfg) < 0 || readSizes(cfg, &domain) < 0 ||
        stubdomNativeReadOptions(cfg, &domain, &cpus) < 0 || readTuning(cfg, &domain, cpus) < 0 ||
        readOs(cfg, &domain) < 0 || readFeatures(cfg, &domain, &clock) < 0 || readCpu(cfg, &domain) < 0 ||
        readClock(cfg, &domain, clock) < 0 || stubdomNativeReadDevices(cfg, &domain) < 0) {
        return NULL;
    }
    readActions(cfg, &domain);
    virBufferAddLit(&attributes, " type='xen' xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0'");
    virXMLFormatElement(&buf, "domain", &attributes, &domain);
    return virBufferContentAndReset(&buf);
}
