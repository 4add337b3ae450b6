"""The ``aiops`` command: entry points bring the commands, which import what they need when run."""

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import typer
    from typer import TyperException


def build() -> "typer.Typer":
    """The command with every installed package's contribution."""
    import typer

    from aiops import plugins

    app = typer.Typer(
        help="Root cause analysis that cites its evidence.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def options() -> None:
        """Root cause analysis that cites its evidence."""

    for name in plugins.names("aiops.commands"):
        plugins.load("aiops.commands", name)(app)
    return app


def main() -> None:
    """Entry point: one line for every failure, exit 2 for wrong use or input, 1 for the rest."""
    from typer import TyperException

    from aiops.errors import AiopsError, InvalidInput

    try:
        sys.exit(build()(standalone_mode=False))
    except TyperException as error:
        _wrong_use(error)
    except InvalidInput as error:
        _fail(str(error), 2)
    except AiopsError as error:
        _fail(str(error), 1)
    except BrokenPipeError:
        # The reader (head, less) has gone; silence the interpreter's own flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except Exception as error:
        if os.environ.get("AIOPS_DEBUG"):
            raise
        _fail(f"a defect of aiops: {type(error).__name__}: {error} (AIOPS_DEBUG=1 shows where)", 1)


def _wrong_use(error: "TyperException") -> NoReturn:
    """Typer's own complaint, without the box that it draws around it."""
    message = error.format_message().rstrip(".")
    if not message:  # a command without arguments: its help has just been printed
        sys.exit(error.exit_code)
    _fail(f"{message}; see aiops --help", error.exit_code)


def _fail(message: str, code: int) -> NoReturn:
    print(f"aiops: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201 - the edge
    sys.exit(code)
