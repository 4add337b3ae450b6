"""Liveness, readiness and startup probes that really ask."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Probe:
    """When and what to ask; ``path`` is ``None`` where a connection is enough.

    A command (exec) cannot run inside a lab's process: the health endpoint on the container's
    first port is asked in its place.
    """

    path: str | None
    port: int
    delay_s: float
    period_s: float
    timeout_s: float
    successes: int
    failures: int


@dataclass(slots=True)
class Verdict:
    """Consecutive results of a probe -> its verdict, which changes at the thresholds."""

    probe: Probe
    healthy: bool
    _run: int = 0
    _last: bool | None = None

    def add(self, *, passed: bool) -> bool:
        """Count one result; whether the verdict changed, or for failures was reached again."""
        self._run = self._run + 1 if passed is self._last else 1
        self._last = passed
        wanted = self.probe.successes if passed else self.probe.failures
        if self._run < wanted or self.healthy is passed:
            return False
        self.healthy = passed
        return True


def read_probe(spec: Mapping[str, Any] | None, ports: Mapping[str, int], own: int) -> Probe | None:
    """A container's probe; ``ports`` are its named ones, ``own`` the first."""
    if not spec:
        return None
    path: str | None = None
    port: object = own
    if http := spec.get("httpGet"):
        path, port = http.get("path", "/"), http.get("port", own)
    elif tcp := spec.get("tcpSocket"):
        port = tcp.get("port", own)
    else:
        path = "/health"
    number = ports.get(str(port)) or (int(str(port)) if re.fullmatch(r"\d+", str(port)) else 0)
    return Probe(
        path=path,
        port=number,
        delay_s=float(spec.get("initialDelaySeconds") or 0),
        period_s=float(spec.get("periodSeconds") or 10),
        timeout_s=float(spec.get("timeoutSeconds") or 1),
        successes=int(spec.get("successThreshold") or 1),
        failures=int(spec.get("failureThreshold") or 3),
    )


async def ask(probe: Probe, ip: str, port: int) -> str | None:
    """Why the probe failed, in a kubelet's words; ``None`` where it passed."""
    url = f"http://{ip}:{probe.port}{probe.path or ''}"
    try:
        async with asyncio.timeout(probe.timeout_s):
            reader, writer = await asyncio.open_connection(ip, port)
            try:
                if probe.path is None:
                    return None
                request = f"GET {probe.path} HTTP/1.1\r\nHost: {ip}\r\nConnection: close\r\n"
                writer.write(f"{request}User-Agent: kube-probe/lab\r\n\r\n".encode())
                status = (await reader.readline()).split()
            finally:
                writer.close()
    except TimeoutError:
        return f'Get "{url}": context deadline exceeded (no answer in {probe.timeout_s:g} s)'
    except OSError as error:
        said = (error.strerror or str(error)).lower().partition("(")[0]
        return f"dial tcp {ip}:{probe.port}: connect: {said or 'connection failed'}"
    code = int(status[1]) if len(status) > 1 and status[1].isdigit() else 0
    return None if 200 <= code < 400 else f"HTTP probe failed with statuscode: {code}"
