import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit
from scipy.stats import chi2

from radiomics_pipeline.errors import OutcomeError, TableError
from radiomics_pipeline.stats.firth import firth_coefficients, firth_logistic

# Urinary tract infection and contraceptives, 239 college women (R's logistf, data set sex2): of each pattern of
# age, oc, vic, vicl, vis, dia the women without and with an infection.
SEX2 = """000010 1 1;001000 2 14;001010 1 3;001100 8 10;001110 18 12;001111 0 1;010000 42 44;010001 0 3;010010 1 0
011000 1 15;011001 0 1;011010 0 2;011100 5 7;011110 6 3;101000 0 2;101010 0 1;101011 0 1;101100 2 1;101110 4 0
101111 0 1;110000 14 5;110010 1 0;111000 1 3;111110 2 0"""
# What logistf publishes for them: coefficient, standard error, profile interval (its search ends at 1e-4, so that the
# fifth digit of an end may differ); then chi2 and p as printed (two and three decimals)
PUBLISHED = {
    "intercept": (0.120254, 0.485542, -0.818559, 1.07315, 0.06, 0.802),
    "age": (-1.10598, 0.42366, -1.97379, -0.307427, 7.51, 0.006),
    "oc": (-0.0688167, 0.443793, -0.941436, 0.789202, 0.02, 0.875),
    "vic": (2.26887, 0.548416, 1.27304, 3.43543, 22.93, 0.000),
    "vicl": (-2.11141, 0.543082, -3.26086, -1.11774, 19.10, 0.000),
    "vis": (-0.788317, 0.417368, -1.60809, 0.0151846, 3.70, 0.054),
    "dia": (3.09601, 1.67501, 0.774568, 8.03028, 7.90, 0.005),
}


def women():
    rows, cases = [], []
    for entry in SEX2.replace("\n", ";").split(";"):
        pattern, without, infected = entry.split()
        for infection, count in ((0, int(without)), (1, int(infected))):
            rows += [[float(c) for c in pattern]] * count
            cases += [infection] * count
    assert len(rows) == 239
    return np.array(rows), np.array(cases)


def noisy(n=60, p=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * np.array([1.0, 30.0, 0.01])[:p] + np.array([0.0, 500.0, 1.0])[:p]
    return x, (rng.random(n) < expit(x[:, 0] - 0.5)).astype(int)


def test_published_coefficients_intervals_and_tests_come_out():
    fit = firth_logistic(*women())
    for j, (estimate, error, lower, upper, statistic, p) in enumerate(PUBLISHED.values()):
        found = [fit.coefficients[j], fit.standard_errors[j], fit.lower[j], fit.upper[j]]
        assert found == pytest.approx([estimate, error, lower, upper], rel=2e-5)
        assert fit.statistic[j] == pytest.approx(statistic, abs=0.0051)
        assert fit.p[j] == pytest.approx(p, abs=0.00051)
    assert fit.log_likelihood == pytest.approx(-132.5394, abs=1e-4)
    assert fit.converged


def test_a_two_by_two_table_gives_the_log_odds_ratio_with_a_half_added_to_every_cell():
    for a, b, c, d in ((7, 2, 3, 9), (7, 0, 2, 7), (10, 0, 0, 10), (1, 5, 0, 6)):
        x = np.repeat([0.0, 0.0, 1.0, 1.0], (a, b, c, d))[:, None]
        y = np.repeat([0, 1, 0, 1], (a, b, c, d))
        odds = np.log((b + 0.5) / (a + 0.5)), np.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
        fit = firth_logistic(x, y)
        assert fit.coefficients == pytest.approx(odds, abs=1e-8)
        assert fit.lower[1] < odds[1] < fit.upper[1]
        assert np.isfinite([fit.lower, fit.upper]).all()


def test_the_estimate_is_the_maximum_of_the_likelihood_with_jeffreys_prior():
    x, y = noisy()
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    design = np.hstack([np.ones((len(z), 1)), z])

    def loss(beta):
        p = expit(design @ beta)
        information = design.T @ (design * (p * (1 - p))[:, None])
        return -(np.log(np.where(y == 1, p, 1 - p)).sum() + 0.5 * np.linalg.slogdet(information)[1])

    twin = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).x
    slopes, intercept, converged = firth_coefficients(x, y)
    assert converged
    assert slopes * x.std(axis=0) == pytest.approx(twin[1:], abs=1e-5)
    assert intercept + x.mean(axis=0) @ slopes == pytest.approx(twin[0], abs=1e-5)
    fit = firth_logistic(x, y)
    assert fit.coefficients == pytest.approx([intercept, *slopes], rel=1e-7)
    for j in (1, 2, 3):
        for end in (fit.lower[j], fit.upper[j]):
            held = end * x[:, j - 1].std()
            free = [k for k in range(4) if k != j]
            rest = minimize(
                lambda b, j=j, held=held, free=free: loss(np.insert(b, j, held)), twin[free], options={"gtol": 1e-9}
            )
            assert 2 * (rest.fun - loss(twin)) == pytest.approx(chi2.ppf(0.95, 1), abs=1e-5)


