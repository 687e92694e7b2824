/*
 * stubdom-viewer: QEMU's display on the stubdomain's PV framebuffer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Started by stubdom-init (init_display.h) in a stubdomain that has a PV
 * framebuffer. It is a viewer of QEMU's VNC server: what QEMU draws goes into
 * the framebuffer, what comes from the PV keyboard goes to QEMU. It sleeps in
 * poll() unless something changes, and asks QEMU for changes no more often than
 * the framebuffer's driver sends them on. Everything it works with are
 * descriptors it inherits; it opens nothing. It may die at any time: it is
 * started again and sees the whole picture anew.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdint.h>

#include <xen/xen.h>

#include <xen/evtchn.h>

#include "viewer_keyboard.h"
#include "viewer_rfb.h"
#include "viewer_sandbox.h"
#include "viewer_screen.h"
#include "init_error.h"

/* Between two questions for what has changed: xen-fbfront sends on every HZ/20. */
#define INTERVAL (50 * G_TIME_SPAN_MILLISECOND)

/* Rows a system call reads. */
#define VECTORS_MAX 64U

/* Bytes QEMU has not taken yet, from which on the PV keyboard has to wait. */
#define OUTPUT_MAX 4096U

#define PAGE_SIZE 4096U

typedef struct {
    int rfbFd;
    int portFd;   /* /dev/xen/evtchn, bound to one port; or -1 */
    guint32 port; /* that port */
    ViewerRfb *rfb;
    ViewerScreen screen;
    ViewerKeyboard keyboard;
    gint64 asked; /* when changes were asked for last, monotonic microseconds */
} Viewer;

static void
say(const char *text)
{
    g_autofree char *line = g_strdup_printf("stubdom-viewer: %s\n", text);

    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        return; /* nobody to tell */
}

static void
resized(guint width, guint height, ViewerPicture *picture, gpointer data)
{
    Viewer *viewer = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    if (!viewerScreenResize(&viewer->screen, width, height, picture, &error))
        say(error->message);
    if (picture->width < width || picture->height < height) {
        text = g_strdup_printf("of the guest's %u x %u pixels %u x %u are shown", width, height, picture->width,
                               picture->height);
        say(text);
    }
}

/* --- QEMU --- */

static gboolean
receive(Viewer *viewer, GError **error)
{
    struct iovec vectors[VECTORS_MAX];
    guint count = viewerRfbVectors(viewer->rfb, vectors, VECTORS_MAX);
    ssize_t length = readv(viewer->rfbFd, vectors, (int)count);

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return TRUE;
    if (length < 0) {
        initErrorSetErrno(error, errno, "QEMU's VNC server");
        return FALSE;
    }
    if (length == 0) {
        g_set_error_literal(error, INIT_ERROR, INIT_ERROR_RFB, "QEMU's VNC server has closed the connection");
        return FALSE;
    }
    return viewerRfbReceived(viewer->rfb, (gsize)length, error);
}

