# SPDX-License-Identifier: LGPL-2.1-or-later
"""A QEMU process and the connection to its monitor (QMP).

What hardware it emulates is hardware.py's concern, what runs inside session.py's.
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

_PR_SET_PDEATHSIG = 1
_PRIORITY = "-10"
_LIBC = ctypes.CDLL(None, use_errno=True)


def _becomeEmulator():
    # A lab that is killed outright must not leave its emulator behind.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # While one emulated processor has no core, the other spins for it: on a busy machine a
    # guest's boot then takes five times the processor time.  So the emulator goes first, where
    # this is allowed.  It is a session of its own, and the kernel weighs sessions, not processes.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(_PRIORITY)


def freePort():
    """A TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
                start_new_session=True, preexec_fn=_becomeEmulator)
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
