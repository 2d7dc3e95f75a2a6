"""Studies fetched from a real Orthanc on loopback; and from a server that answers as a server should not."""

from __future__ import annotations

import http.server
import json
import signal
import threading
import time
from contextlib import ExitStack, contextmanager

import numpy as np
import pydicom
import pytest
import typer

from radiomics_pipeline.batch import fetch as module
from radiomics_pipeline.batch.cases import find_study
from radiomics_pipeline.batch.fetch import Wanted, fetch, read_list, read_salt
from radiomics_pipeline.cli.fetch import PASSWORD as VARIABLE
from radiomics_pipeline.cli.fetch import fetch as command
from radiomics_pipeline.errors import StudyError
from radiomics_pipeline.io import dicomweb
from radiomics_pipeline.io.dicom.objects import Made
from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.dicom.write_seg import Mask, write_seg
from radiomics_pipeline.io.dicomweb import Archive, ArchiveError, Server
from tests.dicom import uid, volume_files, write_series
from tests.orthanc import PASSWORD, USER, free_port, orthanc, start

SALT = bytes(range(32))
FIRST, SECOND = (
    {"PatientID": "SECRET-1", "PatientName": "Qzxw^One"},
    {"PatientID": "SECRET-2", "PatientName": "Qzxw^Two"},
)


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """No waiting between attempts; and every archive that a test opens is closed."""
    monkeypatch.setattr(dicomweb, "PAUSE_S", 0.01)
    with ExitStack() as stack:
        real = Archive.__init__

        def remembered(self, server):
            real(self, server)
            stack.push(self)

        monkeypatch.setattr(Archive, "__init__", remembered)
        yield


def write_archive(folder):
    """Two patients: one with two PET series, a CT and a segmentation, the other with a PET; files by patient."""
    from datetime import UTC, datetime

    array = np.random.default_rng(0).random((6, 8, 9)) * 1e4
    one, two = {"StudyInstanceUID": uid("one")}, {"StudyInstanceUID": uid("two"), "AccessionNumber": "ACC2"}
    late = {**one, "SeriesTime": "120000.000000"}
    write_series(folder / "1/PET", array, tags=one, patient=FIRST, series="1")
    write_series(folder / "1/late", array[:4] * 2, tags=late, patient=FIRST, series="1 late")
    write_series(folder / "1/CT", array / 10, modality="CT", tags=one, patient=FIRST, series="1")
    write_series(
        folder / "1/MR", array[:2], modality="CT", tags={**one, "Modality": "MR"}, patient=FIRST, series="1 mr"
    )
    image = read_series(volume_files(folder / "1/PET"), "PET")
    made = Made(datetime(2025, 1, 1, tzinfo=UTC))
    write_seg([Mask(1, "tumour", image.array > 5e3)], image, folder / "1/seg.dcm", made=made)
    write_series(folder / "2/PET", array[:5], tags=two, patient=SECOND, series="2")
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, files):
    with orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        running.store(*(path for path in files.rglob("*.dcm")))
        yield running


def archive_of(server, **options):
    return Archive(Server(server.url, USER, PASSWORD, **options))


def by_uid(folder):
    """Every DICOM file below a folder by the UID of its object."""
    return {pydicom.dcmread(p, specific_tags=["SOPInstanceUID"]).SOPInstanceUID: p for p in folder.rglob("*.dcm")}


