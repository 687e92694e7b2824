/*
 * Methods on what a domain shows
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures, keys and viewers that come through libvirt. The device model has
 * the display process do them; a domain without <graphics> has none.
 */

#include "stubdom_compat.h"

#include "stubdom_screen.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datatypes.h"
#include "viraccessapicheck.h"
#include "virfdstream.h"
#include "virfile.h"
#include "virkeycode.h"

#include "stubdom_list.h"
#include "stubdom_method.h"

/* Seconds for the display process: a picture is some MiB, and the guest is not asked. */
#define SCREEN_TIMEOUT 20
/* Milliseconds keys can be held down: xen-stubdom-dm's own limit. */
#define HOLD_MAX 10000
#define MILLISECONDS 1000

/* With the job: the connection to the device model of a domain that has a display; NULL with an error reported. */
static StubdomMonitor *
displayMonitor(const virDomainObj *vm)
{
    if (!vm->def->ngraphics) {
        virReportError(VIR_ERR_OPERATION_UNSUPPORTED, _("the domain '%s' has no <graphics>, and so no display"),
                       vm->def->name);
        return NULL;
    }
    return stubdomDomainMonitor(vm);
}

/* --- pictures --------------------------------------------------------------------------- */

static int
takePicture(virDomainObj *vm, const char *file)
{
    StubdomMonitor *monitor = displayMonitor(vm);
    g_autoptr(virJSONValue) arguments = NULL;
    int status = -1;

    if (!monitor) {
        return -1;
    }
    virObjectUnlock(vm);
    if (virJSONValueObjectAdd(&arguments, "s:filename", file, NULL) >= 0) {
        status = stubdomMonitorCommand(monitor, "screendump", &arguments, SCREEN_TIMEOUT, NULL);
    }
    virObjectLock(vm);
    stubdomMonitorUnref(monitor);
    return status;
}

