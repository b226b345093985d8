"""What may be said of a handful of rounds: median, spread, the noise floor of an A/A pair, and whether a ratio lies outside it."""

from statistics import median


def spread(values):
    """Median, least and greatest."""
    return (
        {"median": median(values), "min": min(values), "max": max(values), "n": len(values)}
        if values
        else None
    )


def ratios(values, base):
    """The ratio of each round to the same round of the baseline: what both rounds suffered alike cancels. Rounds are keyed."""
    return [values[r] / base[r] for r in sorted(values) if base.get(r)]


def floor(again):
    """The noise floor: how far the same tool was from itself in the worst round."""
    return max((abs(r - 1) for r in again), default=None)


def verdict(ratio, noise):
    """`ratio` is a spread; inside the noise floor there is no difference to speak of."""
    if ratio is None:
        return ""
    if noise is None:
        return "no A/A pair"
    return "no difference" if abs(ratio["median"] - 1) <= noise else "differs"


def self_test():
    assert spread([3, 1, 2]) == {"median": 2, "min": 1, "max": 3, "n": 3}
    assert spread([]) is None
    assert ratios({0: 6.0, 1: 8.0, 2: 1.0}, {0: 3.0, 1: 4.0}) == [2.0, 2.0]
    noise = floor([1.02, 0.95, 1.0])
    assert abs(noise - 0.05) < 1e-12
    assert verdict(spread([1.04, 1.04]), noise) == "no difference"
    assert verdict(spread([0.96]), noise) == "no difference"
    assert verdict(spread([1.06]), noise) == "differs"
    assert verdict(spread([1.06]), None) == "no A/A pair"
    assert floor([]) is None
