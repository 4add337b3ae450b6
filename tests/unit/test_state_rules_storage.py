"""Claims and volumes."""

import pytest
from clusters import Api, ago, claim_scene, first


@pytest.mark.parametrize(
    ("claim", "volume", "kind"),
    [
        ({"accessModes": ["ReadWriteMany"]}, {}, "access_mode_of_claim_not_offered_by_volume"),
        (
            {"resources": {"requests": {"storage": "5Gi"}}},
            {},
            "claim_asks_more_capacity_than_volume",
        ),
        ({"selector": {"matchLabels": {"tier": "b"}}}, {}, "selector_of_claim_matches_no_volume"),
        ({"storageClassName": "fast"}, {}, "storage_class_of_claim_differs_from_volume"),
        ({"volumeMode": "Block"}, {}, "volume_mode_of_claim_differs"),
        (
            {},
            {"claimRef": {"namespace": "shop", "name": "other"}},
            "volume_already_bound_by_another_claim",
        ),
    ],
)
def test_an_unbound_claim_is_compared_with_the_volume(claim: Api, volume: Api, kind: str) -> None:
    assert first(claim_scene(claim, volume)) == ("service", "web", kind)


def test_a_volume_left_behind_does_not_hide_the_one_that_nearly_fits() -> None:
    left = {
        "kind": "PersistentVolume",
        "metadata": {"name": "old", "creationTimestamp": ago(900000)},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "claimRef": {"namespace": "shop", "name": "gone"},
        },
        "status": {"phase": "Released"},
    }
    scene = claim_scene({"selector": {"matchLabels": {"tier": "b"}}}, {}, left)
    assert first(scene)[2] == "selector_of_claim_matches_no_volume"
