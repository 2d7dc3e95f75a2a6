"""How combinations of settings are tried: all of a grid, or those that Optuna proposes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radiomics_pipeline.errors import ParamsError, did_you_mean

LossOf = Callable[[dict[str, Any]], float]


@dataclass(frozen=True)
class Span:
    """Numbers between two ends, for Optuna. log : whether ratios count; whole numbers where both ends are."""

    low: float
    high: float
    log: bool = False


Grid = Mapping[str, Sequence[Any] | Span]


@dataclass(frozen=True)
class Tried:
    """Settings, what they cost on rows left out, and their places in the grid (of a span the number itself)."""

    settings: dict[str, Any]
    loss: float
    places: tuple[float, ...]


def check_grid(grid: Grid, model: Any, method: str, trials: int) -> None:
    """ParamsError where a setting is unknown or has no values, or the method cannot try them."""
    if method not in ("grid", "optuna"):
        raise ParamsError(f"tuning method {method!r} is not one of grid, optuna")
    if method == "optuna" and trials < 1:
        raise ParamsError(f"{trials} trials; give a whole number from 1")
    known = model.get_params()
    for name, values in grid.items():
        if name not in known:
            raise ParamsError(f"{type(model).__name__} has no setting {name!r}{did_you_mean(name, known)}")
        if isinstance(values, Span):
            if method == "grid":
                raise ParamsError(f"{name}: only optuna can search a range; give a list of values")
            if not values.low < values.high or (values.log and values.low <= 0):
                raise ParamsError(f"{name}: {values.low:g} to {values.high:g} is no range")
        elif not len(values):
            raise ParamsError(f"{name}: no values to try")


def try_grid(grid: Mapping[str, Sequence[Any]], loss_of: LossOf) -> list[Tried]:
    """Every combination, the last setting changing fastest."""
    tried = []
    for places in itertools.product(*(range(len(values)) for values in grid.values())):
        settings = {name: values[k] for (name, values), k in zip(grid.items(), places, strict=True)}
        tried.append(Tried(settings, loss_of(settings), tuple(map(float, places))))
    return tried


def try_optuna(grid: Grid, loss_of: LossOf, trials: int, seed: int) -> list[Tried]:
    """What Optuna's tree-structured Parzen estimator proposes, each combination once.

    Raises ParamsError where Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise ParamsError(
            "tuning by optuna: Optuna is not installed; pip install 'radiomics_pipeline[tune]', or use method grid"
        ) from None
    tried: dict[tuple[float, ...], Tried] = {}

    def loss_in(trial: Any) -> float:
        settings, places = _proposed(trial, grid)
        if places not in tried:
            tried[places] = Tried(settings, loss_of(settings), places)
        return min(tried[places].loss, 1e300)

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        study.optimize(loss_in, n_trials=trials, n_jobs=1)
    finally:
        optuna.logging.set_verbosity(level)
    return list(tried.values())


def _proposed(trial: Any, grid: Grid) -> tuple[dict[str, Any], tuple[float, ...]]:
    settings: dict[str, Any] = {}
    places: list[float] = []
    for name, values in grid.items():
        if isinstance(values, Span):
            whole = isinstance(values.low, int) and isinstance(values.high, int)
            suggest = trial.suggest_int if whole else trial.suggest_float
            settings[name] = suggest(name, values.low, values.high, log=values.log)
            places.append(float(settings[name]))
        else:
            place = trial.suggest_categorical(name, list(range(len(values))))
            settings[name] = values[place]
            places.append(float(place))
    return settings, tuple(places)
