/*
 * What xen-stubdom-dm and its console worker say to each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One fixed structure a packet over a SOCK_SEQPACKET socket pair, both ways.
 * The worker handles a stubdomain's bytes, so what it says is checked as
 * strictly as if the stubdomain had said it. No I/O here.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Console numbers are below this. Linux's hvc_xen takes the last character of the number only, so 9 is the last that
 * works. */
#define CONSOLE_NUMBER_MAX 9U
#define CONSOLE_NUMBERS (CONSOLE_NUMBER_MAX + 1U)

/* The worker's end of the socket pair. */
#define CONSOLE_WORKER_FD 3

typedef enum {
    CONSOLE_REQUEST_CONNECT = 1, /* map @ref, bind @port */
    CONSOLE_REQUEST_DISCONNECT,  /* take what is in the ring, then unmap and unbind */
    CONSOLE_REQUEST_PEER,        /* the descriptor sent along is dom0's end; none: bytes are discarded */
    CONSOLE_REQUEST_DRAIN,       /* answer when the ring holds nothing that is older than this */
    CONSOLE_REQUEST_LAST,
} ConsoleRequestType;

/* Flags of CONSOLE_REQUEST_PEER: what the descriptor is for. */
#define CONSOLE_PEER_READ 1U  /* bytes for the stubdomain are read from it */
#define CONSOLE_PEER_WRITE 2U /* bytes of the stubdomain are written to it */
#define CONSOLE_PEER_LOSSY                                                                                             \
    4U /* when it is full the oldest bytes are dropped; the stubdomain never waits for it (a pty) */
#define CONSOLE_PEER_FLAGS 7U

typedef struct {
    uint32_t type;       /* ConsoleRequestType */
    uint32_t console;    /* 1..CONSOLE_NUMBER_MAX */
    uint32_t generation; /* comes back in the answers */
    uint32_t flags;      /* PEER: CONSOLE_PEER_… */
    uint32_t ref;        /* CONNECT: grant reference */
    uint32_t port;       /* CONNECT: the stubdomain's event channel port */
    uint64_t limit;      /* PEER: bytes accepted from the stubdomain, 0: no limit */
} ConsoleRequest;

typedef enum {
    CONSOLE_REPLY_CONNECTED = 1, /* answer to CONNECT; @error is 0 or why not */
    CONSOLE_REPLY_DISCONNECTED,  /* answer to DISCONNECT */
    CONSOLE_REPLY_DRAINED,       /* answer to DRAIN; @error is the first error of writing to the peer */
    CONSOLE_REPLY_PEER_CLOSED,   /* the peer is gone: EOF (@error is 0) or an error */
    CONSOLE_REPLY_LIMIT,         /* more than the limit came; the rest is discarded */
    CONSOLE_REPLY_BROKEN,        /* the ring made no sense; the console is disconnected */
    CONSOLE_REPLY_LAST,
} ConsoleReplyType;

typedef struct {
    uint32_t type;           /* ConsoleReplyType */
    uint32_t console;        /* 1..CONSOLE_NUMBER_MAX */
    uint32_t generation;     /* of the CONNECT, PEER or DRAIN it belongs to */
    int32_t error;           /* errno or 0 */
    uint64_t fromStubdomain; /* bytes taken from the stubdomain since the last PEER */
    uint64_t toStubdomain;   /* bytes given to it since the last PEER */
} ConsoleReply;

/**
 * consoleRequestParse:
 * @data: a packet
 * @length: its bytes
 * @request: (out)
 *
 * Returns: false if it is no request
 */
bool consoleRequestParse(const void *data, size_t length, ConsoleRequest *request);

/** The same for a reply. */
bool consoleReplyParse(const void *data, size_t length, ConsoleReply *reply);