static gboolean
transmit(Viewer *viewer, GError **error)
{
    GByteArray *output = viewerRfbOutput(viewer->rfb);
    ssize_t length;

    if (output->len == 0)
        return TRUE;
    length = send(viewer->rfbFd, output->data, output->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return TRUE;
    if (length < 0) {
        initErrorSetErrno(error, errno, "QEMU's VNC server");
        return FALSE;
    }
    g_byte_array_remove_range(output, 0, (guint)length);
    return TRUE;
}

/* Milliseconds until changes may be asked for; -1: not the next thing to do. */
static int
untilAsk(const Viewer *viewer)
{
    gint64 left;

    if (!viewerRfbWantsUpdate(viewer->rfb))
        return -1;
    left = viewer->asked + INTERVAL - g_get_monotonic_time();
    return left <= 0 ? 0 : (int)(left / G_TIME_SPAN_MILLISECOND) + 1;
}

static void
ask(Viewer *viewer)
{
    if (untilAsk(viewer) != 0)
        return;
    viewer->asked = g_get_monotonic_time();
    viewerRfbAskUpdate(viewer->rfb);
}

/* --- the PV keyboard --- */

static gboolean
serveKeyboard(Viewer *viewer, gboolean signalled, GError **error)
{
    struct ioctl_evtchn_notify notify = {.port = viewer->port};
    guint32 port;

    if (signalled && (read(viewer->portFd, &port, sizeof(port)) != sizeof(port) ||
                      write(viewer->portFd, &viewer->port, sizeof(port)) != sizeof(port))) {
        initErrorSetErrno(error, errno, "event channel of the PV keyboard");
        return FALSE;
    }
    /* Told or not, there is another signal after the last event. */
    if (viewerKeyboardRead(&viewer->keyboard, viewer->rfb, OUTPUT_MAX))
        (void)ioctl(viewer->portFd, IOCTL_EVTCHN_NOTIFY, &notify);
    return TRUE;
}

/* What came while nobody listened: its signal may have been taken by a process that is gone. */
static gboolean
startKeyboard(Viewer *viewer, GError **error)
{
    if (viewer->portFd < 0)
        return TRUE;
    if (write(viewer->portFd, &viewer->port, sizeof(viewer->port)) != sizeof(viewer->port)) {
        initErrorSetErrno(error, errno, "event channel of the PV keyboard");
        return FALSE;
    }
    return serveKeyboard(viewer, FALSE, error);
}

/* --- the loop --- */

static gboolean
turn(Viewer *viewer, GError **error)
{
    GByteArray *output = viewerRfbOutput(viewer->rfb);
    struct pollfd fds[] = {
        {.fd = viewer->rfbFd, .events = (short)(POLLIN | (output->len ? POLLOUT : 0))},
        {.fd = output->len < OUTPUT_MAX ? viewer->portFd : -1, .events = POLLIN},
    };
    gboolean full = output->len >= OUTPUT_MAX;

    if (poll(fds, G_N_ELEMENTS(fds), untilAsk(viewer)) < 0 && errno != EINTR) {
        initErrorSetErrno(error, errno, "cannot wait");
        return FALSE;
    }
    if (fds[0].revents & (POLLIN | POLLERR | POLLHUP)) {
        if (!receive(viewer, error))
            return FALSE;
    }
    ask(viewer);
    if (!transmit(viewer, error))
        return FALSE;
    if (viewer->portFd >= 0 && (fds[1].revents || (full && output->len < OUTPUT_MAX))) {
        if (!serveKeyboard(viewer, fds[1].revents != 0, error))
            return FALSE;
    }
    return TRUE;
}

/* After this no file can be opened; the C library does so for its messages. */
static gboolean
enterSandbox(GError **error)
{
    int number;

    (void)g_strerror(EIO);
    number = viewerSandboxEnter();
    if (number != 0)
        initErrorSetErrno(error, number, "system call filter");
    return number == 0;
}

/* RFB FRAMEBUFFER WIDTH HEIGHT [PAGE PORTS PORT]: descriptors, the largest picture, and a number. */
static gboolean
start(Viewer *viewer, int argc, char **argv, GError **error)
{
    guint64 numbers[7] = {0};

    if (argc != 5 && argc != 8) {
        g_set_error_literal(error, INIT_ERROR, INIT_ERROR_ARGUMENT, "this is started by stubdom-init");
        return FALSE;
    }
    for (int i = 1; i < argc; i++) {
        if (!g_ascii_string_to_unsigned(argv[i], 10, 0, G_MAXINT, &numbers[i - 1], error))
            return FALSE;
    }
    viewer->rfbFd = (int)numbers[0];
    if (fcntl(viewer->rfbFd, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
        initErrorSetErrno(error, errno, "QEMU's VNC server");
        return FALSE;
    }
    if (!viewerScreenOpen(&viewer->screen, (int)numbers[1], (guint)numbers[2], (guint)numbers[3], error))
        return FALSE;
    viewer->portFd = -1;
    if (argc == 8) {
        viewer->keyboard.page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)numbers[4], 0);
        if (viewer->keyboard.page == MAP_FAILED) {
            initErrorSetErrno(error, errno, "cannot map the page of the PV keyboard");
            return FALSE;
        }
        viewer->portFd = (int)numbers[5];
        viewer->port = (guint32)numbers[6];
    }
    viewer->rfb = viewerRfbNew(resized, viewer);
    return enterSandbox(error) && startKeyboard(viewer, error);
}

int
main(int argc, char **argv)
{
    static Viewer viewer;
    g_autoptr(GError) error = NULL;

    if (start(&viewer, argc, argv, &error)) {
        while (turn(&viewer, &error))
            continue;
    }
    say(error->message);
    return 1;
}
