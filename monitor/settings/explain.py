"""Turns pydantic's errors into problems of a file: place, one sentence, a hint."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.errors import Problem
from monitor.settings.fields import nearest, shown
from monitor.yamltext import Loc, YamlText

_TYPES = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys and values",
    "model_type": "must be a mapping of keys and values",
    "model_attributes_type": "must be a mapping of keys and values",
    "invalid_key": "keys must be words",
}


def problems(file: YamlText, root: Loc, error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Every error of one validation. `root` is where the validated value stands in the file."""
    found = error.errors(include_url=False)
    refused = {details["loc"][: n + 1] for details in found for n in range(len(details["loc"]) - 1)}
    # A list whose elements were refused also counts as too short.
    return [
        _problem(file, root, details, model)
        for details in found
        if not (details["type"] == "too_short" and details["loc"] in refused)
    ]


def _problem(file: YamlText, root: Loc, details: ErrorDetails, model: type[BaseModel]) -> Problem:
    loc = _loc_in_file(file, root, details)
    kind, context = details["type"], details.get("ctx", {})
    name = str(details["loc"][-1]) if details["loc"] else ""
    if kind == "extra_forbidden":
        return file.key_problem(loc, f"unknown key {shown(loc[-1])}", nearest(loc[-1], _keys(details, model)))
    if kind == "missing":
        return file.problem(loc[:-1], f"{name} is missing", f"write {name}: …")
    if kind == "union_tag_not_found":
        return file.problem(loc, "kind is missing", "one of file, email, slack, webhook, apprise")
    if kind == "union_tag_invalid":
        tags = str(context["expected_tags"]).replace("'", "").split(", ")
        return file.problem((*loc, "kind"), f"unknown kind {context['tag']!r}", nearest(context["tag"], tags))
    if kind == "monitor":
        return file.problem(loc, f"{_label(loc)}{context['message']}", str(context["hint"]))
    return file.problem(loc, _label(loc) + _sentence(details, loc), _hint(details))


def _loc_in_file(file: YamlText, root: Loc, details: ErrorDetails) -> Loc:
    """pydantic names the branch of a union in its path; the file knows no such step."""
    place = root
    for part in details["loc"]:
        if (*place, part) in file.places:
            place = (*place, part)
    return (*place, details["loc"][-1]) if details["type"] == "missing" else place


def _label(loc: Loc) -> str:
    named = [str(part) for part in loc if not isinstance(part, int)]
    return f"{named[-1]}: " if named else ""


def _sentence(details: ErrorDetails, loc: Loc) -> str:
    kind, context = details["type"], details.get("ctx", {})
    # What stands in a channel may be a secret in the wrong place: never repeated.
    value = "" if "channels" in loc else f", not {shown(details['input'])}"
    if kind in _TYPES:
        return _TYPES[kind] + ("" if isinstance(details["input"], (dict, list)) else value)
    if kind == "literal_error":
        return f"must be {_listed(_words(details))}{value}"
    if kind == "string_pattern_mismatch":
        return f"only a-z, 0-9 and hyphens, beginning with a letter or digit{value}"
    for limit, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if limit in context:
            return f"must be {words} {context[limit]}{value}"
    if "max_length" in context:
        return f"is longer than {context['max_length']} characters"
    if "min_length" in context:
        return "must not be empty"
    return details["msg"][:1].lower() + details["msg"][1:]


def _words(details: ErrorDetails) -> list[str]:
    words = str(details["ctx"]["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
    return [word for word in words if word]


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else "".join(words)


def _hint(details: ErrorDetails) -> str:
    if details["type"] == "string_type" and isinstance(details["input"], (int, float, bool)):
        return "put it in quotes"
    if details["type"] == "literal_error" and isinstance(details["input"], str):
        hint = nearest(details["input"], _words(details))
        return hint if hint.startswith("did") else ""
    return ""


def _keys(details: ErrorDetails, model: type[BaseModel]) -> list[str]:
    """The keys that could stand where an unknown one does."""
    here = [model]
    for part in details["loc"][:-1]:
        fields = [inner.model_fields[str(part)] for inner in here if str(part) in inner.model_fields]
        if fields:
            here = [found for field in fields for found in _models(field.annotation)]
        else:  # the number of an element, the name of a channel, or its kind
            here = [inner for inner in here if _kind_of(inner) == part] or here
    return sorted({key for inner in here for key in inner.model_fields})


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Every model a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in get_args(annotation) for found in _models(inner)]


def _kind_of(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    words = get_args(field.annotation) if field else ()
    return str(words[0]) if len(words) == 1 else None
