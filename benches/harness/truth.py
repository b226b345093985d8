"""What a stall does to users who come on schedule: by formula, and by the server's own log. Seconds everywhere."""

import math

QUANTILES = (0.5, 0.95, 0.99, 1.0)


def percentile(values, q):
    """Nearest rank, upwards: a value that was there."""
    values = sorted(values)
    return values[max(0, math.ceil(round(q * len(values), 6)) - 1)]


def by_formula(rate, seconds, stall, q):
    """Users come at `rate` for `seconds`; those who come within the stall wait for its end, the others not at all."""
    users = round(rate * seconds)
    above = users - max(1, math.ceil(round(q * users, 6)))
    return max(0.0, stall - above / rate)


def by_log(log, rate):
    """Times from each slot of the schedule to the end of its answer, by the server's clock alone.

    The schedule starts with the first arrival. Only for a log of one arrival for each slot: whom the tool did not send cannot be told
    from who came late. An answer takes no less than it was held, so a request that is early (jitter) is not credited for it.
    """
    begin = log[0][0]
    return [max(at + held - (begin + k / rate), held) for k, (at, held, _) in enumerate(log)]


def self_test():
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([1] * 99 + [5], 0.99) == 1
    assert percentile([1] * 98 + [4, 5], 0.99) == 4
    assert abs(by_formula(500, 20, 2, 0.99) - 1.8) < 1e-9
    assert abs(by_formula(500, 20, 2, 0.95) - 1.0) < 1e-9
    assert by_formula(500, 20, 2, 0.5) == 0 and by_formula(500, 20, 2, 1.0) == 2
    # 10/s for 2 s, no answer from 0.5 to 1.5 s: who comes at 0.5 waits a second.
    slots = [k / 10 for k in range(20)]
    frozen = [(at, 1.5 - at if 0.5 <= at < 1.5 else 0.001, "answered") for at in slots]
    times = by_log(frozen, 10)
    assert abs(max(times) - 1.0) < 1e-9 and abs(percentile(times, 0.95) - 0.9) < 1e-9, times
    # The same, by a tool with one connection: the others arrive after the stall and have waited all the same.
    one = [(at, held, o) if at <= 0.5 else (max(at, 1.5), 0.001, o) for at, held, o in frozen]
    assert abs(percentile(by_log(one, 10), 0.95) - 0.901) < 1e-6
