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

void
stubdomSettingsFree(StubdomSettings *settings)
{
    if (!settings) {
        return;
    }
    g_free(settings->image);
    g_free(settings);
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
stubdomSettingsToOption(const StubdomSettings *settings)
{
    g_auto(virBuffer) list = VIR_BUFFER_INITIALIZER;

    if (!settings) {
        return NULL;
    }
    addText(&list, "image", settings->image);
    addNumber(&list, "memory", settings->memory / KIB_PER_MIB);
    addNumber(&list, "start-timeout", settings->startTimeout);
    addNumber(&list, "command-timeout", settings->commandTimeout);
    addNumber(&list, "save-limit", settings->saveLimit * 1024);
    addNumber(&list, "log-limit", settings->logLimit * 1024);
    virBufferTrim(&list, ",");
    return virBufferContentAndReset(&list);
}

char *
stubdomSettingsAddConfig(const char *option, const char *file)
{
    g_auto(virBuffer) list = VIR_BUFFER_INITIALIZER;

    if (option) {
        virBufferAsprintf(&list, "%s,", option);
    }
    addText(&list, "config", file);
    virBufferTrim(&list, ",");
    return virBufferContentAndReset(&list);
}
