"""Prompts as texts with strict variables: nothing is left out, nothing is made up."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of the package, with its variables in Jinja's braces.

    What is filled in is text to be read, never a template: braces in a log line stay braces.

    Attributes:
        name: said in errors, such as the name of its file.

    Raises:
        InvalidInput: when it is filled in, where the text is no template.
    """

    name: str
    text: str

    @property
    def variables(self) -> frozenset[str]:
        """Names that have to be given."""
        from jinja2 import TemplateSyntaxError
        from jinja2.meta import find_undeclared_variables

        try:
            return frozenset(find_undeclared_variables(_jinja().parse(self.text)))
        except TemplateSyntaxError as error:
            raise InvalidInput(f"prompt {self.name!r}, line {error.lineno}: {error}") from error

    def filled(self, **values: object) -> str:
        """The prompt with its variables filled in.

        Raises:
            InvalidInput: one is missing, one is too many, or a part of one is not there.
        """
        from jinja2 import UndefinedError

        known = self.variables
        missing, more = known - values.keys(), values.keys() - known
        if missing or more:
            wrong = [f"without {name!r}" for name in sorted(missing)]
            wrong += [f"with {name!r}, which it does not have" for name in sorted(more)]
            raise InvalidInput(f"prompt {self.name!r} is filled in {', '.join(wrong)}")
        try:
            return _jinja().from_string(self.text).render(**values).strip()
        except UndefinedError as error:
            raise InvalidInput(f"prompt {self.name!r}: {error}") from error


@cache
def _jinja() -> "Environment":
    from jinja2 import Environment, StrictUndefined

    # No escaping: a model is told "<", not "&lt;".
    return Environment(
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
    )
