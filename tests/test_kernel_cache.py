"""Kernels can be imported where nothing beside them, and no home, may be written to."""

from __future__ import annotations

import os
from pathlib import Path

from radiomics_pipeline import kernel_cache


def test_a_temporary_folder_is_given_where_nothing_else_can_be_written(monkeypatch):
    monkeypatch.setattr(kernel_cache, "_writable", lambda folder: False)
    monkeypatch.setattr(kernel_cache, "_writable_home", lambda: False)
    monkeypatch.delenv(kernel_cache.VARIABLE, raising=False)
    kernel_cache.make_cache_writable()
    folder = Path(os.environ[kernel_cache.VARIABLE])
    assert os.access(folder, os.W_OK)
    kernel_cache.make_cache_writable()
    assert os.environ[kernel_cache.VARIABLE] == str(folder)
    monkeypatch.delenv(kernel_cache.VARIABLE)
    folder.rmdir()


def test_nothing_is_set_where_numba_finds_its_own_place(monkeypatch):
    monkeypatch.setattr(kernel_cache, "_writable", lambda folder: True)
    monkeypatch.delenv(kernel_cache.VARIABLE, raising=False)
    kernel_cache.make_cache_writable()
    assert kernel_cache.VARIABLE not in os.environ
