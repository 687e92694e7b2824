/*
 * How something of a domain is refused
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One wording for all that libvirt knows and a stubdomain has no place for:
 * which element, which value, and why.
 */

#include "stubdom_compat.h"

#include "stubdom_refusal.h"

int
stubdomRefuse(const char *element, const char *value, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list args;

    va_start(args, format);
    reason = g_strdup_vprintf(format, args);
    va_end(args);
    virReportError(VIR_ERR_CONFIG_UNSUPPORTED, _("%s '%s' is not supported with a stubdomain: %s"), element,
                   NULLSTR(value), reason);
    return -1;
}
