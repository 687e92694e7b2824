/*
 * Commands, states and timeouts of the device-model command protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The words that toolstack and stubdomain exchange through xenstore, as a
 * table. Both sides take every token from here; nothing else in the tree
 * spells one. Source of the facts: docs/misc/stubdom.txt of Xen <= 4.20,
 * "Toolstack to MiniOS ioemu stubdomain protocol", and what a real
 * ioemu-stubdom answers.
 */

#pragma once

#include <glib.h>

/* Longest value of `state`, `parameter` or `logdirty/ret` that a toolstack accepts from a stubdomain, in bytes. */
#define STUBDOM_VALUE_MAX 64

/* Longest `parameter` a toolstack writes, in bytes (a PCI address and its options). */
#define STUBDOM_PARAMETER_MAX 256

/* Virtual CPUs of an HVM guest (xen/include/public/hvm/hvm_info_table.h, HVM_MAX_VCPUS). */
#define STUBDOM_CPUS_MAX 128U

/* The values of `state`. STUBDOM_STATE_OTHER is any text that is no word of the protocol. */
typedef enum {
    STUBDOM_STATE_NONE = 0, /* the node does not exist */
    STUBDOM_STATE_RUNNING,
    STUBDOM_STATE_PAUSED,
    STUBDOM_STATE_PCI_INSERTED,
    STUBDOM_STATE_PCI_INSERT_FAILED,
    STUBDOM_STATE_PCI_REMOVED,
    STUBDOM_STATE_PCI_REMOVE_FAILED, /* an extension: only if the image announces it */
    STUBDOM_STATE_CDROM_EJECTED,     /* these four too: "cdrom" */
    STUBDOM_STATE_CDROM_EJECT_FAILED,
    STUBDOM_STATE_CDROM_INSERTED,
    STUBDOM_STATE_CDROM_INSERT_FAILED,
    STUBDOM_STATE_SAVE_FAILED, /* an extension: only if the image announces it */
    STUBDOM_STATE_CPU_ADDED,   /* these two too: "cpu-add" */
    STUBDOM_STATE_CPU_ADD_FAILED,
    STUBDOM_STATE_OTHER,
} StubdomState;

typedef enum {
    STUBDOM_COMMAND_SAVE = 0,
    STUBDOM_COMMAND_CONTINUE,
    STUBDOM_COMMAND_PCI_INSERT,
    STUBDOM_COMMAND_PCI_REMOVE,
    STUBDOM_COMMAND_LOGDIRTY_ENABLE,
    STUBDOM_COMMAND_LOGDIRTY_DISABLE,
    STUBDOM_COMMAND_CDROM_EJECT,  /* an extension: only if the image announces "cdrom" */
    STUBDOM_COMMAND_CDROM_INSERT, /* the same */
    STUBDOM_COMMAND_CPU_ADD,      /* an extension: only if the image announces "cpu-add" */
    STUBDOM_COMMAND_LAST,
} StubdomCommand;

typedef struct {
    StubdomCommand command;
    const char *word;          /* what goes into `command` (or `logdirty/cmd`) */
    gboolean logdirty;         /* uses logdirty/cmd and logdirty/ret instead of command and state */
    gboolean hasParameter;     /* `parameter` is written before `command` */
    StubdomState before;       /* the state it starts from */
    StubdomState success;      /* the state that says it is done */
    StubdomState failure;      /* the state that says it failed; STUBDOM_STATE_NONE: none is defined */
    gboolean failsByParameter; /* MiniOS: a text in `parameter`, state unchanged, is a failure */
    gboolean acknowledge;      /* the toolstack writes "running" back afterwards; after a failure it always does */
} StubdomCommandInfo;

/**
 * stubdomCommandInfo:
 * @command: a command below STUBDOM_COMMAND_LAST
 *
 * The row of the protocol table for @command.
 *
 * Returns: (transfer none): static storage, never NULL
 */
const StubdomCommandInfo *stubdomCommandInfo(StubdomCommand command);

/**
 * stubdomCommandParse:
 * @word: the value of the `command` node, NUL-terminated
 *
 * Finds the command a stubdomain was given. Exact words only: a real
 * ioemu-stubdom also takes prefixes, which no toolstack should rely on.
 *
 * Returns: the command, or STUBDOM_COMMAND_LAST if @word is none
 */
StubdomCommand stubdomCommandParse(const char *word);

/**
 * stubdomStateParse:
 * @value: bytes of the `state` node as read from xenstore, need not be
 *   NUL-terminated; NULL if the node does not exist
 * @length: how many bytes
 *
 * Classifies what a stubdomain wrote. Values longer than STUBDOM_VALUE_MAX,
 * with NUL bytes, or not exactly a word of the protocol are
 * STUBDOM_STATE_OTHER.
 *
 * Returns: the state
 */
StubdomState stubdomStateParse(const char *value, gsize length);

/**
 * stubdomStateName:
 *
 * Returns: (transfer none): the word of @state, or "(none)" / "(unknown)" for
 *   the two that have no word
 */
const char *stubdomStateName(StubdomState state);

/**
 * stubdomVirtualSlotParse:
 * @value: bytes of `parameter` after a successful `pci-ins`
 * @length: how many bytes
 * @devfn: (out): the virtual slot and function, 0..255
 *
 * Reads the `0xVV` a stubdomain answers a `pci-ins` with: "0x" and one or two
 * hexadecimal digits, nothing else.
 *
 * Returns: TRUE if it is one
 */
gboolean stubdomVirtualSlotParse(const char *value, gsize length, guint8 *devfn);

/**
 * stubdomCpuParse:
 * @value: bytes of `parameter` of a `cpu-add`
 * @length: how many bytes
 * @cpu: (out): the number of the guest's virtual CPU, 0..STUBDOM_CPUS_MAX - 1
 *
 * Reads a number of one to three decimal digits, nothing else.
 *
 * Returns: TRUE if it is one
 */
gboolean stubdomCpuParse(const char *value, gsize length, guint *cpu);

/**
 * stubdomTextSanitize:
 * @value: bytes from a stubdomain
 * @length: how many bytes
 * @max: at most so many bytes of @value are shown
 *
 * Makes bytes of a stubdomain fit for a log or an error message: printable
 * ASCII is kept, everything else becomes \xNN, and a cut is marked with "...".
 *
 * Returns: (transfer full): free with g_free()
 */
char *stubdomTextSanitize(const char *value, gsize length, gsize max);
