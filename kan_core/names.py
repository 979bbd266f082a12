"""Names from people's files, as the languages that formulas are written in need them.

Columns may be named anything: by words that a language keeps for itself, with spaces and signs, or by two names that
would look the same. Every function here returns names that are all different, in the order of those given.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import sympy as sp

# names of our own in the code we write
_OURS = re.compile(r"n\d+_\d+|phi_\d+_\d+_\d+|basis_\d+|slopes_\d+|function_\d+|formula_\d+")
_SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "\\": r"\backslash ",
        "^": r"\wedge ",
        "~": r"\sim ",
        " ": r"\ ",
        "\t": r"\ ",
        **{sign: "\\" + sign for sign in "#$%&_{}"},
    }
)


def identifiers(names: Sequence[str], *, reserved: Collection[str] = (), kept: Collection[str] = ()) -> list[str]:
    """Return the names as Python identifiers, none of them a keyword or `reserved`.

    Names that can stay do so, and those `kept` in any case; one that is made from another name and would be the same
    gets another _ at its end.
    """
    made = [name if name in kept else _identifier(name, reserved) for name in names]
    stay = {name for name, candidate in zip(names, made, strict=True) if name == candidate}
    chosen: list[str] = []
    for name, made_name in zip(names, made, strict=True):
        candidate = made_name
        is_own = name == candidate and candidate not in chosen
        while not is_own and (candidate in chosen or candidate in stay or candidate in reserved):
            candidate += "_"
        chosen.append(candidate)
    return chosen


def _identifier(name: str, reserved: Collection[str]) -> str:
    candidate = re.sub(r"[^0-9A-Za-z_]", "_", name)
    is_ours = _OURS.fullmatch(candidate) is not None
    if not candidate.isidentifier() or keyword.iskeyword(candidate) or is_ours or candidate in reserved:
        return f"v_{candidate}"
    return candidate


def unique(names: Sequence[str], *, taken: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names, underscores put behind those that are `taken` or come a second time."""
    chosen: list[str] = []
    for name in names:
        candidate = name
        while candidate in chosen or candidate in taken:
            candidate += "_"
        chosen.append(candidate)
    return tuple(chosen)


def latex_names(names: Sequence[str]) -> list[str]:
    """Return the names in LaTeX's mathematical mode.

    A single letter, with a number at most, stays in italics, all else stands upright; so does e, which is Euler's
    number in italics, and a name that would look like one before it.
    """
    chosen: list[str] = []
    for name in names:
        shown = latex_name(name)
        if shown in chosen:
            shown = _upright(name)
        while shown in chosen:
            shown += "'"
        chosen.append(shown)
    return chosen


def latex_name(name: str) -> str:
    """Return one name in LaTeX."""
    if re.fullmatch(r"[A-Za-z](_?\d+)?", name) and name != "e":
        return str(sp.latex(sp.Symbol(name)))
    return _upright(name)


def _upright(name: str) -> str:
    return rf"\mathrm{{{''.join(_SIGNS.get(letter, letter) for letter in name)}}}"
