"""The reports of one run, kept by the process that pytest was started in: workers send it their findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from harness.errors import Misuse
from harness.plugin.held_junit import HeldReport
from harness.report import RunFolder, RunJournal, RunRecord, table
from harness.report.assessment import Assessment, assess
from harness.report.journal import read_journal
from harness.report.junit import interrupt, mistake, overturn, read_report, replace_file, unfinished, write_report
from harness.report.junit_causes import add_causes
from harness.report.junit_form import PropertiesPlace, place_properties
from harness.report.pruning import PruningLimits, prune
from harness.report.rebuild import rebuild
from harness.report.run_lock import GoingOn
from harness.report.run_summary import summary_of
from harness.report.stored_runs import read_run, stored_runs
from harness.timeline import pack


class RunReports:
    """``record``: None while no test uses a board. ``assessment``: the page's.

    ``notes``: what a reader should know besides: before :meth:`finish` of the run, then what is missing on its page.
    ``overturned``: tests whose results the run as a whole took back, each with the reason. ``collected``: it is known
    which tests will run.
    """

    def __init__(self, folder: RunFolder, held: Callable[[], HeldReport], place: Callable[[], PropertiesPlace]) -> None:
        """``folder``: the run's; ``held``: pytest's own report; ``place``: where properties of cases stand in JUnit."""
        self.folder = folder
        self.record: RunRecord | None = None
        self.trouble = ""
        self.notes: list[str] = []
        self.overturned: dict[str, str] = {}
        self.assessment: Assessment | None = None
        self._held = held
        self._place = place
        self._refused = self._finished = self._interrupted = False
        self.collected = False
        self._begins = False  # it has tests of boards, and may be interrupted before the record is there
        self._former: bytes | None = None
        self._announced: bytes | None = None
        self._going_on: GoingOn | None = None

    def announce(self) -> None:
        """Put a report into place that says that the run has not ended. Raises UsageError: reports cannot be written.

        Until the end nobody can take the report of another run for this one's.
        """
        if self._announced is not None:
            return
        shared = self.folder.shared_junit
        try:
            self._former = shared.read_bytes() if shared.exists() else None
            write_report(unfinished(self.folder.name, self.folder.path), self.folder.junit, shared)
            self._announced = shared.read_bytes()
        except OSError as error:
            raise pytest.UsageError(
                f"{self.folder.path}: {error.strerror}: board tests are reported there; name folders that can be"
                " written with --reports DIR and --lab-ca DIR"
            ) from error

    def plan(self, planned: Mapping[str, str], about: Mapping[str, Any]) -> None:
        """Note the tests that will run: test to board, "" for none. A run without boards reports nothing.

        ``about``: what the journal says of the run besides.
        """
        self.collected = True
        if self._refused or not any(planned.values()):
            return
        self._begins = True
        self.announce()
        record = RunRecord(self.folder.name, RunJournal(self.folder.journal))
        try:
            self._going_on = GoingOn(self.folder.path)  # first: a journal without it is a killed run's
            record.plan(planned, about)
        except OSError as error:
            raise pytest.UsageError(self._cannot_write(error)) from error
        self.record = record

    def refuse(self, message: str) -> None:
        """Report a mistake that kept the run from beginning."""
        self._refused = True
        self._write(mistake(self.folder.name, message))

    def end_unbegun(self, why: str = "") -> None:
        """Report that pytest has ended without tests, by a mistake in another place or in its call. ``why``: it has."""
        if self._announced is not None and self.record is None and not (self._refused or self._finished):
            self.refuse(f"{why or 'pytest ended, its output says why,'} before the first test")

    def finish(self, interrupted: str, properties: Mapping[str, str]) -> None:
        """Put the run's report into place. ``interrupted``: by what; ``properties`` of the whole run.

        ``trouble`` says afterwards why a report could not be written.
        """
        self._finished, self._interrupted = True, bool(interrupted)
        if self.record is None:
            early = self._begins or not self.collected
            if interrupted and early and self._announced is not None and not self._refused:
                self.refuse(f"{interrupted} before the first test")
            elif self._missing() and self._announced is not None and not self._refused:
                self.refuse(self._missing())
            if not self._refused:
                self._withdraw()
            return
        try:
            self.overturned = self.record.overturn()
            for note in self.notes:
                self.record.note(note)
            self.record.finish(interrupted or self._missing())
            suites = self._suites(self.record, interrupted, properties)
            self.folder.table.write_text("\n".join(table(list(self.record.cases.values()))) + "\n", "utf-8")
        except OSError as error:
            self.trouble = self._cannot_write(error)
            return
        self._write(suites)
        self._make_pages()
        try:
            pack(self.folder.timelines)
        except OSError as error:
            self.notes.append(f"{self.folder.timelines}: not packed: {error.strerror or error}")

    def give_up(self, why: str) -> None:
        """Put a report made from the journal into place, because the run is ended hard. For any thread."""
        if self.record is None:
            return
        with suppress(OSError, Misuse):
            self.record.overturn()  # the report below takes it from the journal
            RunJournal(self.folder.journal).write("end", interrupted=why, not_run=len(self.record.not_run))
            self._write(rebuild(self.folder.path, self._place()))

    def note_full(self, error: OSError) -> str:
        """Take note that the disk refused what the run wrote; return the line that says so."""
        self.trouble = self._cannot_write(error)
        return self.trouble

    def _missing(self) -> str:
        unread = self._held().uncollected
        return f"not all tests were found, because of {', '.join(unread)}" if unread else ""

    def _suites(self, record: RunRecord, interrupted: str, properties: Mapping[str, str]) -> Element:
        held = self._held()
        for name, value in properties.items():
            held.add_global_property(name, value)
        part = self.folder.path / ".junit.part"
        try:
            held.write(part)
            suites = read_report(part, self.folder.name)
        finally:
            part.unlink(missing_ok=True)
        overturn(suites, self.overturned)
        with suppress(Misuse):  # a journal that a full disk tore: the report is worth more than its causes
            journal = read_journal(self.folder.journal)
            add_causes(suites, *summary_of(self.folder.name, journal), journal[0])
        place_properties(suites, self._place())
        if interrupted:
            interrupt(suites, interrupted, record.running, record.not_run)
        return suites

    def _write(self, suites: Element) -> None:
        try:
            write_report(suites, self.folder.junit, self.folder.shared_junit)
        except OSError as error:
            self.trouble = self._cannot_write(error)

    def _make_pages(self) -> None:
        """Write the pages of the run. They are made from its files, so whatever keeps them away can be mended later."""
        from harness.report.page import append_to_job_summary, write_run_pages

        try:
            written = write_run_pages(self.folder.path)
            self.assessment = written.assessment
            self.notes += written.notes
            append_to_job_summary(self.folder.path)
        except Exception as error:
            what = str(error).partition("\n")[0] or type(error).__name__
            self.notes.append(f"no report.html: {what}; nrf91-harness report html {self.folder.path} makes it")
            with suppress(OSError, Misuse):  # what the run says by itself, without the runs before
                self.assessment = assess([read_run(self.folder.path)[0]])

    def write_again(self, arguments: Callable[[list[str]], list[str]]) -> None:
        """Write again.txt if something did not pass, or was not run because the run was interrupted.

        ``arguments``: makes them, of the ids of tests.
        """
        try:
            tests = [test.test for test in read_run(self.folder.path)[1] if test.result in ("failed", "error")]
            if self.record is not None and self._interrupted:
                tests += self.record.not_run
            if tests:
                replace_file(self.folder.again, "".join(f"{one}\n" for one in arguments(tests)).encode("utf-8"))
        except (OSError, Misuse) as error:
            self.notes.append(f"no {self.folder.again.name}: {error}")

    def shrink(self, limits: PruningLimits) -> None:
        """Shrink old runs beside this one to their history. Nothing that happens here fails the run."""
        try:
            prune(self.folder.base.resolve(), stored_runs([self.folder.base.resolve()]), limits, dry=False)
        except (OSError, Misuse) as error:
            self.notes.append(f"old runs were not shrunk: {error}")

    def close(self) -> None:
        """Say that nobody writes to the run's folder any more."""
        if self._going_on is not None:
            self._going_on.end()

    def _withdraw(self) -> None:
        shared = self.folder.shared_junit
        if self._announced is not None and shared.exists() and shared.read_bytes() == self._announced:
            shared.unlink() if self._former is None else shared.write_bytes(self._former)
            self.folder.junit.unlink(missing_ok=True)
            self.close()  # its lock is a file of the folder
            with suppress(OSError):  # a journal that a full disk took only half of stays
                self.folder.path.rmdir()

    def _cannot_write(self, error: OSError) -> str:
        return f"cannot write reports to {error.filename or self.folder.path}: {error.strerror or error}"
