# %% [markdown]
# # Toy lecture

# %%
import base64
import os
import sys

from IPython.display import Image, display
from ipywidgets import IntSlider

print("fast" if os.environ.get("COURSE_FAST") else "full", object())
print("a progress bar", file=sys.stderr)

# %% tags=["hide-input"]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
display(Image(base64.b64decode(PIXEL)), IntSlider())

# %% tags=["raises-exception"]
1 / 0

# %%
2 / 3
