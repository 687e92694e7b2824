/*
 * Fuzz target: framebuffer and keyboard of a hostile stubdomain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is a list of steps of a hostile frontend (write anything anywhere
 * into its pages, the page directory included) mixed with what xen-stubdom-dm
 * asks and with copies of the picture.
 */

#include <stdlib.h>
#include <string.h>

#include "display_framebuffer.h"
#include "display_input.h"
#include "fake_pages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of the input. */
typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

typedef struct {
    DisplayFramebuffer framebuffer;
    DisplayInput input;
    DisplayPicture picture;
} Display;

static size_t
take(Input *input, void *to, size_t size)
{
    if (size > input->size) {
        size = input->size;
    }
    memcpy(to, input->data, size);
    input->data += size;
    input->size -= size;
    return size;
}

static void
noReply(const DisplayReply *reply)
{
}

static void
noTile(uint32_t x, uint32_t y, uint32_t width, uint32_t height, void *opaque)
{
    const DisplayPicture *picture = opaque;

    if (width == 0 || height == 0 || x + width > picture->width || y + height > picture->height) {
        abort();
    }
}

static void
stepWrite(Input *input)
{
    uint8_t page = 0;
    uint16_t start = 0;

    take(input, &page, sizeof(page));
    take(input, &start, sizeof(start));
    start %= 4096;
    take(input, fakePage(page % FAKE_PAGES) + start, 4096 - start < 48 ? (size_t)(4096 - start) : 48);
}

/* A frontend that is right, but for what comes after. */
static void
stepRight(void)
{
    struct xenfb_page *page = (void *)fakePage(1);
    uint64_t *directory = (void *)fakePage(2);

    page->width = 64;
    page->height = 48;
    page->line_length = 256;
    page->mem_length = 12288;
    page->depth = 32;
    page->pd[0] = 2;
    for (unsigned int i = 0; i < 3; i++) {
        directory[i] = 3 + i;
    }
}

static void
show(Display *display)
{
    const DisplayGeometry *geometry = &display->framebuffer.geometry;

    if (!display->framebuffer.ring.page) {
        return;
    }
    if (display->picture.width != geometry->width || display->picture.height != geometry->height) {
        if (!displayPictureResize(&display->picture, geometry->width, geometry->height)) {
            abort();
        }
    }
    displayFramebufferCopy(&display->framebuffer, &display->picture, noTile, &display->picture);
}

static void
stepPump(Display *display)
{
    bool resized;

    if (display->framebuffer.ring.page && !displayFramebufferPump(&display->framebuffer, &resized)) {
        displayFramebufferDisconnect(&display->framebuffer);
    }
}

static void
stepConnect(Display *display, Input *input, bool keyboard)
{
    DisplayRequest request = {.type = DISPLAY_REQUEST_CONNECT, .frame = 1};

    take(input, &request.frame, 1);
    take(input, &request.flags, 2);
    if (keyboard) {
        (void)displayInputConnect(&display->input, &request, -1);
    } else {
        (void)displayFramebufferConnect(&display->framebuffer, &request);
    }
}

static void
step(Display *display, uint8_t kind, Input *input)
{
    int32_t numbers[2] = {0, 0};

    switch (kind % 9) {
    case 0:
    case 1:
        stepWrite(input);
        break;
    case 2:
        stepRight();
        break;
    case 3:
        stepConnect(display, input, false);
        break;
    case 4:
        stepPump(display);
        break;
    case 5:
        show(display);
        break;
    case 6:
        stepConnect(display, input, true);
        break;
    case 7:
        take(input, numbers, sizeof(numbers));
        displayInputKey(&display->input, (uint32_t)numbers[0], numbers[1] & 1);
        displayInputPoint(&display->input, numbers[0], numbers[1], 1, 64, 48);
        break;
    default:
        displayFramebufferSetPeriod(&display->framebuffer, kind);
        displayInputPump(&display->input);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const DisplayXen xen = {.stubdomain = 1, .reply = noReply};
    Input input = {data, size};
    Display display = {0};
    uint8_t kind = 0;

    fakePagesClear();
    displayFramebufferInit(&display.framebuffer, &xen, 16 << 20);
    displayInputInit(&display.input, &xen);
    while (take(&input, &kind, 1)) {
        step(&display, kind, &input);
        if (display.input.broken) {
            displayInputDisconnect(&display.input);
        }
    }
    displayFramebufferDisconnect(&display.framebuffer);
    displayInputDisconnect(&display.input);
    displayPictureFree(&display.picture);
    if (fakePagesMapped() != 0) {
        abort();
    }
    return 0;
}
