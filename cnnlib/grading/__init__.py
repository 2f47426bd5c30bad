"""Instructor side: student notebooks, nbgrader's pipeline, marks."""
