"""Services that lead nowhere and settings that name nobody are put right, and nothing else is."""

import pytest
from clusters import Api, deployment, meta, pod, service
from damaged import cause, proposals, told

from aiops.model import FaultType

CONFIG = FaultType.BAD_CONFIG
WEB = {"cluster": "lab", "namespace": "shop", "name": "web"}
PODS = (deployment("web"), pod("web"))


def selecting(**labels: str) -> Api:
    return service("web", selector=labels)


def leading(*ports: Api) -> Api:
    return service("web", ports=list(ports))


def with_ports(*ports: Api) -> tuple[Api, ...]:
    container = {"ports": list(ports)}
    return deployment("web", container=container), pod("web", container=container)


def with_variables(**values: str) -> tuple[Api, ...]:
    env = [{"name": name, "value": value} for name, value in values.items()]
    return deployment("web", container={"env": env}), service("web")


def test_a_service_that_selects_nobody_selects_the_pods_it_is_named_for() -> None:
    (found,) = proposals((*PODS, selecting(app="new")), cause("web", CONFIG))
    assert told([found]) == [("kubernetes.set_selector", WEB | {"selector": {"app": "web"}})]
    assert "selects app=new, which no pod has; those of web have app=web" in found.reason


def test_a_label_that_no_pod_has_is_taken_out_of_a_selector() -> None:
    found = proposals((*PODS, selecting(app="web", track="new")), cause("web", CONFIG))
    assert told(found) == [("kubernetes.set_selector", WEB | {"selector": {"track": None}})]


def test_a_service_of_another_name_is_known_by_a_slip_in_what_it_selects() -> None:
    front = service("front", selector={"app": "web-old"})
    ((tool, arguments),) = told(proposals((*PODS, front), cause("web", CONFIG)))
    assert (tool, arguments["name"]) == ("kubernetes.set_selector", "front")
    other = service("front", selector={"app": "cart"})
    assert proposals((*PODS, other), cause("web", CONFIG)) == []


def test_a_service_that_sends_to_other_pods_may_do_so_on_purpose() -> None:
    both = (*PODS, deployment("green"), pod("green"), selecting(app="green"))
    assert proposals(both, cause("web", CONFIG)) == []


def test_a_selector_that_would_choose_others_too_is_not_proposed() -> None:
    other = deployment("other")
    other["spec"]["template"]["metadata"]["labels"] = {"app": "web", "tier": "back"}
    assert proposals((*PODS, other, selecting(app="new")), cause("web", CONFIG)) == []


@pytest.mark.parametrize("kept", [{}, None])
def test_addresses_that_are_kept_by_hand_are_left_alone(kept: Api | None) -> None:
    assert proposals((*PODS, service("web", selector=kept)), cause("web", CONFIG)) == []


def test_a_port_that_leads_nowhere_is_led_to_the_only_one_there_is() -> None:
    (found,) = proposals((*PODS, leading({"port": 80, "targetPort": 8081})), cause("web", CONFIG))
    port = {"port": 80, "protocol": "TCP", "target_port": "8080"}
    assert told([found]) == [("kubernetes.set_target_port", WEB | port)]
    assert "target 8081 is no port of its pods" in found.reason


def test_of_several_ports_the_one_of_the_same_name_is_meant() -> None:
    pods = with_ports(
        {"containerPort": 8080, "name": "http"}, {"containerPort": 9090, "name": "metrics"}
    )
    named = leading({"port": 80, "name": "http", "targetPort": 81})
    ((_, arguments),) = told(proposals((*pods, named), cause("web", CONFIG)))
    assert arguments["target_port"] == "8080"
    slipped = leading({"port": 80, "targetPort": "metric"})
    ((_, arguments),) = told(proposals((*pods, slipped), cause("web", CONFIG)))
    assert arguments["target_port"] == "metrics"


def test_between_two_ports_nothing_is_guessed() -> None:
    pods = with_ports({"containerPort": 8080}, {"containerPort": 9090})
    assert proposals((*pods, leading({"port": 80, "targetPort": 81})), cause("web", CONFIG)) == []


def test_another_protocol_is_for_people() -> None:
    dns = leading({"port": 53, "targetPort": 8080, "protocol": "UDP"})
    assert proposals((*PODS, dns), cause("web", CONFIG)) == []


def test_a_port_of_a_sidecar_is_not_the_applications() -> None:
    proxy = {"name": "istio-proxy", "image": "p", "ports": [{"containerPort": 15001}]}
    made = deployment("web")
    made["spec"]["template"]["spec"]["containers"].append(proxy)
    ((_, arguments),) = told(
        proposals((made, leading({"port": 80, "targetPort": 8081})), cause("web", CONFIG))
    )
    assert arguments["target_port"] == "8080"


def test_a_wrong_address_in_a_variable_is_corrected() -> None:
    objects = (*with_variables(CART_HOST="cart-old", MODE="fast"), service("cart"))
    ((tool, arguments),) = told(proposals(objects, cause("web", CONFIG)))
    assert tool == "kubernetes.set_env"
    assert (arguments["container"], arguments["variables"]) == ("main", {"CART_HOST": "cart"})


def test_a_port_that_its_service_does_not_have_is_corrected() -> None:
    objects = (*with_variables(CART="http://cart:81/x"), service("cart"))
    ((_, arguments),) = told(proposals(objects, cause("web", CONFIG)))
    assert arguments["variables"] == {"CART": "http://cart:80/x"}


@pytest.mark.parametrize(
    "variables",
    [
        {"MODE": "cart-old"},  # no address
        {"CART": "http://cart:8080"},  # the pods listen there: the service was changed
        {"DB_URL": "db://carts:x@elsewhere:1"},  # credentials in it
        {"FAR_URL": "https://example.org"},
        {"CART_URL": "http://cart:80"},
    ],
    ids=["word", "service", "credentials", "far", "right"],
)
def test_what_may_be_right_is_left_alone(variables: dict[str, str]) -> None:
    assert proposals((*with_variables(**variables), service("cart")), cause("web", CONFIG)) == []


def test_an_address_is_looked_for_in_its_own_namespace() -> None:
    far = service("cart")
    far["metadata"]["namespace"] = "elsewhere"
    assert proposals((*with_variables(CART_HOST="cart-old"), far), cause("web", CONFIG)) == []


def test_a_caller_of_what_is_broken_is_left_alone() -> None:
    caller = deployment("front", container={"env": [{"name": "WEB_URL", "value": "http://web:80"}]})
    objects = (*PODS, selecting(app="new"), caller, service("front"))
    accused, symptom = cause("web", CONFIG), cause("front", CONFIG, rank=2)
    targets = {one["name"] for _, one in told(proposals(objects, accused, symptom))}
    assert targets == {"web"}


def test_a_word_in_a_config_map_is_no_address() -> None:
    reads = deployment("web", container={"envFrom": [{"configMapRef": {"name": "settings"}}]})
    config = {"kind": "ConfigMap", "metadata": meta("settings"), "data": {"LEVEL": "cart-old"}}
    assert proposals((reads, service("web"), service("cart"), config), cause("web", CONFIG)) == []
