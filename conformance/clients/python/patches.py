"""Every kind of patch that the client has: one typed, and three by the content type of the dynamic client."""
from kubernetes import client, dynamic
from suite import NAMESPACE, holds

core = client.CoreV1Api()
config_maps = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")

core.create_namespaced_config_map(
    NAMESPACE, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one"), data={"a": "1"})
)


def patched(body, kind):
    answer = config_maps.patch(name="one", namespace=NAMESPACE, body=body, content_type=f"application/{kind}")
    return answer.to_dict()["data"]


holds("a JSON patch, typed", core.patch_namespaced_config_map(
    "one", NAMESPACE, [{"op": "add", "path": "/data/b", "value": "2"}]
).data == {"a": "1", "b": "2"})
holds("a strategic patch", patched({"data": {"c": "3"}}, "strategic-merge-patch+json") == {"a": "1", "b": "2", "c": "3"})
holds("a merge patch", patched({"data": {"b": None}}, "merge-patch+json") == {"a": "1", "c": "3"})
holds("a JSON patch", patched([{"op": "remove", "path": "/data/c"}], "json-patch+json") == {"a": "1"})
