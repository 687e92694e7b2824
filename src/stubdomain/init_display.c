/*
 * The display of the stubdomain, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "init_display.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init_error.h"
#include "init_keyboard.h"
#include "init_log.h"
#include "init_modules.h"

#define VIEWER_PATH "/usr/libexec/stubdom-viewer"
#define CONSOLE_PATH "/dev/console"
#define FRAMEBUFFER_PATH "/dev/fb0"
#define SOCKET_NAME "stubdom-viewer"

/* The server listens nowhere. Its keys come with their place alone, so it cannot tell from a symbol that Num Lock or
 * Caps Lock is on at the viewer's side, and must not try. */
#define VNC_SERVER "none,lock-key-sync=off"

/* Deaths in a row, each sooner than LIFE_SHORT after the start, until no more is tried. */
#define DEATHS_MAX 5U
#define LIFE_SHORT (10L * G_USEC_PER_SEC)
#define RESTART_SECONDS 1U

/* All members: main loop only. */
struct InitDisplay {
    InitQmp *qmp; /* NULL until QEMU is up */
    InitKeyboard *keyboard;
    int framebuffer;
    guint width; /* of the largest picture */
    guint height;
    pid_t pid;
    gint64 started; /* monotonic microseconds */
    guint deaths;
};

gboolean
initDisplayWanted(InitXenstore *store)
{
    g_autofree char *backend = initXenstoreReadOptional(store, "device/vfb/0/backend");

    return backend != NULL;
}

static gboolean
openFramebuffer(InitDisplay *display, GError **error)
{
    struct fb_var_screeninfo variable = {0};

    display->framebuffer = open(FRAMEBUFFER_PATH, O_RDWR | O_CLOEXEC);
    if (display->framebuffer < 0 || ioctl(display->framebuffer, FBIOGET_VSCREENINFO, &variable) < 0) {
        initErrorSetErrno(error, errno, FRAMEBUFFER_PATH);
        return FALSE;
    }
    display->width = variable.xres;
    display->height = variable.yres;
    return TRUE;
}

static gboolean
prepare(InitDisplay *display, InitXenstore *store, GError **error)
{
    g_autofree char *keyboard = initXenstoreReadOptional(store, "device/vkbd/0/backend");

    if (!openFramebuffer(display, error))
        return FALSE;
    if (!keyboard)
        return TRUE;
    if (!initModulesLoad(INIT_MODULES_DISPLAY, error))
        return FALSE;
    display->keyboard = initKeyboardNew(store, error);
    return display->keyboard != NULL;
}

InitDisplay *
initDisplayNew(InitXenstore *store, InitArguments *arguments, GError **error)
{
    InitDisplay *display = g_new0(InitDisplay, 1);

    display->framebuffer = -1;
    if (!prepare(display, store, error)) {
        if (display->framebuffer >= 0)
            close(display->framebuffer);
        g_free(display);
        return NULL;
    }
    g_ptr_array_add(arguments->argv, g_strdup("-vnc"));
    g_ptr_array_add(arguments->argv, g_strdup(VNC_SERVER));
    return display;
}

/* --- the process --- */

static void childFail(const char *what) G_GNUC_NORETURN;

/* From here to execve() only async-signal-safe calls: libxenstore has a thread. */
static void
childFail(const char *what)
{
    dprintf(STDERR_FILENO, "stubdom-init: stubdom-viewer not started: %s: errno %d\n", what, errno);
    _exit(127);
}

static void childExec(char **argv, const int *fds, gsize nFds, int console) G_GNUC_NORETURN;

static void
childExec(char **argv, const int *fds, gsize nFds, int console)
{
    static const struct rlimit none = {0, 0};
    static char *environment[] = {(char *)"PATH=/nonexistent", (char *)"LC_ALL=C", NULL};
    sigset_t nothing;

    sigemptyset(&nothing);
    (void)sigprocmask(SIG_SETMASK, &nothing, NULL);
    if (console >= 0 && (dup2(console, STDOUT_FILENO) < 0 || dup2(console, STDERR_FILENO) < 0))
        _exit(127);
    for (gsize i = 0; i < nFds; i++) {
        if (fds[i] >= 0 && fcntl(fds[i], F_SETFD, 0) < 0)
            childFail("inherit a descriptor");
    }
    (void)setrlimit(RLIMIT_CORE, &none);
    if (setgroups(0, NULL) < 0 || setresgid(INIT_DISPLAY_ID, INIT_DISPLAY_ID, INIT_DISPLAY_ID) < 0 ||
        setresuid(INIT_DISPLAY_ID, INIT_DISPLAY_ID, INIT_DISPLAY_ID) < 0)
        childFail("change user");
    execve(VIEWER_PATH, argv, environment);
    childFail(VIEWER_PATH);
}

