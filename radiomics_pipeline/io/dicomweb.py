"""An archive of images behind DICOMweb: found by QIDO-RS, fetched by WADO-RS (PS3.18).

Searches go through dicomweb-client. Objects are taken as the bytes that the server sends, in the transfer syntax in
which it keeps them: nothing is decoded and written anew. Certificates are verified. No message holds a UID, an ID, or
the password.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from radiomics_pipeline.errors import ArchiveError, CaseError, StudyError
from radiomics_pipeline.io.dicom.headers import text
from radiomics_pipeline.io.dicom.scan import header, is_dicom
from radiomics_pipeline.io.volumes import VolumeFile

T = TypeVar("T")
Trouble = Literal["unreachable", "denied", "other"]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
ACCEPT = (
    'multipart/related; type="application/dicom"; transfer-syntax=*',
    'multipart/related; type="application/dicom"',
)
"""As kept, or, where a server does not know that, as it likes."""
AGAIN = (408, 429, 502, 503, 504)
"""HTTP status of what may succeed a moment later."""
PAUSE_S = 0.5
"""Before the second attempt; each further one waits twice as long."""
PAGES = 1000
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def _error(message: str, trouble: Trouble = "other") -> ArchiveError:
    found = ArchiveError(message)
    found.trouble, found.stage = trouble, "fetch"
    return found


class _Passing(Exception):
    """Something that may succeed at the next attempt. error : what it is if it does not"""

    def __init__(self, error: ArchiveError) -> None:
        super().__init__()
        self.error = error


@dataclass(frozen=True)
class Server:
    """Where an archive is, and who asks.

    url : of its DICOMweb root, such as https://pacs.example/dicom-web
    token : a bearer token, instead of user and password
    certificates : file of those to trust besides the system's; empty for these alone
    attempts : for each request; timeout_s : for a connection, and for each pause of the server
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    certificates: str = ""
    attempts: int = 3
    timeout_s: tuple[float, float] = (10.0, 120.0)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise StudyError("the server's address must begin with https:// or http://, such as https://pacs/dicom-web")
        if parts.username or parts.password or parts.query:
            raise StudyError("the server's address holds a user, a password or a query; give the plain address")

    @property
    def local(self) -> bool:
        """Whether it runs on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK

    @property
    def note(self) -> str:
        """What speaks against asking it, empty if nothing."""
        if self.local or self.url.startswith("https://"):
            return ""
        return "the server's address is http://: images, and the password, travel unencrypted; ask for https://"


@dataclass(frozen=True)
class FoundStudy:
    """A study in the archive; to ask and to compare, never to be written."""

    uid: str
    patient_id: str
    accession: str
    when: str


@dataclass(frozen=True)
class FoundSeries:
    """A series in the archive. when : date and time, as far as known; number : as the scanner counts"""

    uid: str
    modality: str
    when: str
    number: int


@dataclass(frozen=True)
class FoundInstance:
    """An object in the archive. number : its place in the series"""

    uid: str
    number: int


class Archive:
    """Questions to one server; each thread has a connection of its own, and `with` closes them all."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._own = threading.local()
        self._open: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._open:
            self._open.pop().close()

    def studies(self, *, patient_id: str = "", study_uid: str = "", accession: str = "") -> list[FoundStudy]:
        """The studies with exactly this patient ID, UID and accession number, of which at least one must be given.

        Raises ArchiveError where the server does not answer as it should, StudyError for a pattern instead of an ID.
        """
        asked = {"PatientID": patient_id, "StudyInstanceUID": study_uid, "AccessionNumber": accession}
        asked = {keyword: value.strip() for keyword, value in asked.items() if value.strip()}
        if not asked:
            raise StudyError("no patient ID, study UID or accession number says which study is meant")
        if any("*" in value or "?" in value or "\\" in value for value in asked.values()):
            raise StudyError("a patient ID, study UID or accession number with * or ?; name one study, not a pattern")
        answers = self._search("search_for_studies", "0020000D", search_filters=asked, fields=["AccessionNumber"])
        found = (
            FoundStudy(
                _text(item, "0020000D"), _text(item, "00100020"), _text(item, "00080050"),
                _text(item, "00080020") + _text(item, "00080030"),
            )
            for item in answers
        )  # fmt: skip
        given = {"PatientID": "patient_id", "StudyInstanceUID": "uid", "AccessionNumber": "accession"}
        kept = [s for s in found if all(getattr(s, given[k]) == v for k, v in asked.items())]
        return sorted(kept, key=lambda s: (s.when, s.uid))

    def series(self, study_uid: str) -> list[FoundSeries]:
        """The series of a study, the earliest first."""
        found = (
            FoundSeries(
                _text(item, "0020000E"), _text(item, "00080060"),
                _text(item, "00080021") + _text(item, "00080031"), _number(item, "00200011"),
            )
            for item in self._search(
                "search_for_series", "0020000E", study_instance_uid=study_uid, fields=["SeriesDate", "SeriesTime"]
            )
        )  # fmt: skip
        return sorted(found, key=lambda s: (s.when, s.number, s.uid))

    def instances(self, study_uid: str, series_uid: str) -> list[FoundInstance]:
        """The objects of a series in its order."""
        found = (
            FoundInstance(_text(item, "00080018"), _number(item, "00200013"))
            for item in self._search(
                "search_for_instances", "00080018", study_instance_uid=study_uid, series_instance_uid=series_uid
            )
        )
        return sorted(found, key=lambda i: (i.number, i.uid))

    def instance(self, study_uid: str, series_uid: str, sop_uid: str) -> bytes:
        """One object as a DICOM file; ArchiveError where it does not come whole, or another one comes."""
        for uid in (study_uid, series_uid, sop_uid):
            if not _UID.fullmatch(uid):
                raise _error("the server names an object by what is no UID")
        root = self.server.url.rstrip("/")
        url = f"{root}/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}"
        return self._patiently(lambda: self._retrieved(url, sop_uid))

    def _retrieved(self, url: str, sop_uid: str) -> bytes:
        session = self._client()[0]
        for accept in ACCEPT:
            answer = session.get(url, headers={"Accept": accept}, timeout=self.server.timeout_s)
            if answer.status_code not in (400, 406):
                break
        answer.raise_for_status()
        data = _part(answer.headers.get("Content-Type", ""), answer.content)
        if not is_dicom(data):
            raise _error("the server sent something else than a DICOM object")
        try:
            sent = text(header(_file(data)), "SOPInstanceUID")
        except CaseError:
            raise _error("the server sent a DICOM object that cannot be read") from None
        if sent != sop_uid:
            raise _error("the server sent another object than was asked for")
        return data

    def _search(self, method: str, key: str, **asked: Any) -> Iterator[dict[str, Any]]:
        """All answers, page by page, each once: until a page brings nothing new."""
        seen: set[str] = set()
        for _ in range(PAGES):
            page = self._patiently(partial(self._page, method, offset=len(seen), **asked))
            if not all(isinstance(item, dict) for item in page):
                raise _error(NOT_DICOMWEB, "denied")
            new = [item for item in page if _text(item, key) and _text(item, key) not in seen]
            yield from new
            seen |= {_text(item, key) for item in new}
            if not new:
                return

    def _page(self, method: str, **asked: Any) -> list[Any]:
        found: list[Any] = getattr(self._client()[1], method)(**asked)
        return found

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask, and again a few times where it may help; ArchiveError in the end."""
        for attempt in range(1, self.server.attempts + 1):
            try:
                return self._once(ask)
            except _Passing as passing:
                if attempt == self.server.attempts:
                    raise passing.error from None
                time.sleep(PAUSE_S * 2 ** (attempt - 1))
        raise AssertionError("attempts is at least 1")

    def _once(self, ask: Callable[[], T]) -> T:
        """Ask once; what goes wrong in words that name neither ID nor UID."""
        import requests

        try:
            return ask()
        except requests.exceptions.SSLError:
            raise _error(
                "the server's certificate cannot be verified; name the file of your house's certificates with --ca",
                "unreachable",
            ) from None
        except requests.exceptions.Timeout:
            raise _Passing(_error("the server does not answer in time; try again later", "unreachable")) from None
        except requests.exceptions.HTTPError as error:
            answer = error.response
            if answer is None:
                raise _error(NOT_DICOMWEB, "denied") from None
            searching = urlsplit(answer.url).path.endswith("/studies")
            raise _of_status(answer.status_code, searching=searching) from None
        except requests.exceptions.JSONDecodeError:
            raise _error(NOT_DICOMWEB, "denied") from None
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError):
            words = "no connection to the server, or it broke off; is it up, are address and port right?"
            raise _Passing(_error(words, "unreachable")) from None
        except (requests.exceptions.RequestException, ValueError, KeyError):
            raise _error(NOT_DICOMWEB, "denied") from None

    def _client(self) -> tuple[Any, Any]:
        """Session and client of this thread."""
        if not hasattr(self._own, "client"):
            self._own.client = _connected(self.server)
            self._open.append(self._own.client[0])
        found: tuple[Any, Any] = self._own.client
        return found


ROOT = "the address must be that of its DICOMweb root, such as .../dicom-web"
NOT_DICOMWEB = f"the server answers, but not as DICOMweb; {ROOT}"


def _connected(server: Server) -> tuple[Any, Any]:
    import requests
    from dicomweb_client.api import DICOMwebClient
    from requests.auth import HTTPBasicAuth

    logging.getLogger("dicomweb_client").setLevel(logging.CRITICAL)  # it logs UIDs
    session = requests.Session()
    session.trust_env = not server.local  # no proxy lies between a machine and itself
    if server.certificates:
        session.verify = server.certificates
    if server.token:
        session.headers["Authorization"] = f"Bearer {server.token}"
        session.auth = _as_is
    elif server.user:
        session.auth = HTTPBasicAuth(server.user.encode(), server.password.encode())
    session.hooks["response"].append(_refuse_pages)
    client = DICOMwebClient(server.url.rstrip("/"), session=session, permissive_uid=True, timeout=server.timeout_s)
    client.set_http_retry_params(retry=False)
    return session, client


def _as_is(request: Any) -> Any:
    """No other credentials than the header's, such as those of a file .netrc."""
    return request


