/*
 * Commands and states of the device-model command protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tables behind stubdom_command.h and the only code that turns bytes a
 * stubdomain wrote into words. No I/O.
 */

#include "protocol/stubdom_command.h"

#include <string.h>

static const char *const stateNames[] = {
    [STUBDOM_STATE_NONE] = "(none)",
    [STUBDOM_STATE_RUNNING] = "running",
    [STUBDOM_STATE_PAUSED] = "paused",
    [STUBDOM_STATE_PCI_INSERTED] = "pci-inserted",
    [STUBDOM_STATE_PCI_INSERT_FAILED] = "pci-insert-failed",
    [STUBDOM_STATE_PCI_REMOVED] = "pci-removed",
    [STUBDOM_STATE_PCI_REMOVE_FAILED] = "pci-remove-failed",
    [STUBDOM_STATE_CDROM_EJECTED] = "cdrom-ejected",
    [STUBDOM_STATE_CDROM_EJECT_FAILED] = "cdrom-eject-failed",
    [STUBDOM_STATE_CDROM_INSERTED] = "cdrom-inserted",
    [STUBDOM_STATE_CDROM_INSERT_FAILED] = "cdrom-insert-failed",
    [STUBDOM_STATE_SAVE_FAILED] = "save-failed",
    [STUBDOM_STATE_CPU_ADDED] = "cpu-added",
    [STUBDOM_STATE_CPU_ADD_FAILED] = "cpu-add-failed",
    [STUBDOM_STATE_OTHER] = "(unknown)",
};

static const StubdomCommandInfo commands[STUBDOM_COMMAND_LAST] = {
    [STUBDOM_COMMAND_SAVE] =
        {
            .command = STUBDOM_COMMAND_SAVE,
            .word = "save",
            .before = STUBDOM_STATE_RUNNING,
            .success = STUBDOM_STATE_PAUSED,
            .failure = STUBDOM_STATE_SAVE_FAILED,
        },
    [STUBDOM_COMMAND_CONTINUE] =
        {
            .command = STUBDOM_COMMAND_CONTINUE,
            .word = "continue",
            .before = STUBDOM_STATE_PAUSED,
            .success = STUBDOM_STATE_RUNNING,
        },
    [STUBDOM_COMMAND_PCI_INSERT] =
        {
            .command = STUBDOM_COMMAND_PCI_INSERT,
            .word = "pci-ins",
            .hasParameter = TRUE,
            .before = STUBDOM_STATE_RUNNING,
            .success = STUBDOM_STATE_PCI_INSERTED,
            .failure = STUBDOM_STATE_PCI_INSERT_FAILED,
            .failsByParameter = TRUE,
            .acknowledge = TRUE,
        },
    [STUBDOM_COMMAND_PCI_REMOVE] =
        {
            .command = STUBDOM_COMMAND_PCI_REMOVE,
            .word = "pci-rem",
            .hasParameter = TRUE,
            .before = STUBDOM_STATE_RUNNING,
            .success = STUBDOM_STATE_PCI_REMOVED,
            .failure = STUBDOM_STATE_PCI_REMOVE_FAILED,
            .acknowledge = TRUE,
        },
    [STUBDOM_COMMAND_LOGDIRTY_ENABLE] =
        {
            .command = STUBDOM_COMMAND_LOGDIRTY_ENABLE,
            .word = "enable",
            .logdirty = TRUE,
        },
    [STUBDOM_COMMAND_LOGDIRTY_DISABLE] =
        {
            .command = STUBDOM_COMMAND_LOGDIRTY_DISABLE,
            .word = "disable",
            .logdirty = TRUE,
        },
    [STUBDOM_COMMAND_CDROM_EJECT] =
        {
            .command = STUBDOM_COMMAND_CDROM_EJECT,
            .word = "cdrom-eject",
            .hasParameter = TRUE,
            .before = STUBDOM_STATE_RUNNING,
            .success = STUBDOM_STATE_CDROM_EJECTED,
            .failure = STUBDOM_STATE_CDROM_EJECT_FAILED,
            .acknowledge = TRUE,
        },
    [STUBDOM_COMMAND_CDROM_INSERT] =
        {
            .command = STUBDOM_COMMAND_CDROM_INSERT,
            .word = "cdrom-insert",
            .hasParameter = TRUE,
            .before = STUBDOM_STATE_RUNNING,
            .success = STUBDOM_STATE_CDROM_INSERTED,
            .failure = STUBDOM_STATE_CDROM_INSERT_FAILED,
            .acknowledge = TRUE,
        },
    [STUBDOM_COMMAND_CPU_ADD] =
        {
            .command = STUBDOM_COMMAND_CPU_ADD,
            .word = "cpu-add",
            .hasParameter = TRUE,
            .before = STUBDOM_STATE_RUNNING,
            .success = STUBDOM_STATE_CPU_ADDED,
            .failure = STUBDOM_STATE_CPU_ADD_FAILED,
            .acknowledge = TRUE,
        },
};

