"""Failures become exceptions that tell what was wrong."""
import json

from kubernetes import client
from kubernetes.client import ApiException
from suite import NAMESPACE, holds, refused

core = client.CoreV1Api()
apps = client.AppsV1Api()


def config_map(name):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name))


try:
    core.read_namespaced_config_map("none", NAMESPACE)
except ApiException as error:
    status = json.loads(error.body)
    holds("the body is a Status", (status["kind"], status["reason"], status["code"]) == ("Status", "NotFound", 404))
    holds("its message names what was asked for", status["message"] == 'configmaps "none" not found')
    holds("it is JSON", error.headers["content-type"] == "application/json")
core.create_namespaced_config_map(NAMESPACE, config_map("one"))
with refused("made twice", 409, "Conflict"):
    core.create_namespaced_config_map(NAMESPACE, config_map("one"))
with refused("a name that is none", 422, "Unprocessable Entity"):
    core.create_namespaced_config_map(NAMESPACE, config_map("No Name"))
with refused("another namespace in the body", 400, "Bad Request"):
    elsewhere = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="two", namespace="elsewhere"))
    core.create_namespaced_config_map(NAMESPACE, elsewhere)
with refused("a precondition that does not hold", 409, "Conflict"):
    core.delete_namespaced_config_map(
        "one", NAMESPACE, body=client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="another"))
    )
with refused("an operation that no patch has", 422, "Unprocessable Entity"):
    core.patch_namespaced_config_map("one", NAMESPACE, [{"op": "nonsense", "path": "/data"}])
with refused("a deployment that selects nothing of its own", 422, "Unprocessable Entity"):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    spec = {"selector": {"matchLabels": {"a": "c"}}, "template": template}
    apps.create_namespaced_deployment(
        NAMESPACE, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    )
