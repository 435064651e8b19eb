"""The leaderboard ranks by what the schemes do on the same matrix, and tells why one is left out."""

import torch

from app.metrics.theory import DECIBELS_A_BIT
from app.schemes.entries import SchemeOptions
from app.schemes.registry import ENTRIES
from app.tasks.leaderboard import Leaderboard, all_contenders, rank_schemes
from app.tasks.quantize_matrix import read_matrix
from app.tasks.quantize_request import Distribution, DrawnMatrix, SchemeChoice
from app.tasks.quantize_values import quantize_one
from app.tasks.scheme_words import read_scheme, scheme_text

FEW = (
    SchemeChoice("int8"),
    SchemeChoice("int4"),
    SchemeChoice("int4", SchemeOptions(granularity="group=32")),
    SchemeChoice("nf4"),
    SchemeChoice("mxfp4"),
    SchemeChoice("q4_k"),
)


def board(columns: int = 256, contenders: tuple[SchemeChoice, ...] = FEW) -> Leaderboard:
    return rank_schemes(read_matrix(DrawnMatrix(Distribution.NORMAL, 4, columns)), contenders)


def test_figures_are_those_of_each_scheme_alone() -> None:
    values = read_matrix(DrawnMatrix(Distribution.NORMAL, 4, 256))
    for standing in rank_schemes(values, FEW).ranked:
        found = quantize_one(values, standing.choice)
        assert standing.figures == found.error.figures
        assert standing.bits_per_weight == found.storage.bits_per_weight
        assert standing.gap_db == DECIBELS_A_BIT * float(found.storage.bits_per_weight) - found.error.figures.sqnr_db


def test_order() -> None:
    found = board()
    assert len(found.ranked) == len(FEW)
    gaps = [standing.gap_db for standing in found.ranked]
    assert gaps == sorted(gaps)
    sqnr = [standing.figures.sqnr_db for standing in found.by_sqnr()]
    assert sqnr == sorted(sqnr, reverse=True)
    # No scheme here codes numbers together, so none passes Shannon's bound by more than a small sample's luck.
    assert min(gaps) > 1.5


def test_rows_that_a_layout_cannot_hold_are_refused_with_the_reason() -> None:
    found = board(columns=100)
    refused = {standing.choice.name: standing.refusal.code for standing in found.refused}
    assert refused == {"q4_k": "scheme.row-length"}
    assert len(found.ranked) == len(FEW) - 1


def test_zeros_have_no_gap_but_a_place() -> None:
    found = rank_schemes(torch.zeros(2, 64), (SchemeChoice("int8"), SchemeChoice("nf4")))
    assert [standing.figures.max_abs_error for standing in found.ranked] == [0.0, 0.0]
    assert len(found.by_sqnr()) == 2


def test_each_scheme_contends_and_can_be_named() -> None:
    contenders = all_contenders()
    assert {choice.name for choice in contenders} == set(ENTRIES)
    assert len(set(contenders)) == len(contenders)
    for choice in contenders:
        assert read_scheme(scheme_text(choice)) == choice


def test_progress_and_a_quantizer_of_ones_own() -> None:
    heard: list[tuple[int, int]] = []
    names: list[str] = []

    def quantize(scheme, values, choices):  # type: ignore[no-untyped-def]  # as a kernel would
        names.append(scheme.name)
        return scheme.quantize(values, choices)

    rank_schemes(torch.ones(1, 32), FEW[:2], quantize, lambda done, total, _: heard.append((done, total)))
    assert heard == [(0, 2), (1, 2)]
    assert names == ["int8", "int4"]
