"""What a question is about: said in it, or else what the conversation was about before."""

from dataclasses import dataclass

from aiops.app.chat.naming import Named, nearest
from aiops.app.chat.saying import Said, did_you_mean
from aiops.app.chat.scene import Scene, accused, titled
from aiops.model.incident import Incident
from aiops.model.thread import Intent, Topic

OF_ONE_INCIDENT: frozenset[Intent] = frozenset(
    ("why", "since", "changes", "affected", "before", "advice", "handling", "act")
)
"""What can only be asked of one incident."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about.

    Attributes:
        incident: None where there is none that it could be.
        services: named in the question, else the one that the conversation or the report is about.
        named: whether the question itself named them.
        assumed: whether nobody said which incident, so that the answer has to.
    """

    incident: Incident | None = None
    services: tuple[str, ...] = ()
    named: bool = False
    assumed: bool = False

    @property
    def topic(self) -> Topic:
        """What the next question goes on from."""
        return Topic(
            None if self.incident is None else self.incident.id,
            self.services[0] if self.services else None,
        )


def subject_of(scene: Scene, intent: Intent, named: Named, before: Topic) -> Subject | Said:
    """What is asked about, or the question back where it could be several or none."""
    if named.incidents:
        incident = scene.incident(named.incidents[0])
        if incident is None:
            known = [one.id for one in scene.open()]
            near = nearest(named.incidents[0], known) or tuple(known[:3])
            return did_you_mean(named.incidents[0], near, known)
        return _with_services(scene, incident, named)
    if named.services:
        return _by_service(scene, intent, named, before)
    if before.incident is not None and (kept := scene.incident(before.incident)) is not None:
        return _with_services(scene, kept, named, before.service)
    if before.service is not None:
        return Subject(None, (before.service,))
    return _by_itself(scene, intent)


def _by_service(scene: Scene, intent: Intent, named: Named, before: Topic) -> Subject | Said:
    service = named.services[0]
    kept = None if before.incident is None else scene.incident(before.incident)
    if kept is not None and scene.part_of(kept, service):
        return Subject(kept, named.services, named=True)
    found = scene.about(service)
    still = [one for one in found if one.open]
    places = {(one.cluster, one.namespace) for one in still}
    if len(places) > 1 and intent in OF_ONE_INCIDENT:
        return _which(still, f"{service} is in several open incidents")
    return Subject(next(iter(found), None), named.services, named=True)


def _by_itself(scene: Scene, intent: Intent) -> Subject | Said:
    """Nothing was named, and nothing was spoken of before."""
    still = scene.open()
    if len(still) > 1 and intent in OF_ONE_INCIDENT:
        return _which(still, f"{len(still)} incidents are open")
    incident = still[0] if still else scene.latest()
    if incident is None:
        return Subject()
    found = _with_services(scene, incident, Named())
    return Subject(found.incident, found.services, assumed=True)


def _which(incidents: tuple[Incident, ...] | list[Incident], why: str) -> Said:
    shown = incidents[:5]
    lines = [f"{why}. Which one do you mean? Say its id, or a service of it."]
    lines += [f"- {titled(one)}" for one in shown]
    return Said("\n".join(lines), ending="asks", choices=tuple(one.id for one in shown))


def _with_services(
    scene: Scene, incident: Incident, named: Named, before: str | None = None
) -> Subject:
    if named.services:
        return Subject(incident, named.services, named=True)
    if before is not None:
        return Subject(incident, (before,))
    investigation = scene.investigation(incident)
    first = None if investigation is None else accused(investigation.report)
    return Subject(incident, (first,) if first else incident.services[:1])
