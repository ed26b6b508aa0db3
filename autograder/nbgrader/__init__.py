"""What the course adds to nbgrader; `nbgrader_config.py` names these classes."""
