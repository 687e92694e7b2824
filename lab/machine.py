# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulated computer: its hardware, its QEMU process and that process's QMP.

Both the machine that is snapshotted and every one that is resumed come from
here, because a snapshot fits only the same hardware.  What runs inside is no
concern of this file.
"""

import contextlib
import ctypes
import json
import signal
import socket
import subprocess
import time
from pathlib import Path

from lab.errors import LabError, LabTimeout

MEMORY_MIB = 6144
DOM0_MEMORY_MIB = 2048
PAYLOAD_BYTES = 1 << 30
GUEST_ADDRESS = "10.0.2.15"

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def _dieWithParent():
    # A lab that is killed outright must not leave its emulator behind.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def freePort():
    """A TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def hardware(port, disk, payload, directory, frozen):
    """QEMU's arguments: the hardware, with its host ends in a directory.

    frozen: the disk must not change; writes go to a temporary overlay.
    """
    overlay = ",snapshot=on" if frozen else ""
    return [
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "q35,vmport=off", "-accel", "tcg,thread=multi,tb-size=1024",
        # vme, which TCG lacks, is claimed because libvirt finds no CPU model for Xen without it.
        "-cpu", "qemu64,+svm,+npt,+vme,x-force-features=on",
        "-smp", "2", "-m", f"{MEMORY_MIB}M",
        # The explicit PCI half is what makes the IOMMU migratable.
        "-device", "AMDVI-PCI,id=iommu0,addr=02.0", "-device", "amd-iommu,pci-id=iommu0",
        "-chardev", f"file,id=console,path={directory}/console.log", "-serial", "chardev:console",
        "-chardev", f"socket,id=qmp,path={directory}/qmp,server=on,wait=off",
        "-mon", "chardev=qmp,mode=control",
        "-drive", f"file={disk},format=raw,if=none,id=root,cache=unsafe,discard=unmap{overlay}",
        "-device", "virtio-blk-pci,drive=root,addr=03.0",
        "-drive", f"file={payload},format=raw,if=none,id=payload,read-only=on",
        "-device", "virtio-blk-pci,drive=payload,addr=04.0",
        "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-{GUEST_ADDRESS}:22",
        "-device", "virtio-net-pci,netdev=net,addr=05.0,romfile=",
        "-device", "virtio-serial-pci,id=ports,addr=06.0",
        "-chardev", f"socket,id=event,path={directory}/event,server=on,wait=off",
        "-device", "virtserialport,bus=ports.0,chardev=event,name=lab.event",
        "-chardev", f"file,id=guests,path={directory}/guests.log",
        "-device", "virtserialport,bus=ports.0,chardev=guests,name=lab.guests",
        # For passing through: a network card and QEMU's teaching device.
        "-netdev", "user,id=passed,restrict=on",
        "-device", "e1000e,netdev=passed,addr=08.0,romfile=", "-device", "edu,addr=09.0",
        "-object", "rng-builtin,id=rng", "-device", "virtio-rng-pci,rng=rng,addr=0a.0",
    ]


class Machine:
    """A running QEMU and the connection to its monitor."""

    def __init__(self, emulator, arguments, directory):
        self._directory = Path(directory)
        self._errors = self._directory / "emulator.log"
        with open(self._errors, "ab") as errors:
            self.process = subprocess.Popen(
                [*emulator.command("qemu-system-x86_64"), *arguments],
                env={**emulator.environment(), "TMPDIR": str(directory)},
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                start_new_session=True, preexec_fn=_dieWithParent)
        self._qmp = None
        self._pending = b""
        self._events = []

    def connect(self, name, seconds):
        """Connects to a socket QEMU makes in the directory; seconds: at most so long."""
        deadline = time.monotonic() + seconds
        pause = 0.005
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._directory / name))
                return connection
            except OSError:
                connection.close()
            # QEMU makes its sockets within milliseconds and has no event for it.
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"the emulator did not start: {self.errors()}")
            time.sleep(pause)
            pause = min(2 * pause, 0.2)

    def errors(self):
        """What QEMU said on its standard error."""
        return self._errors.read_text(errors="replace").strip()

    def openMonitor(self, seconds=30):
        """Connects to QMP and leaves capability negotiation."""
        self._qmp = self.connect("qmp", seconds)
        self._receive(time.monotonic() + seconds)
        self.execute("qmp_capabilities")

    def execute(self, command, seconds=30, **arguments):
        """Executes a QMP command and returns what it returns."""
        request = {"execute": command, "arguments": arguments}
        self._qmp.sendall(json.dumps(request).encode() + b"\n")
        deadline = time.monotonic() + seconds
        while True:
            message = self._receive(deadline)
            if "event" in message:
                self._events.append(message)
            elif "error" in message:
                raise LabError(f"QEMU refused {command}: {message['error'].get('desc')}")
            elif "return" in message:
                return message["return"]

    def waitForEvent(self, wanted, seconds):
        """Waits for a QMP event that `wanted(event)` accepts."""
        deadline = time.monotonic() + seconds
        while True:
            while self._events:
                event = self._events.pop(0)
                if wanted(event):
                    return event
            message = self._receive(deadline)
            if "event" in message:
                self._events.append(message)

    def _receive(self, deadline):
        while b"\n" not in self._pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LabTimeout("QEMU's monitor did not answer in time")
            self._qmp.settimeout(left)
            try:
                chunk = self._qmp.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                chunk = b""
            if not chunk:
                raise LabError(f"the emulator ended: {self.errors()}")
            self._pending += chunk
        line, self._pending = self._pending.split(b"\n", 1)
        return json.loads(line)

    def kill(self):
        """Ends QEMU at once; safe to call again and from another thread."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        if self._qmp is not None:
            self._qmp.close()
