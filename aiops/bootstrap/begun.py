"""Commands about a service that runs somewhere look at its database, and never make an empty one.

In an empty one "no incident is open" and "all writes are stopped" would be true of nothing.
"""

from pathlib import Path
from typing import Final

from aiops.errors import InvalidInput
from aiops.settings import Settings

_FILE: Final = "sqlite:///"


def begun(settings: Settings) -> Settings:
    """``settings``, whose database is there already.

    Raises:
        InvalidInput: it is a file that does not exist.
    """
    url = settings.database_url
    file = url.removeprefix(_FILE).partition("?")[0]
    if url.startswith(_FILE) and file not in ("", ":memory:") and not Path(file).exists():
        raise InvalidInput(
            f"there is no database {Path(file).absolute()}, so no service is known here; run this "
            "in the folder of 'aiops serve', or say where its database is: --url or "
            "AIOPS_DATABASE_URL"
        )
    return settings
