# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the driver makes of <graphics>: what its device model is told, and what it is asked for while the guest runs."""

import os
import socket
import struct
import threading
import time
import xml.etree.ElementTree as ElementTree

from harness.display import Framebuffer, Keyboard
from harness.driver import DriverError
from harness.driver_case import STARTED, STOPPED, STOPPED_DESTROYED, DriverTest
from harness.hypervisor import REBOOT
from harness.scripted_model import Refused, ScriptedModel
from harness.scripts import connect_consoles, serve
from harness.viewer import RfbError, Viewer

# Numbers of libvirt's API.
LIVE, CONFIG = 1, 2
XML_SECURE, XML_INACTIVE = 1, 2
INVALID_ARG, OPERATION_FAILED, CONFIG_UNSUPPORTED, UNSUPPORTED, MISSING = 8, 9, 67, 84, 99
SKIPAUTH = 1
CONNECT, INITIALIZE, DISCONNECT = range(3)
IPV4, IPV6, UNIX = range(3)
LINUX, XT, QNUM = 0, 1, 9
# A range no other test is given ports of.
PORTS, WEBSOCKETS = range(47100, 47200), range(47200, 47300)
CONF = (f'remote_display_port_min = {PORTS[0]}\nremote_display_port_max = {PORTS[-1]}\n'
        f'remote_websocket_port_min = {WEBSOCKETS[0]}\nremote_websocket_port_max = {WEBSOCKETS[-1]}\n')


class GraphicsTest(DriverTest):
    conf = CONF
    answers = {}

    def make_model(self, guest, option):
        model = ScriptedModel(guest, self.directory, option[0] if option else '', self.deadline)
        model.answers.update(self.answers)
        return model

    def start_with(self, graphics="<graphics type='vnc' port='-1'/>", name='guest', number=1):
        """A running domain with that display; returns its device model."""
        self.start_guest(name, f'<devices>{graphics}</devices>', number)
        return self.models[-1]

    def graphics(self, flags=0, name='guest'):
        return ElementTree.fromstring(self.driver.on(name, 'XMLDesc', flags)).find('devices/graphics')

    def stop(self, name='guest'):
        self.driver.on(name, 'destroy')
        self.driver.expect((name, 'lifecycle', STOPPED, STOPPED_DESTROYED))

    def assert_fails(self, code, words, call, *arguments, on='guest'):
        with self.assertRaises(DriverError) as caught:
            self.driver.on(on, call, *arguments)
        self.assertEqual((caught.exception.code, words in str(caught.exception)), (code, True), caught.exception)


