"""Languages beside one another: what counts is how far a passage stands above its own language."""

from services.kb.evening import evened

ENGLISH = [(i, 0.80 - i / 1000) for i in range(10)]
CHINESE = [(100, 0.79), *((100 + i, 0.74 - i / 1000) for i in range(1, 10))]


def test_what_stands_out_in_its_language_comes_first() -> None:
    assert next(iter(evened([ENGLISH, CHINESE]))) == 100
    assert next(iter(dict([*ENGLISH, *CHINESE]))) == 0  # by its cosine it would be the eleventh


def test_the_order_within_a_language_stays() -> None:
    order = list(evened([ENGLISH, CHINESE]))
    assert [i for i in order if i < 100] == [i for i, _ in ENGLISH]
    assert [i for i in order if i >= 100] == [i for i, _ in CHINESE]


def test_one_language_alone_is_left_as_it_is() -> None:
    assert list(evened([ENGLISH]).items()) == ENGLISH
    assert evened([]) == {}


def test_of_a_language_with_few_passages_nothing_is_assumed() -> None:
    few = CHINESE[:5]
    even = evened([ENGLISH, few])
    assert {i: even[i] for i, _ in few} == dict(few)
