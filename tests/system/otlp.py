"""A receiver of OTLP over HTTP, by OpenTelemetry's official definitions, on a free port."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Receiver:
    """``with Receiver() as receiver:``. Keeps all that it is sent.

    :ivar tokens: the Authorization of each request.
    """

    def __init__(self) -> None:
        self.traces: list[Any] = []
        self.metrics: list[Any] = []
        self.tokens: list[str | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def spans(self, name: str) -> list[Any]:
        """Of that name."""
        return [
            span
            for request in list(self.traces)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if span.name == name
        ]

    def numbers(self, name: str) -> list[tuple[dict[str, str], float]]:
        """All points of the metric of that name, in the order in which they came."""
        return list(self._numbers(name))

    def _numbers(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        for request in list(self.metrics):
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        if metric.name == name:
                            data = getattr(metric, metric.WhichOneof("data"))
                            for point in data.data_points:
                                yield attributes(point), getattr(point, point.WhichOneof("value"))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kinds: dict[str, tuple[list[Any], Any, Any]] = {
                    "/v1/traces": (receiver.traces, ExportTraceServiceRequest, ExportTraceServiceResponse),
                    "/v1/metrics": (receiver.metrics, ExportMetricsServiceRequest, ExportMetricsServiceResponse),
                }
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path not in kinds or self.headers["Content-Type"] != "application/x-protobuf":
                    self.send_error(404)
                    return
                kept, request, response = kinds[self.path]
                kept.append(request.FromString(body))
                receiver.tokens.append(self.headers.get("Authorization"))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(response().SerializeToString())

            def log_message(self, format: str, *arguments: object) -> None:
                """The tests' output is for the tests."""

        return Handler


def attributes(holder: Any) -> dict[str, Any]:
    """Of a point, a span or a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in holder.attributes}
