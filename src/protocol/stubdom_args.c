/*
 * The two encodings of the device model's argument list
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * MiniOS splits `dmargs` itself, with rules of its own (mini-os main.c); the
 * encoder here and the decoder follow them from both ends, and unit tests hold
 * them against each other. No I/O.
 */

#include "config.h"

#include "protocol/stubdom_args.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "protocol/stubdom_command.h"

GQuark
stubdomArgsErrorQuark(void)
{
    return g_quark_from_static_string("stubdom-args-error-quark");
}

/* Appends the longest piece of @p that one kind of quote can carry; returns what is left. */
static const char *
appendQuotedPiece(GString *out, const char *p)
{
    char quote = *p == '"' ? '\'' : '"';
    gsize length = strcspn(p, quote == '"' ? "\"" : "'");

    g_string_append_c(out, quote);
    g_string_append_len(out, p, (gssize)length);
    g_string_append_c(out, quote);
    return p + length;
}

static gboolean
appendArgument(GString *out, const char *argument, GError **error)
{
    if (*argument == '\0') {
        g_set_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_VALUE,
                    _("an empty device model argument cannot be passed through dmargs"));
        return FALSE;
    }
    for (const char *p = argument; *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            g_autofree char *shown = stubdomTextSanitize(argument, strlen(argument), STUBDOM_VALUE_MAX);

            g_set_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_VALUE,
                        _("device model argument '%s' has a control character, which dmargs cannot carry"), shown);
            return FALSE;
        }
    }
    if (out->len > 0) {
        g_string_append_c(out, ' ');
    }
    if (strpbrk(argument, " '\"") == NULL) {
        g_string_append(out, argument);
        return TRUE;
    }
    for (const char *p = argument; *p;) {
        p = appendQuotedPiece(out, p);
    }
    return TRUE;
}

char *
stubdomArgsEncodeDmargs(const char *const *argv, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (; *argv; argv++) {
        if (!appendArgument(out, *argv, error)) {
            return NULL;
        }
        if (out->len > STUBDOM_DMARGS_MAX) {
            g_set_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_SIZE,
                        _("the device model's arguments need more than the %u bytes dmargs can carry"),
                        STUBDOM_DMARGS_MAX);
            return NULL;
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char **
stubdomArgsDecodeDmargs(const char *value, gsize length)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GString) word = g_string_new(NULL);
    char quote = '\0';

    length = strnlen(value, length);
    for (gsize i = 0; i < length; i++) {
        char c = value[i];

        if (quote != '\0' ? c == quote : (c == '\'' || c == '"')) {
            quote = quote != '\0' ? '\0' : c;
        } else if (c != ' ' || quote != '\0') {
            g_string_append_c(word, c);
        } else if (word->len > 0) {
            g_strv_builder_add(builder, word->str);
            g_string_truncate(word, 0);
        }
    }
    if (word->len > 0) {
        g_strv_builder_add(builder, word->str);
    }
    return g_strv_builder_end(builder);
}

gboolean
stubdomArgsCheckDmArgv(const char *const *argv, GError **error)
{
    guint count = g_strv_length((char **)argv);

    if (count > STUBDOM_DM_ARGV_COUNT_MAX) {
        g_set_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_SIZE,
                    _("%u device model arguments are more than the %u that dm-argv can carry"), count,
                    STUBDOM_DM_ARGV_COUNT_MAX);
        return FALSE;
    }
    for (guint i = 0; i < count; i++) {
        if (strlen(argv[i]) > STUBDOM_DM_ARGV_VALUE_MAX) {
            g_autofree char *shown = stubdomTextSanitize(argv[i], strlen(argv[i]), STUBDOM_VALUE_MAX);

            g_set_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_SIZE,
                        _("device model argument '%s' is longer than the %u bytes that dm-argv can carry"), shown,
                        STUBDOM_DM_ARGV_VALUE_MAX);
            return FALSE;
        }
    }
    return TRUE;
}

void
stubdomArgsDmArgvName(guint index, char name[4])
{
    g_assert(index >= 1 && index <= STUBDOM_DM_ARGV_COUNT_MAX);
    g_snprintf(name, 4, "%03u", index);
}

guint
stubdomArgsDmArgvIndex(const char *name)
{
    guint index = 0;

    if (strlen(name) != 3) {
        return 0;
    }
    for (; *name; name++) {
        if (!g_ascii_isdigit(*name)) {
            return 0;
        }
        index = index * 10 + (guint)g_ascii_digit_value(*name);
    }
    return index;
}
