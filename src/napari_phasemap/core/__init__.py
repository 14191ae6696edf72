"""The science: functions on numpy arrays and frozen dataclasses. No Qt, no files."""
