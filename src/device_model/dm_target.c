/*
 * A stubdomain's place beside its guest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Permissions are libxl's: what a stubdomain only reads is dom0's, and the one
 * directory it writes is its own, which the guest may read.
 */

#include "config.h"

#include "dm_target.h"

#include <errno.h>
#include <sys/random.h>

#include <glib/gi18n-lib.h>
#include <xenctrl.h>

#include "dm_display_nodes.h"
#include "dm_error.h"
#include "protocol/stubdom_args.h"
#include "protocol/stubdom_command.h"
#include "protocol/stubdom_paths.h"

static gboolean
setHypervisorTarget(const DmTarget *target, GError **error)
{
    xc_interface *xc = xc_interface_open(NULL, NULL, 0);
    int rc = xc ? xc_domain_set_target(xc, target->stubdomain, target->guest) : -1;
    int saved = errno;

    if (xc) {
        xc_interface_close(xc);
    }
    if (rc) {
        g_set_error(error, DM_ERROR, DM_ERROR_XEN, _("Xen refused to give stubdomain %u power over guest %u: %s"),
                    target->stubdomain, target->guest, g_strerror(saved));
    }
    return rc == 0;
}

static gboolean
writeArguments(DmStore *store, const DmTarget *target, GError **error)
{
    const char *const *argv = target->argv;
    g_autofree char *path =
        target->kind == DM_IMAGE_MINIOS ? stubdomPathDmargs(target->uuid) : stubdomPathDmArgv(target->uuid);

    if (target->kind == DM_IMAGE_MINIOS) {
        g_autofree char *value = stubdomArgsEncodeDmargs(argv, error);

        return value && dmStoreMake(store, path, value, 0, (int)target->stubdomain, error);
    }
    if (!dmStoreMake(store, path, NULL, 0, (int)target->stubdomain, error)) {
        return FALSE;
    }
    for (guint i = 0; argv[i]; i++) {
        g_autofree char *node = NULL;
        char name[4];

        stubdomArgsDmArgvName(i + 1, name);
        node = g_strdup_printf("%s/%s", path, name);
        if (!dmStoreWrite(store, node, argv[i], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* A domain has no source of randomness of its own: without these bytes its first reader waits a second for some. */
static gboolean
writeSeed(DmStore *store, const DmTarget *target, GError **error)
{
    g_autofree char *path = stubdomPathRandomSeed(target->stubdomain);
    guint8 bytes[STUBDOM_RANDOM_SEED_BYTES];
    char text[2 * STUBDOM_RANDOM_SEED_BYTES + 1];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the kernel gave no random bytes: %s"), g_strerror(errno));
        return FALSE;
    }
    for (gsize i = 0; i < sizeof(bytes); i++) {
        g_snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    return dmStoreMake(store, path, text, 0, (int)target->stubdomain, error);
}

static gboolean
writeNodes(DmStore *store, gpointer opaque, GError **error)
{
    const DmTarget *target = opaque;
    guint guest = target->guest;
    g_autofree char *targetPath = stubdomPathTarget(target->stubdomain);
    g_autofree char *directory = stubdomPathDeviceModel(target->stubdomain, guest);
    g_autofree char *guestText = g_strdup_printf("%u", guest);

    return dmStoreMake(store, targetPath, guestText, 0, (int)target->stubdomain, error) &&
           dmStoreMake(store, directory, "", target->stubdomain, (int)guest, error) &&
           writeArguments(store, target, error) && (!target->seed || writeSeed(store, target, error)) &&
           (!target->display || dmDisplayNodesWrite(store, target->stubdomain, error));
}

gboolean
dmTargetSet(DmStore *store, const DmTarget *target, GError **error)
{
    return setHypervisorTarget(target, error) && dmStoreSetTarget(store, target->stubdomain, target->guest, error) &&
           dmStoreTransaction(store, writeNodes, (gpointer)target, error);
}

/* Where the guest is gone, libxl has removed these with it: what is there now is of its next life, which has the same
 * UUID and may begin before this process ends. */
static gboolean
removeArguments(DmStore *store, const DmTarget *target, GError **error)
{
    g_autofree char *guest = stubdomPathDomain(target->guest);
    g_autofree char *dmargs = stubdomPathDmargs(target->uuid);
    g_autofree char *dmArgv = stubdomPathDmArgv(target->uuid);
    g_autoptr(GError) cause = NULL;
    g_autofree char *there = dmStoreRead(store, guest, NULL, &cause);

    if (!there) {
        if (g_error_matches(cause, DM_ERROR, DM_ERROR_NOT_FOUND)) {
            return TRUE;
        }
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    return dmStoreRemove(store, dmargs, error) && dmStoreRemove(store, dmArgv, error);
}

/* What is not below the stubdomain's own directories, which libxl removes. */
static gboolean
removeNodes(DmStore *store, gpointer opaque, GError **error)
{
    const DmTarget *target = opaque;
    g_autofree char *domid = stubdomPathDeviceModelDomid(target->guest);

    return dmStoreRemove(store, domid, error) && removeArguments(store, target, error) &&
           (!target->display || dmDisplayNodesRemove(store, target->stubdomain, error));
}

static gboolean
writeUp(DmStore *store, gpointer opaque, GError **error)
{
    const DmTarget *target = opaque;
    g_autofree char *domid = stubdomPathDeviceModelDomid(target->guest);
    g_autofree char *directory = stubdomPathLocalDeviceModel(target->guest);
    g_autofree char *state = g_strdup_printf("%s/state", directory);
    g_autofree char *value = g_strdup_printf("%u", target->stubdomain);
    g_autofree char *guest = stubdomPathDomain(target->guest);
    g_autofree char *there = dmStoreRead(store, guest, NULL, error);

    if (!there) { /* being destroyed: nobody would remove what is written now */
        g_prefix_error(error, _("guest %u is gone: "), target->guest);
        return FALSE;
    }
    return dmStoreMake(store, domid, value, 0, (int)target->guest, error) &&
           dmStoreWrite(store, state, stubdomStateName(STUBDOM_STATE_RUNNING), error);
}

gboolean
dmTargetUp(DmStore *store, const DmTarget *target, GError **error)
{
    return dmStoreTransaction(store, writeUp, (gpointer)target, error);
}

gboolean
dmTargetClear(DmStore *store, const DmTarget *target, GError **error)
{
    return dmStoreTransaction(store, removeNodes, (gpointer)target, error);
}
