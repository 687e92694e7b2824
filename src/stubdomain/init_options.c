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
#define OPTION_EJECT_TIMEOUT OPTION_PREFIX "eject-timeout="
#define OPTION_RESTRICT OPTION_PREFIX "restrict"

/* Whether @word is @prefix and a number of seconds. */
static gboolean
parseSeconds(const char *word, const char *prefix, guint *seconds)
{
    guint64 value = 0;

    if (!g_str_has_prefix(word, prefix) ||
        !g_ascii_string_to_unsigned(word + strlen(prefix), 10, 1, INIT_TIMEOUT_MAX, &value, NULL))
        return FALSE;
    *seconds = (guint)value;
    return TRUE;
}

static gboolean
parseWord(const char *word, InitOptions *options)
{
    if (g_str_equal(word, OPTION_RESTRICT)) {
        options->restricted = TRUE;
        return TRUE;
    }
    if (parseSeconds(word, OPTION_TIMEOUT, &options->timeout)) {
        options->deviceTimeout = options->timeout;
        return TRUE;
    }
    return parseSeconds(word, OPTION_EJECT_TIMEOUT, &options->ejectTimeout);
}

gboolean
initOptionsParse(const char *text, InitOptions *options, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);

    options->timeout = INIT_TIMEOUT_DEFAULT;
    options->deviceTimeout = INIT_DEVICE_TIMEOUT_DEFAULT;
    options->ejectTimeout = INIT_EJECT_TIMEOUT_DEFAULT;
    options->restricted = FALSE;
    for (char **word = words; *word; word++) {
        if (g_str_has_prefix(*word, OPTION_PREFIX) && !parseWord(*word, options)) {
            g_set_error(error, INIT_ERROR, INIT_ERROR_ARGUMENT,
                        "kernel command line: '%s' is no option of stubdom-init", *word);
            return FALSE;
        }
    }
    options->timeout = MIN(options->timeout, options->ejectTimeout + INIT_EJECT_TIMEOUT_SPARE);
    return TRUE;
}
