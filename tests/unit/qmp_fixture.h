/*
 * Test fixture: a QMP server in a directory of its own, and clients of it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Client and server share one main loop: a client's input is watched by it,
 * and waiting for a line is running it. What never comes ends the test by the
 * harness's time limit.
 */

#pragma once

#include "device_model/dm_qmp_server.h"

typedef struct {
    char *directory;
    char *path;
    DmQmpServer *server;
    GQueue held; /* of DmQmpRequest: "hold" puts them here */
    guint gone;  /* times a client went away */
} QmpFixture;

typedef struct {
    int fd;
    guint source; /* 0: does not read */
    GString *input;
    gboolean ended;
} QmpClient;

/* echo, fail, hold, read-fd, huge, twice, free */
extern const DmQmpCommand qmpFixtureCommands[];

void qmpFixtureSetUp(QmpFixture *fixture, gconstpointer data);

/** The server must have removed its socket, and every held request must have been answered. */
void qmpFixtureTearDown(QmpFixture *fixture, gconstpointer data);

/** Lets everything that is ready happen. */
void qmpFixtureSettle(void);

/** File descriptors of this process. */
guint qmpFixtureOpenFds(void);

/** Connects; the server has not answered yet. */
QmpClient *qmpClientNew(const char *path);

/** Connects and gets past qmp_capabilities. */
QmpClient *qmpClientNegotiated(const char *path);

void qmpClientFree(QmpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QmpClient, qmpClientFree)

/** Starts reading again after its source was removed. */
void qmpClientListen(QmpClient *client);

void qmpClientSay(QmpClient *client, const char *words);

/** Sends @words with @fds (at most 32) file descriptors that each read "a", "b", … */
void qmpClientSayWithFds(QmpClient *client, const char *words, guint fds);

/** The next line, without its end, or NULL when the connection has ended. */
char *qmpClientLine(QmpClient *client);

/** Waits for a line, whatever it says. */
void qmpClientSkipLine(QmpClient *client);

void qmpClientAssertLine(QmpClient *client, const char *expected);
void qmpClientAssertEnded(QmpClient *client);
