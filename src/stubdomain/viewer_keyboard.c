/*
 * Events of the PV keyboard and pointer, see the header
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each event is copied out of the page before it is looked at. The wheel turns
 * upwards for negative numbers (kbdif.h), and is the buttons 4 and 5 of RFB.
 */

#include "viewer_keyboard.h"

#include <linux/input-event-codes.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/kbdif.h>

#include "viewer_keys.h"

#define BUTTON_LEFT 0x01U
#define BUTTON_MIDDLE 0x02U
#define BUTTON_RIGHT 0x04U
#define BUTTON_UP 0x08U
#define BUTTON_DOWN 0x10U

/* Steps of the wheel in one event; more is no hand. */
#define WHEEL_MAX 8

static guint
buttonOf(guint32 code)
{
    switch (code) {
    case BTN_LEFT:
        return BUTTON_LEFT;
    case BTN_MIDDLE:
        return BUTTON_MIDDLE;
    case BTN_RIGHT:
        return BUTTON_RIGHT;
    default:
        return 0;
    }
}

static void
sendPointer(ViewerKeyboard *keyboard, ViewerRfb *rfb, guint buttons)
{
    viewerRfbPointer(rfb, buttons, (guint)keyboard->x, (guint)keyboard->y);
}

static void
handleKey(ViewerKeyboard *keyboard, ViewerRfb *rfb, const struct xenkbd_key *key)
{
    guint button = buttonOf(key->keycode);
    guint scancode = viewerKeysScancode(key->keycode);

    if (button) {
        keyboard->buttons = key->pressed ? keyboard->buttons | button : keyboard->buttons & ~button;
        sendPointer(keyboard, rfb, keyboard->buttons);
    } else if (scancode) {
        viewerRfbKey(rfb, scancode, key->pressed != 0);
    }
}

static void
handleMove(ViewerKeyboard *keyboard, ViewerRfb *rfb, gint64 x, gint64 y, int wheel)
{
    guint turned = wheel < 0 ? BUTTON_UP : BUTTON_DOWN;
    int steps = MIN(ABS((gint64)wheel), WHEEL_MAX);

    keyboard->x = CLAMP(x, 0, VIEWER_RFB_MAX);
    keyboard->y = CLAMP(y, 0, VIEWER_RFB_MAX);
    sendPointer(keyboard, rfb, keyboard->buttons);
    for (int i = 0; i < steps; i++) {
        sendPointer(keyboard, rfb, keyboard->buttons | turned);
        sendPointer(keyboard, rfb, keyboard->buttons);
    }
}

static void
handleEvent(ViewerKeyboard *keyboard, ViewerRfb *rfb, const union xenkbd_in_event *event)
{
    switch (event->type) {
    case XENKBD_TYPE_KEY:
        handleKey(keyboard, rfb, &event->key);
        break;
    case XENKBD_TYPE_POS:
        handleMove(keyboard, rfb, event->pos.abs_x, event->pos.abs_y, event->pos.rel_z);
        break;
    case XENKBD_TYPE_MOTION: /* not asked for: request-abs-pointer is set */
        handleMove(keyboard, rfb, keyboard->x + event->motion.rel_x, keyboard->y + event->motion.rel_y,
                   event->motion.rel_z);
        break;
    default:
        break;
    }
}

gboolean
viewerKeyboardRead(ViewerKeyboard *keyboard, ViewerRfb *rfb, gsize max)
{
    struct xenkbd_page *page = keyboard->page;
    guint32 cons = page->in_cons;
    guint32 prod = __atomic_load_n(&page->in_prod, __ATOMIC_ACQUIRE);
    guint32 start = cons;

    if (prod - cons > XENKBD_IN_RING_LEN)
        cons = prod - XENKBD_IN_RING_LEN; /* the backend ran over us: what is there now is the newest */
    while (cons != prod && viewerRfbOutput(rfb)->len < max) {
        union xenkbd_in_event event;

        memcpy(&event, &XENKBD_IN_RING_REF(page, cons), sizeof(event));
        cons++;
        handleEvent(keyboard, rfb, &event);
    }
    __atomic_store_n(&page->in_cons, cons, __ATOMIC_RELEASE);
    return cons != start;
}
