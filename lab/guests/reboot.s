# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A boot sector that prints one line on COM1 and ends itself (reset in power.inc)
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
    reset
    haltForever
definePrint
defineGet
text:
    .asciz "reboot guest: up\r\n"
bootSignature
