# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stock virt-viewer and virt-manager on the display of a domain, as somebody at a screen uses them.

They are not dom0's but the payload's (tests/lab/viewers), seen by them as the
root of a tree of their own with dom0's sockets in it. The screen is Xvfb's.
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from guest import Guest
from harness import test
from host import remaining, run, waitFor
from virt import URI, Connection, removedAfterwards, waitGone, xml

TREE = Path("/payload/viewers")
PLACE = Path("/run/viewers")
KEPT = Path("/root/kept")
SCREEN, WIDTH, HEIGHT = ":9", 1280, 1024
NAME = "viewed"
BOUND = ("/dev", "/proc", "/sys", "/run/libvirt")
# A piece of the last line of the guest's 800 x 600 pixels that is nowhere else, as red, green and blue.
LINE = bytes(part for x in range(300, 400) for part in ((x // 256) << 4 | 599 // 256, 599 & 255, x & 255))


@contextlib.contextmanager
def tree():
    """The viewers' root, writable: what they write is in memory and gone afterwards."""
    mounted = []

    def mount(*words):
        run("mount", *words)
        mounted.append(words[-1])

    PLACE.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=256m", "viewers", PLACE)
        for name in ("upper", "work", "root"):
            (PLACE / name).mkdir()
        mount("-t", "overlay", "-o", f"lowerdir={TREE},upperdir={PLACE}/upper,workdir={PLACE}/work", "viewers", PLACE / "root")
        for path in BOUND:
            target = Path(f"{PLACE}/root{path}")
            target.mkdir(parents=True, exist_ok=True)
            mount("--rbind", path, target)
            run("mount", "--make-rslave", target)
        yield PLACE / "root"
    finally:
        for path in reversed(mounted):
            run("umount", "--recursive", "--lazy", path, check=False)
        PLACE.rmdir()


class Screen:
    """Xvfb, and what is started on it."""

    def __init__(self, root):
        self.root = root
        self.programs = []
        self.start("Xvfb", SCREEN, "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-fbdir", "/root")
        waitFor("the screen", (root / f"tmp/.X11-unix/X{SCREEN[1:]}").exists)

    def words(self, *words):
        return ["chroot", str(self.root), "env", f"DISPLAY={SCREEN}", "HOME=/root", "LC_ALL=C.UTF-8", "NO_AT_BRIDGE=1",
                "LIBGL_ALWAYS_SOFTWARE=1", "GDK_BACKEND=x11", *words]

    def start(self, *words):
        with open(self.root / "root/log", "ab") as log:
            self.programs.append(subprocess.Popen(self.words(*words), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                  start_new_session=True))

    def run(self, *words, check=True):
        return run(*self.words(*words), check=check)

    def pixels(self):
        """What is on the screen: three bytes a pixel."""
        found = (self.root / "root/Xvfb_screen0").read_bytes()[-WIDTH * HEIGHT * 4:]
        pixels = bytearray(WIDTH * HEIGHT * 3)
        for part in range(3):  # from blue, green, red, nothing
            pixels[part::3] = found[2 - part::4]
        return pixels

    def waitFor(self, line, picture):
        """Waits until the guest's picture is there, pixel by pixel; @picture: name to keep what is on the screen under."""
        try:
            waitFor("the guest's picture", lambda: line in self.pixels(), remaining() / 2)
        finally:
            self.run("convert", "xwd:/root/Xvfb_screen0", "/root/screen.png", check=False)
            KEPT.mkdir(exist_ok=True)
            with contextlib.suppress(OSError):
                (KEPT / f"{picture}.png").write_bytes((self.root / "root/screen.png").read_bytes())

    def type(self, window, *keys):
        """Types into the newest window of that name."""
        number = waitFor("a window", lambda: self.run("xdotool", "search", "--name", window, check=False)[1].split())[-1]
        self.run("xdotool", "windowfocus", number, "mousemove", "--window", number, "400", "400", "click", "1")
        for key in keys:
            self.run("xdotool", "key", key)

    def log(self):
        return (self.root / "root/log").read_text(errors="replace")[-1500:]

    def close(self):
        """They and what they have started."""
        for program in reversed(self.programs):
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(program.pid, number)
                    program.wait(min(10, remaining()))


def look(note, picture, *words):
    """The guest is shown, and reads what is typed."""
    note(NAME)
    graphics = "<graphics type='vnc' port='-1'/><input type='tablet' bus='usb'/>"
    with Connection() as virt, removedAfterwards(virt.conn, NAME), tree() as root:
        domain = virt.conn.defineXML(xml(NAME, image="display", devices=graphics))
        domain.create()
        screen = Screen(root)
        try:
            with Guest(NAME) as guest:
                serial = guest.serial()
                serial.expect("display guest: 320 x 200")
                run("virsh", "-q", "-c", URI, "send-key", NAME, "KEY_2")
                serial.expect("display guest: 800 x 600")
                screen.start(*words)
                screen.waitFor(LINE, picture)
                screen.type(NAME, "a")
                serial.expect("key 1e")
        except BaseException:
            print("# " + screen.log().replace("\n", "\n# "))
            raise
        finally:
            screen.close()
        domain.destroy()
        waitGone(NAME)


if TREE.is_dir():
    @test("viewers: virt-viewer shows the guest and types into it", 420, starts=1)
    def virtViewer(note):
        look(note, "virt-viewer", "virt-viewer", "--connect", URI, NAME)

    @test("viewers: virt-manager shows the guest and types into it", 600, starts=1)
    def virtManager(note):
        look(note, "virt-manager", "dbus-run-session", "virt-manager", "--no-fork", "--connect", URI, "--show-domain-console", NAME)
