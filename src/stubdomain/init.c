/*
 * stubdom-init: PID 1 of a Linux stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Turns a PV domain into the device model of a guest: file systems, modules,
 * the argument list from xenstore, QEMU, and then the command protocol until
 * QEMU ends. One process, one main loop, no shell, no service manager and no
 * configuration in the image: all a stubdomain is told comes from the toolstack.
 *
 * It is also /sbin/poweroff of the image, which the kernel calls when the
 * toolstack asks for an orderly end through control/shutdown.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init_arguments.h"
#include "init_commands.h"
#include "init_devices.h"
#include "init_display.h"
#include "init_entropy.h"
#include "init_error.h"
#include "init_log.h"
#include "init_modules.h"
#include "init_mounts.h"
#include "init_network.h"
#include "init_options.h"
#include "init_power.h"
#include "init_qemu.h"
#include "init_qmp.h"
#include "init_uevent.h"
#include "init_xenstore.h"
#include "protocol/stubdom_args.h"
#include "protocol/stubdom_paths.h"

/* XenbusStateConnected of xen/io/xenbus.h, as it goes through xenstore. */
#define XENBUS_CONNECTED "4"

typedef struct {
    InitOptions options;
    InitXenstore *store;
    InitUevents *uevents;
    guint guest;
    InitArguments *arguments;
    InitQemu qemu;
    InitQmp *qmp;
    InitCommands *commands; /* NULL until QEMU runs */
    InitDisplay *display;   /* NULL without graphics */
    gboolean ended;         /* the main loop is to end, and the domain with it */
    gboolean crashed;       /* how it ends */
} Init;

/* Ends the domain as crashed, after @error was said on console 0. */
static void
fail(Init *init, const GError *error)
{
    initLog("%s", error->message);
    init->crashed = TRUE;
    init->ended = TRUE;
}

/* --- signals and children --- */

static void
qemuEnded(Init *init, int status)
{
    if (WIFEXITED(status))
        initLog("QEMU ended with exit status %d", WEXITSTATUS(status));
    else
        initLog("QEMU was killed by signal %d (%s)", WTERMSIG(status), g_strsignal(WTERMSIG(status)));
    init->qemu.pid = 0;
    init->crashed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    init->ended = TRUE;
}

static void
reap(Init *init)
{
    int status = 0;
    pid_t pid = 0;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == init->qemu.pid)
            qemuEnded(init, status);
        else if (init->display)
            initDisplayReaped(init->display, pid, status);
    }
}

static gboolean
signalled(gint fd, GIOCondition condition, gpointer data)
{
    Init *init = data;
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD) {
            reap(init);
        } else {
            initLog("asked to power off");
            init->ended = TRUE;
        }
    }
    return G_SOURCE_CONTINUE;
}

static gboolean
signalsPrepare(Init *init, GError **error)
{
    sigset_t set;
    int fd = -1;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        initErrorSetErrno(error, errno, "cannot wait for signals");
        return FALSE;
    }
    g_unix_fd_add(fd, G_IO_IN, signalled, init);
    return TRUE;
}

/* --- QEMU is up --- */

/* What an administrator needs to know to give a stubdomain less memory, or more. */
static void
logMemory(void)
{
    g_autofree char *text = NULL;
    const char *total = NULL;
    const char *available = NULL;

    if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL))
        return;
    total = strstr(text, "MemTotal:");
    available = strstr(text, "MemAvailable:");
    if (total && available)
        initLog("memory: %" G_GUINT64_FORMAT " KiB, available %" G_GUINT64_FORMAT " KiB",
                g_ascii_strtoull(total + strlen("MemTotal:"), NULL, 10),
                g_ascii_strtoull(available + strlen("MemAvailable:"), NULL, 10));
}

static void
statusKnown(JsonNode *value, const GError *error, gpointer data)
{
    Init *init = data;
    const char *status = NULL;
    g_autoptr(GError) local = NULL;

    if (error) {
        fail(init, error);
        return;
    }
    if (init->commands)
        return;
    if (value && JSON_NODE_HOLDS_OBJECT(value))
        status = json_object_get_string_member_with_default(json_node_get_object(value), "status", NULL);
    if (g_strcmp0(status, "running") != 0) {
        initLog("QEMU is up, its status is %s", status ? status : "unknown");
        return;
    }

    if (init->options.restricted)
        initQemuTakePrivcmd();
    init->commands = initCommandsNew(init->store, init->uevents, init->qmp, init->guest, init->options.timeout,
                                     init->options.ejectTimeout, INIT_SAVE_CONSOLE, &local);
    if (!init->commands) {
        fail(init, local);
        return;
    }
    initLog("running");
    if (init->display)
        initDisplayStart(init->display, init->qmp);
    logMemory();

    /* Not needed to run, and a device cannot be asked for before. */
    if (!init->options.restricted && !initModulesLoad(INIT_MODULES_PCI, &local))
        initLog("%s", local->message);
}

