/*
 * How something of a domain is refused
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/**
 * stubdomRefuse: reports that an element cannot be mapped.
 * @element: its name, as in XML; @value: which one, or its value; @format: the reason, translated
 *
 * Returns -1, with VIR_ERR_CONFIG_UNSUPPORTED reported.
 */
int stubdomRefuse(const char *element, const char *value, const char *format, ...) G_GNUC_PRINTF(3, 4);
