"""What every script works with: who it is, where it works, and how it says what holds.

usage: python3 SCRIPT.py KUBECONFIG NAMESPACE
Prints a line for each thing that holds; ends with an exception at the first that does not.
"""
import contextlib
import sys

from kubernetes import config, watch
from kubernetes.client import ApiException

KUBECONFIG, NAMESPACE = sys.argv[1:3]

config.load_kube_config(config_file=KUBECONFIG)


def holds(what, is_so=True):
    """Says that something holds, or ends the script."""
    if not is_so:
        raise AssertionError(what)
    print(f"ok {what}", flush=True)


@contextlib.contextmanager
def refused(what, status, reason):
    """The block must be refused with this status and reason phrase."""
    try:
        yield
    except ApiException as error:
        holds(f"{what}: {error.status} {error.reason}", (error.status, error.reason) == (status, reason))
    else:
        raise AssertionError(f"{what}: was not refused")


def first(watched, accepts, *args, **kwargs):
    """The first event of a watch that is accepted."""
    stream = watch.Watch()
    for event in stream.stream(watched, *args, timeout_seconds=60, **kwargs):
        if accepts(event):
            stream.stop()
            return event
    raise AssertionError("the watch ended before the event came")