def _refuse_pages(answer: Any, *_: Any, **__: Any) -> None:
    """ArchiveError where a web page comes, such as a form to log in, with a status as if all were well."""
    if answer.ok and "html" in answer.headers.get("Content-Type", "").lower():
        answer.close()
        raise _error(f"a web page came instead of DICOM: {NOT_DICOMWEB}", "denied")


def _of_status(status: int, *, searching: bool) -> Exception:
    """What an HTTP status means here. searching : for studies, to which every DICOMweb root has an answer"""
    if status == 401:
        return _error("the server does not accept user and password (401)", "denied")
    if status == 403:
        return _error("the server does not let this user see what was asked for (403)", "denied")
    if status == 404:
        return _error(f"the server has nothing there (404); {ROOT}", "denied" if searching else "other")
    error = _error(f"the server answers with HTTP status {status}", "unreachable" if status in AGAIN else "other")
    return _Passing(error) if status in AGAIN else error


def _part(kind: str, body: bytes) -> bytes:
    """The first part of a multipart answer; where a server sends the object alone, that."""
    boundary = re.search(r'boundary="?([^";]+)"?', kind)
    if not kind.lower().startswith("multipart/") or not boundary:
        return body
    mark = b"--" + boundary[1].strip().encode()
    start = body.find(mark)
    begin = body.find(b"\r\n\r\n", start)
    end = body.find(b"\r\n" + mark, begin)
    if min(start, begin, end) < 0 or body.rstrip()[-len(mark) - 2 :] != mark + b"--":
        raise _Passing(_error("an object came in part only; the connection broke off", "unreachable"))
    return body[begin + 4 : end]


def _file(data: bytes) -> VolumeFile:
    from pathlib import Path

    return VolumeFile(Path(), "an object of the server", data)


def _text(item: dict[str, Any], tag: str) -> str:
    """The first value of an element in DICOM JSON as text, empty where there is none."""
    values = item.get(tag, {}).get("Value") or [""]
    return str(values[0] if values[0] is not None else "").strip(" \0")


def _number(item: dict[str, Any], tag: str) -> int:
    """A whole number; 0 where there is none."""
    try:
        return int(float(_text(item, tag)))
    except ValueError:
        return 0
