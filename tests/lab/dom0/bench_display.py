# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures the display of a guest that changes all its pixels without end, beside stock Xen with QEMU in dom0.

A viewer in dom0 asks for changes as soon as it has the last ones. It takes
what it is sent apart, but decodes nothing. A frame is as many pixels as the
picture has: changes may come in parts. CPU time is that of all processes dom0
has for the guest, and memory is theirs, with the viewer there; once more with the
largest picture the guest has. What the stubdomain spends is a row of its own:
dom0's QEMU also emulates the card.
"""

import os
import re
import statistics
import time
from pathlib import Path

from guest import Guest
from host import processes, read, remaining, run, waitFor
from viewer import DESKTOP_SIZE, LAST_RECT, RAW, ZRLE, Viewer

ROUNDS = int(os.environ.get("STUBDOM_BENCH_ROUNDS", "3"))
SECONDS = 8
CPU_BAR, MEMORY_BAR = 1.2, 12.0
TIGHT = 7
ENCODINGS = {"raw": RAW, "zrle": ZRLE, "tight": TIGHT}  # virt-viewer takes the last
WIDTH, HEIGHT = 800, 600
LARGE = (1920, 1200)
KEY_3, KEY_4 = 0x33, 0x34


class Meter(Viewer):
    """A viewer that counts pixels."""

    def __init__(self, *words, **options):
        self._room = bytearray(1 << 16)
        super().__init__(*words, **options)

    def _skip(self, size):
        room = memoryview(self._room)
        while size:
            got = self.socket.recv_into(room[:min(size, len(room))])
            if not got:
                raise ConnectionError("the server closed the connection")
            size -= got

    def count(self):
        """Takes one update: how many pixels it has."""
        if self.unpack(">B")[0] != 0:
            raise ConnectionError("something else than pixels")
        left, pixels = self.unpack(">xH")[0], 0
        while left:
            _, _, width, height, encoding = self.unpack(">HHHHi")
            if encoding == LAST_RECT:
                break
            left -= left != 0xffff
            if encoding == DESKTOP_SIZE:
                self.width, self.height = width, height
                continue
            pixels += width * height
            if encoding == RAW:
                self._skip(width * height * 4)
            elif encoding == ZRLE:
                self._skip(self.unpack(">I")[0])
            else:
                self._tight(width, height)
        return pixels

    def _compact(self):
        """A length of tight: seven bits a byte, the lowest first, and eight in a third."""
        length = 0
        for shift in (0, 7, 14):
            byte = self.receive(1)[0]
            length |= (byte if shift == 14 else byte & 127) << shift
            if byte < 128:
                break
        return length

    def _tight(self, width, height):
        control = self.receive(1)[0] >> 4
        if control == 8:  # one colour
            self._skip(3)
        elif control == 9:  # JPEG
            self._skip(self._compact())
        else:
            size = width * height * 3
            if control & 4 and self.receive(1) == b"\1":  # a palette
                colours = self.receive(1)[0] + 1
                self._skip(colours * 3)
                size = (width + 7) // 8 * height if colours == 2 else width * height
            self._skip(size if size < 12 else self._compact())


def _spent(pids):
    """Seconds of CPU time these processes have used."""
    total = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(path.read_text(encoding="ascii").split()[0])
    return total / 1e9


def _spentBy(domain):
    """The same of a domain; 0 if there is none."""
    found = re.search(rf"^{domain}\s+\d+\s+\d+\s+\d+\s+\S+\s+([\d.]+)", run("xl", "list")[1], re.M)
    return float(found.group(1)) if found else 0.0


def _proportional(pids):
    """MiB of memory: the processes' proportional set size, and what each has."""
    total, names = 0, []
    for pid in pids:
        process = Path(f"/proc/{pid}")
        size = int(re.search(r"^Pss:\s+(\d+) kB", (process / "smaps_rollup").read_text(encoding="ascii"), re.M).group(1)) / 1024
        names.append(f"{(process / 'comm').read_text(encoding='ascii').strip()} {size:.1f}")
        total += size
    return total, names


def _stream(viewer, name, pids, encoding):
    """Takes pictures for a while: frames a second, and milliseconds of CPU time a frame, dom0's and the stubdomain's."""
    viewer.set_encodings(encoding, LAST_RECT, DESKTOP_SIZE)
    viewer.request()
    viewer.count()
    cpu, stubdomain, start, pixels = _spent(pids), _spentBy(name + "-dm"), time.monotonic(), 0
    while time.monotonic() - start < SECONDS:
        viewer.request(incremental=True)
        pixels += viewer.count()
    frames = pixels / (WIDTH * HEIGHT)
    seconds = time.monotonic() - start
    return {"rate": frames / seconds, "cpu": 1000 * (_spent(pids) - cpu) / frames,
            "stubdomain": 1000 * (_spentBy(name + "-dm") - stubdomain) / frames}


