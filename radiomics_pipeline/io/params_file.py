"""Parameter files: YAML in, frozen models out, errors with file, line and allowed values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from radiomics_pipeline.errors import ParamsError, did_you_mean
from radiomics_pipeline.params.pyradiomics import is_pyradiomics_file
from radiomics_pipeline.params.run import ANY_SERIES, PyradiomicsRun, Run, RunParams


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
        tree = YAML(typ="rt").load(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ParamsError(f"{name}: not a text in UTF-8; save it as UTF-8") from None
    except MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 0
        problem = (e.problem or "not YAML").split("\n")[0]
        raise ParamsError(f"{name}, line {line}: {problem}") from None
    except YAMLError as e:
        raise ParamsError(f"{name}: not YAML ({str(e).splitlines()[0]})") from None
    if not isinstance(tree, Mapping):
        raise ParamsError(f"{name}: no parameters in it; see 'radiomics-pipeline params show fdg' for an example")
    values = _plain(tree)
    model: type[Run] = PyradiomicsRun if values.get("standard") == "pyradiomics" else RunParams
    if is_pyradiomics_file(values):
        model = PyradiomicsRun
        values, tree = {"series": {ANY_SERIES: values}}, {"series": {ANY_SERIES: tree}}
    try:
        return model.model_validate(values)
    except ValidationError as e:
        raise ParamsError("\n".join(_explain(error, tree, name, model) for error in e.errors())) from None


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
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _explain(error: Any, tree: Any, name: str, model: type[Run]) -> str:
    loc = [part for part in error["loc"] if not _is_tag(part)]
    line = _line(tree, loc)
    where = ".".join(str(part) for part in loc).removeprefix(f"series.{ANY_SERIES}.") or "the file"
    start = f"{name}, line {line}: {where}"
    if error["type"] == "extra_forbidden":
        allowed = _allowed_keys(model, loc[:-1], _plain(tree))
        return f"{start}: unknown key{did_you_mean(str(loc[-1]), allowed)}; allowed here: {', '.join(allowed)}"
    if error["type"] == "missing":
        return f"{start}: missing; it must be given"
    found = error.get("input")
    shown = "" if isinstance(found, Mapping | Sequence) and not isinstance(found, str) else f", found {found!r}"
    message = re.sub(r"^Value error, ", "", error["msg"])
    hint = ""
    if error["type"] in ("literal_error", "union_tag_invalid"):
        allowed = re.findall(r"'([^']*)'", str(error["ctx"].get("expected", error["ctx"].get("expected_tags", ""))))
        tag = error["ctx"].get("tag", found)
        hint, shown = did_you_mean(str(tag), allowed), f", found {tag!r}"
        message = f"must be one of {', '.join(allowed)}"
    return f"{start}: {message[0].lower()}{message[1:]}{shown}{hint}"


def _is_tag(part: Any) -> bool:
    """Whether a part of pydantic's location names a member of a union, not a key of the file."""
    return isinstance(part, str) and (
        part in ("fixed-bin-size", "fixed-bin-number", "none", "int", "constrained-int")
        or part.startswith(("literal[", "dict[", "tuple[", "function-"))
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
