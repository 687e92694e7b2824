#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson install --tags driver` puts where, and what is left of it after an uninstallation.

Arguments: meson, the build directory, the driver directory, libvirt's own, and four of meson's directories: prefix, sysconfdir,
datadir, mandir.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from driver_fixture import equal, runTap

MESON = sys.argv[1]
BUILD = Path(sys.argv[2])
DRIVERS, STOCK, PREFIX, SYSCONF, DATA, MAN = sys.argv[3:9]
LOG = BUILD / 'meson-logs' / 'install-log.txt'
LINKS = ('interface', 'lxc', 'network', 'nodedev', 'nwfilter', 'qemu', 'secret', 'storage', 'vbox')
DROP_IN = f'{PREFIX}/lib/systemd/system/libvirtd.service.d/50-stubdom.conf'
CONF = f'{SYSCONF}/libvirt/stubdom.conf'
FILES = [
    DROP_IN,
    CONF,
    f'{PREFIX}/lib/modules-load.d/xen-pciback.conf',
    f'{DATA}/augeas/lenses/libvirtd_stubdom.aug',
    f'{DATA}/augeas/lenses/tests/test_libvirtd_stubdom.aug',
    *(f'{DATA}/doc/libxl-stubdom/examples/{name}.xml'
      for name in ('demo', 'desktop', 'disks', 'install', 'network', 'stubdomain', 'windows')),
    f'{DATA}/libvirt/schemas/stubdom.rng',
    f'{MAN}/man5/stubdom.conf.5',
    f'{MAN}/man7/libvirt-stubdom.7',
    f'{DRIVERS}/libvirt_driver_stubdom.so',
    f'{DRIVERS}/libvirt_driver_libxl.so',
]


def present(root):
    """Files and links below @root, as paths of the installed system."""
    return sorted('/' + str(path.relative_to(root)) for path in root.rglob('*') if path.is_symlink() or path.is_file())


def install(root):
    subprocess.run([MESON, 'install', '--no-rebuild', '--tags', 'driver', '-C', BUILD], check=True, capture_output=True,
                   env=dict(os.environ, DESTDIR=str(root)))


@contextlib.contextmanager
def installed():
    """A directory with the installed driver. The log of an installation that was meant is kept."""
    with tempfile.TemporaryDirectory() as directory:
        kept = Path(directory) / 'log'
        if LOG.exists():
            shutil.copy(LOG, kept)
        root = Path(directory) / 'root'
        try:
            install(root)
            yield root
        finally:
            if kept.exists():
                shutil.copy(kept, LOG)
            else:
                LOG.unlink(missing_ok=True)


def links():
    return [f'{DRIVERS}/libvirt_driver_{name}.so' for name in LINKS]


def checkFiles():
    with installed() as root:
        equal(present(root), sorted([*FILES, *links()]))
        for link in links():
            equal(os.readlink(f'{root}{link}'), f'{STOCK}/{Path(link).name}')
        said = Path(f'{root}{DROP_IN}').read_text(encoding='utf-8').splitlines()
        equal(said[-2:], ['[Service]', f'Environment=LIBVIRT_DRIVER_DIR={DRIVERS}'])


def checkConfiguration():
    with installed() as root:
        conf = Path(f'{root}{CONF}')
        conf.write_text('memory = 128\n', encoding='utf-8')
        install(root)
        equal(conf.read_text(encoding='utf-8'), 'memory = 128\n')


def checkUninstall():
    """What nothing names any more may stay: the links, and the configuration as with any package."""
    with installed() as root:
        subprocess.run([MESON, '--internal', 'uninstall'], cwd=BUILD, check=True, capture_output=True)
        equal(present(root), sorted([CONF, *links()]))


TESTS = [
    ('files and links', checkFiles),
    ("an administrator's configuration stays", checkConfiguration),
    ('uninstallation', checkUninstall),
]

if __name__ == '__main__':
    sys.exit(runTap(TESTS))