def test_a_study_comes_byte_for_byte_into_folders_by_modality_and_time(server, files, tmp_path):
    found = fetch(archive_of(server), [Wanted(patient_id="SECRET-1", case="P1")], tmp_path, salt=SALT)
    assert not found.failures
    assert {(s.series, s.modality, s.instances, s.fetched) for s in found.series} == {
        ("PET", "PT", 6, 6), ("PET-2", "PT", 4, 4), ("CT", "CT", 6, 6), ("masks", "SEG", 1, 1),
    }  # fmt: skip
    sent, came = by_uid(files / "1"), by_uid(tmp_path)
    assert set(sent) - set(came) == {u for u, p in sent.items() if p.parent.name == "MR"}
    assert all(came[key].read_bytes() == sent[key].read_bytes() for key in came)
    for folder, source in (("PET", "PET"), ("PET-2", "late"), ("CT", "CT")):
        assert sorted(p.name for p in (tmp_path / "P1" / folder).iterdir())[:2] == ["0001.dcm", "0002.dcm"]
        got, put = (read_series(volume_files(f), "x") for f in (tmp_path / "P1" / folder, files / "1" / source))
        assert np.array_equal(got.array, put.array)
    assert [p.name for p in (tmp_path / "P1/masks").iterdir()] == ["SEG-0001.dcm"]


def test_the_folder_is_a_study(server, tmp_path):
    fetch(archive_of(server), [Wanted(patient_id="SECRET-1"), Wanted(accession="ACC2")], tmp_path, salt=SALT)
    study = find_study(tmp_path)
    assert len(study.cases) == 2
    assert {files.series for case in study.cases for files in case.series} == {"PET", "PET-2", "CT"}


def test_what_is_there_is_not_fetched_again_and_what_is_damaged_is(server, tmp_path):
    wanted = [Wanted(patient_id="SECRET-1", case="P1")]
    fetch(archive_of(server), wanted, tmp_path, salt=SALT)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.dcm")}
    (tmp_path / "P1/PET/0002.dcm").write_bytes(b"")
    (tmp_path / "P1/PET/0003.dcm").unlink()
    again = fetch(archive_of(server), wanted, tmp_path, salt=SALT)
    assert {s.series: s.fetched for s in again.series} == {"PET": 2, "PET-2": 0, "CT": 0, "masks": 0}
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.dcm")} == before
    assert not list(tmp_path.rglob("*.part"))


def test_cases_are_named_by_salted_hashes_and_nothing_of_ours_names_the_patient(server, tmp_path):
    for folder, salt in (("a", SALT), ("b", SALT), ("c", SALT[::-1])):
        fetch(archive_of(server), [Wanted(patient_id="SECRET-2")], tmp_path / folder, salt=salt)
    names = [next(p.name for p in (tmp_path / f).iterdir() if p.name.startswith("C-")) for f in "abc"]
    assert names[0] == names[1] != names[2]
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix != ".dcm":
            text = path.read_text("utf-8")
            assert not any(word in text for word in ("SECRET", "Qzxw", "ACC2", "1.2.826", "20240115"))


@pytest.mark.parametrize("wanted", [{"study_uid": uid("two")}, {"accession": "ACC2"}, {"patient_id": "SECRET-2"}])
def test_a_study_is_found_by_each_of_its_names(server, tmp_path, wanted):
    found = fetch(archive_of(server), [Wanted(**wanted)], tmp_path, salt=SALT)
    assert [(s.series, s.instances) for s in found.series] == [("PET", 5)]


def test_only_the_modalities_asked_for_come(server, tmp_path):
    wanted = [Wanted(patient_id="SECRET-1", case="P1")]
    found = fetch(archive_of(server), wanted, tmp_path, salt=SALT, modalities=["CT"])
    assert [s.series for s in found.series] == ["CT"]
    found = fetch(archive_of(server), [Wanted(accession="ACC2", case="P2")], tmp_path, salt=SALT, modalities=["NM"])
    assert [f.message for f in found.failures] == ["the study has no series of NM"]


def test_a_study_that_is_not_there_costs_only_itself(server, tmp_path):
    wanted = [Wanted(patient_id="NOBODY-7", case="P0"), Wanted(accession="ACC2", case="P2")]
    found = fetch(archive_of(server), wanted, tmp_path, salt=SALT)
    assert [s.case for s in found.series] == ["P2"]
    (failure,) = found.failures
    assert failure.case == "P0"
    assert "the archive has no such study" in failure.message
    assert "NOBODY" not in (tmp_path / "fetch_failures.csv").read_text()


