"""A service account with the token in its kubeconfig: it does in its namespace what its role allows, and nothing else."""
from kubernetes import client
from suite import NAMESPACE, holds, refused

core = client.CoreV1Api()
holds("reads where it may", core.list_namespaced_config_map(NAMESPACE).kind == "ConfigMapList")
with refused("reads nodes", 403, "Forbidden"):
    core.list_node()
with refused("reads elsewhere", 403, "Forbidden"):
    core.list_namespaced_secret("kube-system")


def may(verb, resource, namespace=NAMESPACE):
    attributes = client.V1ResourceAttributes(verb=verb, resource=resource, namespace=namespace)
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    )
    return client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed


holds("is told what it may", may("create", "pods") and not may("create", "pods", "kube-system"))

nobody = client.Configuration.get_default_copy()
nobody.api_key = {"authorization": "Bearer nonsense"}
with refused("has a token that is none", 401, "Unauthorized"):
    client.CoreV1Api(client.ApiClient(nobody)).list_namespaced_config_map(NAMESPACE)
