# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A boot sector that uses the CD-ROM drive at the secondary IDE channel (hdc) as it is told on COM1, by the first letter
# of a line:
#
#   read       "medium: [LABEL]", the first 16 bytes of the medium, or "medium: none"
#   lock       the tray does not open any more, until "unlock"; "done" or "failed"
.include "serial.inc"
.include "cdrom.inc"
.code16
.set BUFFER, 0x2000
.globl start
start:
    serialStart
    listen
    print textUp
next:
    call serialGet
    cmpb $'\r', %al
    je command
    cmpb $0, letter             # only the first letter counts
    jne next
    movb %al, letter
    jmp next
command:
    cdromRead
    xorb %al, %al
    xchgb %al, letter
    cmpb $'r', %al
    je 1f
    movb $0x1e, packet          # PREVENT ALLOW MEDIUM REMOVAL
    movb $0, packet + 8
    cmpb $'l', %al
    sete packet + 4
1:  movb $CDROM_TRIES, %bl
2:  movw $packet, %si
    call sendPacket
    jnc success
    movw $sense, %si
    call sendPacket
    decb %bl
    jnz 2b
    movw $textNone, %si
    cmpb $0x28, packet
    je say
    movw $textFailed, %si
say:
    call serialPrint
    jmp next
success:
    movw $textDone, %si
    cmpb $0x28, packet
    jne say
    movb $0, BUFFER + 16
    print textMedium
    print BUFFER
    movw $textEnd, %si
    jmp say

definePrint
defineGet
defineCdrom BUFFER
letter:
    .byte 0
textUp:
    .asciz "cdrom guest: up\r\n"
textMedium:
    .asciz "medium: ["
textEnd:
    .asciz "]\r\n"
textNone:
    .asciz "medium: none\r\n"
textDone:
    .asciz "done\r\n"
textFailed:
    .asciz "failed\r\n"
bootSignature
