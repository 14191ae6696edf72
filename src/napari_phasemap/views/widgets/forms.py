"""A form made from a description: the fields of a dataclass are the controls.

* `ParameterForm`: one control per field, the docstring as tool tips.
"""

from __future__ import annotations

import re
from ast import literal_eval
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from qtpy.QtWidgets import QComboBox, QFormLayout, QLineEdit, QSpinBox, QWidget

from napari_phasemap.core.data.errors import InputError

__all__ = ["ParameterForm", "parameter_docs"]

#: Largest whole number of a spin box.
MANY = 10_000_000


class ParameterForm(QWidget):
    """Shows the fields of a frozen dataclass and returns what was changed.

    Parameters
    ----------
    values : object
        An instance: the values to start from, also the type of the form.
    names : sequence of str, optional
        Fields to show; default all.
    """

    def __init__(self, values: Any, names: Any = None) -> None:
        super().__init__()
        self._hints = get_type_hints(type(values))
        docs = parameter_docs(type(values))
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._controls: dict[str, QWidget] = {}
        for item in fields(values):
            if names is None or item.name in names:
                control = self._make(item.name)
                control.setToolTip(docs.get(item.name, ""))
                layout.addRow(item.name.replace("_", " "), control)
                self._controls[item.name] = control
        self.set_value(values)

    def value(self) -> dict[str, Any]:
        """Return all values by field name.

        Raises
        ------
        ValueError
            If a text is not a number, or a list of numbers, where one is needed.
        """
        return {name: self._read(name) for name in self._controls}

    def set_value(self, values: Any) -> None:
        """Show the values of another instance."""
        for name, control in self._controls.items():
            value = getattr(values, name)
            if isinstance(control, QComboBox):
                control.setCurrentText(str(value))
            elif isinstance(control, QSpinBox):
                control.setValue(value)
            else:
                control.setText(_text(value))

    def _make(self, name: str) -> Any:
        hint = self._hints[name]
        if get_origin(hint) is Literal:
            return _choice([str(option) for option in get_args(hint)])
        if hint is bool:
            return _choice(["True", "False"])
        if hint is int:
            spin = QSpinBox()
            spin.setRange(0, MANY)
            return spin
        return QLineEdit()

    def _read(self, name: str) -> Any:
        control, hint = self._controls[name], self._hints[name]
        if isinstance(control, QSpinBox):
            return int(control.value())
        if isinstance(control, QComboBox):
            text = control.currentText()
            return text == "True" if hint is bool else text
        return _parsed(name, control.text().strip(), hint)


def _choice(options: list[str]) -> QComboBox:
    """Return a box that may be narrower than its longest option: docks are narrow."""
    box = QComboBox()
    box.addItems(options)
    shortened = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    box.setSizeAdjustPolicy(shortened)
    return box


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value)
    if isinstance(value, str):
        return value
    return "" if value is None else f"{value:g}"


def _parsed(name: str, text: str, hint: Any) -> Any:
    """Return the number or numbers in a text, None where it may be empty."""
    wants_many = get_origin(hint) is tuple
    words = [word for part in get_args(hint) for word in get_args(part)]
    if text in words:
        return text
    if not text and type(None) in get_args(hint):
        return None
    try:
        if hint is float:
            return float(text)
        value = literal_eval(f"({text},)" if wants_many else text)
    except (SyntaxError, ValueError) as error:
        wanted = "numbers with commas between them" if wants_many else "a number"
        wanted = " or ".join([wanted, *map(repr, words)])
        raise InputError(
            f"{name.replace('_', ' ')}: {text!r} is not {wanted}"
        ) from error
    return value


def parameter_docs(described: Any) -> dict[str, str]:
    """Return the description of each parameter of a numpydoc docstring."""
    text = described.__doc__ or ""
    section = re.search(r"Parameters\s*\n\s*-{3,}\n(.*?)(\n\s*\n\s*\w+\n\s*-{3,}|\Z)",
                        text, re.DOTALL)  # fmt: skip
    if section is None:
        return {}
    lines = section.group(1).splitlines()
    indent = min((len(x) - len(x.lstrip()) for x in lines if x.strip()), default=0)
    docs: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) == indent:
            names = [name.strip() for name in line.split(":")[0].split(",")]
        for name in names:
            docs.setdefault(name, []).append(line.strip())
    return {name: "\n".join(entry[1:]).strip() for name, entry in docs.items()}
