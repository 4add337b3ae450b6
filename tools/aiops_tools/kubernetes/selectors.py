"""Label selectors: as the API writes them, and what they choose (Kubernetes documentation, "Labels
and Selectors").
"""

from collections.abc import Mapping

from aiops.analyze.state.api import Api, pairs, parts, text, texts


def selector_text(selector: Api) -> str:
    """``selector`` as a list request takes it: "app=web,tier in (a,b),!old"."""
    said = [f"{key}={value}" for key, value in sorted(pairs(selector, "matchLabels").items())]
    for one in parts(selector, "matchExpressions"):
        key, values = text(one, "key"), ",".join(texts(one, "values"))
        said.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[text(one, "operator")]
        )
    return ",".join(said)


def chooses(selector: Api, labels: Mapping[str, str]) -> bool:
    """Whether ``selector`` chooses what has ``labels``; an empty one chooses everything."""
    wanted = pairs(selector, "matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(one, labels) for one in parts(selector, "matchExpressions"))


def _holds(one: Api, labels: Mapping[str, str]) -> bool:
    key, values = text(one, "key"), texts(one, "values")
    match text(one, "operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