class ListenTest(GraphicsTest):
    def test_default(self):
        """What virt-manager writes: a port is chosen, at 127.0.0.1, as long as the guest runs."""
        model = self.start_with()
        port = int(self.graphics().get('port'))
        self.assertIn(port, PORTS)
        self.assertEqual(model.display, {'listen': [{'address': '127.0.0.1', 'port': port}], 'password': False,
                                         'video-memory': 16384})
        self.assertEqual(model.display_mode, 0o600)
        self.assertFalse(os.path.exists(model.options['display']))
        self.assertEqual(model.config['b_info']['type.hvm']['vnc'],
                         {'enable': 'True', 'listen': '127.0.0.1', 'display': port - 5900, 'findunused': 'False'})
        self.assertEqual((self.graphics().get('listen'), self.graphics(XML_INACTIVE).get('listen')), ('127.0.0.1', None))
        self.assertEqual(self.graphics(XML_INACTIVE).get('port'), '-1')
        self.assertEqual(model.calls('set_password'), [])

    def test_without_graphics(self):
        self.start_guest()
        self.assertNotIn('display', self.models[0].options)
        self.assertEqual(self.models[0].config['b_info']['type.hvm']['vnc'], {'enable': 'False'})

    def test_two_guests(self):
        """Each has a port of its own, and one that has ended gives it back."""
        first = self.start_with().display['listen'][0]['port']
        second = self.start_with(name='other', number=2).display['listen'][0]['port']
        self.assertNotEqual(first, second)
        self.stop()
        self.driver.on('guest', 'create')
        self.driver.expect(('guest', 'lifecycle', STARTED, 0))
        self.assertEqual(self.models[-1].display['listen'][0]['port'], first)

    def test_all_there_is(self):
        model = self.start_with("<graphics type='vnc' port='47150' websocket='-1' keymap='en-us' sharePolicy='force-shared'>"
                                "<listen type='address' address='127.0.0.1'/><listen type='address' address='::1'/>"
                                "<listen type='socket'/></graphics><video><model type='cirrus' vram='8192'/></video>")
        path = str(self.directory / 'driver' / 'run' / '00000000-1111-2222-3333-000000000001-vnc.sock')
        websocket = int(self.graphics().get('websocket'))
        self.assertIn(websocket, WEBSOCKETS)
        self.assertEqual(model.display, {
            'listen': [{'address': '127.0.0.1', 'port': 47150}, {'address': '::1', 'port': 47150}, {'socket': path}],
            'websocket': websocket, 'share': 'force-shared', 'password': False, 'keymap': 'en-us', 'video-memory': 8192})
        self.assertEqual(self.graphics(XML_INACTIVE).get('websocket'), '-1')
        self.stop()
        self.assertEqual(self.graphics().get('websocket'), '-1')

    def test_socket(self):
        """Its name is the driver's, and it is gone when the guest is."""
        model = self.start_with("<graphics type='vnc'><listen type='socket'/></graphics>")
        place, = model.display['listen']
        self.assertEqual(self.graphics().get('socket'), place['socket'])
        self.assertEqual(model.config['b_info']['type.hvm']['vnc']['listen'], f'unix:{place["socket"]}')
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(place['socket'])
        self.stop()
        self.assertFalse(os.path.exists(place['socket']))
        self.assertIsNone(self.graphics().get('socket'))

    def test_port_of_another(self):
        self.start_with("<graphics type='vnc' port='47150'/>")
        self.define('other', "<devices><graphics type='vnc' port='47150'/></devices>", 2)
        self.assert_fails(OPERATION_FAILED, 'the port 47150', 'create', on='other')
        self.stop()
        self.driver.on('other', 'create')
        self.driver.expect(('other', 'lifecycle', STARTED, 0))

    def test_network(self):
        """Its address, found when the domain is started; the definition keeps the name."""
        model = self.start_with("<graphics type='vnc'><listen type='network' network='default'/></graphics>")
        self.assertEqual(model.display['listen'][0]['address'], '127.0.0.2')
        self.assertEqual(self.graphics().find('listen').get('address'), '127.0.0.2')
        self.assertIsNone(self.graphics(XML_INACTIVE).find('listen').get('address'))
        self.driver.on('guest', 'updateDeviceFlags',
                       "<graphics type='vnc'><listen type='network' network='default'/></graphics>", LIVE)

    def test_network_without_an_address(self):
        """The start says so, and the port is not lost."""
        self.define(more="<devices><graphics type='vnc'><listen type='network' network='bare'/></graphics></devices>")
        self.assert_fails(OPERATION_FAILED, "the network 'bare' has no address", 'create')
        self.assertEqual(self.start_with(name='other', number=2).display['listen'][0]['port'], PORTS[0])

    def test_guest_that_restarts(self):
        """Viewers find it where it was."""
        model = self.start_with(more_of_guest())
        port = model.display['listen'][0]['port']
        self.hypervisor.shut_down(model.guest.domid, REBOOT)
        self.driver.expect(('guest', 'reboot'), ('guest', 'lifecycle', STOPPED, 0), ('guest', 'lifecycle', STARTED, 0))
        self.assertEqual(self.models[-1].display['listen'][0]['port'], port)

    def test_after_a_restart_of_libvirtd(self):
        """Its ports are not given to others."""
        model = self.start_with("<graphics type='vnc' port='-1' websocket='-1'/>")
        port, websocket = model.display['listen'][0]['port'], model.display['websocket']
        self.driver.kill()
        self.driver = self.start_driver()
        self.assertEqual((self.graphics().get('port'), self.graphics().get('websocket')), (str(port), str(websocket)))
        other = self.start_with("<graphics type='vnc' port='-1' websocket='-1'/>", 'other', 2).display
        self.assertNotIn(port, [place['port'] for place in other['listen']])
        self.assertNotEqual(other['websocket'], websocket)
        self.stop()
        self.driver.on('guest', 'create')
        self.driver.expect(('guest', 'lifecycle', STARTED, 0))
        self.assertEqual(self.models[-1].display['listen'][0]['port'], port)


def more_of_guest():
    return "<graphics type='vnc' port='-1'/></devices><on_reboot>restart</on_reboot><devices>"


