from mailer.operator import listing
from mailer.operator.controls import Outcome
from mailer.smtp.errors import Stage
from mailer.smtp.trial import Step


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_to_the_right() -> None:
    text = listing.table(("ID", "STATE"), [("1", "dead"), ("100", "x")], numbers=("ID",))

    assert text.splitlines() == [" ID  STATE", "  1  dead", "100  x"]


def test_long_cells_are_cut_so_that_a_line_stays_a_line() -> None:
    text = listing.table(("REASON",), [("550 " + "no " * 100,)])

    assert [len(line) for line in text.splitlines()] == [6, 60]
    assert text.endswith("...")


def test_what_was_not_done_is_named_up_to_a_point() -> None:
    outcome = Outcome([1], {1: "it may have arrived"}, dict.fromkeys(range(2, 100), "it was sent"))

    lines = listing.outcome("cancelled", outcome, ["<x@y>"]).splitlines()

    assert lines[:3] == [
        "cancelled: 1 mail",
        "cancelled: mail 1: it may have arrived",
        "not cancelled: mail 2: it was sent",
    ]
    assert lines[-2:] == ["not cancelled: 78 more", "not cancelled: there is no mail <x@y>"]
    assert len(lines) == 24


def test_step_that_failed_says_what_to_do_in_a_line_of_its_own() -> None:
    step = Step(Stage.LOGIN, ok=False, said="535 no", milliseconds=12, advice="mend it")

    assert listing.step(step).splitlines() == [
        "FAILED  login                12 ms  535 no",
        "To do: mend it",
    ]