def test_units_and_shifts_of_columns_change_nothing_but_the_unit():
    x, y = noisy()
    first, second = firth_logistic(x, y), firth_logistic(x * 7 - 100, y)
    assert second.coefficients[1:] * 7 == pytest.approx(first.coefficients[1:], rel=1e-7)
    assert second.upper[1:] * 7 == pytest.approx(first.upper[1:], rel=1e-6)
    assert second.p[1:] == pytest.approx(first.p[1:], rel=1e-6)


def test_the_smaller_the_level_the_narrower_the_interval():
    x, y = noisy()
    wide, narrow = firth_logistic(x, y), firth_logistic(x, y, level=0.5)
    assert (wide.lower < narrow.lower).all()
    assert (narrow.lower < narrow.coefficients).all()
    assert (narrow.upper < wide.upper).all()


def test_the_test_agrees_with_the_interval():
    for seed in range(6):
        x, y = noisy(seed=seed)
        fit = firth_logistic(x, y)
        assert ((fit.p < 0.05) == ((fit.lower > 0) | (fit.upper < 0))).all()


def test_separated_classes_have_finite_estimates():
    x = np.arange(20.0)[:, None]
    fit = firth_logistic(x, np.arange(20) > 9)
    assert fit.converged
    assert 0 < fit.lower[1] < fit.coefficients[1] < fit.upper[1] < 50


def test_one_class_too_many_columns_and_dependent_columns_are_refused():
    x, y = noisy()
    with pytest.raises(OutcomeError, match="both present"):
        firth_logistic(x, np.ones(len(x)))
    with pytest.raises(TableError, match="select fewer"):
        firth_logistic(np.eye(8), np.arange(8) % 2)
    with pytest.raises(TableError, match="depend on each other"):
        firth_logistic(np.hstack([x, x[:, :1]]), y)
    with pytest.raises(TableError, match="constant"):
        firth_logistic(np.hstack([x, np.ones((len(x), 1))]), y)


def test_a_column_given_twice_shares_its_coefficient():
    x, y = noisy()
    alone, _, _ = firth_coefficients(x, y)
    both, _, _ = firth_coefficients(np.hstack([x, x[:, :1]]), y)
    assert both[[0, 3]] == pytest.approx([alone[0] / 2, alone[0] / 2], rel=1e-6)
    assert both[1:3] == pytest.approx(alone[1:], rel=1e-6)


HALF = chi2.ppf(0.95, 1) / 2


def small_tables(count, *, seed, most=3):
    """6 to 30 rows, 1 to 3 columns: noise, separated or nearly, long tails, flags, tiny spread far from 0."""
    rng = np.random.default_rng(seed)
    for t in range(count):
        k = int(rng.integers(1, most + 1))
        n = int(rng.integers(max(6, k + 2), 31))
        x, y = rng.normal(size=(n, k)), (rng.random(n) < rng.choice([0.1, 0.3, 0.5])).astype(float)
        y[:2] = 1, 0
        if t % 6 == 1:
            x[:, 0] = np.abs(x[:, 0]) * (2 * y - 1)
        elif t % 6 == 2:
            x[:, 0] = y + 0.3 * rng.normal(size=n)
        elif t % 6 == 3:
            x = np.exp(2 * x)
        elif t % 6 == 4:
            x = (x > 0.5).astype(float)
        elif t % 6 == 5:
            x = x * 1e-3 + 1e6
        z = x - x.mean(axis=0)
        if (z.std(axis=0) > 0).all() and np.linalg.matrix_rank(z / z.std(axis=0), tol=1e-3) == k:
            yield x, y, np.column_stack([np.ones(n), z / z.std(axis=0)])


def penalised(design, y, beta):
    """Negative log likelihood with Jeffreys' prior, from the definition."""
    eta = design @ beta
    root = np.exp(-0.5 * (np.logaddexp(0, eta) + np.logaddexp(0, -eta)))
    size = np.abs(np.diag(np.linalg.qr(design * root[:, None], mode="r")))
    return np.logaddexp(0, eta).sum() - y @ eta - np.log(np.maximum(size, 1e-300)).sum()


def held_at(design, y, j, value, starts):
    """Least of the negative log likelihood with coefficient j held, from several starts."""

    def rest(free):
        return penalised(design, y, np.insert(free, j, value))

    return min(minimize(rest, start, method="BFGS", options={"gtol": 1e-7}).fun for start in starts)


