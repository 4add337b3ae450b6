"""Mapping files that people write, as YAML."""

from aiops.errors import InvalidInput


def parsed(text: str, name: str) -> object:
    """What a file says, in YAML's own types.

    Args:
        name: of the file, for messages.

    Raises:
        InvalidInput: it is not YAML; says in which line.
    """
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise InvalidInput(f"{name}{place}: not YAML") from error
