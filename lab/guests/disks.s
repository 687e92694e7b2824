# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Reports the disks and CD-ROM drives of the emulated machine on COM1, in two ways:
#
#   bios 80: disk, LABEL          what INT 13h offers; E0 and up are CD-ROM drives
#   ide 0.1: cdrom, MODEL         who answers IDENTIFY on primary/secondary, master/slave
#   disks guest: done
#
# LABEL is the first 16 bytes of the medium (unprintable ones as "."), or "unreadable".
# The boot sector loads the rest of the program with INT 13h.
.include "serial.inc"
.code16
.set BUFFER, 0x2000
.set SECTORS, 3
.globl start
start:
    jmp boot
    .ascii "label disk-one"
boot:
    serialStart
    sti
    movw $program, %bx
    movw $0x0200 + SECTORS, %ax
    movw $0x0002, %cx
    movw $0x0080, %dx
    int $0x13
    jnc program
    print textBroken
    haltForever
definePrint
textBroken:
    .asciz "disks guest: cannot load itself\r\n"
bootSignature

program:
    print textUp
    movb $0x80, %dl
1:  call biosDrive
    incb %dl
    cmpb $0x84, %dl
    jb 1b
    movb $0xe0, %dl
1:  call biosDrive
    incb %dl
    cmpb $0xe4, %dl
    jb 1b
    xorb %bl, %bl
1:  call ideDrive
    incb %bl
    cmpb $4, %bl
    jb 1b
    print textDone
    haltForever

# Reports BIOS drive DL if there is one; keeps DL.
biosDrive:
    pushw %dx
    movb $0x41, %ah
    movw $0x55aa, %bx
    int $0x13
    popw %dx
    jc 9f
    cmpw $0xaa55, %bx
    jne 9f
    print textBios
    movb %dl, %al
    call printByte
    movw $textDisk, %si
    cmpb $0xe0, %dl
    jb 1f
    movw $textCdrom, %si
1:  call serialPrint
    pushw %dx
    movb $0x42, %ah
    movw $packet, %si
    int $0x13
    popw %dx
    movw $textUnreadable, %si
    jc 8f
    movw $BUFFER, %si
    movw $16, %cx
    call printText
    movw $textEnd, %si
8:  call serialPrint
9:  ret

# Reports IDE position BL (bit 1: secondary, bit 0: slave) if a drive answers; keeps BL.
ideDrive:
    movw $0x1f0, %bp
    testb $2, %bl
    jz 1f
    movw $0x170, %bp
1:  movb %bl, %al
    andb $1, %al
    shlb $4, %al
    orb $0xa0, %al
    leaw 6(%bp), %dx
    outb %al, %dx               # select
    movb $0xec, %al
    movw $textDisk, %di
    call identify
    jnc 2f
    movb $0xa1, %al             # packet device
    movw $textCdrom, %di
    call identify
    jc 9f
2:  print textIde
    movb %bl, %al
    shrb $1, %al
    addb $'0', %al
    call serialPut
    movb $'.', %al
    call serialPut
    movb %bl, %al
    andb $1, %al
    addb $'0', %al
    call serialPut
    movw %di, %si
    call serialPrint
    movw $BUFFER + 54, %si      # model: 20 words, bytes swapped
    movw $20, %cx
3:  rolw $8, (%si)
    addw $2, %si
    loop 3b
    movw $BUFFER + 54, %si
    movw $40, %cx
    call printText
    print textEnd
9:  ret

# Sends command AL to the channel at BP and reads 512 bytes; carry: nobody, or refused.
identify:
    leaw 7(%bp), %dx
    pushw %ax
    inb %dx, %al
    cmpb $0xff, %al
    popw %ax
    je 8f
    outb %al, %dx
    inb %dx, %al
    testb %al, %al
    jz 8f
1:  inb %dx, %al
    testb $0x80, %al            # busy
    jnz 1b
    testb $0x01, %al            # error
    jnz 8f
    testb $0x08, %al            # data
    jz 1b
    pushw %di
    movw $BUFFER, %di
    movw $256, %cx
    movw %bp, %dx
    rep insw
    popw %di
    clc
    ret
8:  stc
    ret

# Prints CX bytes from SI, unprintable ones as dots.
printText:
    lodsb
    cmpb $' ', %al
    jb 1f
    cmpb $'~', %al
    jbe 2f
1:  movb $'.', %al
2:  call serialPut
    loop printText
    ret

# Prints AL as two hexadecimal digits.
printByte:
    pushw %ax
    shrb $4, %al
    call 1f
    popw %ax
    andb $0x0f, %al
1:  cmpb $10, %al
    sbbb $0x69, %al
    das
    jmp serialPut

packet:
    .byte 16, 0
    .word 1, BUFFER, 0
    .quad 0
textUp:
    .asciz "disks guest: up\r\n"
textDone:
    .asciz "disks guest: done\r\n"
textBios:
    .asciz "bios "
textIde:
    .asciz "ide "
textDisk:
    .asciz ": disk, "
textCdrom:
    .asciz ": cdrom, "
textUnreadable:
    .asciz "unreadable\r\n"
textEnd:
    .asciz "\r\n"
    .org 512 * (1 + SECTORS)
