"""A custom kind: defined, used through the custom objects API and the dynamic client, and removed."""
from kubernetes import client, dynamic
from suite import NAMESPACE, first, holds, refused

GROUP = f"{NAMESPACE}.python.example.com"
PLURAL = "widgets"
extensions = client.ApiextensionsV1Api()
custom = client.CustomObjectsApi()
schema = client.V1JSONSchemaProps(
    type="object",
    properties={
        "spec": client.V1JSONSchemaProps(
            type="object", required=["size"], properties={"size": client.V1JSONSchemaProps(type="integer", minimum=1)}
        ),
        "status": client.V1JSONSchemaProps(type="object", x_kubernetes_preserve_unknown_fields=True),
    },
)
extensions.create_custom_resource_definition(
    client.V1CustomResourceDefinition(
        metadata=client.V1ObjectMeta(name=f"{PLURAL}.{GROUP}"),
        spec=client.V1CustomResourceDefinitionSpec(
            group=GROUP,
            scope="Namespaced",
            names=client.V1CustomResourceDefinitionNames(plural=PLURAL, singular="widget", kind="Widget"),
            versions=[
                client.V1CustomResourceDefinitionVersion(
                    name="v1",
                    served=True,
                    storage=True,
                    schema=client.V1CustomResourceValidation(open_apiv3_schema=schema),
                    subresources=client.V1CustomResourceSubresources(status={}),
                )
            ],
        ),
    )
)


def is_established(event):
    conditions = event["object"].status and event["object"].status.conditions or []
    return any(one.type == "Established" and one.status == "True" for one in conditions)


try:
    first(
        extensions.list_custom_resource_definition, is_established, field_selector=f"metadata.name={PLURAL}.{GROUP}"
    )
    place = (GROUP, "v1", NAMESPACE, PLURAL)
    widget = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": {"size": 1}}
    made = custom.create_namespaced_custom_object(*place, widget)
    holds("created", made["metadata"]["generation"] == 1)
    with refused("created against its schema", 422, "Unprocessable Entity"):
        custom.create_namespaced_custom_object(*place, {**widget, "metadata": {"name": "two"}, "spec": {"size": 0}})
    holds("listed", len(custom.list_namespaced_custom_object(*place)["items"]) == 1)
    made["spec"]["size"] = 2
    holds("replaced", custom.replace_namespaced_custom_object(*place, "one", made)["spec"] == {"size": 2})
    holds("patched", custom.patch_namespaced_custom_object(*place, "one", {"spec": {"size": 3}})["spec"] == {"size": 3})
    status = custom.patch_namespaced_custom_object_status(*place, "one", {"status": {"phase": "Done"}})
    holds("status patched", status["status"] == {"phase": "Done"} and status["spec"] == {"size": 3})
    event = first(custom.list_namespaced_custom_object, lambda event: event["type"] == "ADDED", *place)
    holds("watched", event["object"]["metadata"]["name"] == "one")

    widgets = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version=f"{GROUP}/v1", kind="Widget")
    holds("found by discovery", widgets.namespaced and "watch" in widgets.verbs)
    holds("read dynamically", widgets.get(name="one", namespace=NAMESPACE).status.phase == "Done")
    names = [event["object"].metadata.name for event in widgets.watch(namespace=NAMESPACE, timeout=1)]
    holds("watched dynamically", names == ["one"])
    widgets.delete(name="one", namespace=NAMESPACE)
    with refused("read when it is gone", 404, "Not Found"):
        custom.get_namespaced_custom_object(*place, "one")
finally:
    extensions.delete_custom_resource_definition(f"{PLURAL}.{GROUP}")
