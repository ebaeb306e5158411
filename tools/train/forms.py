#!/usr/bin/env python3
"""Writes the corpus' candidates again in forms of assignment that it holds seldom or never.

usage: forms.py CORPUS CANDIDATES COPY

CORPUS      folder with `data` and `meta`, as train.py takes it
CANDIDATES  what `keytrail bench candidates data` prints in it
COPY        folder to write: `data` with one file a repository, `meta` with the labels the candidates had

The corpus is lines picked from some eighty repositories: most of it is Python, JSON and YAML. A model of it alone takes a form it has
not seen (`ENV NAME value`, `<key>name</key><string>value</string>`) for a reason to doubt. So true and false candidates are
written in the same forms, drawn by a fixed seed: the form then says nothing of the label. `train.py --forms` adds them, each to the fold of
its own repository, and no figure is of them.
"""
import argparse
import csv
import json
import pathlib
import random

SEED = 3
PER_CANDIDATE = 2
# Where the value is quoted.
QUOTED = [
    'NAME = "VALUE"', "NAME = 'VALUE'", '  NAME: "VALUE"', "  NAME: 'VALUE',", '  "NAME": "VALUE",', '{"NAME": "VALUE"}',
    'const NAME = "VALUE";', 'let NAME: String = "VALUE";', 'private static final String NAME = "VALUE";', 'var NAME string = "VALUE"',
    'private const string NAME = "VALUE";', 'const NAME: &str = "VALUE";', 'NAME := "VALUE"', "$NAME = 'VALUE';", "'NAME' => 'VALUE',",
    'export NAME="VALUE"', 'set NAME="VALUE"', 'Dim NAME As String = "VALUE"', 'client.set("NAME", "VALUE")', 'call(a, NAME="VALUE")',
    'call(NAME: "VALUE")', 'x = os.getenv("NAME", "VALUE")', 'x = env("NAME") || "VALUE";', "x = ENV['NAME'] || 'VALUE'", 'NAME = process.env.OTHER || "VALUE";',
    '  - name: NAME\n    value: "VALUE"', '{"name": "NAME", "value": "VALUE"}', '{\n  "Key": "NAME",\n  "Value": "VALUE"\n}', '"NAME": {"value": "VALUE"}',
    'variable "NAME" {\n  default = "VALUE"\n}', '[{"ParameterKey": "NAME", "ParameterValue": "VALUE"}]', '<add key="NAME" value="VALUE" />', '<x NAME="VALUE"/>',
    "NAME: {{ other | default('VALUE') }}", 'setx NAME "VALUE"', 'tool --NAME "VALUE" file', "$env:NAME = 'VALUE'", '{\\"NAME\\":\\"VALUE\\"}',
]
# Where it stands without quotes.
BARE = [
    "NAME=VALUE", "export NAME=VALUE", "NAME: VALUE", "    NAME: VALUE", "NAME = VALUE", "ENV NAME=VALUE", "ENV NAME VALUE", "  - NAME=VALUE",
    "  - name: NAME\n    value: VALUE", "tool --NAME=VALUE file", "tool --NAME VALUE file", "tool --set NAME=VALUE,other=1", "tool deploy NAME=VALUE other=x",
    "NAME: ${NAME:VALUE}", "NAME=${NAME:-VALUE}", "docker run -e NAME=VALUE image", "<NAME>VALUE</NAME>", '<entry key="NAME">VALUE</entry>', "<key>NAME</key>\n<string>VALUE</string>",
    "<property>\n<name>NAME</name>\n<value>VALUE</value>", "  NAME:\n    Type: String\n    Default: VALUE", "curl 'https://host.example/a?b=1&NAME=VALUE'", "# NAME: VALUE",
]


def fits(text, forbidden):
    return text.isprintable() and not any(mark in text for mark in forbidden)


def rendered(name, value, rng):
    """A candidate in some of the forms that can hold it."""
    forms = []
    if fits(value, "\"'`\\\n<>"):
        forms += QUOTED
    if fits(value, " \t\"'`\\,;<>|&"):
        forms += BARE
    if not forms or not name.replace("_", "").replace("-", "").replace(".", "").isalnum() or not name.strip("-."):
        return []
    chosen = rng.sample(forms, min(PER_CANDIDATE, len(forms)))
    return [form.replace("NAME", name.strip("-.")).replace("VALUE", value) for form in chosen]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("candidates", type=pathlib.Path)
    parser.add_argument("copy", type=pathlib.Path)
    typed = parser.parse_args()
    labels = {}
    for path in sorted((typed.corpus / "meta").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["GroundTruth"] == "T":
                    for line in range(int(row["LineStart"]), int(row["LineEnd"]) + 1):
                        labels[row["FilePath"], line] = row["Category"]
    texts, rows = {}, {}
    rng = random.Random(SEED)
    with typed.candidates.open(encoding="utf-8") as lines:
        next(lines)
        for one in map(json.loads, lines):
            if not one["features"] or not one["name"]:
                continue
            path = one["path"] if one["path"].startswith("data/") else "data/" + one["path"]
            data = (typed.corpus / path).read_bytes()
            name, value = (data[slice(*one[part])].decode("utf-8", "replace") for part in ("name", "value"))
            repository = path.split("/")[1]
            out = texts.setdefault(repository, [])
            for text in rendered(name, value, rng):
                at = next(at for at, line in enumerate(text.split("\n")) if value in line)
                line = len(out) + at + 1
                out += text.split("\n") + [""]
                category = labels.get((path, one["line"]))
                rows.setdefault(repository, []).append((f"data/{repository}/forms.txt", line, line, "T" if category else "F", category or "Key"))
    for repository, out in texts.items():
        folder = typed.copy / "data" / repository
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "forms.txt").write_text("\n".join(out), encoding="utf-8")
        (typed.copy / "meta").mkdir(exist_ok=True)
        with (typed.copy / "meta" / f"{repository}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("FilePath", "LineStart", "LineEnd", "GroundTruth", "Category"))
            writer.writerows(rows.get(repository, []))


if __name__ == "__main__":
    main()
