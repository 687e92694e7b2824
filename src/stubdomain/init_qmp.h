/*
 * QMP client of stubdom-init
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Speaks with the QEMU it was started with over one inherited socket. Requests
 * are queued by QEMU, answers come in any order and are matched by their id.
 * QEMU runs what a guest feeds it, so its side may turn hostile: lines are
 * bounded, what is no QMP is dropped with a log line, and an answer nobody
 * asked for is ignored.
 */

#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* Longest line from QEMU, in bytes. query-pci of a full bus is the longest answer, some 40 KiB. */
#define INIT_QMP_LINE_MAX (1024UL * 1024UL)

typedef enum {
    INIT_QMP_INVALID = 0, /* no JSON object, or none of the following */
    INIT_QMP_GREETING,
    INIT_QMP_RETURN,
    INIT_QMP_ERROR,
    INIT_QMP_EVENT,
} InitQmpKind;

typedef struct {
    InitQmpKind kind;
    gint64 id;       /* of a return or an error; -1 without */
    char *text;      /* name of the event, or description of the error */
    JsonNode *value; /* what was returned, or the event's data; may be NULL */
} InitQmpMessage;

/**
 * initQmpMessageParse:
 * @line: one line without its end, need not be NUL-terminated
 * @length: how many bytes
 *
 * Classifies a line. Pure.
 *
 * Returns: (transfer full): free with initQmpMessageFree(), never NULL
 */
InitQmpMessage *initQmpMessageParse(const char *line, gsize length);

/** Frees @message. */
void initQmpMessageFree(InitQmpMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitQmpMessage, initQmpMessageFree)

typedef struct InitQmp InitQmp;

/* The answer: @value (may be NULL) or @error, both owned by the caller. */
typedef void (*InitQmpReply)(JsonNode *value, const GError *error, gpointer data);

/* QEMU is up: greeting read and capabilities negotiated. */
typedef void (*InitQmpReady)(gpointer data);

/* An event; @value may be NULL. */
typedef void (*InitQmpEvent)(const char *name, JsonNode *value, gpointer data);

/**
 * initQmpNew:
 * @fd: the socket, taken over
 * @ready: called once
 * @event: called at each event
 * @data: for both
 *
 * Returns: (transfer full): free with initQmpFree()
 */
InitQmp *initQmpNew(int fd, InitQmpReady ready, InitQmpEvent event, gpointer data);

/** Closes the socket; replies that are out are called with an error. */
void initQmpFree(InitQmp *qmp);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitQmp, initQmpFree)

/**
 * initQmpExecute:
 * @qmp: the client
 * @command: QMP command
 * @arguments: (transfer full) (nullable): its arguments
 * @reply: called once with the answer; NULL if nobody cares
 * @data: for @reply
 */
void initQmpExecute(InitQmp *qmp, const char *command, JsonObject *arguments, InitQmpReply reply, gpointer data);

/** The same with a descriptor for QEMU, which stays the caller's; @fd: -1 for none. */
void initQmpExecuteWith(InitQmp *qmp, const char *command, JsonObject *arguments, int fd, InitQmpReply reply,
                        gpointer data);
