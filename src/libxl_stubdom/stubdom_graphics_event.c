/*
 * Viewers of displays, as clients hear of them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The device model says in QEMU's words who comes and goes. What it does not
 * say, or in words nobody knows, is an empty text: the event is sent all the
 * same.
 */

#include "stubdom_compat.h"

#include "stubdom_graphics_event.h"

#include "domain_event.h"

VIR_LOG_INIT("stubdom.graphics_event");

static const struct {
    const char *name;
    int phase;
} phases[] = {
    {"VNC_CONNECTED", VIR_DOMAIN_EVENT_GRAPHICS_CONNECT},
    {"VNC_INITIALIZED", VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE},
    {"VNC_DISCONNECTED", VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT},
};

static int
familyOf(const char *name)
{
    if (STREQ_NULLABLE(name, "ipv6")) {
        return VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV6;
    }
    return STREQ_NULLABLE(name, "unix") ? VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_UNIX
                                        : VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV4;
}

static const char *
textOf(virJSONValue *object, const char *key)
{
    const char *text = object ? virJSONValueObjectGetString(object, key) : NULL;

    return text ? text : "";
}

static virDomainEventGraphicsAddress *
addressOf(virJSONValue *object)
{
    virDomainEventGraphicsAddress *address = g_new0(virDomainEventGraphicsAddress, 1);

    address->family = familyOf(textOf(object, "family"));
    address->node = g_strdup(textOf(object, "host"));
    address->service = g_strdup(textOf(object, "service"));
    return address;
}

static void
queue(StubdomDriver *driver, uint32_t domid, int phase, virJSONValue *data)
{
    virJSONValue *server = data ? virJSONValueObjectGetObject(data, "server") : NULL;
    virJSONValue *client = data ? virJSONValueObjectGetObject(data, "client") : NULL;
    virDomainObj *vm = virDomainObjListFindByID(driver->domains, (int)domid);

    if (vm) {
        virObjectEventStateQueue(driver->events, virDomainEventGraphicsNewFromObj(
                                                     vm, phase, addressOf(server), addressOf(client),
                                                     textOf(server, "auth"), g_new0(virDomainEventGraphicsSubject, 1)));
    }
    virDomainObjEndAPI(&vm);
}

void
stubdomGraphicsEvent(StubdomDriver *driver, uint32_t domid, const char *name, virJSONValue *data)
{
    for (size_t i = 0; i < G_N_ELEMENTS(phases); i++) {
        if (STREQ(phases[i].name, name)) {
            queue(driver, domid, phases[i].phase, data);
        }
    }
}
