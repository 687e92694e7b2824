/*
 * Files that xen-stubdom-dm reads when it starts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A command line has limits, and everybody on the host can read it. The files
 * are root's alone, read once, and removed when the start is over.
 */

#include "stubdom_compat.h"

#include "stubdom_start_files.h"

#include <unistd.h>

#include "virfile.h"
#include "viruuid.h"

#include "stubdom_display_config.h"
#include "stubdom_settings.h"

VIR_LOG_INIT("stubdom.start_files");

#define CONFIG_SUFFIX ".json"
#define DISPLAY_SUFFIX "-display.json"

static char *
fileName(const StubdomDriver *driver, const virDomainDef *def, const char *suffix)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    virUUIDFormat(def->uuid, uuid);
    return g_strdup_printf("%s/%s%s", driver->stateDir, uuid, suffix);
}

/* Names it in the option that follows -stubdom, which is replaced. */
static int
writeFile(const char *file, const char *key, const char *text, char **option)
{
    g_autofree char *before = g_steal_pointer(option);

    if (virFileWriteStr(file, text, S_IRUSR | S_IWUSR) < 0) {
        virReportSystemError(errno, _("cannot write the file '%s'"), file);
        return -1;
    }
    *option = stubdomSettingsAddFile(before, key, file);
    return 0;
}

int
stubdomStartFilesWrite(const StubdomDriver *driver, const virDomainDef *def, StubdomLibxlConfig *config)
{
    libxl_domain_build_info *info = &config->b_info;
    g_autofree char *configFile = fileName(driver, def, CONFIG_SUFFIX);
    g_autofree char *displayFile = fileName(driver, def, DISPLAY_SUFFIX);
    g_autofree char *json = stubdomLibxlConfigToJson(config);
    g_autofree char *display = NULL;
    g_autofree char *option = g_strdup(info->extra ? info->extra[1] : NULL);

    if (!json || (def->ngraphics && !(display = stubdomDisplayConfigToJson(def, &driver->defaults.display))) ||
        writeFile(configFile, "config", json, &option) < 0 ||
        (display && writeFile(displayFile, "display", display, &option) < 0)) {
        return -1;
    }
    g_strfreev(info->extra);
    info->extra = g_new0(char *, 3);
    info->extra[0] = g_strdup("-stubdom");
    info->extra[1] = g_steal_pointer(&option);
    return 0;
}

void
stubdomStartFilesRemove(const StubdomDriver *driver, const virDomainDef *def)
{
    const char *suffixes[] = {CONFIG_SUFFIX, DISPLAY_SUFFIX};

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = fileName(driver, def, suffixes[i]);

        if (unlink(file) < 0 && errno != ENOENT) {
            VIR_WARN("cannot remove '%s': %s", file, g_strerror(errno));
        }
    }
}