static void
qmpReady(gpointer data)
{
    Init *init = data;

    initQmpExecute(init->qmp, "query-status", NULL, statusKnown, init);
}

static void
qmpEvent(const char *name, JsonNode *value, gpointer data)
{
    Init *init = data;

    if (init->commands)
        initCommandsEvent(init->commands, name, value);
    else if (g_str_equal(name, "RESUME"))
        qmpReady(init); /* a restored guest: the state is read */
}

/* --- devices are there --- */

static gboolean
openDescriptors(Init *init, GArray *fds, GError **error)
{
    InitArguments *arguments = init->arguments;

    for (guint i = 0; i < arguments->nics->len; i++) {
        int fd = initNetworkConnect(g_array_index(arguments->nics, InitNic, i).number, error);

        if (fd < 0)
            return FALSE;
        g_array_append_val(fds, fd);
        initArgumentsSetTap(arguments, i, fd);
    }
    if (arguments->incoming) {
        int fd = open(arguments->incoming, O_RDONLY | O_NOCTTY | O_CLOEXEC);

        if (fd < 0) {
            initErrorSetErrno(error, errno, arguments->incoming);
            return FALSE;
        }
        g_array_append_val(fds, fd);
        initArgumentsSetIncoming(arguments, fd);
    }
    return TRUE;
}

static void
qemuStart(Init *init)
{
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
    g_autoptr(GError) error = NULL;

    initQemuGiveNodes(init->arguments);
    if (!openDescriptors(init, fds, &error) ||
        !initQemuStart(init->arguments, (const int *)(gpointer)fds->data, fds->len, init->options.restricted,
                       &init->qemu, &error)) {
        fail(init, error);
        return;
    }
    init->qmp = initQmpNew(init->qemu.qmp, qmpReady, qmpEvent, init);
    initLog("QEMU started");
}

/* hvc_xen says Connected after its terminal is there. It numbers terminals as the toolstack does consoles. */
static gboolean
consoleConnected(guint number, gpointer data)
{
    Init *init = data;
    g_autofree char *path = g_strdup_printf("device/console/%u/state", number);
    g_autofree char *state = initXenstoreReadOptional(init->store, path);

    return g_strcmp0(state, XENBUS_CONNECTED) == 0;
}

static void
consoleChanged(gpointer data)
{
    Init *init = data;

    if (!init->qemu.pid)
        initUeventsRecheck(init->uevents);
}

static gboolean
devicesPresent(gpointer data)
{
    Init *init = data;
    g_autofree char *missing = initDevicesMissing(init->arguments, consoleConnected, init);

    return missing == NULL;
}

static void
devicesAwaited(gboolean present, gpointer data)
{
    Init *init = data;
    g_autofree char *missing = NULL;
    g_autoptr(GError) error = NULL;

    if (present) {
        qemuStart(init);
        return;
    }
    missing = initDevicesMissing(init->arguments, consoleConnected, init);
    error = g_error_new(INIT_ERROR, INIT_ERROR_TIMEOUT, "%s did not appear within %u s", missing ? missing : "a device",
                        init->options.deviceTimeout);
    fail(init, error);
}

/* --- arguments --- */

