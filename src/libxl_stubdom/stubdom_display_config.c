/*
 * What xen-stubdom-dm is told of a domain's display
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libxl has words for one address and one port. All there is to say is in a
 * file, which replaces them. A password is in neither: it is set when the
 * device model runs (stubdom_password.c), and until then nobody is let in.
 */

#include "stubdom_compat.h"

#include "stubdom_display_config.h"

#include "virjson.h"

const char *
stubdomDisplayPassword(const virDomainGraphicsDef *graphics, const StubdomDisplayDefaults *defaults)
{
    return graphics->data.vnc.auth.passwd ? graphics->data.vnc.auth.passwd : defaults->password;
}

static virJSONValue *
listenToJson(const virDomainGraphicsDef *graphics, const virDomainGraphicsListenDef *listen)
{
    virJSONValue *object = NULL;

    if (listen->type == VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_SOCKET) {
        ignore_value(virJSONValueObjectAdd(&object, "s:socket", listen->socket, NULL));
    } else {
        ignore_value(
            virJSONValueObjectAdd(&object, "s:address", listen->address, "i:port", graphics->data.vnc.port, NULL));
    }
    return object;
}

static virJSONValue *
listensToJson(const virDomainGraphicsDef *graphics)
{
    g_autoptr(virJSONValue) listens = virJSONValueNewArray();

    for (size_t i = 0; i < graphics->nListens; i++) {
        g_autoptr(virJSONValue) listen = listenToJson(graphics, &graphics->listens[i]);

        if (!listen || virJSONValueArrayAppend(listens, &listen) < 0) {
            return NULL;
        }
    }
    return g_steal_pointer(&listens);
}

char *
stubdomDisplayConfigToJson(const virDomainDef *def, const StubdomDisplayDefaults *defaults)
{
    const virDomainGraphicsDef *graphics = def->graphics[0];
    const char *share = graphics->data.vnc.sharePolicy
                            ? virDomainGraphicsVNCSharePolicyTypeToString(graphics->data.vnc.sharePolicy)
                            : NULL;
    g_autoptr(virJSONValue) listens = listensToJson(graphics);
    g_autoptr(virJSONValue) object = NULL;

    if (!listens ||
        virJSONValueObjectAdd(&object, "a:listen", &listens, "p:websocket", (unsigned int)graphics->data.vnc.websocket,
                              "S:share", share, "b:password", stubdomDisplayPassword(graphics, defaults) != NULL,
                              "S:keymap", graphics->data.vnc.keymap, "p:video-memory",
                              def->nvideos ? def->videos[0]->vram : 0, NULL) < 0) {
        return NULL;
    }
    return virJSONValueToString(object, true);
}