/* The file is unlinked as soon as the stream has it open. */
static char *
sendPicture(const StubdomDriver *driver, virDomainObj *vm, virStreamPtr stream)
{
    g_autofree char *file = g_strdup_printf("%s/screen-XXXXXX", driver->stateDir);
    VIR_AUTOCLOSE fd = g_mkstemp_full(file, O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    int status;

    if (fd < 0) {
        virReportSystemError(errno, _("cannot make the file '%s'"), file);
        return NULL;
    }
    status = takePicture(vm, file);
    if (status == 0) {
        status = virFDStreamOpenFile(stream, file, 0, 0, O_RDONLY);
    }
    unlink(file);
    return status == 0 ? g_strdup("image/x-portable-pixmap") : NULL;
}

char *
stubdomDomainScreenshot(virDomainPtr dom, virStreamPtr stream, unsigned int screen, unsigned int flags)
{
    virDomainObj *vm;
    char *type = NULL;

    virCheckFlags(0, NULL);
    if (!(vm = stubdomDomainFind(dom))) {
        return NULL;
    }
    if (virDomainScreenshotEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainBeginJob(vm, VIR_JOB_QUERY, true) == 0) {
        if (screen > 0) {
            virReportError(VIR_ERR_INVALID_ARG, _("the domain '%s' has one screen, 0, and no screen %u"), vm->def->name,
                           screen);
        } else {
            type = sendPicture(dom->conn->privateData, vm, stream);
        }
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return type;
}

/* --- keys ------------------------------------------------------------------------------- */

/* Into Linux's codes, which the stubdomain's keyboard has. */
static virJSONValue *
translateKeys(unsigned int codeset, const unsigned int *keycodes, int count)
{
    g_autoptr(virJSONValue) keys = virJSONValueNewArray();

    for (int i = 0; i < count; i++) {
        g_autoptr(virJSONValue) key = NULL;
        int code = (int)keycodes[i];

        if (codeset != VIR_KEYCODE_SET_LINUX) {
            code = virKeycodeValueTranslate((virKeycodeSet)codeset, VIR_KEYCODE_SET_LINUX, code);
        }
        if (code <= 0 || keycodes[i] > INT_MAX) {
            virReportError(VIR_ERR_INVALID_ARG, _("there is no key %u in the codeset '%s', or Linux has none for it"),
                           keycodes[i], NULLSTR(virKeycodeSetTypeToString((int)codeset)));
            return NULL;
        }
        if (virJSONValueObjectAdd(&key, "s:type", "linux", "i:data", code, NULL) < 0 ||
            virJSONValueArrayAppend(keys, &key) < 0) {
            return NULL;
        }
    }
    return g_steal_pointer(&keys);
}

/* Without a time, the device model's own counts. */
static int
sendKeys(virDomainObj *vm, virJSONValue **keys, unsigned int holdtime)
{
    StubdomMonitor *monitor = displayMonitor(vm);
    g_autoptr(virJSONValue) arguments = NULL;
    int status = -1;

    if (!monitor) {
        return -1;
    }
    virObjectUnlock(vm);
    if (virJSONValueObjectAdd(&arguments, "a:keys", keys, "p:hold-time", holdtime, NULL) >= 0) {
        status = stubdomMonitorCommand(monitor, "send-key", &arguments, SCREEN_TIMEOUT + holdtime / MILLISECONDS, NULL);
    }
    virObjectLock(vm);
    stubdomMonitorUnref(monitor);
    return status;
}

int
stubdomDomainSendKey(virDomainPtr dom, unsigned int codeset, unsigned int holdtime, unsigned int *keycodes,
                     int nkeycodes, unsigned int flags)
{
    g_autoptr(virJSONValue) keys = NULL;
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(0, -1);
    if (holdtime > HOLD_MAX) {
        virReportError(VIR_ERR_INVALID_ARG, _("keys cannot be held for %u ms, only for up to %d ms"), holdtime,
                       HOLD_MAX);
        return -1;
    }
    if (!(keys = translateKeys(codeset, keycodes, nkeycodes)) || !(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainSendKeyEnsureACL(dom->conn, vm->def) == 0 && stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, true) == 0) {
        result = sendKeys(vm, &keys, holdtime);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

/* --- viewers ---------------------------------------------------------------------------- */

/* Unlocked. Hands a viewer's connection over: the descriptor first, then what it is for. */
static int
addViewer(StubdomMonitor *monitor, int fd, bool skipAuth)
{
    static const char *const name = "graphicsfd";
    g_autoptr(virJSONValue) getArguments = NULL;
    g_autoptr(virJSONValue) addArguments = NULL;

    if (virJSONValueObjectAdd(&getArguments, "s:fdname", name, NULL) < 0 ||
        virJSONValueObjectAdd(&addArguments, "s:protocol", "vnc", "s:fdname", name, "b:skipauth", skipAuth, NULL) < 0 ||
        stubdomMonitorCommandFd(monitor, "getfd", &getArguments, fd, SCREEN_TIMEOUT, NULL) < 0) {
        return -1;
    }
    return stubdomMonitorCommand(monitor, "add_client", &addArguments, SCREEN_TIMEOUT, NULL);
}

static int
openGraphics(virDomainObj *vm, unsigned int index, int fd, unsigned int flags)
{
    StubdomMonitor *monitor = displayMonitor(vm);
    int status;

    if (!monitor) {
        return -1;
    }
    if (index > 0) {
        virReportError(VIR_ERR_INVALID_ARG, _("the domain '%s' has one display, 0, and no display %u"), vm->def->name,
                       index);
        stubdomMonitorUnref(monitor);
        return -1;
    }
    virObjectUnlock(vm);
    status = addViewer(monitor, fd, flags & VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH);
    virObjectLock(vm);
    stubdomMonitorUnref(monitor);
    return status;
}

int
stubdomDomainOpenGraphics(virDomainPtr dom, unsigned int index, int fd, unsigned int flags)
{
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainOpenGraphicsEnsureACL(dom->conn, vm->def) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, true) == 0) {
        result = openGraphics(vm, index, fd, flags);
        virDomainObjEndJob(vm);
    }
    virDomainObjEndAPI(&vm);
    return result;
}

int
stubdomDomainOpenGraphicsFD(virDomainPtr dom, unsigned int index, unsigned int flags)
{
    int pair[2] = {-1, -1};
    virDomainObj *vm;
    int result = -1;

    virCheckFlags(VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH, -1);
    if (!(vm = stubdomDomainFind(dom))) {
        return -1;
    }
    if (virDomainOpenGraphicsFdEnsureACL(dom->conn, vm->def) == 0 &&
        stubdomDomainBeginJob(vm, VIR_JOB_MODIFY, true) == 0) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
            virReportSystemError(errno, "%s", _("cannot make a pair of sockets"));
        } else if (openGraphics(vm, index, pair[1], flags) == 0) {
            result = g_steal_fd(&pair[0]);
        }
        virDomainObjEndJob(vm);
    }
    VIR_FORCE_CLOSE(pair[0]);
    VIR_FORCE_CLOSE(pair[1]);
    virDomainObjEndAPI(&vm);
    return result;
}
