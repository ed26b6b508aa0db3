r"""Figures: what is drawn, where, and the same every time."""

import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from course_lib import mixture, plots
from course_lib.mixture import MixtureParams

mpl.use("Agg")
pytestmark = pytest.mark.skipif(
    "config.getoption('--device') != 'cpu'", reason="matplotlib draws tensors on the CPU"
)


@pytest.fixture
def axes():
    with plt.rc_context():
        plots.use_style()
        figure, axes = plt.subplots()
        yield axes
        plt.close(figure)


@pytest.fixture
def two_components(make_params):
    return make_params(2, 2)


def test_style_uses_the_palette_of_the_module(axes):
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert [f"#{colour}".replace("##", "#") for colour in cycle][: len(plots.COLOURS)] == list(
        plots.COLOURS
    )


def test_scatter_has_axes_with_units(axes, eruptions):
    plots.draw_eruptions(axes, eruptions)
    (points,) = axes.collections
    assert np.allclose(points.get_offsets(), eruptions)
    assert "minutes" in axes.get_xlabel()
    assert "minutes" in axes.get_ylabel()


def test_responsibilities_mix_the_colours(axes):
    x = torch.zeros(3, 2)
    resp = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    plots.draw_eruptions(axes, x, resp=resp)
    first, second, mixed = axes.collections[0].get_facecolors()[:, :3]
    assert np.allclose(first, mpl.colors.to_rgb(plots.COLOURS[0]))
    assert np.allclose(second, mpl.colors.to_rgb(plots.COLOURS[1]))
    assert np.allclose(mixed, (first + second) / 2)


def test_too_many_components_for_the_palette(axes):
    with pytest.raises(ValueError, match="7 components; expected at most 6"):
        plots.draw_eruptions(axes, torch.zeros(3, 2), resp=torch.full((3, 7), 1 / 7))


@pytest.mark.parametrize("diagonal", [False, True])
def test_ellipses_lie_at_their_mahalanobis_distance(axes, make_params, diagonal):
    params = make_params(2, 2, diagonal=diagonal)
    plots.draw_components(axes, params, num_std=(1.0, 2.0))
    covariance = params.covariance.diag_embed() if diagonal else params.covariance
    ellipses = [line for line in axes.lines if len(line.get_xdata()) > 1]
    assert len(ellipses) == 4
    for place, line in enumerate(ellipses):
        component, radius = place // 2, (1.0, 2.0)[place % 2]
        difference = torch.as_tensor(line.get_xydata()).to(params.loc) - params.loc[component]
        solved = torch.linalg.solve(covariance[component], difference.mT).mT
        distance = (difference * solved).sum(1).sqrt()
        torch.testing.assert_close(distance, torch.full_like(distance, radius))


def test_ellipses_need_two_dimensions(axes, make_params):
    for params in (make_params(2, 3), make_params(4, 2, 2)):
        with pytest.raises(ValueError, match="expected a single one in 2 dimensions"):
            plots.draw_components(axes, params)


def test_contours_are_level_sets(axes, eruptions):
    plots.draw_eruptions(axes, eruptions)
    params = mixture.fit_em(eruptions, 1).params.to(torch.float64)
    limits = axes.axis()
    plots.draw_log_density(axes, lambda points: mixture.log_density(points, params), num_levels=3)
    assert axes.axis() == limits
    contours = axes.collections[-1]
    path = contours.get_paths()[0].vertices
    density = mixture.log_density(torch.as_tensor(path.copy()), params).exp()
    assert density.std() / density.mean() < 0.02
    assert np.allclose(np.diff(np.log2(contours.levels)), 1.0)


def test_log_likelihood_curve(axes):
    plots.draw_log_likelihood(axes, torch.tensor([-3.0, -2.0, -1.5]), label="EM")
    (line,) = axes.lines
    assert line.get_ydata().tolist() == [-3.0, -2.0, -1.5]
    assert line.get_xdata().tolist() == [0, 1, 2]
    assert "nats" in axes.get_ylabel()
    assert line.get_label() == "EM"


def test_the_same_figure_has_the_same_bytes(eruptions, two_components: MixtureParams):
    images = []
    for _ in range(2):
        with plt.rc_context():
            plots.use_style()
            figure, axes = plt.subplots()
            resp = mixture.responsibilities(eruptions, two_components)
            plots.draw_eruptions(axes, eruptions, resp=resp)
            plots.draw_components(axes, two_components)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", metadata={"Software": None})
            plt.close(figure)
        images.append(buffer.getvalue())
    assert images[0] == images[1]


def test_images_stand_in_rows_a_pixel_apart(axes):
    dark, light, gap = torch.zeros(4), torch.ones(2, 2), torch.full((1, 2, 2), torch.nan)
    plots.draw_images(axes, [[dark, light], [gap, light]], names=["a", "b"], below=["c", "d"])
    sheet = axes.images[0].get_array().filled(np.nan)
    nan = np.nan
    expected = [
        [0, 0, nan, 1, 1],
        [0, 0, nan, 1, 1],
        [nan, nan, nan, nan, nan],
        [nan, nan, nan, 1, 1],
        [nan, nan, nan, 1, 1],
    ]
    assert np.array_equal(sheet, expected, equal_nan=True)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["c", "d"]
    assert axes.images[0].get_clim() == (0.0, 1.0)


def test_images_in_colour_beside_a_grey_one(axes):
    red = torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(3, 2, 2)
    plots.draw_images(axes, [[red, torch.full((2, 2), 0.5)]])
    sheet = np.asarray(axes.images[0].get_array())
    assert sheet.shape == (2, 5, 3)
    assert sheet[0, 0].tolist() == [1, 0, 0]
    assert sheet[0, 2].tolist() == [1, 1, 1]  # between them the paper shows
    assert sheet[0, 3].tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[torch.ones(4)], []], r"rows of \[1, 0\] images"),
        ([[torch.ones(4), torch.ones(9)]], r"images of \[2, 3\] pixels"),
        ([[torch.ones(5)]], r"shape \(5,\)"),
        ([[torch.ones(2, 3)]], r"shape \(2, 3\)"),
        ([[torch.ones(2, 2, 2)]], r"shape \(2, 2, 2\)"),
    ],
)
def test_what_cannot_be_drawn_as_images(axes, rows, message):
    with pytest.raises(ValueError, match=message):
        plots.draw_images(axes, rows)
