/*
 * What a domain may say about its stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The values alone. How they are written in XML is stubdom_namespace.c's business.
 */

#include "stubdom_compat.h"

#include "stubdom_settings.h"

#include "virbuffer.h"

#define KIB_PER_MIB 1024
#define BYTES_PER_KIB 1024

void
stubdomSettingsFree(StubdomSettings *settings)
{
    if (!settings) {
        return;
    }
    for (size_t i = 0; i < settings->nhostdevs; i++) {
        g_free(settings->hostdevs[i].address);
    }
    g_free(settings->hostdevs);
    g_free(settings->image);
    g_free(settings);
}

bool
stubdomSettingsImageIsValid(const char *image)
{
    return *image && (*image == '/' || !strchr(image, '/'));
}

const StubdomHostdevSettings *
stubdomSettingsHostdev(const StubdomSettings *settings, const char *address)
{
    static const StubdomHostdevSettings none;

    for (size_t i = 0; settings && i < settings->nhostdevs; i++) {
        if (STREQ(settings->hostdevs[i].address, address)) {
            return &settings->hostdevs[i];
        }
    }
    return &none;
}

/* xen-stubdom-dm knows one word for all devices of a guest; which of them it is meant for the driver checks. */
static bool
isResetOptional(const StubdomSettings *settings)
{
    for (size_t i = 0; i < settings->nhostdevs; i++) {
        if (settings->hostdevs[i].resetOptional) {
            return true;
        }
    }
    return false;
}

/* A comma in a value is written twice. */
static void
addText(virBuffer *list, const char *key, const char *value)
{
    g_auto(GStrv) parts = value ? g_strsplit(value, ",", -1) : NULL;
    g_autofree char *escaped = parts ? g_strjoinv(",,", parts) : NULL;

    if (escaped) {
        virBufferAsprintf(list, "%s=%s,", key, escaped);
    }
}

static void
addNumber(virBuffer *list, const char *key, unsigned long long value)
{
    if (value) {
        virBufferAsprintf(list, "%s=%llu,", key, value);
    }
}

char *
stubdomSettingsToOption(const StubdomSettings *settings, const StubdomSettings *defaults, const char *cpus)
{
    static const StubdomSettings none;
    const StubdomSettings *said = settings ? settings : &none;
    const StubdomSettings *otherwise = defaults ? defaults : &none;
    g_auto(virBuffer) list = VIR_BUFFER_INITIALIZER;

    addText(&list, "image", said->image ? said->image : otherwise->image);
    addText(&list, "cpus", cpus);
    addNumber(&list, "memory", (said->memory ? said->memory : otherwise->memory) / KIB_PER_MIB);
    addNumber(&list, "start-timeout", said->startTimeout ? said->startTimeout : otherwise->startTimeout);
    addNumber(&list, "command-timeout", said->commandTimeout ? said->commandTimeout : otherwise->commandTimeout);
    addNumber(&list, "save-limit", (said->saveLimit ? said->saveLimit : otherwise->saveLimit) * BYTES_PER_KIB);
    addNumber(&list, "log-limit", (said->logLimit ? said->logLimit : otherwise->logLimit) * BYTES_PER_KIB);
    addText(&list, "pci-reset", isResetOptional(said) ? "optional" : NULL);
    virBufferTrim(&list, ",");
    return virBufferContentAndReset(&list);
}

char *
stubdomSettingsAddFile(const char *option, const char *key, const char *file)
{
    g_auto(virBuffer) list = VIR_BUFFER_INITIALIZER;

    if (option) {
        virBufferAsprintf(&list, "%s,", option);
    }
    addText(&list, key, file);
    virBufferTrim(&list, ",");
    return virBufferContentAndReset(&list);
}
