# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A guest with a picture. It says on COM1 which one it shows, when that is drawn, and what comes from keyboard and mouse:
#
#   display guest: 320 x 200    mode 13h: squares of 16 pixels, colour ((x / 16) + (y / 16)) & 7, whose bits are blue,
#                               green and red at their full; the start, and after the key 1
#   display guest: 800 x 600    32 bits a pixel, x | y << 8 with 8 bits each, (x / 256) << 20 | (y / 256) << 16; after the
#                               key 2
#   display guest: 1920 x 1200  the same, after the key 3
#   display guest: moving       after the key 4: 800 x 600 again, with n added to the first 8 bits in the nth picture, one
#                               after the other until something comes from keyboard or mouse
#   display guest: moved 01 2f  and so many pictures were that, hexadecimal
#   key 1e                      a byte of the keyboard, hexadecimal
#   mouse 08 05 fb              a packet of the mouse: buttons and signs, x, y upwards
#
# It draws through the card's linear framebuffer, which is memory: at 0xa0000 each pixel is a call of the device model. The
# card is QEMU's standard VGA, which is told its mode through the ports of Bochs.
.include "serial.inc"
.code16
.set SECTORS, 3
.set VBE_INDEX, 0x1ce
.set VBE_DATA, 0x1cf
.set VBE_ENABLE, 4
.set PCI_ADDRESS, 0xcf8
.set PCI_DATA, 0xcfc
.set VGA_ID, 0x11111234
.set PS2_DATA, 0x60
.set PS2_COMMAND, 0x64
.set SLAVE_COMMAND, 0xa0
.set SLAVE_MASK, 0xa1
.set KEY_1, 0x02
.set KEY_2, 0x03
.set KEY_3, 0x04
.set KEY_4_UP, 0x85
.globl start

# One of the card's registers.
.macro vbe index value
    movw $VBE_INDEX, %dx
    movw $\index, %ax
    outw %ax, %dx
    incw %dx
    movw \value, %ax
    outw %ax, %dx
.endm

start:
    movb %dl, %cs:drive
    serialStart
    sti
    movw $0x0200 + SECTORS, %ax # the rest of this program
    movw $0x7e00, %bx
    movw $0x0002, %cx
    movb $0, %dh
    movb drive, %dl
    int $0x13
    jnc main
    print textNoDisk
    haltForever
definePrint
drive:
    .byte 0
textNoDisk:
    .asciz "display guest: cannot read its disk\r\n"
bootSignature

main:
    call findCard
    call showSmall
    call listenPs2
    print textReady
next:
    cli
    inb $PS2_COMMAND, %al
    testb $0x01, %al
    jnz 1f
    sti                         # takes effect after the hlt began
    hlt
    jmp next
1:  sti
    movb %al, %ah
    inb $PS2_DATA, %al
    testb $0x20, %ah
    jnz mouse
    pushw %ax
    print textKey
    popw %ax
    pushw %ax
    call printHex
    print textEnd
    popw %ax
    cmpb $KEY_1, %al
    jne 1f
    call showSmall
1:  cmpb $KEY_2, %al
    jne 1f
    movw $800, width
    movw $600, height
    movw $textMiddle, message
    call showDeep
1:  cmpb $KEY_4_UP, %al
    jne 1f
    movw $800, width
    movw $600, height
    call move
1:  cmpb $KEY_3, %al
    jne next
    movw $1920, width
    movw $1200, height
    movw $textLarge, message
    call showDeep
    jmp next

# A packet is three bytes.
mouse:
    movzbw count, %bx
    movb %al, packet(%bx)
    incb count
    cmpb $3, count
    jne next
    movb $0, count
    print textMouse
    movb packet, %al
    call printHex
    movb packet + 1, %al
    call printHex
    movb packet + 2, %al
    call printHex
    print textEnd
    jmp next

# Address of the linear framebuffer: base address register 0 of the card.
findCard:
    movl $0x80000000, %ebx
1:  movl %ebx, %eax
    call readPci
    cmpl $VGA_ID, %eax
    je 2f
    addl $0x800, %ebx
    cmpl $0x80010000, %ebx
    jne 1b
    print textNoCard
    haltForever
2:  movl %ebx, %eax
    addl $0x10, %eax
    call readPci
    andl $0xfffffff0, %eax
    movl %eax, framebuffer
    ret
readPci:
    movw $PCI_ADDRESS, %dx
    outl %eax, %dx
    movw $PCI_DATA, %dx
    inl %dx, %eax
    ret

# ES gets a limit of 4 GiB, which it keeps in real mode; EDI is the framebuffer.
flat:
    cli
    lgdt descriptors
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    movw $8, %bx
    movw %bx, %es
    andb $0xfe, %al
    movl %eax, %cr0
    xorw %bx, %bx
    movw %bx, %es
    sti
    movl framebuffer, %edi
    ret

showSmall:
    pushaw
    vbe VBE_ENABLE $0
    movw $0x0013, %ax
    int $0x10
    movw $0x3c8, %dx            # colours 0 to 7
    xorb %al, %al
    outb %al, %dx
    incw %dx
    xorw %cx, %cx