def test_a_name_is_not_given_to_two_studies(server, tmp_path):
    fetch(archive_of(server), [Wanted(patient_id="SECRET-1", case="P1")], tmp_path, salt=SALT)
    found = fetch(archive_of(server), [Wanted(patient_id="SECRET-2", case="P1")], tmp_path, salt=SALT)
    assert "another study under that name" in found.failures[0].message


def test_two_studies_of_one_patient_are_pointed_out(server, files, tmp_path):
    array = np.ones((2, 4, 4))
    for name in ("first", "second"):
        tags = {"StudyInstanceUID": uid("of three", name)}
        server.store(*write_series(tmp_path / name, array, tags=tags, patient={"PatientID": "SECRET-3"}, series=name))
    found = fetch(archive_of(server), [Wanted(patient_id="SECRET-3", case="P3")], tmp_path / "s", salt=SALT)
    assert [s.case for s in found.series] == ["P3", "P3-2"]
    assert len({s.patient for s in found.series}) == 1
    assert any("cases P3, P3-2 are of one patient" in note for note in found.notes)


@pytest.mark.parametrize("pattern", ["SECRET-*", "SECRET-?", ""])
def test_a_pattern_is_no_patient(server, tmp_path, pattern):
    with pytest.raises(StudyError, match=r"not a pattern|no patient ID"):
        fetch(archive_of(server), [Wanted(patient_id=pattern)], tmp_path, salt=SALT)


# Servers that cannot be used


def refusal(url, tmp_path, **options):
    archive = Archive(Server(url, **{"user": USER, "password": PASSWORD, **options}))
    with pytest.raises(ArchiveError) as found:
        fetch(archive, [Wanted(patient_id="SECRET-1")], tmp_path, salt=SALT)
    assert not any(word in str(found.value) for word in ("SECRET", PASSWORD + "word", "127.0.0.1"))
    return str(found.value)


def test_a_wrong_password_is_said_to_be_one(server, tmp_path):
    assert "user and password (401)" in refusal(server.url, tmp_path, password="wrong")
    assert "user and password (401)" in refusal(server.url, tmp_path, user="", password="")


def test_an_address_that_is_no_dicomweb_root_is_said_to_be_one(server, tmp_path):
    for address in (server.url.replace("/dicom-web", ""), server.url + "/nothing"):
        assert "DICOMweb root" in refusal(address, tmp_path)


def test_a_server_that_is_not_there_is_said_not_to_be(tmp_path):
    started = time.monotonic()
    assert "no connection" in refusal(f"http://127.0.0.1:{free_port()}/dicom-web", tmp_path)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "address", ["127.0.0.1/dicom-web", "ftp://127.0.0.1/x", "http://me:pw@127.0.0.1/x", "http:///x"]
)
def test_an_address_that_is_none_or_holds_a_password_is_refused(address):
    with pytest.raises(StudyError, match="address"):
        Server(address)


def test_an_address_without_encryption_is_noted_unless_it_is_this_machine():
    assert "unencrypted" in Server("http://pacs.example/dicom-web").note
    assert not Server("https://pacs.example/dicom-web").note
    assert not Server("http://127.0.0.1:8042/dicom-web").note


def test_the_password_is_not_shown():
    assert "hidden" not in repr(Server("https://pacs.example", "me", "hidden", "hidden"))


