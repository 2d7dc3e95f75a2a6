"""One table of features alone and together, and one of the best subsets, from the parts of an analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.selection.combine.dominance import unit_of
from radiomics_pipeline.selection.combine.incremental import Gains
from radiomics_pipeline.selection.combine.worths import Worths
from radiomics_pipeline.stats.nadeau_bengio import corrected_interval
from radiomics_pipeline.types.combination import NAN, CombinationRow, DominanceRow, ImportanceRow, SubsetRow
from radiomics_pipeline.types.ranking import Redundancy, UnivariateRow

FLATTERED = "one of many subsets: chosen for its score, that score is too good; the best-subset plan's own is honest"


@dataclass(frozen=True)
class Increment:
    """Gains of features over a base, with their names in the same order."""

    names: tuple[str, ...]
    gains: Gains


def combinations(
    redundancy: Redundancy,
    univariate: Sequence[UnivariateRow],
    chosen: Sequence[frozenset[str]],
    dominance: Sequence[DominanceRow],
    importance: Sequence[ImportanceRow],
    *,
    over_volume: Increment | None = None,
    over_clinical: Increment | None = None,
) -> tuple[CombinationRow, ...]:
    """Of each cluster's representative: what it does alone, what it adds, how often it was chosen.

    redundancy : clusters over the whole table; univariate : of all features
    chosen : of each outer fold the features that the ranking plan selected; any of a cluster counts for it
    dominance : rows of features, booked to the clusters' representatives
    importance : rows by one metric, booked likewise (of several metrics the first counts)

    Order: contribution in the rows left out, then how far `alone` lies from its chance value. What was not computed,
    or has no value, is NaN.
    """
    clusters = {r.feature: r.representative for r in redundancy.rows if r.representative}
    members: dict[str, list[str]] = {}
    for feature, head in clusters.items():
        members.setdefault(head, []).append(feature)
    alone = {u.feature: u for u in univariate}
    together = {d.name: d for d in dominance}
    metric = importance[0].metric if importance else ""
    lost = {i.feature: i for i in importance if i.metric == metric}
    hits = [{clusters.get(f, f) for f in fold} for fold in chosen]
    rows = []
    for head, cluster in members.items():
        own = alone[head]
        share = float(np.mean([head in fold for fold in hits])) if hits else NAN
        adds, loss = together.get(head), lost.get(head)
        volume, clinical = _gain(over_volume, head), _gain(over_clinical, head)
        rows.append(
            CombinationRow(
                feature=head,
                members="; ".join(f for f in cluster if f != head),
                metric=own.metric,
                alone=own.value,
                alone_lower=own.lower,
                alone_upper=own.upper,
                chosen=share,
                candidate=adds.candidate if adds else (0.0 if dominance else NAN),
                contribution=adds.general if adds else NAN,
                contribution_lower=adds.lower if adds else NAN,
                contribution_upper=adds.upper if adds else NAN,
                held_out=adds.held_out if adds else NAN,
                held_out_lower=adds.held_out_lower if adds else NAN,
                held_out_upper=adds.held_out_upper if adds else NAN,
                importance=loss.drop if loss else NAN,
                importance_lower=loss.lower if loss else NAN,
                importance_upper=loss.upper if loss else NAN,
                over_volume=volume[0],
                over_volume_lower=volume[1],
                over_volume_upper=volume[2],
                over_clinical=clinical[0],
                over_clinical_lower=clinical[1],
                over_clinical_upper=clinical[2],
                verdict=verdict(own, adds),
            )
        )
    return tuple(sorted(rows, key=_order))


def verdict(own: UnivariateRow, adds: DominanceRow | None) -> str:
    """alone, together, both or neither: what the intervals of one feature show; empty where they are not there.

    Alone: the interval of `alone` leaves out its chance value (0.5 of an AUC or C, 0 of a correlation). Together: that
    of the contribution in the rows left out lies above 0; of features that were candidates in no fold it does not.
    Not corrected for the number of features: q in univariate.csv is.
    """
    if np.isnan(own.lower) or (adds is not None and np.isnan(adds.held_out_lower)):
        return ""
    chance = _chance(own.metric)
    by_itself = own.lower > chance or own.upper < chance
    joined = adds is not None and adds.held_out_lower > 0
    return {(True, True): "both", (True, False): "alone", (False, True): "together"}.get(
        (bool(by_itself), bool(joined)), "neither"
    )


def subset_table(
    parts: Sequence[Worths | None],
    names: Sequence[str],
    measure: str,
    metric: str,
    test_share: float,
    *,
    chosen: Sequence[frozenset[str]] = (),
    representative: Mapping[str, str] | None = None,
    most: int = 200,
) -> tuple[SubsetRow, ...]:
    """The best combinations of features by the deviance that they explain in the rows left out.

    parts : of each outer fold all combinations of its candidates (Dominance.parts, of features)
    names : of the columns; measure : of Dominance.rows; metric : auc, c_index or r2
    chosen : of each outer fold the features that the best-subset plan selected; representative : of a feature its
        cluster's, under which they are booked
    most : rows at most; combinations that the plan chose come first and are always there

    Only combinations whose features were candidates together in at least half of the folds, or that were chosen. Their
    scores are those of the folds where they were. The empty combination is there too, as the floor.
    """
    sound = [part for part in parts if part is not None]
    head = representative or {}
    taken = [frozenset(head.get(f, f) for f in fold) for fold in chosen]
    seen: dict[frozenset[str], list[tuple[int, int]]] = {}
    for f, part in enumerate(sound):
        labels = [str(names[p]) for p in part.players]
        for r in range(len(part.fit)):
            members = [label for i, label in enumerate(labels) if r >> i & 1]
            if len(set(members)) == len(members):  # two of one cluster are no subset of representatives
                seen.setdefault(frozenset(members), []).append((f, r))
    keep = [s for s, places in seen.items() if len({f for f, _ in places}) * 2 >= len(sound) or s in taken]
    rows = [
        _subset_row(s, seen.get(s, []), sound, measure, metric, test_share, taken)
        for s in dict.fromkeys([*keep, *taken])
    ]
    rows.sort(key=lambda row: (-np.nan_to_num(row.chosen), -np.nan_to_num(row.explained, nan=-np.inf), row.features))
    first = sum(row.chosen > 0 for row in rows)
    return tuple(rows[: max(most, first)])


def _subset_row(  # noqa: PLR0917
    features: frozenset[str],
    places: Sequence[tuple[int, int]],
    parts: Sequence[Worths],
    measure: str,
    metric: str,
    test_share: float,
    taken: Sequence[frozenset[str]],
) -> SubsetRow:
    first: dict[int, int] = {}
    for f, r in places:
        first.setdefault(f, r)
    scores = np.array([parts[f].score[r] for f, r in first.items()], np.float64)
    mean, lower, upper = corrected_interval(scores, test_share)
    explained, fit = NAN, NAN
    if first:
        gained = sum(float(parts[f].loss[0] - parts[f].loss[r]) for f, r in first.items())
        explained = gained * unit_of([_only(parts[f], r) for f, r in first.items()], measure)
        fit = float(np.mean([parts[f].fit[r] for f, r in first.items()]))
    return SubsetRow(
        "; ".join(sorted(features)),
        len(features),
        float(np.mean([features == t for t in taken])) if taken else NAN,
        metric,
        mean,
        lower if metric == "r2" else max(lower, 0.0),
        min(upper, 1.0),
        explained,
        fit,
        len(first),
        FLATTERED if features else "no feature: a constant prediction",
    )


def _only(part: Worths, row: int) -> Worths:
    """The empty combination and this one, as if there were no others."""
    rows = [0, row]
    return Worths(part.players[:0], part.fit[rows], part.loss[rows], part.size, part.score[rows], ())


def _gain(increment: Increment | None, feature: str) -> tuple[float, float, float]:
    if increment is None or feature not in increment.names:
        return NAN, NAN, NAN
    at, gains = increment.names.index(feature), increment.gains
    return float(gains.gain[at]), float(gains.lower[at]), float(gains.upper[at])


def _order(row: CombinationRow) -> tuple[float, float, str]:
    far = abs(row.alone - _chance(row.metric))
    return -np.nan_to_num(row.held_out, nan=-np.inf), -np.nan_to_num(far), row.feature


def _chance(metric: str) -> float:
    return 0.5 if metric in ("auc", "c_index", "auc_pairs") else 0.0
