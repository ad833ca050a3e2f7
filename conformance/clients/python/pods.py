"""A pod: awaited, asked for its log, used for a command, and ended."""
from kubernetes import client, stream
from suite import NAMESPACE, first, holds, refused

core = client.CoreV1Api()
container = client.V1Container(
    name="main", image="busybox", image_pull_policy="IfNotPresent", command=["sh", "-c", "echo hello; sleep 3600"]
)
core.create_namespaced_pod(
    NAMESPACE,
    client.V1Pod(
        metadata=client.V1ObjectMeta(name="one"),
        spec=client.V1PodSpec(containers=[container], termination_grace_period_seconds=1),
    ),
)


def is_running(event):
    return event["object"].status.phase == "Running"


running = first(core.list_namespaced_pod, is_running, NAMESPACE, field_selector="metadata.name=one")
holds("runs", bool(running["object"].status.pod_ip))
holds("has a log", core.read_namespaced_pod_log("one", NAMESPACE) != "")
said = stream.stream(
    core.connect_get_namespaced_pod_exec,
    "one",
    NAMESPACE,
    command=["echo", "some", "words"],
    stdin=False,
    stdout=True,
    stderr=True,
    tty=False,
)
holds("runs a command", said.strip() == "some words")
with refused("is bound again", 409, "Conflict"):
    core.create_namespaced_pod_binding(
        "one",
        NAMESPACE,
        client.V1Binding(metadata=client.V1ObjectMeta(name="one"), target=client.V1ObjectReference(name="elsewhere")),
        _preload_content=False,
    )
eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name="one"))
core.create_namespaced_pod_eviction("one", NAMESPACE, eviction, _preload_content=False)
first(
    core.list_namespaced_pod, lambda event: event["type"] == "DELETED", NAMESPACE, field_selector="metadata.name=one"
)
holds("is gone once evicted")
