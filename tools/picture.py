"""Draw the README's picture, docs/old_faithful.png."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch

from course_lib import mixture, plots
from course_lib.data import old_faithful

PATH = Path(__file__).resolve().parents[1] / "docs" / "old_faithful.png"


def main() -> None:
    plots.use_style()
    x = old_faithful()
    figure, panels = plt.subplots(1, 2, figsize=(9.6, 3.8), sharex=True, sharey=True)
    for axes, num_components, title in zip(
        panels, (1, 2), ("One Gaussian", "A mixture of two, fitted by EM"), strict=True
    ):
        generator = torch.Generator().manual_seed(0)
        fit = mixture.fit_em(x, num_components, num_restarts=5, generator=generator)
        resp = mixture.responsibilities(x, fit.params) if num_components > 1 else None
        plots.draw_eruptions(axes, x, resp=resp)
        plots.draw_components(axes, fit.params)
        value = f"{fit.log_likelihoods[-1]:.1f}".replace("-", "−")
        axes.set_title(f"{title}: log-likelihood {value} nats")
    panels[1].set_ylabel("")
    figure.savefig(PATH)
    print(f"wrote {PATH.name}")


if __name__ == "__main__":
    main()
