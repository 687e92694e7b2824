/*
 * The display of an xl.cfg(5)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With xl a guest that says nothing has a VNC display, at 127.0.0.1 and the
 * first port that is free. An address may carry the number of the display.
 */

#include "stubdom_compat.h"

#include "stubdom_native_display.h"

#include "virstring.h"

#include "stubdom_defaults_display.h"
#include "stubdom_native.h"
#include "stubdom_refusal.h"

#define KIB_PER_MIB 1024
#define SOCKET_PREFIX "unix:"

/* --- reading ---------------------------------------------------------------------------- */

typedef struct {
    char *address; /* or NULL */
    long display;  /* -1: not said */
} Listen;

/* ADDRESS[:DISPLAYNUM], where an address with colons is in brackets, or has no number. */
static int
readListen(StubdomXlCfg *cfg, const char *text, Listen *listen)
{
    bool bracketed = *text == '[';
    const char *end = bracketed ? strchr(text, ']') : strchr(text, ':');
    const char *number = NULL;
    unsigned int display = 0;

    if (bracketed && !end) {
        return stubdomXlCfgError(cfg, "vnclisten");
    }
    if (bracketed) {
        number = end[1] ? end + 1 : NULL;
    } else if (end && !strchr(end + 1, ':')) {
        number = end;
    } else {
        end = text + strlen(text);
    }
    if (number && (*number != ':' || virStrToLong_ui(number + 1, NULL, 10, &display) < 0)) {
        return stubdomXlCfgError(cfg, "vnclisten");
    }
    if (number) {
        listen->display = display;
    }
    listen->address = bracketed ? g_strndup(text + 1, (gsize)(end - text - 1)) : g_strndup(text, (gsize)(end - text));
    return 0;
}

/* vncunused without a number is what libxl does anyway; with one it would only be where to begin. */
static int
readPort(StubdomXlCfg *cfg, virBuffer *attributes, long display)
{
    long unused = display < 0 ? 1 : 0;

    if (stubdomXlCfgNumber(cfg, "vncunused", &unused) < 0) {
        return -1;
    }
    if (unused) {
        virBufferAddLit(attributes, " port='-1' autoport='yes'");
    } else {
        virBufferAsprintf(attributes, " port='%ld' autoport='no'", STUBDOM_DISPLAY_PORT_MIN + MAX(display, 0));
    }
    return 0;
}

static int
readVnc(StubdomXlCfg *cfg, virBuffer *buf)
{
    g_auto(virBuffer) attributes = VIR_BUFFER_INITIALIZER;
    const char *where = stubdomXlCfgString(cfg, "vnclisten");
    const char *password = stubdomXlCfgString(cfg, "vncpasswd");
    g_autofree char *address = NULL;
    Listen listen = {.display = -1};

    virBufferAddLit(&attributes, " type='vnc'");
    if (where && g_str_has_prefix(where, SOCKET_PREFIX)) {
        virBufferEscapeString(&attributes, " socket='%s'", where + strlen(SOCKET_PREFIX));
    } else {
        if ((where && readListen(cfg, where, &listen) < 0) ||
            stubdomXlCfgNumber(cfg, "vncdisplay", &listen.display) < 0) {
            g_free(listen.address);
            return -1;
        }
        address = listen.address;
        if (readPort(cfg, &attributes, listen.display) < 0) {
            return -1;
        }
        virBufferEscapeString(&attributes, " listen='%s'", address);
    }
    virBufferEscapeString(&attributes, " keymap='%s'", stubdomXlCfgString(cfg, "keymap"));
    if (password && *password) { /* with xl an empty one is none */
        virBufferEscapeString(&attributes, " passwd='%s'", password);
    }
    virXMLFormatElement(buf, "graphics", &attributes, NULL);
    return 0;
}