class _Odd(http.server.BaseHTTPRequestHandler):
    """Answers in the way that the first part of the path names."""

    tries = 0

    def do_GET(self):
        kind = self.path.split("/")[1]
        if kind == "html":
            self.answer(200, "text/html", b"<html>log in</html>")
        elif kind == "slow":
            time.sleep(1.0)
        elif kind in ("403", "500"):
            self.answer(int(kind), "text/plain", b"")
        elif kind == "busy":
            type(self).tries += 1
            self.answer(503 if self.tries < 3 else 200, "application/dicom+json", b"[]")
        elif kind == "greedy":
            self.answer(200, "application/dicom+json", json.dumps([
                {"0020000D": {"vr": "UI", "Value": [f"1.{i}"]}, "00100020": {"vr": "LO", "Value": [f"SECRET-{i}"]}}
                for i in range(3)
            ] if "/series" not in self.path else []).encode())  # fmt: skip
        elif kind == "cut":
            self.answer(200, 'multipart/related; type="application/dicom"; boundary=x', b"--x\r\n\r\n\r\nDICM half")
        elif kind == "text":
            self.answer(
                200, 'multipart/related; type="application/dicom"; boundary=x', b"--x\r\n\r\nhello there\r\n--x--"
            )
        else:
            self.answer(200, "application/dicom+json", b"not json")

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


@contextmanager
def odd_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("html", "a web page came instead of DICOM"), ("403", r"let this user see .* \(403\)"),
        ("json", "not as DICOMweb"), ("slow", "does not answer in time"),
    ],
)  # fmt: skip
def test_a_server_that_answers_otherwise_is_said_to(tmp_path, kind, told):
    with odd_server() as root:
        archive = Archive(Server(f"{root}/{kind}", timeout_s=(0.2, 0.2)))
        with pytest.raises(ArchiveError, match=told):
            fetch(archive, [Wanted(patient_id="SECRET-1")], tmp_path, salt=SALT)


def test_a_fault_of_the_server_is_named_with_its_status(tmp_path):
    with odd_server() as root, pytest.raises(ArchiveError, match="HTTP status 500"):
        Archive(Server(f"{root}/500")).studies(patient_id="x")


def test_a_busy_server_is_asked_again_a_few_times(tmp_path, monkeypatch):
    monkeypatch.setattr(_Odd, "tries", 0)
    with odd_server() as root:
        assert Archive(Server(f"{root}/busy")).studies(patient_id="x") == []
        monkeypatch.setattr(_Odd, "tries", -9)
        with pytest.raises(ArchiveError, match="503"):
            Archive(Server(f"{root}/busy")).studies(patient_id="x")
        assert _Odd.tries == -6


def test_a_server_that_answers_with_every_study_gives_only_the_one_asked_for():
    with odd_server() as root:
        assert [s.uid for s in Archive(Server(f"{root}/greedy")).studies(patient_id="SECRET-2")] == ["1.2"]


def test_an_object_in_part_or_of_another_kind_is_refused():
    with odd_server() as root:
        with pytest.raises(ArchiveError, match="in part only"):
            Archive(Server(f"{root}/cut")).instance("1.2", "1.3", "1.4")
        with pytest.raises(ArchiveError, match="something else than a DICOM object"):
            Archive(Server(f"{root}/text")).instance("1.2", "1.3", "1.4")
        with pytest.raises(ArchiveError, match="no UID"):
            Archive(Server(f"{root}/cut")).instance("1.2", "../1.3", "1.4")


# The command


def run(server_url, out, monkeypatch, *, password=PASSWORD, **options):
    """Exit code of the command."""
    monkeypatch.setenv(VARIABLE, password)
    with pytest.raises(typer.Exit) as left:
        command(server_url, out, user=USER, **options)
    return left.value.exit_code


