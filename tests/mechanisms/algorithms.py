"""Mechanisms whose privacy is known, vectorised: ``f(data, size, rng)``."""

import numpy as np

DELTA = 1e-5
SIGMA = 3.7304  # of the Gaussian mechanism at epsilon = 1 and that delta (Balle and Wang 2018)


def laplace(epsilon):
    def laplace_count(data, size, rng):
        return len(data) + rng.laplace(scale=1 / epsilon, size=size)

    return laplace_count


def gaussian(sigma):
    def gaussian_sum(data, size, rng):
        return data.sum() + rng.normal(scale=sigma, size=size)

    return gaussian_sum


def exponential(epsilon):
    """Choose one of three categories; a replaced record changes each utility by 1 at most."""

    def commonest(data, size, rng):
        weights = np.exp(epsilon / 2 * np.bincount(data, minlength=3))
        return np.array(["a", "b", "c"])[rng.choice(3, p=weights / weights.sum(), size=size)]

    return commonest


def randomised_response(epsilon):
    def answers(data, size, rng):
        honest = rng.random((size, len(data))) < 1 / (1 + np.exp(-epsilon))
        return np.where(honest, data, 1 - data)

    return answers


def sparse_vector(number, epsilon, threshold=1.0):
    """Give an algorithm of figure 1 of Lyu, Su and Li (2017), on column sums of sensitivity 1.

    Of each query 1 for above, 0 for below, -1 for not answered; the third algorithm gives the
    noisy answer for above, nan for below, and minus infinity for not answered. They stop at the
    second answer above, the third, which needs no more to be broken, at the first.
    """
    positives = 1 if number == 3 else 2
    scale_of_threshold, scale_of_answers = {
        1: (2 / epsilon, 4 * positives / epsilon),
        2: (2 * positives / epsilon, 4 * positives / epsilon),
        3: (2 / epsilon, 2 * positives / epsilon),
        4: (4 / epsilon, 4 / (3 * epsilon)),
        5: (2 / epsilon, 0.0),
        6: (2 / epsilon, 2 / epsilon),
    }[number]
    stops, renews = number <= 4, number == 2

    def above_threshold(data, size, rng):
        answers = data.sum(axis=0)
        noisy = answers + rng.laplace(size=(size, len(answers))) * scale_of_answers
        level = threshold + rng.laplace(scale=scale_of_threshold, size=size)
        left = np.full(size, positives)
        columns = []
        for answer in noisy.T:
            above, asked = answer >= level, left > 0
            if number == 3:
                column = np.where(asked, np.where(above, answer, np.nan), -np.inf)
            else:
                column = np.where(asked, above, -1)
            columns.append(column)
            if stops:
                left = left - (above & asked)
            if renews:
                fresh = threshold + rng.laplace(scale=scale_of_threshold, size=size)
                level = np.where(above, fresh, level)
        return np.column_stack(columns)

    return above_threshold
