/*
 * xen-stubdom-dm's own options in an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * They follow -stubdom among the device model's arguments, as
 * stubdomSettingsToOption() writes them. Any other argument would be one of
 * QEMU's, which domain XML has no place for.
 */

#include "stubdom_compat.h"

#include "stubdom_native_options.h"

#include "virxml.h"

#include "stubdom_native_pci.h"

/* The keys, each with the element and attribute it becomes; sizes are in bytes there. */
static const struct {
    const char *key;
    const char *element;
    const char *attribute;
} settings[] = {
    {"image", "image", "name"},      {"start-timeout", "timeout", "start"}, {"command-timeout", "timeout", "command"},
    {"save-limit", "limit", "save"}, {"log-limit", "limit", "log"},
};

/* Splits a list at single commas; a doubled one is a comma. */
static char **
splitOptions(const char *list)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GString) item = g_string_new(NULL);

    for (const char *p = list; *p; p++) {
        if (*p == ',' && p[1] != ',') {
            g_strv_builder_add(builder, item->str);
            g_string_truncate(item, 0);
        } else {
            p += *p == ',' ? 1 : 0;
            g_string_append_c(item, *p);
        }
    }
    g_strv_builder_add(builder, item->str);
    return g_strv_builder_end(builder);
}

typedef struct {
    virBuffer attributes[G_N_ELEMENTS(settings)]; /* of the element a key belongs to, at the first row that has it */
    char *memory;
    bool reset; /* pci-reset=optional */
} Options;

static void
optionsClear(Options *options)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        virBufferFreeAndReset(&options->attributes[i]);
    }
    g_free(options->memory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, optionsClear)

/* The first row with the element of row @i. */
static size_t
firstRow(size_t i)
{
    size_t first = 0;

    while (STRNEQ(settings[first].element, settings[i].element)) {
        first++;
    }
    return first;
}

static int
readOption(StubdomXlCfg *cfg, Options *options, const char *item, char **cpus)
{
    g_auto(GStrv) pair = g_strsplit(item, "=", 2);
    const char *value = pair[0] && pair[1] ? pair[1] : "";
    const char *key = pair[0] ? pair[0] : "";

    if (STREQ(key, "memory") || STREQ(key, "cpus")) {
        char **place = STREQ(key, "memory") ? &options->memory : cpus;

        g_free(*place);
        *place = g_strdup(value);
        return 0;
    }
    if (STREQ(key, "pci-reset") && (STREQ(value, "optional") || STREQ(value, "required"))) {
        options->reset = STREQ(value, "optional");
        return 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (STREQ(key, settings[i].key)) {
            g_autofree char *format = g_strdup_printf(" %s='%%s'", settings[i].attribute);

            virBufferEscapeString(&options->attributes[firstRow(i)], format, value);
            return 0;
        }
    }
    return stubdomXlCfgError(cfg, "device_model_args");
}

static int
readArguments(StubdomXlCfg *cfg, Options *options, const char *name, char **cpus)
{
    g_auto(GStrv) arguments = NULL;

    if (stubdomXlCfgStrings(cfg, name, &arguments) < 0) {
        return -1;
    }
    for (char **argument = arguments; *argument; argument += 2) {
        g_auto(GStrv) items = argument[1] ? splitOptions(argument[1]) : NULL;

        if (STRNEQ(argument[0], "-stubdom") || !items) {
            return stubdomXlCfgError(cfg, name);
        }
        for (char **item = items; *item; item++) {
            if (readOption(cfg, options, *item, cpus) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int
stubdomNativeReadOptions(StubdomXlCfg *cfg, virBuffer *buf, char **cpus)
{
    g_auto(virBuffer) children = VIR_BUFFER_INIT_CHILD(buf);
    g_auto(Options) options = {.memory = NULL};

    if (readArguments(cfg, &options, "device_model_args", cpus) < 0 ||
        readArguments(cfg, &options, "device_model_args_hvm", cpus) < 0) {
        return -1;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (virBufferUse(&options.attributes[i]) > 0) {
            g_autofree char *name = g_strdup_printf("stubdom:%s", settings[i].element);

            if (STREQ(settings[i].element, "limit")) {
                virBufferAddLit(&options.attributes[i], " unit='bytes'");
            }
            virXMLFormatElement(&children, name, &options.attributes[i], NULL);
        }
    }
    virBufferEscapeString(&children, "<stubdom:memory unit='MiB'>%s</stubdom:memory>\n", options.memory);
    if (stubdomNativeReadPciSettings(cfg, &children, options.reset) < 0) {
        return -1;
    }
    virXMLFormatElement(buf, "stubdom:stubdomain", NULL, &children);
    return 0;
}
