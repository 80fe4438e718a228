"""OpenTelemetry exporter: pushes the hub's numbers and traces to a collector, as OTLP over HTTP.

OpenTelemetry is an extra, ``hubbub[opentelemetry]``; it is imported when an exporter is created, not with this module.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from hub import __version__
from hub.errors import HubError
from hub.extra import Extra
from hub.interfaces import ExporterContext, Tracer
from hub.settings import Duration, FilePath, SecretRef, Settings, setting

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

EXTRA = Extra(
    "an exporter of the type opentelemetry",
    "opentelemetry",
    ("opentelemetry.exporter.otlp.proto.http.metric_exporter", "opentelemetry.sdk.resources"),
)
LONGEST_TEXT = 8192
"""Characters of a span's attribute: a traceback's length is otherwise unbounded."""


class OpenTelemetryConfig(Settings):
    """Settings of the collector's address, of the data sent, and of the resource's names."""

    endpoint: str = setting(
        "http://127.0.0.1:4318",
        "URL of the collector's OTLP over HTTP, without /v1/traces and /v1/metrics.",
        pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$",
    )
    traces: bool = setting(True, "Send a span for each call of a consumer.")
    metrics: bool = setting(True, "Send the numbers of the status, every interval.")
    sample: float = setting(
        1.0,
        "Share of the traces beginning here that is recorded. A trace that comes with a message is recorded if its "
        "sender records it.",
        ge=0.0,
        le=1.0,
    )
    service_name: str = setting("hubbub", "service.name of the resource.", min_length=1, max_length=255)
    instance: str | None = setting(
        None,
        "service.instance.id of the resource. Unset: this machine's name.",
        example="hub-1",
        min_length=1,
        max_length=255,
    )
    authorization: SecretRef | None = setting(
        None, "Value of the Authorization header: file:/path or credential:name.", example="file:/etc/hubbub/otlp-token"
    )
    certificate_file: FilePath | None = setting(
        None, "CA of the collector's certificate (PEM). Unset: the system's CAs.", example="/etc/hubbub/otlp-ca.pem"
    )
    timeout: Duration = setting("5s", "Time that a request may take, with its retries.", gt=0)

    def contradictions(self) -> Iterator[str]:
        """Yield the combination that sends nothing."""
        if not self.traces and not self.metrics:
            yield "traces and metrics are both false: there is nothing to send"


class NotTakenError(HubError):
    """Refusal of the numbers by the collector. The export thread counts it; the SDK logs the reason."""


class OpenTelemetryPush:
    """Push metrics with each snapshot, and spans in a thread of the SDK.

    :raises MissingExtra: OpenTelemetry is not installed.
    :raises ConfigError: the secret can't be read.
    """

    Config: ClassVar[type[Settings]] = OpenTelemetryConfig

    def __init__(self, context: ExporterContext) -> None:
        EXTRA.check()
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.resources import Resource

        self._config: OpenTelemetryConfig = context.config
        instance = self._config.instance or socket.gethostname()
        names = {"service.name": self._config.service_name, "service.version": __version__}
        self._resource: Resource = Resource.create({**names, "service.instance.id": instance})
        self._metrics = OTLPMetricExporter(**self._sending("metrics")) if self._config.metrics else None
        self._provider: TracerProvider | None = None

    @classmethod
    def needed_extras(cls, config: OpenTelemetryConfig) -> Iterable[Extra]:
        """Return that of OpenTelemetry; see :class:`hub.interfaces.NeedingExtras`."""
        return [EXTRA]

    def _sending(self, what: str) -> dict[str, Any]:
        """Arguments that both kinds of OTLP exporters share."""
        config = self._config
        return {
            "endpoint": f"{config.endpoint.rstrip('/')}/v1/{what}",
            "headers": {"authorization": config.authorization.read()} if config.authorization else None,
            "certificate_file": str(config.certificate_file) if config.certificate_file else None,
            "timeout": config.timeout,
        }

    def tracer(self) -> Tracer | None:
        """Tracer for the hub; see :class:`hub.interfaces.Tracer`.

        The first one becomes the process's global tracer provider, unless a consumer has set one: so libraries that a
        consumer has instrumented send their spans the same way.
        """
        if not self._config.traces:
            return None
        from opentelemetry import trace

        from hub.monitoring.opentelemetry_traces import ConsumerTracer

        self._provider = provider = self._make_provider()
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            trace.set_tracer_provider(provider)
        return ConsumerTracer(provider)

    def _make_provider(self) -> TracerProvider:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import SpanLimits, TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(self._config.sample)),
            resource=self._resource,
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_attribute_length=LONGEST_TEXT),
        )
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**self._sending("traces"))))
        return provider

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send a snapshot. :raises NotTakenError: it was not accepted; the next one contains the same counters."""
        if self._metrics is None:
            return
        from opentelemetry.sdk.metrics.export import MetricExportResult

        from hub.monitoring.opentelemetry_metrics import metrics_of

        if self._metrics.export(metrics_of(snapshot, self._resource)) is not MetricExportResult.SUCCESS:
            raise NotTakenError(f"{self._config.endpoint} did not take the numbers")

    def close(self) -> None:
        """Send the waiting spans, then shut down."""
        if self._provider is not None:
            self._provider.shutdown()
        if self._metrics is not None:
            self._metrics.shutdown()
