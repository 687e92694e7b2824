/*
 * Device state: what can be told of it from outside
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A stream is: magic and version, big-endian; sections, each a type, an id, a
 * name and data only its device knows the length of; an end mark of one byte.
 * QEMU for Xen writes neither configuration section nor section footers
 * (accel/xen/xen-all.c), which would allow to say more.
 */

#include "config.h"

#include "dm_state.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "dm_error.h"
#include "protocol/stubdom_command.h"

/* "QEVM"; very old ones of qemu-xen-traditional begin with "QEMU". */
#define STATE_MAGIC 0x5145564dU
#define STATE_MAGIC_OLD 0x51454d55U
#define STATE_VERSION 3U
#define STATE_VERSION_OLD 2U

/* Types of a section that may come first, and of the end. */
#define SECTION_END 0x00U
#define SECTION_START 0x01U
#define SECTION_FULL 0x04U
#define SECTION_CONFIGURATION 0x07U

/* Places in the file. */
#define AT_VERSION 4U
#define AT_TYPE 8U
#define AT_NAME_LENGTH 13U
#define AT_NAME 14U

static guint32
wordAt(const DmState *state, gsize place)
{
    const guint8 *p = state->head + place;

    return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}

static gboolean
setError(GError **error, const char *text)
{
    g_set_error_literal(error, DM_ERROR, DM_ERROR_STATE, text);
    return FALSE;
}

static gboolean
checkHeader(const DmState *state, DmImageKind kind, GError **error)
{
    guint32 magic = wordAt(state, 0);
    guint32 version = wordAt(state, AT_VERSION);
    gboolean old = kind == DM_IMAGE_MINIOS;

    if (magic != STATE_MAGIC && !(old && magic == STATE_MAGIC_OLD)) {
        g_autofree char *shown = stubdomTextSanitize((const char *)state->head, 4, 4);

        g_set_error(error, DM_ERROR, DM_ERROR_STATE,
                    _("the device state begins with '%s', so it is none: QEMU's begins with 'QEVM'"), shown);
        return FALSE;
    }
    if (version != STATE_VERSION && !(old && version == STATE_VERSION_OLD)) {
        g_set_error(error, DM_ERROR, DM_ERROR_STATE, _("the device state has version %" G_GUINT32_FORMAT ", not %u"),
                    version, STATE_VERSION);
        return FALSE;
    }
    return TRUE;
}

/* The name of a device: printable, as QEMU's are. */
static gboolean
checkSection(const DmState *state, GError **error)
{
    guint8 type = state->head[AT_TYPE];
    gsize length;

    if (type == SECTION_CONFIGURATION) {
        return TRUE;
    }
    if (type != SECTION_FULL && type != SECTION_START) {
        g_set_error(error, DM_ERROR, DM_ERROR_STATE, _("the device state has a first section of type %u"), type);
        return FALSE;
    }
    length = state->headLength >= AT_NAME ? state->head[AT_NAME_LENGTH] : 0;
    if (AT_NAME + length > state->headLength || AT_NAME + length >= state->size) {
        return setError(error, _("the device state ends in the header of its first section"));
    }
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isprint((char)state->head[AT_NAME + i])) {
            return setError(error, _("the device state names its first section with characters no device has"));
        }
    }
    return length > 0 ? TRUE : setError(error, _("the device state has a first section without a name"));
}

gboolean
dmStateCheck(const DmState *state, DmImageKind kind, GError **error)
{
    if (state->size == 0) {
        return setError(error, _("the device state is empty"));
    }
    if (state->headLength <= AT_TYPE) {
        g_set_error(error, DM_ERROR, DM_ERROR_STATE, _("the device state has only %" PRIu64 " bytes"), state->size);
        return FALSE;
    }
    if (!checkHeader(state, kind, error) || !checkSection(state, error)) {
        return FALSE;
    }
    if (state->last != SECTION_END) {
        g_set_error(error, DM_ERROR, DM_ERROR_STATE,
                    _("the device state has no end mark after its %" PRIu64 " bytes: it was cut off"), state->size);
        return FALSE;
    }
    return TRUE;
}

gboolean
dmStateCheckFile(int fd, guint64 limit, DmImageKind kind, GError **error)
{
    DmState state = {0};
    struct stat status;
    ssize_t got;

    if (fstat(fd, &status) < 0) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the device state cannot be read: %s"), g_strerror(errno));
        return FALSE;
    }
    if (!S_ISREG(status.st_mode)) {
        return setError(error, _("the device state is no regular file"));
    }
    state.size = (guint64)status.st_size;
    if (state.size > limit) {
        g_set_error(error, DM_ERROR, DM_ERROR_STATE,
                    _("the device state has %" PRIu64 " bytes; save-limit allows %" PRIu64), state.size, limit);
        return FALSE;
    }
    got = pread(fd, state.head, sizeof(state.head), 0);
    if (got < 0 || (got > 0 && pread(fd, &state.last, 1, status.st_size - 1) != 1)) {
        g_set_error(error, DM_ERROR, DM_ERROR_SYSTEM, _("the device state cannot be read: %s"), g_strerror(errno));
        return FALSE;
    }
    state.headLength = (gsize)got;
    return dmStateCheck(&state, kind, error);
}
