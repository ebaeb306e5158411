#!/usr/bin/env python3
"""Writes bigrams.txt: how rare each pair of bytes is in text, for the literal stage to pick the rarest part of a keyword.

usage: bigrams.py FOLDER > bigrams.txt

The table in the repository was made from 60 MB of the published sources of crates this project depends on: text that
no measurement of ours uses. A poor table costs speed and nothing else.
"""
import collections
import math
import os
import random
import sys

MOST = 60_000_000
LARGEST = 300_000
BINARY = (".a", ".lib", ".png", ".so", ".dll", ".gz", ".zip")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def fold(byte):
    """The byte as the literal stage sees it: bit 5 set. ASCII has 64 such bytes, numbered without that bit."""
    return (byte & 0x1F) | ((byte >> 1) & 0x20)


def main():
    paths = [os.path.join(top, name) for top, _, names in os.walk(sys.argv[1]) for name in names]
    paths.sort()
    random.Random(1).shuffle(paths)
    pairs, total = collections.Counter(), 0
    for path in paths:
        if path.endswith(BINARY) or os.path.islink(path) or os.path.getsize(path) > LARGEST:
            continue
        with open(path, "rb") as file:
            text = file.read()
        pairs.update((fold(a), fold(b)) for a, b in zip(text, text[1:]) if a < 128 and b < 128)
        total += len(text)
        if total > MOST:
            break
    # One line a first byte, one character a second byte: bits of surprise, 0 to z (35).
    for a in range(64):
        bits = (min(35, round(-math.log2(pairs[a, b] / total))) if pairs[a, b] else 35 for b in range(64))
        print("".join(DIGITS[n] for n in bits))


main()
