/*
 * Connections that have not spoken yet
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Listening sockets, and connections until they say who they are: an RFB
 * version, or an HTTP request. Such a connection costs a descriptor and a few
 * bytes, and gives way to newer ones; how many come in a second is limited.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device_model/display_message.h"

#define DISPLAY_LOBBY_MAX 16U

/* Bytes of an HTTP request. */
#define DISPLAY_HELLO_MAX 4096U

typedef struct {
    int fd; /* -1: free */
    uint32_t listener;
    uint32_t flags;   /* DISPLAY_FLAG_WEBSOCKET, DISPLAY_FLAG_SKIP_AUTH */
    int64_t deadline; /* milliseconds */
    bool readable;
} DisplayGuest;

typedef struct {
    struct {
        int fd; /* -1: free */
        uint32_t flags;
    } listeners[DISPLAY_LISTENERS_MAX];
    DisplayGuest guests[DISPLAY_LOBBY_MAX];
    int64_t second; /* of @accepted, in milliseconds */
    unsigned int accepted;
} DisplayLobby;

/* It has spoken; @fd is (transfer full), and @hello is still in it. */
typedef void (*DisplayLobbyFunc)(int fd, const char *hello, size_t length, uint32_t flags, uint32_t listener,
                                 void *opaque);

void displayLobbyInit(DisplayLobby *lobby);

/** Adds a listening socket, which becomes the lobby's. */
void displayLobbyListen(DisplayLobby *lobby, uint32_t number, int fd, uint32_t flags);

/** Whether another connection may be accepted now; if not, @wait milliseconds later. */
bool displayLobbyOpen(DisplayLobby *lobby, int64_t now, int *wait);

/** Accepts a connection of a listener; its place, or -1. */
int displayLobbyAccept(DisplayLobby *lobby, uint32_t number, int64_t now);

/** Adds a connection that was handed in; its place, or -1. */
int displayLobbyAdd(DisplayLobby *lobby, int fd, uint32_t listener, uint32_t flags, int64_t now);

/** Looks at who has spoken; returns in how many milliseconds somebody's time is over, -1: nobody is there. */
int displayLobbyRun(DisplayLobby *lobby, int64_t now, DisplayLobbyFunc func, void *opaque);
