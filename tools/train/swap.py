#!/usr/bin/env python3
"""Copies the corpus with its true short passwords replaced by such as people choose, and says how many were.

usage: swap.py CORPUS OUT

The corpus had its true values replaced by random characters of the same shape; its false ones stand as they were written. A model
that tells random from word-like passwords would look good on it and miss real ones. Here each true value of 4 to 19 bytes under
the category Password becomes a word or two of the same length, with the digits and signs the value had at its end. Print
candidates of both copies and compare: recall must hardly change.
"""
import collections
import csv
import pathlib
import random
import shutil
import sys

WORDS = """amber anchor apple arrow autumn bamboo banjo barley basil beacon birch bison blossom bramble breeze bridge bronze buffalo
butter cactus camel candle canyon carpet castle cedar cherry cinder citrus clover cobalt comet copper coral cotton coyote crimson crystal
dahlia daisy dancer desert dolphin dragon eagle ember falcon feather fern fiddle flamingo forest fox garnet ginger glacier goose grape
gravel hammer harbor hazel heron hickory honey hornet indigo iris island ivory jaguar jasmine jungle juniper kettle kitten lagoon
lantern lemon leopard lilac lion lobster lotus magnet mango maple marble meadow melon mercury minnow mirror monkey moon mountain mustard
nectar nickel oak ocean olive onion orange orchid otter owl panda panther parrot peach pearl pebble pepper pine planet plum pony poppy
prairie pumpkin quail quartz rabbit rain raven ribbon river robin rocket rose ruby saffron sailor salmon sapphire scarlet shadow silver
snow sparrow spider spruce squirrel star stone storm summer sunset swan thistle thunder tiger tulip turtle umber valley velvet violet
walnut willow winter wolf yellow zebra""".split()


def chosen(value, dice):
    """A password of words in the value's length and kinds of characters."""
    tail = "".join(c for c in value if c.isdigit())[:4] + "".join(c for c in value if not c.isalnum() and c.isascii())[:2]
    tail = tail[: max(0, len(value) - 3)]
    length, text = len(value) - len(tail), ""
    while len(text) < length:
        rest = length - len(text)
        fitting = [word for word in WORDS if len(word) == rest] or [word for word in WORDS if len(word) < rest - 2]
        word = dice.choice(fitting or WORDS)[:rest]
        text += word.capitalize() if any(c.isupper() for c in value) and any(c.islower() for c in value) else word
    return (text.upper() if value.upper() == value and any(c.isalpha() for c in value) else text) + tail


def main():
    corpus, out = map(pathlib.Path, sys.argv[1:])
    shutil.copytree(corpus, out, dirs_exist_ok=True)
    dice, changes = random.Random(1), collections.defaultdict(list)
    for path in sorted((corpus / "meta").glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                whole = row["GroundTruth"] == "T" and row["LineStart"] == row["LineEnd"] and row["ValueStart"] and row["ValueEnd"]
                if whole and "Password" in row["Category"].split(":"):
                    changes[row["FilePath"]].append((int(row["LineStart"]), int(row["ValueStart"]), int(row["ValueEnd"])))
    swapped, known = 0, {}
    for name, spans in sorted(changes.items()):
        lines = (corpus / name).read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        for line, start, end in sorted(set(spans), reverse=True):
            value = lines[line - 1][start:end]
            if 4 <= len(value) < 20 and not any(c.isspace() for c in value):
                known.setdefault(value, chosen(value, dice))
                lines[line - 1] = lines[line - 1][:start] + known[value] + lines[line - 1][end:]
                swapped += 1
        (out / name).write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    print(f"{swapped} passwords replaced in {len(changes)} files")


if __name__ == "__main__":
    main()
