/*
 * Media of the guest's CD-ROM drives, on the stubdomain's side, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_cdrom.h"

#include <string.h>

#include "init_error.h"
#include "init_log.h"
#include "init_modules.h"
#include "init_qemu.h"

#define DISK_PREFIX "xvd"

struct InitCdrom {
    InitUevents *uevents;
    InitQmp *qmp;
    char *directory;
    guint seconds;

    /* The operation under way; done is NULL without one. */
    InitCdromRequest request;
    char *path; /* of the new medium */
    InitCdromDone done;
    gpointer data;
};

/* Lower-case letters, digits and dashes: what libxl calls its drives. */
static gboolean
isDrive(const char *word)
{
    return *word != '\0' && strlen(word) <= INIT_CDROM_DRIVE_MAX &&
           strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(word);
}

static gboolean
isDevice(const char *word)
{
    return g_str_has_prefix(word, DISK_PREFIX) && strlen(word) == strlen(DISK_PREFIX) + 1 &&
           g_ascii_islower(word[strlen(DISK_PREFIX)]);
}

gboolean
initCdromParse(const char *parameter, InitCdromRequest *request, GError **error)
{
    g_auto(GStrv) words = g_strsplit(parameter, ",", -1);
    gboolean valid = words[0] && isDrive(words[0]);

    memset(request, 0, sizeof(*request));
    if (valid)
        g_strlcpy(request->drive, words[0], sizeof(request->drive));
    for (guint i = 1; valid && words[i]; i++) {
        if (g_str_equal(words[i], "force"))
            request->force = TRUE;
        else if (i == 1 && isDevice(words[i]))
            g_strlcpy(request->device, words[i], sizeof(request->device));
        else
            valid = FALSE;
    }
    if (!valid)
        g_set_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT, "'%s' is no DRIVE[,DEVICE][,force]", parameter);
    return valid;
}

InitCdrom *
initCdromNew(InitUevents *uevents, InitQmp *qmp, const char *directory, guint seconds)
{
    InitCdrom *cdrom = g_new0(InitCdrom, 1);

    cdrom->uevents = uevents;
    cdrom->qmp = qmp;
    cdrom->directory = g_strdup(directory);
    cdrom->seconds = seconds;
    return cdrom;
}

void
initCdromFree(InitCdrom *cdrom)
{
    if (!cdrom)
        return;
    g_free(cdrom->directory);
    g_free(cdrom->path);
    g_free(cdrom);
}

static gboolean
begin(InitCdrom *cdrom, const char *parameter, gboolean device, InitCdromDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert(!cdrom->done);
    if (initCdromParse(parameter, &cdrom->request, &error) && (cdrom->request.device[0] != '\0') != device)
        g_set_error(&error, INIT_ERROR, INIT_ERROR_ARGUMENT, "'%s' has %s", parameter,
                    device ? "no device" : "a device, which an eject has not");
    if (error) {
        done(error, data);
        return FALSE;
    }
    cdrom->done = done;
    cdrom->data = data;
    return TRUE;
}

static void
end(InitCdrom *cdrom, const GError *error)
{
    InitCdromDone done = cdrom->done;

    cdrom->done = NULL;
    done(error, cdrom->data);
}

static void
answered(JsonNode *value, const GError *error, gpointer data)
{
    end(data, error);
}

/* The arguments both commands have; "id" is that of the emulated device, which libxl names as its drive. */
static JsonObject *
arguments(const InitCdromRequest *request)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "id", request->drive);
    json_object_set_boolean_member(object, "force", request->force);
    return object;
}

void
initCdromEject(InitCdrom *cdrom, const char *parameter, InitCdromDone done, gpointer data)
{
    if (begin(cdrom, parameter, FALSE, done, data))
        initQmpExecute(cdrom->qmp, "eject", arguments(&cdrom->request), answered, cdrom);
}

static gboolean
isHere(gpointer data)
{
    InitCdrom *cdrom = data;

    return g_file_test(cdrom->path, G_FILE_TEST_EXISTS);
}

static void
appeared(gboolean present, gpointer data)
{
    InitCdrom *cdrom = data;
    JsonObject *object = NULL;

    if (!present) {
        g_autoptr(GError) error =
            g_error_new(INIT_ERROR, INIT_ERROR_TIMEOUT, "%s did not appear within %u s", cdrom->path, cdrom->seconds);

        end(cdrom, error);
        return;
    }
    initQemuGive(cdrom->path);
    object = arguments(&cdrom->request);
    json_object_set_string_member(object, "filename", cdrom->path);
    json_object_set_string_member(object, "format", "host_device");
    json_object_set_string_member(object, "read-only-mode", "read-only");
    initQmpExecute(cdrom->qmp, "blockdev-change-medium", object, answered, cdrom);
}

void
initCdromInsert(InitCdrom *cdrom, const char *parameter, InitCdromDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;

    if (!begin(cdrom, parameter, TRUE, done, data))
        return;
    /* A guest without any disk so far has no driver for them loaded. */
    if (!initModulesLoad(INIT_MODULES_DISK, &error)) {
        end(cdrom, error);
        return;
    }
    g_free(cdrom->path);
    cdrom->path = g_build_filename(cdrom->directory, cdrom->request.device, NULL);
    initUeventsAwait(cdrom->uevents, cdrom->seconds, isHere, appeared, cdrom);
}
