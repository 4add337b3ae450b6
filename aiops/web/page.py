"""What pages are made of: templates with what all of them need, forms, and ways elsewhere."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse

from aiops.analyze.wording import duration, number, percent, plain
from aiops.errors import InvalidInput
from aiops.web.limits import body_of
from aiops.web.site import Site

if TYPE_CHECKING:
    from jinja2 import Environment

_FORM_BYTES: Final = 65_536


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, each once."""
    body = await body_of(request, _FORM_BYTES)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError as error:
        raise InvalidInput("the form cannot be read; go back and send it again") from error


Form = Annotated[dict[str, str], Depends(form_of)]


def page(site: Site, template: str, **values: Any) -> HTMLResponse:
    """A template, filled in."""
    now = site.service.clock.now()

    def ago(at: datetime) -> str:
        seconds = round((now - at).total_seconds())
        return f"{duration(seconds)} ago" if seconds > 0 else "just now"

    text = (
        _templates()
        .get_template(template)
        .render(
            dev=site.dev,
            now=now,
            ago=ago,
            moment=lambda at: f"{at:%Y-%m-%d %H:%M:%S}",
            duration=duration,
            number=number,
            percent=percent,
            **values,
        )
    )
    return HTMLResponse(text)


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("aiops.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )


def redirect(to: str) -> Response:
    """Elsewhere, by GET."""
    return Response(status_code=303, headers={"Location": to})
