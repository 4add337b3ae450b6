"""What the cluster's state declares explains what others say of it."""

from aiops.analyze.fusion import DECLARED, HEARSAY, NAMED, SETTLED, weigh
from aiops.model import Entity, FaultType, Hypothesis

CLIENT, SERVER, BYSTANDER = (Entity("service", name) for name in ("client", "server", "bystander"))
MACHINE = Entity("node", "machine")


def raised(entity, strength, fault, kind, explains=()):
    return Hypothesis(entity, fault, kind, 1.0, "objects", 1.0, strength, explains=explains)


def wrong_address(strength=SETTLED + 1):
    return DECLARED, raised(CLIENT, strength, FaultType.BAD_CONFIG, "wrong_address")


def refused(*witnesses):
    complaint = raised(SERVER, 4.0, FaultType.DEPENDENCY, "connection_refused", witnesses)
    return HEARSAY, complaint


def test_a_client_with_a_wrong_address_explains_its_own_complaints_about_the_server():
    first = weigh([wrong_address(), refused(CLIENT)], None)[0]
    assert first.hypothesis.entity == CLIENT


def test_a_complaint_that_a_sound_client_shares_still_accuses_the_server():
    first = weigh([wrong_address(), refused(CLIENT, BYSTANDER)], None)[0]
    assert first.hypothesis.entity == SERVER


def test_a_fault_of_the_client_that_is_not_settled_explains_no_complaint():
    first = weigh([wrong_address(SETTLED - 0.1), refused(CLIENT)], None)[0]
    assert first.hypothesis.entity == SERVER


def test_a_machine_that_cuts_its_pods_off_explains_what_they_say_of_others():
    dead = raised(MACHINE, SETTLED + 1, FaultType.NODE, "proxy_not_running", (CLIENT,))
    first = weigh([(DECLARED, dead), refused(CLIENT)], None)[0]
    assert first.hypothesis.entity == MACHINE


def test_what_was_measured_of_the_server_itself_is_no_hearsay():
    slow = raised(SERVER, 4.0, FaultType.LATENCY, "calls_slow", (CLIENT,))
    first = weigh([wrong_address(), ("traces", slow)], None)[0]
    assert first.hypothesis.entity == SERVER


def test_of_one_entitys_faults_the_one_comes_first_that_others_name_too():
    slow = "metrics", raised(SERVER, 2.7, FaultType.LATENCY, "latency_rose")
    busy = "metrics", raised(SERVER, 2.4, FaultType.CPU, "cpu_rose")
    alert = "alerts", raised(SERVER, 1.1, FaultType.CPU, "cpu_alerts")
    assert weigh([slow, busy], None)[0].hypothesis.fault is FaultType.LATENCY
    assert weigh([slow, busy, alert], None)[0].hypothesis.fault is FaultType.CPU


def test_the_cluster_names_the_fault_that_it_and_the_strongest_hypothesis_agree_on():
    busy = "metrics", raised(SERVER, 2.4, FaultType.CPU, "cpu_rose")
    throttled = DECLARED, raised(SERVER, NAMED - 0.1, FaultType.CPU, "cpu_throttled")
    leaking = DECLARED, raised(SERVER, NAMED - 0.1, FaultType.MEMORY, "memory_near_limit")
    assert weigh([busy, throttled], None)[0].hypothesis.kind == "cpu_throttled"
    assert weigh([busy, leaking], None)[0].hypothesis.kind == "cpu_rose"
