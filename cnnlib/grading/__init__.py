"""Instructor side: student notebooks, nbgrader's pipeline, marks."""

import sys

# jsonschema's check of international addresses, of which notebooks have none, takes two seconds to import;
# jsonschema does without it where it is not to be had.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
