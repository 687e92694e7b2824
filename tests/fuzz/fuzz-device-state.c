/*
 * Fuzz target: a device state, as a stubdomain or a save image has it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Besides not crashing: nothing that is too short for a section and the end
 * mark is a state, whatever it says of its lengths.
 */

#include <string.h>

#include <glib.h>

#include "dm_error.h"
#include "dm_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = DM_IMAGE_LINUX; kind <= DM_IMAGE_MINIOS; kind++) {
        g_autoptr(GError) error = NULL;
        DmState state = {.headLength = MIN(size, DM_STATE_HEAD_MAX), .size = size};
        gboolean good;

        memcpy(state.head, data, state.headLength);
        state.last = size > 0 ? data[size - 1] : 0;
        good = dmStateCheck(&state, (DmImageKind)kind, &error);
        g_assert_true(good || g_error_matches(error, DM_ERROR, DM_ERROR_STATE));
        g_assert_true(good || g_utf8_validate(error->message, -1, NULL));
        g_assert_false(good && (size < 10 || memcmp(data, "QE", 2) != 0 || data[size - 1] != 0));
    }
    return 0;
}
