/*
 * What xen-stubdom-dm and xen-stubdom-display say to each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One fixed structure a packet over a SOCK_SEQPACKET socket pair, both ways.
 * The display handles what a stubdomain and viewers say, so what it says itself
 * is checked as strictly as if they had said it. No I/O here.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The display's end of the socket pair. */
#define DISPLAY_WORKER_FD 3

/* Viewers at a time. */
#define DISPLAY_VIEWERS_MAX 16U

/* Listening sockets of a guest. */
#define DISPLAY_LISTENERS_MAX 8U
/* In place of a listener's number: the connection was handed in. */
#define DISPLAY_LISTENER_NONE DISPLAY_LISTENERS_MAX

/* Of a password, with its NUL; VNC looks at the first eight bytes. */
#define DISPLAY_TEXT_SIZE 64U

/* Linux's codes of keys and buttons are below this (KEY_CNT). */
#define DISPLAY_KEYS 768U

/* Most bytes of framebuffer a stubdomain may have the display map, and what it has if nothing is said. */
#define DISPLAY_MEMORY_MAX (256U << 20)
#define DISPLAY_MEMORY_DEFAULT (16U << 20)

/* A picture in the frontend's memory. Signed in the interface; a negative number is too large here. */
typedef struct {
    uint32_t width;  /* pixels */
    uint32_t height; /* pixels */
    uint32_t stride; /* bytes from one row to the next */
    uint32_t offset; /* bytes before the first row */
    uint32_t depth;  /* bits of a pixel, 8, 16, 24 or 32 */
} DisplayGeometry;

typedef enum {
    DISPLAY_DEVICE_FRAMEBUFFER = 0,
    DISPLAY_DEVICE_KEYBOARD,
    DISPLAY_DEVICES,
} DisplayDevice;

typedef enum {
    DISPLAY_REQUEST_CONNECT = 1,   /* device: map page @frame, or at @frame of the descriptor sent along; bind @port */
    DISPLAY_REQUEST_DISCONNECT,    /* device */
    DISPLAY_REQUEST_LISTEN,        /* the descriptor sent along listens; @value is its number */
    DISPLAY_REQUEST_POLICY,        /* flags: who may look */
    DISPLAY_REQUEST_PASSWORD,      /* text; without DISPLAY_FLAG_SET: there is none, nobody may come */
    DISPLAY_REQUEST_EXPIRE,        /* time: when the password ends, seconds since 1970; 0: never */
    DISPLAY_REQUEST_CLOSE_VIEWERS, /* all that are there */
    DISPLAY_REQUEST_VIEWER,        /* the descriptor sent along is a viewer */
    DISPLAY_REQUEST_KEY,           /* @value: code; DISPLAY_FLAG_SET: down */
    DISPLAY_REQUEST_DUMP,          /* write the picture into the file sent along */
    DISPLAY_REQUEST_LAST,
} DisplayRequestType;

#define DISPLAY_FLAG_SET 1U
/* CONNECT: page numbers in the page directory have 32 bits; the frontend wants absolute, or raw, pointer coordinates.
 */
#define DISPLAY_FLAG_ABI32 2U
#define DISPLAY_FLAG_ABSOLUTE 4U
#define DISPLAY_FLAG_RAW 8U
/* LISTEN, VIEWER: */
#define DISPLAY_FLAG_WEBSOCKET 16U
#define DISPLAY_FLAG_SKIP_AUTH 32U
/* POLICY: a password is asked for; who may look together: default is that a viewer may throw out the others. */
#define DISPLAY_FLAG_PASSWORD 64U
#define DISPLAY_FLAG_FORCE_SHARED 128U
#define DISPLAY_FLAG_IGNORE_SHARED 256U
#define DISPLAY_FLAGS 511U

typedef struct {
    uint32_t type;       /* DisplayRequestType */
    uint32_t generation; /* comes back in the answers */
    uint32_t device;     /* DisplayDevice */
    uint32_t flags;      /* DISPLAY_FLAG_… */
    uint32_t value;
    uint32_t port; /* the stubdomain's event channel port */
    uint64_t frame;
    int64_t time;
    DisplayGeometry geometry;     /* CONNECT: of the last RESIZED, which is not said again; width 0: none */
    char text[DISPLAY_TEXT_SIZE]; /* ends with NUL */
} DisplayRequest;

typedef enum {
    DISPLAY_REPLY_CONNECTED = 1,      /* answer to CONNECT; @error is 0 or why not */
    DISPLAY_REPLY_DISCONNECTED,       /* answer to DISCONNECT */
    DISPLAY_REPLY_BROKEN,             /* what the frontend says makes no sense; the device is disconnected */
    DISPLAY_REPLY_DUMPED,             /* answer to DUMP */
    DISPLAY_REPLY_RESIZED,            /* @geometry: what the frontend made of the picture after it connected */
    DISPLAY_REPLY_VIEWER_CONNECTED,   /* @viewer, @listener, @host, @service */
    DISPLAY_REPLY_VIEWER_INITIALIZED, /* @viewer: it may look */
    DISPLAY_REPLY_VIEWER_GONE,        /* @viewer */
    DISPLAY_REPLY_LAST,
} DisplayReplyType;

/* Where a viewer comes from. */
typedef enum {
    DISPLAY_FAMILY_UNKNOWN = 0,
    DISPLAY_FAMILY_IPV4,
    DISPLAY_FAMILY_IPV6,
    DISPLAY_FAMILY_UNIX,
    DISPLAY_FAMILIES,
} DisplayFamily;

#define DISPLAY_HOST_SIZE 48U
#define DISPLAY_SERVICE_SIZE 8U

typedef struct {
    uint32_t type;       /* DisplayReplyType */
    uint32_t generation; /* of the request it belongs to */
    uint32_t device;     /* DisplayDevice */
    int32_t error;       /* errno or 0 */
    uint32_t viewer;     /* a number no other viewer had */
    uint32_t listener;   /* where it came in; DISPLAY_LISTENER_NONE: it was handed in */
    uint32_t family;     /* DisplayFamily */
    uint32_t flags;      /* DISPLAY_FLAG_WEBSOCKET */
    char host[DISPLAY_HOST_SIZE];
    char service[DISPLAY_SERVICE_SIZE];
    DisplayGeometry geometry; /* whoever is given it checks it */
} DisplayReply;

/**
 * displayRequestParse:
 * @data: a packet
 * @length: its bytes
 * @request: (out)
 *
 * Returns: false if it is no request
 */
bool displayRequestParse(const void *data, size_t length, DisplayRequest *request);

/** The same for a reply; its texts are printable ASCII then. */
bool displayReplyParse(const void *data, size_t length, DisplayReply *reply);