class ConfTest(GraphicsTest):
    conf = CONF + 'vnc_listen = "::1"\nvnc_password = "common"\n'

    def test_listen_and_password(self):
        model = self.start_with()
        self.assertEqual((model.display['listen'][0]['address'], model.display['password']), ('::1', True))
        self.assertEqual(model.calls('set_password'), [{'protocol': 'vnc', 'password': 'common'}])
        self.assertIsNone(self.graphics(XML_SECURE).get('passwd'))

    def test_own(self):
        model = self.start_with("<graphics type='vnc' listen='127.0.0.1' passwd='own'/>")
        self.assertEqual(model.display['listen'][0]['address'], '127.0.0.1')
        self.assertEqual(model.calls('set_password'), [{'protocol': 'vnc', 'password': 'own'}])


class AutoSocketTest(GraphicsTest):
    conf = CONF + 'vnc_auto_unix_socket = 1\n'

    def test_socket(self):
        place, = self.start_with().display['listen']
        self.assertEqual(set(place), {'socket'})
        self.assertEqual(self.graphics().get('socket'), place['socket'])
        self.driver.on('guest', 'updateDeviceFlags', "<graphics type='vnc' port='-1'/>", LIVE)

    def test_address(self):
        place, = self.start_with("<graphics type='vnc' listen='127.0.0.1'/>").display['listen']
        self.assertEqual(place['address'], '127.0.0.1')


class PasswordTest(GraphicsTest):
    def test_start(self):
        """Set before the guest runs, and shown to nobody who may not see it."""
        model = self.start_with("<graphics type='vnc' passwd='secret' passwdValidTo='2100-01-01T00:00:00' connected='keep'/>")
        self.assertTrue(model.display['password'])
        self.assertEqual([name for name, _ in model.asked][-2:], ['set_password', 'expire_password'])
        self.assertEqual(model.calls('set_password'), [{'protocol': 'vnc', 'password': 'secret', 'connected': 'keep'}])
        self.assertEqual(model.calls('expire_password'), [{'protocol': 'vnc', 'time': '4102444800'}])
        self.assertIsNone(self.graphics().get('passwd'))
        self.assertEqual(self.graphics(XML_SECURE).get('passwd'), 'secret')
        for text in (str(model.options), str(model.display), str(model.config), self.driver.log()):
            self.assertNotIn('secret', text)
        for path in (self.directory / 'driver').rglob('*.xml'):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_expired_and_empty(self):
        model = self.start_with("<graphics type='vnc' passwd='secret' passwdValidTo='2001-01-01T00:00:00'/>")
        self.assertEqual(model.calls('expire_password')[-1]['time'], 'now')
        model = self.start_with("<graphics type='vnc' passwd=''/>", 'other', 2)
        self.assertTrue(model.display['password'])
        self.assertEqual(model.calls('expire_password')[-1]['time'], 'now')

    def test_device_model_refuses(self):
        """A display without the password it should have is none."""
        self.answers = {'set_password': Refused('the display process is dead')}
        self.define(more="<devices><graphics type='vnc' passwd='secret'/></devices>")
        self.assert_fails(OPERATION_FAILED, 'the display process is dead', 'create')
        self.assertEqual(self.driver.on('guest', 'isActive'), 0)

    def test_update(self):
        model = self.start_with("<graphics type='vnc' passwd='secret'/>")
        soon = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(time.time() + 3600))
        self.driver.on('guest', 'updateDeviceFlags', f"<graphics type='vnc' passwd='other' passwdValidTo='{soon}'/>",
                       LIVE | CONFIG)
        self.assertEqual(model.calls('set_password')[-1], {'protocol': 'vnc', 'password': 'other'})
        self.assertTrue(model.calls('expire_password')[-1]['time'].isdigit())
        for flags in (XML_SECURE, XML_SECURE | XML_INACTIVE):
            self.assertEqual((self.graphics(flags).get('passwd'), self.graphics(flags).get('passwdValidTo')), ('other', soon))
        self.driver.on('guest', 'updateDeviceFlags', self.live_xml().replace("passwd='other'", "passwd='third'"), LIVE)
        self.assertEqual(model.calls('set_password')[-1]['password'], 'third')
        self.assertEqual(self.graphics(XML_SECURE | XML_INACTIVE).get('passwd'), 'other')

    def live_xml(self):
        return ElementTree.tostring(self.graphics(XML_SECURE)).decode().replace('"', "'")

    def test_update_refused(self):
        """The definitions are as before then."""
        model = self.start_with("<graphics type='vnc' passwd='secret'/>")
        model.answers['set_password'] = Refused('the display process is dead')
        before = self.driver.on('guest', 'XMLDesc', XML_SECURE)
        self.assert_fails(OPERATION_FAILED, 'the display process is dead', 'updateDeviceFlags',
                          "<graphics type='vnc' passwd='other'/>", LIVE | CONFIG)
        self.assertEqual(self.driver.on('guest', 'XMLDesc', XML_SECURE), before)
        self.assertEqual(self.graphics(XML_SECURE | XML_INACTIVE).get('passwd'), 'secret')

    def test_what_cannot_be_changed(self):
        model = self.start_with("<graphics type='vnc' passwd='secret' websocket='-1'/>")
        live = self.live_xml()
        port = self.graphics().get('port')
        for xml, code, words in (
                ("<graphics type='vnc' websocket='-1'/>", UNSUPPORTED, 'the password of the display'),
                ("<graphics type='vnc' port='47190' websocket='-1' passwd='a'/>", UNSUPPORTED, 'the port'),
                ("<graphics type='vnc' passwd='a'/>", UNSUPPORTED, 'the websocket'),
                (live.replace('127.0.0.1', '0.0.0.0'), UNSUPPORTED, 'the address'),
                ("<graphics type='vnc' passwd='a' websocket='-1'><listen type='socket' socket='/a'/></graphics>",
                 CONFIG_UNSUPPORTED, 'no address'),
                (live.replace(" port=", " keymap='en-us' port="), UNSUPPORTED, 'the keymap'),
                (live.replace(" port=", " sharePolicy='ignore' port="), UNSUPPORTED, 'the share policy'),
                ("<graphics type='spice'/>", CONFIG_UNSUPPORTED, 'not in dom0')):
            with self.subTest(xml):
                self.assert_fails(code, words, 'updateDeviceFlags', xml, LIVE)
        self.assertEqual((len(model.calls('set_password')), self.graphics().get('port')), (1, port))
        self.assert_fails(UNSUPPORTED, 'disks, interfaces and devices of the host', 'attachDevice', "<graphics type='vnc'/>")
        self.start_guest('other', number=2)
        self.assert_fails(MISSING, 'no graphics', 'updateDeviceFlags', "<graphics type='vnc'/>", LIVE, on='other')


