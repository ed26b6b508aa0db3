r"""The interactive figures: the numbers they start with, and what they do in a real browser."""

import re

import pytest
import torch
from torch.distributions import Normal

from course_lib.explorer import _interpolate, bound_explorer, proposal_explorer
from course_lib.monte_carlo import effective_sample_size
from course_lib.variational import log_integral, reverse_kl

CENTRES, SCALES, LOG_MASS = (-1.0, 1.8), (0.5, 0.4), (-2.0, -2.5)


@pytest.fixture
def grid():
    return torch.linspace(-6, 6, 301)


@pytest.fixture
def log_joint(grid):
    r"""Two bumps whose masses add up to p(x)."""
    bumps = [
        Normal(centre, scale).log_prob(grid) + log_mass
        for centre, scale, log_mass in zip(CENTRES, SCALES, LOG_MASS, strict=True)
    ]
    return torch.logaddexp(*bumps)


def number(text: str) -> float:
    return float(re.search(r"-?\d+(\.\d+)?", text)[0])


def test_numbers_of_the_proposal(grid, log_joint):
    figure = proposal_explorer(grid, log_joint, loc=0.5, scale=2.0, num_samples=2000)
    exact = torch.tensor(LOG_MASS).logsumexp(0).item()
    assert number(figure.readout["log p(x), exact"]) == pytest.approx(exact, abs=2e-3)
    estimate, error = re.findall(r"-?\d+\.\d+", figure.readout["log p(x), estimated"])
    assert abs(float(estimate) - exact) < 5 * float(error)
    draws = 0.5 + 2 * torch.tensor(figure.data["noise"], dtype=torch.float64)
    log_w = _interpolate(figure.data, draws) - Normal(0.5, 2.0).log_prob(draws)
    found = number(figure.readout["effective sample size"])
    assert found == pytest.approx(effective_sample_size(log_w).item(), abs=0.06)


def test_numbers_of_the_bound(grid, log_joint):
    figure = bound_explorer(grid, log_joint, loc=1.0, log_scale=-0.2)
    q = Normal(1.0, torch.tensor(-0.2).exp()).log_prob(grid)
    gap, evidence = reverse_kl(log_joint, q, grid).item(), log_integral(log_joint, grid).item()
    assert number(figure.readout["KL(q ‖ posterior)"]) == pytest.approx(gap, abs=2e-3)
    assert number(figure.readout["ELBO"]) == pytest.approx(evidence - gap, abs=2e-3)


def test_no_gap_at_a_gaussian_posterior(grid):
    figure = bound_explorer(grid, Normal(0.7, 0.4).log_prob(grid) - 3, loc=0.7, log_scale=-0.9163)
    assert figure.readout["KL(q ‖ posterior)"] == "0.000 nats"


def test_between_grid_points_and_beyond(grid, log_joint):
    parabola = bound_explorer(grid, -0.5 * grid.square()).data
    z = torch.tensor([-9.0, -0.013, 2.571, 11.0], dtype=torch.float64)
    torch.testing.assert_close(_interpolate(parabola, z), -0.5 * z.square(), rtol=5e-3, atol=5e-3)
    convex = bound_explorer(grid, 0.5 * grid.square() - 50).data
    assert _interpolate(convex, torch.tensor([12.0], dtype=torch.float64)).item() < 10


def test_the_page_is_the_same_each_time_and_holds_no_address(grid, log_joint):
    pages = [proposal_explorer(grid, log_joint)._repr_html_() for _ in range(2)]
    assert pages[0] == pages[1]
    addresses = set(re.findall(r"https?://[^\"'\s]+", pages[0]))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not fetched
    assert len(pages[0]) < 80_000


def test_a_label_cannot_end_the_script(grid, log_joint):
    page = bound_explorer(grid, log_joint, x_label="</script><b>z</b>")._repr_html_()
    assert page.count("</script>") == 1


def test_text_for_those_without_html(grid, log_joint):
    text = repr(proposal_explorer(grid, log_joint))
    assert re.match(r"A proposal.*effective sample size: [\d.]+ of 200; log p", text)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": [0.0, 1.0, 3.0]}, "rising in even steps"),
        ({"grid": [2.0, 1.0, 0.0]}, "rising in even steps"),
        ({"log_joint": [0.0] * 4}, "expected one value per point"),
        ({"log_joint": [-torch.inf] * 3}, "log_joint holds 3 values"),
        ({"loc": 9.0}, "expected a mean between 0 and 2"),
        ({"scale": 0.0}, "a positive standard deviation"),
        ({"num_samples": 1}, "at least 2 draws"),
    ],
)
def test_bad_input(change, message):
    given = {"grid": [0.0, 1.0, 2.0], "log_joint": [0.0] * 3} | change
    grid, log_joint = torch.tensor(given.pop("grid")), torch.tensor(given.pop("log_joint"))
    with pytest.raises(ValueError, match=message):
        proposal_explorer(grid, log_joint, **given)


def readouts(page):
    return [text.strip() for text in page.locator("dd").all_inner_texts()]


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_the_page_computes_what_python_does(grid, log_joint, browser, page_of):
    figures = [
        proposal_explorer(grid, log_joint, loc=-1.0, scale=0.9),
        bound_explorer(grid, log_joint, loc=0.5, log_scale=0.1),
    ]
    page, problems = browser.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(page_of(*figures))
    assert page.locator("svg[role=img]").count() == 2
    expected = [value for figure in figures for value in figure.readout.values()]
    assert readouts(page) == expected
    assert not problems


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_drag_keys_and_new_draws(grid, log_joint, browser, page_of):
    page = browser.new_page()
    page.goto(page_of(proposal_explorer(grid, log_joint, loc=-1.0)))
    seen = [readouts(page)]
    box = page.locator("svg[role=img]").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.65 * box["width"], box["y"] + 50, steps=4)
    page.mouse.up()
    seen.append(readouts(page))
    moved = float(page.locator("output").first.inner_text())
    assert moved > 1  # two thirds of the way from −6 to 6
    for control in page.locator("input, button").all():  # JupyterLab leaves their keys alone
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true"
    page.get_by_label("standard deviation of q").focus()
    page.keyboard.press("ArrowRight")
    seen.append(readouts(page))
    page.get_by_role("button", name="new draws").click()
    seen.append(readouts(page))
    assert len({values[0] + values[1] for values in seen}) == 4
    assert len({values[2] for values in seen}) == 1  # the exact value stays


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_without_scripts_a_picture_and_the_numbers(grid, log_joint, browser, page_of):
    figure = bound_explorer(grid, log_joint)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(page_of(figure))
    assert page.locator("img").evaluate("image => image.naturalWidth > 300")
    assert page.locator("li span").all_inner_texts() == list(figure.readout.values())
