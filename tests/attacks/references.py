"""Attacks written plainly from their papers, one record at a time."""

import math


def modified_entropy(probabilities, label):
    """Song and Mittal (2021), equation 8."""
    total = -(1 - probabilities[label]) * math.log(probabilities[label])
    for i, p in enumerate(probabilities):
        if i != label:
            total -= p * math.log(1 - p)
    return total


def entropy(probabilities):
    """Shannon's."""
    return -sum(p * math.log(p) for p in probabilities if p > 0)


def quantile(value, population):
    """Mid-rank among the population, where the value equals one of it."""
    below = sum(p < value for p in population)
    equal = sum(p == value for p in population)
    return (below + equal / 2) / len(population)