class ScreenTest(GraphicsTest):
    picture = b'P6\n2 1\n255\n\xff\x00\x00\x00\x00\xff'

    def take(self, arguments, _descriptors):
        with open(arguments['filename'], 'r+b') as file:
            self.assertEqual(os.fstat(file.fileno()).st_mode & 0o777, 0o600)
            file.write(self.picture)
        return {}

    def test_screenshot(self):
        model = self.start_with()
        model.answers['screendump'] = self.take
        self.assertEqual(self.driver.call('screenshot', 'guest', 0), ['image/x-portable-pixmap', self.picture.hex()])
        self.assertFalse(os.path.exists(model.calls('screendump')[0]['filename']))

    def test_screenshot_refused(self):
        model = self.start_with()
        model.answers['screendump'] = Refused('the display process is restarting')
        for screen, code, words in ((0, OPERATION_FAILED, 'is restarting'), (1, INVALID_ARG, 'no screen 1')):
            with self.assertRaises(DriverError) as caught:
                self.driver.call('screenshot', 'guest', screen)
            self.assertEqual((caught.exception.code, words in str(caught.exception)), (code, True), caught.exception)
        self.assertEqual(list((self.directory / 'driver' / 'run').glob('screen-*')), [])

    def test_no_display(self):
        self.start_guest()
        with self.assertRaises(DriverError) as caught:
            self.driver.call('screenshot', 'guest', 0)
        self.assertIn('has no <graphics>', str(caught.exception))
        self.assert_fails(UNSUPPORTED, 'has no <graphics>', 'sendKey', LINUX, 0, [28], 1, 0)
        self.assert_fails(UNSUPPORTED, 'has no <graphics>', 'openGraphicsFD', 0, 0)

    def test_send_key(self):
        """Ctrl-Alt-Delete, in codes that differ: Linux's, those of a PC keyboard, and QEMU's."""
        model = self.start_with()
        model.answers['send-key'] = {}
        for codeset, keys in ((LINUX, [29, 56, 111]), (XT, [29, 56, 83]), (QNUM, [29, 56, 211])):
            self.driver.on('guest', 'sendKey', codeset, 200, keys, len(keys), 0)
        linux = [{'type': 'linux', 'data': code} for code in (29, 56, 111)]
        keypad = [{'type': 'linux', 'data': code} for code in (29, 56, 83)]
        self.assertEqual(model.calls('send-key'), [{'keys': keys, 'hold-time': 200} for keys in (linux, keypad, linux)])
        self.driver.on('guest', 'sendKey', LINUX, 0, [28], 1, 0)
        self.assertEqual(model.calls('send-key')[-1], {'keys': [{'type': 'linux', 'data': 28}]})

    def test_send_key_refused(self):
        self.start_with()
        self.assert_fails(INVALID_ARG, 'no key 9999', 'sendKey', XT, 0, [9999], 1, 0)
        self.assert_fails(INVALID_ARG, 'only for up to 10000 ms', 'sendKey', LINUX, 10001, [28], 1, 0)
        self.assert_fails(OPERATION_FAILED, 'no command send-key', 'sendKey', LINUX, 0, [28], 1, 0)


