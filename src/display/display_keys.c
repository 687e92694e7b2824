/*
 * From what viewers call a key to what Linux calls it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tables: keysyms are those of X11/keysymdef.h, codes those of
 * linux/input-event-codes.h.
 */

#include "display_keys.h"

#include <stddef.h>

#include <linux/input-event-codes.h>
#include <rfb/keysym.h>

/* Scancodes up to this are Linux's codes. */
#define PLAIN_SCANCODE_MAX KEY_KPDOT

/* ASCII from ' ' to '~', without and with shift: an American keyboard. */
static const uint8_t asciiKeys[] = {
    KEY_SPACE, KEY_1, KEY_APOSTROPHE, KEY_3,         KEY_4,         KEY_5,          KEY_7,    KEY_APOSTROPHE,
    KEY_9,     KEY_0, KEY_8,          KEY_EQUAL,     KEY_COMMA,     KEY_MINUS,      KEY_DOT,  KEY_SLASH,
    KEY_0,     KEY_1, KEY_2,          KEY_3,         KEY_4,         KEY_5,          KEY_6,    KEY_7,
    KEY_8,     KEY_9, KEY_SEMICOLON,  KEY_SEMICOLON, KEY_COMMA,     KEY_EQUAL,      KEY_DOT,  KEY_SLASH,
    KEY_2,     KEY_A, KEY_B,          KEY_C,         KEY_D,         KEY_E,          KEY_F,    KEY_G,
    KEY_H,     KEY_I, KEY_J,          KEY_K,         KEY_L,         KEY_M,          KEY_N,    KEY_O,
    KEY_P,     KEY_Q, KEY_R,          KEY_S,         KEY_T,         KEY_U,          KEY_V,    KEY_W,
    KEY_X,     KEY_Y, KEY_Z,          KEY_LEFTBRACE, KEY_BACKSLASH, KEY_RIGHTBRACE, KEY_6,    KEY_MINUS,
    KEY_GRAVE, KEY_A, KEY_B,          KEY_C,         KEY_D,         KEY_E,          KEY_F,    KEY_G,
    KEY_H,     KEY_I, KEY_J,          KEY_K,         KEY_L,         KEY_M,          KEY_N,    KEY_O,
    KEY_P,     KEY_Q, KEY_R,          KEY_S,         KEY_T,         KEY_U,          KEY_V,    KEY_W,
    KEY_X,     KEY_Y, KEY_Z,          KEY_LEFTBRACE, KEY_BACKSLASH, KEY_RIGHTBRACE, KEY_GRAVE};

typedef struct {
    uint32_t name;
    uint32_t key;
} Name;

