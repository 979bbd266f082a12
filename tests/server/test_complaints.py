"""Sentences name the field, what it is and what was received."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from server.complaints import describe_invalid
from server.messages import ClientCommand, NetworkSettings, TrainingSettings
from server.rest import FormulaRequest, SessionRequest

COMMANDS: TypeAdapter[ClientCommand] = TypeAdapter(ClientCommand)


def _describe(model: type[BaseModel] | TypeAdapter[ClientCommand], text: str) -> str:
    validate = model.validate_json if isinstance(model, TypeAdapter) else model.model_validate_json
    with pytest.raises(ValidationError) as caught:
        validate(text)
    return describe_invalid(caught.value.errors())


@pytest.mark.parametrize(
    ("model", "text", "sentence"),
    [
        (COMMANDS, "nonsense", "A message is JSON, received 'nonsense'."),
        (COMMANDS, "", "A message is JSON, received nothing."),
        (COMMANDS, "[]", "A message is a JSON object, received []."),
        (COMMANDS, "{}", "A message names its type, received {}."),
        (COMMANDS, '{"type":"fly"}', "There is no command of type 'fly'."),
        (COMMANDS, '{"type":"inspect"}', 'inspect.edge is required, received {"type": "inspect"}.'),
        (COMMANDS, '{"type":"run","fast":true}', "run.fast is not a field here, received true: leave it out."),
        (COMMANDS, '{"type":"step","count":1.5}', "step.count is a whole number, received 1.5."),
        (COMMANDS, '{"type":"step","count":null}', "step.count is a whole number, received nothing."),
        (COMMANDS, '{"type":"prune","edges":[]}', "prune.edges has at least 1 entries, received []."),
        (
            COMMANDS,
            '{"type":"cut_weak","threshold":2,"allow_sever":1}',
            "cut_weak.threshold is at most 1.0, received 2.",
        ),
        (
            TrainingSettings,
            '{"grids":[5,5]}',
            "grids names each grid size once, the coarsest first, received [5, 5].",
        ),
        (NetworkSettings, '{"base":"tanh"}', "base is 'silu', 'identity' or 'none', received 'tanh'."),
        (NetworkSettings, '{"widths":{}}', "widths is a list, received {}."),
        (SessionRequest, '{"network":3}', "network is a JSON object, received 3."),
        (SessionRequest, '{"data":{}}', "data names its kind, received {}."),
        (
            SessionRequest,
            '{"data":{"kind":"x"}}',
            "data has as its kind one of 'catalogue', 'formula', 'csv', received {\"kind\": \"x\"}.",
        ),
        (FormulaRequest, '{"expression":3}', "expression is a text, received 3."),
    ],
)
def test_each_complaint_is_one_plain_sentence(
    model: type[BaseModel] | TypeAdapter[ClientCommand], text: str, sentence: str
) -> None:
    assert _describe(model, text) == sentence


def test_what_was_received_is_shortened() -> None:
    sentence = _describe(FormulaRequest, '{"expression":"%s"}' % ("x" * 1000))
    assert sentence == f"expression is a text of at most 500 characters, received '{'x' * 58}…."


def test_text_that_is_no_json_is_shown_as_it_came() -> None:
    complaint = {"type": "json_invalid", "loc": ("body", 1), "msg": "JSON decode error", "input": {}, "ctx": {}}
    sentence = describe_invalid([complaint], whole="The body", received="{nope")
    assert sentence == "The body is JSON, received '{nope'."


def test_a_complaint_that_has_no_words_of_ours_is_passed_on() -> None:
    complaint = {"type": "new_one", "loc": ("body", "name"), "msg": "Odd.", "input": 3}
    assert describe_invalid([complaint]) == "name is not as it should be (Odd), received 3."