1:  movb $4, %bl                # red, green, blue
2:  testb %bl, %cl
    setnz %al
    negb %al
    andb $0x3f, %al
    outb %al, %dx
    shrb $1, %bl
    jnz 2b
    incw %cx
    cmpw $8, %cx
    jne 1b
    call flat
    xorw %dx, %dx               # y
1:  xorw %cx, %cx               # x
2:  movw %cx, %ax
    movw %dx, %bx
    shrw $4, %ax
    shrw $4, %bx
    addw %bx, %ax
    andb $7, %al
    movb %al, %es:(%edi)
    incl %edi
    incw %cx
    cmpw $320, %cx
    jne 2b
    incw %dx
    cmpw $200, %dx
    jne 1b
    print textSmall
    popaw
    ret

# 32 bits a pixel, in the width and height said; prints the message.
showDeep:
    pushaw
    call setDeep
    call drawDeep
    movw message, %si
    call serialPrint
    popaw
    ret

# Pictures without end, in the width and height said.
move:
    pushaw
    call setDeep
    print textMoving
    movw $0, pictures
1:  incb number
    call drawDeep
    incw pictures
    inb $PS2_COMMAND, %al
    testb $0x01, %al
    jz 1b
    movb $0, number
    print textMoved
    movb pictures + 1, %al
    call printHex
    movb pictures, %al
    call printHex
    print textEnd
    popaw
    ret

setDeep:
    vbe VBE_ENABLE $0
    vbe 1 width
    vbe 2 height
    vbe 3 $32
    vbe VBE_ENABLE $0x41
    ret

drawDeep:
    call flat
    xorw %dx, %dx               # y
1:  xorw %cx, %cx               # x
2:  xorl %eax, %eax
    movb %ch, %al
    shll $4, %eax
    orb %dh, %al
    shll $8, %eax
    movb %dl, %al
    shll $8, %eax
    movb %cl, %al
    addb number, %al
    movl %eax, %es:(%edi)
    addl $4, %edi
    incw %cx
    cmpw width, %cx
    jne 2b
    incw %dx
    cmpw height, %dx
    jne 1b
    ret

# Interrupts 1 and 12, and a mouse that says what it does. The BIOS has set up the keyboard.
listenPs2:
    cli
    movw $interruptMaster, 0x09 * 4
    movw $0, 0x09 * 4 + 2
    movw $interruptSlave, 0x74 * 4
    movw $0, 0x74 * 4 + 2
    movb $0xa8, %al
    call commandPs2             # mouse on
    movb $0x60, %al
    call commandPs2
    movb $0x47, %al             # both interrupts, scan codes of set 1
    call writePs2
    movb $0xd4, %al
    call commandPs2
    movb $0xf4, %al
    call writePs2               # tell moves
1:  inb $PS2_COMMAND, %al       # its answer, and what may have been before it
    testb $0x01, %al
    jz 1b
    inb $PS2_DATA, %al
    cmpb $0xfa, %al
    jne 1b
    movb $0xf9, %al
    outb %al, $PIC_MASK
    movb $0xef, %al
    outb %al, $SLAVE_MASK
    sti
    ret
commandPs2:
    call waitPs2
    outb %al, $PS2_COMMAND
    ret
writePs2:
    call waitPs2
    outb %al, $PS2_DATA
    ret
waitPs2:
    movb %al, %ah
1:  inb $PS2_COMMAND, %al
    testb $0x02, %al
    jnz 1b
    movb %ah, %al
    ret

interruptSlave:
    pushw %ax
    movb $0x20, %al
    outb %al, $SLAVE_COMMAND
    outb %al, $PIC_COMMAND
    popw %ax
    iret
interruptMaster:
    pushw %ax
    movb $0x20, %al
    outb %al, $PIC_COMMAND
    popw %ax
    iret

# " xx" of AL.
printHex:
    pushw %ax
    movb $' ', %al
    call serialPut
    popw %ax
    pushw %ax
    shrb $4, %al
    call printDigit
    popw %ax
    andb $15, %al
printDigit:
    addb $'0', %al
    cmpb $'9', %al
    jbe 1f
    addb $'a' - '0' - 10, %al
1:  jmp serialPut

descriptors:
    .word 15
    .long table
table:
    .quad 0
    .quad 0x008f92000000ffff    # data, all 4 GiB, a 16-bit segment
framebuffer:
    .long 0
width:
    .word 0
height:
    .word 0
message:
    .word 0
pictures:
    .word 0
number:
    .byte 0
count:
    .byte 0
packet:
    .fill 3, 1, 0
textReady:
    .asciz "display guest: up\r\n"
textSmall:
    .asciz "display guest: 320 x 200\r\n"
textMiddle:
    .asciz "display guest: 800 x 600\r\n"
textLarge:
    .asciz "display guest: 1920 x 1200\r\n"
textMoving:
    .asciz "display guest: moving\r\n"
textMoved:
    .asciz "display guest: moved"
textNoCard:
    .asciz "display guest: no standard VGA card\r\n"
textKey:
    .asciz "key"
textMouse:
    .asciz "mouse"
textEnd:
    .asciz "\r\n"
    .org 512 * (1 + SECTORS)    # an error if that is too few
