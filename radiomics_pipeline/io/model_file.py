"""Models as files: the fitted pipeline by skops, which runs no code of the file, and its card as YAML.

Of a pipeline that ends in XGBoost also its trees as XGBoost's own JSON (see trees_file), for other programs;
`load_model` takes skops.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from radiomics_pipeline.errors import TableError, did_you_mean, some
from radiomics_pipeline.io.atomic import write_bytes
from radiomics_pipeline.io.delimited import write_text
from radiomics_pipeline.io.skops_bytes import reproducible
from radiomics_pipeline.io.trees_file import TREES, check_trees, trees_of
from radiomics_pipeline.types.model import Formula, ModelCard

MODEL, CARD = "model.skops", "model.yaml"
OURS = ("radiomics_pipeline.selection.", "radiomics_pipeline.stats.")
"""Where the classes of a model of ours stand; both packages open no files and start no programs."""
FOREIGN = frozenset(
    {
        "numpy.dtype",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.tree._tree.Tree",
        "sksurv.ensemble.forest.ExtraSurvivalTrees",
        "sksurv.ensemble.forest.RandomSurvivalForest",
        "sksurv.tree.tree.ExtraSurvivalTree",
        "sksurv.tree.tree.SurvivalTree",
        "xgboost.core.Booster",
    }
)
"""Types of the libraries that our learners are made of, beside those that skops knows; all others are refused.

Named one by one: a file may ask for any callable to be called, and `builtins` and `numpy` have some that run its text.
"""
RANKING = ("selection", "description")
"""Sections of the parameters that say nothing of how features are made."""


def save_model(model: Any, card: ModelCard, folder: Path) -> tuple[Path, ...]:
    """Write the pipeline and its card into a folder; the same bytes for the same model."""
    from skops.io import dumps

    folder.mkdir(parents=True, exist_ok=True)
    data = reproducible(dumps(model))
    trees = trees_of(model, (*card.features, *card.clinical, *card.side))
    digests = {"model_digest": hashlib.sha256(data).hexdigest(), "trees": trees and trees.about}
    tree = _plain(asdict(card) | digests)
    tree["card_digest"] = _digest(tree)
    text = StringIO()
    yaml = YAML()
    yaml.width = 120
    yaml.dump(tree, text)
    write_bytes(folder / MODEL, data)
    write_text(folder / CARD, text.getvalue())
    if trees is None:
        (folder / TREES).unlink(missing_ok=True)
        return folder / MODEL, folder / CARD
    write_bytes(folder / TREES, trees.content)
    return folder / MODEL, folder / CARD, folder / TREES


def load_model(folder: Path) -> tuple[Any, ModelCard]:
    """The fitted pipeline of a folder, and its card.

    Raises TableError where a file is absent, damaged, does not belong to the other, or holds a type of another library.
    """
    from skops.io import get_untrusted_types, loads

    card, digest = _read_card(folder)
    try:
        data = (folder / MODEL).read_bytes()
    except OSError as e:
        raise TableError(f"{folder.name}/{MODEL}: cannot be read ({e.strerror})") from e
    if hashlib.sha256(data).hexdigest() != digest:
        raise TableError(f"{folder.name}: {MODEL} is not the file that {CARD} was written for; save the model again")
    try:
        found = get_untrusted_types(data=data)
        foreign = [name for name in found if name not in FOREIGN and not _is_our_class(name)]
        if foreign:
            raise TableError(f"{folder.name}/{MODEL}: holds {some(foreign, 3)}, which no model of this program has")
        return loads(data, trusted=found), card
    except TableError:
        raise
    except Exception as e:
        raise TableError(f"{folder.name}/{MODEL}: cannot be read by these versions of the libraries: {e}") from e


def _is_our_class(name: str) -> bool:
    """Whether a type named by a file is a class of this program's models; a function or method is none."""
    module, _, last = name.rpartition(".")
    if not name.startswith(OURS):
        return False
    try:
        found = getattr(import_module(module), last, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__ == module


def _read_card(folder: Path) -> tuple[ModelCard, str]:
    try:
        tree = YAML(typ="safe").load((folder / CARD).read_text("utf-8"))
        whole = tree.pop("card_digest")
        if whole != _digest(tree):
            raise TableError(f"{folder.name}/{CARD}: was changed after it was written; save the model again")
        digest, trees = tree.pop("model_digest"), tree.pop("trees")
        check_trees(folder, trees["digest"] if trees else "")
        formula = tree["formula"] and Formula(**tree["formula"])
        listed = ("outcome", "categories", "features", "clinical", "side", "centres", "cutpoints", "notes")
        tuples = {name: tuple(tree[name]) for name in listed}
        texts = {name: tuple(values) for name, values in tree["clinical_texts"].items()}
        ranges = {name: (low, high) for name, (low, high) in tree["ranges"].items()}
        return ModelCard(**{**tree, **tuples, "ranges": ranges, "clinical_texts": texts, "formula": formula}), digest
    except OSError as e:
        raise TableError(f"{folder.name}/{CARD}: cannot be read ({e.strerror}); name the folder of a model") from e
    except TableError:
        raise
    except (YAMLError, KeyError, TypeError, AttributeError, ValueError) as e:
        raise TableError(f"{folder.name}/{CARD}: is no card of a model ({e})") from e


def _digest(tree: Mapping[str, Any]) -> str:
    """SHA-256 of a card's content, whatever its layout. NaN has one spelling, and keys one order."""
    return hashlib.sha256(json.dumps(tree, sort_keys=True, default=str).encode()).hexdigest()


def features_digest(table: Path) -> str:
    """SHA-256 of the parameters by which a feature table was made; empty where no run.json stands beside it."""
    manifest = table.parent / "run.json"
    try:
        params = json.loads(manifest.read_text("utf-8"))["params"]
        making = {key: value for key, value in params.items() if key not in RANKING}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return ""
    return hashlib.sha256(json.dumps(making, sort_keys=True).encode()).hexdigest()


def check_features_digest(card: ModelCard, table: Path) -> tuple[str, ...]:
    """Notes on what cannot be checked; TableError where the features were made by other parameters than the model's."""
    here = features_digest(table)
    if not card.features_digest:
        return ("how the features of the training table were made is not known, so that it cannot be compared",)
    if not here:
        return (f"no run.json beside {table.name} says how its features were made: unchecked whether as the model's",)
    if here != card.features_digest:
        raise TableError(
            f"{table.name}: its features were made with other parameters than those of the model's training table; "
            "extract them again with params.yaml of the training run"
        )
    return ()


def missing_columns(card: ModelCard, columns: tuple[str, ...], name: str) -> None:
    """TableError where a table lacks columns of the model."""
    absent = [c for c in card.features if c not in set(columns)]
    if absent:
        hint = did_you_mean(absent[0], columns)
        raise TableError(f"{name}: {len(absent)} columns of the model are absent: {some(absent)}{hint}")


def _plain(value: Any) -> Any:
    """Tuples as lists and numbers of numpy as plain ones, so that YAML has no tags."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value
