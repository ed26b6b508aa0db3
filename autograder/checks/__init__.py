"""The exercises: one package for each unit, under the unit's own name."""
