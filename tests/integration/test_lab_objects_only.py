"""``aiops lab up --objects-only``: hundreds of pods in a Kubernetes API without processes."""

import subprocess
import sys
from pathlib import Path

import pytest
from lab_kubectl import Kubectl, kubectls
from small_lab import PATIENCE_S, TOPOLOGY, eventually

AIOPS = Path(sys.executable).with_name("aiops")
pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")


def test_hundreds_of_pods_run_at_once_and_end_with_the_lab(tmp_path: Path) -> None:
    folder, topology = tmp_path / "lab", tmp_path / "kiosk.yaml"
    topology.write_text(TOPOLOGY)
    command = [AIOPS, "lab", "up", "--objects-only", "--dir", folder, "--topology", topology]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as lab:
        try:
            assert lab.stdout is not None
            said = lab.stdout.readline()
            config = folder / "kubernetes" / "admin.kubeconfig"
            assert str(config) in said
            kubectl = Kubectl(kubectls()[0], config, "kiosk")
            kubectl("scale", "deployment/door", "--replicas=500")
            ready = ("get", "deployment/door", "-o", "jsonpath={.status.readyReplicas}")
            eventually(lambda: kubectl(*ready) == "500")
            down = subprocess.run(
                [AIOPS, "lab", "down", "--dir", folder],
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
            assert down.returncode == 0, down.stdout + down.stderr
            assert lab.wait(PATIENCE_S) == 0
            assert not config.exists()
        finally:
            lab.kill()
