/*
 * Connections that have not spoken yet
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "display_lobby.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a connection may be silent, in milliseconds. */
#define SILENCE_MAX 10000

/* Connections a second. */
#define ACCEPTED_MAX 200U

/* What a server says first. */
#define VERSION "RFB 003.008\n"
#define VERSION_LENGTH (sizeof(VERSION) - 1)

void
displayLobbyInit(DisplayLobby *lobby)
{
    memset(lobby, 0, sizeof(*lobby));
    for (unsigned int i = 0; i < DISPLAY_LISTENERS_MAX; i++) {
        lobby->listeners[i].fd = -1;
    }
    for (unsigned int i = 0; i < DISPLAY_LOBBY_MAX; i++) {
        lobby->guests[i].fd = -1;
    }
}

void
displayLobbyListen(DisplayLobby *lobby, uint32_t number, int fd, uint32_t flags)
{
    if (lobby->listeners[number].fd >= 0) {
        close(lobby->listeners[number].fd);
    }
    lobby->listeners[number].fd = fd;
    lobby->listeners[number].flags = flags & DISPLAY_FLAG_WEBSOCKET;
}

bool
displayLobbyOpen(DisplayLobby *lobby, int64_t now, int *wait)
{
    if (now - lobby->second >= 1000) {
        lobby->second = now;
        lobby->accepted = 0;
    }
    *wait = (int)(lobby->second + 1000 - now);
    return lobby->accepted < ACCEPTED_MAX;
}

static void
dismiss(DisplayGuest *guest)
{
    close(guest->fd);
    guest->fd = -1;
}

/* A free place; if there is none, the one who has been silent for longest goes. */
static DisplayGuest *
makeRoom(DisplayLobby *lobby)
{
    DisplayGuest *oldest = &lobby->guests[0];

    for (unsigned int i = 0; i < DISPLAY_LOBBY_MAX; i++) {
        if (lobby->guests[i].fd < 0) {
            return &lobby->guests[i];
        }
        if (lobby->guests[i].deadline < oldest->deadline) {
            oldest = &lobby->guests[i];
        }
    }
    dismiss(oldest);
    return oldest;
}

int
displayLobbyAdd(DisplayLobby *lobby, int fd, uint32_t listener, uint32_t flags, int64_t now)
{
    DisplayGuest *guest = makeRoom(lobby);

    /* One that is accepted is so already; for one that is handed in, libvncserver would wait for ever. */
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    *guest = (DisplayGuest){.fd = fd, .listener = listener, .flags = flags, .deadline = now + SILENCE_MAX};
    guest->readable = true;
    if (!(flags & DISPLAY_FLAG_WEBSOCKET) &&
        send(fd, VERSION, VERSION_LENGTH, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)VERSION_LENGTH) {
        dismiss(guest);
        return -1;
    }
    return (int)(guest - lobby->guests);
}

int
displayLobbyAccept(DisplayLobby *lobby, uint32_t number, int64_t now)
{
    int fd = accept4(lobby->listeners[number].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return -1;
    }
    lobby->accepted++;
    return displayLobbyAdd(lobby, fd, number, lobby->listeners[number].flags, now);
}

/* Bytes of a whole hello at the beginning of what came; 0: there is more to come. */
static size_t
helloLength(const DisplayGuest *guest, const char *data, size_t have)
{
    const char *end;

    if (!(guest->flags & DISPLAY_FLAG_WEBSOCKET)) {
        return have >= VERSION_LENGTH ? VERSION_LENGTH : 0;
    }
    end = memmem(data, have, "\r\n\r\n", 4);
    return end ? (size_t)(end - data) + 4 : 0;
}

/* libvncserver keeps the path of each request line, and frees one. */
static bool
helloRepeats(const DisplayGuest *guest, const char *data, size_t length)
{
    return guest->flags & DISPLAY_FLAG_WEBSOCKET && memmem(data, length, "\nGET ", 5);
}

/* Whether what came can be the beginning of a hello. */
static bool
helloPossible(const DisplayGuest *guest, const char *data, size_t have)
{
    const char *begin = guest->flags & DISPLAY_FLAG_WEBSOCKET ? "GET " : "RFB ";

    return memcmp(data, begin, have < 4 ? have : 4) == 0 && have < DISPLAY_HELLO_MAX;
}

static void
lookAt(DisplayGuest *guest, DisplayLobbyFunc func, void *opaque)
{
    char data[DISPLAY_HELLO_MAX];
    ssize_t have = recv(guest->fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);
    size_t length;

    guest->readable = false;
    if (have < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (have <= 0) {
        dismiss(guest);
        return;
    }
    length = helloLength(guest, data, (size_t)have);
    if (length && !helloRepeats(guest, data, length)) {
        int fd = guest->fd;

        guest->fd = -1;
        func(fd, data, length, guest->flags, guest->listener, opaque);
    } else if (length || !helloPossible(guest, data, (size_t)have)) {
        dismiss(guest);
    }
}

int
displayLobbyRun(DisplayLobby *lobby, int64_t now, DisplayLobbyFunc func, void *opaque)
{
    int wait = -1;

    for (unsigned int i = 0; i < DISPLAY_LOBBY_MAX; i++) {
        DisplayGuest *guest = &lobby->guests[i];

        if (guest->fd >= 0 && guest->readable) {
            lookAt(guest, func, opaque);
        }
        if (guest->fd >= 0 && guest->deadline <= now) {
            dismiss(guest);
        }
        if (guest->fd >= 0 && (wait < 0 || guest->deadline - now < wait)) {
            wait = (int)(guest->deadline - now);
        }
    }
    return wait;
}
