"""A form made from a description: what a dataclass or a function takes, as controls.

* `ParameterForm`: one control per parameter, the docstring as tool tips.
"""

from __future__ import annotations

from inspect import isfunction
from textwrap import fill
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, Container, LineEdit, SpinBox
from qtpy.QtWidgets import QComboBox

from napari_phasemap.core.data.parameters import fields_of, parameters_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_phasemap.core.data.parameters import Parameter

__all__ = ["ParameterForm"]

#: Largest whole number of a spin box, and letters in a line of a tool tip.
MANY, TIP_WIDTH = 10_000_000, 72
#: A box may be narrower than its longest option: docks are narrow.
SHORTENED = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


class ParameterForm(Container):
    """Shows parameters of a dataclass or function, returns values; `native` is Qt's.

    magicgui makes and lays out the controls. Numbers that span decades or may be left
    out, and lists of numbers, are lines of text: its own boxes show 1e-5 as 0.00 and
    know no empty value.

    Parameters
    ----------
    values : object
        An instance: the values to start from, also the type of the form. Or a function,
        whose keyword-only parameters and their defaults are shown.
    names : collection of str, optional
        Fields to show; default all.
    """

    def __init__(self, values: Any, names: Collection[str] | None = None) -> None:
        if isfunction(values):
            every = parameters_of(values)
            self._parameters = tuple(
                p for p in every if names is None or p.name in names
            )
            values = SimpleNamespace(**{p.name: p.default for p in every})
        else:
            self._parameters = fields_of(type(values), names)
        controls = [_control(one) for one in self._parameters]
        super().__init__(widgets=controls, labels=False)
        self.labels = True  # of one width: only a container that is made aligns them
        self.margins = (0, 0, 0, 0)
        self.set_value(values)

    def value(self) -> dict[str, Any]:
        """Return all values by field name.

        Raises
        ------
        InputError
            If a text is not a number, or a list of numbers, where one is needed.
        """
        values = ((one, self[one.name].value) for one in self._parameters)
        return {
            one.name: one.parsed(value) if isinstance(value, str) else value
            for one, value in values
        }

    def set_value(self, values: Any) -> None:
        """Show the values of another instance."""
        for one in self._parameters:
            control, value = self[one.name], getattr(values, one.name)
            text = isinstance(control, LineEdit)
            control.value = one.shown(value) if text else value


def _control(one: Parameter) -> Any:
    """Return the control of a parameter."""
    about = {"name": one.name, "label": one.label, "tooltip": fill(one.text, TIP_WIDTH)}
    if one.choices:
        box = ComboBox(choices=one.choices, **about)
        box.native.setSizeAdjustPolicy(SHORTENED)
        return box
    if one.type is bool:
        return CheckBox(**about | {"text": ""})
    if one.type is int and not one.optional and not one.words:
        return SpinBox(min=0, max=MANY, **about)
    return LineEdit(**about)
