"""Services, addresses, routes, policies and names that lead nowhere."""

import pytest
from clusters import Api, deployment, first, healthy, meta, pod, raised, seen, service

from aiops.analyze.state.parse_kubectl import Reach
from aiops.analyze.state.scene import Scene


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ({"selector": {"app": "wep"}}, "service_selector_matches_no_pod"),
        ({"selector": {"app": "cart"}}, "service_selector_matches_other_pods"),
        (
            {"ports": [{"port": 80, "targetPort": 9999}]},
            "service_port_maps_to_no_container_port",
        ),
        (
            {"ports": [{"port": 80, "targetPort": 8080, "protocol": "UDP"}]},
            "service_protocol_differs_from_container",
        ),
    ],
)
def test_a_service_that_reaches_no_pod_is_named_by_its_own_settings(spec: Api, kind: str) -> None:
    scene = seen(*healthy("cart"), deployment("web"), pod("web"), service("web", **spec))
    assert first(scene) == ("service", "web", kind)


def test_a_service_that_answered_is_not_accused() -> None:
    odd = service("web", ports=[{"port": 80, "targetPort": 9999}])
    scene = seen(deployment("web"), pod("web"), odd, reach=(Reach("web", "shop", "80", 1, 0, "c"),))
    assert raised(scene) == []


def environment(value: str) -> Api:
    return {"container": {"env": [{"name": "CART_ADDR", "value": value}]}}


@pytest.mark.parametrize("value", ["cart:81", "carts:80", "cart-old:80", "http://cart:99/x"])
def test_an_address_that_misses_a_real_service_accuses_the_client(value: str) -> None:
    env = environment(value)
    scene = seen(*healthy("cart"), deployment("web", **env), pod("web", **env), service("web"))
    assert first(scene) == ("service", "web", "environment_variable_names_wrong_address")


@pytest.mark.parametrize("value", ["cart:80", "assistant:80", "db.other.test:5432", "8080", "true"])
def test_a_right_a_foreign_or_an_optional_address_accuses_nobody(value: str) -> None:
    env = environment(value)
    scene = seen(*healthy("cart"), deployment("web", **env), pod("web", **env), service("web"))
    assert raised(scene) == []


GATEWAY = """routes:
  - {id: cart, uri: "lb://${CART:cart}", predicates: ["Path=/api/v1/cart/**"]}
  - {id: web, uri: "lb://web", predicates: ["Path=/api/v1/web/**"]}
  - {id: users, uri: "lb://auth", predicates: ["Path=/api/v1/users/**"]}
  - {id: order, uri: "lb://TARGET", predicates: ["Path=/api/v1/order/**"]}
"""


def gateway(target: str) -> Scene:
    settings = {
        "kind": "ConfigMap",
        "metadata": meta("gateway"),
        "data": {"application.yml": GATEWAY.replace("TARGET", target)},
    }
    names = ("cart", "web", "auth", "order")
    return seen(*(one for name in names for one in healthy(name)), settings)


def test_a_path_sent_elsewhere_accuses_the_service_it_is_called_after() -> None:
    assert first(gateway("cart")) == (
        "service",
        "order",
        "gateway_route_sends_path_to_wrong_service",
    )
    assert raised(gateway("order")) == []


def test_a_policy_that_stops_all_traffic_counts_less_once_it_is_old() -> None:
    def strength(age: float) -> float:
        policy = {
            "kind": "NetworkPolicy",
            "metadata": meta("deny", age),
            "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]},
        }
        (found,) = raised(seen(*healthy("web"), policy))
        assert found.kind == "network_policy_blocks_traffic"
        return found.strength

    assert strength(86400) < 0.5 < strength(60)


def test_a_pod_with_foreign_name_servers_is_named_when_it_suffers() -> None:
    dns = {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.1"]}}
    dying = pod("web", "CrashLoopBackOff", status={"restartCount": 4}, **dns)
    scene = seen(deployment("web", 0, **dns), dying, logs={"web": "UnknownHostException: cart\n"})
    assert first(scene) == ("service", "web", "dns_settings_of_pod_resolve_no_service")
