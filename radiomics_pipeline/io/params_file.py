"""Parameter files: YAML in, frozen models out, errors with file, line and allowed values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import CollectionNode, ScalarNode

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.params.base import TOKEN
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.params.filtered import Filtered
from radiomics_pipeline.params.pyradiomics import (
    BESIDE,
    SECTIONS,
    PyradiomicsSeries,
    is_pyradiomics_file,
    require_computable,
)
from radiomics_pipeline.params.run import ANY_SERIES, PyradiomicsRun, Run, RunParams
from radiomics_pipeline.params.segmentation import METHODS

LONGEST_BITS = 14_000
"""Of a whole number; Python writes out no more than 4300 digits."""


def tracer_folder() -> Path:
    """Folder of the parameter files that come with the package: in a wheel `tracers`, in a checkout `params`."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "tracers"
    return installed if installed.is_dir() else package.parent / "params"


def tracers() -> dict[str, Path]:
    """The parameter files that come with the package, by name ("fdg", or "folder/name")."""
    root = tracer_folder()
    return {p.relative_to(root).with_suffix("").as_posix(): p for p in sorted(root.rglob("*.yaml"))}


def find_params(name: str) -> Path:
    """The file that `--params` means: a path, or the name of a file that comes with the package."""
    path = Path(name)
    if path.suffix.lower() in (".yaml", ".yml") or path.is_file():
        if not path.is_file():
            raise ParamsError(f"{name}: no such parameter file")
        return path
    known = tracers()
    if name in known:
        return known[name]
    raise ParamsError(f"no parameters named {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}")


def load_params(name: str | Path) -> Run:
    """The parameters of a file or of a tracer's name; ParamsError with file and line where they cannot be used."""
    path = find_params(str(name))
    return parse_params(path.read_bytes(), path.name)


def parse_params(data: bytes, name: str) -> Run:
    """The parameters in a YAML text; `name` is what errors call the file.

    A parameter file of PyRadiomics, known by its sections, becomes a run of that standard for every series.
    """
    try:
        return _parsed(data, name)
    except RecursionError:
        raise ParamsError(f"{name}: nested too deeply, or a part that holds itself") from None


def _parsed(data: bytes, name: str) -> Run:
    tree = _read(data, name)
    if not isinstance(tree, Mapping):
        raise ParamsError(f"{name}: no parameters in it; see 'radiomics-pipeline params show fdg' for an example")
    values = _plain(tree)
    model: type[Run] = PyradiomicsRun if values.get("standard") == "pyradiomics" else RunParams
    if is_pyradiomics_file(values):
        model = PyradiomicsRun
        values, tree = ({**_beside(part), "series": {ANY_SERIES: _sections(part)}} for part in (values, tree))
    else:
        _require_one_schema(values, tree, name)
    try:
        params = model.model_validate(values)
    except ValidationError as e:
        raise ParamsError("\n".join(_explain_all(e.errors(), tree, name, model))) from None
    problems = [f"{_place(tree, loc, name)}: {problem}" for loc, problem in _unknown_names(params) if problem]
    if problems:
        raise ParamsError("\n".join(problems))
    return params


