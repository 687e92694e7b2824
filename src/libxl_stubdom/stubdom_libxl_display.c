/*
 * A domain's display as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The card is the guest's business, and there is one although nobody may look
 * at it: a BIOS and most guests want one. Who looks does so by VNC. libxl is
 * told what it can pass on as an argument, which others on the host can read;
 * the rest, and never a password, is in stubdom_display_config.c.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_display.h"

#include <sys/un.h>

#include "virsocketaddr.h"

#include "stubdom_defaults_display.h"
#include "stubdom_refusal.h"

#define VGA_MEMORY_MIN 16384   /* KiB, libxl's for each card */
#define CIRRUS_MEMORY_MIN 8192 /* KiB */
#define LISTENS_MAX 4
#define KEYMAP "en-us" /* the layout of viewers that send letters and no key codes */

/* --- graphics --------------------------------------------------------------------------- */

/* The socket is named in an argument of the device model, where a comma ends it. */
static int
checkSocket(const char *path)
{
    if (path && (!g_path_is_absolute(path) || strchr(path, ',') ||
                 strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))) {
        return stubdomRefuse("graphics socket", path,
                             _("it must be an absolute path of less than %zu characters, without a comma"),
                             sizeof(((struct sockaddr_un *)NULL)->sun_path));
    }
    return 0;
}

static int
checkListen(const virDomainGraphicsListenDef *listens, size_t index)
{
    const virDomainGraphicsListenDef *listen = &listens[index];

    switch (listen->type) {
    case VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_ADDRESS:
    case VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_NETWORK:
        if (index > 0 && listens[index - 1].type == VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_SOCKET) {
            return stubdomRefuse("graphics listen", NULLSTR(listen->address),
                                 _("libvirt writes down the port of a display only if its addresses come before its "
                                   "sockets"));
        }
        if (listen->address && virSocketAddrNumericFamily(listen->address) < 0) {
            return stubdomRefuse("graphics listen", listen->address,
                                 _("it is a name, which may mean several addresses; give one of them (127.0.0.1 for "
                                   "localhost)"));
        }
        return 0;
    case VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_SOCKET:
        return checkSocket(listen->socket);
    case VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_NONE:
    case VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_LAST:
    default:
        return stubdomRefuse("graphics listen", "none",
                             _("the display needs a place to listen at; one nobody else can reach is <listen "
                               "type='socket'/>"));
    }
}

static int
checkPorts(const virDomainGraphicsDef *graphics)
{
    int port = graphics->data.vnc.port;
    int websocket = graphics->data.vnc.websocket;
    bool haveAddress = graphics->listens[0].type != VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_SOCKET;
    g_autofree char *text = g_strdup_printf("%d", port);
    g_autofree char *websocketText = g_strdup_printf("%d", websocket);

    if (haveAddress && !graphics->data.vnc.autoport &&
        (port < (int)STUBDOM_DISPLAY_PORT_MIN || port > (int)STUBDOM_PORT_MAX)) {
        return stubdomRefuse("graphics port", text, _("it must be from %u to %u; or let autoport='yes' choose"),
                             STUBDOM_DISPLAY_PORT_MIN, STUBDOM_PORT_MAX);
    }
    if (websocket != 0 && !haveAddress) {
        return stubdomRefuse("graphics websocket", websocketText, _("a display with a socket has no address for it"));
    }
    if (websocket < -1 || websocket > (int)STUBDOM_PORT_MAX || (websocket > 0 && websocket == port)) {
        return stubdomRefuse("graphics websocket", websocketText,
                             _("it must be a port of its own, up to %u; or -1 to have one chosen"), STUBDOM_PORT_MAX);
    }
    return 0;
}

static int
checkVnc(const virDomainGraphicsDef *graphics)
{
    const char *password = graphics->data.vnc.auth.passwd;
    const char *keymap = graphics->data.vnc.keymap;

    if (graphics->nListens < 1 || graphics->nListens > LISTENS_MAX) {
        return stubdomRefuse("graphics", "vnc", _("it must have one to %d places to listen at"), LISTENS_MAX);
    }
    for (size_t i = 0; i < graphics->nListens; i++) {
        if (checkListen(graphics->listens, i) < 0) {
            return -1;
        }
    }
    if (password && strlen(password) > STUBDOM_VNC_PASSWORD_MAX) {
        return stubdomRefuse("graphics passwd", "…", _("it has %zu characters; VNC looks at the first %d alone"),
                             strlen(password), STUBDOM_VNC_PASSWORD_MAX);
    }
    if (keymap && STRNEQ(keymap, KEYMAP)) {
        return stubdomRefuse("graphics keymap", keymap,
                             _("viewers that send key codes, as virt-viewer, virt-manager and noVNC do, need none; the "
                               "keyboard of others is taken for an American one ('%s')"),
                             KEYMAP);
    }
    return checkPorts(graphics);
}