static char **
argumentsFromNodes(Init *init, const char *directory, GError **error)
{
    g_auto(GStrv) names = initXenstoreList(init->store, directory);
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    for (char **name = names; *name; name++) {
        g_autofree char *path = g_build_filename(directory, *name, NULL);
        char *value = NULL;

        if (stubdomArgsDmArgvIndex(*name) == 0)
            continue;
        value = initXenstoreRead(init->store, path, NULL, error);
        if (!value) {
            g_ptr_array_free(argv, TRUE);
            return NULL;
        }
        g_ptr_array_add(argv, value);
    }
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

static char **
argumentsRead(Init *init, GError **error)
{
    g_autofree char *domain = stubdomPathDomain(init->guest);
    g_autofree char *vmPath = g_build_filename(domain, "vm", NULL);
    g_autofree char *vm = initXenstoreRead(init->store, vmPath, NULL, error);
    g_autofree char *nodes = NULL;
    g_autofree char *single = NULL;
    g_autofree char *value = NULL;
    g_auto(GStrv) argv = NULL;
    gsize length = 0;

    if (!vm)
        return NULL;
    nodes = g_build_filename(vm, "image/dm-argv", NULL);
    argv = argumentsFromNodes(init, nodes, error);
    if (!argv || *argv)
        return g_steal_pointer(&argv);

    single = g_build_filename(vm, "image/dmargs", NULL);
    value = initXenstoreRead(init->store, single, &length, error);
    if (!value) {
        g_prefix_error(error, "no arguments for QEMU, neither in %s nor in image/dmargs: ", nodes);
        return NULL;
    }
    return stubdomArgsDecodeDmargs(value, length);
}

static gboolean
guestRead(Init *init, GError **error)
{
    g_autofree char *target = initXenstoreRead(init->store, "target", NULL, error);
    guint64 guest = 0;

    if (!target)
        return FALSE;
    if (!g_ascii_string_to_unsigned(target, 10, 1, STUBDOM_DOMID_MAX, &guest, NULL)) {
        g_set_error(error, INIT_ERROR, INIT_ERROR_XENSTORE, "xenstore node target: '%s' is no domain id", target);
        return FALSE;
    }
    init->guest = (guint)guest;
    return TRUE;
}

/* --- start --- */

static gboolean
optionsRead(Init *init, GError **error)
{
    g_autofree char *text = NULL;

    return g_file_get_contents("/proc/cmdline", &text, NULL, error) && initOptionsParse(text, &init->options, error);
}

static void
modulesLoaded(const GError *error, gpointer data)
{
    Init *init = data;

    if (error)
        fail(init, error);
    else
        initUeventsRecheck(init->uevents);
}

/* Drivers of disks and network cards wait for devices on their own account, which must not hold up the main loop. */
static gboolean
modulesLoad(Init *init, GError **error)
{
    if (initArgumentsHas(init->arguments, INIT_NODE_DISK))
        initModulesLoadBeside(INIT_MODULES_DISK, modulesLoaded, init);
    if (init->arguments->nics->len > 0)
        initModulesLoadBeside(INIT_MODULES_NETWORK, modulesLoaded, init);
    return initModulesLoad(INIT_MODULES_XEN, error);
}

/* Not a reason to give up: without it QEMU starts late. */
static void
entropyAdd(Init *init)
{
    g_autofree char *seed = initXenstoreReadOptional(init->store, STUBDOM_RANDOM_SEED_NAME);
    g_autoptr(GError) error = NULL;

    if (seed && !initEntropyAdd(seed, &error))
        initLog("%s", error->message);
}

static gboolean
start(Init *init, GError **error)
{
    g_auto(GStrv) argv = NULL;

    if (!initMountsMake(error))
        return FALSE;
    initLogOpen("/dev/console");
    if (!optionsRead(init, error) || !signalsPrepare(init, error))
        return FALSE;
    init->store = initXenstoreOpen(error);
    if (!init->store || !guestRead(init, error))
        return FALSE;
    entropyAdd(init);
    argv = argumentsRead(init, error);
    if (!argv)
        return FALSE;
    init->arguments = initArgumentsParse((const char *const *)argv, error);
    init->uevents = initUeventsNew(error);
    if (!init->arguments || !init->uevents || !modulesLoad(init, error) ||
        !initXenstoreWatch(init->store, "device/console", consoleChanged, init, error))
        return FALSE;
    initDevicesPoke(init->store);
    if (initDisplayWanted(init->store) && !(init->display = initDisplayNew(init->store, init->arguments, error)))
        return FALSE;
    initLog("device model of domain %u, %u arguments", init->guest, init->arguments->argv->len);
    return TRUE;
}

/*
 * The kernel's own request, see the head of this file. Anywhere but in a
 * stubdomain PID 1 is somebody else, and must not be sent a signal.
 */
static int
askPid1(void)
{
    g_autofree char *own = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *first = g_file_read_link("/proc/1/exe", NULL);

    if (!own || g_strcmp0(own, first) != 0) {
        initLog("this is PID 1 of a stubdomain, and of no use elsewhere");
        return 2;
    }
    return kill(1, SIGTERM) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    Init init = {0};
    g_autoptr(GError) error = NULL;

    if (getpid() != 1)
        return askPid1();

    if (start(&init, &error)) {
        initUeventsAwait(init.uevents, init.options.deviceTimeout, devicesPresent, devicesAwaited, &init);
        while (!init.ended)
            g_main_context_iteration(NULL, TRUE);
    } else {
        fail(&init, error);
    }
    initLog(init.crashed ? "the stubdomain ends (crash)" : "the stubdomain ends (poweroff)");
    if (init.crashed)
        initPowerCrash();
    initPowerOff();
}
