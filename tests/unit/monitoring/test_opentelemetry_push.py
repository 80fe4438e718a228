"""The exporter itself, without a collector."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.errors import MissingExtra
from hub.interfaces import ExporterContext
from hub.monitoring.opentelemetry_push import NotTakenError, OpenTelemetryConfig, OpenTelemetryPush
from hub.settings import Secret
from tests.support import ROOT, free_port
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.snapshots import snapshot


def push(**settings: Any) -> OpenTelemetryPush:
    return OpenTelemetryPush(ExporterContext("otel", OpenTelemetryConfig(**settings), 10.0, RecordingLog()))


def test_without_opentelemetry_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    with pytest.raises(MissingExtra, match=r"pip install 'hubbub\[opentelemetry\]'"):
        push()


def test_its_module_is_imported_without_opentelemetry() -> None:
    code = "import sys; import hub.monitoring.opentelemetry_push; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"endpoint": "127.0.0.1:4318"},
        {"endpoint": "http://ann:hunter2@collector:4318"},
        {"sample": 1.5},
        {"sample": -0.1},
        {"traces": False, "metrics": False},
        {"timeout": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OpenTelemetryConfig(**settings)


def test_a_collector_that_is_not_there_is_an_error_of_the_export() -> None:
    exporter = push(endpoint=f"http://127.0.0.1:{free_port()}", timeout="100ms", traces=False)
    with pytest.raises(NotTakenError, match="did not take"):
        exporter.export(snapshot())
    assert exporter.tracer() is None
    exporter.close()


def test_without_metrics_nothing_is_sent() -> None:
    exporter = push(endpoint=f"http://127.0.0.1:{free_port()}", metrics=False)
    exporter.export(snapshot())
    exporter.close()


def test_both_signals_have_their_path_and_the_secret_is_a_header(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer s3cret\n")
    exporter = push(endpoint="https://collector/otlp/", authorization=Secret(f"file:{tmp_path}/token"), timeout="2s")
    sending = exporter._sending("traces")
    assert (sending["endpoint"], sending["timeout"]) == ("https://collector/otlp/v1/traces", 2.0)
    assert sending["headers"] == {"authorization": "Bearer s3cret"}
    exporter.close()