def _sections(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a PyRadiomics file that is PyRadiomics' own; where that is all, the tree itself, with its lines."""
    return tree if all(key in SECTIONS for key in tree) else {key: tree[key] for key in tree if key in SECTIONS}


def _beside(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What a PyRadiomics file says beside its sections, such as the engine."""
    return {key: tree[key] for key in tree if key not in SECTIONS}


def _read(data: bytes, name: str) -> Any:
    """The tree of a YAML text, with its lines."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ParamsError(f"{name}: not a text in UTF-8; save it as UTF-8") from None
    try:
        tree = YAML(typ="rt").load(text)
        _plain(tree)
        return tree
    except MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 0
        problem = (e.problem or "not YAML").split("\n")[0]
        raise ParamsError(f"{name}, line {line}: {problem}") from None
    except YAMLError as e:
        raise ParamsError(f"{name}: not YAML ({str(e).splitlines()[0]})") from None
    except (TypeError, ValueError):
        line, problem = _misfit(YAML(typ="rt").compose(text))
        raise ParamsError(f"{name}{f', line {line}' if line else ''}: {problem}") from None


def _misfit(node: Any) -> tuple[int, str]:
    """Line (from 1) and kind of the first part of a YAML text that cannot become a value; line 0 where it hides."""
    for pair in node.value if isinstance(node, CollectionNode) else ():
        for part in pair if isinstance(pair, tuple) else (pair,):
            if part is not pair and part is pair[0] and isinstance(part, CollectionNode):
                return part.start_mark.line + 1, "a key must be a text, not a list or a section"
            line, problem = _misfit(part)
            if line:
                return line, problem
    if isinstance(node, ScalarNode):
        try:
            repr(YAML(typ="rt").load(node.value))
        except (YAMLError, TypeError, ValueError):
            return node.start_mark.line + 1, f"no value can be made of {_shown(node.value)}"
    return 0, "a value in it cannot be read"


def _require_one_schema(values: Mapping[Any, Any], tree: Any, name: str) -> None:
    """ParamsError for keys beside the sections of a PyRadiomics file that belong to no schema."""
    foreign = [key for key in values if key not in SECTIONS and key not in BESIDE]
    if foreign and "series" not in values and any(key in SECTIONS for key in values):
        raise ParamsError(
            "\n".join(
                f"{_place(tree, [key], name)}: unknown key in a parameter file of PyRadiomics"
                f"{did_you_mean(str(key), SECTIONS)}; allowed here: {', '.join(SECTIONS)}"
                for key in foreign
            )
        )


def _unknown_names(params: Run) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Places at which families, features or images are named, and what is wrong with each name, if anything."""
    for series, section in params.series.items():
        at = ("series", series)
        if isinstance(section, PyradiomicsSeries) and isinstance(params, PyradiomicsRun) and params.engine == "own":
            try:
                require_computable(section, "")
            except ParamsError as e:
                yield (*at, "imageType"), str(e)
            for token, names in section.featureClass.items():
                yield from (((*at, "featureClass", token, i), _unknown(token, n)) for i, n in enumerate(names or ()))
        elif isinstance(section, SeriesParams):
            lists: list[tuple[tuple[Any, ...], tuple[str, ...]]] = []
            if not isinstance(section.families, str):
                lists = [((*at, "families"), section.families)]
            lists += [((*at, "settings", i, "families"), way.families) for i, way in enumerate(section.settings)]
            for where, families in lists:
                yield from (((*where, i), _unknown("", name)) for i, name in enumerate(families))
            yield from (((*at, "filters", i), _wrong(one)) for i, one in enumerate(section.filters))


def _wrong(one: Filtered) -> str:
    """What is wrong with a filter; as features, it takes its time to load."""
    from radiomics_pipeline.extraction.filtered import problem_of

    return problem_of(one)


def _unknown(token: str, name: str) -> str:
    """What is wrong with the name of a family, or with that of a feature of PyRadiomics' class `token`."""
    # features need numba, which takes its time to load: only where a file names some
    if token:
        from radiomics_pipeline.extraction.pyradiomics_columns import FAMILIES, WITHDRAWN

        features = next(tuple(family.features) for family in FAMILIES if family.token == token)
        known = (*features, *WITHDRAWN.get(token, ()))
        hint = f"{did_you_mean(name, known)}; there are: {', '.join(features)}"
        return "" if name in known else f"no feature {name!r}{hint}"
    from radiomics_pipeline.extraction.ibsi import unknown_family

    return unknown_family(name)


def write_params(params: Run) -> str:
    """The effective parameters as YAML, every default spelled out; reading it gives the same parameters."""
    from io import StringIO

    yaml = YAML()
    yaml.default_flow_style = False
    text = StringIO()
    yaml.dump(params.model_dump(mode="json"), text)
    return text.getvalue()


def digest_params(params: BaseModel) -> str:
    """SHA-256 of parameters, the same for the same values however they were written."""
    text = json.dumps(params.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(node: Any) -> Any:
    """ruamel's nodes as plain dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {_plain(k): _plain(v) for k, v in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(v) for v in node]
    if isinstance(node, int) and node.bit_length() > LONGEST_BITS:
        raise ValueError("no number of so many digits can be shown")
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


KINDS = {
    "a list": ("tuple_type", "list_type"),
    "a section with keys": ("dict_type", "model_type", "model_attributes_type"),
    "a whole number": ("int_type", "int_parsing", "int_parsing_size", "int_from_float"),
    "a number": ("float_type", "float_parsing"),
    "a text": ("string_type",),
    "true or false": ("bool_type", "bool_parsing"),
}
"""What a value must be, by pydantic's names of the errors that say so."""
METHODS_OF = {"segment": METHODS, "axis": ("short-axis", "mask", "given")}
"""Methods that follow a key in pydantic's locations, where `method` says which section it is."""
KIND_OF = {error: kind for kind, errors in KINDS.items() for error in errors}


def _explain_all(errors: Sequence[Any], tree: Any, name: str, model: type[Run]) -> Iterator[str]:
    """A line for each place of the file at which something is wrong."""
    places: dict[tuple[Any, ...], list[Any]] = {}
    for error in errors:
        loc = _without_tags(error["loc"])
        told = re.match(r"Value error, (\w+) is (true|false);", error["msg"])
        places.setdefault((*loc, told[1]) if told else loc, []).append(error)
    for loc, group in places.items():
        # of several kinds of value that would do, the one that was meant has errors further inside
        inside = any(len(other) > len(loc) and other[: len(loc)] == loc for other in places)
        if not (inside and all(_is_tag(error["loc"][-1]) for error in group)):
            yield _explain(group, loc, tree, name, model)


def _explain(group: Sequence[Any], loc: tuple[Any, ...], tree: Any, name: str, model: type[Run]) -> str:
    kind = group[0]["type"]
    if loc and loc[-1] == "[key]":
        return f"{_place(tree, loc[:-1], name)}: the key must be a text; write it in quotes"
    if kind == "union_tag_not_found":
        loc, kind = (*loc, "method"), "missing"
    start = _place(tree, loc, name)
    if kind == "extra_forbidden":
        allowed = _allowed_keys(model, loc[:-1], _plain(tree))
        return f"{start}: unknown key{did_you_mean(str(loc[-1]), allowed)}; allowed here: {', '.join(allowed)}"
    if kind == "missing":
        return f"{start}: missing; it must be given"
    return f"{start}: {_demand(group)}"


def _demand(group: Sequence[Any]) -> str:
    """What a value must be, and what it is; of several errors, what each of them would take."""
    error = group[0]
    kind, found, context = error["type"], error.get("input"), error.get("ctx", {})
    if kind in ("literal_error", "union_tag_invalid") and len(group) == 1:
        tag, allowed = context.get("tag", found), _words(error)
        hint = did_you_mean(tag, allowed) if isinstance(tag, str) else ""
        return f"must be one of {', '.join(allowed)}, found {_shown(tag)}{hint}"
    if kind in ("too_short", "too_long"):
        side = f"least {context.get('min_length')}" if kind == "too_short" else f"most {context.get('max_length')}"
        return f"must have at {side} entries, found {context['actual_length']}"
    shown = "" if isinstance(found, Mapping | Sequence) and not isinstance(found, str) else f", found {_shown(found)}"
    kinds = [" or ".join(_words(e)) if e["type"] == "literal_error" else KIND_OF.get(e["type"]) for e in group]
    if None not in kinds:
        return f"must be {' or '.join(map(str, kinds))}{shown}"
    if kind == "string_pattern_mismatch" and context["pattern"] == f"^{TOKEN}$":
        return f"letters, digits, '.', '+' and '-' only, as it ends column names{shown}"
    message = re.sub(r"^Value error, ", "", error["msg"])
    return f"{message[0].lower()}{message[1:]}{shown}"


def _place(tree: Any, loc: Sequence[Any], name: str) -> str:
    where = ".".join(str(part) for part in loc).removeprefix(f"series.{ANY_SERIES}.") or "the file"
    return f"{name}, line {_line(tree, loc)}: {where}"


def _words(error: Any) -> list[str]:
    """The words that would do, where only some do."""
    expected = str(error["ctx"].get("expected", error["ctx"].get("expected_tags", "")))
    return re.findall(r"'([^']*)'", expected) or re.split(r", | or ", expected)


def _shown(value: Any) -> str:
    """A value as messages show it: not longer than a line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"


def _is_tag(part: Any) -> bool:
    """Whether a part of pydantic's location names a member of a union, not a key of the file."""
    return isinstance(part, str) and (
        part in ("fixed-bin-size", "fixed-bin-number", "none", "int", "constrained-int")
        or part.startswith(("literal[", "dict[", "tuple[", "function-"))
    )


def _without_tags(loc: Sequence[Any]) -> tuple[Any, ...]:
    """A location of pydantic's as keys of the file; a key may have the name of its section's method."""
    return tuple(
        part for i, part in enumerate(loc) if not _is_tag(part) and not (i and part in METHODS_OF.get(loc[i - 1], ()))
    )


def _line(tree: Any, loc: Sequence[Any]) -> int:
    """Line (from 1) of the deepest part of a location that the file has."""
    line, node = 0, tree
    for part in loc:
        try:
            marks = getattr(node, "lc", None)
            if marks:
                line = (marks.key(part) if isinstance(node, Mapping) else marks.item(part))[0]
            node = node[part]
        except (KeyError, IndexError, TypeError):
            break
    return line + 1


def _allowed_keys(model: Any, loc: Sequence[Any], values: Any) -> list[str]:
    """Keys that the model takes at a location; a union's member is chosen by its `method`."""
    for part in loc:
        values = values[part] if values is not None else None
        models = _models_in(model.model_fields[part].annotation if part in model.model_fields else model)
        if len(models) > 1 and isinstance(values, Mapping):
            models = [m for m in models if values.get("method") in get_args(m.model_fields["method"].annotation)]
        model = models[0] if models else model
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in get_args(annotation) for m in _models_in(inner)]
