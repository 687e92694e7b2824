/*
 * Media of the guest's CD-ROM drives
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl refuses to change a medium when there is a stubdomain (4.17 to 4.19), so
 * it is done here, as a transaction: the new medium becomes a PV disk of the
 * stubdomain, the stubdomain puts it into the drive, libxl's record of the
 * guest's drive is written, and the old PV disk goes. What fails before the
 * stubdomain said yes leaves the old medium in the drive. Nothing the
 * stubdomain says decides which file of dom0 is used.
 */

#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "dm_guest.h"
#include "dm_libxl.h"
#include "dm_plan.h"
#include "dm_store.h"
#include "dm_stubdomain.h"

/* Longest path of a medium, in bytes; it has to fit into a xenstore node. */
#define DM_CDROM_PATH_MAX 2048U

typedef struct _DmCdroms DmCdroms;

/* A change ended; @error is NULL on success (transfer none). */
typedef void (*DmCdromFunc)(const GError *error, gpointer opaque);

/**
 * dmCdromsNew:
 * @guest, @plan, @stubdomain, @libxl, @store: (transfer none): outlive the drives
 * @timeout: milliseconds the stubdomain may take for a command
 *
 * The drives of @guest, with the media they have at the start.
 *
 * Returns: (transfer full): free with dmCdromsFree() when none is busy
 */
DmCdroms *dmCdromsNew(DmLibxl *libxl, DmStore *store, DmStubdomain *stubdomain, const DmGuest *guest,
                      const DmPlan *plan, guint timeout);
void dmCdromsFree(DmCdroms *cdroms);

/**
 * dmCdromsChange:
 * @id: the drive, as configured ("hdc") or as libxl names it ("ide-5632")
 * @path: raw image or block device in dom0; NULL: the drive is to be empty
 * @force: although the guest has locked the tray
 *
 * Changes a medium. @func is called once, from the main loop, or from within
 * this call when it is refused at once: DM_ERROR_NOT_FOUND, _ARGUMENT, _BUSY,
 * else those of libxl and of the command channel.
 */
void dmCdromsChange(DmCdroms *cdroms, const char *id, const char *path, gboolean force, DmCdromFunc func,
                    gpointer opaque);

/** Quits @loop when no change is under way, perhaps at once. No change can be begun from then on. */
void dmCdromsFinish(DmCdroms *cdroms, GMainLoop *loop);

/** What is in each drive, in the form of query-block: "device", "qdev", "removable" and, with a medium, "inserted". */
JsonArray *dmCdromsQuery(const DmCdroms *cdroms);
