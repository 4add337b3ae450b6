"""Another number of machines for a scaling group; the same for every provider."""

from collections.abc import Iterator

from pydantic import Field

from aiops.errors import ToolFailed
from aiops.model.canonical import canonical, digest
from aiops.model.tool import BlastRadius, Preview, Target, Undo
from aiops_tools.cloud.acting import Act, field_diff
from aiops_tools.cloud.places import GroupName, InPlace
from aiops_tools.cloud.port import Group, Resizer
from aiops_tools.watching import Standing

VERB = "resize_group"


class Resize(InPlace):
    """A group and the number of machines it is to have."""

    name: GroupName
    size: int = Field(ge=0, le=10_000)


def _preview(toolset: str, hand: Resizer, asked: Resize) -> Preview:
    group = hand.group(asked.name)
    target = Target(hand.place, hand.kind, group.name)
    if group.desired == asked.size:
        raise ToolFailed("conflict", f"{target} is at {asked.size} already; nothing is to be done")
    low, high = group.least, group.most
    if (low is not None and asked.size < low) or (high is not None and asked.size > high):
        raise ToolFailed(
            "invalid",
            f"{target} is kept between {low} and {high} machines; ask for a number between them, "
            "or have its bounds changed",
        )
    back = {"cluster": asked.cluster, "name": asked.name, "size": group.desired}
    return Preview(
        summary=f"resize {target} from {group.desired} to {asked.size} machines",
        targets=(target,),
        diff=field_diff(target, "desired", group.desired, asked.size),
        state=digest([group.uid, group.least, group.most, group.desired]),
        radius=BlastRadius(1, max(0, group.serving - asked.size), group.serving),
        undo=Undo(f"{toolset}.{VERB}", canonical(back)),
        warnings=tuple(_warnings(group, asked.size)),
    )


def _warnings(group: Group, size: int) -> Iterator[str]:
    if size == 0:
        yield "no machine is left: whatever runs on the group stops"
    if size < group.desired:
        yield (
            f"{group.desired - size} machines are ended with what is on their disks, chosen by the "
            "provider; the undo starts others in their place"
        )
    else:
        yield f"{size - group.desired} machines are started, and paid for"
    if group.automatic:
        yield (
            f"{', '.join(group.automatic)} sets this number too and may change it again; set its "
            "bounds instead"
        )
    if group.troubles:
        yield f"it has trouble already: {group.troubles[0]}"
    for one in group.unread:
        yield f"not read: {one.what} ({one.reason})"


def _apply(hand: Resizer, asked: Resize, key: str) -> None:
    hand.resize(asked.name, asked.size, key)


def _standing(hand: Resizer, asked: Resize, preview: Preview) -> Standing:
    del preview
    group = hand.group(asked.name)
    if group.desired != asked.size:
        return Standing(False, f"somebody set it to {group.desired} since", hopeless=True)
    seen = f"{group.serving} of {asked.size} machines serve, {len(group.members)} in all"
    return Standing(group.serving == len(group.members) == asked.size, seen)


RESIZE: Act[Resizer, Resize] = Act(
    verb=VERB,
    description="Set how many machines a scaling group has, within its bounds.",
    asks=Resize,
    preview=_preview,
    apply=_apply,
    standing=_standing,
    risk="medium",
    examples=("add two machines to the fleet", "shrink the fleet again"),
)