def test_small_tables_reach_the_maximum_that_a_direct_search_finds():
    tested = 0
    for x, y, design in small_tables(300, seed=1):
        fit, unit = firth_logistic(x, y), x.std(axis=0)
        slopes = fit.coefficients[1:] * unit
        found = minimize(lambda b, d=design, y=y: penalised(d, y, b), np.zeros(len(slopes) + 1), options={"gtol": 1e-7})
        top = -fit.log_likelihood + np.log(unit).sum()
        assert fit.converged
        assert top < found.fun + 1e-9
        if found.fun < top + 1e-8:  # the search ends in a lower top now and then
            assert slopes == pytest.approx(found.x[1:], abs=2e-4)
            tested += 1
        inner = np.concatenate([[fit.coefficients[0] + x.mean(axis=0) @ fit.coefficients[1:]], slopes])
        assert penalised(design, y, inner) == pytest.approx(top, abs=1e-6)
        p = expit(design @ inner)
        covariance = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
        assert fit.standard_errors[1:] * unit == pytest.approx(np.sqrt(np.diag(covariance))[1:], rel=1e-4)
    assert tested > 250


def test_the_ends_of_one_column_are_those_of_the_highest_profile():
    # held far out, the likelihood has several tops in the intercept: a dense grid finds all
    for x, y, design in small_tables(120, seed=2, most=1):
        fit, unit = firth_logistic(x, y), x[:, 0].std()
        top = -fit.log_likelihood + np.log(unit)
        empty = held_at(design, y, 1, 0.0, [np.zeros(1)])
        assert fit.statistic[1] == pytest.approx(2 * (empty - top), abs=1e-7)
        for end in (fit.lower[1] * unit, fit.upper[1] * unit):
            reach = np.abs(end * design[:, 1]).max() + 5
            grid = np.linspace(-reach, reach, 2001)
            eta = grid[:, None] + end * design[:, 1]
            root = np.exp(-0.5 * (np.logaddexp(0, eta) + np.logaddexp(0, -eta)))[:, :, None] * design
            with np.errstate(divide="ignore"):
                size = np.log(np.abs(np.diagonal(np.linalg.qr(root, mode="r"), axis1=1, axis2=2))).sum(axis=1)
            loss = (np.logaddexp(0, eta) - y * eta).sum(axis=1) - size
            least = np.flatnonzero((loss[1:-1] <= loss[:-2]) & (loss[1:-1] <= loss[2:])) + 1

            def at(a, end=end, design=design, y=y):
                return penalised(design, y, np.array([a, end]))

            tops = [
                minimize_scalar(at, bounds=(grid[i - 1], grid[i + 1]), method="bounded", options={"xatol": 1e-9}).fun
                for i in least
            ]
            assert min(tops) - top == pytest.approx(HALF, abs=1e-6)


def test_the_profile_of_several_columns_has_fallen_as_far_as_the_level_says_at_its_ends():
    rng, missed, tested = np.random.default_rng(0), 0, 0
    for x, y, design in small_tables(36, seed=3):
        fit, unit = firth_logistic(x, y), x.std(axis=0)
        slopes = fit.coefficients[1:] * unit
        top = -fit.log_likelihood + np.log(unit).sum()
        inner = np.concatenate([[fit.coefficients[0] + x.mean(axis=0) @ fit.coefficients[1:]], slopes])
        for j in range(1, len(inner)):
            free = np.delete(inner, j)
            starts = [free, *(free + size * rng.normal(size=len(free)) for size in (1, 3, 3, 10, 10))]
            for end in (fit.lower[j], fit.upper[j]):
                least = held_at(design, y, j, end * unit[j - 1], starts)
                # with few rows and several columns one end in some hundred is that of a lower top
                missed += least - top < HALF - 1e-6
                tested += 1
                if np.abs(end * unit[j - 1]) < 3:
                    assert least - top == pytest.approx(HALF, abs=1e-5)
    assert missed <= 0.01 * tested
    assert tested > 100


def test_tiny_spread_far_from_zero_loses_no_digits_but_those_of_the_cells():
    rng = np.random.default_rng(4)
    z, y = rng.integers(-2000, 2000, size=(25, 2)) / 1024.0, np.arange(25) % 3 == 0
    near, far = firth_logistic(z, y), firth_logistic(z / 1024 + 2.0**20, y)
    for name in ("coefficients", "standard_errors", "lower", "upper"):
        assert getattr(far, name)[1:] / 1024 == pytest.approx(getattr(near, name)[1:], rel=1e-7)
    assert far.p[1:] == pytest.approx(near.p[1:], rel=1e-7)
    assert far.converged


def test_many_columns_converge_too():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(80, 30)), np.arange(80) < 24
    slopes, intercept, converged = firth_coefficients(x, y)
    design = np.column_stack([np.ones(80), x])
    p = expit(intercept + x @ slopes)
    weighted = design * np.sqrt(p * (1 - p))[:, None]
    leverage = (np.linalg.qr(weighted)[0] ** 2).sum(axis=1)
    assert converged
    assert np.abs(design.T @ (y - p + leverage * (0.5 - p))).max() < 1e-7
