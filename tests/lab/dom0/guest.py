# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of xl: its configuration, its life, and its serial port."""

import json
import os
import pty
import select
import subprocess
import tempfile
import termios
import tty
from pathlib import Path

from host import LOGS, Deadline, Failure, domains, logTail, read, remaining, run, waitFor

PRODUCT = "/usr/libexec/xen-stubdom-dm"
DISK = "/srv/guests/%s.img,raw,hda,rw"


def makeMedium(name):
    """An image for CD-ROM drives, by whose first bytes guests tell it from others."""
    path = Path(f"/root/{name}.iso")
    path.write_bytes(f"medium {name}".ljust(16).encode() + bytes((1 << 20) - 16))
    return str(path)


class Serial:
    """The far end of a serial port: a file descriptor, and what came out of it."""

    def __init__(self, fd):
        self._fd = fd
        self.text = ""
        os.set_blocking(fd, False)

    def expect(self, wanted):
        """Waits until the guest has said something; what came before it is dropped."""
        while wanted not in self.text:
            try:
                left = remaining()
            except Deadline as error:
                raise Deadline(f"the guest never said {wanted!r}, but {self.text[-500:]!r}") from error
            if select.select([self._fd], [], [], left)[0]:
                try:
                    data = os.read(self._fd, 4096)
                except OSError:
                    data = b""
                if not data:
                    raise Failure(f"the serial port ended before {wanted!r}, after {self.text[-500:]!r}")
                self.text += data.decode(errors="replace")
        before, _, self.text = self.text.partition(wanted)
        return before

    def say(self, line):
        """Sends a line."""
        os.write(self._fd, line.encode() + b"\r")

    def close(self):
        os.close(self._fd)


class Guest:
    """One guest. It may be started again after it ended. Use it in a `with` block, which closes what it opened."""

    def __init__(self, name, image="print", image_directory=None, options=(), **config):
        stubdom = [*options, *([f"image={image_directory}"] if image_directory else [])]
        self.name = name
        self.config = {
            "name": name, "type": "hvm", "memory": 64, "vcpus": 1, "disk": [DISK % image] if image else [],
            "serial": "pty", "vnc": 0, "on_reboot": "destroy", "on_crash": "destroy",
            "device_model_version": "qemu-xen", "device_model_override": PRODUCT}
        self.config.update(config)
        if stubdom:
            self.config["device_model_args"] = ["-stubdom", ",".join(stubdom),
                                                *self.config.get("device_model_args", [])]
        self._opened = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        while self._opened:
            self._opened.pop()()

    def create(self, check=True, paused=False):
        """xl create, with -p if it is to stay paused: (status, what it said)."""
        return self._xl(["create", *(["-p"] if paused else [])], check=check)

    def restore(self, image, check=True):
        """xl restore with this configuration in place of the saved one: (status, what it said)."""
        return self._xl(["restore"], image, check=check)

    def _xl(self, before, *after, check):
        """xl with the name of a file that holds the configuration among its words."""
        with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
            for key, value in self.config.items():
                if value is not None:
                    file.write(f"{key} = {json.dumps(value)}\n")
            file.flush()
            return run("xl", *before, file.name, *after, check=check)

    def domid(self):
        """Its number, or None when there is no such domain."""
        return domains().get(self.name)

    def stubdomain(self):
        """Its stubdomain's number, or None."""
        return domains().get(self.name + "-dm")

    def devicemodel(self):
        """The process libxl started for it."""
        return int(read(f"/local/domain/{self.domid()}/image/device-model-pid"))

    def serial(self, path=None):
        """Its serial port, through the pty that a xenstore node names."""
        path = path or f"/local/domain/{self.domid()}/serial/0/tty"
        return self.openSerial(waitFor(path, lambda: read(path)))

    def openSerial(self, terminal):
        """Its serial port, through a pty."""
        fd = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(fd, termios.TCSANOW)
        return self._keep(Serial(fd))

    def console(self):
        """Its serial port, through `xl console -t serial`."""
        outside, inside = pty.openpty()
        tty.setraw(inside, termios.TCSANOW)
        process = subprocess.Popen(["xl", "console", "-t", "serial", self.name], stdin=inside, stdout=inside,
                                   stderr=inside, start_new_session=True)
        os.close(inside)
        self._opened.append(lambda: (process.terminate(), process.wait()))
        return self._keep(Serial(outside))

    def _keep(self, serial):
        self._opened.append(serial.close)
        return serial

    def destroy(self):
        """xl destroy."""
        run("xl", "destroy", self.name)

    def waitGone(self, seconds=None):
        """Waits until guest and stubdomain are no more."""
        waitFor(f"the end of {self.name} and its stubdomain",
                lambda: not {self.name, self.name + "-dm"} & set(domains()), seconds)

    def log(self):
        """The device model's log of the last start."""
        try:
            return (LOGS / f"qemu-dm-{self.name}.log").read_text(errors="replace")
        except OSError:
            return ""


def guestLogs(name):
    """What there is to read of a guest after a failure."""
    return [line for log in (f"qemu-dm-{name}.log", f"qemu-dm-{name}.log.1", f"stubdom-{name}.log", f"xl-{name}.log")
            for line in logTail(LOGS / log)]


def descriptor(name, **changed):
    """A copy of the image's descriptor with members changed; returns its path. Files are those of the image."""
    source = Path("/usr/share/xen-stubdom/images/linux")
    members = json.loads((source / "image.json").read_text())
    members.update({key: str(source / members[key]) for key in ("kernel", "ramdisk")})
    members.pop("sha256", None)
    members.update(changed)
    target = Path("/root/images") / name / "image.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(members))
    return str(target)

