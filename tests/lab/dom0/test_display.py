# SPDX-License-Identifier: LGPL-2.1-or-later
"""Graphics of a guest of xl: a VNC viewer in dom0 sees each pixel the guest draws, types, and moves the mouse."""

import os
import select
import signal
from pathlib import Path

from guest import Guest
from harness import test
from host import Failure, processes, read, remaining, run, waitFor
from viewer import Viewer

DISPLAY = "/usr/libexec/xen-stubdom/xen-stubdom-display"

# A card whose modes the guest can set, with memory for the largest picture.
GRAPHICS = {"vnc": 1, "vga": "stdvga", "videoram": 16}

# X11's symbols, and the numbers of the keys in scan code set 1.
KEY_1, KEY_2, KEY_3, KEY_A = 0x31, 0x32, 0x33, 0x61

SMALL, MIDDLE, LARGE = (640, 400), (800, 600), (1920, 1200)


def _expected(width, height):
    """What the guest draws (guests/display.s), as rows of bytes: blue, green, red, nothing."""
    rows = []
    for y in range(height):
        row = bytearray(4 * width)
        if (width, height) == SMALL:  # QEMU shows 320 x 200 with each pixel four times
            colours = [(x >> 5) + (y >> 5) & 7 for x in range(width)]
            for part in range(3):
                row[part::4] = bytes(255 * (colour >> part & 1) for colour in colours)
        else:
            row[0::4] = bytes(range(256)) * (width // 256) + bytes(range(width % 256))
            row[1::4] = bytes([y & 255]) * width
            row[2::4] = b"".join(bytes([x << 4 | y >> 8]) * min(256, width - 256 * x) for x in range((width + 255) // 256))
        rows.append(row)
    return rows


def _wrong(viewer, size, expected):
    """The first thing that is wrong with the picture, or None."""
    if (viewer.width, viewer.height) != size:
        return f"its size is {viewer.width} x {viewer.height}"
    for y, row in enumerate(viewer.rows):
        seen = bytearray(row)
        seen[3::4] = bytes(size[0])
        if seen != expected[y]:
            x = next(x for x in range(size[0]) if seen[4 * x:4 * x + 3] != expected[y][4 * x:4 * x + 3])
            return f"blue, green, red at {x}, {y} are {seen[4 * x:4 * x + 3].hex(' ')}"
    return None


def _see(viewer, size):
    """Takes updates until the picture has this size and is what the guest draws, each pixel."""
    expected = _expected(*size)
    viewer.request()
    viewer.update()
    while wrong := _wrong(viewer, size, expected):
        viewer.request(incremental=True)
        if not select.select([viewer.socket], [], [], min(remaining(), 30))[0]:
            raise Failure(f"the picture is not that of {size[0]} x {size[1]}: {wrong}")
        viewer.update()


def _press(viewer, symbol):
    viewer.key(symbol, True)
    viewer.key(symbol, False)


def _viewer(guest):
    """A viewer where libxl says that the guest's display is."""
    path = f"/local/domain/{guest.domid()}/console/vnc-port"
    return Viewer(("127.0.0.1", int(waitFor(path, lambda: read(path)))), timeout=remaining())


def _displays():
    return [pid for pid, words in processes().items() if words[0] == DISPLAY]


def _switch(viewer, serial, symbol, mode, size):
    _press(viewer, symbol)
    serial.expect(f"display guest: {mode}")
    _see(viewer, size)


@test("display: pictures, keys and mouse through VNC; its process in dom0 is killed and the guest goes on; restored, it shows what it showed",
      480, starts=2)
def _(uses):
    uses("picture")
    image = Path("/root/picture.save")
    with Guest("picture", "display", **GRAPHICS) as guest:
        guest.create()
        serial = guest.serial()
        serial.expect("display guest: up")
        viewer = _viewer(guest)
        _see(viewer, SMALL)
        _press(viewer, KEY_A)
        serial.expect("key 1e")
        serial.expect("key 9e")
        viewer.pointer(100, 100)
        viewer.pointer(105, 97)
        serial.expect("mouse 08 05 03")  # to the right, upwards
        viewer.pointer(105, 97, 1)
        serial.expect("mouse 09 00 00")
        viewer.pointer(105, 97)
        serial.expect("mouse 08 00 00")
        _switch(viewer, serial, KEY_2, "800 x 600", MIDDLE)
        _switch(viewer, serial, KEY_3, "1920 x 1200", LARGE)
        second = _viewer(guest)
        _see(second, LARGE)
        _switch(second, serial, KEY_1, "320 x 200", SMALL)
        _see(viewer, SMALL)
        second.close()
        _killDisplay(viewer)
        viewer = _viewer(guest)
        _see(viewer, SMALL)  # smaller than the framebuffer, and the frontend does not say it again
        _switch(viewer, serial, KEY_2, "800 x 600", MIDDLE)
        viewer.close()
        run("xl", "save", "picture", image)
        guest.waitGone()
        guest.restore(image)
        viewer = _viewer(guest)
        _see(viewer, MIDDLE)
        _switch(viewer, guest.serial(), KEY_1, "320 x 200", SMALL)
        viewer.close()
        guest.destroy()
        guest.waitGone()
    image.unlink()


def _killDisplay(viewer):
    """Kills the display of the only guest there is, and waits for another process of it."""
    old = _displays()
    if len(old) != 1:
        raise Failure(f"the processes of the display are {old}")
    os.kill(old[0], signal.SIGKILL)
    waitFor("the viewer's end", lambda: not viewer.socket.recv(65536))
    viewer.close()
    waitFor("another process", lambda: _displays() not in ([], old))