class ViewerTest(GraphicsTest):
    def setUp(self):
        super().setUp()
        self.kept = []

    def take(self, _arguments, descriptors):
        self.kept.append(socket.socket(fileno=descriptors.pop()))
        return {}

    def add(self, arguments, descriptors):
        """A server that says what it was told, and what it read."""
        self.assertEqual(descriptors, [])
        with self.kept.pop() as viewer:
            viewer.sendall(f'{arguments["skipauth"]} {viewer.recv(100).decode()}'.encode())
        return {}

    def add_later(self, arguments, descriptors):
        """The viewer sends when it has been told that it may."""
        threading.Thread(target=self.add, args=(arguments, descriptors), daemon=True).start()
        return {}

    def test_open(self):
        model = self.start_with()
        model.answers.update({'getfd': self.take, 'add_client': self.add_later})
        for made in (False, True):
            for flags in (0, SKIPAUTH):
                self.assertEqual(self.driver.call('viewer', 'guest', made, flags, 'hello'),
                                 f'{bool(flags)} hello')
        names = {arguments['fdname'] for arguments in model.calls('getfd') + model.calls('add_client')}
        self.assertEqual((len(names), model.calls('add_client')[0]['protocol']), (1, 'vnc'))

    def test_refused(self):
        model = self.start_with()
        model.answers['getfd'] = self.take
        self.assert_fails(OPERATION_FAILED, 'no command add_client', 'openGraphicsFD', 0, 0)
        self.assert_fails(INVALID_ARG, 'no display 1', 'openGraphicsFD', 1, 0)
        self.kept.pop().close()

    def test_events(self):
        """Who comes and goes, in the words of libvirt's API."""
        model = self.start_with()
        server = {'host': '127.0.0.1', 'service': '5901', 'family': 'ipv4', 'websocket': False, 'auth': 'vnc'}
        client = {'host': '::1', 'service': '40001', 'family': 'ipv6', 'websocket': False}
        for name in ('VNC_CONNECTED', 'VNC_INITIALIZED', 'VNC_DISCONNECTED'):
            model.event(name, {'server': server, 'client': client})
        model.event('VNC_NONESUCH', {})
        model.event('VNC_CONNECTED', {'server': {'family': 'unix'}, 'client': {'family': 'unix', 'host': 7}})
        local = {'family': IPV4, 'node': '127.0.0.1', 'service': '5901'}
        remote = {'family': IPV6, 'node': '::1', 'service': '40001'}
        nobody = {'family': UNIX, 'node': '', 'service': ''}
        self.driver.expect(*[('guest', 'graphics', phase, local, remote, 'vnc', []) for phase in
                             (CONNECT, INITIALIZE, DISCONNECT)], ('guest', 'graphics', CONNECT, nobody, nobody, '', []))


