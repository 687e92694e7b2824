# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A boot sector that uses the CD-ROM drive at the secondary IDE channel (hdc) as it is told on COM1, by the first letter
# of a line:
#
#   read       "medium: [LABEL]", the first 16 bytes of the medium, or "medium: none"
#   lock       the tray does not open any more, until "unlock"; "done" or "failed"
#
# A drive answers with errors after its medium was changed until it was asked why, so a command is tried some times.
.include "serial.inc"
.code16
.set CHANNEL, 0x170
.set BUFFER, 0x2000
.set TRIES, 8
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
    movb $0x28, packet          # READ(10) of one block from the first on
    movb $0, packet + 4
    movb $1, packet + 8
    xorb %al, %al
    xchgb %al, letter
    cmpb $'r', %al
    je 1f
    movb $0x1e, packet          # PREVENT ALLOW MEDIUM REMOVAL
    movb $0, packet + 8
    cmpb $'l', %al
    sete packet + 4
1:  movb $TRIES, %bl
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

# Sends the packet at SI and reads its data, if there is any, to BUFFER; carry: refused.
sendPacket:
    movw $CHANNEL + 6, %dx
    movb $0xa0, %al
    outb %al, %dx               # master
    movw $CHANNEL + 1, %dx
    xorb %al, %al
    outb %al, %dx               # no DMA
    movw $CHANNEL + 4, %dx
    outb %al, %dx
    incw %dx
    movb $8, %al
    outb %al, %dx               # 2048 bytes at a time
    movw $CHANNEL + 7, %dx
    movb $0xa0, %al
    outb %al, %dx               # PACKET
    call wait
    movw $6, %cx
    movw $CHANNEL, %dx
    rep outsw
1:  call wait
    testb $0x01, %al            # error
    jnz 9f
    testb $0x08, %al            # data
    jz 8f
    movw $BUFFER, %di
    movw $1024, %cx
    movw $CHANNEL, %dx
    rep insw
    jmp 1b
8:  clc
    ret
9:  stc
    ret

# Waits until the drive is not busy; returns its status in AL.
wait:
    movw $CHANNEL + 7, %dx
1:  inb %dx, %al
    testb $0x80, %al
    jnz 1b
    ret
definePrint
defineGet
letter:
    .byte 0
packet:
    .fill 12, 1, 0
sense:
    .byte 0x03, 0, 0, 0, 18     # REQUEST SENSE
    .fill 7, 1, 0
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