static char **
commandLine(const InitDisplay *display, int rfb)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    int numbers[] = {rfb,
                     display->framebuffer,
                     (int)display->width,
                     (int)display->height,
                     display->keyboard ? initKeyboardPage(display->keyboard) : -1,
                     display->keyboard ? initKeyboardPorts(display->keyboard) : -1,
                     display->keyboard ? (int)initKeyboardPort(display->keyboard) : -1};

    g_strv_builder_add(builder, "stubdom-viewer");
    for (gsize i = 0; i < (display->keyboard ? G_N_ELEMENTS(numbers) : 4U); i++) {
        g_autofree char *text = g_strdup_printf("%d", numbers[i]);

        g_strv_builder_add(builder, text);
    }
    return g_strv_builder_end(builder);
}

static void
spawn(InitDisplay *display, int rfb)
{
    g_auto(GStrv) argv = commandLine(display, rfb);
    const int fds[] = {rfb, display->framebuffer, display->keyboard ? initKeyboardPage(display->keyboard) : -1,
                       display->keyboard ? initKeyboardPorts(display->keyboard) : -1};
    int console = open(CONSOLE_PATH, O_WRONLY | O_NOCTTY | O_CLOEXEC);

    display->started = g_get_monotonic_time();
    display->pid = fork();
    if (display->pid == 0)
        childExec(argv, fds, G_N_ELEMENTS(fds), console);
    if (display->pid < 0)
        initLog("cannot start stubdom-viewer: %s", g_strerror(errno));
    if (console >= 0)
        close(console);
}

static void
clientAdded(JsonNode *value, const GError *error, gpointer data)
{
    if (error)
        initLog("%s", error->message);
}

/* QEMU takes a descriptor by name, and then the name for a viewer. Its answers are not waited for: they come in order,
 * and if it refuses, our end of the socket is closed and stubdom-viewer ends. */
static void
connectViewer(InitDisplay *display, int fd)
{
    JsonObject *take = json_object_new();
    JsonObject *add = json_object_new();

    json_object_set_string_member(take, "fdname", SOCKET_NAME);
    initQmpExecuteWith(display->qmp, "getfd", take, fd, clientAdded, display);
    json_object_set_string_member(add, "protocol", "vnc");
    json_object_set_string_member(add, "fdname", SOCKET_NAME);
    json_object_set_boolean_member(add, "skipauth", TRUE);
    initQmpExecute(display->qmp, "add_client", add, clientAdded, display);
}

void
initDisplayStart(InitDisplay *display, InitQmp *qmp)
{
    int pair[2] = {-1, -1};

    display->qmp = qmp;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        initLog("cannot make the socket of stubdom-viewer: %s", g_strerror(errno));
        return;
    }
    connectViewer(display, pair[1]);
    spawn(display, pair[0]);
    close(pair[0]);
    close(pair[1]);
}

static gboolean
restart(gpointer data)
{
    InitDisplay *display = data;

    initDisplayStart(display, display->qmp);
    return G_SOURCE_REMOVE;
}

void
initDisplayReaped(InitDisplay *display, pid_t pid, int status)
{
    if (pid != display->pid)
        return;
    display->pid = 0;
    if (g_get_monotonic_time() - display->started > LIFE_SHORT)
        display->deaths = 0;
    if (++display->deaths > DEATHS_MAX) {
        initLog("stubdom-viewer ended (status 0x%x) for the %uth time: the guest has no display from now on", status,
                display->deaths);
        return;
    }
    initLog("stubdom-viewer ended (status 0x%x) and is started again", status);
    g_timeout_add_seconds(RESTART_SECONDS, restart, display);
}
