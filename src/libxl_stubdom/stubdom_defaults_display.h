/*
 * What stubdom.conf says of displays
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "virconf.h"

#define STUBDOM_DISPLAY_PORT_MIN 5900U   /* of VNC's display 0 */
#define STUBDOM_WEBSOCKET_PORT_MIN 5700U /* of VNC's display 0, as QEMU counts */
#define STUBDOM_PORT_MAX 65535U
#define STUBDOM_VNC_PASSWORD_MAX 8 /* characters VNC looks at */

/* All members: immutable once read. */
typedef struct {
    char *listen;    /* numeric address of a display that names none */
    bool autoSocket; /* such a display has a socket in its place */
    char *password;  /* of a display that has none of its own, or NULL */
    unsigned int portMin;
    unsigned int portMax; /* greater than the least */
    unsigned int websocketMin;
    unsigned int websocketMax; /* greater than the least */
} StubdomDisplayDefaults;

/**
 * stubdomDisplayDefaultsInit: what counts without a file.
 * @defaults: to be cleared with stubdomDisplayDefaultsClear()
 */
void stubdomDisplayDefaultsInit(StubdomDisplayDefaults *defaults);

/**
 * stubdomDisplayDefaultsRead: reads the settings of displays.
 * @file: path of what @conf was read from; who may read it is looked at if it has a password
 *
 * What libvncserver cannot do as a server is refused, not ignored: TLS (it has it for websockets alone) and SASL.
 *
 * Returns 0, or -1 with an error reported that names the file, the setting and what it may be.
 */
int stubdomDisplayDefaultsRead(virConf *conf, const char *file, StubdomDisplayDefaults *defaults);

/**
 * stubdomDisplayDefaultsClear: frees what is in @defaults.
 */
void stubdomDisplayDefaultsClear(StubdomDisplayDefaults *defaults);
