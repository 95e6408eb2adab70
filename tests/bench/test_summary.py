"""Samples become medians, ratios and verdicts."""

from bench.summary import Sample, Summary, Target

RATE = Target("flood", "flood", "rate", "at least", 0.6, relative=True)


def summary() -> Summary:
    rounds = [(100.0, 50.0), (200.0, 180.0), (100.0, 70.0)]
    samples = []
    for number, (base, mine) in enumerate(rounds):
        samples.append(Sample("nginx", "flood", number, {"rate": base}))
        samples.append(Sample("trivet", "flood", number, {"rate": mine}))
    return Summary(samples, "nginx")


def test_medians_and_ratios_come_from_the_rounds() -> None:
    assert summary().median("trivet", "flood", "rate") == 70.0
    assert summary().ratio("trivet", "flood", "rate") == 0.7  # the medians' ratio, too, but not so
    assert summary().worst("trivet", "flood", "rate") == 180.0


def test_what_was_not_measured_has_no_figure_and_no_verdict() -> None:
    assert summary().median("trivet", "paced", "rate") is None
    assert summary().worst("nobody", "flood", "rate") is None
    assert RATE.holds(RATE.reached_by(summary(), "nobody")) is None


def test_a_target_holds_at_its_limit_and_fails_beyond() -> None:
    at_least = Target("work", "s", "m", "at least", 0.6)
    at_most = Target("work", "s", "m", "at most", 20.0, "ms")
    assert [at_least.holds(value) for value in (0.59, 0.6, 0.61)] == [False, True, True]
    assert [at_most.holds(value) for value in (19.0, 20.0, 20.1)] == [True, True, False]


def test_a_target_says_what_must_be_reached() -> None:
    assert RATE.requirement("nginx") == "≥ 0.6 × nginx"
    assert Target("work", "s", "m", "at most", 20.0, "ms").requirement("nginx") == "≤ 20 ms"
    assert Target("work", "s", "m", "at most", 0.0).requirement("nginx") == "≤ 0"


def test_a_relative_target_is_held_against_the_ratio() -> None:
    assert RATE.reached_by(summary(), "trivet") == 0.7
    assert RATE.reached_by(summary(), "nginx") == 1.0


def test_contenders_stay_in_the_order_of_their_first_sample() -> None:
    assert summary().contenders() == ["nginx", "trivet"]
