"""Typed objects: made, read, listed in pages, replaced, tried and deleted."""
from kubernetes import client
from suite import NAMESPACE, holds, refused

core = client.CoreV1Api()
apps = client.AppsV1Api()


def config_map(name, data, labels=None):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data)


made = core.create_namespaced_config_map(NAMESPACE, config_map("one", {"a": "1"}))
holds("created", bool(made.metadata.uid) and made.metadata.creation_timestamp.tzinfo is not None)
read = core.read_namespaced_config_map("one", NAMESPACE)
holds("read", read.data == {"a": "1"} and read.metadata.resource_version == made.metadata.resource_version)
read.data["a"] = "2"
holds("replaced", core.replace_namespaced_config_map("one", NAMESPACE, read).data == {"a": "2"})
with refused("replaced from an old version", 409, "Conflict"):
    core.replace_namespaced_config_map("one", NAMESPACE, made)

core.create_namespaced_config_map(NAMESPACE, config_map("tried", {}), dry_run="All")
with refused("tried, and not there", 404, "Not Found"):
    core.read_namespaced_config_map("tried", NAMESPACE)

for at in range(5):
    core.create_namespaced_config_map(NAMESPACE, config_map(f"page-{at}", {}, {"mine": "yes"}))
names, token = [], None
while token is None or token:
    page = core.list_namespaced_config_map(NAMESPACE, label_selector="mine=yes", limit=2, _continue=token)
    names += [item.metadata.name for item in page.items]
    token = page.metadata._continue or ""
holds("listed in pages", names == [f"page-{at}" for at in range(5)])
everywhere = core.list_config_map_for_all_namespaces(field_selector=f"metadata.namespace={NAMESPACE},metadata.name=one")
holds("listed everywhere", [item.metadata.name for item in everywhere.items] == ["one"])
core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="mine=yes")
holds("deleted by label", core.list_namespaced_config_map(NAMESPACE, label_selector="mine=yes").items == [])
deleted = core.delete_namespaced_config_map("one", NAMESPACE)
holds("deleted", deleted.status == "Success")

labels = {"app": "web"}
template = client.V1PodTemplateSpec(
    metadata=client.V1ObjectMeta(labels=labels),
    spec=client.V1PodSpec(containers=[client.V1Container(name="main", image="example.com/app:1")]),
)
apps.create_namespaced_deployment(
    NAMESPACE,
    client.V1Deployment(
        metadata=client.V1ObjectMeta(name="web"),
        spec=client.V1DeploymentSpec(replicas=0, selector=client.V1LabelSelector(match_labels=labels), template=template),
    ),
)
deployment = apps.read_namespaced_deployment("web", NAMESPACE)
holds("defaults are filled in", deployment.spec.strategy.rolling_update.max_surge == "25%")
scale = [{"op": "replace", "path": "/spec/replicas", "value": 1}]
holds("scaled", apps.patch_namespaced_deployment_scale("web", NAMESPACE, scale).spec.replicas == 1)
holds("its scale is read", apps.read_namespaced_deployment_scale("web", NAMESPACE).spec.replicas == 1)
apps.delete_namespaced_deployment("web", NAMESPACE, propagation_policy="Background")

groups = {group.name for group in client.ApisApi().get_api_versions().groups}
holds("groups are told", {"apps", "batch", "rbac.authorization.k8s.io"} <= groups)
holds("the version is told", client.VersionApi().get_code().major == "1")
