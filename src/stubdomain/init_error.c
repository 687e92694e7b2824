/*
 * Error domain of stubdom-init, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_error.h"

GQuark
initErrorQuark(void)
{
    return g_quark_from_static_string("init-error-quark");
}

void
initErrorSetErrno(GError **error, int number, const char *what)
{
    g_set_error(error, INIT_ERROR, INIT_ERROR_SYSTEM, "%s: %s", what, g_strerror(number));
}
