# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to xen:///stubdom in stock libvirtd, its events, and domains made for tests."""

import contextlib
import threading
import time

import libvirt

from host import Failure, domains, remaining, waitFor

URI = "xen:///stubdom"

_EVENTS = (
    ("lifecycle", libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE),
    ("added", libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED),
    ("removed", libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED),
    ("removal-failed", libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED),
    ("tray", libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE),
    ("reboot", libvirt.VIR_DOMAIN_EVENT_ID_REBOOT),
)
_loop = []


def _startLoop():
    """One event loop a process, as libvirt wants it: before the first connection."""
    if not _loop:
        libvirt.virEventRegisterDefaultImpl()
        libvirt.registerErrorHandler(lambda *unused: None, None)

        def turn():
            while True:
                libvirt.virEventRunDefaultImpl()

        _loop.append(threading.Thread(target=turn, daemon=True))
        _loop[0].start()


class Connection:
    """libvirt's connection as `conn`, and what it reported as `events`: (domain's name, kind, what)."""

    watched = tuple(kind for kind, _ in _EVENTS)

    def __init__(self, uri=URI):
        _startLoop()
        self.conn = libvirt.open(uri)
        self.events = []
        self._changed = threading.Condition()
        self._ids = [self.conn.domainEventRegisterAny(None, event, self._note, kind) for kind, event in _EVENTS
                     if kind in self.watched]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        with contextlib.suppress(libvirt.libvirtError):
            for number in self._ids:
                self.conn.domainEventDeregisterAny(number)
        self.conn.close()

    def _note(self, _conn, domain, *rest):
        *what, kind = rest
        with self._changed:
            self.events.append((domain.name(), kind, *what))
            self._changed.notify_all()

    def expect(self, *event):
        """Waits for an event that begins with these words, and forgets it and all before it."""
        end = time.monotonic() + remaining()
        with self._changed:
            while True:
                for place, seen in enumerate(self.events):
                    if seen[:len(event)] == event:
                        del self.events[:place + 1]
                        return seen
                if not self._changed.wait(max(0, end - time.monotonic())):
                    raise Failure(f"no event {event}, but {self.events}")


def refusal(function, *words, code=None):
    """Calls a function that must fail with an error of libvirt's, if a code is given with that one; returns the message."""
    try:
        result = function(*words)
    except libvirt.libvirtError as error:
        if code not in (None, error.get_error_code()):
            raise Failure(f"{function.__name__}{words} failed with {error.get_error_code()}, not {code}: {error}") from error
        return str(error)
    raise Failure(f"{function.__name__}{words} returned {result!r} and should have failed")


def refused(code, function, *words):
    """As refusal(), with the code first."""
    return refusal(function, *words, code=code)


def xml(name, image="print", memory=64, vcpus=1, driver="phy", devices="", more="", settings=""):
    """A domain with a disk and a serial port; XML to put inside <devices>, before it, and behind it in the driver's namespace."""
    namespace = " xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0'" if settings else ""
    drive = f"""<disk type='file' device='disk'><driver name='{driver}' type='raw'/><source file='/srv/guests/{image}.img'/>
        <target dev='hda' bus='ide'/></disk>"""
    return f"""<domain type='xen'{namespace}><name>{name}</name><memory unit='MiB'>{memory}</memory><vcpu>{vcpus}</vcpu>
      <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os><features><acpi/><apic/></features>{more}
      <devices>{drive}<serial type='pty'/>{devices}</devices>{settings}</domain>"""


@contextlib.contextmanager
def removedAfterwards(conn, *names):
    """Whatever happens, the domains with these names are neither running nor defined afterwards."""
    try:
        yield
    finally:
        for name in names:
            with contextlib.suppress(libvirt.libvirtError):
                domain = conn.lookupByName(name)
                with contextlib.suppress(libvirt.libvirtError):
                    domain.destroy()
                with contextlib.suppress(libvirt.libvirtError):
                    domain.undefine()


def waitGone(name):
    """Waits until neither guest nor stubdomain is known to Xen."""
    waitFor(f"the end of {name} and its stubdomain", lambda: not {name, name + "-dm"} & set(domains()))
