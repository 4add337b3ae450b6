"""CronJobs of the lab make Jobs on time, one policy or another, and clear up after them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_kubernetes import Lab

from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.schedules import InvalidSchedule, read_schedule

START = datetime(2026, 1, 1, tzinfo=UTC)
CRONS, JOBS = "cronjobs.batch", "jobs.batch"


def cron(lab: Lab, schedule: str = "*/5 * * * *", **spec: Any) -> None:
    """A CronJob called tick in the default namespace."""
    containers = [{"name": "main", "image": "x:1"}]
    job = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": containers}}}}
    body = {"schedule": schedule, "jobTemplate": job, **spec}
    lab.create(CRONS, {"metadata": {"name": "tick"}, "spec": body})


def finish(lab: Lab) -> None:
    """Every pod ends well."""
    for pod in lab.every("pods"):
        lab.runtime.stop(pod["metadata"]["uid"], 0)
    lab.settle()


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_a_job_is_made_when_it_is_due_and_not_before(lab: Lab) -> None:
    cron(lab)
    lab.forward(299)
    assert not lab.every(JOBS)
    lab.forward(1)
    (job,) = lab.every(JOBS)
    assert job["metadata"]["ownerReferences"][0]["name"] == "tick"
    status = lab.get(CRONS, "tick")["status"]
    assert status["lastScheduleTime"] == "2026-01-01T00:05:00Z"
    assert status["active"][0]["name"] == job["metadata"]["name"]
    lab.forward(300)
    assert len(lab.every(JOBS)) == 2


def test_a_time_zone_moves_the_hour(lab: Lab) -> None:
    cron(lab, "0 2 * * *", timeZone="Europe/Berlin")
    lab.forward(3599)
    assert not lab.every(JOBS)
    lab.forward(1)
    assert len(lab.every(JOBS)) == 1


def test_a_suspended_one_makes_nothing_until_it_goes_on(lab: Lab) -> None:
    cron(lab, suspend=True)
    lab.forward(3600)
    assert not lab.every(JOBS)
    lab.patch(CRONS, "tick", {"spec": {"suspend": False}})
    assert len(lab.every(JOBS)) == 1


def test_a_time_long_missed_is_left_out(lab: Lab) -> None:
    cron(lab, "0 * * * *", suspend=True, startingDeadlineSeconds=60)
    lab.forward(3700)
    lab.patch(CRONS, "tick", {"spec": {"suspend": False}})
    assert not lab.every(JOBS)


def test_a_job_in_the_way_is_waited_for_where_overlap_is_forbidden(lab: Lab) -> None:
    cron(lab, concurrencyPolicy="Forbid")
    lab.forward(300)
    lab.forward(300)
    assert len(lab.every(JOBS)) == 1
    assert "JobAlreadyActive" in lab.reasons()
    finish(lab)
    assert len(lab.every(JOBS)) == 2


def test_a_job_in_the_way_is_replaced_where_that_is_wanted(lab: Lab) -> None:
    cron(lab, concurrencyPolicy="Replace")
    lab.forward(300)
    (before,) = lab.every(JOBS)
    lab.forward(300)
    (after,) = lab.every(JOBS)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_only_the_latest_of_the_jobs_that_ended_are_kept(lab: Lab) -> None:
    cron(lab, successfulJobsHistoryLimit=2)
    for _ in range(4):
        lab.forward(300)
        finish(lab)
    assert len(lab.every(JOBS)) == 2
    assert lab.get(CRONS, "tick")["status"]["lastSuccessfulTime"] == "2026-01-01T00:20:00Z"


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec.schedule", {"schedule": "often"}),
        ("spec.schedule", {"schedule": "* * * * * *"}),
        ("spec.schedule", {"schedule": "0 0 31 2 *"}),
        ("spec.timeZone", {"timeZone": "Mars/North"}),
        ("spec.concurrencyPolicy", {"concurrencyPolicy": "Perhaps"}),
    ],
)
def test_one_that_could_never_run_is_refused_with_the_field(
    lab: Lab, field: str, spec: dict[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        cron(lab, **spec)
    assert field in {cause.field for cause in refused.value.causes}


@given(
    minute=st.integers(min_value=0, max_value=59),
    every=st.integers(min_value=1, max_value=30),
    seconds=st.integers(min_value=0, max_value=10**8),
)
def test_the_latest_time_is_never_ahead_and_the_next_never_behind(
    minute: int, every: int, seconds: int
) -> None:
    now = START + timedelta(seconds=seconds, microseconds=500)
    for text in (f"{minute} * * * *", f"*/{every} * * * *"):
        schedule = read_schedule(text, None)
        latest, following = schedule.latest(now), schedule.following(now)
        assert latest <= now < following
        assert schedule.following(latest) == following


@given(st.text(max_size=20))
def test_whatever_stands_for_a_schedule_is_read_or_refused(text: str) -> None:
    with suppress(InvalidSchedule):
        schedule = read_schedule(text, None)
        assert schedule.following(START) > START
