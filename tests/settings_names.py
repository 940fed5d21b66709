"""The environment variables that the settings know, for the tests that hold documents and deployments to them."""

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def variables(model: type[BaseModel], prefix: str = "ENT_") -> dict[str, FieldInfo]:
    """Every variable of `model` and its field, those of its sections included."""
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found |= variables(section, f"{prefix}{name.upper()}__")
        else:
            found[f"{prefix}{name.upper()}"] = field
    return found
