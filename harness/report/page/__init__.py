"""The pages that people open: report.html of a run, index.html of a reports folder, summary.md for CI."""

from harness.report.page.files import append_to_job_summary, write_index, write_live_page, write_run_pages

__all__ = ["append_to_job_summary", "write_index", "write_live_page", "write_run_pages"]