/* As libxl hands it on: with a colon in it, it is the whole of the argument. Unknown parts are chosen by a start. */
static char *
listenArgument(const virDomainGraphicsListenDef *listen, int display)
{
    if (listen->type == VIR_DOMAIN_GRAPHICS_LISTEN_TYPE_SOCKET) {
        return g_strdup_printf("unix:%s", listen->socket ? listen->socket : "");
    }
    if (listen->address && strchr(listen->address, ':')) {
        return g_strdup_printf("[%s]:%d", listen->address, display);
    }
    return g_strdup(listen->address);
}

static void
buildVnc(libxl_vnc_info *vnc, const virDomainGraphicsDef *graphics)
{
    int port = graphics->data.vnc.port;

    libxl_defbool_set(&vnc->enable, true);
    libxl_defbool_set(&vnc->findunused, false); /* libvirt's allocator looks for one */
    vnc->display = port > 0 ? port - (int)STUBDOM_DISPLAY_PORT_MIN : 0;
    vnc->listen = listenArgument(&graphics->listens[0], vnc->display);
}

static int
buildGraphics(libxl_domain_build_info *info, const virDomainDef *def)
{
    const virDomainGraphicsDef *graphics = def->ngraphics ? def->graphics[0] : NULL;

    libxl_defbool_set(&info->u.hvm.vnc.enable, false);
    libxl_defbool_set(&info->u.hvm.sdl.enable, false);
    libxl_defbool_set(&info->u.hvm.spice.enable, false);
    if (!graphics) {
        return 0;
    }
    if (graphics->type != VIR_DOMAIN_GRAPHICS_TYPE_VNC) {
        return stubdomRefuse("graphics", virDomainGraphicsTypeToString(graphics->type),
                             _("QEMU is not in dom0, where it could open a window or a port; what the stubdomain shows "
                               "can be seen by VNC (type='vnc')"));
    }
    if (def->ngraphics > 1) {
        return stubdomRefuse("graphics", virDomainGraphicsTypeToString(def->graphics[1]->type),
                             _("a guest has one display; it can have several <listen>"));
    }
    if (checkVnc(graphics) < 0) {
        return -1;
    }
    buildVnc(&info->u.hvm.vnc, graphics);
    return 0;
}

/* --- video ------------------------------------------------------------------------------ */

static int
buildVideoMemory(libxl_domain_build_info *info, const virDomainVideoDef *video)
{
    unsigned int minimum = video->type == VIR_DOMAIN_VIDEO_TYPE_CIRRUS ? CIRRUS_MEMORY_MIN : VGA_MEMORY_MIN;

    if (video->vram && video->vram < minimum) {
        return stubdomRefuse("video", virDomainVideoTypeToString(video->type),
                             _("libxl needs at least %u KiB of memory for it"), minimum);
    }
    if (video->vram) {
        info->video_memkb = video->vram;
    }
    return 0;
}

static int
buildVideo(libxl_domain_build_info *info, const virDomainDef *def)
{
    const virDomainVideoDef *video = def->nvideos ? def->videos[0] : NULL;

    info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_STD;
    if (def->nvideos > 1) {
        return stubdomRefuse("video", virDomainVideoTypeToString(def->videos[1]->type),
                             _("libxl has one card a guest"));
    }
    if (!video || video->type == VIR_DOMAIN_VIDEO_TYPE_DEFAULT) {
        return 0;
    }
    if (video->type == VIR_DOMAIN_VIDEO_TYPE_NONE) {
        info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_NONE;
        return 0;
    }
    if (video->type == VIR_DOMAIN_VIDEO_TYPE_CIRRUS) {
        info->u.hvm.vga.kind = LIBXL_VGA_INTERFACE_TYPE_CIRRUS;
    } else if (video->type != VIR_DOMAIN_VIDEO_TYPE_VGA) {
        return stubdomRefuse("video", virDomainVideoTypeToString(video->type), _("vga, cirrus and none are possible"));
    }
    return buildVideoMemory(info, video);
}

int
stubdomLibxlDisplayBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    return buildGraphics(&config->b_info, def) < 0 ? -1 : buildVideo(&config->b_info, def);
}
