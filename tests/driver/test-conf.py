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
SETTING = re.compile(r'^#([a-z0-9_]+) = ', re.MULTILINE)
ALL = 'image=linux,memory=96,start-timeout=50,command-timeout=10,save-limit=67108864,log-limit=1048576'
NAMESPACE = "xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0'"

DOMAIN = ("<domain type='xen'><name>guest</name><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>")

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
    ('vnc_listen = "localhost"', "'vnc_listen' is 'localhost'; it must be a numeric address"),
    ('vnc_auto_unix_socket = "yes"', "for 'vnc_auto_unix_socket'"),
    ('vnc_password = "123456789"', "'vnc_password' has 9 characters; VNC looks at the first 8"),
    ('vnc_tls = 1', "'vnc_tls' is not supported with a stubdomain: the VNC server is libvncserver"),
    ('vnc_tls_x509_cert_dir = "/etc/pki/libvirt-vnc"', "'vnc_tls_x509_cert_dir' is not supported"),
    ('vnc_tls_x509_verify = 1', "'vnc_tls_x509_verify' is not supported"),
    ('vnc_sasl = 1', "'vnc_sasl' is not supported with a stubdomain"),
    ('remote_display_port_min = 5899', "'remote_display_port_min' is 5899; it must be from 5900 to 65534"),
    ('remote_display_port_min = 65535', "'remote_display_port_min' is 65535; it must be from 5900 to 65534"),
    ('remote_display_port_max = 5900', "'remote_display_port_max' is 5900; it must be from 5901 to 65535"),
    ('remote_websocket_port_min = 5699', "'remote_websocket_port_min' is 5699; it must be from 5700 to 65534"),
    ('remote_websocket_port_max = 65536', "'remote_websocket_port_max' is 65536; it must be from 5701 to 65535"),
    ('save_image_format = "zip"', "'save_image_format' is 'zip'; it must be one of raw, gzip, bzip2, xz, zstd"),
    ('save_image_format = 4', "expected a string for 'save_image_format'"),
    ('restore_other_image = 2', "value for 'restore_other_image' parameter must be 0 or 1"),
    ('memroy = 96', "there is no setting 'memroy'; there are image, memory,"),
    ('memory 96', 'expecting an assignment'),
]


def ask(text, xml, mode=0o600):
    """What a driver whose stubdom.conf has @text (None: there is none) makes of @xml. A driver has a process of its own."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / 'etc').mkdir()
        if text is not None:
            conf = Path(directory) / 'etc' / 'stubdom.conf'
            conf.write_text(text, encoding='utf-8')
            conf.chmod(mode)
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


def refused(text, said, mode=0o600):
    message = ask(text + '\n', '', mode)['error']
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
    equal(re.findall(r'"([a-z0-9_]+)"', block), shipped)
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
    ('a password others can read', lambda: refused('vnc_password = "secret"', 'the mode 644; it must be', 0o644)),
    ('others can read what has no password', lambda: equal(ask('memory = 96\n', DOMAIN, 0o644)['extra'], ['-stubdom', 'memory=96'])),
    *((f'refused: {text}', functools.partial(refused, text, said)) for text, said in REFUSED),
]

if __name__ == '__main__':
    if len(sys.argv) > 1:
        print(json.dumps(answer(sys.argv[1])))
    else:
        sys.exit(runTap(TESTS))
