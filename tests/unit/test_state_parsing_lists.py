"""What tools list, kubectl's and our own, becomes the same typed cluster state."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.analyze.state.calls import understand
from aiops.analyze.state.parse_kubectl import recorded
from aiops.model import RecordedOutput


def test_a_list_tells_how_often_a_pod_died_and_when_last() -> None:
    table = "NAME  READY  STATUS  RESTARTS  AGE\nweb-1  1/1  Running  4 (2m5s ago)  3h\n"
    pod = recorded([RecordedOutput("kubectl get pods -n shop", table)]).state.pods[0]
    assert (pod.restarts, pod.restarted_s) == (4, 125.0)


def test_a_list_tells_on_which_ports_a_service_is_called_and_not_where_they_lead() -> None:
    table = (
        "NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE\n"
        "web  NodePort  10.0.0.9  <none>  80:30080/TCP,9090/UDP  3h\n"
    )
    service = recorded([RecordedOutput("kubectl get services -n shop", table)]).state.services[0]
    assert service.type == "NodePort"
    assert [(port.number, port.protocol, port.target) for port in service.ports] == [
        (80, "TCP", ""),
        (9090, "UDP", ""),
    ]


def test_a_tool_is_known_by_its_name_with_or_without_its_toolset() -> None:
    for call in ('GetAppYAML:{"app_name":"web"}', 'belt.get_app_yaml {"app_name":"web"}'):
        found = understand(call)
        assert (found.verb, found.name) == ("manifest", "web")


ROW = {
    "name": "web-1",
    "namespace": "shop",
    "state": "CrashLoopBackOff",
    "abnormal": True,
    "why": "",
    "owner": "Deployment/web",
    "node": "n1",
    "age_s": 60,
    "restarts": 4,
}


def test_our_list_of_pods_is_read_as_kubectls_and_counts_as_all_where_it_holds_all() -> None:
    call = 'kubernetes.list {"cluster":"here","kind":"Pod","namespace":"shop"}'
    for total in (1, 2):
        text = json.dumps({"kind": "Pod", "total": total, "rows": [ROW], "groups": []})
        state = recorded([RecordedOutput(call, text)]).state
        (pod,) = state.pods
        assert (pod.status, pod.node, pod.restarts) == ("CrashLoopBackOff", "n1", 4)
        assert pod.owner == ("deployment", "web")
        assert (("pod", "shop") in state.listed) == (total == 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(["Pod", "Node", "Deployment", "Endpoints", "PersistentVolumeClaim"]),
    row=st.dictionaries(st.sampled_from(sorted(ROW)), JSON),
    groups=st.lists(st.dictionaries(st.sampled_from(["about", "reason", "count", "last"]), JSON)),
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_tool_lists_is_read_without_an_exception(
    kind: str, row: dict[str, object], groups: list[dict[str, object]]
) -> None:
    listed = json.dumps({"total": 1, "rows": [row, {"name": "web", **row}]})
    said = json.dumps({"read": 1, "groups": groups, "left_out": 0})
    found = recorded(
        [
            RecordedOutput(f'x.list {{"kind":"{kind}"}}', listed),
            RecordedOutput('x.events {"namespace":"shop"}', said),
            RecordedOutput('x.get {"kind":"Pod","name":"web"}', json.dumps({"object": row})),
        ]
    )
    assert len(found.state.events) <= len(groups)
