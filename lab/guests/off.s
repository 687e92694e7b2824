# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A boot sector that prints one line on COM1 and ends itself (powerOff in power.inc)
# when it receives a byte there.
.include "serial.inc"
.include "power.inc"
.code16
.globl start
start:
    serialStart
    listen
    print text
    call serialGet
    powerOff
    haltForever
definePrint
defineGet
text:
    .asciz "off guest: up\r\n"
bootSignature