def _press(viewer, key):
    viewer.key(key, True)
    viewer.key(key, False)


def _shows(viewer):
    """Whether the viewer has all of the largest picture as the guest draws it."""
    width, height = LARGE
    blue = bytes(x & 255 for x in range(width))
    red = [bytes(x // 256 << 4 | part for x in range(width)) for part in range(height // 256 + 1)]
    return (viewer.width, viewer.height) == LARGE and all(
        row[0::4] == blue and row[1::4] == bytes([y & 255]) * width and row[2::4] == red[y // 256] for y, row in enumerate(viewer.rows))


def _enlarge(viewer, serial):
    """The viewer has all of the largest picture, in the last encoding again."""
    _press(viewer, KEY_3)
    serial.expect(f"display guest: {LARGE[0]} x {LARGE[1]}")
    viewer.set_encodings(RAW, LAST_RECT, DESKTOP_SIZE)
    while not _shows(viewer):
        viewer.request(incremental=True)
        viewer.update()
    viewer.set_encodings(TIGHT, LAST_RECT, DESKTOP_SIZE)
    viewer.request()
    viewer.count()


def measure(name, config):
    """The figures of one guest."""
    running = set(processes())
    with Guest(name, "display", vnc=1, vga="stdvga", videoram=16, **config) as guest:
        guest.create()
        serial = guest.serial()
        serial.expect("display guest: up")
        path = f"/local/domain/{guest.domid()}/console/vnc-port"
        viewer = Meter(("127.0.0.1", int(waitFor(path, lambda: read(path)))), timeout=remaining())
        pids = [pid for pid, words in processes().items() if pid not in running and os.path.basename(words[0]) != "xl"]
        _press(viewer, KEY_4)
        serial.expect("display guest: moving")
        while (viewer.width, viewer.height) != (WIDTH, HEIGHT):
            viewer.request()
            viewer.count()
        figures = {key: _stream(viewer, name, pids, encoding) for key, encoding in ENCODINGS.items()}
        figures["pss"], figures["processes"] = _proportional(pids)
        _press(viewer, KEY_4)
        serial.expect("display guest: moved ")
        figures["moved"] = int(serial.expect("\r").replace(" ", ""), 16)
        _enlarge(viewer, serial)
        figures["large"], figures["large processes"] = _proportional(pids)
        viewer.close()
        guest.destroy()
        guest.waitGone()
    return figures


def report(results):
    """Prints the table; returns whether all bars are met."""
    if not all(results.values()):
        print("not ok: no figures of the display")
        return False

    def median(kind, key, what):
        return statistics.median(figures[key][what] for figures in results[kind])

    rows = {"rate": "frames a second", "cpu": "dom0's CPU, ms a frame", "stubdomain": "stubdomain's CPU, ms a frame"}
    print(f"\n{f'{WIDTH} x {HEIGHT}, median of {ROUNDS}':<40}{'dom0 QEMU':>12}{'ours':>12}{'ours/QEMU':>12}")
    bars = []
    for key in ENCODINGS:
        for what, label in rows.items():
            stock, ours = median("dom0", key, what), median("ours", key, what)
            print(f"{key + ': ' + label:<40}{stock:>12.1f}{ours:>12.1f}{format(ours / stock, '>12.2f') if stock else ''}")
            if what == "cpu":
                bars.append((f"{key}: CPU time a frame at most {CPU_BAR} of QEMU's", ours <= CPU_BAR * stock))
    for what, size in (("pss", f"{WIDTH} x {HEIGHT}"), ("large", f"{LARGE[0]} x {LARGE[1]}")):
        stock, ours = (statistics.median(figures[what] for figures in results[kind]) for kind in ("dom0", "ours"))
        print(f"{f'dom0 memory (PSS), MiB, {size}':<40}{stock:>12.1f}{ours:>12.1f}{ours / stock:>12.2f}")
        bars.append((f"dom0 memory at most {MEMORY_BAR} MiB at {size}", ours <= MEMORY_BAR))
    for kind, guests in results.items():
        print(f"{kind}: {', '.join(guests[-1]['processes'])} MiB; large: {', '.join(guests[-1]['large processes'])} MiB; "
              f"the guest drew {guests[-1]['moved']} pictures")
    for text, met in bars:
        print(f"{'ok' if met else 'not ok'}: {text}")
    return all(met for _, met in bars)
