#!/usr/bin/env python3
"""Trains the model of the generic detector and says how good it is on repositories it has not seen.

usage: train.py CANDIDATES META_DIR --negatives CANDIDATES --forms CANDIDATES FORMS_META [--write MODEL.toml] [--report REPORT.md]

CANDIDATES   what `keytrail bench candidates data` prints in the corpus' folder
META_DIR     the corpus' labels, one CSV a repository (columns FilePath, LineStart, LineEnd, GroundTruth, Category)
--negatives  what `keytrail bench candidates --skip-tests .` prints in a folder with the repositories of negatives.toml, each at
             OWNER/NAME. They teach what whole trees are full of and excerpts lack. They are only trained on: no figure is of them
--forms      candidates and labels of the copy that forms.py makes: the corpus' values in further forms of assignment. They are only
             trained on too, each together with its own repository
--swapped    candidates of the copy that swap.py makes: recall on passwords that are words, by the models of each fold

Gradient-boosted trees (LightGBM, see requirements.txt), fixed seeds, one machine gives the same model twice. All figures are
of nested cross-validation by repository: a candidate is scored by a model and a calibration that were made without its
repository; the calibration itself is made of scores that models inside the fold gave to repositories they had not seen. The
thresholds are percentages of the calibrated score, fixed beforehand: 50 is the default confidence, 10 the least kept.
"""
import argparse
import collections
import csv
import json
import pathlib
import random
import tomllib

import lightgbm
import numpy

OUTER, INNER = 8, 5
SEED = 1
# What a candidate of forms.py counts, next to one of the corpus.
FORM_WEIGHT = 0.3
# What a candidate of a whole tree counts in the calibration.
NEGATIVE_WEIGHT = 0.3
DEFAULT, LEAST = 50, 10
TREES = 30
SETTINGS = {
    "objective": "binary", "num_leaves": 12, "max_depth": 5, "learning_rate": 0.25, "min_data_in_leaf": 15,
    "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "seed": SEED,
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}
# Names of what is an identifier and no secret, and of credentials known by their surroundings: as the corpus' scorer has them.
IDENTIFIER = {"UUID", "AWS S3 Bucket", "Firebase Domain", "Tencent WeChat API App ID"}


