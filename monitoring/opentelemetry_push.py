"""Pushes the hub's numbers and its traces to an OpenTelemetry collector, as OTLP over HTTP.

OpenTelemetry is an extra, ``hubbub[opentelemetry]``; it is imported when an exporter is made, not with this module.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import model_validator

from hub import __version__
from hub.errors import HubError, MissingExtra
from hub.interfaces import ExporterContext, Tracer
from hub.settings import Duration, FilePath, SecretRef, Settings, setting

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

LONGEST_TEXT = 8192
"""Characters of a span's attribute: a traceback has no bound of its own."""


class OpenTelemetryConfig(Settings):
    """Where the collector listens, what it is sent, and who we are there."""

    endpoint: str = setting(
        "http://127.0.0.1:4318",
        "Where it takes OTLP over HTTP; /v1/traces and /v1/metrics come behind it.",
        pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$",
    )
    traces: bool = setting(True, "Whether each call of a consumer is a span.")
    metrics: bool = setting(True, "Whether the numbers of the status are sent, every interval.")
    sample: float = setting(
        1.0,
        "The share of the traces that begin here which are recorded. One that comes with a message is recorded if its "
        "sender said so.",
        ge=0.0,
        le=1.0,
    )
    service_name: str = setting("hubbub", "The resource's service.name.", min_length=1, max_length=255)
    instance: str | None = setting(
        None, "Its service.instance.id. Unset: this machine's name.", example="hub-1", min_length=1, max_length=255
    )
    authorization: SecretRef | None = setting(
        None, "What is sent as Authorization: file:/path or credential:name.", example="file:/etc/hubbub/otlp-token"
    )
    certificate_file: FilePath | None = setting(
        None, "Who signed the collector's certificate (PEM). Unset: the usual ones.", example="/etc/hubbub/otlp-ca.pem"
    )
    timeout: Duration = setting("5s", "How long a request may take, with its repetitions.", gt=0)

    @model_validator(mode="after")
    def _something(self) -> OpenTelemetryConfig:
        if not self.traces and not self.metrics:
            raise ValueError("traces and metrics are both false: there is nothing to send")
        return self


class NotTakenError(HubError):
    """The collector did not take the numbers. Met by the export thread, which counts it; the log says why."""


class OpenTelemetryPush:
    """Sends metrics when it is given a snapshot, and spans in a thread of the SDK's own.

    :raises MissingExtra: OpenTelemetry is not installed.
    :raises ConfigError: the secret can't be read.
    """

    Config: ClassVar[type[Settings]] = OpenTelemetryConfig

    def __init__(self, context: ExporterContext) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.resources import Resource
        except ModuleNotFoundError as error:
            raise MissingExtra("an exporter of the type opentelemetry", "opentelemetry") from error
        self._config: OpenTelemetryConfig = context.config
        instance = self._config.instance or socket.gethostname()
        names = {"service.name": self._config.service_name, "service.version": __version__}
        self._resource: Resource = Resource.create({**names, "service.instance.id": instance})
        self._metrics = OTLPMetricExporter(**self._sending("metrics")) if self._config.metrics else None
        self._provider: TracerProvider | None = None

    def _sending(self, what: str) -> dict[str, Any]:
        """What both kinds of senders are told."""
        config = self._config
        return {
            "endpoint": f"{config.endpoint.rstrip('/')}/v1/{what}",
            "headers": {"authorization": config.authorization.read()} if config.authorization else None,
            "certificate_file": str(config.certificate_file) if config.certificate_file else None,
            "timeout": config.timeout,
        }

    def tracer(self) -> Tracer | None:
        """What the hub traces with; see :class:`hub.interfaces.Tracer`.

        The first one is the process's own too, unless a consumer has set one: so the libraries that a consumer has
        instrumented send their spans the same way.
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
        """Send one snapshot. :raises NotTakenError: it did not arrive; the next one has all that this one had."""
        if self._metrics is None:
            return
        from opentelemetry.sdk.metrics.export import MetricExportResult

        from hub.monitoring.opentelemetry_metrics import metrics_of

        if self._metrics.export(metrics_of(snapshot, self._resource)) is not MetricExportResult.SUCCESS:
            raise NotTakenError(f"{self._config.endpoint} did not take the numbers")

    def close(self) -> None:
        """Send the spans that wait, then end."""
        if self._provider is not None:
            self._provider.shutdown()
        if self._metrics is not None:
            self._metrics.shutdown()
