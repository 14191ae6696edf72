"""From the columns of a text file to reference spectra, or to a question.

* `ColumnTable`: columns with roles; `energy` and `absorption` compute from them.
* `Column`: one column: its name, role and why.
* `Roles`: roles as a user gives them.
* `parse_roles`: roles from a text, as a command line and a recipe have them.
* `lacks`: what is missing for a spectrum.

What each column is by its name and numbers is `column_recognition`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

import numpy as np

from napari_phasemap.core.data.errors import InputError
from napari_phasemap.core.prepare.column_words import Role, bare, role_of, unit_of
from napari_phasemap.core.prepare.energy_units import energies_in_ev

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Column", "ColumnTable", "Roles", "lacks", "parse_roles"]

#: One column or several, by name or by number from 1, for each role.
Roles: TypeAlias = Mapping[str, "str | int | Sequence[str | int]"]


@dataclass(frozen=True)
class Column:
    """One column of a text file.

    Parameters
    ----------
    name : str
        As the file has it; empty where it has none.
    number : int
        Counted from 1.
    role : str
        "energy", "mu" (absorption, optical density, normalized), "i0", "transmitted",
        "fluorescence" or "other", which is not used.
    reason : str
        Why, in words.
    """

    name: str
    number: int
    role: Role
    reason: str

    @property
    def label(self) -> str:
        """Its name, or its number where it has none."""
        return self.name or f"column {self.number}"


@dataclass(frozen=True, eq=False)
class ColumnTable:
    """The columns of a text file with what each of them is.

    Parameters
    ----------
    source : str
        Name of the file, for messages.
    values : ndarray of shape (n_energies, n_columns)
        In the units of the file, rows in its order.
    columns : tuple of Column
        One per column.
    title : str, default=""
        Name of the sample where the file gives one.
    doubt : str, default=""
        What has to be asked before the columns are used; empty where all is clear.
    told_unit : {"eV", "keV"}, optional
        Unit of the energies that the user or the file format states.
    """

    source: str
    values: NDArray[np.float64]
    columns: tuple[Column, ...]
    title: str = ""
    doubt: str = ""
    told_unit: Literal["eV", "keV"] | None = None

    def of(self, role: Role) -> tuple[Column, ...]:
        """Return the columns of a role.

        Parameters
        ----------
        role : Role
            What the columns are.

        Returns
        -------
        tuple of Column
            In the order of the file.
        """
        return tuple(column for column in self.columns if column.role == role)

    @property
    def is_plain(self) -> bool:
        """Whether there are energy and absorption only, so that nothing is asked."""
        return not self.doubt and {c.role for c in self.columns} == {"energy", "mu"}

    def with_roles(self, roles: Roles, /) -> ColumnTable:
        """Return the table with roles that a user gives; the rest is "other".

        Parameters
        ----------
        roles : mapping of str to str, int or sequence of them
            Columns by name or by number from 1, for each role.

        Returns
        -------
        ColumnTable
            Of the same numbers, without doubt.

        Raises
        ------
        InputError
            If a role or a column is unknown, or the roles give no spectrum.
        """
        told: dict[int, Role] = {}
        for role, wanted in roles.items():
            if role not in get_args(Role):
                raise InputError(
                    f"{role!r} is no role of a column; there are "
                    f"{', '.join(get_args(Role))}"
                )
            for one in [wanted] if isinstance(wanted, str | int) else wanted:
                told[self._find(one)] = cast("Role", role)
        columns = tuple(
            replace(c, role=told.get(c.number, "other"), reason="as you said")
            for c in self.columns
        )
        return replace(self, columns=columns, doubt=lacks(columns))

    def energy(self) -> tuple[NDArray[np.float64], str]:
        """Return energies in eV, in the order of the file, and what is to be said.

        Raises
        ------
        InputError
            As `energies_in_ev`, or if a column has to be asked for.
        """
        self._demand()
        column = self.of("energy")[0]
        values = self.values[:, column.number - 1]
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values))) + 1
            raise InputError(f"{self.source}: the energy of row {row} is not finite")
        try:
            return energies_in_ev(
                values, unit=unit_of(column.name), told=self.told_unit
            )
        except InputError as error:
            raise InputError(f"{self.source}: {error}") from error

    def absorption(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Return the spectra that become references.

        Columns of absorption as they are; else ``mu = ln(i0 / it)`` of the transmitted
        intensity or ``mu = sum(if) / i0`` of the fluorescence channels [1]_.

        Returns
        -------
        names : tuple of str
            Empty where neither the file nor a column names the sample.
        spectra : ndarray of shape (n_spectra, n_energies)
            In the order of the file; a ratio is dimensionless, absorption in the unit
            of its column.

        Raises
        ------
        InputError
            If a column has to be asked for, or I0 or the ratio is not positive.

        References
        ----------
        .. [1] G. Bunker, Introduction to XAFS, eqs. 2.8 and 2.10,
           DOI: 10.1017/CBO9780511809194
        """
        self._demand()
        mu = self.of("mu")
        if mu:
            names = tuple(self._sample_name(c, alone=len(mu) == 1) for c in mu)
            return names, self._of(mu).T.copy()
        i0 = self._of(self.of("i0"))[:, 0]
        transmitted, yields = self.of("transmitted"), self.of("fluorescence")
        over = self._of(transmitted or yields).sum(axis=1)
        top, below = (i0, over) if transmitted else (over, i0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = top / below
            mu_values = np.log(ratio) if transmitted else ratio
        bad = ~np.isfinite(mu_values)
        if bad.any():
            what = "ln(i0 / it)" if transmitted else "if / i0"
            at = int(np.argmax(bad))
            raise InputError(
                f"{self.source}: row {at + 1} has no {what}: i0 is {i0[at]:g}, the "
                f"other {over[at]:g}; cut such rows from the file"
            )
        return (self.title,), mu_values[None]

    def how(self) -> str:
        """Return in words how the spectra are made of the columns."""
        mu, i0 = self.of("mu"), self.of("i0")
        if mu:
            return f"absorption as it is in {', '.join(c.label for c in mu)}"
        if not i0:
            return "no absorption yet"
        if self.of("transmitted"):
            return f"mu = ln({i0[0].label} / {self.of('transmitted')[0].label})"
        channels = " + ".join(c.label for c in self.of("fluorescence"))
        return f"mu = ({channels}) / {i0[0].label}"

    def listing(self) -> str:
        """Return one line per column: number, name, role and why."""
        return "\n".join(
            f"  {c.number} {c.name or '(no name)'}: {c.role} ({c.reason})"
            for c in self.columns
        )

    def _demand(self) -> None:
        """Raise InputError where something has to be asked."""
        if self.doubt:
            raise InputError(
                f"{self.source}: {self.doubt}. Say what the columns are, by name or "
                'number, for example columns={"energy": 1, "i0": 2, "transmitted": 3} '
                'in Python or --reference-columns "energy=1 mu=2" on the command line. '
                "Its columns:\n"
                f"{self.listing()}"
            )

    def _of(self, columns: Sequence[Column]) -> NDArray[np.float64]:
        return np.asarray(self.values[:, [c.number - 1 for c in columns]])

    def _sample_name(self, column: Column, *, alone: bool) -> str:
        """Return the sample's name; words of quantities name none."""
        named = role_of(column.name)[0] is None and not _is_quantity(column.name)
        given = column.name if named else ""
        return given or (self.title if alone else "")

    def _find(self, wanted: str | int) -> int:
        """Return the number of a column that a user names."""
        if isinstance(wanted, int) or wanted.strip().isdigit():
            if 1 <= int(wanted) <= len(self.columns):
                return int(wanted)
        else:
            for same in (str.strip, bare):
                for column in self.columns:
                    if column.name and same(column.name) == same(wanted):
                        return column.number
        raise InputError(
            f"{self.source} has no column {wanted!r}; it has:\n{self.listing()}"
        )


def parse_roles(text: str, /) -> dict[str, Any]:
    """Return roles from a text like ``energy=1 i0=I0 fluorescence=5,6``.

    Behind the name of a file and a colon they are meant for that file only:
    ``scan.dat:energy=1 scan.dat:mu=4``.

    Parameters
    ----------
    text : str
        Words ``ROLE=COLUMN``, between blanks or semicolons.

    Returns
    -------
    mapping of str to object
        Columns by their role; a mapping of them by the name of a file.

    Raises
    ------
    InputError
        If a word is not ``ROLE=COLUMN`` or ``FILE:ROLE=COLUMN``.

    Examples
    --------
    >>> parse_roles("energy=1 fluorescence=5,6 a.dat:mu=xmu")
    {'energy': ['1'], 'fluorescence': ['5', '6'], 'a.dat': {'mu': ['xmu']}}
    """
    roles: dict[str, Any] = {}
    for word in text.replace(";", " ").split():
        left, equals, columns = word.partition("=")
        file, _, role = left.rpartition(":")
        if not (equals and columns and role in get_args(Role)):
            raise InputError(
                f"reference columns: {word!r} is not ROLE=COLUMN or FILE:ROLE=COLUMN "
                f"with a role of {', '.join(get_args(Role))}"
            )
        of_file = roles.setdefault(file, {}) if file else roles
        of_file[role] = columns.split(",")
    return roles


def lacks(columns: Sequence[Column]) -> str:
    """Return what is missing for a spectrum, empty if nothing is.

    Parameters
    ----------
    columns : sequence of Column
        With their roles.

    Returns
    -------
    str
        A sentence.
    """
    roles = [c.role for c in columns]
    if roles.count("energy") != 1:
        return f"{roles.count('energy')} columns are the energy; one is needed"
    if "mu" in roles:
        return ""
    ways = [role for role in ("transmitted", "fluorescence") if role in roles]
    if not ways:
        return "no column is absorption, transmitted intensity or fluorescence"
    if len(ways) > 1:
        return "columns are transmitted intensity and fluorescence; choose one of both"
    if roles.count("i0") != 1:
        return (
            f"{roles.count('i0')} columns are i0; {ways[0]} needs one, or is mu if it "
            "has been divided by it"
        )
    if roles.count("transmitted") > 1:
        return "more than one column is the transmitted intensity; choose one"
    return ""


def _is_quantity(name: str) -> bool:
    """Whether a word names a quantity and not a sample."""
    words = {"intensity", "signal", "counts", "value", "i", "y", "data", "spectrum"}
    return bare(name) in words or not name
