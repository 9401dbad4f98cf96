"""What all models of settings have in common."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class Setting(BaseModel):
    """A part of the stack file: unknown keys are faults, and values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, given: Any) -> Any:
        """Keep `true` from being read as 1: as text it is no number."""
        if not isinstance(given, dict) or not any(isinstance(value, bool) for value in given.values()):
            return given
        numbers = {name for name, field in cls.model_fields.items() if _is_number(field.annotation)}
        return {
            name: str(value).lower() if isinstance(value, bool) and name in numbers else value
            for name, value in given.items()
        }


def _is_number(annotation: Any) -> bool:
    return any(getattr(each, "__origin__", each) in {int, float} for each in (annotation, *get_args(annotation)))
