"""Lanes that are compared with each other: rounds in which each has its turn, in an order that changes."""

import random
import sys

from .process import Died


def interleaved(row, lanes, bench, measure):
    """What `measure` returned for each lane, by round. A lane that died is told, and misses in that round."""
    found, order = {lane: {} for lane in lanes}, random.Random(bench.seed)
    for turn in range(bench.rounds):
        for lane in order.sample(list(lanes), len(lanes)):
            print(f"{row}: round {turn + 1} of {bench.rounds}, {lane}", file=sys.stderr, flush=True)
            try:
                found[lane][turn] = measure(lane)
            except Died as error:
                print(f"  {lane}: {error}", file=sys.stderr)
    return found
