"""Server-side apply, by a manager of its own. This client sends it as it is given, so it is given as text."""
import json

from kubernetes import client, dynamic
from suite import NAMESPACE, holds, refused

config_maps = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")


def apply(data, manager, **options):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": data}
    return config_maps.server_side_apply(
        name="applied", namespace=NAMESPACE, body=json.dumps(body), field_manager=manager, **options
    )


made = apply({"a": "1"}, "python")
holds("an apply makes the object", made.to_dict()["data"] == {"a": "1"})
holds("its manager is known", [entry.manager for entry in made.metadata.managedFields] == ["python"])
holds("an apply takes a field back", apply({"b": "2"}, "python").to_dict()["data"] == {"b": "2"})
with refused("what another manager owns", 409, "Conflict"):
    apply({"b": "3"}, "other")
holds("what is taken by force", apply({"b": "3"}, "other", force_conflicts=True).to_dict()["data"] == {"b": "3"})
