"""The curve of the losses, painted from what another thread writes."""

from __future__ import annotations

from threading import Thread
from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QColor

from napari_phasemap.views.training.loss_curve import (
    MARGINS,
    Epochs,
    LossCurve,
    epoch_ticks,
    loss_ticks,
)

pytestmark = pytest.mark.gui

BLUE = QColor("#0072b2")


@pytest.fixture
def curve(qtbot: Any) -> LossCurve:
    made = LossCurve()
    qtbot.addWidget(made)
    made.resize(320, made.height())
    made.show()
    return made


def painted(curve: LossCurve, color: QColor) -> list[tuple[int, int]]:
    """Where the widget has a color, but for the legend."""
    image = curve.grab().toImage()
    legend = image.height() // 2
    return [
        (x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y) == color and not (x > 130 and y < legend)
    ]


def test_a_falling_loss_is_a_line_from_top_left_to_bottom_right(
    curve: LossCurve,
) -> None:
    curve.show_history({"reconstruction": [10.0, 1.0, 0.1]})
    places = painted(curve, BLUE)
    left, _top, right, bottom = MARGINS
    (x_first, y_first), (x_last, y_last) = min(places), max(places)
    assert x_first <= left + 20
    assert x_last >= curve.width() - right - 4
    assert y_first < y_last
    assert y_last >= curve.height() - bottom - 4
    # Half way to the second epoch the line has come a quarter of the whole way down.
    x_there = x_first + (x_last - x_first) / 4
    there = [y for x, y in places if abs(x - x_there) < 2]
    assert np.mean(there) == pytest.approx(y_first + (y_last - y_first) / 4, abs=4)


def test_epochs_of_another_thread_are_shown(curve: LossCurve, qtbot: Any) -> None:
    add = curve.begin()
    assert painted(curve, BLUE) == []

    def train() -> None:
        for epoch in range(50):
            add({"reconstruction": 1.0 / (epoch + 1)})

    thread = Thread(target=train)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: curve._n_shown == 50)
    assert painted(curve, BLUE)
    curve.begin()
    assert painted(curve, BLUE) == []


def test_what_a_logarithm_has_no_place_for_is_left_out() -> None:
    epochs = Epochs({"kl": [1.0, 0.0, -2.0, np.nan, np.inf, 3.0]})
    np.testing.assert_array_equal(
        epochs.curve("kl"), [1.0, np.nan, np.nan, np.nan, np.nan, 3.0]
    )
    assert epochs.curve("unknown").size == 0


@pytest.mark.parametrize(
    ("limits", "ticks"),
    [
        ((0.004, 0.3), [0.005, 0.01, 0.02, 0.05, 0.1, 0.2]),
        ((0.9, 3.0), [1.0, 2.0, 3.0]),
        ((1e-5, 100.0), [1e-5, 1e-3, 0.1, 10.0]),
        ((2.0, 1.0), []),
        ((0.0, 1.0), []),
    ],
)
def test_ticks_of_losses_are_few_and_round(
    limits: tuple[float, float], ticks: list[float]
) -> None:
    assert loss_ticks(*limits) == ticks


@pytest.mark.parametrize(
    ("n_epochs", "ticks"),
    [(0, [1]), (1, [1]), (4, [1, 2, 3, 4]), (40, [10, 20, 30, 40]), (12, [5, 10])],
)
def test_ticks_of_epochs_are_few_and_round(n_epochs: int, ticks: list[int]) -> None:
    assert epoch_ticks(n_epochs) == ticks
