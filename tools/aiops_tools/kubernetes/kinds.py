"""The kinds of the Kubernetes API that are known here, by every word people have for them."""

from dataclasses import dataclass
from difflib import get_close_matches

from aiops.errors import ToolFailed


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object and where the API keeps it.

    Attributes:
        name: as objects say it, "Deployment".
        group: "" for the core group.
        short: what else it is called, as kubectl knows it.
    """

    name: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """The path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


_RBAC = "rbac.authorization.k8s.io"
KINDS: tuple[Kind, ...] = (
    Kind("Pod", "pods", short=("po",)),
    Kind("Deployment", "deployments", "apps", short=("deploy",)),
    Kind("ReplicaSet", "replicasets", "apps", short=("rs",)),
    Kind("StatefulSet", "statefulsets", "apps", short=("sts",)),
    Kind("DaemonSet", "daemonsets", "apps", short=("ds",)),
    Kind("ControllerRevision", "controllerrevisions", "apps"),
    Kind("Job", "jobs", "batch"),
    Kind("CronJob", "cronjobs", "batch", short=("cj",)),
    Kind("Service", "services", short=("svc",)),
    Kind("Endpoints", "endpoints", short=("ep",)),
    Kind("EndpointSlice", "endpointslices", "discovery.k8s.io"),
    Kind("Ingress", "ingresses", "networking.k8s.io", short=("ing",)),
    Kind("NetworkPolicy", "networkpolicies", "networking.k8s.io", short=("netpol",)),
    Kind("ConfigMap", "configmaps", short=("cm",)),
    Kind("Secret", "secrets"),
    Kind("ServiceAccount", "serviceaccounts", short=("sa",)),
    Kind("Event", "events", short=("ev",)),
    Kind("Namespace", "namespaces", namespaced=False, short=("ns",)),
    Kind("Node", "nodes", namespaced=False, short=("no",)),
    Kind("PersistentVolume", "persistentvolumes", namespaced=False, short=("pv",)),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims", short=("pvc",)),
    Kind("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False, short=("sc",)),
    Kind("ResourceQuota", "resourcequotas", short=("quota",)),
    Kind("LimitRange", "limitranges", short=("limits",)),
    Kind(
        "HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "v2", short=("hpa",)
    ),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy", short=("pdb",)),
    Kind("Role", "roles", _RBAC),
    Kind("RoleBinding", "rolebindings", _RBAC),
    Kind("ClusterRole", "clusterroles", _RBAC, namespaced=False),
    Kind("ClusterRoleBinding", "clusterrolebindings", _RBAC, namespaced=False),
)
_BY_WORD = {
    word: kind
    for kind in KINDS
    for word in (kind.name.lower(), kind.plural, *kind.short, f"{kind.plural}.{kind.group}")
}


def kind_named(word: str) -> Kind:
    """The kind that ``word`` stands for: "Deployment", "deployments", "deploy", in any case.

    Raises:
        ToolFailed: "invalid"; says what was probably meant.
    """
    found = _BY_WORD.get(word.strip().lower())
    if found is not None:
        return found
    near = get_close_matches(word.lower(), _BY_WORD, n=1)
    meant = f"; did you mean {_BY_WORD[near[0]].name}?" if near else ""
    names = ", ".join(kind.name for kind in KINDS)
    raise ToolFailed("invalid", f"no kind {word!r} is known here{meant}; it can be: {names}")


POD = kind_named("Pod")
SECRET = kind_named("Secret")
NAMESPACE = kind_named("Namespace")
EVENT = kind_named("Event")
POD_METRICS = Kind("PodMetrics", "pods", "metrics.k8s.io", "v1beta1")
NODE_METRICS = Kind("NodeMetrics", "nodes", "metrics.k8s.io", "v1beta1", namespaced=False)
