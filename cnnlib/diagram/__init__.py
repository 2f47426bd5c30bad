"""The layer-pattern language: diagrams that parse, expand, explain and check themselves."""
