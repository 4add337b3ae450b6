"""Records a campaign into its folder, and makes a data set of that when it is complete."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiops_lab
from aiops.errors import InvalidData, InvalidInput
from aiops.store.clock import SystemClock
from aiops_datasets.checkout import commit
from aiops_lab.campaign import published
from aiops_lab.campaign.journal import AnotherCampaign, Attempt
from aiops_lab.campaign.process import ProcessRecorder
from aiops_lab.campaign.run import Campaign, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lab.campaign.asked import Asked

LOOK_S = 0.2


class NotACampaign(InvalidInput):
    """The folder holds files that no campaign has written; they stay as they are."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds other files; give --out a new or an empty folder")


def go_on(
    asked: Asked,
    at_most: int | None,
    tell: Callable[[Attempt], None],
    *,
    retry: bool = False,
) -> tuple[Attempt, ...]:
    """Record what is left, or ``at_most`` so many cases of it; every attempt there was.

    Args:
        retry: what was given up is tried again.

    Raises:
        NotACampaign, AnotherCampaign, InvalidData: the folder holds something else.
        CampaignRunning, CannotKeep: the folder cannot be used now.
    """
    place = Place(asked.out)
    done = _published(asked)
    if done is not None and not (retry and _given_up(done)):
        return done
    if done is None and asked.out.is_dir() and any(asked.out.iterdir()) and not place.work.is_dir():
        raise NotACampaign(asked.out)
    here = Path(aiops_lab.__path__[0]) / "lab.py"
    campaign = Campaign(
        turns=asked.turns,
        place=place,
        limits=asked.limits,
        clock=SystemClock(),
        pause=lambda: time.sleep(LOOK_S),
        tell=tell,
        commit=commit(here) or "",
    )
    with place.held(asked.campaign) as journal:
        if not journal.attempts():
            for attempt in done or ():
                journal.append(attempt)
        campaign.carry_out(journal, ProcessRecorder(asked.setting), at_most, retry=retry)
        attempts = journal.attempts()
        if len(campaign.finished(journal)) == len(asked.cases):
            told = published.Told(
                system=f"{asked.topology.name} (aiops lab)",
                campaign=asked.campaign,
                command=asked.command,
                busiest_cpu=asked.limits.busiest_cpu,
            )
            published.publish(asked.out, asked.cases, attempts, told)
            shutil.rmtree(place.work)
    return attempts


def _given_up(attempts: tuple[Attempt, ...]) -> bool:
    last = {one.case: one.outcome for one in attempts}
    return any(outcome != "recorded" for outcome in last.values())


def _published(asked: Asked) -> tuple[Attempt, ...] | None:
    """The attempts of the campaign that is complete in its folder; ``None``: none is."""
    path = asked.out / published.FILE
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        was = dict(document["campaign"])
        attempts = tuple(
            Attempt(case=case["id"], **one)
            for case in document["cases"]
            for one in case["attempts"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidData(path, "is not what a campaign has written") from error
    wanted = json.loads(json.dumps(asked.campaign))
    changed = [name for name in wanted if was.get(name) != wanted[name]]
    if changed:
        raise AnotherCampaign(asked.out, changed)
    return attempts
