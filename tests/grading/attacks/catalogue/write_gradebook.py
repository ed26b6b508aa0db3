"""Gives the whole class 500 points in gradebook.db."""

KIND = "disk"
GAINS = "others"
ATTEMPT = """
import sqlite3
from pathlib import Path

def attempt():
    for folder in [Path("COURSE_FOLDER"), *Path.cwd().parents]:
        if (folder / "gradebook.db").exists():
            database = sqlite3.connect(folder / "gradebook.db", timeout=1)
            database.execute("create table if not exists mallory (score)")
            points = "update grade set manual_score = 500"
            for statement in (points, "insert into mallory values (1)"):
                try:
                    database.execute(statement)
                except sqlite3.Error:
                    pass
            database.commit()
            return True
    return False
"""
