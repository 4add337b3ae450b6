"""What every group of settings is."""

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """Settings that belong together: a table of the file, or ``AIOPS_<GROUP>__<KEY>``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
