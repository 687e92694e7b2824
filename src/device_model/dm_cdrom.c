/*
 * Media of the guest's CD-ROM drives
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The PV disk of a new medium always has a name the stubdomain has not seen
 * lately: its kernel would take a disk that goes and comes between two looks
 * for the one before.
 */

#include "config.h"

#include "dm_cdrom.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <glib/gi18n-lib.h>

#include "dm_cdrom_record.h"
#include "dm_devices.h"
#include "dm_error.h"
#include "dm_steps.h"

/* All members: main loop only. */
typedef struct {
    DmCdroms *cdroms;
    char *vdev;   /* in the guest: "hdc" */
    char *drive;  /* in QEMU: "ide-5632" */
    char *path;   /* of the medium, or NULL */
    char *device; /* PV disk of the stubdomain, or NULL */

    /* The change under way; steps is NULL without one. */
    DmSteps *steps;
    char *newPath;
    char *newDevice;
    gboolean force;
    DmCdromFunc func;
    gpointer opaque;
} DmCdrom;

struct _DmCdroms {
    DmLibxl *libxl;
    DmStore *store;
    DmStubdomain *stubdomain;
    guint guest;
    guint timeout;
    GPtrArray *drives; /* of DmCdrom */
    guint32 taken;     /* bit i: a disk of the plan is xvd('a'+i) */
    guint last;        /* letter given last */
    GMainLoop *finish; /* is quit when no change is under way */
};

static void
driveFree(gpointer data)
{
    DmCdrom *drive = data;

    dmStepsFree(drive->steps);
    g_free(drive->vdev);
    g_free(drive->drive);
    g_free(drive->path);
    g_free(drive->device);
    g_free(drive->newPath);
    g_free(drive->newDevice);
    g_free(drive);
}

/* --- a change ------------------------------------------------------------------ */

static void
stepDone(const GError *error, gpointer opaque)
{
    DmCdrom *drive = opaque;

    dmStepsDone(drive->steps, error ? g_error_copy(error) : NULL);
}

static void
commandDone(const GError *error, guint8 devfn, gpointer opaque)
{
    stepDone(error, opaque);
}

/* The domain the PV disks are attached to; 0: there is none (any more), and it took its disks along. */
static guint
stubdomainOf(const DmCdrom *drive)
{
    return dmStubdomainChannel(drive->cdroms->stubdomain) ? dmStubdomainDomid(drive->cdroms->stubdomain) : 0;
}

static void
fillDisk(char *device, char *path, libxl_device_disk *disk)
{
    const DmPlanDisk planned = {.vdev = device, .path = path, .readonly = TRUE, .removable = TRUE};

    dmDevicesFillDisk(&planned, disk);
}

static void
runAttach(DmSteps *steps, gpointer opaque)
{
    DmCdrom *drive = opaque;
    DmLibxl *libxl = drive->cdroms->libxl;
    g_autofree char *what =
        g_strdup_printf(_("attach '%s' to the stubdomain as '%s'"), drive->newPath, drive->newDevice);
    DmLibxlOperation *operation = dmLibxlBegin(libxl, what, stepDone, drive);
    libxl_device_disk disk;

    fillDisk(drive->newDevice, drive->newPath, &disk);
    dmLibxlStarted(operation,
                   libxl_device_disk_add(dmLibxlContext(libxl), stubdomainOf(drive), &disk, dmLibxlHow(operation)));
    libxl_device_disk_dispose(&disk);
}

/* libxl takes the disk away by force when the stubdomain does not let go of it. */
static void
detach(DmCdrom *drive, char *device, char *path, DmLibxlFunc func)
{
    DmLibxl *libxl = drive->cdroms->libxl;
    g_autofree char *what = g_strdup_printf(_("take '%s' ('%s') from the stubdomain"), path, device);
    DmLibxlOperation *operation = dmLibxlBegin(libxl, what, func, drive);
    libxl_device_disk disk;

    fillDisk(device, path, &disk);
    dmLibxlStarted(operation,
                   libxl_device_disk_remove(dmLibxlContext(libxl), stubdomainOf(drive), &disk, dmLibxlHow(operation)));
    libxl_device_disk_dispose(&disk);
}

