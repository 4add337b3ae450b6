"""A parameter that does not exist, or stands twice where one is meant, is an error.

A filter with a typo must not list everything, and of two values nobody knows which one counted.
"""

from typing import get_origin

from fastapi import Request
from fastapi.routing import APIRoute

from aiops.web.errors import Refused


def known_parameters_only(request: Request) -> None:
    """A dependency of every route of the API; raises Refused."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = sorted(parameter.alias for parameter in route.dependant.query_params)
    strange = next((name for name in request.query_params if name not in known), None)
    if strange is not None:
        there_are = f"there are: {', '.join(known)}" if known else "this takes none"
        raise Refused(422, "invalid", f"no parameter {strange[:100]!r}; {there_are}", field=strange)
    for parameter in route.dependant.query_params:
        given = len(request.query_params.getlist(parameter.alias))
        if given > 1 and not _takes_many(parameter.field_info.annotation):
            raise Refused(
                422, "invalid", f"{parameter.alias!r} stands {given} times", field=parameter.alias
            )


def _takes_many(annotation: object) -> bool:
    return get_origin(annotation) in (list, tuple, set, frozenset)
