"""What the synchronous client does without a cluster, and with a small one on this machine."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "image": "nginx", "ports": [{"containerPort": 80}]}]},
}


class _Cluster(BaseHTTPRequestHandler):
    """Answers a list of pods and every creation."""

    def do_GET(self) -> None:
        self._answer({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": [POD]})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


def client() -> object:
    """Calls of the client to a small server, models to and from JSON, and the names of all APIs."""
    from kubernetes import client, config, dynamic, utils, watch

    server = HTTPServer(("127.0.0.1", 0), _Cluster)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
    api = client.ApiClient(settings)
    core = client.CoreV1Api(api)
    pods = core.list_namespaced_pod("default")
    made = core.create_namespaced_pod("default", client.V1Pod(metadata=client.V1ObjectMeta(name="two")))
    server.shutdown()
    return {
        "pods": [pod.to_dict() for pod in pods.items],
        "made": api.sanitize_for_serialization(made),
        "names": sorted(name for name in dir(client) if not name.startswith("_")),
        "quantity": str(utils.parse_quantity("1.5Gi")),
        "parts": [dynamic.DynamicClient.__name__, watch.Watch.__name__, config.load_kube_config.__name__],
    }
