/*
 * The VNC server
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Joins the two backends with libvncserver and the viewers, and knows who may
 * look. It is driven by display_main.c, and knows neither listening sockets nor
 * connections that have not spoken yet (display_lobby.h).
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rfb/rfb.h>

#include "display_framebuffer.h"
#include "display_input.h"
#include "display_password.h"
#include "display_picture.h"
#include "display_viewer.h"
#include "display_xen.h"

typedef struct DisplayServer {
    const DisplayXen *xen;
    rfbScreenInfoPtr screen;
    DisplayFramebuffer framebuffer;
    DisplayInput input;
    DisplayPicture picture;
    DisplayPassword password;
    uint32_t policy;  /* DISPLAY_FLAG_FORCE_SHARED, DISPLAY_FLAG_IGNORE_SHARED */
    uint32_t numbers; /* of viewers so far */
    int64_t copied;   /* when the picture was last copied, in milliseconds */
    int64_t told;     /* when xen-stubdom-dm was last told its geometry, in milliseconds */
    bool untold;      /* there is another one since */
    DisplayViewer *viewers[DISPLAY_VIEWERS_MAX];
} DisplayServer;

/** False if there is no memory. To be called before the process is confined. */
bool displayServerInit(DisplayServer *server, const DisplayXen *xen, const char *name, uint64_t limit);

/** Does what xen-stubdom-dm asks of devices, password and keys. */
void displayServerRequest(DisplayServer *server, const DisplayRequest *request, int fd);

/** An event channel fired. */
void displayServerEvent(DisplayServer *server, evtchn_port_t port);

/**
 * displayServerAdd:
 * As displayViewerNew(); says so to xen-stubdom-dm.
 *
 * Returns: the viewer's place, or -1
 */
int displayServerAdd(DisplayServer *server, int fd, const char *hello, size_t length, uint32_t flags,
                     uint32_t listener);

/**
 * displayServerRun:
 * @now: milliseconds
 *
 * One turn for everybody.
 *
 * Returns: in how many milliseconds there is more to do; 0: at once, -1: nothing
 */
int displayServerRun(DisplayServer *server, int64_t now);

/** The framebuffer's events that were not taken in one turn. Whether there are any. */
bool displayServerMore(DisplayServer *server);
