"""Who trusts whom: certificates that have run out, permissions that were not given.

What makes a container die is among its last words (rules_runtime); here are those that run on.
"""

from collections.abc import Iterator

from aiops.analyze.state.holds_now import current, short
from aiops.analyze.state.raising import FITS, NAMED, SYMPTOM, raised
from aiops.analyze.state.scene import Scene
from aiops.model import Entity, FaultType, Hypothesis

_REFUSED = ('is forbidden: user "system:serviceaccount:', "rbac: access denied")
_EXPIRED = ("certificate has expired", "certificate expired", "cert_has_expired")
_OF_CERTIFICATES = frozenset({"certificate", "certificaterequest", "issuer", "clusterissuer"})


def certificates(scene: Scene) -> Iterator[Hypothesis]:
    """A certificate that its controller calls expired or cannot renew."""
    for event in scene.state.events:
        kind, namespace, name = event.about
        message = event.message.lower()
        expired = "expired" in message and "certificate" in f"{kind} {message}"
        renewing = kind in _OF_CERTIFICATES and event.warning
        if not (expired or renewing) or not current(event) or kind == "pod":
            continue
        app = scene.app_of.get(event.about) or scene.app_of_service.get(
            name.removesuffix("-tls").removesuffix("-cert")
        )
        yield raised(
            app.entity if app else Entity("component", name, namespace=namespace or None),
            FaultType.CERTIFICATE,
            "certificate_expired" if expired else "certificate_not_issued",
            NAMED if expired else FITS,
            [scene.read(f"{kind} {name}: {event.message}", (event.source,), "event")],
            refuted_by=f"certificate {name} being valid now",
        )


def refused_peers(scene: Scene) -> Iterator[Hypothesis]:
    """A service that runs and logs that a certificate has expired, or that it may not do its job.

    The reader of an expired certificate is its victim, as far as anybody can tell from its log.
    """
    for app in scene.apps:
        for phrases, kind, fault in (
            (_EXPIRED, "certificate_expired_or_not_trusted", FaultType.CERTIFICATE),
            (_REFUSED, "role_permission_denied", FaultType.CREDENTIAL),
        ):
            said = scene.said(app.name, *phrases)
            if said is not None and not short(app):
                yield raised(
                    app.entity,
                    fault,
                    kind,
                    FITS if fault is FaultType.CREDENTIAL else SYMPTOM,
                    [said[1]],
                    refuted_by=f"{app.name} doing the same without this line now",
                )


RULES = (certificates, refused_peers)
