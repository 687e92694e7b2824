# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds the lab of a suite, once for each key.

The key is a hash of everything that goes in and lies in this tree.  A finished
build is a directory with the key in its name and a file `complete` in it; other
keys of the same suite are removed.  Builds of one suite exclude each other.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lab import deps, hardware, machine, rootfs
from lab.emulator import Emulator, extractEmulator
from lab.errors import LabError
from lab.snapshot import saveSnapshot

HERE = Path(__file__).resolve().parent
_INPUTS = ("build.py", "dom0", "emulator.py", "firmware.py", "guests", "hardware.py", "rootfs.py", "snapshot.py",
           "sources.py", "suite.py")
_BOOT_SECONDS = 900

XEN_ARGUMENTS = (f"console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all "
                 f"dom0_mem={hardware.DOM0_MEMORY_MIB}M,max:{hardware.DOM0_MEMORY_MIB}M "
                 "dom0_max_vcpus=2 spec-ctrl=no")
KERNEL_ARGUMENTS = ("root=/dev/vda rw console=hvc0 net.ifnames=0 mitigations=off quiet "
                    "systemd.show_status=0 apparmor=0 audit=0")


def buildRoot():
    """The directory builds are kept in."""
    return Path(os.environ.get("STUBDOM_BUILD") or HERE.parent / "build") / "lab"


def inputKey(suite):
    """A short hash of the inputs of a suite's build."""
    digest = hashlib.sha256(repr(suite).encode())
    for name in _INPUTS:
        top = HERE / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                digest.update(str(path.relative_to(HERE)).encode() + b"\0"
                              + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def buildDirectory(suite):
    """Where the build of the present inputs is, or would be."""
    return buildRoot() / f"{suite.name}-{inputKey(suite)}"


@contextlib.contextmanager
def _stage(name):
    print(f"lab: {name} …", file=sys.stderr, flush=True)
    start = time.monotonic()
    yield
    print(f"lab: {name}: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _exclusive(suite):
    buildRoot().mkdir(parents=True, exist_ok=True)
    with open(buildRoot() / f"{suite.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensureBuilt(suite):
    """Builds the lab of a suite unless it is there; returns its directory."""
    directory = buildDirectory(suite)
    if (directory / "complete").exists():
        return directory
    deps.require()
    if os.geteuid() != 0:
        raise LabError("the lab is built as root (mmdebstrap keeps the owners of files)")
    with _exclusive(suite):
        if (directory / "complete").exists():
            return directory
        for stale in buildRoot().glob(f"{suite.name}-*"):
            _removeUnused(stale)
        directory.mkdir(parents=True)
        with open(directory / "build.log", "w") as log:
            try:
                _buildAll(suite, directory, log)
            except subprocess.CalledProcessError as error:
                raise LabError(f"{error.cmd[0]} failed, see {directory / 'build.log'}:\n"
                               + _tail(directory / "build.log")) from error
        (directory / "complete").touch()
    return directory


def useBuild(suite, undo):
    """Builds the lab of a suite if need be and keeps it from being removed until `undo` is closed."""
    while True:
        directory = ensureBuilt(suite)
        try:
            file = undo.enter_context(open(directory / "complete"))
        except FileNotFoundError:
            continue
        fcntl.flock(file, fcntl.LOCK_SH)
        if (directory / "complete").exists():
            return directory


def _removeUnused(directory):
    """Removes a build unless a running lab holds it; a later build then removes it."""
    with contextlib.ExitStack() as undo:
        if (directory / "complete").exists():
            file = undo.enter_context(open(directory / "complete"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            (directory / "complete").unlink()
        shutil.rmtree(directory)


def _tail(path, lines=15):
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _buildAll(suite, directory, log):
    with _stage("guests"):
        subprocess.run([HERE / "guests/build", directory / "guests"], check=True,
                       stdout=log, stderr=log)
    with _stage("emulator"):
        extractEmulator(directory / "emulator", log)
    with _stage(f"dom0 packages of {suite.name}"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab",
                        "-f", directory / "key"], check=True, stdout=log, stderr=log)
        rootfs.bootstrap(suite, directory / "root", directory / "key.pub",
                         directory / "guests", log)
        rootfs.hurryFirmware(directory / "root", log)
    with _stage("disk"):
        rootfs.takeKernels(directory / "root", directory)
        rootfs.makeImage(directory / "root", directory / "disk.raw", rootfs.DISK_BYTES, "dom0")
        shutil.rmtree(directory / "root")
        rootfs.makeImage(None, directory / "payload.raw", hardware.PAYLOAD_BYTES, "")
    with _stage("boot"):
        running = _boot(directory)
    try:
        with _stage("snapshot"):
            saveSnapshot(running, directory / "memory")
            running.execute("quit")
            running.process.wait(60)
    finally:
        running.kill()
    for name in ("xen", "vmlinuz", "initrd.img"):
        (directory / name).unlink()


def bootArguments(directory):
    """QEMU's arguments that start Xen and dom0 from the build directory."""
    return ["-kernel", f"{directory}/xen", "-append", XEN_ARGUMENTS,
            "-initrd", f"{directory}/vmlinuz {KERNEL_ARGUMENTS},{directory}/initrd.img"]


def _boot(directory):
    """Starts dom0 and waits until it says that it is ready to be frozen."""
    arguments = hardware.arguments(machine.freePort(), directory / "disk.raw",
                                 directory / "payload.raw", directory, frozen=False)
    running = machine.Machine(Emulator(directory / "emulator"),
                              arguments + bootArguments(directory), directory)
    try:
        running.openMonitor()
        with running.connect("event", 30) as event:
            event.settimeout(_BOOT_SECONDS)
            said = b""
            while not said.endswith(b"\n"):
                try:
                    chunk = event.recv(256)
                except TimeoutError:
                    raise LabError(f"dom0 was not up in {_BOOT_SECONDS} s:\n"
                                   + _tail(directory / "console.log")) from None
                if not chunk:
                    raise LabError("the emulator ended while dom0 booted: "
                                   f"{running.errors()}\n" + _tail(directory / "console.log"))
                said += chunk
        if said.strip() != b"ready":
            raise LabError(f"dom0 is not as it should be: {said.decode(errors='replace').strip()}\n"
                           + _tail(directory / "console.log"))
        return running
    except BaseException:
        running.kill()
        raise
