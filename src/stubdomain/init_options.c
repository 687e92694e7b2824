/*
 * Options of stubdom-init, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_options.h"

#include <string.h>

#include "init_error.h"

#define OPTION_PREFIX "stubdom."
#define OPTION_TIMEOUT OPTION_PREFIX "timeout="
#define OPTION_RESTRICT OPTION_PREFIX "restrict"

static gboolean
parseWord(const char *word, InitOptions *options)
{
    guint64 seconds = 0;

    if (g_str_equal(word, OPTION_RESTRICT)) {
        options->restricted = TRUE;
        return TRUE;
    }
    if (!g_str_has_prefix(word, OPTION_TIMEOUT) ||
        !g_ascii_string_to_unsigned(word + strlen(OPTION_TIMEOUT), 10, 1, INIT_TIMEOUT_MAX, &seconds, NULL))
        return FALSE;
    options->timeout = (guint)seconds;
    options->deviceTimeout = (guint)seconds;
    return TRUE;
}

gboolean
initOptionsParse(const char *text, InitOptions *options, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);

    options->timeout = INIT_TIMEOUT_DEFAULT;
    options->deviceTimeout = INIT_DEVICE_TIMEOUT_DEFAULT;
    options->restricted = FALSE;
    for (char **word = words; *word; word++) {
        if (g_str_has_prefix(*word, OPTION_PREFIX) && !parseWord(*word, options)) {
            g_set_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT,
                        "kernel command line: '%s' is no option of stubdom-init", *word);
            return FALSE;
        }
    }
    return TRUE;
}
