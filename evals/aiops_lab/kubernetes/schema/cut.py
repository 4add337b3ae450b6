"""Cut `types.json.gz` from the models of the official Python client (Apache-2.0).

Run by hand when the kinds change: `python -m aiops_lab.kubernetes.schema.cut`. The client is
needed for this only; the lab reads the file.
"""

import gzip
import importlib
import json
import re
from pathlib import Path
from typing import Any

from aiops_lab.kubernetes.kinds import built_in_kinds

TYPES = Path(__file__).with_name("types.json.gz")
REFERENCE = re.compile(r"\b([A-Z][A-Za-z]*\d\w*)\b")
EXTRA = ("V1Scale", "V1DeleteOptions", "V1Status", "V1Eviction", "V1Binding", "V1ListMeta")


def cut() -> dict[str, Any]:
    """Every model reachable from a served kind: {type: {"d": text, "f": {field: [...]}}}.

    A field is [type expression of the client, required (0 or 1), description].
    """
    models = importlib.import_module("kubernetes.client.models")
    wanted = [kind.type_name for kind in built_in_kinds()] + list(EXTRA)
    found: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        model = getattr(models, name, None)
        if name in found or model is None:
            continue
        by_json = {f.serialization_alias or n: f for n, f in model.model_fields.items()}
        fields = {
            json_name: [
                model.openapi_types[attribute],
                int(by_json[json_name].is_required()),
                by_json[json_name].description or "",
            ]
            for attribute, json_name in sorted(model.attribute_map.items())
        }
        text = (model.__doc__ or "").split("Attributes:")[0].strip()
        found[name] = {"d": text, "f": fields}
        wanted += [ref for field in fields.values() for ref in REFERENCE.findall(field[0])]
    return dict(sorted(found.items()))


def main() -> None:
    """Write the file; the same models give the same bytes."""
    text = json.dumps(cut(), separators=(",", ":"), sort_keys=True)
    TYPES.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
