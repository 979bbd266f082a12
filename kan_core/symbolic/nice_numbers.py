"""Numbers that people write down: integers, fractions, multiples of π, √2, e and a few others, and short decimals.

Each has a length in bits, by Elias' gamma code for the integers in it (P. Elias, Universal codeword sets, 1975, IEEE
Trans. Inf. Theory 21, doi 10.1109/TIT.1975.1055349). A number that is known to within an error is taken for one of them
only if hardly any number at random would be as close to one that is as short: near 1.2173 ± 0.0001 there are far too
many long fractions for 28/23 to mean anything.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

# how many of the forms as short as it may be expected as close to a number as the form that it is taken for
CHANCE = 0.1
# standard errors within which a form must lie
STANDARD_ERRORS = 3.0
MAX_DENOMINATOR = 12
MAX_NUMERATOR = 100
MAX_INTEGER = 10**6
DECIMAL_DIGITS = 3
DECIMAL_BITS = 8.0
# a share of a number, within which forms are counted to see how dense they are
NEIGHBOURHOOD = 0.25
# two floats that differ by less than this share are one number, computed in two ways
SAME = 1e-13


@dataclass(frozen=True, slots=True)
class Unit:
    """An irrational number of which multiples are nice, its name in text, and what naming it takes in bits."""

    value: float
    name: str
    bits: float
    max_denominator: int
    max_numerator: int


UNITS = (
    Unit(1.0, "", 0.0, MAX_DENOMINATOR, MAX_NUMERATOR),
    Unit(math.pi, "π", 3.0, MAX_DENOMINATOR, 24),
    Unit(math.sqrt(2.0), "√2", 5.0, 4, 9),
    Unit(math.e, "e", 5.0, 4, 9),
    Unit(math.sqrt(3.0), "√3", 6.0, 4, 9),
    Unit(1.0 / math.sqrt(2.0 * math.pi), "1/√(2π)", 8.0, 1, 1),
)


@dataclass(frozen=True, slots=True)
class NiceForm:
    """A number people write down: its `value`, how it is written, and its length in bits.

    It is `fraction` times the unit of the index `unit`, or a short decimal if `fraction` is None.
    """

    value: float
    text: str
    bits: float
    unit: int = 0
    fraction: Fraction | None = None

    @property
    def expression(self) -> Any:
        """The number as SymPy has it, exact; a decimal is the float it is."""
        if self.fraction is None:
            return sp.Float(self.value)
        units = (sp.Integer(1), sp.pi, sp.sqrt(2), sp.E, sp.sqrt(3), 1 / sp.sqrt(2 * sp.pi))
        return sp.Rational(self.fraction.numerator, self.fraction.denominator) * units[self.unit]


ZERO = NiceForm(0.0, "0", 0.5, 0, Fraction(0))


def nice_forms(value: float, tolerance: float) -> list[NiceForm]:
    """Return the forms within `tolerance` of `value`, the shortest first; decimals count among them."""
    found = [ZERO] if abs(value) <= tolerance else []
    if math.isfinite(value) and value != 0.0:
        low, high = abs(value) - tolerance, abs(value) + tolerance
        # a form far smaller than the number is never meant
        found += [
            _signed(form, value) for form in _forms_between(max(low, 0.5 * abs(value)), min(high, 2 * abs(value)))
        ]
    found = [form for form in found if abs(form.value - value) <= tolerance]
    return sorted(found, key=lambda form: (form.bits, abs(form.value - value)))


def best_form(value: float, error: float) -> NiceForm | None:
    """Return what a number with a standard error is most plausibly, None when that is no nice number.

    Among the forms within three standard errors that are no coincidence it is the one with the fewest bits for itself
    and its distance.
    """
    if not (math.isfinite(value) and math.isfinite(error)):
        return None
    error = max(error, 1e-15 * abs(value), 1e-300)

    def length(form: NiceForm) -> float:
        return form.bits + ((form.value - value) / error) ** 2 / (2.0 * math.log(2.0))

    forms = sorted(nice_forms(value, STANDARD_ERRORS * error), key=length)
    if not forms:
        return None
    width = 2.0 * NEIGHBOURHOOD * abs(value)
    near = _forms_between(abs(value) - width / 2.0, abs(value) + width / 2.0)
    lengths = sorted(form.bits for form in near)

    def is_coincidence(form: NiceForm) -> bool:
        # how many forms as short as it a number at random here has as close as it, or as its error
        rivals = bisect_right(lengths, form.bits + 1e-9)
        return form.value != 0.0 and 2.0 * max(abs(form.value - value), error) * max(rivals, 1) > CHANCE * width

    return next((form for form in forms if not is_coincidence(form)), None)


def exact_form(value: float, *, same: float = SAME) -> NiceForm | None:
    """Return the form that a float is, to within the share `same`; None for most floats."""
    if value == 0.0:
        return ZERO
    if not math.isfinite(value):
        return None
    found: list[NiceForm] = []
    for index, unit in enumerate(UNITS):
        ratio = abs(value) / unit.value
        if not 1e-3 < ratio <= MAX_INTEGER:
            continue
        fraction = Fraction(ratio).limit_denominator(unit.max_denominator)
        if abs(float(fraction) - ratio) <= same * ratio and _is_short(fraction, index):
            found.append(_multiple(fraction, index))
    decimal = float(f"{value:.{DECIMAL_DIGITS}g}")
    if abs(decimal - value) <= same * abs(value):
        found.append(_decimal(abs(decimal)))
    return _signed(min(found, key=lambda form: form.bits), value) if found else None


def number(value: float) -> Any:
    """Return a float for a formula: the nice number that it is, or else the float in full."""
    form = exact_form(value)
    return sp.Float(value, 17) if form is None else form.expression


def _forms_between(low: float, high: float) -> Iterable[NiceForm]:
    """Return the positive forms in [low, high], one for each number, the shortest that it has."""
    best: dict[float, NiceForm] = {}
    for form in _all_between(low, high):
        key = float(f"{form.value:.12g}")
        if key not in best or form.bits < best[key].bits:
            best[key] = form
    return best.values()


def _all_between(low: float, high: float) -> Iterator[NiceForm]:
    for index, unit in enumerate(UNITS):
        for denominator in range(1, unit.max_denominator + 1):
            scale = denominator / unit.value
            most = MAX_INTEGER if denominator == 1 and index == 0 else unit.max_numerator
            first, last = max(1, math.ceil(low * scale - 1e-9)), min(most, math.floor(high * scale + 1e-9))
            # integers beyond counting are decimals, if they are anything
            for numerator in range(first, min(last, first + MAX_NUMERATOR) + 1):
                if math.gcd(numerator, denominator) == 1:
                    yield _multiple(Fraction(numerator, denominator), index)
    if high <= 0.0:
        return
    for exponent in range(math.floor(math.log10(max(low, 1e-12 * high))), math.floor(math.log10(high)) + 1):
        step = 10.0 ** (exponent + 1 - DECIMAL_DIGITS)
        first = max(10 ** (DECIMAL_DIGITS - 1), math.ceil(low / step - 1e-9))
        for mantissa in range(first, min(10**DECIMAL_DIGITS - 1, math.floor(high / step + 1e-9)) + 1):
            yield _decimal(float(f"{mantissa}e{exponent + 1 - DECIMAL_DIGITS}"))


def _is_short(fraction: Fraction, unit: int) -> bool:
    whole = fraction.denominator == 1 and unit == 0
    return 0 < fraction.numerator <= (MAX_INTEGER if whole else UNITS[unit].max_numerator)


def _multiple(fraction: Fraction, index: int) -> NiceForm:
    unit = UNITS[index]
    bits = _gamma(fraction.numerator) + unit.bits + (_gamma(fraction.denominator) if fraction.denominator > 1 else 0.0)
    above = str(fraction.numerator) if index == 0 else unit.name
    if index > 0 and fraction.numerator > 1:
        above = f"{fraction.numerator}{unit.name}"
    text = above if fraction.denominator == 1 else f"{above}/{fraction.denominator}"
    return NiceForm(fraction.numerator * unit.value / fraction.denominator, text, bits, index, fraction)


def _decimal(value: float) -> NiceForm:
    digits = len(f"{value:.{DECIMAL_DIGITS - 1}e}".split("e")[0].replace(".", "").rstrip("0"))
    return NiceForm(value, f"{value:g}", DECIMAL_BITS + digits * math.log2(10.0))


def _gamma(integer: int) -> float:
    return 2.0 * math.log2(integer) + 1.0


def _signed(form: NiceForm, value: float) -> NiceForm:
    if value > 0 or form.value == 0.0:
        return form
    fraction = None if form.fraction is None else -form.fraction
    return NiceForm(-form.value, f"-{form.text}", form.bits, form.unit, fraction)
