/*
 * Grant table and event channels without a hypervisor: what the preload libraries share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The part of Xen that the component tests imitate lives in the test process
 * (harness/hypervisor.py). This header is the wire format between it and the
 * libraries preloaded into the programs under test; harness/hypervisor.py has
 * the same numbers. It is no model of Xen beyond what xenstored and the
 * backends of PV consoles and of the display use.
 */

#pragma once

#include <stdint.h>

/* $FAKEXEN_DIR/memory: one byte for each grant that tells whether it exists, then the pages. */
#define FAKE_DOMAINS_MAX 1024U /* domids below this */
#define FAKE_GRANTS_MAX 1024U  /* grant references of a domain below this */
#define FAKE_PAGE_SIZE 4096U
#define FAKE_GRANT_TABLE_SIZE (FAKE_DOMAINS_MAX * FAKE_GRANTS_MAX)

/* $FAKEXEN_DIR/frames: for each page of the machine the domain that owns it, as 32 bits, then the pages. */
#define FAKE_FRAMES_MAX 65536U
#define FAKE_FRAME_TABLE_SIZE (FAKE_FRAMES_MAX * 4U)

/* $FAKEXEN_DIR/clock: seconds, 32 bits, that the time is ahead of the real one in programs that map foreign memory. */

/* $FAKEXEN_DIR/evtchn: a SOCK_SEQPACKET socket; each handle of libxenevtchn is a connection. */
typedef enum {
    FAKE_EVTCHN_EVENT = 0,    /* from the hypervisor: value is the local port */
    FAKE_EVTCHN_BIND = 1,     /* value: domid, more: its port; answered with the local port or a negative errno */
    FAKE_EVTCHN_VIRQ = 2,     /* value: which; answered likewise */
    FAKE_EVTCHN_NOTIFY = 3,   /* value: local port */
    FAKE_EVTCHN_UNBIND = 4,   /* value: local port */
    FAKE_EVTCHN_UNMASK = 5,   /* value: local port */
    FAKE_EVTCHN_RESTRICT = 6, /* value: domid; answered with 0 */
    FAKE_EVTCHN_AGAIN = 7,    /* value: local port of an event that came while an answer was awaited: send it again */
} FakeEvtchnOp;

typedef struct {
    uint32_t op;
    int32_t value;
    uint32_t more;
} FakeEvtchnMessage;

/* Opens a connection to the socket @name in $FAKEXEN_DIR; -1 with errno set. */
int fakeConnect(const char *name);
