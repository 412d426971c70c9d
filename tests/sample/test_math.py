"""The math part of the sample data: every stated answer is recomputed independently."""

import json
import math
import re
from collections.abc import Callable
from fractions import Fraction
from importlib.resources import files
from itertools import product
from typing import TypedDict, cast

import pytest


class MathTuple(TypedDict):
    id: int
    domain: str
    subset: str
    prompt: str
    chosen: list[str]
    rejected: list[str]
    error: str
    answer: str
    wrong_answer: str


STYLES = ("concise", "detailed", "markdown")

# The number after "answer", with nothing but full stop and emphasis marks behind it.
FINAL_ANSWER = re.compile(r"answer\D*?(-?\d+(?:/\d+)?)[.*\s]*\Z", re.IGNORECASE)


def load_tuples() -> list[MathTuple]:
    path = files("rmjudge") / "sample" / "math.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    return [cast(MathTuple, json.loads(line)) for line in lines]


TUPLES = load_tuples()


def final_answer(response: str) -> str:
    """The number stated after the last occurrence of the word "answer"."""
    start = response.lower().rfind("answer")
    match = FINAL_ANSWER.fullmatch(response, start) if start >= 0 else None
    assert match is not None, f"no final answer in {response[-80:]!r}"
    return match.group(1)


def even_numbers_with_distinct_digits() -> Fraction:
    allowed = set("012345")
    return Fraction(
        sum(
            1
            for n in range(1000, 10000)
            if n % 2 == 0 and len(set(str(n))) == 4 and set(str(n)) <= allowed
        )
    )


def multiples_of_exactly_one_of_6_and_10() -> Fraction:
    return Fraction(sum(1 for n in range(1, 1001) if (n % 6 == 0) != (n % 10 == 0)))


def sum_of_radical_equation_solutions() -> Fraction:
    # Squaring leaves a quadratic: two integers that satisfy it are all its roots. Of these,
    # the ones for which x - 4 is really the (non-negative) square root solve the equation.
    candidates = [x for x in range(-100, 101) if 2 * x + 7 == (x - 4) ** 2]
    assert len(candidates) == 2
    return Fraction(sum(x for x in candidates if math.isqrt(2 * x + 7) == x - 4))


def interior_lattice_points() -> Fraction:
    inside = [
        (x, y) for x in range(1, 12) for y in range(1, 9) if Fraction(x, 12) + Fraction(y, 9) < 1
    ]
    return Fraction(len(inside))


def original_coat_price() -> Fraction:
    def paid(price: Fraction) -> Fraction:
        sale_price = price - price * Fraction(25, 100)
        return sale_price - sale_price * Fraction(20, 100)

    (price,) = [Fraction(cents, 100) for cents in range(50_000) if paid(Fraction(cents, 100)) == 66]
    return price


def sum_of_trigonometric_solutions() -> Fraction:
    # All roots are simple, so each one is a change of sign. The half-degree offset keeps the
    # grid off the roots, which bisection then locates.
    def difference(degrees: float) -> float:
        x = math.radians(degrees)
        return math.sin(2 * x) - math.cos(x)

    def bisect(low: float, high: float) -> float:
        for _ in range(60):
            middle = (low + high) / 2
            if (difference(low) < 0) == (difference(middle) < 0):
                low = middle
            else:
                high = middle
        return low

    roots = [
        bisect(k - 0.5, k + 0.5)
        for k in range(360)
        if (difference(k - 0.5) < 0) != (difference(k + 0.5) < 0)
    ]
    total = sum(roots)
    assert math.isclose(total, round(total), abs_tol=1e-6)
    return Fraction(round(total))


def probability_of_a_six_given_an_even_sum() -> Fraction:
    even = [roll for roll in product(range(1, 7), repeat=2) if sum(roll) % 2 == 0]
    return Fraction(sum(1 for roll in even if 6 in roll), len(even))


def sum_of_cubed_roots() -> Fraction:
    # The roots are (5 +- sqrt 37) / 2. Multiply numbers a + b sqrt 37 exactly.
    def times(
        left: tuple[Fraction, Fraction], right: tuple[Fraction, Fraction]
    ) -> tuple[Fraction, Fraction]:
        (a, b), (c, d) = left, right
        return a * c + 37 * b * d, a * d + b * c

    total = (Fraction(0), Fraction(0))
    for sign in (1, -1):
        root = (Fraction(5, 2), Fraction(sign, 2))
        square = times(root, root)
        # root^2 - 5 root - 3 = 0
        assert square == (5 * root[0] + 3, 5 * root[1])
        cube = times(square, root)
        total = (total[0] + cube[0], total[1] + cube[1])
    assert total[1] == 0
    return total[0]


def trailing_zeros_of_the_factorial_quotient() -> Fraction:
    digits = str(math.factorial(300) // math.factorial(100))
    return Fraction(len(digits) - len(digits.rstrip("0")))


def cubes_with_exactly_two_painted_faces() -> Fraction:
    def painted(x: int, y: int, z: int) -> int:
        return [x == 0, x == 4, y == 0, y == 5, z == 7].count(True)

    cubes = product(range(5), range(6), range(8))
    return Fraction(sum(1 for x, y, z in cubes if painted(x, y, z) == 2))


RECOMPUTED: dict[int, Callable[[], Fraction]] = {
    201: even_numbers_with_distinct_digits,
    202: multiples_of_exactly_one_of_6_and_10,
    203: sum_of_radical_equation_solutions,
    204: interior_lattice_points,
    205: original_coat_price,
    206: sum_of_trigonometric_solutions,
    207: probability_of_a_six_given_an_even_sum,
    208: sum_of_cubed_roots,
    209: trailing_zeros_of_the_factorial_quotient,
    210: cubes_with_exactly_two_painted_faces,
}


def tuple_name(item: MathTuple) -> str:
    return f"{item['id']}-{item['subset']}"


def test_every_tuple_has_a_recomputation_and_every_recomputation_a_tuple() -> None:
    assert [item["id"] for item in TUPLES] == sorted(RECOMPUTED)


@pytest.mark.parametrize("item", TUPLES, ids=tuple_name)
def test_the_stated_answer_equals_the_recomputed_one(item: MathTuple) -> None:
    assert str(RECOMPUTED[item["id"]]()) == item["answer"]


@pytest.mark.parametrize("item", TUPLES, ids=tuple_name)
def test_the_wrong_answer_differs_from_the_recomputed_one(item: MathTuple) -> None:
    assert RECOMPUTED[item["id"]]() != Fraction(item["wrong_answer"])


@pytest.mark.parametrize("style", range(3), ids=STYLES)
@pytest.mark.parametrize("item", TUPLES, ids=tuple_name)
def test_every_chosen_response_ends_in_the_right_answer(item: MathTuple, style: int) -> None:
    assert final_answer(item["chosen"][style]) == item["answer"]


@pytest.mark.parametrize("style", range(3), ids=STYLES)
@pytest.mark.parametrize("item", TUPLES, ids=tuple_name)
def test_every_rejected_response_ends_in_the_wrong_answer(item: MathTuple, style: int) -> None:
    assert final_answer(item["rejected"][style]) == item["wrong_answer"]
