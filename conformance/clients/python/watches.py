"""Watches: everything from the start, from a version on, by label, and one that has an end."""
from kubernetes import client, watch
from suite import NAMESPACE, holds, refused

core = client.CoreV1Api()


def create(name, labels):
    metadata = client.V1ObjectMeta(name=name, labels=labels)
    return core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=metadata))


start = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
create("one", {"mine": "yes"})
create("other", {"mine": "no"})
core.patch_namespaced_config_map("one", NAMESPACE, [{"op": "add", "path": "/data", "value": {"a": "1"}}])
core.delete_namespaced_config_map("one", NAMESPACE)

seen = []
stream = watch.Watch()
for event in stream.stream(
    core.list_namespaced_config_map, NAMESPACE, label_selector="mine=yes", resource_version=start, timeout_seconds=60
):
    seen.append((event["type"], event["object"].metadata.name, event["object"].data))
    if event["type"] == "DELETED":
        stream.stop()
holds(
    "from a version on, by label",
    seen == [("ADDED", "one", None), ("MODIFIED", "one", {"a": "1"}), ("DELETED", "one", {"a": "1"})],
)
holds("the version to go on from is kept", int(stream.resource_version) > int(start))

there = [
    event["object"].metadata.name
    for event in watch.Watch().stream(
        core.list_namespaced_config_map, NAMESPACE, label_selector="mine", timeout_seconds=1
    )
]
holds("what is there, then the end", there == ["other"])

with refused("from a version that is none", 400, "Bad Request"):
    core.list_namespaced_config_map(NAMESPACE, resource_version="soon")