static void
undoAttach(DmSteps *steps, gpointer opaque)
{
    DmCdrom *drive = opaque;
    guint stubdomain = stubdomainOf(drive);

    if (stubdomain && dmCdromRecordExists(drive->cdroms->store, stubdomain, drive->newDevice)) {
        detach(drive, drive->newDevice, drive->newPath, stepDone);
    } else {
        dmStepsDone(steps, NULL);
    }
}

static void
sendCommand(DmCdrom *drive, StubdomCommand command, const char *device)
{
    DmChannel *channel = dmStubdomainChannel(drive->cdroms->stubdomain);
    g_autofree char *parameter = g_strdup_printf("%s%s%s%s", drive->drive, device ? "," : "", device ? device : "",
                                                 drive->force ? ",force" : "");

    if (channel) {
        dmChannelSend(channel, command, parameter, drive->cdroms->timeout, commandDone, drive);
    } else {
        dmStepsDone(drive->steps, g_error_new(DM_ERROR, DM_ERROR_DEAD, _("the guest has no stubdomain that runs")));
    }
}

static void
runInsert(DmSteps *steps, gpointer opaque)
{
    DmCdrom *drive = opaque;

    sendCommand(drive, STUBDOM_COMMAND_CDROM_INSERT, drive->newDevice);
}

static void
runEject(DmSteps *steps, gpointer opaque)
{
    sendCommand(opaque, STUBDOM_COMMAND_CDROM_EJECT, NULL);
}

/* From here on the guest has the new medium, and nothing is undone: what fails is logged. */
static void
complain(DmCdrom *drive, const GError *error)
{
    if (error) {
        g_printerr("xen-stubdom-dm: CD-ROM drive '%s': %s\n", drive->vdev, error->message);
    }
}

static void
runRecord(DmSteps *steps, gpointer opaque)
{
    DmCdrom *drive = opaque;
    g_autoptr(GError) error = NULL;

    dmCdromRecord(drive->cdroms->store, drive->cdroms->guest, drive->vdev, drive->newPath, &error);
    complain(drive, error);
    g_clear_error(&error);
    dmCdromRecordConfig(drive->cdroms->libxl, drive->cdroms->guest, drive->vdev, drive->newPath, &error);
    complain(drive, error);
    dmStepsDone(steps, NULL);
}

static void
released(const GError *error, gpointer opaque)
{
    complain(opaque, error);
    stepDone(NULL, opaque);
}

static void
runRelease(DmSteps *steps, gpointer opaque)
{
    DmCdrom *drive = opaque;

    if (drive->device && stubdomainOf(drive)) {
        detach(drive, drive->device, drive->path, released);
    } else {
        dmStepsDone(steps, NULL);
    }
}

static const DmStep insertSteps[] = {
    {"attach", runAttach, undoAttach}, {"insert", runInsert, NULL}, {"record", runRecord, NULL},
    {"release", runRelease, NULL},     {NULL, NULL, NULL},
};

static const DmStep ejectSteps[] = {
    {"eject", runEject, NULL},
    {"record", runRecord, NULL},
    {"release", runRelease, NULL},
    {NULL, NULL, NULL},
};

static gboolean
anyBusy(const DmCdroms *cdroms)
{
    for (guint i = 0; i < cdroms->drives->len; i++) {
        const DmCdrom *drive = g_ptr_array_index(cdroms->drives, i);

        if (drive->steps) {
            return TRUE;
        }
    }
    return FALSE;
}

static void
stepsEnded(DmSteps *steps, const char *failed, const GError *error, gpointer opaque)
{
    DmCdrom *drive = opaque;
    DmCdroms *cdroms = drive->cdroms;

    if (!error) {
        g_free(drive->path);
        g_free(drive->device);
        drive->path = g_steal_pointer(&drive->newPath);
        drive->device = g_steal_pointer(&drive->newDevice);
    }
    g_clear_pointer(&drive->newPath, g_free);
    g_clear_pointer(&drive->newDevice, g_free);
    g_clear_pointer(&drive->steps, dmStepsFree);
    drive->func(error, drive->opaque);
    if (cdroms->finish && !anyBusy(cdroms)) {
        g_main_loop_quit(cdroms->finish);
    }
}

