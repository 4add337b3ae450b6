"""A parameter that does not exist is an error: a filter with a typo must not list everything."""

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
