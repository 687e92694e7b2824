/*
 * The password of a display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * It goes over the device model's socket, which is root's, and nowhere else: it
 * is on no command line, and in no file but the domain's own definitions.
 */

#include "stubdom_compat.h"

#include "stubdom_password.h"

#include "stubdom_display_config.h"
#include "stubdom_method.h"

/* Seconds for an answer: the display process is asked, and nobody else. */
#define PASSWORD_TIMEOUT 10

/* When it ends to be good, in the words of QEMU's expire_password. */
static char *
expiry(const char *password, const virDomainGraphicsAuthDef *auth)
{
    if (!*password || (auth->expires && auth->validTo <= time(NULL))) {
        return g_strdup("now");
    }
    return auth->expires ? g_strdup_printf("%lld", (long long)auth->validTo) : g_strdup("never");
}

/* Unlocked. */
static int
ask(StubdomMonitor *monitor, const char *password, const virDomainGraphicsAuthDef *auth)
{
    const char *connected = auth->connected ? virDomainGraphicsAuthConnectedTypeToString(auth->connected) : NULL;
    g_autofree char *time = expiry(password, auth);
    g_autoptr(virJSONValue) arguments = NULL;
    g_autoptr(virJSONValue) expires = NULL;

    if (virJSONValueObjectAdd(&arguments, "s:protocol", "vnc", "s:password", password, "S:connected", connected, NULL) <
            0 ||
        virJSONValueObjectAdd(&expires, "s:protocol", "vnc", "s:time", time, NULL) < 0 ||
        stubdomMonitorCommand(monitor, "set_password", &arguments, PASSWORD_TIMEOUT, NULL) < 0) {
        return -1;
    }
    return stubdomMonitorCommand(monitor, "expire_password", &expires, PASSWORD_TIMEOUT, NULL);
}

int
stubdomPasswordSet(virDomainObj *vm, const char *password, const virDomainGraphicsAuthDef *auth)
{
    StubdomMonitor *monitor = stubdomDomainMonitor(vm);
    int status;

    if (!monitor) {
        return -1;
    }
    virObjectUnlock(vm);
    status = ask(monitor, password, auth);
    virObjectLock(vm);
    stubdomMonitorUnref(monitor);
    return status;
}

int
stubdomPasswordStart(const StubdomDriver *driver, virDomainObj *vm)
{
    const virDomainGraphicsDef *graphics = vm->def->ngraphics ? vm->def->graphics[0] : NULL;
    const char *password = graphics ? stubdomDisplayPassword(graphics, &driver->defaults.display) : NULL;

    return password ? stubdomPasswordSet(vm, password, &graphics->data.vnc.auth) : 0;
}