/* --- what is asked for ---------------------------------------------------------- */

static DmCdrom *
findDrive(const DmCdroms *cdroms, const char *id)
{
    for (guint i = 0; i < cdroms->drives->len; i++) {
        DmCdrom *drive = g_ptr_array_index(cdroms->drives, i);

        if (g_str_equal(drive->vdev, id) || g_str_equal(drive->drive, id)) {
            return drive;
        }
    }
    return NULL;
}

/* Only the file's kind: what is in it may be the work of a guest, and is not looked at. */
static gboolean
checkMedium(const char *path, GError **error)
{
    struct stat status;

    if (!g_path_is_absolute(path) || strlen(path) > DM_CDROM_PATH_MAX) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("the medium '%.64s' is no absolute path of at most %u bytes"),
                    path, DM_CDROM_PATH_MAX);
        return FALSE;
    }
    if (stat(path, &status) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the medium '%s' cannot be used: %s"), path, g_strerror(errno));
        return FALSE;
    }
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("the medium '%s' is neither a file nor a block device"),
                    path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
isTaken(const DmCdroms *cdroms, guint letter)
{
    if (cdroms->taken & 1U << letter) {
        return TRUE;
    }
    for (guint i = 0; i < cdroms->drives->len; i++) {
        const DmCdrom *drive = g_ptr_array_index(cdroms->drives, i);
        const char *devices[] = {drive->device, drive->newDevice};

        for (guint j = 0; j < G_N_ELEMENTS(devices); j++) {
            if (devices[j] && (guint)(devices[j][strlen("xvd")] - 'a') == letter) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

/* The free name that was not used for longest; NULL if there is none. */
static char *
takeDevice(DmCdroms *cdroms)
{
    for (guint i = 1; i <= DM_PLAN_DISKS_MAX; i++) {
        guint letter = (cdroms->last + i) % DM_PLAN_DISKS_MAX;

        if (!isTaken(cdroms, letter)) {
            cdroms->last = letter;
            return g_strdup_printf("xvd%c", 'a' + (int)letter);
        }
    }
    return NULL;
}

/* Whether a change of @drive may begin; fills in what is new. */
static gboolean
begin(DmCdroms *cdroms, DmCdrom *drive, const char *id, const char *path, GError **error)
{
    if (!drive) {
        g_set_error(error, DM_ERROR, DM_ERROR_NOT_FOUND, _("the guest has no emulated CD-ROM drive '%.64s'"), id);
        return FALSE;
    }
    if (drive->steps || cdroms->finish) {
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("the medium of drive '%s' is being changed already"),
                    drive->vdev);
        return FALSE;
    }
    if (!stubdomainOf(drive)) {
        g_set_error(error, DM_ERROR, DM_ERROR_DEAD, _("the guest has no stubdomain that runs"));
        return FALSE;
    }
    if (!path) {
        return TRUE;
    }
    if (!checkMedium(path, error)) {
        return FALSE;
    }
    drive->newDevice = takeDevice(cdroms);
    if (!drive->newDevice) {
        g_set_error(error, DM_ERROR, DM_ERROR_BUSY, _("the stubdomain has %u disks, and no more are possible"),
                    DM_PLAN_DISKS_MAX);
        return FALSE;
    }
    drive->newPath = g_strdup(path);
    return TRUE;
}

void
dmCdromsChange(DmCdroms *cdroms, const char *id, const char *path, gboolean force, DmCdromFunc func, gpointer opaque)
{
    DmCdrom *drive = findDrive(cdroms, id);
    g_autoptr(GError) error = NULL;

    if (!begin(cdroms, drive, id, path, &error)) {
        func(error, opaque);
        return;
    }
    drive->force = force;
    drive->func = func;
    drive->opaque = opaque;
    drive->steps = dmStepsNew(path ? insertSteps : ejectSteps, stepsEnded, drive);
    dmStepsForward(drive->steps);
}

/* --- the drives ------------------------------------------------------------------ */

/* Whether QEMU has a drive of this name: libxl emulates no more than the first few. */
static gboolean
isEmulated(const DmGuest *guest, const char *drive)
{
    for (char **argument = guest->arguments; argument[0] && argument[1]; argument++) {
        g_autofree char *id = g_str_equal(argument[0], "-drive") ? dmOptionListGet(argument[1], "id") : NULL;

        if (g_strcmp0(id, drive) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static const DmPlanDisk *
findPlanned(const DmPlan *plan, guint letter)
{
    for (guint i = 0; i < plan->disks->len; i++) {
        const DmPlanDisk *disk = g_ptr_array_index(plan->disks, i);

        if (g_str_has_prefix(disk->vdev, "xvd") && disk->vdev[strlen("xvd")] == 'a' + (int)letter) {
            return disk;
        }
    }
    return NULL;
}

static void
addDrive(DmCdroms *cdroms, const DmGuest *guest, const DmPlan *plan, guint position)
{
    const DmDisk *disk = g_ptr_array_index(guest->disks, position);
    const DmPlanDisk *planned = findPlanned(plan, position);
    g_autofree char *name = g_strdup_printf("ide-%u", dmDiskNumber(disk));
    DmCdrom *drive;

    if (!disk->cdrom || !isEmulated(guest, name)) {
        cdroms->taken |= planned ? 1U << position : 0;
        return;
    }
    drive = g_new0(DmCdrom, 1);
    drive->cdroms = cdroms;
    drive->vdev = g_strdup(disk->vdev);
    drive->drive = g_steal_pointer(&name);
    drive->path = g_strdup(disk->path);
    drive->device = planned ? g_strdup(planned->vdev) : NULL;
    g_ptr_array_add(cdroms->drives, drive);
}

DmCdroms *
dmCdromsNew(DmLibxl *libxl, DmStore *store, DmStubdomain *stubdomain, const DmGuest *guest, const DmPlan *plan,
            guint timeout)
{
    DmCdroms *cdroms = g_new0(DmCdroms, 1);

    cdroms->libxl = libxl;
    cdroms->store = store;
    cdroms->stubdomain = stubdomain;
    cdroms->guest = guest->domid;
    cdroms->timeout = timeout;
    cdroms->drives = g_ptr_array_new_with_free_func(driveFree);
    for (guint i = 0; i < guest->disks->len && i < DM_PLAN_DISKS_MAX; i++) {
        addDrive(cdroms, guest, plan, i);
    }
    cdroms->last = guest->disks->len ? guest->disks->len - 1 : DM_PLAN_DISKS_MAX - 1;
    return cdroms;
}

void
dmCdromsFree(DmCdroms *cdroms)
{
    if (!cdroms) {
        return;
    }
    g_ptr_array_unref(cdroms->drives);
    g_free(cdroms);
}

void
dmCdromsFinish(DmCdroms *cdroms, GMainLoop *loop)
{
    cdroms->finish = loop;
    if (!anyBusy(cdroms)) {
        g_main_loop_quit(loop);
    }
}

JsonArray *
dmCdromsQuery(const DmCdroms *cdroms)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < cdroms->drives->len; i++) {
        const DmCdrom *drive = g_ptr_array_index(cdroms->drives, i);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "device", drive->vdev);
        json_object_set_string_member(object, "qdev", drive->drive);
        json_object_set_boolean_member(object, "removable", TRUE);
        if (drive->path) {
            JsonObject *inserted = json_object_new();

            json_object_set_string_member(inserted, "file", drive->path);
            json_object_set_string_member(inserted, "stubdomain-device", drive->device ? drive->device : "");
            json_object_set_object_member(object, "inserted", inserted);
        }
        json_array_add_object_element(array, object);
    }
    return array;
}
