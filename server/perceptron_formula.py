"""A perceptron as the composition that it is."""

from __future__ import annotations

from html import escape

from kan_core.mlp import MLPSpec
from server.catalogue import ACTIVATION_TITLES
from server.messages import Formula

_UNWRITTEN = "A perceptron's weights are not written as a formula."


def perceptron_formula(spec: MLPSpec, output_names: list[str]) -> Formula:
    """Return W_{L-1} ∘ σ_{L-1} ∘ … ∘ σ_1 ∘ W_0 for reading; it has no form to copy but LaTeX."""
    titles = {str(name): title for name, title in ACTIVATION_TITLES.items()}
    maps: list[tuple[str, str, str]] = [_affine(0)]
    for index, name in enumerate(spec.activations):
        maps += [_named(titles[name]), _affine(index + 1)]
    if spec.output_tanh:
        maps.append(_named("tanh"))
    maps.reverse()
    names = ", ".join(output_names)
    composed = r" \circ ".join(one[2] for one in maps)
    parts = ["<mi>", escape(names), "</mi><mo>=</mo><mo>(</mo>", "<mo>∘</mo>".join(one[1] for one in maps)]
    return Formula(
        mathml=f"<math><mrow>{''.join(parts)}<mo>)</mo><mo>(</mo><mi>x</mi><mo>)</mo></mrow></math>",
        text=f"{names} = ({' ∘ '.join(one[0] for one in maps)})(x)",
        latex=rf"{names} = \left({composed}\right)(x)",
        sympy=f"# {_UNWRITTEN}",
        numpy=f"# {_UNWRITTEN}",
        pytorch=f"# {_UNWRITTEN}",
        is_closed_form=False,
        num_curves=0,
    )


def _affine(index: int) -> tuple[str, str, str]:
    """Return the name of an affine map as text, MathML and LaTeX."""
    below = "".join(chr(0x2080 + int(digit)) for digit in str(index))
    return f"W{below}", f"<msub><mi>W</mi><mn>{index}</mn></msub>", f"W_{{{index}}}"


def _named(title: str) -> tuple[str, str, str]:
    return title, f"<mi>{title}</mi>", rf"\mathrm{{{title}}}"
