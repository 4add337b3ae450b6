"""What every incident repository promises of alerts and silences."""

from dataclasses import replace

import pytest
from kept_incidents import alert, at, incident, kept, kept_states, silence

from aiops.errors import NotKept
from aiops.model.alert import AlertKey, AlertState
from aiops.ports.incidents import IncidentRepo


def test_the_state_of_an_alert_is_got_back_whole_and_unknown_ones_are_absent(
    repo: IncidentRepo,
) -> None:
    kept(repo, incident(1))
    state = AlertState(alert(), "inc-001", at(0), at(9), 7, (at(3), at(4)), None)
    resolved = alert("b", status="resolved", ends_at=at(5), runbook_url=None, extra="{}")
    quiet = AlertState(resolved, None, at(1), at(2), silence="sil-1")
    kept_states(repo, state, quiet)
    with repo.work() as work:
        found = work.states([state.alert.key, quiet.alert.key, AlertKey("prom", "nothing")])
    assert found == {state.alert.key: state, quiet.alert.key: quiet}


def test_alerts_of_two_sources_with_one_fingerprint_are_two(repo: IncidentRepo) -> None:
    first = AlertState(alert(), None, at(0), at(0))
    second = AlertState(alert(source="other"), None, at(0), at(0))
    kept_states(repo, first, second)
    with repo.work() as work:
        assert work.states([first.alert.key]) == {first.alert.key: first}
    assert len(repo.alerts()) == 2


def test_alerts_of_an_incident_come_by_first_delivery_and_follow_when_they_move(
    repo: IncidentRepo,
) -> None:
    kept(repo, incident(1), incident(2, "other"))
    states = [AlertState(alert(name), "inc-001", at(9 - i), at(9)) for i, name in enumerate("abc")]
    kept_states(repo, *states)
    with repo.work() as work:
        assert work.states_of("inc-001") == tuple(reversed(states))
        work.put_state(replace(states[0], incident="inc-002"))
        assert work.states_of("inc-001") == (states[2], states[1])
        assert [each.alert.fingerprint for each in work.states_of("inc-002")] == ["a"]
        assert work.states_of("inc-999") == ()


def test_alerts_are_listed_last_heard_of_first_and_no_more_than_asked(repo: IncidentRepo) -> None:
    kept(repo, incident(1))
    kept_states(
        repo,
        AlertState(alert("a"), "inc-001", at(0), at(5)),
        AlertState(alert("b"), None, at(0), at(7)),
        AlertState(alert("c"), "inc-001", at(0), at(9)),
    )
    assert [each.alert.fingerprint for each in repo.alerts()] == ["c", "b", "a"]
    assert [each.alert.fingerprint for each in repo.alerts(limit=1)] == ["c"]
    assert [each.alert.fingerprint for each in repo.alerts("inc-001")] == ["c", "a"]
    with pytest.raises(NotKept, match="no incident 'inc-9'"):
        repo.alerts("inc-9")


def test_firing_alerts_whose_silence_has_ended_are_found_oldest_first(repo: IncidentRepo) -> None:
    def quiet(name: str, first: float, by: str | None, status: str = "firing") -> AlertState:
        return AlertState(alert(name, status=status), None, at(first), at(9), silence=by)

    kept_states(
        repo,
        quiet("a", 2, "sil-1"),
        quiet("b", 1, "sil-1"),
        quiet("c", 0, "sil-2"),
        quiet("d", 0, None),
        quiet("e", 0, "sil-1", "resolved"),
    )
    with repo.work() as work:
        ended = work.unsilenced(["sil-2"], 10)
        assert [each.alert.fingerprint for each in ended] == ["b", "a"]
        assert [each.alert.fingerprint for each in work.unsilenced([], 2)] == ["c", "b"]
        work.put_state(replace(ended[0], silence=None))
        assert [each.alert.fingerprint for each in work.unsilenced(["sil-2"], 10)] == ["a"]


def test_silences_in_force_begin_at_their_start_and_are_over_at_their_end(
    repo: IncidentRepo,
) -> None:
    first, second = silence("sil-1", 0, 10), silence("sil-2", 5, 20)
    with repo.work() as work:
        work.put_silence(first)
        work.put_silence(second)
        found = {second_: {each.id for each in work.silences(at(second_))} for second_ in (0, 5)}
        assert found == {0: {"sil-1"}, 5: {"sil-1", "sil-2"}}
        assert work.silences(at(10)) == (second,)
        work.put_silence(replace(second, ends_at=at(10)))
        assert work.silences(at(10)) == ()
    assert repo.silences() == (replace(second, ends_at=at(10)), first)
