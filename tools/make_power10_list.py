#!/usr/bin/env python3
"""Write src/type/power10_list.h: the first 128 bits of 10^k, rounded down, for k = -342 .. 324."""
import sys

HEAD = """/* type/power10_list.h -- the first 128 bits of the powers of ten; written by
 * tools/make_power10_list.py.
 *
 * POWER10(k, high, low): 10^k = (high * 2^64 + low) * 2^e with the top bit of `high` set, rounded
 * down; exact for 0 <= k <= 55. */
#ifndef POWER10
#error "define POWER10(k, high, low) before including type/power10_list.h"
#endif

"""


def bits128(k):
    if k >= 0:
        value = 10 ** k
        shift = 128 - value.bit_length()
        return value << shift if shift >= 0 else value >> -shift
    power = 10 ** -k
    # 2^s / 10^-k with 128 bits
    s = power.bit_length() + 127
    value = (1 << s) // power
    if value.bit_length() == 129:
        value >>= 1
    assert value.bit_length() == 128
    return value


with open(sys.argv[1] if len(sys.argv) > 1 else "src/type/power10_list.h", "w") as out:
    out.write(HEAD)
    for k in range(-342, 325):
        v = bits128(k)
        out.write(f"POWER10({k}, UINT64_C(0x{v >> 64:016X}), UINT64_C(0x{v & (2**64 - 1):016X}))\n")
    out.write("\n#undef POWER10\n")
