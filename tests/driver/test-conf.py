#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""stubdom.conf: what it says reaches the domains that say nothing, and what it cannot say keeps the driver away."""

import functools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import libvirt
from driver_fixture import embedded, equal, quiet, runTap, startEvents

SOURCE = Path(__file__).resolve().parents[2] / 'src' / 'libxl_stubdom'
SHIPPED = (SOURCE / 'stubdom.conf').read_text(encoding='utf-8')
SETTING = re.compile(r'^#([a-z_]+) = ', re.MULTILINE)
ALL = 'image=linux,memory=96,start-timeout=50,command-timeout=10,save-limit=67108864,log-limit=1048576'
NAMESPACE = "xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0'"

REFUSED = [
    # what the file says; a part of the message
    ('memory = 15', "'memory' is 15; it must be from 16 to 65536"),
    ('memory = 65537', "'memory' is 65537; it must be from 16 to 65536"),
    ('memory = -1', "expected an unsigned integer for 'memory'"),
    ('memory = "96"', "expected an unsigned integer for 'memory'"),
    ('memory =', 'expecting a value'),
    ('start_timeout = 0', "'start_timeout' is 0; it must be from 1 to 3600"),
    ('start_timeout = 3601', "'start_timeout' is 3601; it must be from 1 to 3600"),
    ('command_timeout = 4294967297', "'command_timeout' is 4294967297; it must be from 1 to 3600"),
    ('save_limit = 0', "'save_limit' is 0; it must be from 1 to 4096"),
    ('log_limit = 4097', "'log_limit' is 4097; it must be from 1 to 4096"),
    ('image = 1', "expected a string for 'image'"),
    ('image = ""', "'image' is ''; it must be the name of an image, or the absolute path"),
    ('image = "some/where"', "'image' is 'some/where'; it must be the name of an image, or the absolute path"),
    ('auto_dump_path = "dumps"', "'auto_dump_path' is 'dumps'; it must be an absolute path"),
    ('memroy = 96', "there is no setting 'memroy'; there are image, memory,"),
    ('memory 96', 'expecting an assignment'),
]


def ask(text, xml):
    """What a driver whose stubdom.conf has @text (None: there is none) makes of @xml. A driver has a process of its own."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / 'etc').mkdir()
        if text is not None:
            (Path(directory) / 'etc' / 'stubdom.conf').write_text(text, encoding='utf-8')
        result = subprocess.run([sys.executable, __file__, directory], input=xml, text=True, check=False, capture_output=True)
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    return json.loads(result.stdout)


def answer(directory):
    """The other side of ask()."""
    quiet()
    startEvents()
    try:
        with embedded(directory) as connection:
            native = json.loads(connection.domainXMLToNative('libxl-json', sys.stdin.read()))
    except libvirt.libvirtError as error:
        return {'error': str(error)}
    return {'extra': native['b_info'].get('extra', [])}


def option(text, settings=''):
    """What follows -stubdom on the command line of a domain with @settings; None if it does not say -stubdom."""
    extra = ask(text, f"<domain type='xen' {NAMESPACE}><name>guest</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
                f"<os><type>hvm</type></os><stubdom:stubdomain>{settings}</stubdom:stubdomain></domain>")['extra']
    equal(extra[:1], ['-stubdom'] if extra else [])
    return extra[1] if extra else None


def refused(text, said):
    message = ask(text + '\n', '')['error']
    if said not in message or 'stubdom.conf' not in message:
        raise AssertionError(message)


def everything():
    """The shipped file with all settings in effect; the one directory of the host's is not made."""
    return SETTING.sub(r'\1 = ', SHIPPED).replace('"/var/lib/libvirt/stubdom/dump"', '"/tmp"')


def checkDumps():
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / 'some' / 'dumps'
        equal(option(f'auto_dump_path = "{place}"\n'), None)
        equal(place.is_dir(), True)


def checkNames():
    """The shipped file, the lens and the driver know the same settings."""
    shipped = SETTING.findall(SHIPPED)
    lens = (SOURCE / 'libvirtd_stubdom.aug').read_text(encoding='utf-8')
    block = lens[lens.index('let setting'):lens.index('let lns')]
    equal(re.findall(r'"([a-z_]+)"', block), shipped)
    refused('nonesuch = 1', f"there is no setting 'nonesuch'; there are {', '.join(shipped)}")


TESTS = [
    ('no file', lambda: equal(option(None), None)),
    ('an empty file', lambda: equal(option(''), None)),
    ('the shipped file', lambda: equal(option(SHIPPED), None)),
    ('the shipped file, everything said', lambda: equal(option(everything()), ALL)),
    ('a directory of core dumps', checkDumps),
    ('a path of an image', lambda: equal(option('image = "/some/image.json"\n'), 'image=/some/image.json')),
    ('a domain has its way', lambda: equal(
        option('memory = 128\nlog_limit = 2\nstart_timeout = 40\n', "<stubdom:memory unit='MiB'>64</stubdom:memory>"
               "<stubdom:timeout command='3'/>"),
        'memory=64,start-timeout=40,command-timeout=3,log-limit=2097152')),
    ('names of settings', checkNames),
    *((f'refused: {text}', functools.partial(refused, text, said)) for text, said in REFUSED),
]

if __name__ == '__main__':
    if len(sys.argv) > 1:
        print(json.dumps(answer(sys.argv[1])))
    else:
        sys.exit(runTap(TESTS))