def test_a_server_killed_in_the_middle_leaves_whole_files_and_the_next_run_goes_on(
    files, tmp_path, monkeypatch, capsys
):
    port = free_port()
    running = start(tmp_path / "orthanc", port)
    try:
        running.store(*files.rglob("*.dcm"))
        real = Archive.instance
        came = []

        def killing(self, *uids):
            data = real(self, *uids)
            came.append(uids)
            if len(came) == 4:
                running.stop(signal.SIGKILL)
            return data

        monkeypatch.setattr(Archive, "instance", killing)
        monkeypatch.setattr(module, "PART", 1)  # one after the other, so that it is known what has come
        table = tmp_path / "list.csv"
        table.write_text("case,patient_id\nP1,SECRET-1\nP2,SECRET-2\n")
        assert run(running.url, tmp_path / "study", monkeypatch, table=table) == 3
        kept = {p: p.read_bytes() for p in (tmp_path / "study").rglob("*.dcm")}
        assert len(kept) == 4
        assert all(pydicom.dcmread(path).PixelData for path in kept)
        failures = (tmp_path / "study/fetch_failures.csv").read_text()
        assert "4 of 6 objects have come; no connection" in failures
        assert 'P2,fetch,ArchiveError,"not tried' in failures
    finally:
        running.stop()
    monkeypatch.setattr(Archive, "instance", real)
    running = start(tmp_path / "orthanc", port)
    try:
        assert run(running.url, tmp_path / "study", monkeypatch, table=table) == 0
    finally:
        running.stop()
    assert {p: p.read_bytes() for p in kept} == kept
    assert len(list((tmp_path / "study").rglob("*.dcm"))) == 6 + 4 + 6 + 1 + 5
    said = capsys.readouterr().out
    assert f"2 cases, 5 series, 22 objects, {22 - len(kept)} of them fetched now" in said
    assert not any(word in said for word in ("SECRET", "Qzxw"))


def test_the_command_says_what_came_and_leaves_with_3_where_something_did_not(server, tmp_path, monkeypatch, capsys):
    assert run(server.url, tmp_path, monkeypatch, accession=["ACC2"]) == 0
    assert run(server.url, tmp_path, monkeypatch, accession=["ACC2", "ACC9"]) == 3
    said = capsys.readouterr().out
    assert "1 cases, 1 series, 5 objects, 0 of them fetched now" in said
    assert "--accession 2: the archive has no such study" in said


def test_a_password_is_not_taken_from_nowhere(server, tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(StudyError, match=VARIABLE):
        command(server.url, tmp_path, user=USER, accession=["ACC2"])
    with pytest.raises(StudyError, match="say what to fetch"):
        command(server.url, tmp_path, user=USER)


# Lists and salts


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("case,name\na,b\n", "no column patient_id, study_uid, accession"),
        ("case,patient_id\na,1\na,2\n", "several rows are called a"),
        ("case,patient_id\n../a,1\n", "cannot name a case"),
        ("case,patient_id\na,\n", "row 1: no patient_id"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_used_is_refused(tmp_path, text, told):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(StudyError, match=told):
        read_list(tmp_path / "list.csv")


def test_a_list_may_name_cases_or_not(tmp_path):
    (tmp_path / "list.csv").write_text("patient_id,accession\n007,A 1\n")
    (wanted,) = read_list(tmp_path / "list.csv")
    assert (wanted.patient_id, wanted.accession, wanted.case) == ("007", "A 1", "")


def test_a_salt_is_made_once_and_kept(tmp_path):
    assert read_salt(None, tmp_path) == read_salt(None, tmp_path)
    with pytest.raises(StudyError):
        read_salt(tmp_path / "none", tmp_path)


@pytest.mark.slow
def test_a_real_patient_comes_with_outline_and_the_same_voxels(shared, tmp_path):
    import zipfile

    with zipfile.ZipFile(shared / "nm_data/sts_001_pet_bqml/STS_001_FDG_PET.zip") as pack:
        pack.extractall(tmp_path / "sent")
    with orthanc(tmp_path / "orthanc") as running:
        running.store(*(tmp_path / "sent").rglob("*.dcm"))
        found = fetch(archive_of(running), [Wanted(patient_id="STS_001", case="STS_001")], tmp_path / "s", salt=SALT)
    assert not found.failures
    assert {(s.series, s.instances) for s in found.series} == {("PET", 267), ("masks", 1)}
    sent, came = by_uid(tmp_path / "sent"), by_uid(tmp_path / "s")
    assert set(sent) == set(came)
    assert all(came[key].read_bytes() == sent[key].read_bytes() for key in sent)
    assert [files.series for case in find_study(tmp_path / "s").cases for files in case.series] == ["PET"]
