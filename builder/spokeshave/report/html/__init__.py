"""The report as tables on a terminal and as a page with pictures."""