static const Name keysyms[] = {
    {XK_BackSpace, KEY_BACKSPACE},
    {XK_Tab, KEY_TAB},
    {0xfe20U, KEY_TAB},
    {XK_Return, KEY_ENTER},
    {XK_Linefeed, KEY_ENTER},
    {XK_Pause, KEY_PAUSE},
    {XK_Break, KEY_PAUSE},
    {XK_Scroll_Lock, KEY_SCROLLLOCK},
    {XK_Sys_Req, KEY_SYSRQ},
    {XK_Print, KEY_SYSRQ},
    {XK_Escape, KEY_ESC},
    {XK_Delete, KEY_DELETE},
    {XK_Home, KEY_HOME},
    {XK_Left, KEY_LEFT},
    {XK_Up, KEY_UP},
    {XK_Right, KEY_RIGHT},
    {XK_Down, KEY_DOWN},
    {XK_Page_Up, KEY_PAGEUP},
    {XK_Page_Down, KEY_PAGEDOWN},
    {XK_End, KEY_END},
    {XK_Insert, KEY_INSERT},
    {XK_Menu, KEY_COMPOSE},
    {XK_Num_Lock, KEY_NUMLOCK},
    {XK_Caps_Lock, KEY_CAPSLOCK},
    {XK_Shift_L, KEY_LEFTSHIFT},
    {XK_Shift_R, KEY_RIGHTSHIFT},
    {XK_Control_L, KEY_LEFTCTRL},
    {XK_Control_R, KEY_RIGHTCTRL},
    {XK_Alt_L, KEY_LEFTALT},
    {XK_Meta_L, KEY_LEFTALT},
    {XK_Alt_R, KEY_RIGHTALT},
    {XK_Meta_R, KEY_RIGHTALT},
    {XK_Mode_switch, KEY_RIGHTALT},
    {0xfe03U, KEY_RIGHTALT},
    {XK_Super_L, KEY_LEFTMETA},
    {XK_Super_R, KEY_RIGHTMETA},
    {XK_KP_Enter, KEY_KPENTER},
    {XK_KP_Multiply, KEY_KPASTERISK},
    {XK_KP_Add, KEY_KPPLUS},
    {XK_KP_Subtract, KEY_KPMINUS},
    {XK_KP_Divide, KEY_KPSLASH},
    {XK_KP_Decimal, KEY_KPDOT},
    {XK_KP_Separator, KEY_KPDOT},
    {XK_KP_Delete, KEY_KPDOT},
    {XK_KP_Insert, KEY_KP0},
    {XK_KP_End, KEY_KP1},
    {XK_KP_Down, KEY_KP2},
    {XK_KP_Page_Down, KEY_KP3},
    {XK_KP_Left, KEY_KP4},
    {XK_KP_Begin, KEY_KP5},
    {XK_KP_Right, KEY_KP6},
    {XK_KP_Home, KEY_KP7},
    {XK_KP_Up, KEY_KP8},
    {XK_KP_Page_Up, KEY_KP9},
    {XK_KP_Equal, KEY_KPEQUAL},
    {XK_KP_0, KEY_KP0},
    {XK_KP_1, KEY_KP1},
    {XK_KP_2, KEY_KP2},
    {XK_KP_3, KEY_KP3},
    {XK_KP_4, KEY_KP4},
    {XK_KP_5, KEY_KP5},
    {XK_KP_6, KEY_KP6},
    {XK_KP_7, KEY_KP7},
    {XK_KP_8, KEY_KP8},
    {XK_KP_9, KEY_KP9},
    {XK_F1, KEY_F1},
    {XK_F2, KEY_F2},
    {XK_F3, KEY_F3},
    {XK_F4, KEY_F4},
    {XK_F5, KEY_F5},
    {XK_F6, KEY_F6},
    {XK_F7, KEY_F7},
    {XK_F8, KEY_F8},
    {XK_F9, KEY_F9},
    {XK_F10, KEY_F10},
    {XK_F11, KEY_F11},
    {XK_F12, KEY_F12},
};

/* Scancodes that are not Linux's codes; from 0x80 on those that have 0xe0 before them. */
static const Name scancodes[] = {
    {0x54, KEY_SYSRQ},     {0x56, KEY_102ND},      {0x57, KEY_F11},
    {0x58, KEY_F12},       {0x59, KEY_KPEQUAL},    {0x70, KEY_KATAKANAHIRAGANA},
    {0x73, KEY_RO},        {0x77, KEY_HIRAGANA},   {0x78, KEY_KATAKANA},
    {0x79, KEY_HENKAN},    {0x7b, KEY_MUHENKAN},   {0x7d, KEY_YEN},
    {0x7e, KEY_KPCOMMA},   {0x9c, KEY_KPENTER},    {0x9d, KEY_RIGHTCTRL},
    {0xa0, KEY_MUTE},      {0xae, KEY_VOLUMEDOWN}, {0xb0, KEY_VOLUMEUP},
    {0xb5, KEY_KPSLASH},   {0xb7, KEY_SYSRQ},      {0xb8, KEY_RIGHTALT},
    {0xc6, KEY_PAUSE},     {0xc7, KEY_HOME},       {0xc8, KEY_UP},
    {0xc9, KEY_PAGEUP},    {0xcb, KEY_LEFT},       {0xcd, KEY_RIGHT},
    {0xcf, KEY_END},       {0xd0, KEY_DOWN},       {0xd1, KEY_PAGEDOWN},
    {0xd2, KEY_INSERT},    {0xd3, KEY_DELETE},     {0xdb, KEY_LEFTMETA},
    {0xdc, KEY_RIGHTMETA}, {0xdd, KEY_COMPOSE},    {0xde, KEY_POWER},
    {0xdf, KEY_SLEEP},     {0xe3, KEY_WAKEUP},
};

static uint32_t
findName(const Name *names, size_t count, uint32_t name)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].name == name) {
            return names[i].key;
        }
    }
    return 0;
}

uint32_t
displayKeyOfKeysym(uint32_t keysym)
{
    if (keysym >= ' ' && keysym <= '~') {
        return asciiKeys[keysym - ' '];
    }
    return findName(keysyms, sizeof(keysyms) / sizeof(keysyms[0]), keysym);
}

uint32_t
displayKeyOfScancode(uint32_t scancode)
{
    if (scancode <= PLAIN_SCANCODE_MAX) {
        return scancode;
    }
    return findName(scancodes, sizeof(scancodes) / sizeof(scancodes[0]), scancode);
}
