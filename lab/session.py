# SPDX-License-Identifier: LGPL-2.1-or-later
"""One running lab: resumed from the snapshot, talked to through ssh, thrown away.

Every `Lab` is its own QEMU with its own overlay in its own temporary directory,
so labs do not see each other and leave nothing behind.  A deadline for the
whole life of the lab kills it; whoever waits for it then gets LabTimeout.
"""

import contextlib
import fcntl
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from lab import hardware, machine, rootfs
from lab.build import bootArguments, buildRoot, useBuild
from lab.emulator import Emulator
from lab.errors import LabError, LabTimeout
from lab.kernels import takeKernelsOfDisk
from lab.snapshot import loadSnapshot
from lab.suite import DEFAULT_SUITE, SUITES

DEFAULT_DEADLINE = 600
_PREPARE = """set -e
date -s @{now} >/dev/null
[ {payload} = 0 ] || {{
    blockdev --flushbufs /dev/vdb
    mount -o ro /dev/vdb /payload
    if [ {install} = 1 ] && [ -x /payload/install.sh ]; then /payload/install.sh >&2; fi
}}
"""


def _sweep(directory):
    """Removes what a lab that was killed outright left: a directory nobody holds the lock of."""
    for stale in directory.glob("run-*"):
        with contextlib.suppress(OSError), open(stale / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(stale, ignore_errors=True)


class Lab:
    """A dom0 on real Xen, for one `with` block.

    suite: Debian suite of dom0.  payload: directory that appears at /payload in
    dom0; its install.sh, if any, has run.  deadline: seconds after which the lab
    is killed, whatever it does.  bootable: reboot() will be called.
    """

    def __init__(self, suite=DEFAULT_SUITE, payload=None, deadline=DEFAULT_DEADLINE, bootable=False):
        if suite not in SUITES:
            raise LabError(f"no suite {suite!r}; there are {', '.join(SUITES)}")
        if payload is not None and not Path(payload).is_dir():
            raise LabError(f"the payload {payload} is not a directory")
        self._suite = SUITES[suite]
        self._payload = payload
        self._seconds = deadline
        self._bootable = bootable
        self._expired = False
        self._machine = None
        self._directory = None
        self._undo = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            build = useBuild(self._suite, undo)
            self._directory = self._makeDirectory(undo)
            image = self._makePayload(build)
            self._start(build, image, undo)
            undo.callback(self._logout)
            self._login(install=True)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *unused):
        self._undo.close()

    def run(self, command, timeout=None):
        """Runs a command as root in dom0: (exit status, stdout, stderr), both texts.

        command: a line for the shell, or words.  timeout: seconds, after which
        LabTimeout; the lab itself goes on, and so may the command.
        """
        try:
            result = subprocess.run(self._ssh(command), stdin=subprocess.DEVNULL,
                                    capture_output=True, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise LabTimeout(f"not done in {timeout} s: {command}") from error
        self._check()
        return (result.returncode, result.stdout.decode(errors="replace"),
                result.stderr.decode(errors="replace"))

    def stream(self, command=None):
        """Runs a command on our own stdin, stdout, stderr and returns its status.

        command: None for a shell on the terminal.
        """
        terminal = ["-tt"] if command is None else []
        status = subprocess.run(self._ssh(command, *terminal)).returncode
        self._check()
        return status

    def put(self, local, remote):
        """Copies a file, or a directory with all in it, into dom0 under the name `remote`."""
        self._copy(["tar", "-C", str(Path(local).parent), "-cf", "-", Path(local).name],
                   self._ssh(_unpack(Path(local).name, remote)))

    def get(self, remote, local):
        """Copies a file or directory of dom0 here under the name `local`."""
        remote = Path(remote)
        pack = self._ssh(["tar", "-C", str(remote.parent), "-cf", "-", remote.name])
        self._copy(pack, ["/bin/sh", "-c", _unpack(remote.name, Path(local).absolute())])

    def reboot(self, seconds=DEFAULT_DEADLINE):
        """Shuts dom0 down and starts the computer anew, from Xen on; what is on the disk stays, nothing else.

        seconds: LabTimeout if dom0 is not up and well by then.  Has no part in what a command that is still running gets.
        """
        self._machine.execute("set-action", reboot="reset")
        with self._machine.connect("event", 30) as event:
            event.settimeout(seconds)
            subprocess.run(self._ssh("systemctl reboot"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            said = b""
            try:
                while not said.endswith(b"\n"):
                    chunk = event.recv(256)
                    if not chunk:
                        break
                    said += chunk
            except TimeoutError as error:
                raise LabTimeout(f"dom0 was not up again in {seconds} s") from error
        self._check()
        if said.strip() != b"ready":
            raise LabError(f"dom0 is not as it should be after the reboot: {said.decode(errors='replace').strip()}")
        self._logout()
        self._login(install=False)

    def consoleLog(self):
        """Path of the log of Xen and dom0; guests' logs are appended to it by this call.

        Gone when the lab ends: keep a copy if it is needed.
        """
        target = self._directory / "all.log"
        parts = [(self._directory / name).read_text(errors="replace")
                 for name in ("console.log", "guests.log")]
        target.write_text("\n".join(parts))
        return target

    def expired(self):
        """Whether the deadline has killed the lab."""
        return self._expired

    def _makeDirectory(self, undo):
        parent = buildRoot()
        with open(parent / "run.lock", "w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            _sweep(parent)
            directory = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
            undo.callback(shutil.rmtree, directory, ignore_errors=True)
            lock = undo.enter_context(open(directory / "lock", "w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        return directory

    def _makePayload(self, build):
        if self._payload is None:
            return build / "payload.raw"
        image = self._directory / "payload.raw"
        rootfs.makeImage(self._payload, image, hardware.PAYLOAD_BYTES, "payload")
        return image

    def _start(self, build, image, undo):
        port = machine.freePort()
        arguments = hardware.arguments(port, build / "disk.raw", image, self._directory, frozen=True)
        if self._bootable:
            takeKernelsOfDisk(build / "disk.raw", self._directory)
            arguments += bootArguments(self._directory)
        self._machine = machine.Machine(Emulator(build / "emulator"),
                                        [*arguments, "-incoming", "defer", "-S"], self._directory)
        undo.callback(self._machine.kill)
        timer = threading.Timer(self._seconds, self._expire)
        timer.daemon = True
        timer.start()
        undo.callback(timer.cancel)
        self._machine.openMonitor()
        loadSnapshot(self._machine, build / "memory")
        self._words = [
            "ssh", "-q", "-F", "none", "-i", str(build / "key"), "-p", str(port),
            "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
            "-o", "ControlPath=" + str(self._directory / "ssh"), "-o", "ConnectTimeout=60",
            "-o", "ServerAliveInterval=0", "root@127.0.0.1"]

    def _login(self, install):
        """Logs in once, for all commands, and prepares dom0.  install: the payload is new to it."""
        prepare = _PREPARE.format(now=int(time.time()), payload=int(self._payload is not None), install=int(install))
        words = [*self._words[:-1], "-o", "ControlMaster=yes", "-o", "ControlPersist=yes",
                 self._words[-1], prepare]
        with open(self._directory / "login.log", "w+") as log:
            status = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log).returncode
            log.seek(0)
            said = log.read().strip()
        self._check()
        if status != 0:
            raise LabError(f"cannot prepare dom0 (status {status}): {said or self._machine.errors()}")

    def _logout(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([*self._words[:-1], "-O", "exit", self._words[-1]],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=10)

    def _ssh(self, command, *options):
        if command is None:
            line = []
        elif isinstance(command, str):
            line = ["--", command]
        else:
            line = ["--", shlex.join(str(word) for word in command)]
        return [*self._words[:-1], *options, self._words[-1], *line]

    def _copy(self, source, sink):
        with subprocess.Popen(source, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL) as sender:
            receiver = subprocess.run(sink, stdin=sender.stdout, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE)
            sender.stdout.close()
            complaint = sender.stderr.read() + receiver.stderr
        self._check()
        if sender.returncode != 0 or receiver.returncode != 0:
            raise LabError("cannot copy: " + complaint.decode(errors="replace").strip())

    def _expire(self):
        self._expired = True
        self._machine.kill()

    def _check(self):
        if self._expired:
            raise LabTimeout(f"the lab was killed by its deadline of {self._seconds} s")
        if self._machine.process.poll() is not None:
            raise LabError(f"the emulator ended: {self._machine.errors()}")


def _unpack(name, target):
    """A shell line that unpacks a tar stream holding `name` so that it becomes `target`."""
    target = shlex.quote(str(target))
    return (f"set -e; d=$(mktemp -d); trap 'rm -rf \"$d\"' EXIT; tar -C \"$d\" -xf -; "
            f"mkdir -p \"$(dirname {target})\"; rm -rf {target}; mv \"$d\"/{shlex.quote(name)} {target}")