class WholeTest(DriverTest):
    """With the real xen-stubdom-dm and its display process: from libvirt's API to the stubdomain's framebuffer."""

    conf = CONF + 'image = "graphics"\n'

    def setUp(self):
        super().setUp()
        self.make_image('graphics', 'linux', capabilities=['display'])
        self.devices = []

        def script(stub):
            consoles = connect_consoles(stub)
            self.devices[:] = [Framebuffer(stub).connect(), Keyboard(stub).connect()]
            stub.state('running')
            serve(stub, consoles)

        self.script = script

    def start_shown(self, graphics="<graphics type='vnc' port='-1'/>"):
        """Returns the framebuffer, the keyboard, and the element of the running domain."""
        self.start_guest(more=f'<devices>{graphics}</devices>')
        return *self.devices, self.graphics()

    def graphics(self):
        return ElementTree.fromstring(self.driver.on('guest', 'XMLDesc', 0)).find('devices/graphics')

    def view(self, port, **options):
        return Viewer(('127.0.0.1', port), timeout=self.deadline.remaining('the VNC server'), **options)

    def expect_viewers(self, *phases):
        with self.driver.changed:
            while len(self.driver.events) < len(phases):
                self.driver.changed.wait(self.deadline.remaining(f'events of viewers, there are {self.driver.events}'))
            events, self.driver.events = self.driver.events[:len(phases)], self.driver.events[len(phases):]
        self.assertEqual([event[1:3] for event in events], [('graphics', phase) for phase in phases])
        return events

    def test_picture_and_keys(self):
        framebuffer, keyboard, _ = self.start_shown()
        framebuffer.pattern()
        framebuffer.update()
        pixels = b''.join(struct.pack('>I', pixel)[1:] for row in framebuffer.picture() for pixel in row)
        self.assertEqual(self.driver.call('screenshot', 'guest', 0),
                         ['image/x-portable-pixmap', (b'P6\n64 48\n255\n' + pixels).hex()])
        self.driver.on('guest', 'sendKey', XT, 50, [29, 56, 83], 3, 0)
        self.assertEqual([keyboard.take() for _ in range(6)],
                         [('key', code, 1) for code in (29, 56, 83)] + [('key', code, 0) for code in (83, 56, 29)])

    def test_viewer(self):
        """One at the port, one through libvirt; of both libvirt's clients are told."""
        framebuffer, _, graphics = self.start_shown()
        framebuffer.pattern()
        framebuffer.update()
        viewer = self.view(int(graphics.get('port')))
        viewer.look()
        self.assertEqual(viewer.picture(), framebuffer.picture())
        viewer.close()
        local, remote = self.expect_viewers(CONNECT, INITIALIZE, DISCONNECT)[0][3:5]
        self.assertEqual(local, {'family': IPV4, 'node': '127.0.0.1', 'service': graphics.get('port')})
        self.assertEqual((remote['family'], remote['node']), (IPV4, '127.0.0.1'))
        self.assertEqual(self.driver.call('viewer', 'guest', False, 0, 'RFB 003.008\n')[:12], 'RFB 003.008\n')
        self.expect_viewers(CONNECT, DISCONNECT)

    def test_password(self):
        """It counts from the first viewer on; the new one after an update and a restart of libvirtd."""
        framebuffer, _, graphics = self.start_shown("<graphics type='vnc' port='-1' passwd='secret'/>")
        port = int(graphics.get('port'))
        framebuffer.update()
        self.view(port, password='secret').close()
        with self.assertRaises(RfbError):
            self.view(port, password='wrong')
        self.driver.kill()
        self.driver = self.start_driver()
        self.driver.on('guest', 'updateDeviceFlags', "<graphics type='vnc' port='-1' passwd='other'/>", LIVE)
        self.view(port, password='other').close()
        with self.assertRaises(RfbError):
            self.view(port, password='secret')
        for words in self.models[0].family().values():
            self.assertNotIn('secret', words)

    def test_socket(self):
        framebuffer, _, graphics = self.start_shown("<graphics type='vnc'><listen type='socket'/></graphics>")
        framebuffer.update()
        viewer = Viewer(graphics.get('socket'), timeout=self.deadline.remaining('the VNC server'))
        self.assertEqual((viewer.width, viewer.height), (64, 48))
        viewer.close()
        self.driver.on('guest', 'destroy')
        self.assertFalse(os.path.exists(graphics.get('socket')))

    def test_port_in_use(self):
        """By somebody who is none of libvirt's: the start fails and says so."""
        with socket.socket() as other:
            other.bind(('127.0.0.1', 47151))
            other.listen()
            self.define(more="<devices><graphics type='vnc' port='47151'/></devices>")
            with self.assertRaises(DriverError) as caught:
                self.driver.on('guest', 'create')
        self.assertIn('47151', str(caught.exception))

    def test_image_without_a_display(self):
        self.define(more="<stubdom:stubdomain xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0'>"
                         "<stubdom:image name='linux'/></stubdom:stubdomain><devices><graphics type='vnc'/></devices>")
        with self.assertRaises(DriverError) as caught:
            self.driver.on('guest', 'create')
        self.assertIn("'linux' cannot show", str(caught.exception))