class Corpus:
    """Candidates of all rules, and which lines hold a true secret."""

    def __init__(self, candidates, meta):
        with open(candidates, encoding="utf-8") as lines:
            self.names = json.loads(next(lines))["features"]
            found = [json.loads(line) for line in lines]
        self.units, self.at = {}, collections.defaultdict(list)
        for path in sorted(pathlib.Path(meta).glob("*.csv")):
            with open(path, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    if row["GroundTruth"] == "T":
                        name = row["FilePath"].removeprefix("data/")
                        unit = name, int(row["LineStart"]), int(row["LineEnd"])
                        self.units.setdefault(unit, set()).update(row["Category"].split(":"))
        for unit in self.units:
            for line in range(unit[1], unit[2] + 1):
                self.at[unit[0], line].append(unit)
        self.identifiers = {unit for unit, parts in self.units.items() if not parts - IDENTIFIER}
        self.scored = [one for one in found if one["features"]]
        self.others = [one for one in found if not one["features"] and not one["dropped"]]
        self.x = numpy.array([one["features"] for one in self.scored], dtype=numpy.float32)
        self.y = numpy.array([float(bool(self.true_units(one))) for one in self.scored])
        self.repository = numpy.array([one["path"].removeprefix("data/").split("/")[0] for one in self.scored])

    def add_negatives(self, candidates):
        """Candidates of repositories that are no part of the corpus: none is true, but for those known to be."""
        with open(pathlib.Path(__file__).parent / "negatives.toml", "rb") as file:
            known = {entry["name"]: entry["real"] for entry in tomllib.load(file)["repository"]}
        with open(candidates, encoding="utf-8") as lines:
            assert json.loads(next(lines))["features"] == self.names
            found = [one for one in map(json.loads, lines) if one["features"]]
        rows, repositories = [], []
        for one in found:
            name, path = "/".join(one["path"].split("/")[:2]), "/".join(one["path"].split("/")[2:])
            if not any(path.startswith(real) for real in known[name]):
                rows.append(one["features"])
                repositories.append(name)
        self.negatives = numpy.array(rows, dtype=numpy.float32), numpy.array(repositories)

    def add_forms(self, forms):
        """Candidates of the corpus in other forms; nothing, if there are none."""
        kept = [] if forms is None else [at for at, one in enumerate(forms.scored) if one["value"]]
        width = len(self.names)
        self.forms = (
            forms.x[kept] if kept else numpy.zeros((0, width), dtype=numpy.float32),
            forms.y[kept] if kept else numpy.zeros(0),
            forms.repository[kept] if kept else numpy.array([], dtype=str),
        )

    def true_units(self, one):
        """The labelled secrets on the candidate's lines."""
        path = one["path"].removeprefix("data/")
        return [unit for line in range(one["line"], one["end_line"] + 1) for unit in self.at.get((path, line), ())]

    def overall(self, percent, least):
        """Precision, recall and F1 of all rules together, without identifiers."""
        kept = [one for one in self.others if one["confidence"] >= least]
        kept += [one for one, score in zip(self.scored, percent) if score >= least]
        hit, alarms = set(), set()
        for one in kept:
            units = self.true_units(one)
            hit.update(units)
            if not units:
                alarms.add((one["path"], one["line"]))
        hit -= self.identifiers
        return figures(len(hit), len(alarms), len(self.units) - len(self.identifiers) - len(hit))


def figures(hit, alarms, missed):
    """Precision, recall, F1."""
    precision, recall = hit / max(1, hit + alarms), hit / max(1, hit + missed)
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def folds(repositories, count):
    """A fold for each candidate: whole repositories, the largest first to the fold that has the least."""
    sizes = collections.Counter(repositories.tolist())
    order = sorted(sizes)
    random.Random(SEED).shuffle(order)
    order.sort(key=lambda name: -sizes[name])
    load, fold = [0] * count, {}
    for name in order:
        fold[name] = load.index(min(load))
        load[fold[name]] += sizes[name]
    return numpy.array([fold[name] for name in repositories])


def fit(x, y, repositories, negatives, forms):
    """A model. A repository with many candidates counts for less each, or a few would make the model. Of `forms` those of the
    repositories it is trained on count."""
    own = numpy.isin(forms[2], repositories)
    x = numpy.concatenate([x, negatives[0], forms[0][own]])
    y = numpy.concatenate([y, numpy.zeros(len(negatives[1])), forms[1][own]])
    repositories = numpy.concatenate([repositories, negatives[1]])
    sizes = collections.Counter(repositories.tolist())
    share = lambda names: [(1 + sizes[name] / 100) ** -0.5 for name in names]
    weight = numpy.array(share(repositories) + [FORM_WEIGHT * one for one in share(forms[2][own])])
    data = lightgbm.Dataset(x, y, weight=weight / weight.mean())
    return lightgbm.train(SETTINGS, data, TREES)


def unseen(x, y, repositories, negatives, forms, count):
    """Raw scores, each by a model that did not see the repository; and those of the negatives, likewise."""
    fold, out = folds(repositories, count), numpy.zeros(len(y))
    negative_fold, negative_out = folds(negatives[1], count), numpy.zeros(len(negatives[1]))
    for part in range(count):
        test, tested = fold == part, negative_fold == part
        rest = negatives[0][~tested], negatives[1][~tested]
        model = fit(x[~test], y[~test], repositories[~test], rest, forms)
        out[test] = model.predict(x[test], raw_score=True)
        negative_out[tested] = model.predict(negatives[0][tested], raw_score=True)
    return out, negative_out


def calibration(raw, y):
    """[(from this raw score on, percent)]: isotonic regression, pools of fewer than 25 joined to the next. `raw`: scores of the corpus
    and of the negatives, which are false; each counts NEGATIVE_WEIGHT, since whole trees have many of them and the corpus few."""
    of_corpus, of_negatives = raw
    scored = numpy.concatenate([of_corpus, of_negatives])
    labels = numpy.concatenate([y, numpy.zeros(len(of_negatives))])
    weights = numpy.concatenate([numpy.ones(len(y)), numpy.full(len(of_negatives), NEGATIVE_WEIGHT)])
    order = numpy.argsort(scored, kind="stable")
    pools = []
    for at in order:
        pools.append([scored[at], labels[at] * weights[at], weights[at]])
        while len(pools) > 1 and (pools[-2][1] / pools[-2][2] >= pools[-1][1] / pools[-1][2] or pools[-2][2] < 25):
            _, hits, size = pools.pop()
            pools[-1][1] += hits
            pools[-1][2] += size
    table = []
    for start, hits, size in pools:
        # Laplace's rule: nobody has seen enough to be certain.
        percent = round(100 * (hits + 1) / (size + 2))
        if not table:
            table.append((-100.0, percent))
        elif percent > table[-1][1]:
            table.append((float(start), percent))
    return table


def percents(table, raw):
    """Calibrated scores."""
    starts = numpy.array([start for start, _ in table])
    values = numpy.array([percent for _, percent in table])
    return values[numpy.searchsorted(starts, raw, side="right") - 1]


def nested(corpus, scored=None):
    """Calibrated scores, each made without its repository. `scored`: another version of the corpus to score with the same models."""
    x, negatives, forms = corpus.x, corpus.negatives, corpus.forms
    scored = scored or corpus
    whose = dict(zip(corpus.repository.tolist(), folds(corpus.repository, OUTER).tolist()))
    fold_of = numpy.array([whose.get(name, 0) for name in scored.repository])
    fold, out = folds(corpus.repository, OUTER), numpy.zeros(len(scored.y))
    for part in range(OUTER):
        test = fold == part
        train = x[~test], corpus.y[~test], corpus.repository[~test], negatives, forms
        table = calibration(unseen(*train, INNER), corpus.y[~test])
        here = fold_of == part
        out[here] = percents(table, fit(*train).predict(scored.x[here], raw_score=True))
    return out


def report(corpus, scores):
    """The figures as Markdown."""
    lines = [f"{len(corpus.scored)} candidates, {int(corpus.y.sum())} of them true, "
             f"{len(set(corpus.repository.tolist()))} repositories", ""]
    lines += ["| confidence from | precision | recall | F1 |", "|---|---|---|---|"]
    for least, of in ((DEFAULT, "default"), (LEAST, "low")):
        lines.append(f"| {least} ({of}) | " + " | ".join(f"{value:.3f}" for value in corpus.overall(scores, least)) + " |")
    lines += ["", "| says percent | candidates | of them true, percent |", "|---|---|---|"]
    for low, high in ((0, 10), (10, 30), (30, 50), (50, 70), (70, 80), (80, 90), (90, 95), (95, 101)):
        inside = (scores >= low) & (scores < high)
        if inside.any():
            lines.append(f"| {low}–{min(high, 100) - (high <= 95)} | {int(inside.sum())} | {100 * corpus.y[inside].mean():.0f} |")
    by_repository = []
    for name in sorted(set(corpus.repository.tolist())):
        own = corpus.repository == name
        hits = corpus.y[own & (scores >= DEFAULT)].sum()
        by_repository.append((hits, (own & (scores >= DEFAULT)).sum(), corpus.y[own].sum()))
    precise = sum(hits >= 0.8 * kept for hits, kept, _ in by_repository if kept)
    lines += ["", f"Generic candidates by repository: of {sum(kept > 0 for _, kept, _ in by_repository)} with any at the "
              f"default, {precise} have at least 80 % true ones."]
    return "\n".join(lines) + "\n"


def tree_lines(node):
    """One tree as the tables of `generic-model.toml`."""
    feature, threshold, left, right, leaf = [], [], [], [], []

    def visit(node):
        if "leaf_value" in node:
            leaf.append(node["leaf_value"])
            return -len(leaf)
        at = len(feature)
        feature.append(node["split_feature"])
        threshold.append(node["threshold"])
        left.append(0)
        right.append(0)
        left[at] = visit(node["left_child"])
        right[at] = visit(node["right_child"])
        return at

    visit(node)
    numbers = lambda values: "[" + ", ".join(f"{value:.9g}" if isinstance(value, float) else str(value) for value in values) + "]"
    return (f"\n[[tree]]\nfeature = {numbers(feature)}\nthreshold = {numbers(map(float, threshold))}\n"
            f"left = {numbers(left)}\nright = {numbers(right)}\nleaf = {numbers(map(float, leaf))}\n")


def write(path, corpus):
    """Trains on everything and writes the weights."""
    all_of_it = corpus.x, corpus.y, corpus.repository, corpus.negatives, corpus.forms
    model = fit(*all_of_it)
    table = calibration(unseen(*all_of_it, OUTER), corpus.y)
    text = ["# Weights of the generic detector's model. Made by tools/train/train.py: don't edit.\n", "features = [\n"]
    text += [f'    "{name}",\n' for name in corpus.names]
    text += ["]\n# From this sum of the trees on, this many percent are real.\n"]
    text += ["calibration = [" + ", ".join(f"[{start:.5g}, {percent}]" for start, percent in table) + "]\n"]
    trees = model.dump_model()["tree_info"]
    assert len(trees) == TREES and all(tree["num_cat"] == 0 for tree in trees)
    text += [tree_lines(tree["tree_structure"]) for tree in trees if "split_feature" in tree["tree_structure"]]
    pathlib.Path(path).write_text("".join(text), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("candidates")
    parser.add_argument("meta")
    parser.add_argument("--negatives", required=True)
    parser.add_argument("--forms", nargs=2)
    parser.add_argument("--swapped")
    parser.add_argument("--write")
    parser.add_argument("--report")
    typed = parser.parse_args()
    corpus = Corpus(typed.candidates, typed.meta)
    corpus.add_negatives(typed.negatives)
    corpus.add_forms(Corpus(*typed.forms) if typed.forms else None)
    scores = nested(corpus)
    text = report(corpus, scores)
    if typed.swapped:
        swapped = Corpus(typed.swapped, typed.meta)
        told = [f"{100 * (of[one.y > 0] >= least).sum() / corpus.y.sum():.1f}"
                for least in (DEFAULT, LEAST) for one, of in ((corpus, scores), (swapped, nested(corpus, swapped)))]
        text += ("\nTrue candidates kept, percent, with the corpus' random passwords and with such as people choose: "
                 f"{told[0]} and {told[1]} at the default, {told[2]} and {told[3]} at low.\n")
    print(text, end="")
    if typed.report:
        pathlib.Path(typed.report).write_text(text, encoding="utf-8")
    if typed.write:
        write(typed.write, corpus)


if __name__ == "__main__":
    main()