int
stubdomNativeReadDisplay(StubdomXlCfg *cfg, virBuffer *buf)
{
    const char *card = stubdomXlCfgString(cfg, "vga");
    long standard = 0;
    long memory = 0;
    long vnc = 1;

    if (stubdomXlCfgNumber(cfg, "stdvga", &standard) < 0 || stubdomXlCfgNumber(cfg, "videoram", &memory) < 0 ||
        stubdomXlCfgNumber(cfg, "vnc", &vnc) < 0 || (vnc && readVnc(cfg, buf) < 0)) {
        return -1;
    }
    card = card ? card : standard ? "stdvga" : "cirrus";
    if (STREQ(card, "stdvga") && !memory) {
        return 0; /* as if nothing was said */
    }
    virBufferEscapeString(buf, "<video><model type='%s'", STREQ(card, "stdvga") ? "vga" : card);
    if (memory && STRNEQ(card, "none")) {
        virBufferAsprintf(buf, " vram='%ld'", memory * KIB_PER_MIB);
    }
    virBufferAddLit(buf, "/></video>\n");
    return 0;
}

/* --- writing ---------------------------------------------------------------------------- */

static int
checkWords(const virDomainGraphicsDef *graphics)
{
    const virDomainGraphicsAuthDef *auth = &graphics->data.vnc.auth;

    if (graphics->nListens > 1) {
        return stubdomRefuse("graphics", "vnc", _("xl has one address"));
    }
    if (graphics->listens[0].type == VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_NETWORK) {
        return stubdomRefuse("graphics listen", graphics->listens[0].network,
                             _("it is a network of libvirt's, which xl does not know"));
    }
    if (graphics->listens[0].type == VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_SOCKET && !graphics->listens[0].socket) {
        return stubdomRefuse("graphics listen", "socket", _("xl does not choose one; give it a path"));
    }
    if (graphics->data.vnc.websocket) {
        return stubdomRefuse("graphics", "vnc", _("xl has no websocket"));
    }
    if (graphics->data.vnc.sharePolicy) {
        return stubdomRefuse("graphics sharePolicy",
                             virDomainGraphicsVNCSharePolicyTypeToString(graphics->data.vnc.sharePolicy),
                             _("xl has no word for it"));
    }
    if (auth->passwd && (!*auth->passwd || auth->expires)) {
        return stubdomRefuse("graphics passwd", "…", _("with xl it cannot be empty, nor good for a time only"));
    }
    return 0;
}

static int
writeVnc(virBuffer *buf, const libxl_vnc_info *vnc, const virDomainGraphicsDef *graphics)
{
    if (checkWords(graphics) < 0) {
        return -1;
    }
    virBufferAddLit(buf, "vnc = 1\n");
    stubdomNativeWriteString(buf, "vnclisten", vnc->listen);
    if (graphics->listens[0].type != VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_SOCKET) {
        virBufferAsprintf(buf, "vncunused = %d\n", graphics->data.vnc.autoport);
    }
    if (!graphics->data.vnc.autoport && !(vnc->listen && strchr(vnc->listen, ':'))) {
        virBufferAsprintf(buf, "vncdisplay = %d\n", vnc->display);
    }
    stubdomNativeWriteString(buf, "vncpasswd", graphics->data.vnc.auth.passwd);
    stubdomNativeWriteString(buf, "keymap", graphics->data.vnc.keymap);
    return 0;
}

int
stubdomNativeWriteDisplay(virBuffer *buf, const libxl_domain_build_info *info, const virDomainDef *def)
{
    static const char *const cards[] = {
        [LIBXL_VGA_INTERFACE_TYPE_CIRRUS] = "cirrus",
        [LIBXL_VGA_INTERFACE_TYPE_STD] = "stdvga",
        [LIBXL_VGA_INTERFACE_TYPE_NONE] = "none",
    };

    stubdomNativeWriteString(buf, "vga", cards[info->u.hvm.vga.kind]);
    if (info->video_memkb != LIBXL_MEMKB_DEFAULT) {
        virBufferAsprintf(buf, "videoram = %llu\n", (unsigned long long)info->video_memkb / KIB_PER_MIB);
    }
    if (!def->ngraphics) {
        virBufferAddLit(buf, "vnc = 0\n");
        return 0;
    }
    return writeVnc(buf, &info->u.hvm.vnc, def->graphics[0]);
}
