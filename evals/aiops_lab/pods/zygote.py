"""Forks containers' processes from one that has everything imported already.

A fork takes milliseconds and shares the interpreter's pages, where a fresh interpreter takes a
third of a second and some 25 MB of its own. Run as ``python -m aiops_lab.pods.zygote FD PARENT
TOPOLOGY``: on the socket FD come requests to fork, each with two descriptors (standard output and
control); out go the new process ids and, later, how they ended. It dies with its parent, and its
children die with it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
MESSAGE = 1 << 18


def die_with(parent: int) -> None:
    """Be killed when the parent is; at once where it is gone already."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "cannot ask to die with the parent")
    if os.getppid() != parent:
        os._exit(1)


def main(fd: int, parent: int, topology_path: str) -> None:
    """Serve requests until the other end of the socket is closed."""
    die_with(parent)
    import httptools
    import uvicorn.protocols.http.httptools_impl
    import uvloop

    from aiops_lab.load import process as load  # what children run is imported once, here
    from aiops_lab.net import process as net
    from aiops_lab.pods import process as pods
    from aiops_lab.topology.load import load as load_topology

    _ = (httptools, uvicorn, uvloop, load, net)
    topology = load_topology(Path(topology_path))
    gc.collect()
    gc.freeze()
    door = socket.socket(fileno=fd)
    wake, awake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(awake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the lab's to carry out, in order
    door.send(b'{"ready": true}')
    while True:
        readable, _, _ = select.select([door.fileno(), wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
            _reap(door)
        if door.fileno() in readable:
            message, fds, _, _ = socket.recv_fds(door, MESSAGE, 2)
            if not message:
                return
            asked = json.loads(message)
            pid = os.fork()
            if pid == 0:
                door.close()
                pods.leave(_child(asked, fds, topology))
            for one in fds:
                os.close(one)
            door.send(json.dumps({"id": asked["id"], "pid": pid}).encode())


def _child(asked: dict[str, Any], fds: list[int], topology: Any) -> int:
    from aiops_lab.load import process as load
    from aiops_lab.net import process as net
    from aiops_lab.pods import process as pods
    from aiops_lab.pods.setup import PodSetup

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with(asked["zygote"])
    out, control = fds
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(out)
    # Where memory runs out, a pod goes before anything else on the machine.
    Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    try:
        speech = socket.socket(fileno=control)
        match asked["kind"]:
            case "net":
                return net.run(speech, (asked["dns_host"], asked["dns_port"]), asked["seed"])
            case "load":
                return load.run(PodSetup(**asked["setup"]), topology, speech, asked["rate"])
            case _:
                return pods.run(PodSetup(**asked["setup"]), topology, speech)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the container's log is where a defect of it belongs
        sys.excepthook(*sys.exc_info())
        return 1


def _reap(door: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        door.send(json.dumps({"exited": pid, "code": code if code >= 0 else 128 - code}).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