const StubdomCommandInfo *
stubdomCommandInfo(StubdomCommand command)
{
    g_assert((guint)command < STUBDOM_COMMAND_LAST);
    return &commands[command];
}

StubdomCommand
stubdomCommandParse(const char *word)
{
    for (guint i = 0; i < STUBDOM_COMMAND_LAST; i++) {
        if (!commands[i].logdirty && g_str_equal(commands[i].word, word)) {
            return commands[i].command;
        }
    }
    return STUBDOM_COMMAND_LAST;
}

static gboolean
equalsWord(const char *value, gsize length, const char *word)
{
    return length == strlen(word) && memcmp(value, word, length) == 0;
}

StubdomState
stubdomStateParse(const char *value, gsize length)
{
    if (!value) {
        return STUBDOM_STATE_NONE;
    }
    if (length > STUBDOM_VALUE_MAX) {
        return STUBDOM_STATE_OTHER;
    }
    for (guint i = STUBDOM_STATE_RUNNING; i < STUBDOM_STATE_OTHER; i++) {
        if (equalsWord(value, length, stateNames[i])) {
            return (StubdomState)i;
        }
    }
    return STUBDOM_STATE_OTHER;
}

const char *
stubdomStateName(StubdomState state)
{
    g_assert((guint)state < G_N_ELEMENTS(stateNames));
    return stateNames[state];
}

gboolean
stubdomVirtualSlotParse(const char *value, gsize length, guint8 *devfn)
{
    guint number = 0;

    if (!value || length < 3 || length > 4 || value[0] != '0' || value[1] != 'x') {
        return FALSE;
    }
    for (gsize i = 2; i < length; i++) {
        int digit = g_ascii_xdigit_value(value[i]);

        if (digit < 0) {
            return FALSE;
        }
        number = number * 16 + (guint)digit;
    }
    *devfn = (guint8)number;
    return TRUE;
}

gboolean
stubdomCpuParse(const char *value, gsize length, guint *cpu)
{
    guint number = 0;

    if (!value || length < 1 || length > 3) {
        return FALSE;
    }
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isdigit(value[i])) {
            return FALSE;
        }
        number = number * 10 + (guint)g_ascii_digit_value(value[i]);
    }
    if (number >= STUBDOM_CPUS_MAX) {
        return FALSE;
    }
    *cpu = number;
    return TRUE;
}

char *
stubdomTextSanitize(const char *value, gsize length, gsize max)
{
    gsize shown = MIN(length, max);
    GString *text = g_string_sized_new(shown + 4);

    for (gsize i = 0; i < shown; i++) {
        guchar c = (guchar)value[i];

        if (g_ascii_isprint((char)c) && c != '\\') {
            g_string_append_c(text, (char)c);
        } else {
            g_string_append_printf(text, "\\x%02x", c);
        }
    }
    if (shown < length) {
        g_string_append(text, "...");
    }
    return g_string_free(text, FALSE);
}
