"""A real Orthanc on loopback, started by a test and stopped with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

USER, PASSWORD = "test", "test"
PLUGINS = ("/usr/share/orthanc/plugins", "/usr/lib/orthanc", "/usr/local/share/orthanc/plugins")
READY_S, STOP_S = 60.0, 20.0


def program() -> tuple[str, str]:
    """Orthanc and its DICOMweb plug-in; the test is skipped where one is absent."""
    found = shutil.which("Orthanc") or next(
        (p for p in ("/usr/sbin/Orthanc", "/usr/bin/Orthanc") if Path(p).is_file()), ""
    )
    plugins = [p for folder in PLUGINS for p in sorted(Path(folder).glob("libOrthancDicomWeb.so*"))]
    if not found or not plugins:
        lacking = "Orthanc" if not found else "Orthanc's DICOMweb plug-in"
        pytest.skip(f"{lacking} is not installed (Debian: apt-get install orthanc orthanc-dicomweb)")
    return found, str(plugins[0])


@dataclass
class Orthanc:
    """A running server. folder : of its data; port : on loopback"""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Its DICOMweb root."""
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def store(self, *files: Path) -> None:
        """Put DICOM files into it."""
        for file in files:
            self.ask("/instances", file.read_bytes())

    def ask(self, path: str, data: bytes | None = None) -> bytes:
        """What it answers to a request of its own interface."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data)
        request.add_header("Authorization", "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            body: bytes = answer.read()
        return body

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and what it has started, and wait until it has gone."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(STOP_S)


@contextmanager
def orthanc(folder: Path, port: int = 0) -> Iterator[Orthanc]:
    """A server that keeps its data in a folder, ready to answer; it is stopped in the end, whatever happens."""
    server = start(folder, port or free_port())
    try:
        yield server
    finally:
        server.stop()


def start(folder: Path, port: int) -> Orthanc:
    """Start a server, and wait until it answers."""
    binary, plugin = program()
    (folder / "db").mkdir(parents=True, exist_ok=True)
    settings = {
        "StorageDirectory": "db",
        "IndexDirectory": "db",
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "DicomServerEnabled": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [plugin],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), "utf-8")
    with (folder / "orthanc.log").open("ab") as log:
        process = subprocess.Popen(
            [binary, "orthanc.json"],
            cwd=folder,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    server = Orthanc(folder, port, process)
    try:
        _await(server)
    except BaseException:
        server.stop(signal.SIGKILL)
        raise
    return server


def _await(server: Orthanc) -> None:
    """Until it answers as DICOMweb."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if server.process.poll() is not None:
            log = (server.folder / "orthanc.log").read_text("utf-8", "replace")
            pytest.fail(f"Orthanc ended with {server.process.returncode}: {log[-1000:]}")
        try:
            server.ask("/dicom-web/studies")
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"Orthanc did not answer within {READY_S:g} s")


def free_port() -> int:
    """A port of loopback that nobody listens to."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
